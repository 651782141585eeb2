# SPDX-License-Identifier: GPL-2.0-or-later
# For the cases of the battery against the floor: sourced after psc.sh as ". /psc/attack.sh".
# shellcheck shell=sh

cgroup=/sys/fs/cgroup
ftrace=/proc/sys/kernel/ftrace_enabled
locked="3 3 0, floor 3 3 0"
held=/run/held

# still TEXT: nothing has changed: root is refused, and the state reads as it did.
still() {
	exits 1 "$1: root is still refused" peek "$target_pid"
	is "$(attack policy),$(cat $ftrace)" "$locked,1" "$1: the state reads the same"
}

# refused ERROR TEXT COMMAND...: it fails, and says so.
refused() {
	tap_error=$1 tap_text=$2 tap_code=0
	shift 2
	tap_output=$("$@" 2>&1) || tap_code=$?
	if [ $tap_code -ne 0 ]; then
		like "$tap_output" "*$tap_error*" "$tap_text: $tap_error"
	else
		not_ok "$tap_text: $tap_error"
		diag "it succeeded: $*: $tap_output"
	fi
}

# harmless TEXT COMMAND...: whatever it answers, nothing changes by it.
harmless() {
	tap_text=$1
	shift
	tap_output=$(timeout 20 "$@" 2>&1) || true
	is "$(peek "$target_pid" >/dev/null; echo $?),$(attack policy),$(cat $ftrace)" \
		"1,$locked,1" "$tap_text: $(echo "$tap_output" | tail -n 1)"
}

# attached NAME ARGUMENT...: have a program of somebody else's attached, or refused; until
# detached.
attached() {
	attack "$@" >/run/attached 2>&1 &
	attached_pid=$!
	until_true grep -q . /run/attached
}

detached() {
	kill $attached_pid 2>/dev/null
	wait $attached_pid 2>/dev/null
}

# while_attached TEXT NAME ARGUMENT...: a program of somebody else's is attached, and changes
# nothing; the kernel may refuse it as well.
while_attached() {
	tap_text=$1
	shift
	attached "$@"
	harmless "$tap_text" cat /run/attached
	detached
}

# shared COMMAND: in a mount namespace from which all propagates here, where all is shared.
shared() {
	mount --make-rshared /
	unshare -m --propagation unchanged sh -c "$1"
	shared_code=$?
	mount --make-rprivate /
	return $shared_code
}

# there TEXT: the pins are where they were, and all is as before.
there() {
	check "$1: the pins are there" test -e /proc/1/root$pins/psc_access
	still "$1"
}

# hold TAG NAME ARGUMENT...: prepare an attack, which strike carries out, release gives up.
hold() {
	tag=$1
	shift
	mkdir -p $held
	mkfifo "$held/$tag"
	attack --held "$@" <"$held/$tag" >"$held/$tag.out" 2>&1 &
	echo $! >"$held/$tag.pid"
	sleep 100000 >"$held/$tag" &
	echo $! >"$held/$tag.writer"
	until_true grep -q . "$held/$tag.out"
}

# is_held TAG: it could be prepared.
is_held() {
	grep -qx ready "$held/$1.out"
}

# strike TAG: once; what it says is what the attack said.
strike() {
	before=$(wc -l <"$held/$1.out")
	echo >"$held/$1"
	until_true sh -c "[ \$(wc -l <$held/$1.out) -gt $before ]"
	tail -n 1 "$held/$1.out"
	tail -n 1 "$held/$1.out" | grep -qx "done"
}

release() {
	for tag; do
		kill "$(cat "$held/$tag.pid")" "$(cat "$held/$tag.writer")" 2>/dev/null
		wait "$(cat "$held/$tag.pid")" 2>/dev/null
		rm -f "$held/$tag" "$held/$tag".*
	done
}

# battery FUNCTION: the attacks in it with the daemon alive, then with it killed; the state
# has to be the same to a daemon that starts then.
battery() {
	for daemon in alive dead; do
		[ $daemon = alive ] || stop_daemon KILL
		"$1"
	done
	start_daemon
	is "$(ptracescopectl get),$(ptracescopectl get kernel.ptracescope.floor)" 3,3 \
		"to a new daemon the state reads the same"
	still "at the end"
	stop_daemon
	kill "$target_pid"
	done_testing
}
