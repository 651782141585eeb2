/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks that are preempted inside our programs must not make the kernel skip them
 * for others: two tasks of the lowest priority are in there all the time, on one
 * CPU, while a declaration is made and withdrawn and a stranger tries it.
 *
 * vm: lsm=no-yama append=preempt=full
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"
#include "names.h"
#include "tap.h"
#include "util.h"

#define ALICE 1000
#define DEPTH 200
#define ROUNDS 1500

static char memory[8] = "content";

static void become_alice(void)
{
	if (setresgid(ALICE, ALICE, ALICE) || setresuid(ALICE, ALICE, ALICE) ||
	    prctl(PR_SET_DUMPABLE, 1))
		bail("setresuid");
}

static int peek(pid_t pid)
{
	char copy[sizeof(memory)];
	struct iovec local = { copy, sizeof(copy) }, remote = { memory, sizeof(memory) };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 0;
}

/* A child of the child of … : a long way up for whoever asks about its ancestors. */
static pid_t deep_descendant(void)
{
	int channel[2];
	pid_t pid = 0;

	if (pipe(channel))
		bail("pipe");
	fflush(stdout);
	if (fork() == 0) {
		become_alice();
		for (int i = 0; i < DEPTH; i++)
			if (fork() > 0) {
				pause();
				_exit(0);
			}
		pid = getpid();
		if (write(channel[1], &pid, sizeof(pid)) == sizeof(pid))
			pause();
		_exit(0);
	}
	if (read(channel[0], &pid, sizeof(pid)) != sizeof(pid))
		bail("fork");
	return pid;
}

/* Be inside psc_access and psc_prctl as much as the others leave time for. */
static void start_idler(pid_t deep)
{
	if (fork() == 0) {
		struct sched_param param = {};

		become_alice();
		sched_setscheduler(0, SCHED_IDLE, &param);
		for (;;) {
			peek(deep);
			prctl(PR_SET_PTRACER, getppid(), 0, 0, 0);
		}
	}
}

/* The declarer does what it is told: 'a' declare anybody, 'c' clear; answers with the errno. */
static void declare(int in, int out)
{
	char what;

	become_alice();
	while (read(in, &what, 1) == 1) {
		unsigned long whom = what == 'a' ? PR_SET_PTRACER_ANY : 0;
		int err;

		usleep(300);	/* to be preempted, and to let the idlers in */
		err = prctl(PR_SET_PTRACER, whom, 0, 0, 0) ? errno : 0;
		if (write(out, &err, sizeof(err)) != sizeof(err))
			break;
	}
	_exit(0);
}

struct counts {
	int failed;		/* the prctl did */
	int not_recorded;	/* declared, and refused all the same */
	int not_withdrawn;	/* cleared, and let in all the same */
};

static struct counts try_rounds(pid_t declarer, int to, int from)
{
	struct counts counts = {};

	for (int i = 0; i < 2 * ROUNDS; i++) {
		int err;

		if (write(to, i % 2 ? "c" : "a", 1) != 1 ||
		    read(from, &err, sizeof(err)) != sizeof(err))
			bail("declarer");
		if (err)
			counts.failed++;
		else if (i % 2)
			counts.not_withdrawn += peek(declarer) == 0;
		else
			counts.not_recorded += peek(declarer) != 0;
	}
	return counts;
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = psc_name_request(psc_name_find(PSC_NAME_YAMA), 1);
	int to[2], from[2], result[2];
	struct psc_kernel *kernel;
	struct counts counts;
	pid_t deep, declarer;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* A group of our own, to end everything in it. */
	if (setsid() < 0 && setpgid(0, 0))
		bail("setsid");
	signal(SIGTERM, SIG_IGN);
	if (!is(psc_loader_start(&options, &first, 1, &kernel), PSC_LOADED, "loads and attaches"))
		return finish();
	deep = deep_descendant();
	start_idler(deep);
	start_idler(deep);
	if (pipe(to) || pipe(from) || pipe(result))
		bail("pipe");
	declarer = fork();
	if (declarer == 0)
		declare(to[0], from[1]);
	if (fork() == 0) {
		become_alice();
		counts = try_rounds(declarer, to[1], from[0]);
		_exit(write(result[1], &counts, sizeof(counts)) != sizeof(counts));
	}
	close(result[1]);
	if (read(result[0], &counts, sizeof(counts)) != sizeof(counts))
		bail("stranger");
	is(counts.failed, 0, "no PR_SET_PTRACER failed");
	is(counts.not_recorded, 0, "none was lost");
	is(counts.not_withdrawn, 0, "none outlived its withdrawal");
	psc_kernel_close(kernel);
	finish();
	fflush(stdout);
	kill(0, SIGTERM);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
