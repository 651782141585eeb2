# SPDX-License-Identifier: GPL-2.0-or-later
# For cases that run the daemon: sourced after lib.sh as ". /psc/psc.sh".
# shellcheck shell=sh

pins=/sys/fs/bpf/ptracescope
socket=/run/ptracescope/io.ptracescope
log=/run/daemon.log

# until_true COMMAND...: wait for it to succeed; the bound is a guard, not a measure.
until_true() {
	for _ in $(seq 1200); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

# start_daemon [PROGRAM [ARGUMENT...]]: wait until it answers. daemon_pid is its pid, so this
# cannot be called in a subshell, nor by check and exits.
start_daemon() {
	[ $# -gt 0 ] || set -- ptracescoped
	"$@" >>$log 2>&1 &
	daemon_pid=$!
	until_true ptracescopectl get
}

# first_pid: the pid of the daemon's child that is on its way to the first floor; fails without.
first_pid() {
	first_comm=$(grep -lx psc-first-floor /proc/[0-9]*/comm 2>/dev/null | head -n 1)
	first_comm=${first_comm%/comm}
	[ "$first_comm" ] && echo "${first_comm#/proc/}"
}

# stop_daemon [SIGNAL]: and wait for its end. Its exit code is in daemon_code.
stop_daemon() {
	kill "-${1:-TERM}" "$daemon_pid"
	daemon_code=0
	wait "$daemon_pid" || daemon_code=$?
}

# as USER COMMAND...: without capabilities, ids set as a login would.
as() {
	user=$1
	shift
	setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

# A process of alice that just lives; its pid in target_pid. It is this shell's child, so
# what alice starts elsewhere is a stranger to it.
start_target() {
	setpriv --reuid alice --regid alice --clear-groups sleep 100000 >/dev/null &
	target_pid=$!
	until_true grep -q sleep "/proc/$target_pid/comm"
}

# attach USER: may a stranger of this user attach to the target? 0 yes, 1 refused.
attach() {
	as "$1" peek "$target_pid"
}

# answered COMMAND...: once more while the client gives up waiting, which is exit code 4. The daemon
# goes on meanwhile: a first floor takes long where the machine is slow.
answered() {
	for _ in $(seq 20); do
		answered_code=0
		"$@" || answered_code=$?
		[ $answered_code -eq 4 ] || break
	done
	return $answered_code
}

# proved: does the daemon say that attaches are refused? Not at once after a change.
proved() {
	ptracescopectl status | grep -q 'proof: ok'
}
