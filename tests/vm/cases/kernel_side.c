/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side without a daemon: psc_ctl as the only writer of policy, frozen
 * maps, PR_SET_PTRACER without Yama, the exception table when it is full, the
 * READ scope, events.
 *
 * vm: lsm=no-yama
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"
#include "lock.h"
#include "names.h"
#include "tap.h"
#include "unload.h"
#include "util.h"

#define ALICE 1000
#define RELATIONS 64

static struct psc_kernel *kernel;
static char memory[8] = "content";

static int set(const char *name, unsigned int value, unsigned int flags)
{
	struct psc_request req = psc_name_request(psc_name_find(name), value);

	req.flags = flags;
	return psc_lock_request(kernel, PSC_PIN_DIR, &req);
}

static unsigned int get(const char *name)
{
	union psc_policy policy;

	if (psc_kernel_policy(kernel, &policy))
		bail("policy");
	return psc_name_get(psc_name_find(name), &policy);
}

/* --- processes --- */

struct child {
	pid_t pid;
	int in, out;	/* to and from it */
};

static void become(unsigned int uid)
{
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid) || prctl(PR_SET_DUMPABLE, 1))
		bail("setresuid");
}

/* Run @function in a child of its own; its result, an int. */
static int in_child(int (*function)(void *), void *data)
{
	int result = -1000, channel[2];
	pid_t pid;

	if (pipe(channel))
		bail("pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail("fork");
	if (pid == 0) {
		result = function(data);
		_exit(write(channel[1], &result, sizeof(result)) != sizeof(result));
	}
	close(channel[1]);
	if (read(channel[0], &result, sizeof(result)) != sizeof(result))
		result = -1000;
	close(channel[0]);
	waitpid(pid, NULL, 0);
	return result;
}

/* A process of alice that has made one declaration (0: none) and then waits. */
static struct child declarer(unsigned long declaration, int *ret_err)
{
	int to[2], from[2], err = 0;
	struct child child;

	if (pipe(to) || pipe(from))
		bail("pipe");
	fflush(stdout);
	child.pid = fork();
	if (child.pid < 0)
		bail("fork");
	if (child.pid == 0) {
		char go;

		close(to[1]);
		become(ALICE);
		if (declaration && prctl(PR_SET_PTRACER, declaration, 0, 0, 0))
			err = -errno;
		if (write(from[1], &err, sizeof(err)) != sizeof(err))
			_exit(1);
		while (read(to[0], &go, 1) == 1) {	/* clear, and say so */
			err = prctl(PR_SET_PTRACER, 0, 0, 0, 0) ? -errno : 0;
			if (write(from[1], &err, sizeof(err)) != sizeof(err))
				_exit(1);
		}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	child.in = to[1];
	child.out = from[0];
	if (read(child.out, &err, sizeof(err)) != sizeof(err))
		bail("declarer");
	if (ret_err)
		*ret_err = err;
	return child;
}

static void end(struct child *child)
{
	close(child->in);
	close(child->out);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

static int peek(pid_t pid)
{
	char copy[sizeof(memory)];
	struct iovec local = { copy, sizeof(copy) }, remote = { memory, sizeof(memory) };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? -errno : 0;
}

static int peek_as_alice(void *data)
{
	become(ALICE);
	return peek(*(pid_t *)data);
}

static int read_proc(pid_t pid, const char *file)
{
	char path[64], byte;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	err = read(fd, &byte, 1) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int environ_as_alice(void *data)
{
	become(ALICE);
	return read_proc(*(pid_t *)data, "environ");
}

static int stat_as_alice(void *data)
{
	become(ALICE);
	return read_proc(*(pid_t *)data, "stat");
}

/* Not maps or environ: since 6.15 CAP_PERFMON reads those whatever the LSMs say. */
static int exe_as_root(void *data)
{
	char path[64], target[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", *(pid_t *)data);
	return readlink(path, target, sizeof(target)) < 0 ? -errno : 0;
}

static int drop_ptrace_cap(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &header, caps))
		return -errno;
	caps[0].effective &= ~(1U << CAP_SYS_PTRACE);
	return syscall(SYS_capset, &header, caps) ? -errno : 0;
}

static int set_without_cap(void *data)
{
	(void)data;
	return drop_ptrace_cap() ?: set(PSC_NAME_YAMA, 0, 0);
}

static int set_in_user_ns(void *data)
{
	(void)data;
	if (unshare(CLONE_NEWUSER))
		return -1000 - errno;
	return set(PSC_NAME_YAMA, 0, 0);
}

static int info_without_cap(void *data)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	(void)data;
	return drop_ptrace_cap() ?: psc_kernel_request(kernel, &req) ?: (int)req.policy.scope[0];
}

/* --- tests --- */

static void test_requests(void)
{
	static const struct {
		const char *what;
		struct psc_request req;
		int err;
	} rows[] = {
		{ "another ABI", { .abi = PSC_ABI + 1, .op = PSC_OP_CHANGE, .set = 1 }, -EINVAL },
		{ "an unknown operation", { .abi = PSC_ABI, .op = 6, .set = 1 }, -EINVAL },
		{ "no mode", { .abi = PSC_ABI, .op = PSC_OP_CHANGE }, -EINVAL },
		{ "an unknown mode", { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = 17 }, -EINVAL },
		{ "an unknown flag", { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = 1, .flags = 4 },
		  -EINVAL },
		{ "an origin", { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = 1, .origin = 1 },
		  -EINVAL },
		{ "unset", { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .unset = 1 }, -EINVAL },
		{ "a descriptor too many",
		  { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = 1, .dir_fd = 1 },
		  -EINVAL },
		{ "scope 4", { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = 1, .want = PSC_WANT(4) },
		  -ERANGE },
		{ "scope 2^32-1",
		  { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = 1, .want = PSC_WANT(255) }, -ERANGE },
		{ "floor 4",
		  { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .raise = 1, .want = PSC_WANT(4) }, -ERANGE },
	};
	LIBBPF_OPTS(bpf_test_run_opts, short_ctx, .ctx_in = memory, .ctx_size_in = 4);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct psc_request req = rows[i].req;
		int err = psc_kernel_request(kernel, &req);

		ok(err == rows[i].err && get(PSC_NAME_YAMA) == 1, "psc_ctl refuses %s (%s)",
		   rows[i].what, strerror(-err));
	}
	is(bpf_prog_test_run_opts(kernel->fds[PSC_PIN_CTL], &short_ctx), -EINVAL,
	   "psc_ctl refuses a short context");
	is(in_child(set_without_cap, NULL), -EPERM,
	   "root without effective CAP_SYS_PTRACE may not set");
	is(in_child(info_without_cap, NULL), 1, "but may ask");
	is(in_child(set_in_user_ns, NULL), -EPERM,
	   "all capabilities in a user namespace of one's own do not help");
	is(get(PSC_NAME_YAMA), 1, "the scope is what it was");

	is(set(PSC_NAME_YAMA, 2, 0), 0, "ptrace_scope = 2");
	is(get("kernel.ptracescope.attach_scope") * 10 + get("kernel.ptracescope.traceme_scope"), 22,
	   "governs attach and traceme");
	is(get("kernel.ptracescope.read_scope"), 0, "but not read");
	is(set("kernel.ptracescope.traceme_scope", 1, 0), 0, "traceme_scope = 1");
	is(get(PSC_NAME_YAMA), 2, "leaves attach alone");
	is(set(PSC_NAME_YAMA, 3, PSC_FLAG_REVOCABLE), 0, "a revocable 3");
	is(get("kernel.ptracescope.floor"), 0, "sets no floor");
	is(set(PSC_NAME_YAMA, 1, 0), 0, "and can be revoked");
}

static void test_frozen(void)
{
	for (int i = 0; i < PSC_PINS; i++) {
		int fd = kernel->fds[i], err[3];
		struct bpf_map_info info = {};
		__u32 len = sizeof(info), count = 1;
		__u64 key = 0;
		_cleanup_free_ void *value = NULL;

		if (psc_pins[i].kind != PSC_PIN_MAP || !psc_pins[i].frozen)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &len))
			bail("map info");
		value = calloc(1, info.value_size * 64);
		err[0] = bpf_map_update_elem(fd, &key, value, BPF_ANY);
		err[1] = bpf_map_delete_elem(fd, &key);
		err[2] = bpf_map_update_batch(fd, &key, value, &count, NULL);
		ok(info.id && err[0] == -EPERM && err[1] == -EPERM &&
		   (err[2] == -EPERM || err[2] == -524), "%s cannot be written (%d %d %d)",
		   psc_pins[i].name, err[0], err[1], err[2]);
	}
	int by_id = -1;
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	union psc_policy policy = {};

	if (bpf_obj_get_info_by_fd(kernel->fds[PSC_PIN_STATE], &info, &len))
		bail("map info");
	by_id = bpf_map_get_fd_by_id(info.id);
	ok(by_id >= 0 && bpf_map_update_elem(by_id, &zero, &policy, BPF_ANY) == -EPERM,
	   "nor can the policy through a descriptor got by id");
	ok(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, by_id, 0) == MAP_FAILED,
	   "nor through a mapping");
	close(by_id);
	is(get(PSC_NAME_YAMA), 1, "the policy is untouched");
}

