/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * killat PID COMMAND [TIMES]: trace the process, and kill it when it comes back from bpf(2) with
 * this command, for the first time or another. Prints "ready" when it does so, and ends with the process.
 */
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
	static bool inside;
	struct ptrace_syscall_info info;
	bool was_inside = inside;

	if (trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		die("PTRACE_GET_SYSCALL_INFO");
	inside = info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_bpf &&
		 info.entry.args[0] == command;
	return was_inside && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 3 || argc == 4 ? atoi(argv[1]) : 0;
	int status, times = argc == 4 ? atoi(argv[3]) : 1;

	if (pid <= 0)
		return 2;
	if (trace(PTRACE_SEIZE, pid, 0, (void *)PTRACE_O_TRACESYSGOOD) < 0 ||
	    trace(PTRACE_INTERRUPT, pid, 0, NULL) < 0)
		die("PTRACE_SEIZE");
	puts("ready");
	fflush(stdout);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		long signal = 0;

		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (has_come_back(pid, strtoul(argv[2], NULL, 0)) && --times == 0)
				kill(pid, SIGKILL);
		} else if (status >> 16 == 0) {
			signal = WSTOPSIG(status);
		}
		trace(PTRACE_SYSCALL, pid, 0, (void *)signal);
	}
	return 0;
}
