#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What "make lint" runs; each check is silent when all is well.
#
# usage: lint.sh [--record]
#   --record   write the sizes of what is too long into tests/lint/sizes, instead of checking them
# "make lint" runs it when the skeletons are there, without which clang-tidy cannot work.
# LINT_BASE: a commit; lines that were changed since then must be as .clang-format says.
set -u
cd "$(dirname "$0")/../.." || exit 1

jobs=$(nproc)
sizes=tests/lint/sizes
failed=

# run NAME COMMAND...: what it prints is an error.
run() {
	name=$1
	shift
	out=$("$@" 2>&1) || [ -n "$out" ] || out="exit status $?"
	[ -n "$out" ] || return 0
	echo "lint: $name"
	printf '%s\n' "$out" | sed 's/^/    /'
	failed=1
}

# A clone, or what was unpacked: without build/ and what is generated.
files() {
	find . -path ./build -prune -o -path ./.git -prune -o -path ./tests/fuzz/corpus -prune -o \
		-type f -print | sed 's|^\./||' | sort
}

c_files() {
	files | grep -E '^(src|bpf|include|tests)/.*\.[ch]$'
}

scripts() {
	files | grep -E '\.(sh|bash)$'
	files | grep -vE '\.(sh|bash|[ch]|md|svg|[1-8])$' |
		xargs -d '\n' awk 'FNR == 1 && /^#!.*(\/|env )(ba)?sh( |$)/ { print FILENAME } { nextfile }'
}

# Behind the licence, one sentence says what the file is for.
purpose() {
	c_files | xargs awk '
		FNR == 1 && !/^\/[*\/] SPDX-License-Identifier: / { print FILENAME ": begins with no licence" }
		FNR == 2 && !/^\/\*/ { print FILENAME ": does not say in its second line what it is for" }
		FNR == 2 { nextfile }'
}

# FILE LINES of files with more than 450, FILE:FUNCTION LINES of functions with more than 60.
too_long() {
	c_files | xargs awk '
		FNR == 1 { if (lines > 450) print file, lines; file = FILENAME; inside = 0 }
		{ lines = FNR }
		!inside && /^[A-Za-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
		/^{$/ { inside = FNR }
		/^}$/ && inside {
			if (FNR - inside + 1 > 60) print file ":" name, FNR - inside + 1
			inside = 0
		}
		END { if (lines > 450) print file, lines }' | sort
}

# What is recorded may be as long as it was, and no longer.
lengths() {
	too_long | awk -v sizes=$sizes '
		BEGIN { while ((getline <sizes) > 0) if (!/^#/) allowed[$1] = $2 }
		$2 > allowed[$1] + 0 {
			limit = $1 ~ /:/ ? 60 : 450
			print $1 ": " $2 " lines, where " (allowed[$1] ? allowed[$1] : limit) " are allowed"
		}'
}

record() {
	{
		echo "# Files with more than 450 lines and functions with more than 60, and their lengths. They may"
		echo "# become shorter: \"tests/lint/lint.sh --record\" after that. New ones do not belong here."
		too_long
	} >$sizes.new && mv $sizes.new $sizes
}

# A hook only gathers facts and calls what decides.
long_hooks() {
	awk '
		/^SEC\("/ { hook = 1 }
		hook && /^(int|long) / { name = $0 }
		hook && /^{$/ { begin = FNR }
		hook && /^}$/ {
			if (FNR - begin - 1 > 25)
				print FILENAME ": " FNR - begin - 1 " lines, where 25 are allowed: " name
			hook = 0
		}' bpf/*.bpf.c
}

manuals() {
	files | grep -E '^docs/.*\.[1-8]$' | xargs -n 1 mandoc -T lint 2>&1 |
		grep -vE 'line longer than 80 bytes|referenced manual not found|outdated mandoc.db'
	return 0
}

analyse() {
	# shellcheck disable=SC2046
	cppcheck -q -j"$jobs" --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/lint/cppcheck -D_GNU_SOURCE '-DPSC_VERSION="0"' \
		'-DLIBBPF_OPTS(type,name,...)=struct type name = { __VA_ARGS__ }' \
		-Iinclude $(find src -type d | sed 's/^/-I/') src 2>&1
}

tidy() {
	# shellcheck disable=SC2016
	find src -name '*.c' | sort | xargs -P "$jobs" -n 8 sh -c 'clang-tidy --quiet "$@" -- \
		-std=gnu11 -D_GNU_SOURCE "-DPSC_VERSION=\"0\"" -Iinclude -Ibuild \
		$(find src -type d | sed "s/^/-I/") 2>/dev/null' sh
	return 0
}

formatted() {
	out=$(git clang-format --diff --extensions c,h "$LINT_BASE" 2>&1)
	case $out in
	"" | "no modified files to format" | *"did not modify any files") return 0 ;;
	esac
	printf '%s\n' "$out"
}

if [ "${1:-}" = --record ]; then
	record
	exit
fi

for tool in shellcheck codespell mandoc cppcheck clang-tidy; do
	command -v $tool >/dev/null && continue
	echo "lint: $tool is missing: \"make deps\" installs it" >&2
	exit 1
done
run "what a file is for" purpose
run "lengths of files and functions" lengths
run "lengths of hooks" long_hooks
# shellcheck disable=SC2046
run "shell scripts" shellcheck -x -S warning -e SC1090,SC1091,SC2034,SC2046,SC2119,SC2120,SC2154 \
	-f gcc \
	$(scripts)
# shellcheck disable=SC2046
run "spelling" codespell --ignore-words tests/lint/words $(files | grep -vE '^LICENSE$|\.svg$')
run "manuals" manuals
run "cppcheck" analyse
run "clang-tidy" tidy
[ -z "${LINT_BASE:-}" ] || run "format of what changed since $LINT_BASE" formatted
[ -z "$failed" ]
