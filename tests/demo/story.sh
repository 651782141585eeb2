#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo, run as root in a throwaway guest whose kernel has no Yama. Every command shown is
# run, every result shown is real; one that differs from what the story says ends it.
set -u

bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
[ -z "${NO_COLOR:-}" ] || bold='' dim='' plain=''
daemon_pid=
vault_pid=

say() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

wrong() {
	printf '\nThis is not what should have happened. What it should have shown: %s\n' "$1"
	[ ! -s /run/daemon.log ] || { echo "The daemon's log:"; cat /run/daemon.log; }
	exit 1
}

# step USER WANTED-CODE PATTERN COMMAND: run it, show it, and hold it to the expected result.
step() {
	user=$1 wanted=$2 pattern=$3 command=$4
	prompt='$'
	[ "$user" != root ] || prompt='#'
	printf '%s%s %s%s\n' "$dim" "$prompt" "$command" "$plain"
	output=$(su "$user" -s /bin/sh -c "PATH=$PATH; $command" 2>&1)
	code=$?
	[ -z "$output" ] || printf '%s\n' "$output"
	[ "$code" -eq "$wanted" ] || wrong "exit code $wanted, not $code"
	# shellcheck disable=SC2254
	case $output in
	$pattern) ;;
	*) wrong "$pattern" ;;
	esac
}

# Bounded: a guest can be slow, but it must not wait for ever.
wait_for() {
	for _ in $(seq 300); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

# It does when it has its secret.
vault_waits() {
	grep -q '^State:.S' "/proc/$(pidof vault)/status" 2>/dev/null
}

say "A kernel without Yama: nothing restricts who may look into whom."
step root 0 'Linux *' 'uname -sr'
step root 0 '*bpf*' 'cat /sys/kernel/security/lsm'
step root 1 '*No such file*' 'cat /proc/sys/kernel/yama/ptrace_scope'

say "Start the daemon. With nothing configured it enforces scope 1, as Yama does."
printf '%s# ptracescoped &%s\n' "$dim" "$plain"
ptracescoped 2>/run/daemon.log &
daemon_pid=$!
wait_for test -S /run/ptracescope/io.ptracescope || wrong "a running daemon"
step root 0 1 'ptracescopectl get'

say "Scope 0, classic: any process of a user reads every other one's memory."
step root 0 '*= 0' 'ptracescopectl set classic'
# Started by root's shell, not by the thief: the two are strangers of one user.
su alice -s /bin/sh -c 'exec vault' &
wait_for vault_waits
vault_pid=$(pidof vault) || wrong "a running vault"
step alice 0 '*found "secret: the cheese is in the cellar"*' "steal $vault_pid"

say "Scope 1, restricted: only ancestors, and whom the process itself has declared."
step root 0 '*= 1' 'ptracescopectl set restricted'
step alice 1 '*Operation not permitted' "steal $vault_pid"
wait_for grep -q 'refused attach.*steal' /run/daemon.log || wrong "a refusal in the daemon's log"
grep 'refused attach' /run/daemon.log | tail -n 1 | sed "s/^<5>/  the daemon's log: /"

say "A crash handler declared with prctl(PR_SET_PTRACER) still works, with no Yama in the kernel."
step alice 0 '*attached to*dumped "secret*' 'vault --crash'

say "Scope 2, admin-only: the handler is refused as well, the administrator gets in."
step root 0 '*= 2' 'ptracescopectl set admin-only'
step alice 1 '*crash handler: attach to*Operation not permitted' 'vault --crash'
step root 0 '*found "secret*' "steal $vault_pid"

say "Killing the daemon changes nothing: the kernel side is the whole policy."
printf '%s# kill -9 %s%s\n' "$dim" '$(pidof ptracescoped)' "$plain"
kill -9 "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
step alice 1 '*Operation not permitted' "steal $vault_pid"
printf '%s# ptracescoped &%s\n' "$dim" "$plain"
ptracescoped 2>>/run/daemon.log &
wait_for su alice -s /bin/sh -c "PATH=$PATH; ptracescopectl get >/dev/null 2>&1" ||
	wrong "a daemon that has adopted the programs"
step root 0 2 'ptracescopectl get'

say "Scope 3, no-attach: nobody, not even root, until the next boot."
step root 0 '*= 3' 'ptracescopectl set no-attach'
step root 1 '*Operation not permitted' "steal $vault_pid"
step root 3 '*locked at 3*' 'ptracescopectl set classic'
step root 3 '*until reboot: global: attach 3 (no-attach)*' 'ptracescopectl detach'
step root 0 3 'ptracescopectl get'

say "Every step did what it should."
