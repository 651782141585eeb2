#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Make the packages that guests install, in build/vm/packages: the one of this tree, and one of a
# later version that has the daemon ptracescoped-next of "make vm-product".
#
# usage: packages.sh [DEB]                      DEB: that one, not one built on this machine

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

cd "$vm_dir/../.."
need dpkg-buildpackage dpkg-deb dh git
out=$vm_build/packages
next=$vm_build/product/usr/sbin/ptracescoped-next
deb=${1-}
[[ -x $next ]] || die "there is no $next: make vm-product"
work=$(mktemp -d "$vm_build/packages.XXXXXX")
trap 'rm -rf "$work"' EXIT

# mktemp's directory is for its owner alone, and what is below an archive's root is not.
chmod 755 "$work"
if [[ -z $deb ]]; then
	mkdir "$work/source"
	git ls-files -z --cached --others --exclude-standard |
		tar --create --null --no-recursion --ignore-failed-read --files-from - |
		tar --extract --no-same-owner --directory "$work/source"
	# What "make deps" installs suffices; its names are not those of every suite.
	(cd "$work/source" && env -u MAKEFLAGS DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" \
		dpkg-buildpackage --no-check-builddeps -us -uc -b) >"$vm_build/packages.log" 2>&1 ||
		die "the package could not be built: see $vm_build/packages.log"
	deb=$(echo "$work"/ptracescoped_*.deb)
fi
rm -rf "$out"
mkdir -p "$out/psc/packages"
cp "$deb" "$out/psc/packages/current.deb"
cp debian/tests/{installed,enforced} "$out/psc/packages/"
dpkg-deb --raw-extract "$deb" "$work/next"
install -m 755 "$next" "$work/next/usr/sbin/ptracescoped"
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
rm "$work/next/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$work/next" "$out/psc/packages/next.deb" >/dev/null