static void test_prctl(void)
{
	struct child plain, any, named, ended;
	int err;

	is(prctl(PR_SET_PTRACER, 0, 0, 0, 0), 0, "PR_SET_PTRACER succeeds without Yama: 0");
	is(prctl(PR_SET_PTRACER, getpid(), 0, 0, 0), 0, "a pid");
	is(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0), 0, "PR_SET_PTRACER_ANY");
	is(prctl(PR_SET_PTRACER, 0xffffffffUL, 0, 0, 0), 0, "-1 as an int");
	is(prctl(PR_SET_PTRACER, 0, 0, 0, 0), 0, "0 again");
	is(prctl(PR_SET_PTRACER, 0x7fffffff, 0, 0, 0) ? -errno : 0, -EINVAL, "EINVAL for a pid that is not there");
	is(prctl(PR_SET_PTRACER, 1UL << 32, 0, 0, 0) ? -errno : 0, -EINVAL, "and for 0 in the low half");
	is(prctl(PR_SET_PTRACER, -2L, 0, 0, 0) ? -errno : 0, -EINVAL, "and for a negative number");
	is(prctl(PR_SET_NAME, "kernel_side", 0, 0, 0), 0, "other options go their way");
	is(prctl(0x12345678, 0, 0, 0, 0) ? -errno : 0, -EINVAL, "unknown ones too");

	plain = declarer(0, NULL);
	any = declarer(PR_SET_PTRACER_ANY, NULL);
	named = declarer(getpid(), &err);
	is(err, 0, "alice declares a process of root");
	is(in_child(peek_as_alice, &plain.pid), -EPERM, "a stranger may not look into who declared nothing");
	is(in_child(peek_as_alice, &any.pid), 0, "anybody into who declared anybody");
	is(in_child(peek_as_alice, &named.pid), 0, "a child of the named one into who declared it");
	if (write(any.in, "x", 1) != 1 || read(any.out, &err, sizeof(err)) != sizeof(err))
		bail("clear");
	is(in_child(peek_as_alice, &any.pid), -EPERM, "0 clears");
	end(&any);
	ended = declarer(0, NULL);
	is(in_child(peek_as_alice, &ended.pid), -EPERM, "a new process begins without a declaration");
	end(&ended);
	end(&plain);
	end(&named);
}

