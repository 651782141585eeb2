/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named worlds. Each says which verdict is right, a letter for each scope from
 * 0 to 3: Documentation/admin-guide/LSM/Yama.rst where it says, otherwise
 * security/yama/yama_lsm.c. So a mistake that both sides share is seen too.
 * Here: relations between processes, and what PR_SET_PTRACER declares.
 */
#include "scenarios.h"

static void set_ptracer(struct world *w, int tracee, unsigned long value, int err)
{
	must(w, world_prctl(w, tracee, PR_SET_PTRACER, value), err);
}

/* ---- ancestors ---- */

static void stranger(struct world *w)
{
	int a = user(w), b = user(w);

	expect(w, a, b, STRANGER);
	expect(w, b, a, STRANGER);
	expect_op(w, a, b, OP_STAT, "yyyy");	/* READ with NOAUDIT */
	expect_op(w, a, b, OP_MAPS, "yyyy");	/* READ */
	expect_op(w, a, b, OP_KCMP, "yyyy");
}

static void other_user(struct world *w)
{
	int a = user(w), b = root(w);

	drop_to(w, b, BOB);
	expect(w, a, b, NEVER);
	expect_op(w, a, b, OP_STAT, "nnnn");
	expect_op(w, a, b, OP_MAPS, "nnnn");
}

static void ancestor(struct world *w, unsigned int between)
{
	int a = user(w), child = fork_ok(w, a, 0, between);

	expect(w, a, child, RELATED);
	expect(w, child, a, STRANGER);
}

static void ancestor_1(struct world *w)
{
	ancestor(w, 0);
}

static void ancestor_2(struct world *w)
{
	ancestor(w, 1);
}

static void ancestor_64(struct world *w)
{
	ancestor(w, 63);
}

static void ancestor_300(struct world *w)
{
	ancestor(w, 299);
}

static void ancestor_threads(struct world *w)
{
	int a = user(w), forker = thread_of(w, a), other = thread_of(w, a);
	int child = child_of(w, forker), child_thread = thread_of(w, child);
	int grandchild = child_of(w, child_thread);

	expect(w, a, child, RELATED);
	expect(w, other, child, RELATED);
	expect(w, other, child_thread, RELATED);
	expect(w, other, grandchild, RELATED);
	expect(w, child_thread, other, STRANGER);
}

static void ancestor_thread_died(struct world *w)
{
	int a = user(w), forker = thread_of(w, a), child = child_of(w, forker);

	world_exit_thread(w, forker);
	expect(w, a, child, RELATED);
}

static void ancestor_leader_died(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), child = child_of(w, a);
	int later = child_of(w, thread);

	world_exit_thread(w, a);
	expect(w, thread, child, RELATED);
	expect(w, thread, later, RELATED);
	expect(w, child, thread, STRANGER);
}

static void sibling(struct world *w)
{
	int a = user(w), b = child_of(w, a), c = child_of(w, a);

	expect(w, b, c, STRANGER);
}

static void reparented(struct world *w)
{
	int a = user(w), middle = child_of(w, a), child = child_of(w, middle);

	world_exit(w, middle, true);
	expect(w, a, child, STRANGER);
}

static void reparented_subreaper(struct world *w)
{
	int a = user(w), b, middle, child;

	must(w, world_prctl(w, a, PR_SET_CHILD_SUBREAPER, 1), 0);
	b = child_of(w, a);
	middle = child_of(w, b);
	child = child_of(w, middle);
	world_exit(w, middle, true);
	expect(w, a, child, RELATED);
	expect(w, b, child, STRANGER);
}

static void reparented_pidns(struct world *w)
{
	int top = root(w), init = fork_ok(w, top, CLONE_NEWPID, 0);
	int middle = child_of(w, init), child = child_of(w, middle);

	drop_to(w, top, ALICE);
	drop_to(w, init, ALICE);
	drop_to(w, child, ALICE);
	world_exit(w, middle, true);
	expect(w, init, child, RELATED);
	expect(w, top, child, RELATED);
}

/* ---- existing tracers ---- */

