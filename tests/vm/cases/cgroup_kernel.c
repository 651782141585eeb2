/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies of cgroups without a floor: which requests psc_ctl takes, who inherits
 * what from whom, the stricter of two sides, siblings, boundaries, moves, threaded
 * cgroups, cgroups that go and come again.
 *
 * vm: lsm=no-yama limit=900
 */
#include <bpf/libbpf.h>
#include <sys/mount.h>

#include "loader.h"
#include "puppet.h"
#include "util.h"

static void test_requests(void)
{
	static const struct {
		const char *what;
		struct psc_request req;
		int err;
	} rows[] = {
		{ "another ABI", { .abi = PSC_ABI - 1, .op = PSC_OP_CHANGE, .set = 1 }, -EINVAL },
		{ "no mode", { .op = PSC_OP_CHANGE }, -EINVAL },
		{ "an unknown mode", { .op = PSC_OP_CHANGE, .set = 16 }, -EINVAL },
		{ "an unknown flag", { .op = PSC_OP_CHANGE, .set = 1, .flags = 4 }, -EINVAL },
		{ "an unknown origin", { .op = PSC_OP_CHANGE, .set = 1, .origin = 3 }, -EINVAL },
		{ "a scope that is none", { .op = PSC_OP_CHANGE, .set = 1, .want = PSC_WANT(5) },
		  -ERANGE },
		{ "\"no opinion\" as a value",
		  { .op = PSC_OP_CHANGE, .set = 1, .want = PSC_WANT(PSC_SCOPE_INHERIT) }, -ERANGE },
		{ "a boundary of 2", { .op = PSC_OP_CHANGE, .set = BOUNDARY, .want = PSC_WANT(2) },
		  -ERANGE },
		{ "2 for a scope and the boundary",
		  { .op = PSC_OP_CHANGE, .set = ATTACH | BOUNDARY, .want = PSC_WANT(2) }, -ERANGE },
		{ "a floor that is none",
		  { .op = PSC_OP_CHANGE, .raise = 1, .want = PSC_WANT(6) }, -ERANGE },
		{ "a revocable floor",
		  { .op = PSC_OP_CHANGE, .raise = 1, .want = PSC_WANT(1), .flags = 1 }, -EINVAL },
		{ "unset and set", { .op = PSC_OP_CHANGE, .unset = 1, .set = 1 }, -EINVAL },
		{ "an operation that is none of cgroups", { .op = PSC_OP_GUARD }, -EINVAL },
	};
	int dir, err;

	cg_make("a");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct psc_request req = rows[i].req;

		req.abi = req.abi ?: PSC_ABI;
		req.flags |= PSC_FLAG_CGROUP;
		req.dir_fd = dir = cg_open("a");
		err = psc_kernel_request(kernel, &req);
		close(dir);
		if (!ok(err == rows[i].err && !global_info().entries, "psc_ctl refuses %s",
			rows[i].what))
			printf("# got %d\n", err);
	}
	is(global_set(ATTACH, PSC_SCOPE_SIBLINGS), -ERANGE, "\"siblings\" is no global scope");
	is(global_set(BOUNDARY, 2), -ERANGE, "the global boundary is 0 or 1");
	cg_remove("a");
}

static int set_by(int dir, int op)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = (__u32)op, .set = op ? ATTACH : 0, .flags = PSC_FLAG_CGROUP,
		.dir_fd = dir,
	};
	int err = psc_kernel_request(kernel, &req);

	if (dir >= 0)
		close(dir);
	return err;
}

