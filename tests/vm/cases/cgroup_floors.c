/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floors of cgroups: what they refuse, that they bind everything below, and that they
 * go with a process and its children wherever root moves them.
 *
 * vm: lsm=no-yama cpus=2 limit=900
 */
#include <bpf/bpf.h>

#include "carry.h"
#include "loader.h"
#include "unload.h"
#include "util.h"

static void test_rules(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request req;

	cg_make("f");
	cg_make("f/s");
	is(cg_set("f", ATTACH, 1) ?: cg_set("f/s", ATTACH, 0), 0, "f = 1, f/s = 0");
	is(psc_kernel_locked(kernel), 0, "nothing is locked yet");
	is(cg_lock("f", ATTACH, 1), 0, "f is locked at 1");
	is(psc_kernel_locked(kernel), 1, "which the guards know");
	is(psc_unload(options.pin_dir, kernel), -EACCES, "and detaching");
	is(cg_set("f", ATTACH, 0), -EACCES, "f = 0 is refused");
	is(cg_set("f", ATTACH, PSC_SCOPE_SIBLINGS), -EACCES, "siblings too");
	is(cg_unset("f", ATTACH), -EACCES, "and so is no opinion");
	is(cg_unset("f", PSC_MODES_ALL), -EACCES, "on all modes as well");
	is(cg_lock("f", ATTACH, 0), -EACCES, "a lower floor too");
	is(cg_set("f", ATTACH, 2) ?: cg_set("f", ATTACH, 1), 0, "up, and down to the floor");
	is(cg_set("f", TRACEME, 0), 0, "other modes are free");
	req = cg_info("f/s");
	ok(req.policy.scope[0] == 0 && req.effective.scope[0] == 1 && req.effective.floor[0] == 1 &&
	   req.source[0] == cg_info("f").cgroup, "the floor binds f/s, whatever it had");
	is(cg_set("f/s", ATTACH, 0), -EACCES, "where 0 is refused now");
	is(cg_set("f/s", ATTACH, PSC_SCOPE_SIBLINGS), -EACCES, "and siblings");
	is(cg_set("f/s", ATTACH, 1), 0, "1 is not");
	is(cg_unset("f/s", ATTACH), 0, "nor is no opinion");

	is(cg_lock("f/s", READ, 2), 0, "a floor without an opinion");
	req = cg_info("f/s");
	ok(req.policy.scope[2] == PSC_SCOPE_INHERIT && req.policy.floor[2] == 2 &&
	   req.effective.scope[2] == 2, "stays without one, and holds");
	is(cg_unset("f/s", READ), -EACCES, "until reboot");
	cg_make("f/t");
	is(cg_lock("f/t", ATTACH, PSC_SCOPE_SIBLINGS), 0, "a floor of siblings");
	is(cg_info("f/t").effective.scope[0], 1, "below one of 1 changes nothing");
	is(cg_set("f/t", READ, PSC_SCOPE_NO_ATTACH), 0, "a revocable 3");
	is(cg_set("f/t", READ, 0), 0, "is revoked");
	req = (struct psc_request){ .op = PSC_OP_CHANGE, .set = READ, .want = PSC_WANT(3) };
	is(cg_request("f/t", &req), 0, "a 3 that is not");
	is(cg_set("f/t", READ, 2), -EACCES, "is final");
	is(cg_lock("f/t", BOUNDARY, 1), 0, "a locked boundary");
	is(cg_set("f/t", BOUNDARY, 0), -EACCES, "stays");
	is(global_set(ATTACH, 0), 0, "the global policy is nobody's floor");

	is(bpf_obj_get(PSC_PIN_DIR "/psc_cgroups"), -EPERM, "nobody opens the map of entries");
	is(bpf_obj_get(PSC_PIN_DIR "/psc_carried"), -EPERM, "nor that of floors that stick");
	is((int)global_info().entries, 3, "three entries");
	cg_remove("f/t");
	cg_remove("f/s");
	cg_remove("f");
	is((int)global_info().entries, 0, "go with their cgroups, floors or not");
	cg_make("f");
	is(cg_set("f", ATTACH, 0), 0, "a new cgroup of the same path has no floor");
	cg_remove("f");
}

