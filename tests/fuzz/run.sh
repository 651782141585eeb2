#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Run the fuzzers, each for some seconds, from its corpus on. Built by "make fuzzers".
#
# usage: run.sh SECONDS [NAME]...            default: all; "config" is build/fuzz/fuzz_config
#
# JOBS=N runs N at a time. What is found while running stays in build/fuzz/found/, from where the
# next run goes on; what makes one fail is build/fuzz/NAME-*.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=build/fuzz
# A second of a fuzzer that works has hundreds of runs, also on a machine that is busy.
least=10

# one SECONDS NAME
one() {
	local seconds=$1 name=$2 log=$out/$2.log memory=/dev/shm dir status runs file
	rm -f "$out/$name"-*
	mkdir -p "$out/found/$name"
	# Some write thousands of files: into memory, where that can be.
	[ -w $memory ] || memory=/tmp
	dir=$(mktemp -d $memory/psc-fuzz-XXXXXX) || exit 1
	TMPDIR=$dir timeout -k 10 $((seconds + 120)) "$out/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
		-print_final_stats=1 -close_fd_mask=3 -artifact_prefix="$out/$name-" \
		"$out/found/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1
	status=$?
	rm -rf "$dir"
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ $status -eq 0 ] && [ "${runs:-0}" -ge $((seconds * least)) ]; then
		echo "ok       fuzz_$name: $runs runs"
		return
	fi
	echo "FAILED   fuzz_$name: exit status $status, ${runs:-no} runs; from $log:"
	grep -vE '^#[0-9]+|^INFO|NEW_FUNC|^stat::' "$log" | head -n 40
	for file in "$out/$name"-*; do
		[ ! -e "$file" ] || echo "to repeat it:  $out/fuzz_$name $file"
	done
}

if [ "${1-}" = --one ]; then
	one "$2" "$3"
	exit 0
fi
seconds=${1:?usage: run.sh SECONDS [NAME]...}
shift
[ $# -gt 0 ] || set -- $(basename -s .c tests/fuzz/fuzz_*.c | sed 's/^fuzz_//')
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I{} tests/fuzz/run.sh --one "$seconds" {} | tee $out/results
[ "$(grep -c '^ok ' $out/results)" -eq $# ]
