/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * killat [-c] PID COMMAND [TIMES]: trace the process and its children, and kill it, or with -c the
 * one that calls, when one of them comes back from bpf(2) with this command, for the first time
 * or another. Prints "ready" when it does so, and ends with the process, or with -c when it has
 * killed.
 */
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long trace(long request, pid_t pid, long addr, void *data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Is it the end of that call? The beginning is remembered. */
static bool has_come_back(pid_t pid, unsigned long command)
{
	static bool inside[1 << 22];	/* pid_max is no more */
	struct ptrace_syscall_info info;
	bool was_inside = inside[pid];

	if (trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return false;		/* it has been killed */
	inside[pid] = info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_bpf &&
		 info.entry.args[0] == command;
	return was_inside && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

int main(int argc, char **argv)
{
	bool caller = argc > 1 && strcmp(argv[1], "-c") == 0;
	char **args = argv + caller;
	pid_t pid, stopped;
	int status, times;

	if (argc - caller != 3 && argc - caller != 4)
		return 2;
	pid = atoi(args[1]);
	times = args[3] ? atoi(args[3]) : 1;
	if (trace(PTRACE_SEIZE, pid, 0,
		  (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK)) < 0 ||
	    trace(PTRACE_INTERRUPT, pid, 0, NULL) < 0)
		die("PTRACE_SEIZE");
	puts("ready");
	fflush(stdout);
	while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
		long signal = 0;

		if (!WIFSTOPPED(status)) {
			if (stopped == pid)
				return 0;
			continue;
		}
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			signal = status >> 16 ? 0 : WSTOPSIG(status);
		} else if (has_come_back(stopped, strtoul(args[2], NULL, 0)) && --times == 0) {
			kill(caller ? stopped : pid, SIGKILL);
			if (caller)
				return 0;
			continue;
		}
		trace(PTRACE_SYSCALL, stopped, 0, (void *)signal);
	}
	return 0;
}
