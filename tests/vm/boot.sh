#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boot a guest, run programs in it one after another, power it off.
#
# usage: boot.sh [OPTION]... PROGRAM...
#
#   --kernel NAME     one of kernels.sh (default 6.12)
#   --lsm LIST        no-yama (default), yama, no-bpf, or the list itself
#   --rootfs NAME     small (default), systemd, podman or package
#   --product DIR     a tree made by "make install DESTDIR=DIR", put into the guest
#   --overlay DIR     any other tree to put into the guest, or the name of one of overlays/; may
#                     be repeated
#   --tool NAME       a program of the host to put into the small guest; may be repeated
#   --mem MIB         default 512, with systemd 1536, with podman 2560
#   --cpus N          default 1
#   --icount          one processor whose clock counts instructions: a nanosecond each
#   --append ARGS     more for the kernel command line; may be repeated
#   --limit SECONDS   a guard against hangs, for each program (default 600)
#   --out FILE        what the programs print; without it, it comes live on stdout
#   --status FILE     "exit NAME CODE" for each program, then "done"
#   --console FILE    the kernel's messages
#
# PROGRAMs are files of the host. They run as root in the guest's /tmp; those of two programs
# and more are told apart by a line "## case NAME" before each one's output. Exit code: that of
# the first program that failed, 0 if none did, 125 if the guest failed: no orderly power-off, an
# oops, a hang. What was wrong is said on stderr.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

kernel=6.12 lsm=no-yama rootfs=small mem='' cpus=1 append='' limit=600 icount=()
out='' status='' console='' product=''
overlays=() programs=() tools=()

while [[ $# -gt 0 ]]; do
	case $1 in
	--append)
		[[ $# -ge 2 ]] || die "$1 needs a value"
		append+=" $2"
		shift 2
		;;
	--kernel | --lsm | --rootfs | --product | --mem | --cpus | --limit | \
		--out | --status | --console)
		[[ $# -ge 2 ]] || die "$1 needs a value"
		declare "${1#--}=$2"
		shift 2
		;;
	--icount)
		# shellcheck disable=SC2054 # one argument
		icount=(-icount shift=0,sleep=off)
		shift
		;;
	--overlay)
		[[ $# -ge 2 ]] || die "$1 needs a value"
		overlays+=("$2")
		shift 2
		;;
	--tool)
		[[ $# -ge 2 ]] || die "$1 needs a value"
		need "$2"
		tools+=("$2")
		shift 2
		;;
	-*)
		die "unknown option '$1'"
		;;
	*)
		programs+=("$1")
		shift
		;;
	esac
done
[[ ${#programs[@]} -gt 0 ]] || die "no program to run"
check_kernel_name "$kernel"
case $lsm in
no-yama) lsm=landlock,lockdown,integrity,apparmor,bpf ;;
yama) lsm=landlock,lockdown,yama,integrity,apparmor,bpf ;;
no-bpf) lsm=landlock,lockdown,yama,integrity,apparmor ;;
esac

# What differs between machines: emulator, board, console. No KVM: emulation behaves the same
# everywhere. One emulation thread, since several ran into an oops that was QEMU's.
case $(uname -m) in
x86_64)
	# Under load the kernel would measure the TSC wrongly with a PIT, by up to ten times, and its
	# clock would jump.
	qemu=(qemu-system-x86_64 -machine "pc,pit=$([[ ${#icount[@]} -gt 0 ]] && echo on || echo off)"
		-cpu "max,la57=off")
	tty=ttyS0
	;;
aarch64)
	qemu=(qemu-system-aarch64 -machine virt -cpu "max,pauth-impdef=on")
	tty=ttyAMA0
	;;
*)
	die "no guests on $(uname -m) yet"
	;;
esac
need "${qemu[0]}" setpriv timeout cpio

