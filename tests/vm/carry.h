/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the cases about what a process carries on from a cgroup that it leaves: floors, and scopes
 * that stick. A stranger who looks at processes, races with forks and changes, and crowds.
 */
#ifndef PSC_CARRY_H
#define PSC_CARRY_H

#include "loader.h"
#include "puppet.h"
#include "util.h"

#define ROOM 1024	/* for what tasks carry, and in reserve */
#define NEIGHBOURS 16

/* Root: under a global 0 only a scope of 3 keeps it out. */
static struct puppet stranger;

/* Load the programs with little room, and have a stranger. Return: whether they are loaded. */
static bool carry_begin(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR, .relations_max = ROOM };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(0),
	};

	if (!puppets_begin(&options, &first))
		return false;
	/* Children of children that are killed. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	stranger = puppet_new("", ROOT);
	return true;
}

static int look(pid_t pid)
{
	return peek(&stranger, pid);
}

static bool wait_for_comm(pid_t pid, const char *wanted)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	for (int i = 0; i < 20000; i++) {
		char comm[32] = "";
		int fd = open(path, O_RDONLY);

		if (fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0)
			comm[strcspn(comm, "\n")] = '\0';
		close(fd);
		if (streq(comm, wanted))
			return true;
		usleep(5000);
	}
	return false;
}

/* The last thread becomes the leader, and is another task then. */
static int exec_by_thread(const struct puppet *p)
{
	if (tell(p, PUPPET_EXEC, 0, "") || !wait_for_comm(p->pid, "busybox"))
		bail("exec");
	return look(p->pid);
}

/* Many children, one after another, and never far ahead of who is told their pids. */
static void __attribute__((noreturn)) breed(const char *cgroup, int out)
{
	if (cg_move(cgroup, 0))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			close(out);
			for (;;)
				pause();
		}
		if (pid < 0 || write(out, &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
	}
	close(out);
	for (;;)
		pause();
}

/*
 * A parent is moved out of f and back while it forks and f gets a scope of 3: nobody is born
 * without. @give: how f gets the scope: cg_lock() or cg_stick(); @what: what it is called
 */
static void race_forks(int (*give)(const char *path, __u32 modes, __u32 value), const char *what)
{
	int escaped = 0, born = 0, moved = 0;

	for (int round = 0; round < 40; round++) {
		pid_t children[64], pid, parent;
		int n = 0, channel[2], small = 1;

		cg_make("f");
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel) ||
		    setsockopt(channel[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)))
			bail("socketpair");
		fflush(stdout);
		parent = fork();
		if (parent == 0) {
			close(channel[0]);
			breed("f", channel[1]);
		}
		close(channel[1]);
		/* The scope comes when some are there, the moves when more are. */
		while (n < 64 && read(channel[0], &pid, sizeof(pid)) == sizeof(pid)) {
			children[n++] = pid;
			if (n == round % 8 + 1 && give("f", ATTACH, 3))
				bail(what);
			if (n > round % 8 + 1)
				moved += !cg_move(n % 2 ? "" : "f", parent);
		}
		close(channel[0]);
		for (int i = 0; i < n; i++) {
			born++;
			/* From wherever the race has left it. */
			if (i % 2 && cg_move("", children[i]))
				bail("move");
			escaped += look(children[i]) != -EPERM;
		}
		escaped += look(parent) != -EPERM;
		for (int i = 0; i < n; i++)
			kill(children[i], SIGKILL);
		kill(parent, SIGKILL);
		waitpid(parent, NULL, 0);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		cg_remove("f");
	}
	ok(born == 40 * 40 && moved > 500, "%d children born while their parent was moved %d times",
	   born, moved);
	ok(!escaped, "none of them without %s (%d are)", what, escaped);
}

/* Attempts on a process until killed or told to end; what came of them into @out. */
static void __attribute__((noreturn)) pester(pid_t pid, int out)
{
	struct { unsigned int attempts, successes; } count = {};

	fcntl(out, F_SETFL, O_NONBLOCK);
	for (;;) {
		char end;

		count.attempts++;
		count.successes += puppet_peek(pid) == 0;
		if (read(out, &end, 1) >= 0) {
			if (write(out, &count, sizeof(count)) < 0)
				_exit(1);
			_exit(0);
		}
	}
}

struct pesterer {
	pid_t pid;
	int channel;
};

static struct pesterer pesterer_new(pid_t tracee)
{
	struct pesterer pesterer;
	int channel[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel))
		bail("socketpair");
	fflush(stdout);
	pesterer.pid = fork();
	if (pesterer.pid == 0) {
		close(channel[0]);
		pester(tracee, channel[1]);
	}
	close(channel[1]);
	pesterer.channel = channel[0];
	return pesterer;
}

static void pesterer_end(const struct pesterer *pesterer)
{
	unsigned int count[2] = {};

	if (write(pesterer->channel, "", 1) != 1 ||
	    read(pesterer->channel, count, sizeof(count)) != sizeof(count))
		bail("pesterer");
	waitpid(pesterer->pid, NULL, 0);
	close(pesterer->channel);
	ok(count[0] > 1000, "%u attempts meanwhile", count[0]);
	is((int)count[1], 0, "none of them succeeded");
}

static void neighbours_make(void)
{
	for (int i = 0; i < NEIGHBOURS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		cg_make(name);
	}
}

static void neighbours_remove(void)
{
	for (int i = 0; i < NEIGHBOURS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		cg_remove(name);
	}
}

/* Leave a cgroup to a user. */
static void own(const char *path, unsigned int uid)
{
	static const char *const files[] = {
		"", "/cgroup.procs", "/cgroup.threads", "/cgroup.subtree_control",
	};
	char whole[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(whole, sizeof(whole), CGROUPS "/%s%s", path, files[i]);
		if (chown(whole, uid, uid))
			bail(whole);
	}
}

static int __attribute__((noreturn)) sleeper(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

/* Threads until there can be no more, and why; then live until killed. */
static void __attribute__((noreturn)) crowd(int channel, int wanted)
{
	static char stacks[2 * ROOM][1024] __attribute__((aligned(16)));
	int result[2] = {};
	char begin;

	if (read(channel, &begin, 1) != 1)
		_exit(1);
	for (; result[0] < wanted && !result[1]; result[0]++)
		if (clone(sleeper, stacks[result[0] + 1], CLONE_VM | CLONE_FS | CLONE_FILES |
			  CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) < 0)
			result[1] = errno;
	if (write(channel, result, sizeof(result)) < 0)
		_exit(1);
	sleeper(NULL);
}

static pid_t crowd_new(int *channel, int wanted)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		bail("socketpair");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		crowd(ends[1], wanted);
	}
	close(ends[1]);
	*channel = ends[0];
	return pid;
}

/* Return: the errno that it ended with. */
static int crowd_come(int channel)
{
	int result[2];

	if (write(channel, "", 1) != 1 || read(channel, result, sizeof(result)) != sizeof(result))
		bail("crowd");
	return result[1];
}

static void crowd_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
