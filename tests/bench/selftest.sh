#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guard of what checks cost (guard.awk) fails for a row that costs 6% more, for each of them
# (12% for threads and pipes, which have more room), and for one that is missing; and passes 4%
# more in all.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# dearer ROW PERCENT: what is recorded, with a row (0: each) of ours that costs more.
dearer() {
	awk -v OFS='\t' -F'\t' -v row="$1" -v percent="$2" '
		$2 == "cost" && $3 == "ours" && (++n == row || !row) {
			$7 = int($7 * (1 + ($6 == "thread" || $6 == "pipe" ? 2 : 1) * percent / 100))
		}
		{ print }' recorded.tsv
}

# guard: what guard.awk says of standard input; its exit status.
guard() {
	awk -f guard.awk recorded.tsv /dev/stdin >"$work/said"
}

fail() {
	echo "$1:"
	cat "$work/said"
	exit 1
}

rows=$(grep -c $'\tcost\tours\t' recorded.tsv)
[ "$rows" -gt 10 ]
dearer 0 0 | guard || fail "fails what is recorded"
dearer 0 4 | guard || fail "fails 4% more"
for row in $(seq "$rows"); do
	! dearer "$row" 6 | guard || fail "passes row $row at 6% more"
	[ "$(grep -c '^FAILED' "$work/said")" -eq 1 ] || fail "fails others than row $row"
done
! sed '/\tcost\tours\t/{x;s/^/x/;/^x$/{x;d};x}' recorded.tsv | guard || fail "passes a row less"
! sed '/daemon-start/d' recorded.tsv | guard || fail "passes a start that was not measured"
echo "$rows rows"
