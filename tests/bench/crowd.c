// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A crowd of processes that can declare tracers. A declaration belongs to a
 * process, so there must be as many; to have 100,000, they share the memory of
 * one and have next to no stack.
 */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 2048

/* What the crowd and the measuring process have in common. */
struct crowd {
	pid_t last;			/* the one that declared last: the next one's tracer */
	unsigned int started;
	unsigned int declared;
	int err;
};

static struct crowd *crowd;
static pid_t crowd_leader;
static int crowd_call[2];		/* a byte in it makes one more declare */
static int leader_call[2];		/* the same for the leader */

static void __attribute__((noreturn)) leave(int err)
{
	__atomic_store_n(&crowd->err, err, __ATOMIC_SEQ_CST);
	syscall(SYS_exit, 1);
	__builtin_unreachable();
}

/* When called, declare a tracer; 0 is for the one that declared last. */
static void declare(int call, pid_t tracer)
{
	pid_t self = (pid_t)syscall(SYS_getpid), last;
	char go;

	if (syscall(SYS_read, call, &go, 1) != 1)
		leave(EIO);
	last = __atomic_exchange_n(&crowd->last, self, __ATOMIC_SEQ_CST);
	if (syscall(SYS_prctl, PR_SET_PTRACER, tracer ? tracer : last, 0, 0, 0))
		leave(ENOMEM);
	__atomic_add_fetch(&crowd->declared, 1, __ATOMIC_SEQ_CST);
}

/*
 * Runs on a stack that is too small for most, in memory that it shares with
 * others as if it were a thread, which the C library does not know.
 */
static int __attribute__((noreturn)) member(void *unused)
{
	(void)unused;
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	__atomic_add_fetch(&crowd->started, 1, __ATOMIC_SEQ_CST);
	declare(crowd_call[0], 0);
	for (;;)	/* nothing will come */
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

static void __attribute__((noreturn)) lead(unsigned int n, bool ends_with_us)
{
	char *stacks = mmap(NULL, (size_t)n * STACK_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	setsid();
	if (ends_with_us)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (stacks == MAP_FAILED)
		leave(errno);
	for (size_t i = 0; i < n; i++)
		if (clone(member, stacks + (i + 1) * STACK_BYTES,
			  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, NULL) < 0)
			leave(errno);
	declare(leader_call[0], getppid());
	for (;;)
		pause();
}

static void wait_until(const unsigned int *counter, unsigned int n)
{
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < n) {
		int err = __atomic_load_n(&crowd->err, __ATOMIC_SEQ_CST);

		if (err) {
			errno = err;
			bench_die("the crowd broke up: %m");
		}
		usleep(1000);
	}
}

void bench_crowd_start(unsigned int n, bool ends_with_us)
{
	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (crowd == MAP_FAILED || pipe(crowd_call) || pipe(leader_call))
		bench_die("the crowd: %m");
	crowd_leader = fork();
	if (crowd_leader < 0)
		bench_die("fork: %m");
	if (crowd_leader == 0)
		lead(n, ends_with_us);
	wait_until(&crowd->started, n);
}

pid_t bench_crowd_first(void)
{
	return crowd_leader;
}

void bench_crowd_declare(unsigned int n)
{
	if (!crowd->declared && n) {
		if (write(leader_call[1], "", 1) != 1)
			bench_die("the crowd: %m");
		wait_until(&crowd->declared, 1);
	}
	for (unsigned int i = crowd->declared; i < n; i++)
		if (write(crowd_call[1], "", 1) != 1)
			bench_die("the crowd: %m");
	wait_until(&crowd->declared, n);
}

void bench_crowd_stop(void)
{
	int status;

	kill(-crowd_leader, SIGKILL);
	while (waitpid(-crowd_leader, &status, 0) > 0)
		;
	munmap(crowd, sizeof(*crowd));
	close(crowd_call[0]);
	close(crowd_call[1]);
	close(leader_call[0]);
	close(leader_call[1]);
}