/* A process moved by root, its threads and its children of before and after. */
static void test_moves(void)
{
	struct puppet p, q, fresh;
	pid_t before, after, thread[2];

	cg_make("f");
	cg_make("g");
	p = puppet_new("f", ROOT);
	q = puppet_new("f", ROOT);
	if (tell(&q, PUPPET_THREAD, 0, "") <= 0)
		bail("thread");
	before = tell(&p, PUPPET_SPAWN, 0, "");
	thread[0] = tell(&p, PUPPET_THREAD, 0, "");
	is(look(p.pid), 0, "no floor yet: root looks");
	is(cg_lock("f", ATTACH, 3), 0, "f is locked at 3");
	is(look(p.pid), -EPERM, "then not");
	is(look(thread[0]), -EPERM, "nor into its thread");
	is(look(before), -EPERM, "nor its child");
	is(cg_move("", p.pid), 0, "root moves it to the root cgroup");
	is(look(p.pid), -EPERM, "the floor went along");
	is(peek(&p, getpid()), -EPERM, "and binds it towards who is there");
	is(look(thread[0]), -EPERM, "with the thread");
	is(look(before), -EPERM, "and stays with the child in f");
	after = tell(&p, PUPPET_SPAWN, 0, "");
	thread[1] = tell(&p, PUPPET_THREAD, 0, "");
	is(look(after), -EPERM, "a child born elsewhere has it too");
	is(look(thread[1]), -EPERM, "and a thread");
	is(cg_move("g", after) ?: cg_move("", after), 0, "the child moves on");
	is(look(after), -EPERM, "and keeps it");
	is(cg_move("g", q.pid), 0, "another process with a thread");
	is(exec_by_thread(&q), -EPERM, "keeps it through an exec by that thread");
	is(cg_move("g", p.pid), 0, "as does the process");
	is(look(p.pid), -EPERM, "it keeps it");
	is(peek(&p, stranger.pid), -EPERM, "it may not look into others either");
	fresh = puppet_new("g", ROOT);
	is(look(fresh.pid), 0, "others in g have nothing to do with it");
	is(cg_move("", before), 0, "the child leaves f last");
	is(look(before), -EPERM, "and keeps it");
	cg_remove("f");
	is(look(p.pid), -EPERM, "f is gone, its floor sticks");
	is(look(before), -EPERM, "to all");

	is(exec_by_thread(&p), -EPERM, "and survives an exec by a thread born after the move");
	is(look(fresh.pid), 0, "others may still be looked into");
	puppet_end(&p);
	puppet_end(&q);
	puppet_end(&fresh);
	kill(before, SIGKILL);
	kill(after, SIGKILL);
	cg_remove("g");
}

static void test_clone_into(void)
{
	struct puppet p;
	pid_t child;

	cg_make("f");
	p = puppet_new("f", ROOT);
	is(cg_lock("f", ATTACH, 3), 0, "f is locked at 3");
	cg_make("g");
	child = tell(&p, PUPPET_SPAWN_INTO, 0, "g");
	ok(child > 0, "clone3() into g");
	is(look(child), -EPERM, "the child has the floor of its parent's cgroup");
	is(tell(&p, PUPPET_REAP, child, ""), 0, "it ends");
	child = tell(&p, PUPPET_SPAWN_INTO, 0, "");
	ok(child > 0, "into the root cgroup");
	is(look(child), -EPERM, "there too");
	is(tell(&p, PUPPET_MOVE, child, "g"), 0, "the parent itself moves it");
	is(look(child), -EPERM, "which changes nothing");
	puppet_end(&p);
	kill(child, SIGKILL);
	cg_remove("f");
	cg_remove("g");
}

/* Whose leader is dead: the kernel moves the other threads, and leaves that one where it was. */
static void test_dead_leader(void)
{
	struct puppet p, q;
	pid_t thread, other;

	cg_make("f");
	cg_make("g");
	is(cg_lock("f", ATTACH, 3), 0, "f is locked at 3");
	p = puppet_new("g", ROOT);
	thread = puppet_behead_now(&p);
	q = puppet_new("f", ROOT);
	other = puppet_behead_now(&q);
	is(look(thread), 0, "a process without leader, outside");
	is(look(other), -EPERM, "and one in f");
	is(cg_move("f", p.pid), 0, "root moves the one in");
	is(look(thread), -EPERM, "where it is bound");
	is(cg_move("g", p.pid) ?: cg_move("g", q.pid), 0, "and both out");
	is(look(thread), -EPERM, "it has kept the floor of where its threads were");
	is(look(other), -EPERM, "as has the other");
	puppet_end(&p);
	puppet_end(&q);
	cg_remove("g");
	cg_remove("f");
}

