#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the root of the small guest as a cpio archive and print its path: busybox, a few tools
# of the host, users and guest/init. Cached by a hash of what goes in.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

need dash busybox setpriv unshare nsenter bpftool ldd cpio sha256sum flock
PATH=$PATH:/usr/sbin:/sbin

# Tools of which busybox has none or a lesser one. The shell of busybox runs its own applets
# before it looks at PATH, and without an exec at that, so the shell is another one.
tools=(dash setpriv unshare nsenter bpftool)

build() {
	local out=$1 tmp applet tool
	[[ -e $out ]] && touch "$out" && return
	find "$vm_build" -maxdepth 1 -name 'base-*.cpio' -mmin +600 -delete
	tmp=$(mktemp -d "$vm_build/image.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	mkdir "$tmp/root"
	cd "$tmp/root" || exit
	mkdir -p dev etc home/{alice,bob} proc root run sys tmp usr/{bin,lib,lib64,sbin} var
	chmod 700 root
	ln -s usr/bin usr/sbin usr/lib usr/lib64 .
	ln -s ../run var/run
	cp "$(command -v busybox)" usr/bin/busybox
	for applet in $(busybox --list); do
		[[ $applet == busybox ]] || ln -s busybox "usr/bin/$applet"
	done
	for tool in "${tools[@]}"; do
		cp --remove-destination -L "$(command -v "$tool")" usr/bin/
	done
	ln -sf dash usr/bin/sh
	add_libraries . usr/bin/busybox "${tools[@]/#/usr/bin/}"
	cp "$vm_dir/guest/init" init
	cp "$vm_dir"/guest/etc/* etc/
	cd "$tmp" || exit
	pack root >base.cpio
	mv base.cpio "$out"
}

inputs=("$0" "$vm_dir/common.sh" "$vm_dir"/guest/{init,etc/*})
for tool in busybox "${tools[@]}"; do
	inputs+=("$(command -v "$tool")")
done
out=$vm_build/base-$(cat "${inputs[@]}" | sha256sum | cut -c 1-16).cpio
mkdir -p "$vm_build"
locked image build "$out"
echo "$out"
