/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scopes of cgroups that stick: who leaves the cgroup keeps them, as they are now, with all
 * threads and children, by whatever way he leaves; until an administrator lowers or unsets
 * the scope, or releases the process.
 *
 * vm: lsm=no-yama cpus=2 limit=900
 */
#include <bpf/bpf.h>

#include "carry.h"
#include "util.h"

static int unstick(const char *path, __u32 modes)
{
	struct psc_request req = { .op = PSC_OP_CHANGE, .unstick = modes };

	return cg_request(path, &req);
}

static int release(pid_t pid)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_RELEASE, .probe = { pid, 0 } };

	return psc_kernel_request(kernel, &req);
}

/* What is in effect for a process. */
static struct psc_find_request process(const char *cgroup, pid_t pid)
{
	struct psc_find_request req = {
		.abi = PSC_ABI, .op = PSC_FIND_PROCESS, .parent = cg_info(cgroup).cgroup, .pid = pid,
	};

	if (psc_kernel_find(kernel, &req, NULL))
		bail("find process");
	return req;
}

/* How many cgroups are there that anything refers to or that have something sticky? */
static int cells(void)
{
	int fd = bpf_obj_get(PSC_PIN_DIR "/psc_sticky"), n = 0;
	__u64 key;

	for (void *before = NULL; !bpf_map_get_next_key(fd, before, &key); before = &key)
		n++;
	close(fd);
	return fd < 0 ? fd : n;
}

static __u64 shed(void)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_COUNT };

	if (psc_kernel_request(kernel, &req))
		bail("count");
	return req.stats[PSC_STAT_SHED];
}

static void test_rules(void)
{
	struct psc_request req = { .op = PSC_OP_CHANGE, .stick = ATTACH, .unset = ATTACH };
	struct puppet p, q;

	cg_make("f");
	cg_make("g");
	is(cg_request("f", &req), -EINVAL, "stick and unset do not go together");
	req = (struct psc_request){ .op = PSC_OP_CHANGE, .stick = ATTACH, .unstick = ATTACH };
	is(cg_request("f", &req), -EINVAL, "nor do stick and unstick");
	req = (struct psc_request){ .abi = PSC_ABI, .op = PSC_OP_CHANGE, .stick = ATTACH };
	is(psc_kernel_request(kernel, &req), -EINVAL, "and nothing global sticks");
	req = (struct psc_request){ .op = PSC_OP_CHANGE, .stick = ATTACH };
	is(cg_request("f", &req) ?: (int)cg_info("f").sticky, 0, "without a scope nothing sticks");

	p = puppet_new("f", ROOT);
	q = puppet_new("f", ROOT);
	is(cg_set("f", ATTACH, 3), 0, "f = 3, not sticky");
	is(look(p.pid), -EPERM, "holds in f");
	is(cg_move("g", p.pid) ?: look(p.pid), 0, "who leaves sheds it");
	is(cg_move("f", p.pid), 0, "who comes");
	is(look(p.pid), -EPERM, "has it");
	is(cg_stick("f", ATTACH, 3), 0, "f = 3, sticky");
	is((int)cg_info("f").sticky, ATTACH, "as it says");
	is(cg_move("g", p.pid), 0, "who leaves");
	is(look(p.pid), -EPERM, "keeps it");
	is((int)process("g", p.pid).left, ATTACH, "as is told of the process");
	ok(process("g", p.pid).source[0] == cg_info("f").cgroup &&
	   process("g", p.pid).effective.scope[0] == 3, "by the cgroup f");
	is(peek(&p, getpid()), -EPERM, "it may not look into others, either");
	is(cg_set("f", ATTACH, 0) ?: look(p.pid), 0, "f = 0 lowers it");
	is((int)cg_info("f").sticky, ATTACH, "and still sticks");
	is((int)process("g", p.pid).left, 0, "what is no stricter is not told");
	is(cg_set("f", ATTACH, 3), 0, "f = 3");
	is(look(p.pid), -EPERM, "raises it");
	is(cg_unset("f", ATTACH) ?: look(p.pid), 0, "without a scope in f it has none");
	is((int)cg_info("f").sticky, 0, "and nothing is sticky");
	is(cg_stick("f", ATTACH, 3), 0, "f = 3 anew");
	is(look(p.pid), -EPERM, "binds who left before, too");
	is(unstick("f", ATTACH) ?: look(p.pid), 0, "sticky no longer: it is free");
	is(look(q.pid), -EPERM, "f itself is as it was");
	is(cg_stick("f", ATTACH, 3), 0, "sticky");
	is(release(0), -ESRCH, "nobody is released");
	is(release(p.pid), 0, "the process is released");
	is(look(p.pid), 0, "and free");
	is(cg_move("f", p.pid) ?: cg_move("g", p.pid), 0, "through f once more");
	is(look(p.pid), -EPERM, "it keeps that again");
	puppet_end(&q);
	cg_remove("f");
	is(look(p.pid), -EPERM, "f is removed, what it had stays");
	is(process("g", p.pid).effective.scope[0], 3, "as is told");
	cg_make("f");
	is(cg_set("f", ATTACH, 0), 0, "another f of that name");
	is(look(p.pid), -EPERM, "is not meant");
	is(cg_set("g", ATTACH, 1), 0, "g = 1");
	is(look(p.pid), -EPERM, "the stricter counts");
	puppet_end(&p);
	cg_remove("f");
	cg_remove("g");
}