/* What binds somebody anyway needs no room. */
static void test_nothing_to_stick(void)
{
	struct puppet p;
	__u32 before;
	pid_t child;

	cg_make("f");
	cg_make("f/s");
	cg_make("g");
	p = puppet_new("f", ROOT);
	is(cg_lock("f", ATTACH, 3) ?: cg_lock("g", ATTACH, 3), 0, "f and g are locked at 3");
	/* What stuck to who is dead goes some time after his end. */
	for (int i = 0; i < 20000 && global_info().carried; i++)
		usleep(5000);
	before = global_info().carried;
	is(cg_move("f/s", p.pid) ?: cg_move("f", p.pid), 0, "a process moves below f");
	is((int)global_info().carried, (int)before, "which has nothing stick to it");
	is(cg_move("g", p.pid), 0, "nor is there anything to g, with the same floor");
	is((int)global_info().carried, (int)before, "that it has not there");
	is(cg_move("", p.pid), 0, "but when it leaves that");
	is((int)global_info().carried, (int)before + 1, "it sticks");
	is(look(p.pid), -EPERM, "and holds");
	child = tell(&p, PUPPET_SPAWN_INTO, 0, "g");
	is((int)global_info().carried, (int)before + 2, "to children, too");
	ok(child > 0 && cg_move("", child) == 0 && look(child) == -EPERM, "and holds");
	puppet_end(&p);
	kill(child, SIGKILL);
	cg_remove("g");
	cg_remove("f/s");
	cg_remove("f");
}

static void test_fork_races(void)
{
	race_forks(cg_lock, "the floor");
}

#define CHANGES 20000

/* Root changes entries, and makes and deletes others: in no moment is one of them not there. */
static void test_changes(void)
{
	struct pesterer pesterer;
	char name[16];
	struct puppet p;
	int err = 0;

	cg_make("f");
	neighbours_make();
	for (int i = 0; i < NEIGHBOURS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		err = err ?: cg_set(name, ATTACH, 0);
	}
	p = puppet_new("f", ROOT);
	is(err ?: cg_lock("f", ATTACH, 3), 0, "f is locked at 3, its neighbours have 0");
	pesterer = pesterer_new(p.pid);
	for (int i = 0; i < CHANGES && !err; i++) {
		snprintf(name, sizeof(name), "n%d", i / 2 % NEIGHBOURS);
		if (i % 2)
			err = cg_set("f", READ, (unsigned int)i / 2 % 2);
		else if (i / 2 / NEIGHBOURS % 3)
			err = cg_set(name, ATTACH, (unsigned int)i / 2 / NEIGHBOURS % 2);
		else
			err = cg_unset(name, ATTACH);
	}
	is(err, 0, "many changes of f and of the others");
	pesterer_end(&pesterer);
	puppet_end(&p);
	neighbours_remove();
	cg_remove("f");
}

