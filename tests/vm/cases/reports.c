/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nobody's refusals push those of others out of the reports: not by their number, not with
 * the many uids that a user may have, and not in the name of a parent. And a proof is only
 * what the two processes were refused that it was said of.
 *
 * vm: lsm=no-yama
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"
#include "names.h"
#include "tap.h"
#include "util.h"

#define ALICE 1000
#define BOB 1001
#define CAROL 1002		/* so far without a report */
#define SUBUIDS 100000		/* those of alice */
#define FLOOD (3 * PSC_EVENT_BURST)
#define EVENTS_MAX 1000

static struct psc_kernel *kernel;
static struct ring_buffer *ring;
static struct psc_event events[EVENTS_MAX];
static unsigned int n_events;
static char memory[8] = "content";

static int on_event(void *data, void *event, size_t size)
{
	(void)data;
	if (size == sizeof(events[0]) && n_events < EVENTS_MAX)
		memcpy(&events[n_events++], event, size);
	return 0;
}

static void consume(void)
{
	n_events = 0;
	ring_buffer__consume(ring);
}

static unsigned int events_of(__u32 uid, __u32 account)
{
	unsigned int n = 0;

	ring_buffer__consume(ring);
	for (unsigned int i = 0; i < n_events; i++)
		n += events[i].tracer.uid == uid && events[i].account == account;
	return n;
}

static __u64 suppressed(void)
{
	__u64 stats[PSC_STATS];

	if (psc_kernel_stats(kernel, stats))
		bail("stats");
	return stats[PSC_STAT_SUPPRESSED];
}

/* A user without a capability, in a user namespace if one is given. */
static void become(unsigned int uid, int user_ns)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (user_ns >= 0 && setns(user_ns, CLONE_NEWUSER))
		bail("setns");
	if (setresuid(uid, uid, uid) || syscall(SYS_capset, &header, none) ||
	    prctl(PR_SET_DUMPABLE, 1))
		bail("become");
}

static int peek(pid_t pid)
{
	char copy[sizeof(memory)];
	struct iovec local = { copy, sizeof(copy) }, remote = { memory, sizeof(memory) };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 0;
}

