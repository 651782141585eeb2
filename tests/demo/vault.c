/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process with a secret, for the demo. With --crash it also has a crash
 * handler: a child that it declares with PR_SET_PTRACER, and that reads the
 * secret out of the crashing parent, as Breakpad or Crashpad would.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "secret: the cheese is in the cellar"

/* Not in .rodata, which a file on disk would show as well. */
static char secret[64];

/* The handler: wait for the word, attach, read, tell. */
static int handle(int from_parent)
{
	pid_t parent = getppid();
	char copy[sizeof(secret)], go;
	struct iovec local = { copy, sizeof(copy) }, remote = { secret, sizeof(secret) };
	int status;

	if (read(from_parent, &go, 1) != 1)
		return EXIT_FAILURE;
	if (ptrace(PTRACE_SEIZE, parent, 0, 0) < 0) {
		printf("crash handler: attach to %d: %s\n", parent, strerror(errno));
		return EXIT_FAILURE;
	}
	ptrace(PTRACE_INTERRUPT, parent, 0, 0);
	waitpid(parent, &status, __WALL);
	if (process_vm_readv(parent, &local, 1, &remote, 1, 0) < 0) {
		printf("crash handler: read: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	printf("crash handler: attached to %d, dumped \"%s\"\n", parent, copy);
	return EXIT_SUCCESS;
}

static int crash(void)
{
	int to_handler[2], status;
	pid_t handler;

	if (pipe(to_handler) < 0)
		return EXIT_FAILURE;
	fflush(stdout);
	handler = fork();
	if (handler == 0)
		exit(handle(to_handler[0]));
	if (prctl(PR_SET_PTRACER, handler, 0, 0, 0) < 0) {
		printf("prctl(PR_SET_PTRACER): %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	if (write(to_handler[1], "!", 1) != 1 || waitpid(handler, &status, 0) < 0)
		return EXIT_FAILURE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	snprintf(secret, sizeof(secret), "%s", SECRET);
	if (argc == 2 && strcmp(argv[1], "--crash") == 0)
		return crash();
	pause();
	return EXIT_SUCCESS;
}