static void test_targets(void)
{
	char path[512] = "deep";
	int fd;

	is(set_by(-1, PSC_OP_CHANGE), -EBADF, "no descriptor: EBADF");
	is(set_by(1000000, PSC_OP_CHANGE), -EBADF, "a number that is no descriptor");
	is(set_by(open("/tmp", O_RDONLY), PSC_OP_CHANGE), -EBADF, "a directory elsewhere");
	is(set_by(open(CGROUPS "/cgroup.procs", O_RDONLY), PSC_OP_CHANGE), -EBADF,
	   "a file of the hierarchy");
	if (mkdir("/tmp/v1", 0755) || mount("none", "/tmp/v1", "cgroup", 0, "none,name=old") ||
	    mkdir("/tmp/v1/x", 0755))
		bail("cgroup v1");
	is(set_by(open("/tmp/v1/x", O_RDONLY), PSC_OP_CHANGE), -EBADF, "a cgroup of version 1");
	is(set_by(open(CGROUPS, O_RDONLY), PSC_OP_CHANGE), -EINVAL, "the root cgroup: EINVAL");
	is(set_by(open(CGROUPS, O_RDONLY), PSC_OP_INFO), -EINVAL, "also if only asked about");

	cg_make("gone");
	fd = cg_open("gone");
	cg_remove("gone");
	is(set_by(dup(fd), PSC_OP_INFO), -ENODEV, "a cgroup that was removed: ENODEV");
	is(set_by(fd, PSC_OP_CHANGE), -ENODEV, "and for a change");

	for (int level = 1; level < PSC_CGROUP_LEVELS; level++) {
		cg_make(path);
		strcat(path, level + 1 < PSC_CGROUP_LEVELS ? "/d" : "/e");
	}
	cg_make(path);
	is(cg_set(path, ATTACH, 1), -ENAMETOOLONG, "level 64: ENAMETOOLONG");
	cg_remove(path);
	*strrchr(path, '/') = '\0';
	is(cg_set(path, ATTACH, 1), 0, "level 63 is fine");
	is(global_info().entries, 1, "and counted");
	for (char *slash = path; slash; *slash = '\0') {
		cg_remove(path);
		slash = strrchr(path, '/');
		if (!slash)
			break;
	}
	is(global_info().entries, 0, "until it is removed");

	cg_make("t");
	cg_make("t/w");
	if (cg_write("t/w", "cgroup.type", "threaded"))
		bail("threaded");
	is(cg_set("t/w", ATTACH, 1), -EOPNOTSUPP, "a threaded cgroup: EOPNOTSUPP");
	is(cg_set("t", ATTACH, 1), 0, "the domain above it is fine");
	cg_remove("t/w");
	cg_remove("t");
}

static int without_cap(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (setresuid(ALICE, ALICE, ALICE))
			_exit(100);
		_exit(-cg_set("a", ATTACH, 0) & 0xff);
	}
	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

static bool is_policy(const union psc_policy *policy, int attach, int traceme, int read,
		      int boundary)
{
	return policy->scope[0] == attach && policy->scope[1] == traceme &&
	       policy->scope[2] == read && policy->scope[3] == boundary;
}

