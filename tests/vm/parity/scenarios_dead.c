/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named worlds, as in scenarios.c: processes whose leader has exited while other threads live.
 * The kernel moves no task that is exiting, so when such a process is moved to another cgroup
 * the leader stays behind. With ours, the scope is that of the cgroup then and the global one is
 * 0: who asked the leader for the cgroup would allow everything.
 */
#include "scenarios.h"

/* A process without its leader: the thread that lives. */
static int behead(struct world *w, int leader)
{
	int thread = thread_of(w, leader);

	world_exit_thread(w, leader);
	return thread;
}

/* Move the process of an actor to the cgroup that has the scope. */
static void move(struct world *w, int actor)
{
	must(w, world_move(w, actor), 0);
}

/* ---- of a cgroup or not ---- */

static void as_tracer(struct world *w, bool moved)
{
	int a = user(w), child = child_of(w, a), b = user(w), c = user(w), thread = behead(w, a);

	declare(w, c, a);	/* by the number of the dead leader */
	if (moved)
		move(w, thread);
	expect(w, thread, child, RELATED);
	expect(w, thread, c, RELATED);
	expect(w, thread, b, STRANGER);
	expect_op(w, thread, -1, OP_TRACEME_CHILD, RELATED);
}

static void as_tracee(struct world *w, bool moved)
{
	int a = user(w), b = child_of(w, a), c = user(w), d = user(w), thread;

	declare(w, b, c);
	thread = behead(w, b);
	if (moved)
		move(w, thread);
	expect(w, a, thread, RELATED);
	expect(w, c, thread, RELATED);
	expect(w, d, thread, STRANGER);
	expect_op(w, d, thread, OP_MAPS, "yyyy");	/* READ */
}

static void as_declared(struct world *w, bool moved)
{
	int a = user(w), b = user(w), thread, other;

	declare(w, b, a);
	thread = behead(w, a);
	other = thread_of(w, thread);
	if (moved)
		move(w, thread);
	expect(w, thread, b, RELATED);
	expect(w, other, b, RELATED);
	expect(w, child_of(w, other), b, RELATED);
	expect(w, b, thread, STRANGER);
}

static void tracer(struct world *w)
{
	as_tracer(w, false);
}

static void tracer_moved(struct world *w)
{
	as_tracer(w, true);
}

static void tracee(struct world *w)
{
	as_tracee(w, false);
}

static void tracee_moved(struct world *w)
{
	as_tracee(w, true);
}

static void declared(struct world *w)
{
	as_declared(w, false);
}

static void declared_moved(struct world *w)
{
	as_declared(w, true);
}

/* All of it is in the cgroup when the leader ends. */
static void moved_before(struct world *w)
{
	int a = user(w), b, child, thread;

	move(w, a);
	child = child_of(w, a);
	b = child_of(w, a);
	thread = behead(w, b);
	expect(w, a, thread, RELATED);
	expect(w, child, thread, STRANGER);
	expect(w, thread, child, STRANGER);
	expect_op(w, thread, -1, OP_TRACEME_CHILD, RELATED);
}

/* ---- the other ways in which one is somebody ---- */

static void declared_thread(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), other = thread_of(w, a), b = user(w);

	world_exit_thread(w, a);
	declare(w, b, thread);
	expect(w, thread, b, RELATED);
	expect(w, other, b, RELATED);
}

static void tracing_thread(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, a), other = thread_of(w, a);

	must_seize(w, thread, b);
	world_exit_thread(w, a);
	expect(w, thread, b, RELATED);
	expect(w, other, b, RELATED);
}

static void traced_thread(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, b), other = thread_of(w, b);

	must_seize(w, a, thread);
	world_exit_thread(w, b);
	expect(w, a, thread, RELATED);
	expect(w, a, other, STRANGER);
}

static void orphan(struct world *w)
{
	int a = user(w), middle = child_of(w, a), b = child_of(w, middle), thread = behead(w, b);

	world_exit(w, middle, true);
	expect(w, a, thread, STRANGER);
}

static void parent_beheaded(struct world *w)
{
	int a = user(w), middle = child_of(w, a), b = child_of(w, middle);
	int thread = behead(w, middle), later = child_of(w, thread);

	expect(w, a, b, RELATED);
	expect(w, a, later, RELATED);
	expect(w, thread, b, RELATED);
	expect(w, b, later, STRANGER);
}

static void execs(struct world *w)
{
	int a = user(w), b = user(w), c = user(w), thread;

	declare(w, b, c);
	declare(w, a, b);
	thread = behead(w, b);
	must(w, world_exec(w, thread), 0);	/* it becomes the leader */
	expect(w, c, thread, STRANGER);
	expect(w, thread, a, STRANGER);
}

const struct scenario dead_scenarios[] = {
	{ "a leader is dead: its process traces", tracer },
	{ "a leader is dead: its process is traced", tracee },
	{ "a leader is dead: its process is declared", declared },
	{ "a leader is dead: another thread is declared", declared_thread },
	{ "a leader is dead: another thread traces already", tracing_thread },
	{ "a leader is dead: another thread is traced already", traced_thread },
	{ "a leader is dead: an orphan", orphan },
	{ "a leader is dead: of a process between the ancestor and its descendant", parent_beheaded },
	{ "a leader is dead: exec by another thread ends declarations", execs },
	{ "a leader is dead: it was in a cgroup with a scope", moved_before },
	{ "a leader is dead: its process is moved, and traces", tracer_moved },
	{ "a leader is dead: its process is moved, and is traced", tracee_moved },
	{ "a leader is dead: its process is moved, and is declared", declared_moved },
};
const unsigned int dead_scenario_count = ARRAY_SIZE(dead_scenarios);
