#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The table of docs/lock.md: what the same attacks achieve against Yama at 3 and a floor of 3, as
# the guests of the cases lock_yama and lock_floor measured it.
#
# usage: lock-table.sh           run these cases on every kernel and put the table into the page
#        lock-table.sh --write   the latter alone, from the logs of the last run of the guests
#        lock-table.sh --check   compare the page with the logs of the last run of the guests
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

page=docs/lock.md
logs=build/vm/logs
kernels=${KERNELS:-6.1 6.12 unstable}

# outcomes CASE: "ATTACK | OUTCOME" a line; where kernels differ, each with its own.
outcomes() {
	local kernel
	for kernel in $kernels; do
		[[ -s $logs/$kernel-$1.out ]] || { echo "no results of $1 on $kernel" >&2; return 1; }
		sed -n "s/^# row | /$kernel | /p" "$logs/$kernel-$1.out"
	done | awk -F ' [|] ' '
		!($2 in seen) { order[++n] = $2 }
		{ seen[$2] = 1; of[$2, $3] = of[$2, $3] " " $1; if (!first[$2, $3]++) kinds[$2] = kinds[$2] "|" $3 }
		END {
			for (i = 1; i <= n; i++) {
				count = split(substr(kinds[order[i]], 2), kind, "|")
				text = kind[1]
				if (count > 1)
					for (k = 1; k <= count; k++)
						text = (k > 1 ? text ", " : "") kind[k] " (" substr(of[order[i], kind[k]], 2) ")"
				print order[i] "|" text
			}
		}'
}

table() {
	local yama floor
	yama=$(outcomes lock_yama)
	floor=$(outcomes lock_floor)
	echo "| attack | Yama at 3 | ptracescoped at floor 3 |"
	echo "|---|---|---|"
	awk -F '|' 'NR == FNR { yama[$1] = $2; next } { print "| " $1 " | " yama[$1] " | " $2 " |" }' \
		<(echo "$yama") <(echo "$floor")
}

between() {
	sed -n '/<!-- table begin -->/,/<!-- table end -->/p' "$page" | sed '1d;$d'
}

if [[ -z ${1-} ]]; then
	make --no-print-directory check-vm KERNELS="$kernels" CASES="lock_yama lock_floor"
fi
new=$(table)
if [[ ${1-} == --check ]]; then
	diff <(between) <(echo "$new") || { echo "$page differs from this: make lock-table" >&2; exit 1; }
	exit
fi
{
	sed '/<!-- table begin -->/q' "$page"
	echo "$new"
	sed -n '/<!-- table end -->/,$p' "$page"
} >build/lock.md
mv build/lock.md "$page"