/* Reads and writes of entries, and what is inherited; the global policy is 1 1 0 0. */
static void test_inheritance(void)
{
	const int no = PSC_SCOPE_INHERIT;
	struct psc_request info, req;
	__u64 gone;

	cg_make("a");
	cg_make("a/b");
	cg_make("a/b/c");
	is(without_cap(), -EPERM, "without privileges nobody sets");
	info = cg_info("a/b/c");
	ok(is_policy(&info.policy, no, no, no, no) && is_policy(&info.effective, 1, 1, 0, 0) &&
	   !info.source[0] && !info.source[3] && info.cgroup, "without entries all is global");

	is(cg_set("a", ATTACH | TRACEME, 2), 0, "a: attach and traceme 2");
	req = (struct psc_request){ .op = PSC_OP_CHANGE, .set = READ, .want = PSC_WANT(1),
				    .origin = PSC_ORIGIN_RUNTIME };
	is(cg_request("a/b", &req), 0, "a/b: read 1");
	ok(is_policy(&req.policy, no, no, 1, no) && is_policy(&req.effective, 2, 2, 1, 0) &&
	   req.origin == PSC_ORIGIN_RUNTIME && req.entries == 2, "the reply shows the entry");
	is(cg_set("a/b/c", ATTACH, 0), 0, "a/b/c: attach 0");
	info = cg_info("a/b/c");
	ok(is_policy(&info.policy, 0, no, no, no) && is_policy(&info.effective, 0, 2, 1, 0),
	   "the nearest opinion counts, for each mode");
	ok(info.source[0] == cg_info("a/b/c").cgroup && info.source[1] == cg_info("a").cgroup &&
	   info.source[2] == cg_info("a/b").cgroup && info.source[3] == 0,
	   "and it is told whose it is");
	is(cg_info("a/b").origin, PSC_ORIGIN_RUNTIME, "the origin is kept");
	is(global_info().entries, 3, "three entries");
	is(global_info().locked, 0, "and no floor");

	is(cg_set("a/b/c", ATTACH, 3), 0, "a revocable 3");
	ok(!cg_info("a/b/c").policy.floor[0] && !global_info().locked, "locks nothing");
	is(cg_set("a/b/c", TRACEME, 0), 0, "another mode of the same cgroup");
	is(cg_unset("a/b/c", ATTACH), 0, "no opinion on attach any more");
	info = cg_info("a/b/c");
	ok(is_policy(&info.policy, no, 0, no, no) && is_policy(&info.effective, 2, 0, 1, 0),
	   "leaves the other");
	is(cg_unset("a/b/c", PSC_MODES_ALL), 0, "none at all");
	is(global_info().entries, 2, "is no entry");
	is(cg_unset("a/b/c", PSC_MODES_ALL), 0, "and that once more is fine");
	is(global_info().entries, 2, "and changes nothing");
	cg_remove("a/b/c");
	cg_remove("a/b");
	gone = cg_info("a").cgroup;
	cg_remove("a");
	is(global_info().entries, 0, "entries go with their cgroups");
	cg_make("a");
	info = cg_info("a");
	ok(is_policy(&info.policy, no, no, no, no), "a new cgroup of the same path has none");
	ok(info.cgroup > gone, "and another id, as ids are never given again");
	cg_remove("a");
}

/*
 * The first of all entries, as cgroups are asked only about what an entry has ever used:
 * what it does not, what it comes to speak of later, and from which side.
 */
static void test_modes_used(void)
{
	struct puppet a, b, root;

	cg_make("a");
	cg_make("b");
	a = puppet_new("a", ALICE);
	b = puppet_new("b", ALICE);
	root = puppet_new("", ROOT);

	is(global_set(ATTACH, 0), 0, "global 0");
	is(cg_set("b", TRACEME, 2), 0, "b: traceme 2, the first that an entry says");
	is(tell(&b, PUPPET_TRACEME, 0, ""), -EPERM, "which counts");
	ok(!peek(&a, b.pid) && !tell(&a, PUPPET_READ, b.pid, ""), "for nothing else");
	is(cg_set("b", READ, 1), 0, "b: read 1, in the same entry");
	is(tell(&a, PUPPET_READ, b.pid, ""), -EACCES, "counts to b,");
	is(tell(&b, PUPPET_READ, a.pid, ""), -EACCES, "and from b");
	is(peek(&a, b.pid), 0, "attach is another matter");
	is(cg_set("b", BOUNDARY, 1), 0, "b: a boundary");
	is(peek(&a, b.pid), -EPERM, "which binds attaching");
	is(peek(&root, b.pid), 0, "by who has not the capability");
	is(cg_unset("b", BOUNDARY), 0, "no boundary");
	is(peek(&a, b.pid), 0, "nothing is left of it");
	is(cg_set("b", ATTACH, 3), 0, "b: attach 3");
	is(peek(&root, b.pid), -EPERM, "binds root");
	is(global_set(ATTACH, 1), 0, "global 1");
	puppet_end(&a);
	puppet_end(&b);
	puppet_end(&root);
	cg_remove("a");
	cg_remove("b");
}

