# SPDX-License-Identifier: GPL-2.0-or-later
# For cases in the guest with podman: sourced after lib.sh as ". /psc/podman.sh".
# shellcheck shell=sh

# Nothing can be pulled, so images are made of files of the guest's.
image=localhost/tools

# with_libraries FILE...: the files, and the libraries that they want.
with_libraries() {
	printf '%s\n' "$@"
	ldd "$@" 2>/dev/null | grep -oE '/[^ :)]+\.so[^ :)]*' | sort -u
}

# import_files IMAGE FILE...: an image of these with their libraries, busybox and two users.
import_files() {
	name=$1
	shift
	root=$(mktemp -d /run/image.XXXXXX)
	chmod 755 "$root"
	mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64" "$root/tmp" "$root/root" "$root/etc"
	chmod 1777 "$root/tmp"
	for dir in bin lib lib64 sbin; do
		ln -s "usr/$dir" "$root/$dir"
	done
	ln -s bin "$root/usr/sbin"
	with_libraries /usr/bin/busybox "$@" | xargs -I{} cp -L --parents {} "$root"
	for applet in $(busybox --list); do
		[ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
	done
	printf 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n' >"$root/etc/passwd"
	tar -C "$root" -c . | podman import --quiet - "$name"
	rm -r "$root"
}

# make_image: $image, with strace, and with "may-attach PID..." as in the guest itself.
make_image() {
	cat >/usr/bin/may-attach <<-'END'
		#!/bin/sh
		# yes or no for each: may strace attach?
		for pid; do
			log=$(mktemp)
			strace -o /dev/null -p "$pid" 2>"$log" &
			until grep -q . "$log"; do
				sleep 0.1
			done
			{ kill $!; wait $!; } 2>/dev/null
			case $(cat "$log") in
			*attached*) echo yes ;;
			*"Operation not permitted"*) echo no ;;
			*) cat "$log" ;;
			esac
			rm "$log"
		done
	END
	chmod 755 /usr/bin/may-attach
	import_files $image /usr/bin/strace /usr/bin/may-attach
}

# pid_of NAME: the first process of a container.
pid_of() {
	podman inspect -f '{{.State.Pid}}' "$1"
}

# cgroup_of NAME: the cgroup of that process, as the host sees it.
cgroup_of() {
	sed -n 's/^0:://p' "/proc/$(pid_of "$1")/cgroup"
}
