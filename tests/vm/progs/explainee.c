/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that is explained, and does what it is told to.
 *
 * explainee: become alice, say "ready", and obey lines of standard input, each answered by
 *	"done" or an errno: "ptracer PID", "ptracer any", "ptracer none", "dumpable N",
 *	"traced" (by a child of its own), "userns"
 * explainee --seccomp PROGRAM [ARGUMENT...]: run it where ptrace(2) gives EPERM
 */
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

static int forbid_ptrace(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* A child, which nobody but it may be traced by, seizes this process. */
static int be_traced(void)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (pid == 0) {
		c = ptrace(PTRACE_SEIZE, getppid(), 0, 0) ? 'n' : 'y';
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (prctl(PR_SET_PTRACER, pid, 0, 0, 0) && errno != EINVAL)
		return -1;
	return read(ready[0], &c, 1) == 1 && c == 'y' ? 0 : -1;
}

static int obey(const char *line)
{
	unsigned long number;

	if (!strcmp(line, "ptracer any"))
		return prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (!strcmp(line, "ptracer none"))
		return prctl(PR_SET_PTRACER, 0, 0, 0, 0);
	if (sscanf(line, "ptracer %lu", &number) == 1)
		return prctl(PR_SET_PTRACER, number, 0, 0, 0);
	if (sscanf(line, "dumpable %lu", &number) == 1)
		return prctl(PR_SET_DUMPABLE, number, 0, 0, 0);
	if (!strcmp(line, "traced"))
		return be_traced();
	if (!strcmp(line, "userns"))
		return unshare(CLONE_NEWUSER);
	errno = EINVAL;
	return -1;
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc > 2 && !strcmp(argv[1], "--seccomp")) {
		if (!forbid_ptrace())
			execvp(argv[2], argv + 2);
		perror("explainee");
		return EXIT_FAILURE;
	}
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    prctl(PR_SET_DUMPABLE, 1)) {
		perror("explainee");
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (obey(line))
			printf("%s\n", strerrorname_np(errno));
		else
			puts("done");
	}
	return EXIT_SUCCESS;
}
