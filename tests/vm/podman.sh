# SPDX-License-Identifier: GPL-2.0-or-later
# For cases in the guest with podman: sourced after lib.sh as ". /psc/podman.sh".
# shellcheck shell=sh

# Nothing can be pulled, so an image is made of files of the guest's.
image=localhost/tools

# with_libraries FILE...: the files, and the libraries that they want.
with_libraries() {
	printf '%s\n' "$@"
	ldd "$@" 2>/dev/null | grep -oE '/[^ :)]+\.so[^ :)]*' | sort -u
}

# make_image: $image, with busybox, strace and peek in it.
make_image() {
	root=$(mktemp -d /run/image.XXXXXX)
	mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/tmp" "$root/root"
	for dir in bin lib lib64 sbin; do
		ln -s "usr/$dir" "$root/$dir"
	done
	ln -s bin "$root/usr/sbin"
	with_libraries /usr/bin/busybox /usr/bin/strace /psc/progs/peek |
		xargs -I{} cp -L --parents {} "$root"
	ln -s /psc/progs/peek "$root/usr/bin/peek"
	for applet in $(busybox --list); do
		[ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
	done
	mkdir "$root/etc"
	printf 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n' >"$root/etc/passwd"
	tar -C "$root" -c . | podman import --quiet - $image
	rm -r "$root"
}

# pid_of NAME: the first process of a container.
pid_of() {
	podman inspect -f '{{.State.Pid}}' "$1"
}
