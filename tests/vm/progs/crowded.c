/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowded chain N: a process with N ancestors of its own making; prints "ready FIRST LAST",
 *	and lives until it is killed, as alice
 * crowded dead N: a process whose leader and N more threads have ended, and stay as they are
 *	traced, before the one that lives; prints "ready PID THREAD" and so on
 * crowded run COMMAND...: as alice, who may have more processes than she usually may
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALICE 1000
#define STACK 16384
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define PROCESS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD)

static int left;
static volatile pid_t last;

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void __attribute__((noreturn)) live(void)
{
	for (;;)
		pause();
}

static char *new_stack(void)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED)
		die("mmap");
	return stack + STACK;
}

static int one_of_chain(void *unused)
{
	(void)unused;
	if (left-- <= 0)
		last = (pid_t)syscall(SYS_getpid);
	else if (clone(one_of_chain, new_stack(), PROCESS, NULL) < 0)
		last = -errno;
	live();
}

static void __attribute__((noreturn)) chain(int n)
{
	pid_t first;

	left = n;
	first = clone(one_of_chain, new_stack(), PROCESS, NULL);
	while (first > 0 && !last)
		usleep(1000);
	errno = first < 0 ? errno : -last;
	if (first < 0 || last < 0)
		die("clone");
	printf("ready %d %d\n", first, last);
	fflush(stdout);
	live();
}

/* Both processes': what the threads are. */
struct shared {
	volatile int made;
	volatile pid_t tids[];
};

static struct shared *shared;
static int end[2];		/* a pipe, whose other end is closed when they shall end */

static int until_told(void *unused)
{
	char none;

	(void)unused;
	if (read(end[0], &none, 1))
		die("read");
	syscall(SYS_exit, 0);
	return 0;
}

static int for_good(void *unused)
{
	(void)unused;
	live();
}

static void __attribute__((noreturn)) make_threads(int n)
{
	close(end[1]);
	for (int i = 0; i <= n; i++) {
		shared->tids[i] = clone(i < n ? until_told : for_good, new_stack(), THREAD, NULL);
		if (shared->tids[i] < 0)
			die("clone");
	}
	shared->made = 1;
	until_told(NULL);
	_exit(EXIT_FAILURE);
}

static bool has_ended(pid_t pid, pid_t tid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die(path);
	close(fd);
	return strstr(text, ") Z ");
}

static void keep_traced(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		die("seize");
}

static void __attribute__((noreturn)) dead(int n)
{
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared) + sizeof(pid_t) * (size_t)(n + 1),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe(end))
		die("mmap");
	pid = fork();
	if (pid == 0)
		make_threads(n);
	while (!shared->made)
		usleep(1000);
	keep_traced(pid);
	for (int i = 0; i < n; i++)
		keep_traced(shared->tids[i]);
	close(end[1]);
	for (int i = 0; i < n; i++)
		while (!has_ended(pid, shared->tids[i]))
			usleep(1000);
	while (!has_ended(pid, pid))
		usleep(1000);
	printf("ready %d %d\n", pid, shared->tids[n]);
	fflush(stdout);
	live();
}

int main(int argc, char **argv)
{
	const struct rlimit many = { 1 << 20, 1 << 20 };
	const char *what = argc > 2 ? argv[1] : "";

	if (setrlimit(RLIMIT_NPROC, &many) || setresgid(ALICE, ALICE, ALICE) ||
	    setresuid(ALICE, ALICE, ALICE) || prctl(PR_SET_DUMPABLE, 1))
		die("alice");
	if (strcmp(what, "chain") == 0)
		chain(atoi(argv[2]));
	if (strcmp(what, "dead") == 0)
		dead(atoi(argv[2]));
	if (strcmp(what, "run") != 0)
		return 2;
	execvp(argv[2], argv + 2);
	die(argv[2]);
}