static void tracing(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), child = child_of(w, a), b = user(w);
	int other = user(w);

	must_seize(w, a, b);
	expect_op(w, a, b, OP_VM_READV, RELATED);
	expect_op(w, a, b, OP_SEIZE, NEVER);	/* it is traced already */
	expect(w, thread, b, RELATED);
	expect(w, child, b, STRANGER);
	expect(w, other, b, STRANGER);
	expect(w, b, a, STRANGER);
}

static void tracing_ended(struct world *w)
{
	int a = user(w), b = user(w);

	must_seize(w, a, b);
	must(w, world_detach(w, a, b), w->no_attach ? ESRCH : 0);
	expect(w, a, b, STRANGER);
}

static void tracing_tracer_died(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w);

	must_seize(w, thread, b);
	world_exit_thread(w, thread);
	expect(w, a, b, STRANGER);
}

static void tracing_thread(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, b);

	must_seize(w, a, thread);
	expect(w, a, thread, RELATED);
	expect(w, a, b, STRANGER);
}

static void tracing_by_traceme(struct world *w)
{
	int a = user(w), b = child_of(w, a), middle = child_of(w, b), other = user(w);

	must(w, world_traceme(w, middle), w->no_attach ? EPERM : 0);
	expect(w, b, middle, RELATED);
	expect(w, a, middle, RELATED);
	expect(w, other, middle, STRANGER);
}

/* ---- PR_SET_PTRACER ---- */

static void declared(struct world *w)
{
	int a = user(w), b = user(w), c = user(w);

	declare(w, b, a);
	expect(w, a, b, RELATED);
	expect(w, b, a, STRANGER);
	expect(w, c, b, STRANGER);
}

static void declared_cleared(struct world *w)
{
	int a = user(w), b = user(w), c = user(w);

	declare(w, b, a);
	set_ptracer(w, b, 0, 0);
	set_ptracer(w, c, PR_SET_PTRACER_ANY, 0);
	set_ptracer(w, c, 0, 0);
	expect(w, a, b, STRANGER);
	expect(w, a, c, STRANGER);
	set_ptracer(w, c, 0, 0);	/* nothing to clear is no error */
}

static void declared_any(struct world *w)
{
	int a = user(w), b = user(w), other = root(w);

	set_ptracer(w, b, PR_SET_PTRACER_ANY, 0);
	drop_to(w, other, BOB);
	expect(w, a, b, RELATED);
	expect(w, other, b, NEVER);
}

static void declared_int_any(struct world *w)
{
	int a = user(w), b = user(w), c = user(w);

	set_ptracer(w, b, 0xffffffffUL, 0);
	set_ptracer(w, c, 0x5ffffffffUL, 0);
	expect(w, a, b, RELATED);
	expect(w, a, c, RELATED);
}

static void declared_invalid(struct world *w)
{
	int a = user(w), b = user(w), c = user(w);

	declare(w, b, a);
	set_ptracer(w, b, NO_SUCH_PID, EINVAL);
	set_ptracer(w, b, 0x100000000UL, EINVAL);
	set_ptracer(w, b, (unsigned long)-2, EINVAL);
	set_ptracer(w, b, 0x80000000UL, EINVAL);
	set_ptracer(w, c, NO_SUCH_PID, EINVAL);
	expect(w, a, b, RELATED);	/* what failed changed nothing */
	expect(w, a, c, STRANGER);
}

static void declared_reaped(struct world *w)
{
	int a = user(w), b = user(w), gone = user(w);

	world_exit(w, gone, true);
	must(w, world_declare_outer(w, b, gone), EINVAL);
	expect(w, a, b, STRANGER);
}

static void declared_high_bits(struct world *w)
{
	int a = user(w), b = user(w);

	must(w, world_declare(w, b, a, 7), 0);
	expect(w, a, b, RELATED);
}

static void declared_replaced(struct world *w)
{
	int a = user(w), b = user(w), c = user(w), d = user(w);

	declare(w, b, a);
	declare(w, b, c);
	set_ptracer(w, d, PR_SET_PTRACER_ANY, 0);
	declare(w, d, a);
	expect(w, a, b, STRANGER);
	expect(w, c, b, RELATED);
	expect(w, a, d, RELATED);
	expect(w, c, d, STRANGER);
}

