#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# "make install" copies exactly the files listed here, below DESTDIR and PREFIX, and
# "make uninstall" removes them.
set -eu
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

"${MAKE:-make}" -s install DESTDIR="$dest" PREFIX=/opt/psc ZSHDIR=/opt/psc/share/zsh
(cd "$dest" && find . ! -type d | sort) >"$dest.list"
cat >"$dest.want" <<'END'
./opt/psc/bin/ptracescopectl
./opt/psc/lib/systemd/system/ptracescope-metrics.socket
./opt/psc/lib/systemd/system/ptracescope-metrics@.service
./opt/psc/lib/systemd/system/ptracescoped.service
./opt/psc/sbin/ptracescoped
./opt/psc/share/bash-completion/completions/ptracescopectl
./opt/psc/share/containers/oci/hooks.d/ptracescope.json
./opt/psc/share/doc/ptracescoped/examples/ptracescope-attach.conf
./opt/psc/share/doc/ptracescoped/examples/ptracescope-default.json
./opt/psc/share/doc/ptracescoped/examples/service-drop-in.conf
./opt/psc/share/doc/ptracescoped/without-systemd.md
./opt/psc/share/fish/vendor_completions.d/ptracescopectl.fish
./opt/psc/share/man/man5/ptracescope.conf.5
./opt/psc/share/man/man7/ptracescope.7
./opt/psc/share/man/man8/ptracescopectl.8
./opt/psc/share/man/man8/ptracescoped.8
./opt/psc/share/zsh/_ptracescopectl
END
diff "$dest.want" "$dest.list"
grep -q '^ExecStart=/opt/psc/sbin/ptracescoped' "$dest/opt/psc/lib/systemd/system/ptracescoped.service"
grep -q '^ExecStart=/opt/psc/bin/ptracescopectl metrics --http' \
	"$dest/opt/psc/lib/systemd/system/ptracescope-metrics@.service"
if grep -r '@[A-Z]*@' "$dest/opt/psc/lib" "$dest/opt/psc/share/containers" "$dest/opt/psc/share/doc"; then
	exit 1
fi
grep -q '"/opt/psc/bin/ptracescopectl"' "$dest/opt/psc/share/containers/oci/hooks.d/ptracescope.json"

"${MAKE:-make}" -s uninstall DESTDIR="$dest" PREFIX=/opt/psc ZSHDIR=/opt/psc/share/zsh
left=$(find "$dest" ! -type d -o -name ptracescoped)

# The files do not go while enforcement stays, which they are needed to end.
pins=$dest/pins
mkdir "$pins"
uninstall() {
	"${MAKE:-make}" -s uninstall DESTDIR= PREFIX="$dest/none" UNITDIR="$dest/none" \
		OCIHOOKDIR="$dest/none" ZSHDIR="$dest/none" PIN_DIR="$pins" "$@" 2>"$dest.said"
}
if uninstall; then
	exit 1
fi
grep -q 'run "ptracescopectl detach" first' "$dest.said"
uninstall FORCE=1
rmdir "$pins"
# Nor while a detach has broken off half-way.
mkdir -p "$pins-daemon/staging"
if uninstall; then
	exit 1
fi
rm -r "$pins-daemon"
uninstall
rm -f "$dest.said"
rm -f "$dest.list" "$dest.want"
[ -z "$left" ]
