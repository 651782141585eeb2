/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeprefs DIRECTORY PROGRAM: keep alive all pins in the directory but one program's, and of the
 *	map psc_state as many references as the kernel counts for this one and its own pin.
 *
 * Links and programs have descriptors. Of the map nobody gets one, but who asks for one has a
 * reference for a moment. Two threads do so without end, and are pushed aside then, for good, by
 * another one of a higher priority on the same processor. Where one of them is in an RCU reader,
 * whoever waits for RCU would wait for good, too, so both are let go again, and it is tried anew.
 * Prints "ready" when both are kept and a grace period has passed; exit code 1 if that cannot be
 * had. On SIGUSR1 prints "kept" if they still are, or "gone".
 * Wants preempt=full, and a second processor, best one on which nobody else runs (isolcpus=1).
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEEPERS 2
#define ROUNDS 20
#define TRIES 20000	/* of all rounds together */
#define GRACE_S 15	/* where this is too short for a slow guest, it is tried anew */
#define MOUNT "/run/keeprefs"
/* Steps of many lengths, as how far one gets in a guest differs. */
#define STEP_NS(i) (50000 + (i) * 7919L % 100 * 10000)

enum { BEHIND = 10, STEPPING = 20, PUSHING = 50 };	/* priorities */

struct keeper {
	volatile pid_t tid;
	int stack;
};

static char state_path[512];
static struct keeper keepers[KEEPERS];
static int tries;
static volatile long step_ns;	/* 0: none */

static void stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(2, "sched_setaffinity");
}

static void be(pid_t tid, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(tid, SCHED_FIFO, &param))
		err(2, "sched_setscheduler");
}

static void *ask(void *data)
{
	struct keeper *keeper = data;

	stay_on(1);
	be(0, STEPPING);	/* else the one before would be first for good */
	keeper->tid = (pid_t)syscall(SYS_gettid);
	for (;;)
		close(bpf_obj_get(state_path));
	return NULL;
}

/* Lets the others run for a moment whenever told to, and spins. */
static void *push_aside(void *data)
{
	struct timespec moment = {};

	(void)data;
	stay_on(1);
	be(0, PUSHING);
	for (;;) {
		while (!step_ns)
			;
		moment.tv_nsec = step_ns;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
		step_ns = 0;
	}
	return NULL;
}

static void start(void *(*function)(void *), void *data)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, data))
		errx(2, "pthread_create");
}

static void step(int i)
{
	step_ns = STEP_NS(i);
	while (step_ns)
		usleep(100);
}

/* Is it after the reference and before the refusal, and in no program, which RCU waits for? */
static bool has_reference(const struct keeper *keeper)
{
	char stack[4096];
	ssize_t n = pread(keeper->stack, stack, sizeof(stack) - 1, 0);

	if (n < 0)
		err(2, "stack");
	stack[n] = '\0';
	return (strstr(stack, "bpf_map_new_fd") || strstr(stack, "security_bpf_map")) &&
	       !strstr(stack, "bpf_prog_") && !strstr(stack, "bpf_trampoline");
}

static bool have_references(void)
{
	for (int i = 0; i < KEEPERS; i++) {
		if (!has_reference(&keepers[i]))
			return false;
	}
	return true;
}

static void start_keeper(struct keeper *keeper)
{
	char path[64];

	start(ask, keeper);
	while (!keeper->tid)
		step(0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stack", keeper->tid);
	keeper->stack = open(path, O_RDONLY | O_CLOEXEC);
	if (keeper->stack < 0)
		err(2, "%s", path);
	be(keeper->tid, BEHIND);
}

/* Go on with this one till it has a reference; the others run only when it sleeps. */
static void keep(struct keeper *keeper)
{
	be(keeper->tid, STEPPING);
	do {
		if (tries++ == TRIES)
			errx(1, "it was never there");
		step(tries);
	} while (!has_reference(keeper));
	be(keeper->tid, BEHIND);
}

/* Wait for RCU as an unmounting does, and as the moving of a process does. */
static void __attribute__((noreturn)) wait_for_rcu(void)
{
	mkdir(MOUNT, 0700);
	if (mount("none", MOUNT, "tmpfs", 0, NULL) || umount2(MOUNT, MNT_DETACH) ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

/* Does RCU wait for none of them? If it does, they are let go. */
static bool grace_period_passes(void)
{
	bool in_time = true;
	int status = 0;
	pid_t child = fork();

	if (child < 0)
		err(2, "fork");
	if (child == 0)
		wait_for_rcu();
	for (int i = 0; waitpid(child, &status, WNOHANG) == 0; i++) {
		if (i < GRACE_S * 10) {
			usleep(100000);
			continue;
		}
		in_time = false;
		for (int j = 0; j < KEEPERS; j++) {
			be(keepers[j].tid, STEPPING);
			step(tries);
			be(keepers[j].tid, BEHIND);
		}
	}
	if (status)
		errx(2, "cannot wait for RCU: status %d", status);
	return in_time;
}

static bool keep_all(void)
{
	for (int i = 0; i < KEEPERS; i++)
		keep(&keepers[i]);
	return have_references() && grace_period_passes() && have_references();
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 3 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	char path[512];
	sigset_t asked;
	int signal, round = 0;

	if (!dir)
		errx(2, "usage: keeprefs DIRECTORY PROGRAM");
	sigemptyset(&asked);
	sigaddset(&asked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &asked, NULL);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, argv[2]))
			bpf_obj_get(path);	/* maps are refused */
	}
	closedir(dir);
	stay_on(0);
	snprintf(state_path, sizeof(state_path), "%s/psc_state", argv[1]);
	start(push_aside, NULL);
	for (int i = 0; i < KEEPERS; i++)
		start_keeper(&keepers[i]);
	while (!keep_all()) {
		if (++round == ROUNDS)
			errx(1, "not without an RCU reader, or not both at once");
	}
	printf("kept after %d tries, %d rounds\n", tries, round);
	say("ready");
	while (sigwait(&asked, &signal) == 0)
		say(have_references() ? "kept" : "gone");
	return 0;
}
