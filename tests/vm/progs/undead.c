/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * undead ROOM DEAD: the dead whose task_struct somebody keeps: who reads one byte of a
 *	cgroup.procs and keeps the file open holds a reference to the process that is next in it,
 *	long after that is reaped, and beyond every limit of processes. A user with a subtree of
 *	his own does that with DEAD processes, more than the tables have an element for, and takes
 *	nothing from anybody. ROOM: of the tables; 0 for what fits the machine. Prints TAP.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "loader.h"
#include "puppet.h"
#include "util.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

static int channel[2];
static int wanted;		/* dead */

/* A child that declares itself its own tracer. */
static pid_t child_new(void)
{
	char ready;
	pid_t pid = fork();

	if (pid == 0) {
		ready = prctl(PR_SET_PTRACER, getpid(), 0, 0, 0) == 0;
		if (write(channel[1], &ready, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (pid < 0 || read(channel[0], &ready, 1) != 1 || !ready)
		return -1;
	return pid;
}

/* Kill it, and keep what is left. Its parent is first in the cgroup. */
static int keep(pid_t pid)
{
	int fd = open(CGROUPS "/d/cgroup.procs", O_RDONLY);
	char byte;

	if (fd < 0 || read(fd, &byte, 1) != 1)
		return -1;
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* How many it keeps is what it says before it waits for its end. */
static void __attribute__((noreturn)) necromancer(int out)
{
	int kept = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cg_move("d", 0) || puppet_become(ALICE) || pipe(channel))
		kept = -1;
	while (kept >= 0 && kept < wanted) {
		pid_t pid = child_new();

		if (pid < 0 || keep(pid))
			break;
		kept++;
	}
	if (write(out, &kept, sizeof(kept)) != sizeof(kept))
		_exit(1);
	for (;;)
		pause();
}

static void own(const char *path)
{
	static const char *const files[] = { "", "/cgroup.procs" };
	char whole[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(whole, sizeof(whole), CGROUPS "/%s%s", path, files[i]);
		if (chown(whole, ALICE, ALICE))
			bail(whole);
	}
}

static int declare(unsigned int uid)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(puppet_become(uid) || prctl(PR_SET_PTRACER, getppid(), 0, 0, 0) ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* What nobody keeps alive goes some time after its end. */
static bool carried_falls_to(__u32 n)
{
	for (int i = 0; i < 20000 && global_info().carried > n; i++)
		usleep(5000);
	return global_info().carried <= n;
}

/* While the dead are kept: what the tables hold for others goes on. */
static void look_at_others(struct puppet *other, struct puppet *outside, struct puppet *beside)
{
	pid_t child;

	is(declare(BOB), 0, "bob declares a tracer");
	is(declare(ROOT), 0, "root too");
	child = tell(other, PUPPET_SPAWN, 0, "");
	ok(child > 0, "who is in the other locked cgroup forks");
	is(cg_move("o/s", other->pid) ?: cg_move("", other->pid), 0, "is moved out of it");
	is(peek(outside, other->pid), -EPERM, "and keeps its floor");
	is(cg_move("d/y", beside->pid) ?: cg_move("d/x", beside->pid), 0,
	   "somebody moves within the locked subtree");
	ok(!global_info().policy.floor[0] && !global_info().policy.scope[0],
	   "nobody else has a floor by that");
	child = tell(outside, PUPPET_SPAWN, 0, "");
	ok(child > 0, "who is in no locked cgroup forks");
	is(peek(outside, child), 0, "and is as free as before");
	is(cg_move("", beside->pid), 0, "and who leaves the subtree");
	is(peek(outside, beside->pid), -EPERM, "has its floor");
}

int main(int argc, char **argv)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA,
	};
	struct puppet other, outside, beside;
	struct rlimit files;
	int ends[2], kept;
	pid_t pid;

	if (argc != 3)
		return 2;
	options.relations_max = (__u32)atoi(argv[1]);
	wanted = atoi(argv[2]);
	files.rlim_cur = files.rlim_max = (rlim_t)wanted + 100;
	if (!puppets_begin(&options, &first))
		return finish();
	signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_NOFILE, &files) || pipe(ends))
		bail("setup");
	cg_make("d");
	cg_make("d/x");
	cg_make("d/y");
	cg_make("o");
	cg_make("o/s");
	own("d");
	other = puppet_new("o", BOB);
	outside = puppet_new("", BOB);
	beside = puppet_new("d/x", BOB);
	is(cg_lock("d", ATTACH, 3), 0, "a subtree of alice's is locked at 3");
	is(cg_lock("o", ATTACH, 2), 0, "another cgroup at 2");

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		necromancer(ends[1]);
	if (read(ends[0], &kept, sizeof(kept)) != sizeof(kept))
		bail("necromancer");
	is(kept, wanted, "more dead are kept than the tables have room for");
	ok(carried_falls_to(8), "none of them takes room (%u)", global_info().carried);
	look_at_others(&other, &outside, &beside);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	puppet_end(&other);
	puppet_end(&outside);
	puppet_end(&beside);
	psc_kernel_close(kernel);
	return finish();
}
