#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the root of a guest with systemd as a cpio archive and print its path. Cached by a hash of
# this script and of what it puts in.
#
# usage: rootfs.sh [NAME]
#
#   systemd   (default) a minimal Debian with a real systemd, whose varlinkctl bookworm does not
#             have yet, and curl
#   podman    the same with podman, crun and runc
#   package   as systemd, with what installs packages in place of curl

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

need mmdebstrap cpio sha256sum flock

suite=${VM_SUITE:-trixie}
packages=(systemd systemd-sysv dbus libbpf1 libjansson4 libsystemd0 procps strace kmod)
declare -Ar more=(
	[systemd]=curl
	[package]=''
	# catatonit holds a pod's namespaces; socat is in the image of the DaemonSet; from uidmap on it
	# is for containers of users.
	[podman]='podman crun runc catatonit busybox-static socat uidmap dbus-user-session libpam-systemd'
)

# Nothing of these helps a guest that lives for a minute: no network, disks, consoles, clocks.
masked=(systemd-udevd.service systemd-udev-trigger.service systemd-hwdb-update.service
	systemd-udevd-control.socket systemd-udevd-kernel.socket
	systemd-firstboot.service systemd-sysusers.service systemd-journal-catalog-update.service
	systemd-machine-id-commit.service systemd-update-utmp.service systemd-random-seed.service
	systemd-modules-load.service systemd-networkd.service systemd-timesyncd.service
	getty@tty1.service getty.target serial-getty@ttyS0.service serial-getty@ttyAMA0.service
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
	systemd-tmpfiles-clean.timer ldconfig.service systemd-update-done.service modprobe@.service
	proc-sys-fs-binfmt_misc.automount)

# customize NAME ROOT OUT: what mmdebstrap's hook does: cut the tree down, fit it out, archive it.
# It does so itself because only there the owners of files are right when not run as root.
customize() {
	local name=${1:?} root=${2:?} out=${3:?} unit
	for unit in "${masked[@]}"; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	# What podman has for networks, and for testing itself.
	rm -rf "$root"/usr/lib/cni "$root"/usr/lib/podman/netavark-dhcp* \
		"$root"/usr/libexec/podman/{podman-testing,rootlessport,quadlet}
	rm -rf "$root"/usr/share/{doc,man,locale,info,lintian,i18n,zoneinfo,bug,bash-completion} \
		"$root"/var/lib/apt "$root"/var/cache/{apt,debconf} "$root"/var/log/* \
		"$root"/usr/lib/udev/hwdb* "$root"/etc/udev/hwdb.bin "$root"/usr/lib/*/gconv \
		"${root:?}"/boot/*
	# With these mmdebstrap keeps packages from starting anything.
	rm -f "$root/usr/sbin/policy-rc.d"
	[[ ! -e $root/usr/sbin/start-stop-daemon.REAL ]] ||
		mv "$root"/usr/sbin/start-stop-daemon{.REAL,}
	# Maintainer scripts are in Perl, in part.
	[[ $name == package ]] || rm -rf "$root"/var/lib/dpkg "$root"/usr/share/perl* \
		"$root"/usr/lib/*/perl* "$root"/usr/bin/perl*
	# As PID 1 of an initramfs, systemd must not take itself for the initrd stage.
	rm -f "$root/etc/initrd-release"
	echo guest >"$root/etc/hostname"
	: >"$root/etc/fstab"
	printf '%032x\n' 1 >"$root/etc/machine-id"
	grep -E '^(alice|bob):' "$vm_dir/guest/etc/passwd" >>"$root/etc/passwd"
	grep -E '^(alice|bob):' "$vm_dir/guest/etc/group" >>"$root/etc/group"
	# Without it PAM lets nobody have a session.
	printf '%s:*:20000::::::\n' alice bob >>"$root/etc/shadow"
	install -d -o 1000 -g 1000 "$root/home/alice"
	install -d -o 1001 -g 1001 "$root/home/bob"
	[[ $name != podman ]] || cp -R "$vm_dir/guest/podman/." "$root"
	cp "$vm_dir"/guest/systemd/psc.* "$root/usr/lib/systemd/system/"
	ln -sf psc.target "$root/usr/lib/systemd/system/default.target"
	# With ".", so that the guest's / has the right mode.
	(cd "$root" && find . -xdev -print0 | LC_ALL=C sort -z |
		cpio --null --quiet -o -H newc) >"$out"
}

build() {
	local name=$1 out=$2 tmp
	[[ -e $out ]] && return
	need_space 3000
	echo "building the $name guest from Debian $suite" >&2
	tmp=$(mktemp -d "$vm_build/rootfs.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	chmod 777 "$tmp"
	private_apt "$suite" >/dev/null
	limited mmdebstrap --quiet --variant=essential --architectures="$vm_arch" \
		--aptopt='Acquire::http::Timeout "30"' --aptopt='Acquire::https::Timeout "30"' \
		--aptopt='Acquire::Retries "3"' \
		--include="${packages[*]} ${more[$name]}" \
		--customize-hook="'$vm_dir/rootfs.sh' --customize '$name' \"\$1\" '$tmp/root.cpio'" \
		--dpkgopt='path-exclude=/usr/share/{doc,man,locale,info}/*' \
		--format=null "$suite" /dev/null "$vm_build/apt/$suite/sources.list" \
		>"$vm_build/rootfs.log" 2>&1 ||
		die "the $name guest could not be built: $(grep -m 1 '^E:' "$vm_build/rootfs.log" ||
			tail -n 1 "$vm_build/rootfs.log") (all of it: $vm_build/rootfs.log)"
	rm -f "$vm_build/$name"-*.cpio
	mv "$tmp/root.cpio" "$out"
}

if [[ ${1-} == --customize ]]; then
	customize "$2" "$3" "$4"
	exit
fi
name=${1:-systemd}
[[ -v "more[$name]" ]] || die "unknown guest '$name', known are: ${!more[*]}"
key=$({
	find "$0" "$vm_dir/common.sh" "$vm_dir"/guest/{etc,systemd,podman} -type f -exec cat {} +
	echo "$suite $name"
} | sha256sum | cut -c 1-16)
out=$vm_build/$name-$key.cpio
mkdir -p "$vm_build"
locked rootfs build "$name" "$out"
echo "$out"
