#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The docs say what the code has: tables that a guest case checks, settings, words of the journal,
# files and programs.
set -eu
cd "$(dirname "$0")/.."

fail() {
	echo "docs: $*" >&2
	exit 1
}

# tables FILE: the rows that have a "yes" or "no".
tables() {
	grep -E '^\|.*\| (yes|no) \|' "$1" | sort
}

[ "$(tables docs/containers.md | wc -l)" -eq 9 ]
[ "$(tables docs/containers.md)" = "$(tables tests/vm/cases/containers)" ] ||
	fail "the tables of docs/containers.md are not those of tests/vm/cases/containers"

# described WORDS PAGE...: each page has each word as a literal (.Li).
described() {
	words=$1
	shift
	[ "$(echo "$words" | wc -l)" -ge 5 ] || fail "no words for $*: did they move?"
	for word in $words; do
		for page; do
			grep -qE "^\.(It )?Li (.* )?$word( |$)" "$page" || fail "$page lacks '$word'"
		done
	done
}

settings=$(grep -ohE '"kernel\.(yama|ptracescope)\.[a-z_]+"' src/common/names.h | tr -d '"' | sort -u)
described "$settings" docs/ptracescope.conf.5 docs/ptracescopectl.8
for setting in $settings; do
	grep -q "^$setting = " README.md || fail "the output of list in README.md lacks $setting"
done
described "$(sed -n 's/^\tGUARD([A-Z]*, "\([a-z]*\)",.*/\1/p' include/ptracescope_event.h)" \
	docs/ptracescoped.8

described "$(sed -n 's/^\tREASON([A-Z_]*, 1, "\([a-z-]*\)",.*/\1/p' include/ptracescope_event.h)" \
	docs/ptracescoped.8

# The head of a unit lists its programs with their hooks, and docs/design.md lists the units. Those
# of the second anchor, psc_a_*, are one line.
for unit in bpf/*.bpf.c; do
	grep -q "^| .$unit. |" docs/design.md || fail "the table of units in docs/design.md lacks $unit"
	programs=$(awk '/^SEC\("/ {
		hook = $0; sub(/^SEC\("\??/, "", hook); sub(/".*/, "", hook)
		getline; sub(/^(int|long) (BPF_PROG\()?/, ""); sub(/[^a-z_0-9].*/, "")
		print $0, hook
	}' "$unit")
	echo "$programs" | grep -v '^psc_a_' | while read -r name hook; do
		[ -z "$name" ] || grep -qE "^ \*   $name +$hook( |$)" "$unit" ||
			fail "the comment at the head of $unit lacks the line '$name $hook'"
	done
done

# What the drawing shows is in the code, and the drawing is that of its source.
drawn=$(grep -oE 'psc_[a-z_]+' docs/design.dot | sort -u)
[ -n "$drawn" ]
for name in $drawn; do
	grep -q -r -e "$name" bpf || fail "docs/design.dot has $name, which is not in bpf/"
	grep -q "$name" docs/design.svg || fail "docs/design.svg is not of design.dot: make drawing"
done

# Files that the docs name are there; a guest case may be named without its ".c".
# shellcheck disable=SC2016
files=$(grep -ohE '`(src|bpf|include|tests|packaging|docs)/[A-Za-z0-9_./*-]+`' README.md docs/*.md |
	tr -d '`' | sort -u)
[ -n "$files" ]
for file in $files; do
	# shellcheck disable=SC2086
	set -- $file
	[ -e "$1" ] || [ -e "$1.c" ] || fail "there is no $file, which the docs name"
done
