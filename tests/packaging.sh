#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What packages are made from agrees with the program: its version, and the prerm scripts.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/^VERSION := //p' Makefile)
[ -n "$version" ]
grep -q "^ptracescoped ($version) " debian/changelog
[ "$(sed -n 's/^Version: *//p' packaging/rpm/ptracescoped.spec)" = "$version" ]
sed -n '/^%changelog/,$p' packaging/rpm/ptracescoped.spec | grep -q " $version-1$"

for script in debian/ptracescoped.postinst debian/ptracescoped.prerm debian/ptracescoped.postrm \
	debian/tests/installed debian/tests/enforced; do
	sh -n $script
done
# How enforcement ends with the last file is the same in both.
detach() {
	sed -n '/ptracescopectl detach/s/^[[:blank:]]*\(.*\) || [a-z:]*$/\1/p' "$1"
}
[ -n "$(detach debian/ptracescoped.prerm)" ]
[ "$(detach debian/ptracescoped.prerm)" = "$(detach packaging/rpm/ptracescoped.spec)" ]
