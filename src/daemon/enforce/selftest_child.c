/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two children of a test of enforcement: one tries, the other is tried on. */
#include "selftest_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptracescope.h"

/* Without a claim to trace anybody, but not protected from being traced either. */
static int become_ordinary(pid_t parent)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capset, &header, none) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -1;
	return 0;
}

/* Keep only these two, as 0 and 1: somebody may take the descriptors of one that can be traced. */
static int keep_only(int in, int out)
{
	int spare = fcntl(in, F_DUPFD, 3);

	return spare < 0 || dup2(out, 1) < 0 || dup2(spare, 0) < 0 ||
		close_range(2, ~0U, 0) < 0 ? -1 : 0;
}

void psc_selftest_tracee(pid_t parent, int go_fd, int ready_fd, bool withdraw)
{
	__u8 err = 0;

	/* Nothing is noted before the byte that says "go". */
	if (keep_only(go_fd, ready_fd) || become_ordinary(parent) || read(0, &err, 1) != 1)
		_exit(EXIT_FAILURE);
	err = prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0) < 0 ? (__u8)errno : 0;
	if (withdraw)
		prctl(PR_SET_PTRACER, 0, 0, 0, 0);
	if (write(1, &err, 1) == 1)
		for (;;)
			pause();
	_exit(EXIT_FAILURE);
}

/* What becomes of a child of the caller's that asks to be traced. */
static __u8 try_traceme(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 ? errno & 0xff : 0);
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return PSC_SELFTEST_NOT_TRIED;
	return (__u8)WEXITSTATUS(status);
}

void psc_selftest_probe(pid_t parent, pid_t tracee, const bool tried[PSC_PROOFS], int ready_fd,
			int results_fd)
{
	struct psc_selftest_results results;
	size_t len;
	void *list;

	memset(&results, PSC_SELFTEST_NOT_TRIED, sizeof(results));
	if (keep_only(ready_fd, results_fd) || become_ordinary(parent) ||
	    read(0, &results.of[PSC_PROOF_DECLARED], 1) != 1)
		_exit(EXIT_FAILURE);
	/* PTRACE_MODE_READ, and nothing else in the way */
	if (tried[PSC_PROOF_READ])
		results.of[PSC_PROOF_READ] =
			syscall(SYS_get_robust_list, tracee, &list, &len) < 0 ? (__u8)errno : 0;
	if (tried[PSC_PROOF_TRACEME])
		results.of[PSC_PROOF_TRACEME] = try_traceme();
	/* Does not stop it; and the end of the tracer detaches. */
	if (tried[PSC_PROOF_ATTACH])
		results.of[PSC_PROOF_ATTACH] =
			ptrace(PTRACE_SEIZE, tracee, 0, 0) < 0 ? (__u8)errno : 0;
	_exit(write(1, &results, sizeof(results)) == (ssize_t)sizeof(results) ? EXIT_SUCCESS :
									       EXIT_FAILURE);
}
