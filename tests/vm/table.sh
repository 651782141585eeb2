# SPDX-License-Identifier: GPL-2.0-or-later
# The attacks that apply to Yama at 3 as well as to a floor of 3: sourced after attack.sh by the
# cases lock_yama and lock_floor. What is measured is the outcome, not what the attack was
# answered. tests/lock-table.sh makes the table of docs/lock.md of it.
# shellcheck shell=sh

# start_victim: its pid and the address of what is to be changed.
start_victim() {
	victim >/run/victim &
	victim_pid=$!
	until_true grep -q . /run/victim
	address=$(head -n 1 /run/victim)
}

# outcome WHAT: "holds" if root is refused still, else "falls".
outcome() {
	if peek "$target_pid" >/dev/null; then result=falls; else result=holds; fi
	echo "# row | $1 | $result"
	ok "$1: $result"
}

# written WHAT CODE: "written" if somebody got at the victim's memory. Where he says so, by code 0,
# the victim may take its time to see it.
written() {
	if until_written "$2"; then result="memory written"; else result=holds; fi
	echo "# row | $1 | $result"
	ok "$1: $result"
	# Not waited for: a dead one that is traced belongs to its tracer.
	kill -KILL $victim_pid
}

until_written() {
	[ "$1" -ne 0 ] || until_true grep -q changed /run/victim
	for _ in $(seq 20); do
		grep -q changed /run/victim && return 0
		sleep 0.1
	done
	return 1
}

# program WHAT NAME ARGUMENT...: with a BPF program of somebody else's attached.
program() {
	row=$1
	shift
	attached "$@"
	outcome "$row"
	detached
}

# prepare_rows: what one does who came before the lock.
prepare_rows() {
	start_victim
	hold memory memory $victim_pid "$address"
	memory_victim=$victim_pid
	memory_out=/run/victim.memory
	mv /run/victim $memory_out
	start_victim
	hold poke poke $victim_pid "$address"
}

rows() {
	outcome "nothing: a plain attempt by root"
	program "load an fmod_ret program on security_ptrace_access_check()" \
		replace security_ptrace_access_check
	program "attach an LSM program that ends the hook with success" \
		lsm-over ptrace_access_check
	program "attach an LSM program that allows" lsm ptrace_access_check
	program "attach kprobes to the hook" kprobe-multi bpf_lsm_ptrace_access_check
	program "a kretprobe on it that tail-calls a program which writes registers" \
		kretprobe-writer security_ptrace_access_check
	attack ctl set 0 0 >/dev/null
	[ ! -e /proc/sys/kernel/yama ] || echo 0 >/proc/sys/kernel/yama/ptrace_scope
	outcome "set it lower"
	echo 0 >$ftrace
	outcome "kernel.ftrace_enabled=0"
	attack sysctl-pass $cgroup >/dev/null
	outcome "the same, with a sysctl program that lets it pass"
	echo 1 >$ftrace
	attack map-iterator ptracesc.rodata >/dev/null
	program "overwrite constants of the programs, then fmod_ret" \
		replace security_ptrace_access_check
	strike poke >/dev/null
	written "a tracer that was attached before" $?
	victim_pid=$memory_victim
	mv $memory_out /run/victim
	strike memory >/dev/null
	written "a descriptor of /proc/PID/mem from before" $?
	start_victim
	attached write-user $victim_pid "$address"
	grep -qx attached /run/attached
	written "a BPF program that writes the process's memory" $?
	detached
	for door in module kexec; do
		if attack $door >/dev/null 2>&1; then result=open; else result=shut; fi
		echo "# row | the kernel's door for $door | $result"
		ok "$door: $result"
	done
}