static void test_verdicts(void)
{
	struct puppet a, b, host, root;

	cg_make("a");
	cg_make("b");
	a = puppet_new("a", ALICE);
	b = puppet_new("b", ALICE);
	host = puppet_new("", ALICE);
	root = puppet_new("", ROOT);

	is(peek(&a, b.pid), -EPERM, "global 1: siblings of a user may not attach");
	is(cg_set("a", ATTACH, 0), 0, "a = 0");
	is(peek(&a, b.pid), -EPERM, "0 to 1: the stricter side decides");
	is(peek(&b, a.pid), -EPERM, "1 to 0: too");
	is(cg_set("b", ATTACH, 0), 0, "b = 0");
	is(peek(&a, b.pid), 0, "0 to 0: they may");
	is(peek(&host, a.pid), -EPERM, "from the host, at 1, not");
	is(peek(&a, host.pid), -EPERM, "nor to it");
	is(global_set(ATTACH, 0), 0, "global 0");
	is(peek(&host, a.pid), 0, "then they may");
	is(cg_set("a", ATTACH, 3), 0, "a = 3");
	is(peek(&root, a.pid), -EPERM, "not even root into 3");
	is(peek(&a, b.pid), -EPERM, "nor out of it");
	is(peek(&root, b.pid), 0, "root into 0");
	is(cg_set("b", ATTACH, 2), 0, "b = 2");
	is(peek(&host, b.pid), -EPERM, "2 needs the capability");
	is(peek(&root, b.pid), 0, "which root has");
	is(cg_unset("a", ATTACH) ?: cg_unset("b", ATTACH), 0, "all unset");
	is(peek(&a, b.pid), 0, "the global 0 counts again");

	is(tell(&a, PUPPET_READ, b.pid, ""), 0, "read: 0 globally");
	is(cg_set("b", READ, 1), 0, "b: read 1");
	is(tell(&a, PUPPET_READ, b.pid, ""), -EACCES, "then refused");
	is(peek(&a, b.pid), 0, "attach is another matter");
	is(cg_set("a", TRACEME, 2), 0, "a: traceme 2");
	is(tell(&a, PUPPET_TRACEME, 0, ""), -EPERM, "refuses PTRACE_TRACEME");
	is(tell(&b, PUPPET_TRACEME, 0, ""), 0, "not in b");
	is(global_set(ATTACH, 1), 0, "global 1");

	is(cg_move("a", b.pid), 0, "b is moved to a");
	is(tell(&a, PUPPET_READ, b.pid, ""), 0, "without a floor the new place decides");
	puppet_end(&a);
	puppet_end(&b);
	puppet_end(&host);
	puppet_end(&root);
	cg_remove("a");
	cg_remove("b");
}

static void test_siblings(void)
{
	struct puppet a, b, c, next, outside, bob;

	cg_make("s");
	cg_make("s/1");
	cg_make("s/2");
	a = puppet_new("s/1", ALICE);
	b = puppet_new("s/2", ALICE);
	c = puppet_new("s", ALICE);
	outside = puppet_new("", ALICE);
	bob = puppet_new("s/1", BOB);
	next = puppet_new("s/1", ALICE);

	is(cg_set("s", ATTACH, PSC_SCOPE_SIBLINGS), 0, "s = siblings");
	ok(!peek(&a, b.pid) && !peek(&b, a.pid) && !peek(&a, c.pid) && !peek(&c, b.pid),
	   "all in the subtree may, both ways");
	is(peek(&a, next.pid), 0, "and in the same cgroup");
	is(peek(&outside, a.pid), -EPERM, "from outside nobody");
	is(peek(&a, outside.pid), -EPERM, "and to outside nobody");
	is(global_set(ATTACH, 0), 0, "global 0");
	is(peek(&outside, a.pid), -EPERM, "is not enough to come in");
	is(global_set(ATTACH, 1), 0, "global 1");
	is(peek(&bob, a.pid), -EPERM, "another user never could");

	is(cg_set("s/2", ATTACH, PSC_SCOPE_SIBLINGS), 0, "s/2 = siblings on its own");
	is(peek(&a, b.pid), -EPERM, "is another family");
	is(cg_set("s/2", ATTACH, 1), 0, "s/2 = restricted");
	is(peek(&a, b.pid), -EPERM, "is none");
	is(cg_set("s/2", ATTACH, 0), 0, "s/2 = classic");
	is(peek(&a, b.pid), -EPERM, "is less strict than siblings");
	is(cg_unset("s/2", ATTACH), 0, "s/2 inherits again");
	is(peek(&a, b.pid), 0, "and belongs to the family");
	is(global_set(ATTACH, 3), 0, "a global 3 that is no floor");
	is(peek(&a, b.pid), 0, "binds nobody who has an opinion of his own");
	is(global_set(ATTACH, 1), 0, "global 1");
	is(cg_set("s", TRACEME, PSC_SCOPE_SIBLINGS), 0, "traceme = siblings");
	is(tell(&a, PUPPET_TRACEME, 0, ""), 0, "is free, as at restricted");
	puppet_end(&a);
	puppet_end(&b);
	puppet_end(&c);
	puppet_end(&outside);
	puppet_end(&bob);
	puppet_end(&next);
	cg_remove("s/1");
	cg_remove("s/2");
	cg_remove("s");
}

