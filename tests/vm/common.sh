# SPDX-License-Identifier: GPL-2.0-or-later
# What the host scripts of the guest harness share. Sourced by bash, never run.
# shellcheck shell=bash

set -euo pipefail
shopt -s inherit_errexit

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm_build=${VM_BUILD:-$(cd "$vm_dir/../.." && pwd)/build/vm}
vm_arch=$(dpkg --print-architecture)
vm_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Every kernel the harness knows, with the suite it comes from when the machine's own sources
# do not have it.
declare -Ar vm_kernel_suite=([6.1]=bookworm [6.12]=trixie [unstable]=sid)

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 125
}

need() {
	local tool
	for tool; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
			die "$tool is missing; 'make deps' installs what the tests need"
	done
}

check_kernel_name() {
	[[ -v "vm_kernel_suite[$1]" ]] ||
		die "unknown kernel '$1', known are: ${!vm_kernel_suite[*]}"
}

# locked NAME COMMAND...: run COMMAND while no other process holds the lock NAME.
locked() {
	local name=$1
	shift
	mkdir -p "$vm_build/locks"
	(
		flock 9
		"$@" 9>&-
	) 9>"$vm_build/locks/$name"
}

# archive NAME: where the machine's own sources have the archive that ends in this name.
archive() {
	apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' |
		awk -v name="/$1" '{ sub("/$", "") } substr($0, length - length(name) + 1) == name && !n++'
}

# private_apt SUITE: print the path of an apt configuration that knows only that Debian suite
# and keeps its lists and caches under the build directory. The machine's apt.conf.d still
# applies (a proxy may be set there), its hooks do not.
private_apt() {
	local suite=$1 dir=$vm_build/apt/$1 mirror security
	mirror=${VM_MIRROR:-$(archive debian)} security=${VM_SECURITY:-$(archive debian-security)}
	[[ $mirror && $security ]] ||
		die "apt knows no Debian archive: set VM_MIRROR and VM_SECURITY to the addresses of two"
	mkdir -p "$dir"/{lists,archives}/partial
	: >"$dir/status"
	{
		echo "deb [signed-by=$vm_keyring] $mirror $suite main"
		[[ $suite == sid ]] ||
			echo "deb [signed-by=$vm_keyring] $security $suite-security main"
	} >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::archives "$dir/archives";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::Etc::trustedparts "/dev/null";
		APT::Sandbox::User "root";
		APT::Architecture "$vm_arch";
		Acquire::Languages "none";
		Acquire::Retries "3";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END
	echo "$dir/apt.conf"
}

# pack DIR: write DIR as a cpio archive that belongs to root. Guests are usr-merged, and an
# entry "lib" in a later archive would replace the symbolic link of an earlier one.
pack() {
	local dir=$1 name
	for name in bin sbin lib lib64; do
		[[ -L $dir/$name || ! -e $dir/$name ]] ||
			die "$dir/$name: guests are usr-merged, put it under usr/"
	done
	(cd "$dir" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --null --quiet -o -H newc -R 0:0)
}

# add_libraries DIR FILE...: copy the shared libraries of the ELF files into the tree DIR.
add_libraries() {
	local dir=$1 lib dest
	shift
	while read -r lib; do
		dest=$dir/usr${lib#/usr}
		[[ -e $dest ]] && continue
		mkdir -p "${dest%/*}"
		cp -L "$lib" "$dest"
	done < <(ldd "$@" 2>/dev/null | grep -oE '/[^ :)]+\.so[^ :)]*' | sort -u || true)
}

# elf_files DIR: list the ELF executables and libraries in a tree.
elf_files() {
	find "$1" -type f -size +4 -print0 | xargs -0r grep -lsaE -m1 '^.ELF' || true
}
