/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many refusals of many users, one after the other: PTRACE_TRACEME where the parent may not
 * trace, which at scope 2 is one without CAP_SYS_PTRACE.
 *
 * usage: refuse COUNT FIRST_UID UIDS [SECOND]     SECOND: at most so many in a second
 * Exit code 0 if all were refused.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Nothing but CAP_SETUID, which then goes with no user. */
static void keep_setuid(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = 1U << CAP_SETUID, .permitted = 1U << CAP_SETUID },
	};

	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) || syscall(SYS_capset, &header, caps))
		fail("capabilities");
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
}

static int run(unsigned int count, unsigned int first, unsigned int uids, unsigned int second)
{
	unsigned long long begin = now_ns();

	for (unsigned int i = 0; i < count; i++) {
		uid_t uid = first + i % uids;

		if (setresuid(uid, uid, uid))
			fail("setresuid");
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
			return 1;
		while (second && now_ns() - begin < i * (1000000000ULL / second))
			usleep(1000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 4)
		return 2;
	keep_setuid();
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		_exit(run((unsigned int)atoi(argv[1]), (unsigned int)atoi(argv[2]),
			  (unsigned int)atoi(argv[3]), argc > 4 ? (unsigned int)atoi(argv[4]) : 0));
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