/* A process of this user that waits. */
static pid_t waiter(unsigned int uid, int user_ns)
{
	int channel[2];
	pid_t pid;
	char c;

	fflush(stdout);
	if (pipe(channel))
		bail("pipe");
	pid = fork();
	if (pid == 0) {
		become(uid, user_ns);
		if (write(channel[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (pid < 0 || read(channel[0], &c, 1) != 1)
		bail("waiter");
	close(channel[0]);
	close(channel[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Have a user refused so many times by a sibling of the same user. Were all refused? */
static bool refusals(unsigned int uid, int user_ns, unsigned int times)
{
	pid_t tracee = waiter(uid, user_ns), tracer;
	int status;

	tracer = fork();
	if (tracer == 0) {
		become(uid, user_ns);
		for (unsigned int i = 0; i < times; i++)
			if (peek(tracee) != -EPERM)
				_exit(1);
		_exit(0);
	}
	waitpid(tracer, &status, 0);
	end(tracee);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_users(void)
{
	__u64 before = suppressed();

	consume();
	ok(refusals(ALICE, -1, FLOOD), "alice is refused many times");
	ok(refusals(BOB, -1, 1), "bob once");
	is(events_of(BOB, BOB), 1, "which is reported");
	ok(events_of(ALICE, ALICE) + suppressed() - before == FLOOD,
	   "of alice's those that are not are counted");
}

/* A user namespace that alice has made, with the uids of hers. */
static int namespace_of_alice(void)
{
	static const char map[] = "0 1000 1\n1 100000 65535\n";
	int to[2], from[2], fd;
	char path[64], c;
	pid_t pid;

	if (pipe(to) || pipe(from))
		bail("pipe");
	pid = fork();
	if (pid == 0) {
		if (setresuid(ALICE, ALICE, ALICE) || prctl(PR_SET_DUMPABLE, 1) ||
		    unshare(CLONE_NEWUSER) || write(from[1], "", 1) != 1 ||
		    read(to[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	if (read(from[0], &c, 1) != 1)
		bail("unshare");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, map, strlen(map)) != (ssize_t)strlen(map))
		bail(path);
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || write(to[1], "", 1) != 1)
		bail(path);
	waitpid(pid, NULL, 0);
	return fd;
}

/* In it she may have many uids, and each of them is she. */
static void test_namespace(void)
{
	int user_ns = namespace_of_alice();
	unsigned int n = 0;
	bool good = true;

	consume();
	for (unsigned int i = 0; i < FLOOD; i++)
		good = refusals(1 + i, user_ns, 2) && good;
	ok(good, "alice is refused with many uids of a namespace of hers");
	ok(refusals(BOB, -1, 1), "bob once");
	is(events_of(BOB, BOB), 1, "which is reported");
	for (unsigned int i = 0; i < n_events; i++)
		n += events[i].account == ALICE;
	is(n, n_events - 1, "and all others go to her account");
	close(user_ns);
}

/* Outside of one she may as well, by programs with the set-user-ID bit. */
static void test_block(void)
{
	const __u32 account = psc_account_of(SUBUIDS);
	bool good = true;

	consume();
	for (unsigned int i = 0; i < FLOOD; i++)
		good = refusals(SUBUIDS + i, -1, 2) && good;
	ok(good, "she is refused with many of her uids");
	ok(refusals(BOB, -1, 1), "bob once");
	is(events_of(BOB, BOB), 1, "which is reported");
	ok(refusals(SUBUIDS + 1000000, -1, 1), "so is one of another block");
	is(events_of(SUBUIDS + 1000000, psc_account_of(SUBUIDS + 1000000)), 1, "which is, too");
	is(events_of(SUBUIDS, account) > 0, true, "and what was reported of hers goes to the block");
}

/* Who asks to be traced does not choose his parent. */
static void test_traceme(void)
{
	struct psc_request req = psc_name_request(
		psc_name_find("kernel.ptracescope.traceme_scope"), 2);
	int to_child[2], to_parent[2], status;
	pid_t tracee = waiter(0, -1), root;
	char c;

	if (psc_kernel_request(kernel, &req) || pipe(to_child) || pipe(to_parent))
		bail("traceme");
	consume();
	root = fork();
	if (root == 0) {
		pid_t child = fork();

		if (child == 0) {
			int refused = 0;

			if (setresuid(CAROL, CAROL, CAROL) || write(to_parent[1], "", 1) != 1 ||
			    read(to_child[0], &c, 1) != 1)
				_exit(1);
			for (int i = 0; i < FLOOD; i++)
				refused += ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 && errno == EPERM;
			_exit(refused != FLOOD);
		}
		if (read(to_parent[0], &c, 1) != 1)
			_exit(1);
		become(0, -1);
		if (write(to_child[1], "", 1) != 1 || waitpid(child, &status, 0) != child || status)
			_exit(1);
		_exit(peek(tracee) != -EPERM);
	}
	waitpid(root, &status, 0);
	is(status, 0, "a child of root's is refused TRACEME many times, and root once");
	is(events_of(0, 0), 1, "which is reported");
	ok(events_of(0, CAROL) > 0, "what the child did goes to its own account");
	end(tracee);
}

static __u32 proved(void)
{
	__u32 proved;

	if (psc_kernel_proved(kernel, &proved))
		bail("proved");
	return proved;
}

static void test_proofs(void)
{
	pid_t bird = waiter(ALICE, -1), other = waiter(ALICE, -1), probe;
	int to[2], from[2];
	pid_t target;
	char c;

	if (pipe(to) || pipe(from))
		bail("pipe");
	probe = fork();
	if (probe == 0) {
		become(ALICE, -1);
		while (read(to[0], &target, sizeof(target)) == sizeof(target)) {
			c = peek(target) == -EPERM ? 'r' : '?';
			if (write(from[1], &c, 1) != 1)
				break;
		}
		_exit(0);
	}
	is(psc_kernel_probe(kernel, probe, 4194303), -ESRCH, "no proof with a process that is not");
	is(psc_kernel_probe(kernel, probe, bird), 0, "a proof by two processes");
	target = other;
	ok(write(to[1], &target, sizeof(target)) == sizeof(target) && read(from[0], &c, 1) == 1 &&
	   c == 'r' && refusals(ALICE, -1, 1), "others are refused");
	is(proved(), 0, "which proves nothing");
	target = bird;
	ok(write(to[1], &target, sizeof(target)) == sizeof(target) && read(from[0], &c, 1) == 1 &&
	   c == 'r', "the two are");
	is(proved(), PSC_MODE_BIT(PSC_MODE_ATTACH), "which does");
	is(psc_kernel_probe(kernel, probe, bird), 0, "another proof");
	is(proved(), 0, "begins anew");
	is(psc_kernel_probe(kernel, getpid(), getpid()), 0, "one by this process");
	is(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0), 0, "which declares a tracer");
	is(proved(), PSC_PROVED_DECLARED, "and that is noted");
	is(psc_kernel_probe(kernel, 0, 0), 0, "no proof any more");
	end(probe);
	end(bird);
	end(other);
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = psc_name_request(psc_name_find(PSC_NAME_YAMA), 1);

	if (psc_loader_start(&options, &first, 1, &kernel) != PSC_LOADED)
		bail("load");
	ring = ring_buffer__new(kernel->fds[PSC_PIN_EVENTS], on_event, NULL, NULL);
	if (!ring)
		bail("ring buffer");
	test_users();
	test_namespace();
	test_block();
	test_traceme();
	test_proofs();
	return finish();
}
