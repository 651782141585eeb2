# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for shell cases: POSIX sh, sourced in the guest as ". /psc/lib.sh".
# shellcheck shell=sh
#
#	plan 2
#	is "$(id -u)" 0 "runs as root"
#	check "proc is mounted" test -d /proc/1
#	finish

tap_count=0
tap_failed=0

# plan N: announce N tests, before the first one.
plan() {
	tap_plan=$1
	echo "1..$1"
}

ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
}

# diag TEXT: a comment in the output, a "# " before every line.
diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# is GOT WANTED TEXT: the two strings are equal.
is() {
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3"
		diag "got:    $1"
		diag "wanted: $2"
	fi
}

# like GOT PATTERN TEXT: the string matches a shell pattern.
like() {
	# shellcheck disable=SC2254
	case $1 in
	$2)
		ok "$3"
		;;
	*)
		not_ok "$3"
		diag "got:     $1"
		diag "pattern: $2"
		;;
	esac
}

# check TEXT COMMAND...: the command succeeds. What it prints is shown only if it does not.
check() {
	tap_text=$1
	shift
	if tap_output=$("$@" 2>&1); then
		ok "$tap_text"
	else
		not_ok "$tap_text"
		diag "exit code $? of: $*"
		diag "$tap_output"
	fi
}

# exits CODE TEXT COMMAND...: the command exits with just that code.
exits() {
	tap_want=$1 tap_text=$2 tap_code=0
	shift 2
	tap_output=$("$@" 2>&1) || tap_code=$?
	if [ "$tap_code" -eq "$tap_want" ]; then
		ok "$tap_text"
	else
		not_ok "$tap_text"
		diag "exit code $tap_code, wanted $tap_want, of: $*"
		diag "$tap_output"
	fi
}

# done_testing: announce at the end as many tests as there were, and finish. A case that breaks
# off before has no plan and fails.
done_testing() {
	plan "$tap_count"
	finish
}

# finish: leave, with 0 if all planned tests ran and passed.
finish() {
	[ "$tap_failed" -eq 0 ] && [ "$tap_count" -eq "${tap_plan:--1}" ]
	exit
}