/* More declarations than the table holds: ENOMEM, and never a silent success. */
static void test_full(void)
{
	struct child children[RELATIONS + 8];
	int full = 0, good = 0, wrong = 0, err;

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = declarer(PR_SET_PTRACER_ANY, &err);
		if (err == 0 && in_child(peek_as_alice, &children[i].pid) == 0)
			good++;
		else if (err == -ENOMEM && in_child(peek_as_alice, &children[i].pid) == -EPERM)
			full++;
		else
			wrong++;
	}
	is(good, RELATIONS, "as many declarations as there is room for take effect");
	is(full, 8, "the others get ENOMEM and have none");
	is(wrong, 0, "and nothing between");
	end(&children[0]);
	children[0] = declarer(PR_SET_PTRACER_ANY, &err);
	/* The table lets go of a dead task after an RCU grace period. */
	for (int i = 0; err == -ENOMEM && i < 3000; i++) {
		end(&children[0]);
		usleep(20000);
		children[0] = declarer(PR_SET_PTRACER_ANY, &err);
	}
	is(err, 0, "a death makes room");
	for (size_t i = 0; i < ARRAY_SIZE(children); i++)
		end(&children[i]);
}

static void test_read_scope(void)
{
	struct child child = declarer(0, NULL);

	is(in_child(environ_as_alice, &child.pid), 0, "read_scope 0: environ of a stranger");
	is(set("kernel.ptracescope.read_scope", 1, 0), 0, "read_scope = 1");
	is(in_child(environ_as_alice, &child.pid), -EACCES, "read_scope 1: a stranger gets EACCES");
	is(read_proc(child.pid, "environ"), 0, "read_scope 1: an ancestor reads");
	is(set("kernel.ptracescope.read_scope", 2, 0), 0, "read_scope = 2");
	is(in_child(exe_as_root, &child.pid), 0, "read_scope 2: CAP_SYS_PTRACE reads");
	is(in_child(environ_as_alice, &child.pid), -EACCES, "read_scope 2: others do not");
	is(set("kernel.ptracescope.read_scope", 3, PSC_FLAG_REVOCABLE), 0, "read_scope = 3");
	is(in_child(exe_as_root, &child.pid), -EACCES, "read_scope 3: root does not either");
	is(peek(child.pid), 0, "attach is judged by its own scope");
	is(set("kernel.ptracescope.read_scope", 0, 0), 0, "read_scope = 0");
	end(&child);
}