/* A subtree that is alice's: she may arrange it as she likes, and stays under its policy. */
static void test_delegation(void)
{
	struct puppet a, b, out;

	cg_make("d");
	own("d", ALICE);
	a = puppet_new("d", ALICE);
	b = puppet_new("d", ALICE);
	out = puppet_new("", ALICE);
	is(cg_set("d", ATTACH, 2), 0, "d = 2");
	is(peek(&a, b.pid), -EPERM, "alice may not attach in it");
	is(tell(&a, PUPPET_MKDIR, 0, "d/x"), 0, "she makes d/x");
	is(tell(&a, PUPPET_MOVE, 0, "d/x"), 0, "moves one process there");
	is(tell(&a, PUPPET_MOVE, b.pid, "d/x"), 0, "and another");
	is(peek(&a, b.pid), -EPERM, "and may not attach there either");
	is(tell(&a, PUPPET_MOVE, 0, ""), -EACCES, "the kernel does not let her out");
	is(tell(&out, PUPPET_MOVE, 0, "d"), -EACCES, "nor in");
	is(cg_set("d/x", ATTACH, 0), 0, "d/x = 0");
	is(peek(&a, b.pid), 0, "there she may");
	is(tell(&a, PUPPET_MKDIR, 0, "d/y"), 0, "d/y");
	is(tell(&a, PUPPET_MOVE, b.pid, "d/y"), 0, "has nothing to do with that");
	is(peek(&a, b.pid), -EPERM, "so she may not");
	is(cg_lock("d/x", ATTACH, 2), 0, "d/x is locked at 2");
	is(tell(&a, PUPPET_MOVE, 0, "d/y"), 0, "she leaves it");
	is(cg_set("d", ATTACH, 0), 0, "for d = 0");
	is(tell(&a, PUPPET_RMDIR, 0, "d/x"), 0, "removes it");
	is(tell(&a, PUPPET_MKDIR, 0, "d/x"), 0, "and makes it anew");
	is(tell(&a, PUPPET_MOVE, 0, "d/x"), 0, "without entry");
	is(cg_info("d/x").effective.floor[0], 0, "and without floor");
	is(peek(&b, a.pid), -EPERM, "but her process has kept the floor");
	is(peek(&out, b.pid), 0, "which the other never had");
	puppet_end(&a);
	puppet_end(&b);
	puppet_end(&out);
	cg_remove("d/x");
	cg_remove("d/y");
	cg_remove("d");
}

/* Threads of one process in several cgroups of one domain. */
static void test_threaded(void)
{
	struct puppet p;
	pid_t thread[2];

	cg_make("t");
	cg_make("t/w");
	cg_make("t/v");
	if (cg_write("t/w", "cgroup.type", "threaded") || cg_write("t/v", "cgroup.type", "threaded"))
		bail("threaded");
	p = puppet_new("t", ROOT);
	thread[0] = tell(&p, PUPPET_THREAD, 0, "");
	thread[1] = tell(&p, PUPPET_THREAD, 0, "");
	is(look(p.pid) ?: look(thread[0]), 0, "no floor yet");
	is(tell(&p, PUPPET_MOVE_THREAD, thread[0], "t/w"), 0, "one thread to t/w");
	is(cg_lock("t", ATTACH, 3), 0, "t is locked at 3");
	is(look(thread[0]), -EPERM, "its domain's floor binds it");
	is(look(thread[1]), -EPERM, "as it does the others");
	is(tell(&p, PUPPET_MOVE_THREAD, thread[0], "t/v"), 0, "the thread moves on");
	is(look(thread[0]), -EPERM, "in the domain");
	is(tell(&p, PUPPET_MOVE_THREAD, thread[1], ""), -EOPNOTSUPP,
	   "out of it the kernel lets no single thread");
	is(cg_move("", p.pid), 0, "but the process");
	is(look(p.pid), -EPERM, "which keeps the floor");
	is(look(thread[0]), -EPERM, "with the thread from t/v");
	is(look(thread[1]), -EPERM, "and the other");
	puppet_end(&p);
	cg_remove("t/w");
	cg_remove("t/v");
	cg_remove("t");
}

/* What sticks is a floor and no opinion, neither on its own process nor on anybody else. */
static void test_no_opinion(void)
{
	struct puppet in, one, other;

	cg_make("f");
	in = puppet_new("f", ALICE);
	one = puppet_new("", ALICE);
	other = puppet_new("", ALICE);
	is(cg_lock("f", READ, 1), 0, "f is locked, for reading");
	is(global_set(ATTACH, 1), 0, "the global scope is 1");
	is(peek(&one, other.pid), -EPERM, "alice may not attach");
	is(cg_move("", in.pid), 0, "a process leaves f with its floor");
	is(peek(&one, other.pid), -EPERM, "which opens nobody else to her");
	is(peek(&one, in.pid), -EPERM, "nor that process");
	is(global_set(ATTACH, 0), 0, "the global scope is 0");
	is(peek(&one, other.pid), 0, "and she may");
	puppet_end(&in);
	puppet_end(&one);
	puppet_end(&other);
	cg_remove("f");
}

