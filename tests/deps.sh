#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Install those of the Debian packages that are missing. Where none is, nothing is done, so that
# this runs without privileges and networks.
#
# usage: deps.sh PACKAGE...
set -eu

die() {
	echo "$*" >&2
	exit 1
}

missing=
for package; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null ||
	die "Please install what is called here, on Debian:$missing"
sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "These packages are missing, and there is no sudo. As root: apt-get install$missing"
	sudo=sudo
fi
echo "Installing:$missing"
# No server and no other apt is waited for without an end.
set -- -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Acquire::Retries=3 \
	-o DPkg::Lock::Timeout=300 -qq
$sudo apt-get "$@" update </dev/null || die "apt-get update failed: see above"
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" install -y --no-install-recommends \
	$missing </dev/null || die "Not all packages could be installed: see above"
