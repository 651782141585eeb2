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

# need_space MIB: what follows must not fill the disk, where apt would wait for ever.
need_space() {
	local free
	mkdir -p "$vm_build"
	free=$(df --output=avail -B 1M "$vm_build" | tail -n 1)
	[[ $free -ge $1 ]] ||
		die "$((free)) MiB are free in $vm_build, and this needs $1: free some, or set VM_BUILD to a directory elsewhere"
}

# No download and no wait for a server is without an end. The limit is for a slow line.
vm_apt_options=(-o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Acquire::Retries=3)
vm_apt_limit=1800
limited() {
	timeout --foreground -k 10 "$vm_apt_limit" "$@" ||
		{ local code=$?; [[ $code -ne 124 ]] || echo "E: no end after $vm_apt_limit s" >&2; return "$code"; }
}

# archive LABEL: the address of the Debian archive with this label ("Debian" or "Debian-Security")
# in the machine's own sources, of whatever form; or nothing. Where apt has no lists yet, which
# have the label, the names of the suites tell.
archive() {
	apt-get indextargets --format '$(LABEL)|$(ORIGIN)|$(COMPONENT)|$(RELEASE)|$(REPO_URI)' \
		'Identifier: Packages' |
		awk -F '|' -v label="$1" '
			{ sub("/$", "", $5) }
			$3 != "main" { next }
			$1 == label && $2 == "Debian" && !known { known = $5 }
			$1 != "" || $2 != "" { next }
			label == "Debian" && $4 ~ /^(bookworm|trixie|forky|sid|(old)?stable|testing|unstable)$/ &&
				!guessed { guessed = $5 }
			label != "Debian" && $4 ~ /-security$/ && !guessed { guessed = $5 }
			END { if (known guessed != "") print known ? known : guessed }'
}

# private_apt SUITE: print the path of an apt configuration that knows only that Debian suite
# and keeps its lists and caches under the build directory. The machine's apt.conf.d still
# applies (a proxy may be set there), its hooks do not. The suite comes from the archive that the
# machine itself uses; a security archive is used where the machine has one.
private_apt() {
	local suite=$1 dir=$vm_build/apt/$1 mirror security
	mirror=${VM_MIRROR:-$(archive Debian)}
	[[ $mirror ]] ||
		die "apt's sources name no Debian archive: set VM_MIRROR to the address of one, such as http://deb.debian.org/debian"
	security=${VM_SECURITY-$(archive Debian-Security)}
	mkdir -p "$dir"/{lists,archives}/partial
	: >"$dir/status"
	{
		echo "deb [signed-by=$vm_keyring] $mirror $suite main"
		[[ $suite == sid || -z $security ]] ||
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