static void declared_descendants(struct world *w)
{
	int parent = user(w), a = child_of(w, parent), child = fork_ok(w, a, 0, 2), b = user(w);
	int thread = thread_of(w, child);

	declare(w, b, a);
	expect(w, child, b, RELATED);
	expect(w, thread, b, RELATED);
	expect(w, parent, b, STRANGER);
}

static void declared_orphan(struct world *w)
{
	int parent = user(w), a = child_of(w, parent), child = child_of(w, a), b = user(w);

	declare(w, b, a);
	world_exit(w, a, false);
	expect(w, child, b, STRANGER);
	expect(w, parent, b, STRANGER);
}

static void declared_fork(struct world *w)
{
	int a = user(w), b = user(w), c = user(w), child, other;

	declare(w, b, a);
	set_ptracer(w, c, PR_SET_PTRACER_ANY, 0);
	child = child_of(w, b);
	other = child_of(w, c);
	expect(w, a, b, RELATED);
	expect(w, a, child, STRANGER);
	expect(w, a, other, STRANGER);
}

static void declared_self(struct world *w)
{
	int a = user(w), child = child_of(w, a), grandchild = child_of(w, child), c = user(w);

	/* A process that names itself opens itself to its descendants. */
	declare(w, a, a);
	expect(w, child, a, RELATED);
	expect(w, grandchild, a, RELATED);
	expect(w, c, a, STRANGER);
}

static void declared_by_thread(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, b), other = thread_of(w, b);

	declare(w, thread, a);
	world_exit_thread(w, thread);	/* the declaration is the leader's */
	expect(w, a, b, RELATED);
	expect(w, a, other, RELATED);
}

static void declared_cleared_by_thread(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, b);

	declare(w, b, a);
	set_ptracer(w, thread, 0, 0);
	expect(w, a, b, STRANGER);
}

static void declared_by_dead_leader(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, b);

	world_exit_thread(w, b);
	declare(w, thread, a);
	expect(w, a, thread, RELATED);
}

static void declared_exec(struct world *w)
{
	int a = user(w), b = user(w), c = user(w);

	declare(w, b, a);
	set_ptracer(w, c, PR_SET_PTRACER_ANY, 0);
	must(w, world_exec(w, b), 0);
	must(w, world_exec(w, c), 0);
	expect(w, a, b, RELATED);
	expect(w, a, c, RELATED);
}

static void declared_exec_thread(struct world *w)
{
	int a = user(w), b = user(w), b2 = thread_of(w, b), c = user(w), c2 = thread_of(w, c);

	declare(w, b, a);
	set_ptracer(w, c, PR_SET_PTRACER_ANY, 0);
	must(w, world_exec(w, b2), 0);
	must(w, world_exec(w, c2), 0);
	expect(w, a, b2, STRANGER);
	expect(w, a, c2, STRANGER);
}

static void declared_redeclared_after_exec(struct world *w)
{
	int a = user(w), b = user(w), thread = thread_of(w, b);

	declare(w, b, a);
	must(w, world_exec(w, thread), 0);
	declare(w, thread, a);
	expect(w, a, thread, RELATED);
}

/* ---- the tracer's side of it ---- */

static void tracer_zombie(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w);

	declare(w, b, a);
	world_exit_thread(w, a);	/* its other thread lives on */
	expect(w, thread, b, RELATED);
}

static void tracer_exec(struct world *w)
{
	int a = user(w), b = user(w);

	declare(w, b, a);
	must(w, world_exec(w, a), 0);
	expect(w, a, b, RELATED);
}

static void tracer_exec_thread(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w);

	/* The leader was named, and it ends when another thread takes its place. */
	declare(w, b, a);
	must(w, world_exec(w, thread), 0);
	expect(w, thread, b, STRANGER);
}

static void tracer_thread(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), child = child_of(w, a), b = user(w);

	declare(w, b, thread);
	expect(w, thread, b, RELATED);
	expect(w, a, b, RELATED);
	expect(w, child, b, RELATED);
}

static void tracer_thread_ended(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w);

	declare(w, b, thread);
	world_exit_thread(w, thread);
	expect(w, a, b, STRANGER);
}

static void tracer_thread_exec(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w);

	declare(w, b, thread);
	must(w, world_exec(w, thread), 0);
	expect(w, thread, b, RELATED);
}