/* --- events --- */

struct seen {
	int events;
	struct psc_event last;
};

static int on_event(void *data, void *event, size_t size)
{
	struct seen *seen = data;

	if (size == sizeof(seen->last))
		memcpy(&seen->last, event, size);
	seen->events++;
	return 0;
}

static __u64 stat_of(enum psc_stat stat)
{
	__u64 stats[PSC_STATS];

	if (psc_kernel_stats(kernel, stats))
		bail("stats");
	return stats[stat];
}

/* A new window, so that earlier tests' events do not count. */
static void next_window(void)
{
	sleep(PSC_EVENT_WINDOW_NS / 1000000000 + 1);
}

static void test_events(void)
{
	struct seen seen = {};
	struct ring_buffer *ring = ring_buffer__new(kernel->fds[PSC_PIN_EVENTS], on_event, &seen, NULL);
	struct child child = declarer(0, NULL);
	__u64 refused, suppressed;

	if (!ring)
		bail("ring buffer");
	ring_buffer__consume(ring);
	next_window();
	seen.events = 0;
	in_child(peek_as_alice, &child.pid);
	ring_buffer__consume(ring);
	is(seen.events, 1, "one refusal, one event");
	ok(seen.last.size == sizeof(seen.last) && seen.last.mode == PSC_MODE_ATTACH &&
	   seen.last.scope == 1 && seen.last.reason == PSC_REASON_UNRELATED &&
	   (seen.last.access & 2), "it says what was refused and why");
	ok(seen.last.tracee.pid == (__u32)child.pid && seen.last.tracee.tid == (__u32)child.pid &&
	   seen.last.tracee.uid == ALICE && seen.last.tracer.uid == ALICE &&
	   seen.last.tracer.pid != seen.last.tracee.pid && seen.last.tracee.start_ns &&
	   streq(seen.last.tracer.comm, "kernel_side"), "it says who and whom");
	ok(seen.last.tracer.cgroup != 0, "it has the cgroup");

	if (set("kernel.ptracescope.read_scope", 2, 0))
		bail("read scope");
	refused = stat_of(PSC_STAT_REFUSED);
	is(in_child(stat_as_alice, &child.pid), 0, "/proc/PID/stat asks with NOAUDIT");
	ring_buffer__consume(ring);
	is(seen.events, 1, "a NOAUDIT check is silent");
	ok(stat_of(PSC_STAT_REFUSED) > refused, "and refused all the same");
	if (set("kernel.ptracescope.read_scope", 0, 0))
		bail("read scope");

	next_window();
	seen.events = 0;
	suppressed = stat_of(PSC_STAT_SUPPRESSED);
	for (int i = 0; i < PSC_EVENT_BURST * 2; i++)
		in_child(peek_as_alice, &child.pid);
	ring_buffer__consume(ring);
	suppressed = stat_of(PSC_STAT_SUPPRESSED) - suppressed;
	/* However slow the guest: what is not an event is in the count. */
	is(seen.events + (int)suppressed, PSC_EVENT_BURST * 2, "events and suppressed ones add up");
	ok(seen.events >= PSC_EVENT_BURST, "a burst of events comes through");

	ring_buffer__free(ring);
	end(&child);
}

