/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peek PID: one attempt to attach (PTRACE_SEIZE, and detach again).
 *	Exit code: 0 it worked, 1 refused with EPERM, 2 anything else.
 * peek --loop PID: attempt without pause until SIGTERM, then print "ATTEMPTS SUCCESSES"
 *	and exit 0; any result but success and EPERM ends it with 2.
 * peek -p PID: one attempt, then wait for SIGTERM, so that reports can have its command line.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

static int attempt(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return -errno;
	/* Detaching wants the tracee stopped. */
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, NULL, __WALL) < 0 ||
	    ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	int loop = argc == 3 && strcmp(argv[1], "--loop") == 0;
	int stay = argc == 3 && strcmp(argv[1], "-p") == 0;
	unsigned long attempts = 0, successes = 0;
	pid_t pid = argc > 1 ? atoi(argv[argc - 1]) : 0;

	signal(SIGTERM, on_term);
	do {
		int err = attempt(pid);

		if (err && err != -EPERM) {
			printf("peek %d: %s\n", pid, strerror(-err));
			return 2;
		}
		attempts++;
		successes += err == 0;
		if (stay)
			pause();
		if (!loop)
			return err ? 1 : 0;
	} while (!ended);
	printf("%lu %lu\n", attempts, successes);
	return 0;
}
