// SPDX-License-Identifier: GPL-2.0-or-later
/* What is measured: system calls that a ptrace check is in, and some that pass by. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ptracescope.h"
#include "util.h"

#define ALICE 1000
#define CHAIN 64		/* generations between the tracer and its descendant */
#define WALKED 500		/* processes in the walk over /proc */
#define NO_SUCH_FD 1000000
#define WINDOW_S ((time_t)(PSC_EVENT_WINDOW_NS / 1000000000))
_Static_assert(2 * (BENCH_BATCHES + 1) <= PSC_EVENT_BURST,
	       "attach-reported makes that many events");

static enum bench_system in_force;
static bool expect_refusal;
static pid_t tracee;
static int tracee_pidfd;
static pid_t first_declarer;
static char memory[8] = "content";

static bool enforced(void)
{
	return in_force == BENCH_YAMA || in_force == BENCH_OURS;
}

static void once_attach(void);

/* --- processes --- */

static void become_alice(void)
{
	if (setgroups(0, NULL) || setresgid(ALICE, ALICE, ALICE) ||
	    setresuid(ALICE, ALICE, ALICE) || prctl(PR_SET_DUMPABLE, 1))
		bench_die("setresuid: %m");
}

/* What a tracee does: tell its pid, and wait. */
static void __attribute__((noreturn)) wait_as_tracee(int tell)
{
	pid_t self = (pid_t)syscall(SYS_getpid);

	if (write(tell, &self, sizeof(self)) != sizeof(self))
		_exit(1);
	for (;;)
		pause();
}

static void use_tracee(pid_t pid)
{
	tracee = pid;
	tracee_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (tracee_pidfd < 0)
		bench_die("pidfd_open: %m");
}

/*
 * Start a tracee that many generations below, 1 for a child; those between wait, or
 * for an orphan end. @declared: it lets this process trace it, where that can be said.
 */
static void start_tracee(unsigned int generations, bool orphan, bool declared)
{
	pid_t self = getpid();
	int tell[2], status;

	if (pipe(tell))
		bench_die("pipe: %m");
	for (unsigned int i = 0; i < generations; i++) {
		pid_t child = fork();

		if (child < 0)
			bench_die("fork: %m");
		if (child > 0 && getpid() == self) {
			if (orphan)
				waitpid(child, &status, 0);
			break;
		}
		if (child > 0 && orphan)
			_exit(0);
		while (child > 0)
			pause();
	}
	if (getpid() != self) {
		if (declared && prctl(PR_SET_PTRACER, self, 0, 0, 0) && enforced())
			bench_die("PR_SET_PTRACER: %m");
		wait_as_tracee(tell[1]);
	}
	close(tell[1]);
	if (read(tell[0], &self, sizeof(self)) != sizeof(self))
		bench_die("the tracee did not start");
	close(tell[0]);
	use_tracee(self);
}

static void setup_alice(void)
{
	become_alice();
}

static void setup_child(void)
{
	become_alice();
	start_tracee(1, false, false);
}

static void setup_descendant(void)
{
	become_alice();
	start_tracee(CHAIN, false, false);
}

static void setup_declared(void)
{
	become_alice();
	start_tracee(2, true, true);
}

static void setup_stranger(void)
{
	become_alice();
	start_tracee(2, true, false);
}

/* Beyond the rate limit, and what was within it has been dealt with. */
static void setup_refused(void)
{
	setup_stranger();
	for (int i = 0; i < 2 * PSC_EVENT_BURST; i++)
		once_attach();
	sleep(BENCH_REPORTING_S);
}

/*
 * A stranger at the beginning of a window of the events' rate limit: all that the
 * row does is reported. What is counted then is the reader's part, too.
 */
static void setup_reported(void)
{
	struct timespec now;

	setup_stranger();
	clock_gettime(CLOCK_MONOTONIC, &now);
	sleep((unsigned int)(WINDOW_S - now.tv_sec % WINDOW_S));
}

static void setup_root_stranger(void)
{
	start_tracee(2, true, false);
}

/* The caller's parent was declared before everybody else declared somebody. */
static void setup_declared_first(void)
{
	use_tracee(first_declarer);
}

static void setup_nothing(void)
{
}

/* --- calls --- */

/*
 * pidfd_getfd(2) of a descriptor that is not there: a check of mode ATTACH, and next to
 * nothing else.
 */
static void once_attach(void)
{
	long fd = syscall(SYS_pidfd_getfd, tracee_pidfd, NO_SUCH_FD, 0);

	if (fd >= 0 || errno != (expect_refusal ? EPERM : EBADF))
		bench_die("pidfd_getfd: %ld, %m", fd);
}

/* get_robust_list(2) of another: a check of mode READ. */
static void once_read_check(void)
{
	void *head;
	size_t len;

	if (syscall(SYS_get_robust_list, tracee, &head, &len))
		bench_die("get_robust_list: %m");
}

static void once_readv(void)
{
	char buffer[sizeof(memory)];
	struct iovec local = { buffer, sizeof(buffer) }, remote = { memory, sizeof(memory) };

	if (process_vm_readv(tracee, &local, 1, &remote, 1, 0) != sizeof(buffer))
		bench_die("process_vm_readv: %m");
}