static void test_moves(void)
{
	pid_t before, after, thread[2];
	struct puppet p, q;

	cg_make("f");
	cg_make("f/s");
	cg_make("g");
	p = puppet_new("f", ROOT);
	q = puppet_new("f", ROOT);
	if (tell(&q, PUPPET_THREAD, 0, "") <= 0)
		bail("thread");
	before = tell(&p, PUPPET_SPAWN, 0, "");
	thread[0] = tell(&p, PUPPET_THREAD, 0, "");
	is(cg_stick("f", ATTACH, 3) ?: cg_set("f/s", ATTACH, 0), 0, "f = 3, sticky, f/s = 0");
	is(cg_move("f/s", p.pid) ?: look(p.pid), 0, "below f the nearest counts");
	is(cg_move("f", p.pid), 0, "and in f");
	is(look(p.pid), -EPERM, "that of f");
	is(cg_move("f/s", p.pid) ?: cg_move("", p.pid), 0, "from f/s root moves it out");
	is(look(p.pid), -EPERM, "it has that of f");
	is(look(thread[0]), -EPERM, "with the thread");
	is(look(before), -EPERM, "the child in f has it anyway");
	after = tell(&p, PUPPET_SPAWN, 0, "");
	thread[1] = tell(&p, PUPPET_THREAD, 0, "");
	is(look(after), -EPERM, "a child born elsewhere has it");
	is(look(thread[1]), -EPERM, "and a thread");
	is(cg_move("g", after) ?: cg_move("", after), 0, "the child moves on");
	is(look(after), -EPERM, "and keeps it");
	is(cg_move("g", q.pid), 0, "another process with a thread");
	is(exec_by_thread(&q), -EPERM, "keeps it through an exec by that thread");
	is(cg_move("", before), 0, "the child leaves f last");
	is(look(before), -EPERM, "and keeps it");
	is(cg_move("f/s", p.pid) ?: look(p.pid), 0, "below f again the nearest counts");
	is(cg_move("g", p.pid), 0, "it leaves");
	cg_remove("f/s");
	cg_remove("f");
	is(look(p.pid), -EPERM, "f is gone, what it had sticks");
	is(look(before), -EPERM, "to all");
	is(exec_by_thread(&p), -EPERM, "and survives an exec by a thread born after the move");
	is(release(p.pid) ?: look(p.pid), 0, "the process is released");
	is(look(after), -EPERM, "its child is not");
	puppet_end(&p);
	puppet_end(&q);
	kill(before, SIGKILL);
	kill(after, SIGKILL);
	cg_remove("g");
}

static void test_clone_into(void)
{
	struct puppet p;
	pid_t child;

	cg_make("f");
	cg_make("f/s");
	cg_make("f/s/t");
	cg_make("g");
	p = puppet_new("f/s/t", ROOT);
	is(cg_stick("f", ATTACH, 3) ?: cg_stick("f/s", ATTACH, 1) ?: cg_stick("f/s/t", ATTACH, 0), 0,
	   "three sticky cgroups, the topmost has 3");
	is(look(p.pid), 0, "the nearest counts");
	child = tell(&p, PUPPET_SPAWN, 0, "");
	is(look(child), 0, "for a child as well");
	is(cg_move("g", child), 0, "which moves");
	is(look(child), -EPERM, "and keeps what all have had to say");
	kill(child, SIGKILL);
	child = tell(&p, PUPPET_SPAWN_INTO, 0, "g");
	ok(child > 0, "clone3() into g");
	is(look(child), -EPERM, "the child has it, too");
	is(tell(&p, PUPPET_REAP, child, ""), 0, "it ends");
	child = tell(&p, PUPPET_SPAWN_INTO, 0, "");
	is(look(child), -EPERM, "and in the root cgroup");
	is(tell(&p, PUPPET_MOVE, child, "g"), 0, "the parent itself moves it");
	is(look(child), -EPERM, "which changes nothing");
	puppet_end(&p);
	kill(child, SIGKILL);
	cg_remove("f/s/t");
	cg_remove("f/s");
	cg_remove("f");
	cg_remove("g");
}

