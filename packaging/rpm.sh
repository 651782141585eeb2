#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the RPM of what is in this tree, with Debian's rpmbuild, and compare what is in it with what
# "make install" copies. Packages are left in build/rpm/.
set -eu
cd "$(dirname "$0")/.."

for tool in rpmbuild rpm git; do
	command -v $tool >/dev/null || { echo "$tool is missing; on Debian: apt-get install rpm git" >&2; exit 1; }
done
spec=packaging/rpm/ptracescoped.spec
name=ptracescoped-$(sed -n 's/^Version: *//p' $spec)
top=$PWD/build/rpm
rm -rf "$top"
mkdir -p "$top/SOURCES"
git ls-files -z --cached --others --exclude-standard |
	tar --create --gzip --null --no-recursion --ignore-failed-read --transform "s|^|$name/|" \
		--files-from - --file "$top/SOURCES/$name.tar.gz"
# Debian's packages have other names, and its database of RPMs is empty.
rpmbuild -ba --nodeps --define "_topdir $top" "$@" $spec >"$top/log" 2>&1 || {
	tail -n 30 "$top/log"
	echo "rpmbuild failed; all of it: $top/log" >&2
	exit 1
}
rpm=$(echo "$top"/RPMS/*/ptracescoped-[0-9]*.rpm)
"${MAKE:-make}" -s install DESTDIR="$top/want" PREFIX=/usr ZSHDIR=/usr/share/zsh/site-functions
(cd "$top/want" && find . ! -type d | sed 's|^\.||' | sort) >"$top/installed"
rpm -qpl "$rpm" | sed 's|\(/man/.*\)\.gz$|\1|' | sort >"$top/packaged"
comm -23 "$top/installed" "$top/packaged" >"$top/left-out"
if [ -s "$top/left-out" ]; then
	echo "not in the package:" >&2
	cat "$top/left-out" >&2
	exit 1
fi
rpm -qpc "$rpm" | grep -qx /etc/ptracescope/ptracescope.conf
echo "$rpm"