static void test_boundary(void)
{
	struct puppet in, sub, out, root;

	is(global_set(ATTACH, 0), 0, "global 0");
	cg_make("c");
	cg_make("c/x");
	cg_make("c/x/y");
	in = puppet_new("c/x", ALICE);
	sub = puppet_new("c/x/y", ALICE);
	out = puppet_new("c", ALICE);
	root = puppet_new("", ROOT);

	is(cg_set("c/x", BOUNDARY, 1), 0, "c/x is a boundary");
	is(peek(&out, in.pid), -EPERM, "from outside refused");
	is(peek(&out, sub.pid), -EPERM, "also to below it");
	is(peek(&in, sub.pid), 0, "inside allowed");
	is(peek(&sub, in.pid), 0, "upwards too");
	is(peek(&in, out.pid), 0, "out of it allowed: it protects what is in");
	is(peek(&root, in.pid), 0, "who has the capability initially may");
	is(tell(&out, PUPPET_READ, in.pid, ""), 0, "reading is not attaching");
	is(cg_set("c/x/y", BOUNDARY, 0), 0, "c/x/y is none");
	is(peek(&out, sub.pid), 0, "the nearest opinion counts");
	is(cg_set("c/x/y", BOUNDARY, 1), 0, "c/x/y is one of its own");
	is(peek(&in, sub.pid), -EPERM, "and c/x outside of that");
	is(cg_unset("c/x/y", BOUNDARY) ?: cg_unset("c/x", BOUNDARY), 0, "none any more");

	is(global_set(BOUNDARY, 1), 0, "globally");
	is(peek(&out, in.pid), 0, "all in the initial cgroup namespace are in one container");
	puppet_end(&sub);
	sub = puppet_new("c/x/y", ROOT);
	is(tell(&sub, PUPPET_UNSHARE, 0, ""), 0, "a cgroup namespace of its own for c/x/y");
	is(tell(&sub, PUPPET_BECOME, ALICE, ""), 0, "whose process is alice's");
	is(peek(&out, sub.pid), -EPERM, "is a container: from outside refused");
	is(peek(&in, sub.pid), -EPERM, "from right above it too");
	is(peek(&root, sub.pid), 0, "root of the host may");
	is(peek(&sub, out.pid), 0, "out of it allowed");
	is(cg_move("c/x/y", in.pid), 0, "who is moved into it");
	is(peek(&in, sub.pid), 0, "may");
	is(cg_set("c/x/y", BOUNDARY, 0), 0, "an opinion of the cgroup");
	is(peek(&out, sub.pid), 0, "comes before the global value");
	is(cg_unset("c/x/y", BOUNDARY), 0, "which counts again");
	is(global_set(ATTACH, 3), 0, "with a global 3");
	is(peek(&root, sub.pid), -EPERM, "not even root may");
	is(global_set(ATTACH, 0), 0, "global 0");
	puppet_end(&root);
	puppet_end(&out);
	puppet_end(&in);
	puppet_end(&sub);
	is(global_set(BOUNDARY, 0), 0, "the global boundary is off again");
	is(global_set(ATTACH, 1), 0, "global 1");
	cg_remove("c/x/y");
	cg_remove("c/x");
	cg_remove("c");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(1),
	};

	if (!puppets_begin(&options, &first))
		return finish();
	test_modes_used();
	test_requests();
	test_targets();
	test_inheritance();
	test_verdicts();
	test_siblings();
	test_boundary();
	is(global_info().entries, 0, "in the end there is no entry");
	psc_kernel_close(kernel);
	return finish();
}