static void test_dead_leader(void)
{
	struct puppet p, q;
	pid_t thread, other;

	cg_make("f");
	cg_make("g");
	is(cg_stick("f", ATTACH, 3), 0, "f = 3, sticky");
	p = puppet_new("g", ROOT);
	thread = puppet_behead_now(&p);
	q = puppet_new("f", ROOT);
	other = puppet_behead_now(&q);
	is(look(thread), 0, "a process without leader, outside");
	is(look(other), -EPERM, "and one in f");
	is(cg_move("f", p.pid), 0, "root moves the one in");
	is(look(thread), -EPERM, "where it is bound");
	is(cg_move("g", p.pid) ?: cg_move("g", q.pid), 0, "and both out");
	is(look(thread), -EPERM, "it has kept what its threads had");
	is(look(other), -EPERM, "as has the other");
	puppet_end(&p);
	puppet_end(&q);
	cg_remove("g");
	cg_remove("f");
}

/* Of more cgroups than a task refers to, the values are kept. */
static void test_many_left(void)
{
	struct puppet p;
	int n;

	cg_make("a");
	cg_make("b");
	cg_make("c");
	cg_make("d");
	is(cg_stick("a", READ, 1) ?: cg_stick("b", TRACEME, 1) ?: cg_stick("c", READ, 2) ?:
	   cg_stick("d", ATTACH, 3), 0, "four sticky cgroups");
	p = puppet_new("", ROOT);
	is(cg_move("a", p.pid) ?: cg_move("b", p.pid) ?: cg_move("c", p.pid) ?: cg_move("d", p.pid) ?:
	   cg_move("c", p.pid), 0, "a process goes through all of them");
	is(look(p.pid), -EPERM, "it has kept that of the last");
	is(cg_set("d", ATTACH, 0), 0, "lowered there");
	is(look(p.pid), -EPERM, "that stays, by its value");
	is(process("c", p.pid).source[0] == PSC_SOURCE_SEVERAL, 1, "as is told");
	is(process("c", p.pid).effective.scope[1], 1, "that of b is there");
	is(cg_set("b", TRACEME, 0) ?: process("c", p.pid).effective.scope[1], 0,
	   "and can be lowered, as one of the first");
	is(release(p.pid) ?: look(p.pid), 0, "all of it goes with a release");
	puppet_end(&p);
	for (n = 0; n < 20000 && global_info().carried; n++)
		usleep(5000);
	cg_remove("a");
	cg_remove("b");
	cg_remove("c");
	cg_remove("d");
}

static void test_fork_races(void)
{
	race_forks(cg_stick, "what sticks");
}

#define CHANGES 10000

/* Who has left f is moved about, while f says more or less and others come and go. */
static void test_changes(void)
{
	struct pesterer pesterer;
	char name[16];
	struct puppet p;
	int err = 0;

	cg_make("f");
	cg_make("f/s");
	neighbours_make();
	p = puppet_new("f", ROOT);
	is(cg_stick("f", ATTACH, 3) ?: cg_move("n0", p.pid), 0, "a process has left f");
	pesterer = pesterer_new(p.pid);
	for (int i = 0; i < CHANGES && !err; i++) {
		snprintf(name, sizeof(name), "n%d", i / 4 % NEIGHBOURS);
		if (i % 4 == 1)
			err = cg_stick("f", READ, (unsigned int)i / 4 % 2);
		else if (i % 4 == 2)
			err = i / 4 / NEIGHBOURS % 2 ? cg_unset(name, ATTACH) :
						       cg_stick(name, ATTACH, 0);
		else if (i % 4 == 3)
			err = cg_move(i / 4 % 3 ? name : i / 4 % 2 ? "f" : "f/s", p.pid);
	}
	is(err, 0, "many changes and moves");
	pesterer_end(&pesterer);
	puppet_end(&p);
	neighbours_remove();
	cg_remove("f/s");
	cg_remove("f");
}