static void once_seize(void)
{
	int status;

	if (ptrace(PTRACE_SEIZE, tracee, 0, 0) || ptrace(PTRACE_INTERRUPT, tracee, 0, 0) ||
	    waitpid(tracee, &status, 0) != tracee || ptrace(PTRACE_DETACH, tracee, 0, 0))
		bench_die("PTRACE_SEIZE: %m");
}

static void read_whole(const char *path)
{
	static char buffer[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bench_die("%s: %m", path);
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
}

static char stat_path[PATH_MAX], environ_path[PATH_MAX];

static void setup_files(void)
{
	setup_child();
	snprintf(stat_path, sizeof(stat_path), "/proc/%d/stat", tracee);
	snprintf(environ_path, sizeof(environ_path), "/proc/%d/environ", tracee);
}

static void once_stat(void)
{
	read_whole(stat_path);
}

static void once_environ(void)
{
	read_whole(environ_path);
}

/* Processes of a pid namespace of their own, whose /proc shows them and no others. */
static void setup_walk(void)
{
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		bench_die("unshare: %m");
	for (int i = 0; i < WALKED; i++) {
		int tell[2];
		pid_t child;

		if (pipe(tell))
			bench_die("pipe: %m");
		child = fork();
		if (child < 0)
			bench_die("fork: %m");
		if (child == 0) {
			if (i == 0 && mount("proc", "/proc", "proc", 0, NULL))
				bench_die("mounting /proc: %m");
			wait_as_tracee(tell[1]);
		}
		if (read(tell[0], &tracee, sizeof(tracee)) != sizeof(tracee))
			bench_die("a process did not start");
		close(tell[0]);
		close(tell[1]);
	}
}

/* As ps(1) does. */
static void once_walk(void)
{
	static const char *const files[] = { "stat", "status", "cmdline" };
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int seen = 0;

	if (!proc)
		bench_die("/proc: %m");
	while ((entry = readdir(proc))) {
		char path[PATH_MAX];

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		seen++;
		for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
			snprintf(path, sizeof(path), "/proc/%s/%s", entry->d_name, files[i]);
			read_whole(path);
		}
	}
	closedir(proc);
	if (seen != WALKED)
		bench_die("%d processes in /proc, not %d", seen, WALKED);
}

/* What nobody we compare is asked about: it tells whether two guests are alike. */
static void once_control(void)
{
	read_whole("/proc/loadavg");
}

static void once_prctl(void)
{
	if (prctl(PR_GET_DUMPABLE) != 1)
		bench_die("PR_GET_DUMPABLE: %m");
}

static void once_declare(void)
{
	if (prctl(PR_SET_PTRACER, tracee, 0, 0, 0) || prctl(PR_SET_PTRACER, 0, 0, 0, 0))
		bench_die("PR_SET_PTRACER: %m");
}

static void *thread_main(void *arg)
{
	return arg;
}

/* An inode that comes and goes, of which the anchor is told under a floor. */
static void once_pipe(void)
{
	int fds[2];

	if (pipe(fds) || close(fds[0]) || close(fds[1]))
		bench_die("pipe: %m");
}

static void once_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, NULL) || pthread_join(thread, NULL))
		bench_die("pthread_create failed");
}

static void once_fork(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child < 0 || waitpid(child, &status, 0) != child)
		bench_die("fork: %m");
}

const struct bench_row bench_rows[] = {
	{ "attach-classic", 500, 0, false, false, true, setup_child, once_attach },
	{ "attach-parent", 500, 1, false, false, true, setup_child, once_attach },
	{ "attach-ancestor-64", 200, 1, false, false, true, setup_descendant, once_attach },
	{ "attach-declared", 500, 1, false, false, true, setup_declared, once_attach },
	{ "attach-declared-1st", 500, 1, false, false, true, setup_declared_first, once_attach },
	{ "attach-capable", 500, 1, false, false, true, setup_root_stranger, once_attach },
	{ "attach-refused", 500, 1, false, true, true, setup_refused, once_attach },
	{ "attach-reported", 2, 1, false, true, false, setup_reported, once_attach },
	{ "read-check", 500, 1, false, false, true, setup_child, once_read_check },
	{ "proc-stat", 100, 1, false, false, false, setup_files, once_stat },
	{ "proc-environ", 100, 1, false, false, false, setup_files, once_environ },
	{ "proc-walk-500", 1, 1, false, false, false, setup_walk, once_walk },
	{ "readv-8", 300, 1, false, false, true, setup_child, once_readv },
	{ "seize-detach", 100, 1, false, false, false, setup_child, once_seize },
	{ "prctl", 500, 1, false, false, true, setup_alice, once_prctl },
	{ "set-ptracer", 300, 1, true, false, true, setup_child, once_declare },
	{ "pipe", 500, 1, false, false, true, setup_alice, once_pipe },
	{ "thread", 500, 1, false, false, true, setup_alice, once_thread },
	{ "fork", 100, 1, false, false, false, setup_alice, once_fork },
	{ "control", 200, 1, false, false, false, setup_nothing, once_control },
};
const size_t bench_n_rows = ARRAY_SIZE(bench_rows);

void bench_row_begin(const struct bench_row *row, enum bench_system system, pid_t declarer)
{
	in_force = system;
	first_declarer = declarer;
	expect_refusal = row->refused && enforced();
	row->setup();
}