static void test_boundary(void)
{
	struct puppet in, peer, out, sub;

	cg_make("c");
	cg_make("c/s");
	sub = puppet_new("c/s", ROOT);
	cg_make("z");
	in = puppet_new("c", ALICE);
	peer = puppet_new("c", ALICE);
	out = puppet_new("", ALICE);
	is(cg_lock("c", BOUNDARY, 1), 0, "c is locked as a boundary");
	is(peek(&out, in.pid), -EPERM, "from outside refused");
	is(cg_move("", in.pid), 0, "a process is moved out of it");
	is(peek(&out, in.pid), -EPERM, "and stays in its container for that");
	is(peek(&peer, in.pid), 0, "from within c allowed");
	is(look(in.pid), 0, "and with the capability");
	is(tell(&sub, PUPPET_UNSHARE, 0, ""), 0, "a process with a cgroup namespace below c");
	is(tell(&sub, PUPPET_BECOME, ALICE, ""), 0, "that is alice's");
	is(peek(&peer, sub.pid), 0, "is in the container c");
	is(cg_move("", sub.pid), 0, "and when it is moved");
	is(peek(&peer, sub.pid), 0, "still");
	is(peek(&out, sub.pid), -EPERM, "with nobody else");
	is(cg_move("z", in.pid), 0, "in another container");
	is(cg_set("z", BOUNDARY, 1), 0, "it has two");
	is(peek(&peer, in.pid), -EPERM, "and c is outside of one of them");
	is(cg_move("z", out.pid), 0, "from z");
	is(peek(&out, in.pid), -EPERM, "z is outside of the other");
	puppet_end(&in);
	puppet_end(&peer);
	puppet_end(&out);
	puppet_end(&sub);
	cg_remove("c/s");
	cg_remove("c");
	cg_remove("z");
}

/* Two containers whose boundaries are locked, one beside the other: who has been in both. */
static void test_boundaries_apart(void)
{
	struct puppet in, in_a, in_b;
	pid_t child, into;

	cg_make("a");
	cg_make("b");
	cg_make("c");
	in = puppet_new("a", ALICE);
	in_a = puppet_new("a", ALICE);
	in_b = puppet_new("b", ALICE);
	is(cg_lock("a", BOUNDARY, 1) ?: cg_lock("b", BOUNDARY, 1), 0,
	   "a and b are locked as boundaries");
	is(cg_move("b", in.pid), 0, "a process goes from a to b");
	child = tell(&in, PUPPET_SPAWN, 0, "");
	own("c", ALICE);
	if (chmod(CGROUPS "/cgroup.procs", 0666))
		bail("chmod");
	into = tell(&in, PUPPET_SPAWN_INTO, 0, "c");
	chmod(CGROUPS "/cgroup.procs", 0644);
	ok(child > 0 && into > 0, "it has two children, one of them in c");
	is(peek(&in_a, in.pid), -EPERM, "a is outside of one of its containers");
	is(peek(&in_b, in.pid), -EPERM, "b of the other");
	is(cg_move("c", in.pid) ?: cg_move("c", child), 0, "it goes on, with the other child");
	is(peek(&in_a, in.pid), -EPERM, "and keeps both: from a refused");
	is(peek(&in_b, in.pid), -EPERM, "from b, too");
	is(peek(&in_a, child), -EPERM, "to the child that went along from a");
	is(peek(&in_b, child), -EPERM, "and from b");
	is(peek(&in_a, into), -EPERM, "to the one that was born there from a");
	is(peek(&in_b, into), -EPERM, "and from b");
	is(look(in.pid), 0, "with the capability allowed");
	puppet_end(&in);
	kill(child, SIGKILL);
	kill(into, SIGKILL);
	puppet_end(&in_a);
	puppet_end(&in_b);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	cg_remove("a");
	cg_remove("b");
	cg_remove("c");
}