/*
 * A new process, or thread of @actor, with the number of one that is gone. A
 * kernel thread may be quicker to take it, so there are several attempts.
 */
static int heir_of(struct world *w, int gone, int actor)
{
	pid_t tid = w->actors[gone].tid;

	for (int i = 0; i < 20; i++) {
		int heir;

		world_next_pid(w, tid);
		heir = actor < 0 ? user(w) : thread_of(w, actor);
		if (w->actors[heir].tid == tid)
			return heir;
		if (actor < 0)
			world_exit(w, heir, true);
		else
			world_exit_thread(w, heir);
	}
	bail("the number of a task that is gone cannot be used again");
}

static void tracer_pid_reused(struct world *w)
{
	int a = user(w), b = user(w), heir;

	declare(w, b, a);
	world_exit(w, a, true);
	heir = heir_of(w, a, -1);
	expect(w, heir, b, STRANGER);
}

static void tracee_pid_reused(struct world *w)
{
	int a = user(w), b = user(w), heir;

	declare(w, b, a);
	world_exit(w, b, true);
	heir = heir_of(w, b, -1);
	expect(w, a, heir, STRANGER);
}

static void tracer_thread_tid_reused(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w), heir;

	declare(w, b, thread);
	world_exit_thread(w, thread);
	heir = heir_of(w, thread, a);
	expect(w, a, b, STRANGER);
	expect(w, heir, b, STRANGER);
}

/*
 * New processes get the memory of those that the kernel has freed: nothing that
 * is known by a task's address may be left over then.
 */
static void memory_reused(struct world *w)
{
	int a = user(w), b = user(w), tracer = user(w), tracee = user(w), other = user(w);
	int thread = thread_of(w, a);

	declare(w, b, tracer);
	declare(w, other, thread);
	set_ptracer(w, tracee, PR_SET_PTRACER_ANY, 0);
	world_exit(w, tracer, true);
	world_exit(w, tracee, true);
	world_exit_thread(w, thread);
	world_settle(w);
	for (int i = 0; i < 16; i++) {
		int heir = user(w);

		expect(w, heir, b, STRANGER);
		expect(w, heir, other, STRANGER);
		expect(w, a, heir, STRANGER);
	}
}

/* ---- pid namespaces ---- */

static void pidns_declared(struct world *w)
{
	int top = root(w), init = fork_ok(w, top, CLONE_NEWPID, 0);
	int a = child_of(w, init), b = child_of(w, init), c = user(w);

	drop_to(w, a, ALICE);
	drop_to(w, b, ALICE);
	declare(w, b, a);	/* by its number in there */
	expect(w, a, b, RELATED);
	expect(w, c, b, STRANGER);
	/* Its number outside means nobody inside. */
	must(w, world_declare_outer(w, a, b), EINVAL);
	expect(w, b, a, STRANGER);
}

static void pidns_init_declared(struct world *w)
{
	int top = root(w), init = fork_ok(w, top, CLONE_NEWPID, 0), outside;
	int a = child_of(w, init), b = child_of(w, init);

	drop_to(w, init, ALICE);
	drop_to(w, a, ALICE);
	drop_to(w, b, ALICE);
	outside = user(w);
	/* Inside, 1 is the init of the namespace, and all are its descendants. */
	set_ptracer(w, b, 1, 0);
	expect(w, init, b, RELATED);
	expect(w, a, b, RELATED);
	expect(w, outside, b, STRANGER);
}

static void pidns_tracee_outside(struct world *w)
{
	int top = root(w), init = fork_ok(w, top, CLONE_NEWPID, 0), b = user(w);
	int inner = fork_ok(w, init, CLONE_NEWPID, 0), c = child_of(w, inner);

	drop_to(w, c, ALICE);
	drop_to(w, init, ALICE);
	declare(w, b, c);	/* two levels down, by its number out here */
	expect(w, c, b, RELATED);
	expect(w, init, b, STRANGER);
	expect(w, init, c, RELATED);
}

/* ---- the dying and the dead ---- */

static void zombie(struct world *w)
{
	int a = root(w), b = child_of(w, a), c = root(w);

	/* Strangers must get past the rest of the kernel, which needs privilege with a zombie. */
	world_exit(w, b, false);
	must(w, world_caps(w, c, OTHER_CAPS, OTHER_CAPS), 0);
	expect(w, a, b, ALWAYS);
	expect(w, c, b, NEVER);
}

