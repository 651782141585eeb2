#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the Debian package of what is in this tree, in a clean chroot of each suite: dependencies
# from debian/control, the build with its tests by an ordinary user, without network but for the
# loopback, and then lintian, of which no error and no warning may remain.
#
# usage: deb.sh [SUITE]...                      default: bookworm trixie sid
#
# Packages and logs are left in build/deb/SUITE/. DEB_BUILD_OPTIONS is passed on.

# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/../tests/vm/common.sh"

self=$(readlink -f "$0")
cd "$vm_dir/../.."

# inside ROOT OUT: with what OUT/source.tar holds, in the chroot. Called by mmdebstrap, which has mounted what a chroot needs.
inside() {
	local root=$1 out=$2 source
	source=$root/build/ptracescoped
	run() {
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/build TERM=dumb LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-}" \
			"$@" </dev/null
	}
	mkdir -p "$source"
	tar --extract --no-same-owner --file "$out/source.tar" --directory "$source"
	run chroot "$root" apt-get -y --no-install-recommends build-dep /build/ptracescoped
	run chroot "$root" apt-get -y --no-install-recommends install lintian passwd
	run chroot "$root" useradd --home-dir /build builder
	run chroot "$root" chown -R builder: /build
	echo "--- dpkg-buildpackage"
	# shellcheck disable=SC2016
	run unshare --net sh -c 'ip link set lo up && exec chroot --userspec=builder: "$@"' sh "$root" \
		sh -c 'cd /build/ptracescoped && dpkg-buildpackage -us -uc'
	echo "--- lintian"
	run chroot --userspec=builder: "$root" \
		sh -c 'cd /build && lintian --info --fail-on error,warning ./*.changes'
	find "$root/build" -maxdepth 1 -type f -exec cp --target-directory "$out" {} +
	echo "--- done"
}

# build SUITE: one chroot, which is gone afterwards.
build() {
	local suite=$1 out=build/deb/$1 mirror options=() option
	mirror=${VM_MIRROR:-$(archive Debian)}
	[[ $mirror ]] || die "apt's sources name no Debian archive: set VM_MIRROR to the address of one"
	while read -r option; do
		options+=(--aptopt="$option")
	done < <(apt-config dump | grep -E '^Acquire::(https?::.*proxy|Check-)' -i)
	rm -rf "$out"
	mkdir -p "$out"
	git ls-files -z --cached --others --exclude-standard | tar --create --null --no-recursion \
		--ignore-failed-read --files-from - --file "$out/source.tar"
	# For whom mmdebstrap makes the chroot: it may be another user.
	chmod 777 "$out"
	limited mmdebstrap --quiet --variant=buildd --format=null "${options[@]}" \
		--customize-hook="'$self' --inside \"\$1\" '$PWD/$out'" \
		"$suite" /dev/null "deb $mirror $suite main" >"$out/log" 2>&1 </dev/null || true
	chmod 755 "$out"
	rm "$out/source.tar"
	grep -qx -e '--- done' "$out/log" || {
		echo "$suite: FAILED, the last lines of $out/log:"
		tail -n 30 "$out/log"
		return 1
	}
	(cd "$out" && echo "$suite: $(echo ./*.deb)")
}

if [[ ${1-} == --inside ]]; then
	inside "$2" "$3"
	exit
fi
[[ $# -gt 0 ]] || set -- bookworm trixie sid
need mmdebstrap git tar unshare ip
need_space 6000
failed=0
for suite; do
	build "$suite" || failed=1
done
exit "$failed"