/* Many writers at once: the floor never falls and the scope is never below it. */
static void test_races(void)
{
	pid_t writers[4];
	bool good = true;
	unsigned int floor = 0;

	fflush(stdout);
	for (unsigned int w = 0; w < ARRAY_SIZE(writers); w++) {
		writers[w] = fork();
		if (writers[w] == 0) {
			for (unsigned int i = 0; i < 3000; i++) {
				set("kernel.ptracescope.read_scope", (i * 7 + w) % 3, 0);
				if (i == 1000 * (w % 3))
					set(PSC_NAME_YAMA, 1, 0);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 3000; i++) {
		union psc_policy policy;

		if (i == 1500) {
			struct psc_request req = {
				.abi = PSC_ABI, .op = PSC_OP_CHANGE,
				.raise = PSC_MODE_BIT(PSC_MODE_READ), .want = PSC_WANT(1),
			};
			good = good && psc_kernel_request(kernel, &req) == -ECANCELED &&
			       psc_lock_request(kernel, PSC_PIN_DIR, &req) == 0;
		}
		if (psc_kernel_policy(kernel, &policy))
			bail("policy");
		good = good && policy.floor[PSC_MODE_READ] >= floor &&
		       policy.scope[PSC_MODE_READ] >= policy.floor[PSC_MODE_READ];
		floor = policy.floor[PSC_MODE_READ];
	}
	for (unsigned int w = 0; w < ARRAY_SIZE(writers); w++)
		waitpid(writers[w], NULL, 0);
	ok(good && floor == 1, "racing writers keep floor and scope in order");
}

static void test_floor(void)
{
	struct child child = declarer(0, NULL);
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request late = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .raise = PSC_MODE_BIT(PSC_MODE_READ),
		.want = PSC_WANT(1), .armed = 1,
	};

	is(psc_kernel_request(kernel, &late), -ECANCELED,
	   "who armed the guards for a first floor learns that another was first");
	is(set("kernel.ptracescope.floor", 1, 0), 0, "floor = 1");
	is(set(PSC_NAME_YAMA, 0, 0), -EACCES, "scope 0 is refused then");
	is(set("kernel.ptracescope.traceme_scope", 0, 0), -EACCES, "for traceme as well");
	is(set("kernel.ptracescope.floor", 0, 0), -EACCES, "and so is a lower floor");
	is(set(PSC_NAME_YAMA, 2, 0), 0, "up is free");
	is(set(PSC_NAME_YAMA, 1, 0), 0, "and down to the floor");
	is(psc_unload(options.pin_dir, kernel), -EACCES, "no detaching under a floor");
	is(peek(child.pid), 0, "a parent may look at 1");
	is(set(PSC_NAME_YAMA, 3, 0), 0, "scope 3");
	is(get("kernel.ptracescope.floor"), 3, "is a floor of 3");
	is(peek(child.pid), -EPERM, "root may not look then");
	is(set(PSC_NAME_YAMA, 2, 0), -EACCES, "no way back");
	is(set(PSC_NAME_YAMA, 3, PSC_FLAG_REVOCABLE), 0, "3 again is no error");
	is(get("kernel.ptracescope.floor"), 3, "and does not revoke");
	end(&child);
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR, .relations_max = RELATIONS };
	struct psc_request first = psc_name_request(psc_name_find(PSC_NAME_YAMA), 1);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!is(psc_loader_start(&options, &first, 1, &kernel), PSC_LOADED, "loads and attaches"))
		return finish();
	psc_kernel_close(kernel);
	if (!is(psc_loader_start(&options, &first, 1, &kernel), PSC_ADOPTED, "is adopted"))
		return finish();
	test_requests();
	test_frozen();
	test_prctl();
	test_full();
	test_read_scope();
	test_events();
	psc_kernel_close_policy_maps(kernel);	/* children must not have them */
	test_races();
	test_floor();
	psc_kernel_close(kernel);
	return finish();
}