/* And one inside of the other: the inner one counts. */
static void test_boundaries_nested(void)
{
	struct puppet down, up, outer, inner;

	cg_make("c");
	cg_make("c/s");
	down = puppet_new("c", ALICE);
	up = puppet_new("c/s", ALICE);
	outer = puppet_new("c", ALICE);
	inner = puppet_new("c/s", ALICE);
	is(cg_lock("c", BOUNDARY, 1) ?: cg_lock("c/s", BOUNDARY, 1), 0, "c and c/s are locked");
	is(cg_move("c/s", down.pid) ?: cg_move("", down.pid), 0, "from c down to c/s, and out");
	is(peek(&outer, down.pid), -EPERM, "from c refused");
	is(peek(&inner, down.pid), 0, "from c/s, which is in both, allowed");
	is(cg_move("c", up.pid) ?: cg_move("", up.pid), 0, "from c/s up to c, and out");
	is(peek(&outer, up.pid), -EPERM, "from c refused");
	is(peek(&inner, up.pid), 0, "from c/s allowed");
	puppet_end(&down);
	puppet_end(&up);
	puppet_end(&outer);
	puppet_end(&inner);
	cg_remove("c/s");
	cg_remove("c");
}

/* What stuck to the dead must not bind who lives at the same address. */
static void test_leftovers(void)
{
	int wrong = 0;

	for (int i = 0; i < 20000 && global_info().carried; i++)
		usleep(5000);
	is((int)global_info().carried, 0, "what stuck to tasks is gone with them");
	for (int i = 0; i < 50; i++) {
		struct puppet p = puppet_new("", ROOT);

		wrong += look(p.pid) != 0;
		puppet_end(&p);
	}
	is(wrong, 0, "and binds nobody new");
	is((int)global_info().entries, 0, "no entry is left");
	is(psc_kernel_locked(kernel), 1, "and still, once locked is locked until reboot");
}

/* No room for a floor that has to stick: nobody goes without. */
static void test_no_room(void)
{
	struct puppet early, outside;
	int channel, movers;
	pid_t pid, many;

	cg_make("f");
	early = puppet_new("f", ROOT);
	outside = puppet_new("", ROOT);
	many = crowd_new(&movers, ROOM + 8);
	is(crowd_come(movers), 0, "a process of many threads");
	pid = crowd_new(&channel, 2 * ROOM);
	is(cg_move("f", pid) ?: cg_lock("f", ATTACH, 3), 0, "f is locked at 3");
	is(crowd_come(channel), ENOMEM, "there a thread too many is not born");
	is((int)global_info().carried, ROOM, "as there is room for so many only");
	is(look(outside.pid), 0, "others are as free as they were");
	is(cg_move("", early.pid), 0, "a move cannot be refused");
	is(look(early.pid), -EPERM, "who is moved has the floor");
	is((int)global_info().carried, ROOM + 1, "from the reserve");
	is(look(outside.pid), 0, "and others have not");
	ok(tell(&outside, PUPPET_SPAWN, 0, "") > 0, "and fork");
	is(cg_move("f", many) ?: cg_move("", many), 0, "more are moved than the reserve has room for");
	is(look(many), -EPERM, "who is moved has the floor");
	is(look(outside.pid), -EPERM, "as has everybody then");
	ok(global_info().policy.scope[0] == 3 && global_info().policy.floor[0] == 3,
	   "which the global policy says");
	ok(tell(&outside, PUPPET_SPAWN, 0, "") > 0, "but everybody forks, needing no room for it");
	is(global_set(ATTACH, 0), -EACCES, "a global scope of 0 is refused");
	cg_make("g");
	is(cg_set("g", ATTACH, 0), -EACCES, "and what is set below it meets");
	crowd_end(pid);
	crowd_end(many);
	puppet_end(&early);
	is(look(outside.pid), -EPERM, "until reboot");
	puppet_end(&outside);
	cg_remove("g");
	cg_remove("f");
}

int main(void)
{
	if (!carry_begin())
		return finish();
	test_rules();
	test_moves();
	test_clone_into();
	test_dead_leader();
	test_nothing_to_stick();
	test_fork_races();
	test_changes();
	test_delegation();
	test_threaded();
	test_no_opinion();
	test_boundary();
	test_boundaries_apart();
	test_boundaries_nested();
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	test_leftovers();
	test_no_room();
	puppet_end(&stranger);
	psc_kernel_close(kernel);
	return finish();
}