/* What a user can do in a subtree of his own. */
static void test_delegation(void)
{
	struct puppet a, b;

	cg_make("d");
	cg_make("d/x");
	own("d", ALICE);
	own("d/x", ALICE);
	a = puppet_new("d", ALICE);
	b = puppet_new("d/x", ALICE);
	is(cg_stick("d/x", ATTACH, 3), 0, "d/x = 3, sticky");
	is(peek(&a, b.pid), -EPERM, "alice may not attach to a process there");
	is(tell(&a, PUPPET_MOVE, b.pid, "d"), 0, "she moves it out");
	is(peek(&a, b.pid), -EPERM, "and may not, either");
	is(tell(&a, PUPPET_MKDIR, 0, "d/y"), 0, "she makes d/y");
	is(tell(&b, PUPPET_MOVE, 0, "d/y"), 0, "it goes there");
	is(tell(&a, PUPPET_RMDIR, 0, "d/x"), 0, "she removes d/x");
	is(tell(&a, PUPPET_MKDIR, 0, "d/x"), 0, "makes it anew");
	is(tell(&b, PUPPET_MOVE, 0, "d/x"), 0, "and it is there");
	is(peek(&a, b.pid), -EPERM, "she may not");
	puppet_end(&a);
	puppet_end(&b);
	cg_remove("d/x");
	cg_remove("d/y");
	cg_remove("d");
}

/* Boundaries and siblings: who is inside is who is in the cgroup; who has left is no less bound. */
static void test_relations(void)
{
	struct puppet in, peer, out, mine;

	cg_make("c");
	cg_make("z");
	in = puppet_new("c", ALICE);
	peer = puppet_new("c", ALICE);
	out = puppet_new("", ALICE);
	mine = puppet_new("z", ALICE);
	is(cg_stick("c", BOUNDARY, 1), 0, "c is a sticky boundary");
	is(cg_move("", in.pid), 0, "a process is moved out of it");
	is(peek(&out, in.pid), -EPERM, "and stays in its container for that");
	is(peek(&peer, in.pid), 0, "from within c allowed");
	is(look(in.pid), 0, "and with the capability");
	is(cg_move("z", in.pid) ?: cg_set("z", BOUNDARY, 1), 0, "in another container it has two");
	is(peek(&mine, in.pid), -EPERM, "z is outside of one");
	is(peek(&peer, in.pid), -EPERM, "and c of the other");
	is(cg_unset("c", BOUNDARY) ?: peek(&mine, in.pid), 0, "c is no boundary any more: z counts");
	is(cg_unset("z", BOUNDARY), 0, "nor is z");
	is(global_set(BOUNDARY, 1) ?: peek(&out, in.pid), 0, "the global boundary: no namespaces");
	is(cg_stick("c", BOUNDARY, 1), 0, "c is one again");
	is(peek(&out, in.pid), -EPERM, "and counts besides");
	is(cg_unset("c", BOUNDARY) ?: global_set(BOUNDARY, 0), 0, "both are gone");

	is(cg_stick("c", ATTACH, PSC_SCOPE_SIBLINGS), 0, "c = siblings, sticky");
	is(peek(&peer, in.pid), 0, "who has left is a sibling still");
	is(peek(&mine, in.pid), -EPERM, "of nobody in z");
	is(cg_set("z", ATTACH, PSC_SCOPE_SIBLINGS), 0, "z = siblings");
	is(peek(&mine, in.pid), -EPERM, "does not make it one there");
	is(peek(&peer, in.pid), -EPERM, "and it is none in c any more");
	is(cg_move("c", in.pid) ?: peek(&peer, in.pid), 0, "until it is back");
	puppet_end(&in);
	puppet_end(&peer);
	puppet_end(&out);
	puppet_end(&mine);
	cg_remove("c");
	cg_remove("z");
}

/* Nothing is left of the dead. */
static void test_leftovers(const char *when)
{
	for (int i = 0; i < 20000 && (global_info().carried || cells() > 0); i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		usleep(5000);
	}
	ok(!global_info().carried, "%s: what stuck to tasks is gone with them", when);
	ok(cells() == 0, "%s: and so are the cgroups that they referred to", when);
	ok(!global_info().entries, "%s: no entry is left", when);
}

