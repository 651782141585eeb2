#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measure in guests whose clock counts instructions, and print the table.
#
# usage: run.sh [OPTION]...
#
#   --kernel NAME   may be repeated; default: those in KERNELS, else "6.1 6.12 unstable"
#   --crowd N       processes alive, and the most declared tracers (default 100000)
#   --json          print JSON instead of the tables
#   --document      put the tables and the chart into docs/ instead
#   --again         no guests: print what the last run measured
#   --guard         only compare the main rows, on one kernel, with recorded.tsv
#   --record        the same, but write recorded.tsv
#
# Two guests for each kernel: Yama is there or not from the boot on. In the first are measured
# the bare kernel, empty programs and ours; in the second Yama.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/../vm/common.sh"

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${vm_build%/vm}/bench
recorded=$bench_dir/recorded.tsv
kernels=() crowd=100000 format=table again='' guard=''
guard_kernel=6.12 guard_crowd=1000

while [[ $# -gt 0 ]]; do
	case $1 in
	--kernel | --crowd)
		[[ $# -ge 2 ]] || die "$1 needs a value"
		if [[ $1 == --kernel ]]; then kernels+=("$2"); else crowd=$2; fi
		shift 2
		;;
	--json | --document) format=${1#--} && shift ;;
	--again) again=1 && shift ;;
	--guard | --record) guard=${1#--} && shift ;;
	*) die "unknown argument '$1'" ;;
	esac
done
[[ ${#kernels[@]} -gt 0 ]] || read -ra kernels <<<"${KERNELS:-6.1 6.12 unstable}"
[[ $crowd =~ ^[0-9]+$ ]] || die "--crowd needs a number, not '$crowd'"
mkdir -p "$build"

# plan KERNEL LSM PLAN CROWD: run the measuring program in a guest. Room for the crowd: 40 KiB
# for each, most of it the kernel's stack.
plan() {
	local kernel=$1 lsm=$2 plan=$3 crowd=$4 work=$build/$1-$3
	rm -rf "$work"
	mkdir -p "$work/overlay/psc"
	cp "$build/bench" "$work/overlay/psc/"
	cat >"$work/measure" <<-END
		#!/bin/sh
		echo 4194304 >/proc/sys/kernel/pid_max
		echo $((crowd + 10000)) >/proc/sys/kernel/threads-max
		echo 300000 >/proc/sys/kernel/ns_last_pid
		echo 'fact	kernel	'\$(uname -r)
		/psc/bench $plan $crowd && exit
		cat /run/psc-bench-daemon.log
		exit 1
	END
	"$vm_dir/boot.sh" --icount --kernel "$kernel" --lsm "$lsm" --product "$vm_build/product" \
		--overlay "$work/overlay" --mem $((768 + crowd * 40 / 1024)) --limit 6000 \
		--out "$work/out" --console "$work/console" "$work/measure" ||
		{ cat "$work/out" >&2; die "measuring $plan on $kernel failed, see $work"; }
}

# results KERNEL PLAN...: one line for each value, the kernel first.
results() {
	local kernel=$1 plan
	shift
	for plan; do
		awk -v OFS='\t' -v kernel="$kernel" '/^(cost|fact)\t/ { print kernel, $0 }' \
			"$build/$kernel-$plan/out"
	done
}

if [[ $guard ]]; then
	plan "$guard_kernel" no-yama guard "$guard_crowd"
	results "$guard_kernel" guard >"$build/guard.tsv"
	[[ $guard != record ]] || cp "$build/guard.tsv" "$recorded"
	awk -f "$bench_dir/guard.awk" "$recorded" "$build/guard.tsv"
	exit
fi
if [[ ! $again ]]; then
	for kernel in "${kernels[@]}"; do
		echo "measuring on $kernel" >&2
		plan "$kernel" no-yama product "$crowd"
		plan "$kernel" yama yama "$crowd"
	done
fi
for kernel in "${kernels[@]}"; do
	results "$kernel" product yama
done >"$build/results.tsv"

aims() {
	awk -f "$bench_dir/aims.awk" "$build/results.tsv"
}
tables() {
	awk -f "$bench_dir/table.awk" "$build/results.tsv"
}

# document FILE: put what is on standard input between its markers.
document() {
	awk 'NR == FNR { text = text $0 "\n"; next }
		/^<!-- results end -->/ { inside = 0 }
		!inside
		/^<!-- results begin -->/ { inside = 1; printf "\n%s", text }' - "$1" >"$build/document"
	cat "$build/document" >"$1"
}

awk -f "$bench_dir/chart.awk" "$build/results.tsv" >"$build/chart.svg"
case $format in
json)
	awk -f "$bench_dir/json.awk" "$build/results.tsv"
	;;
table)
	aims
	tables
	;;
document)
	aims | document "$bench_dir/../../docs/performance.md"
	tables | document "$bench_dir/../../docs/performance-tables.md"
	cp "$build/chart.svg" "$bench_dir/../../docs/performance.svg"
	;;
esac