static void zombie_leader(struct world *w)
{
	int a = user(w), b = child_of(w, a), thread = thread_of(w, b), c = user(w), d = user(w);

	declare(w, b, c);
	world_exit_thread(w, b);
	expect(w, a, thread, RELATED);
	expect(w, c, thread, RELATED);
	expect(w, d, thread, STRANGER);
}

static void reaped(struct world *w)
{
	int a = user(w), b = child_of(w, a);

	world_exit(w, b, true);
	expect(w, a, b, NEVER);
}

const struct scenario scenarios[] = {
	{ "a stranger of the same user", stranger },
	{ "another user", other_user },
	{ "ancestor at depth 1", ancestor_1 },
	{ "ancestor at depth 2", ancestor_2 },
	{ "ancestor at depth 64", ancestor_64 },
	{ "ancestor at depth 300", ancestor_300 },
	{ "ancestry is between processes, not threads", ancestor_threads },
	{ "ancestor whose forking thread has died", ancestor_thread_died },
	{ "ancestor whose leader has died", ancestor_leader_died },
	{ "siblings are strangers", sibling },
	{ "an orphan's grandparent is a stranger", reparented },
	{ "a subreaper becomes an ancestor", reparented_subreaper },
	{ "the init of a pid namespace becomes an ancestor", reparented_pidns },
	{ "who traces already may do more, in all threads", tracing },
	{ "tracing has ended by detaching", tracing_ended },
	{ "tracing has ended with the tracing thread", tracing_tracer_died },
	{ "a traced thread is not its process", tracing_thread },
	{ "tracing began with TRACEME", tracing_by_traceme },
	{ "PR_SET_PTRACER names a process", declared },
	{ "PR_SET_PTRACER 0 clears", declared_cleared },
	{ "PR_SET_PTRACER_ANY", declared_any },
	{ "PR_SET_PTRACER of an int -1 is ANY", declared_int_any },
	{ "PR_SET_PTRACER of what is no task: EINVAL", declared_invalid },
	{ "PR_SET_PTRACER of a reaped process: EINVAL", declared_reaped },
	{ "PR_SET_PTRACER looks at an int only", declared_high_bits },
	{ "PR_SET_PTRACER replaces", declared_replaced },
	{ "descendants of the declared tracer, not its ancestors", declared_descendants },
	{ "orphans of the declared tracer", declared_orphan },
	{ "declarations are not inherited by fork", declared_fork },
	{ "declaring oneself", declared_self },
	{ "a thread declares for its process", declared_by_thread },
	{ "a thread clears for its process", declared_cleared_by_thread },
	{ "a thread declares for a leader that has exited", declared_by_dead_leader },
	{ "the tracee's declaration survives exec by the leader", declared_exec },
	{ "and vanishes when another thread execs", declared_exec_thread },
	{ "and can be renewed then", declared_redeclared_after_exec },
	{ "the declared leader has exited, its threads have not", tracer_zombie },
	{ "the declared tracer execs", tracer_exec },
	{ "the declared leader is replaced by an exec of a thread", tracer_exec_thread },
	{ "a thread is declared: its process passes", tracer_thread },
	{ "the declared thread has ended, its process has not", tracer_thread_ended },
	{ "the declared thread execs", tracer_thread_exec },
	{ "the declared tracer's pid is used again", tracer_pid_reused },
	{ "the declaring tracee's pid is used again", tracee_pid_reused },
	{ "the declared thread's number is used again", tracer_thread_tid_reused },
	{ "the memory of those who declared and were declared is used again", memory_reused },
	{ "PR_SET_PTRACER takes numbers of the caller's pid namespace", pidns_declared },
	{ "PR_SET_PTRACER of the init of a pid namespace", pidns_init_declared },
	{ "PR_SET_PTRACER of a process two pid namespaces down", pidns_tracee_outside },
	{ "a zombie", zombie },
	{ "a leader that has exited, its threads have not", zombie_leader },
	{ "a process that is gone", reaped },
};
const unsigned int scenario_count = ARRAY_SIZE(scenarios);
