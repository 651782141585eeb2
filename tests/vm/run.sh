#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Run the guest tests: every case on every kernel.
#
# usage: run.sh [OPTION]... [CASE]...             default: all cases
#
#   --kernel NAME     may be repeated; default: those in KERNELS, else "6.1 6.12 unstable"
#   --jobs N          guests at a time (default: one more than processors, as most wait at times)
#   --product DIR     made by "make install DESTDIR=DIR" (default build/vm/product)
#   --cases DIR       where the cases are (default: cases/ beside this script)
#   --logs DIR        where to leave logs (default build/vm/logs)
#   --results FILE    where to leave "PASSED FAILED" (default build/vm/results)
#
# Exit code 1 if any test failed. README.md beside this file tells how to write a case.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

kernels=() names=() jobs=$(($(nproc) + 1)) product=''
cases=$vm_dir/cases logs=$vm_build/logs results=$vm_build/results
while [[ $# -gt 0 ]]; do
	case $1 in
	--kernel | --jobs | --product | --cases | --logs | --results)
		[[ $# -ge 2 ]] || die "$1 needs a value"
		if [[ $1 == --kernel ]]; then kernels+=("$2"); else declare "${1#--}=$2"; fi
		shift 2
		;;
	-*)
		die "unknown option '$1'"
		;;
	*)
		names+=("$1")
		shift
		;;
	esac
done
[[ ${#kernels[@]} -gt 0 ]] || read -ra kernels <<<"${KERNELS:-6.1 6.12 unstable}"
for kernel in "${kernels[@]}"; do
	check_kernel_name "$kernel"
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs needs a number above 0, not '$jobs'"
if [[ -z $product && -d $vm_build/product ]]; then
	product=$vm_build/product
fi
if [[ ${#names[@]} -eq 0 ]]; then
	for file in "$cases"/*; do
		names+=("$(basename "$file" .c)")
	done
fi

mkdir -p "$logs" "$vm_build"
rm -f "$results"
work=$(mktemp -d "$vm_build/run.XXXXXX")
# shellcheck disable=SC2317
cleanup() {
	local running
	running=$(jobs -p)
	# shellcheck disable=SC2086
	[[ -z $running ]] || kill $running 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

declare -A program limit options wanted shared packages

# parse_case NAME: find a case and read the "vm:" lines of its head into the tables above.
parse_case() {
	local name=$1 source=$cases/$1 word value
	program[$name]=$source limit[$name]=1200 options[$name]='' shared[$name]='' wanted[$name]=''
	packages[$name]=''
	if [[ ! -f $source ]]; then
		source+=.c
		program[$name]=$vm_build/cases/$name
		[[ -f $source ]] || die "no case '$name' in $cases"
		[[ ${program[$name]} -nt $source ]] || die "case $name is not built: make vm-programs"
	fi
	# shellcheck disable=SC2013
	for word in $(sed -nE '1,40s/^[[:space:]]*(#|\/\/|\/?\*)[[:space:]]*vm:(.*)/\2/p' "$source"); do
		value=${word#*=}
		case $word in
		lsm=?* | mem=?* | cpus=?* | rootfs=?* | append=?* | tool=?*)
			options[$name]+="--${word%%=*} $value " ;;
		overlay=?*)
			options[$name]+="--overlay $value " ;;
		kernels=?*)
			for kernel in ${value//,/ }; do
				check_kernel_name "$kernel"
			done
			wanted[$name]=",$value," ;;
		icount) options[$name]+="--icount " ;;
		limit=?*) limit[$name]=$value ;;
		shared) shared[$name]=1 ;;
		packages)
			[[ -d $vm_build/packages ]] || die "no packages for case $name: make vm-packages"
			packages[$name]=1 ;;
		*) die "$source: unknown 'vm:' word '$word'" ;;
		esac
	done
}

# judge TAG NAME OUTPUT STATUS PROBLEMS: report on one case, and count.
judge() {
	local tag=$1 name=$2 output=$3 status=$4 problems=$5 passed failed code line
	{
		read -r passed failed
		mapfile -t bad
	} < <(awk -f "$vm_dir/tap.awk" "$output")
	code=$(awk -v name="$name" '$1 == "exit" && $2 == name { print $3 }' "$status")
	case ${code:-none} in
	0) ;;
	none) bad+=("did not run to its end") ;;
	137 | 124 | 143) bad+=("ran into its time limit or was killed: exit code $code") ;;
	*) bad+=("exit code $code") ;;
	esac
	while read -r line; do
		bad+=("$line")
	done <"$problems"
	[[ ${#bad[@]} -eq 0 || $failed -gt 0 ]] || failed=1
	echo "$passed $failed" >>"$work/counts"
	if [[ ${#bad[@]} -eq 0 ]]; then
		printf 'ok    %-9s %-28s %4d passed, %d s, %d s of processor\n' "$kernel" "$name" "$passed" \
			"$seconds" "$processor"
		return
	fi
	printf 'FAIL  %-9s %-28s %4d passed, %d failed, %d s\n' \
		"$kernel" "$name" "$passed" "$failed" "$seconds"
	printf '      %s\n' "${bad[@]:0:20}"
	echo "      --- its last lines (all: $logs/$tag.out)"
	tail -n 15 "$output" | sed 's/^/      /'
	echo "      --- the kernel's last lines (all: $logs/$tag.console)"
	tail -n 15 "$logs/$tag.console" 2>/dev/null | tr -d '\r' | sed 's/^/      /'
}

# run_boot KERNEL NAME...: one guest that runs these cases, which all want the same guest.
run_boot() {
	local kernel=$1 tag=$1-$2 start=$SECONDS name longest=0 seconds processor programs=()
	local trees=(${product:+--product "$product"})
	[[ -z ${packages[$2]} ]] || trees=(--overlay "$vm_build/packages")
	shift
	for name; do
		programs+=("${program[$name]}")
		[[ ${limit[$name]} -le $longest ]] || longest=${limit[$name]}
	done
	rm -f "$logs/$tag".*
	# shellcheck disable=SC2086
	setpriv --pdeathsig TERM "$vm_dir/boot.sh" --kernel "$kernel" ${options[$1]} \
		${trees[@]+"${trees[@]}"} --limit "$longest" --out "$logs/$tag.out" \
		--status "$logs/$tag.status" --console "$logs/$tag.console" "${programs[@]}" \
		2>"$work/$tag.problems" || true
	touch "$logs/$tag.out" "$logs/$tag.status"
	seconds=$((SECONDS - start))
	times >"$work/$tag.times"	# the second line is of children that have ended
	processor=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", 60 * ($1 + $3) + $2 + $4 }' "$work/$tag.times")
	for name; do
		if [[ $# -eq 1 ]]; then
			cp "$logs/$tag.out" "$work/$tag.one"
		else
			awk -v name="$name" '/^## case / { mine = ($3 == name); next } mine' \
				"$logs/$tag.out" >"$work/$tag.one"
		fi
		judge "$tag" "$name" "$work/$tag.one" "$logs/$tag.status" "$work/$tag.problems"
	done >"$work/$tag.report"
	cat "$work/$tag.report"
}

# The boots to do: "KERNEL NAME...". Cases that may share a guest and want the same one do.
declare -A boot_of
boots=()
for name in "${names[@]}"; do
	parse_case "$name"
done
for kernel in "${kernels[@]}"; do
	boot_of=()
	for name in "${names[@]}"; do
		[[ -z ${wanted[$name]} || ${wanted[$name]} == *",$kernel,"* ]] || continue
		if [[ -n ${shared[$name]} ]]; then
			key="guest ${options[$name]}"
			index=${boot_of[$key]-}
			if [[ -n $index ]]; then
				boots[index]+=" $name"
				continue
			fi
			boot_of[$key]=${#boots[@]}
		fi
		boots+=("$kernel $name")
	done
done
[[ ${#boots[@]} -gt 0 ]] || die "nothing to run: no case wants one of these kernels"

# Downloads come first, so that they count for no case's time.
"$vm_dir/kernels.sh" "${kernels[@]}"
"$vm_dir/image.sh" >"$work/image"
for name in systemd podman package; do
	[[ "${options[*]}" != *"--rootfs $name"* ]] || "$vm_dir/rootfs.sh" "$name" >"$work/rootfs"
done

: >"$work/counts"
running=0
for boot in "${boots[@]}"; do
	if [[ $running -ge $jobs ]]; then
		wait -n || die "a test job broke"
		running=$((running - 1))
	fi
	# shellcheck disable=SC2086
	run_boot $boot &
	running=$((running + 1))
done
while [[ $running -gt 0 ]]; do
	wait -n || die "a test job broke"
	running=$((running - 1))
done

awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }' "$work/counts" \
	>"$work/results"
mv "$work/results" "$results"
read -r passed failed <"$results"
echo "guests: $passed passed, $failed failed in ${#boots[@]} boots, $SECONDS s"
[[ $failed -eq 0 ]]