tmp=$(mktemp -d "${TMPDIR:-/tmp}/psc-vm.XXXXXX")
guest=
# shellcheck disable=SC2317
cleanup() {
	[[ -z $guest ]] || kill "$guest" 2>/dev/null || true
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
status=${status:-$tmp/status}
console=${console:-$tmp/console}

# A tool with Python in it, as Debian's gdb, does not start without the modules in pure Python.
stage_python() {
	local version
	version=$(ldd "$1" 2>/dev/null | sed -nE 's|.*libpython(3\.[0-9]+)\.so.*=>.*|\1|p' | head -n 1)
	[[ -z $version ]] || tar --create --directory / --exclude=lib-dynload --exclude=__pycache__ \
		--exclude=test --exclude=idlelib --exclude=lib2to3 "usr/lib/python$version" |
		tar --extract --directory "$dir"
}

# What runs in the guest: the product, the programs and the list of them, helpers for both kinds
# of cases, and in the small guest all the libraries that these want.
stage() {
	local dir=$tmp/stage tree program tool elf
	mkdir -p "$dir"/psc/{cases,progs}
	cp "$vm_dir"/guest/run "$vm_dir"/{lib,psc,podman,attack,table}.sh "$dir/psc/"
	for program in "$vm_build"/progs/*; do
		[[ ! -x $program ]] || cp "$program" "$dir/psc/progs/"
	done
	for tree in ${product:+"$product"} ${overlays[@]+"${overlays[@]}"}; do
		[[ $tree == */* ]] || tree=$vm_dir/overlays/$tree
		[[ -d $tree ]] || die "$tree: no such directory"
		cp -a "$tree/." "$dir/"
	done
	for tool in ${tools[@]+"${tools[@]}"}; do
		install -D -m 755 "$(command -v "$tool")" "$dir/usr/bin/$tool"
		stage_python "$dir/usr/bin/$tool"
	done
	for program in "${programs[@]}"; do
		[[ -f $program ]] || die "$program: no such program"
		install -m 755 "$program" "$dir/psc/cases/"
		echo "${program##*/} $limit" >>"$dir/psc/list"
	done
	if [[ $rootfs != small ]]; then
		# An emulated start takes longer than the unit allows.
		dir+=/etc/systemd/system/ptracescoped.service.d
		mkdir -p "$dir"
		printf '[Service]\nTimeoutStartSec=600\nWatchdogSec=600\n' >"$dir/00-guest.conf"
		return
	fi
	mapfile -t elf < <(elf_files "$dir")
	[[ ${#elf[@]} -eq 0 ]] || add_libraries "$dir" "${elf[@]}"
}

case $rootfs in
small)
	base=$("$vm_dir/image.sh")
	mem=${mem:-512}
	;;
systemd | podman | package)
	base=$("$vm_dir/rootfs.sh" "$rootfs")
	[[ $rootfs != podman ]] || mem=${mem:-2560}
	mem=${mem:-1536}
	append=" rdinit=/usr/lib/systemd/systemd TERM=dumb$append"
	;;
*)
	die "unknown rootfs '$rootfs', known are: small systemd podman package"
	;;
esac
"$vm_dir/kernels.sh" "$kernel" >&2
stage
{
	cat "$base" "$vm_build/kernels/$kernel/modules.cpio"
	pack "$tmp/stage"
} >"$tmp/initrd"
rm -rf "$tmp/stage"

reader=
if [[ -z $out ]]; then
	out=$tmp/out
	mkfifo "$out"
	cat "$out" &
	reader=$!
fi

# loglevel=5 shows warnings and worse. The watchdogs of the kernel have more patience than by
# default, as the host may be under load.
quiet="no_timer_check loglevel=5 watchdog_thresh=60 sysctl.kernel.hung_task_timeout_secs=600"
quiet+=" rcupdate.rcu_cpu_stall_timeout=300 rcupdate.rcu_cpu_stall_suppress_at_boot=1"

# A guard, so that a guest that hangs ends; that of the guest's own comes first.
guard=$((limit * ${#programs[@]} + 600))
[[ -z ${icount[*]-} ]] || guard=$((guard * 4))	# its seconds are not the host's
setpriv --pdeathsig TERM timeout --foreground -k 10 "$guard" \
	"${qemu[@]}" -accel "${VM_ACCEL:-tcg,thread=single}" ${icount[@]+"${icount[@]}"} \
		-smp "$cpus" -m "$mem" \
	-nodefaults -no-user-config -display none -no-reboot \
	-kernel "$vm_build/kernels/$kernel/vmlinuz" -initrd "$tmp/initrd" \
	-append "console=$tty $quiet panic=-1 oops=panic lsm=$lsm$append" \
	-serial "file:$console" -device virtio-serial \
	-chardev "file,id=out,path=${out//,/,,}" -device virtserialport,chardev=out,name=psc.out \
	-chardev "file,id=status,path=${status//,/,,}" \
	-device virtserialport,chardev=status,name=psc.status </dev/null &
guest=$!
code=0
wait "$guest" || code=$?
guest=
[[ -z $reader ]] || wait "$reader"

bad=
problem() {
	printf '%s\n' "$*" >&2
	bad=1
}

# Lines in the kernel's log that fail a run, but for those in console.allow.
trouble='cut here|WARNING: .*CPU|BUG: |Oops|Call Trace|KASAN|UBSAN|general protection'
trouble+='|Kernel panic|detected stall|self-detected|soft lockup|blocked for more than'
trouble+='|refcount_t: |Internal error|Unable to handle kernel|Out of memory'
if grep -aE "$trouble" "$console" |
	grep -avEf <(grep -v -e '^#' -e '^$' "$vm_dir/console.allow" || echo '^$') >"$tmp/trouble"; then
	problem "the kernel complained: $(head -n 1 "$tmp/trouble" | tr -d '\r')"
fi
case $code in
0) ;;
124 | 137) problem "the guest hung and was killed" ;;
*) problem "the emulator exited with $code" ;;
esac
grep -aq 'reboot: Power down' "$console" || problem "the guest did not power off in order"
grep -qx 'done' "$status" || problem "the guest did not run all programs"
[[ -z $bad ]] || exit 125
while read -r word _ code; do
	[[ $word != exit || $code -eq 0 ]] || exit "$code"
done <"$status"
