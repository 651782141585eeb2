#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetch Debian's cloud kernels into build/vm/kernels/NAME/, without installing anything.
#
# usage: kernels.sh [--refresh] [NAME]...        default: all
#
# Each directory holds vmlinuz, config, release, and modules.cpio with the few modules a guest
# needs, which its init loads in order. What is there is used as it is, also offline; --refresh
# asks the archive again. So does a change of the list of modules.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

# The guest's channels to the host, and file systems for tests. Some kernels have them built in.
guest_modules=(virtio_pci virtio_console overlay fuse)

# kernel_meta NAME APT-OPTION...: the meta package that gives the kernel NAME under the apt
# configuration given, or nothing.
kernel_meta() {
	local name=$1 meta version
	shift
	for meta in "linux-image-$name-cloud-$vm_arch" "linux-image-cloud-$vm_arch"; do
		version=$(apt-cache "$@" --no-all-versions show "$meta" 2>/dev/null |
			sed -n 's/^Version: //p' | head -n 1) || true
		if [[ -n $version && ( $name == unstable || $version == "$name".* ) ]]; then
			echo "$meta"
			return
		fi
	done
}

# download META APT-OPTION...: fetch the packages that hold the kernel of a meta package into
# the current directory. Newer kernels come in several: image, binary, modules, base.
download() {
	local meta=$1 image packages
	shift
	image=$(apt-cache "$@" depends --important "$meta" |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[[ -n $image ]] || return 1
	packages=$(apt-cache "$@" depends --important "$image" |
		sed -nE 's/^ *Depends: (linux-(binary|modules|base)-[0-9].*)/\1/p')
	# shellcheck disable=SC2086
	limited apt-get "$@" "${vm_apt_options[@]}" -q download "$image" $packages
}

# The machine's own sources come first: they may be a mirror near by. They are only read.
download_kernel() {
	local name=$1 meta conf
	if [[ $name != unstable ]]; then
		meta=$(kernel_meta "$name")
		[[ -n $meta ]] && download "$meta" && return
		rm -f ./*.deb
	fi
	conf=$(private_apt "${vm_kernel_suite[$name]}")
	# With what it could not have apt goes on; here the first error is the last.
	locked "apt-${vm_kernel_suite[$name]}" limited apt-get -c "$conf" "${vm_apt_options[@]}" \
		-o APT::Update::Error-Mode=any -q update
	meta=$(kernel_meta "$name" -c "$conf")
	[[ -n $meta ]] || die "no kernel $name in Debian ${vm_kernel_suite[$name]}"
	download "$meta" -c "$conf"
}

# pack_modules TREE RELEASE: the modules the guest loads, numbered in order, as a cpio archive.
pack_modules() {
	local tree=$1 release=$2 stage module path n=100
	stage=$tree/stage
	mkdir -p "$stage/psc/modules"
	PATH=$PATH:/usr/sbin:/sbin
	depmod -b "$tree" "$release"
	for module in "${guest_modules[@]}"; do
		modprobe -d "$tree" -S "$release" --show-depends "$module"
	done | sed -n 's/ *$//; s/^insmod //p' | awk '!seen[$0]++' | while read -r path; do
		n=$((n + 1))
		case $path in
		*.xz) xz -dc "$path" ;;
		*.zst) zstd -qdc "$path" ;;
		*) cat "$path" ;;
		esac >"$stage/psc/modules/$n-$(basename "$path" | sed 's/\.ko.*//').ko"
	done
	pack "$stage"
}

# give_up NAME LOG: say what went wrong first.
give_up() {
	local error
	error=$(grep -m 1 -E '^(E|Err)[:0-9]|kernels\.sh: ' "$2" || tail -n 1 "$2")
	die "kernel $1 could not be fetched: ${error#*kernels.sh: } (all of it: $2)"
}

fetch() {
	local name=$1 dir=$vm_build/kernels/$1 log=$vm_build/kernels/$1.log tmp deb release image
	local code packed
	if [[ -e $dir/release && -z $refresh ]]; then
		packed=$(cat "$dir/modules" 2>/dev/null) || true
		[[ $packed != "${guest_modules[*]}" ]] || return 0
	fi
	need_space 1000
	echo "fetching kernel $name"
	tmp=$(mktemp -d "$vm_build/kernels/tmp.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	# Not by "||": to the left of it nothing would stop at an error.
	set +e
	(set -e; cd "$tmp"; download_kernel "$name") >"$log" 2>&1
	code=$?
	set -e
	[[ $code -eq 0 ]] || give_up "$name" "$log"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$tmp/tree"
	done
	# Before and after Debian moved everything below /usr.
	[[ -e $tmp/tree/lib ]] || ln -s usr/lib "$tmp/tree/lib"
	release=$(ls "$tmp/tree/lib/modules")
	image=$(find "$tmp/tree" -type f \( -name 'vmlinuz*' -o -name 'vmlinux-*' \) | head -n 1)
	[[ -n $release && -n $image ]] || die "kernel $name: no image or modules in its packages"
	mkdir "$tmp/out"
	cp "$image" "$tmp/out/vmlinuz"
	find "$tmp/tree" -type f \( -name "config-$release" -o -path "*/$release/config" \) \
		-exec cp {} "$tmp/out/config" \;
	pack_modules "$tmp/tree" "$release" >"$tmp/out/modules.cpio"
	echo "${guest_modules[*]}" >"$tmp/out/modules"
	echo "$release" >"$tmp/out/release"
	rm -rf "$dir"
	mv "$tmp/out" "$dir"
	echo "kernel $name is $release"
}

refresh=
if [[ ${1-} == --refresh ]]; then
	refresh=1
	shift
fi
[[ $# -gt 0 ]] || set -- "${!vm_kernel_suite[@]}"
for name; do
	check_kernel_name "$name"
done
need apt-get apt-cache dpkg-deb depmod modprobe cpio xz zstd flock
mkdir -p "$vm_build/kernels"
for name; do
	(locked "kernel-$name" fetch "$name")
done
