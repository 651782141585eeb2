/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child's PTRACE_TRACEME, with this process as the parent.
 *
 * usage: traceme [--userns]	--userns: the child first makes a user namespace
 * Exit code: 0 it worked, 1 refused with EPERM, 2 anything else.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (argc > 1 && strcmp(argv[1], "--userns") == 0 && unshare(CLONE_NEWUSER))
			_exit(2);
		_exit(!ptrace(PTRACE_TRACEME, 0, 0, 0) ? 0 : errno == EPERM ? 1 : 2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 2;
	return WEXITSTATUS(status);
}