/* No room for what sticks: forks there fail, and nobody else has to do with it. */
static void test_no_room(void)
{
	struct puppet early, outside, hers, locked;
	int channel, movers;
	pid_t pid, many;

	cg_make("f");
	cg_make("g");
	cg_make("d");
	own("d", ALICE);
	cg_make("d/x");
	early = puppet_new("f", ROOT);
	locked = puppet_new("g", ROOT);
	outside = puppet_new("", ROOT);
	hers = puppet_new("d", ALICE);
	many = crowd_new(&movers, ROOM + 8);
	is(crowd_come(movers), 0, "a process of many threads");
	pid = crowd_new(&channel, 2 * ROOM);
	is(cg_move("f", pid) ?: cg_stick("f", ATTACH, 3) ?: cg_stick("d/x", ATTACH, 3), 0,
	   "f and d/x = 3, sticky");
	is(crowd_come(channel), ENOMEM, "there a thread too many is not born");
	is((int)global_info().carried, ROOM, "as there is room for so many only");
	is(look(outside.pid), 0, "others are as free as they were");
	ok(tell(&outside, PUPPET_SPAWN, 0, "") > 0, "and fork");
	is(cg_move("", early.pid), 0, "a move cannot be refused");
	is(look(early.pid), -EPERM, "who is moved has what sticks");
	is((int)global_info().carried, ROOM + 1, "from the reserve");
	is(cg_move("d/x", hers.pid) ?: cg_move("d", hers.pid), 0, "through a cgroup of alice's");
	is(look(hers.pid), 0, "nothing sticks, as her subtree has none of the reserve");
	is((int)shed(), 1, "which is counted");
	is(cg_move("f", many) ?: cg_move("", many), 0, "more are moved than half of the reserve");
	is((int)global_info().carried, ROOM + ROOM / 2, "which they get");
	ok(shed() > ROOM / 2, "the others are counted");
	is(look(outside.pid), 0, "nobody else has to do with it");
	ok(tell(&outside, PUPPET_SPAWN, 0, "") > 0, "and everybody forks");
	ok(global_info().policy.floor[0] == 0 && global_info().policy.scope[0] == 0,
	   "the global policy is what it was");
	is(cg_lock("g", ATTACH, 3) ?: cg_move("", locked.pid), 0, "who leaves a cgroup with a floor");
	is(look(locked.pid), -EPERM, "keeps it: for floors there is room");
	is(look(outside.pid), 0, "and nobody else has it");
	crowd_end(pid);
	crowd_end(many);
	puppet_end(&early);
	puppet_end(&outside);
	puppet_end(&hers);
	puppet_end(&locked);
	cg_remove("d/x");
	cg_remove("d");
	cg_remove("f");
	cg_remove("g");
}

/* With a floor besides. */
static void test_floors(void)
{
	struct psc_request req = {
		.op = PSC_OP_CHANGE, .set = ATTACH | READ, .stick = ATTACH | READ, .lock = ATTACH,
		.want = PSC_WANT(2), .flags = PSC_FLAG_REVOCABLE,
	};
	struct psc_find_request found;
	struct puppet p;

	cg_make("f");
	cg_make("g");
	p = puppet_new("f", ROOT);
	is(cg_request("f", &req), 0, "f = 2 for attach, locked, and for read, both sticky");
	is(cg_set("f", ATTACH, 3), 0, "f = 3 above its floor");
	is(cg_move("g", p.pid), 0, "a process leaves");
	found = process("g", p.pid);
	ok(found.effective.scope[0] == 3 && found.effective.floor[0] == 2 &&
	   found.effective.scope[2] == 2 && found.effective.floor[2] == 0,
	   "and has the floor and both scopes");
	is(look(p.pid), -EPERM, "they hold");
	is(release(p.pid), 0, "it is released");
	found = process("g", p.pid);
	ok(found.effective.scope[0] == 2 && found.effective.floor[0] == 2 &&
	   found.effective.scope[2] == 0, "from the scopes, not from the floor");
	is(bpf_obj_get(PSC_PIN_DIR "/psc_sticky"), -EPERM, "nobody opens the map");
	puppet_end(&p);
	cg_remove("f");
	cg_remove("g");
}

int main(void)
{
	if (!carry_begin())
		return finish();
	test_rules();
	test_moves();
	test_clone_into();
	test_dead_leader();
	test_many_left();
	test_leftovers("one by one");
	test_fork_races();
	test_changes();
	test_leftovers("after races");
	test_delegation();
	test_relations();
	test_leftovers("at last");
	test_no_room();
	test_floors();
	puppet_end(&stranger);
	psc_kernel_close(kernel);
	return finish();
}
