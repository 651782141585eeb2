/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named worlds. Each says which verdict is right, a letter for each scope from
 * 0 to 3: Documentation/admin-guide/LSM/Yama.rst where it says, otherwise
 * security/yama/yama_lsm.c. So a mistake that both sides share is seen too.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "parity.h"

#define ALICE 1000
#define BOB 1001
#define ALL_CAPS (~0ULL)
#define ONE_CAP(cap) (1ULL << (cap))
#define PTRACE_CAP ONE_CAP(CAP_SYS_PTRACE)
/* perf_event_open() does not ask about ptrace who has CAP_PERFMON and CAP_KILL. */
#define OTHER_CAPS (~(PTRACE_CAP | ONE_CAP(CAP_KILL)))
/* Files in /proc/PID are readable for their owner only. */
#define PROC_CAP ONE_CAP(CAP_DAC_READ_SEARCH)
#define NO_SUCH_PID 4194303UL

/* Verdicts for scopes 0 to 3. */
#define ALWAYS "yyyn"		/* scope 3 refuses everyone */
#define RELATED "yynn"		/* allowed by relation or exception */
#define STRANGER "ynnn"
#define NEVER "nnnn"		/* the rest of the kernel refuses at scope 0, too */

static void expect_op(struct world *w, int tracer, int target, enum op op, const char *verdicts)
{
	if (w->expect_count == EXPECTS_MAX)
		bail("more than %d expectations", EXPECTS_MAX);
	w->expects[w->expect_count++] = (struct expect){ tracer, target, op, verdicts };
}

/* The verdict on all that asks for ATTACH. */
static void expect(struct world *w, int tracer, int target, const char *verdicts)
{
	expect_op(w, tracer, target, OPS, verdicts);
}

/* A command must end so; @err 0 for success. */
static void must(struct world *w, long ret, int err)
{
	if (ret == -err || (err == 0 && ret > 0))
		return;
	world_note(w, "that was to be %s", err ? strerrorname_np(err) : "done");
	w->wrong++;
}

/* PTRACE_SEIZE, which scope 3 refuses. */
static void must_seize(struct world *w, int tracer, int target)
{
	must(w, world_seize(w, tracer, target), w->no_attach ? EPERM : 0);
}

static void drop_to(struct world *w, int actor, uid_t uid)
{
	must(w, world_setuid(w, actor, uid), 0);
	must(w, world_prctl(w, actor, PR_SET_DUMPABLE, 1), 0);
}

static int fork_ok(struct world *w, int parent, unsigned int flags, unsigned int between)
{
	int actor = world_fork(w, parent, flags, between);

	if (actor < 0)
		bail("fork failed");
	return actor;
}

static int child_of(struct world *w, int parent)
{
	return fork_ok(w, parent, 0, 0);
}

static int thread_of(struct world *w, int actor)
{
	int thread = world_thread(w, actor);

	if (thread < 0)
		bail("thread failed");
	return thread;
}

static int root(struct world *w)
{
	return fork_ok(w, -1, 0, 0);
}

/* An ordinary user's process; two of them are strangers to each other. */
static int user(struct world *w)
{
	int actor = root(w);

	drop_to(w, actor, ALICE);
	return actor;
}

static void declare(struct world *w, int tracee, int tracer)
{
	must(w, world_declare(w, tracee, tracer, 0), 0);
}

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
	pid_t pid = w->actors[gone].tgid;

	world_exit(w, gone, true);
	set_ptracer(w, b, (unsigned long)pid, EINVAL);
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

static void tracer_pid_reused(struct world *w)
{
	int a = user(w), b = user(w), heir;
	pid_t pid = w->actors[a].tgid;

	declare(w, b, a);
	/* Somebody else may be quicker to take the number, so there are several attempts. */
	for (int i = 0; i < 20; i++) {
		if (i == 0)
			world_exit(w, a, true);
		world_next_pid(w, pid);
		heir = user(w);
		if (w->actors[heir].tgid == pid)
			break;
		world_exit(w, heir, true);
	}
	if (w->actors[heir].tgid != pid)
		bail("the tracer's pid cannot be used again");
	expect(w, heir, b, STRANGER);
}

static void tracee_pid_reused(struct world *w)
{
	int a = user(w), b = user(w), heir;
	pid_t pid = w->actors[b].tgid;

	declare(w, b, a);
	for (int i = 0; i < 20; i++) {
		if (i == 0)
			world_exit(w, b, true);
		world_next_pid(w, pid);
		heir = user(w);
		if (w->actors[heir].tgid == pid)
			break;
		world_exit(w, heir, true);
	}
	if (w->actors[heir].tgid != pid)
		bail("the tracee's pid cannot be used again");
	expect(w, a, heir, STRANGER);
}

static void tracer_thread_tid_reused(struct world *w)
{
	int a = user(w), thread = thread_of(w, a), b = user(w), heir;
	pid_t tid = w->actors[thread].tid;

	declare(w, b, thread);
	for (int i = 0; i < 20; i++) {
		if (i == 0)
			world_exit_thread(w, thread);
		world_next_pid(w, tid);
		heir = thread_of(w, a);
		if (w->actors[heir].tid == tid)
			break;
		world_exit_thread(w, heir);
	}
	if (w->actors[heir].tid != tid)
		bail("the thread's number cannot be used again");
	expect(w, a, b, STRANGER);
	expect(w, heir, b, STRANGER);
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
	set_ptracer(w, a, (unsigned long)w->actors[b].tgid, EINVAL);
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

/* ---- capabilities ---- */

static void capable(struct world *w)
{
	int a = root(w), b = user(w), c = root(w);

	must(w, world_prctl(w, c, PR_SET_KEEPCAPS, 1), 0);
	drop_to(w, c, BOB);
	must(w, world_caps(w, c, PTRACE_CAP | PROC_CAP, PTRACE_CAP | PROC_CAP), 0);
	expect(w, a, b, ALWAYS);
	expect(w, c, b, ALWAYS);
}

static void capability_not_effective(struct world *w)
{
	int a = root(w), b = root(w);

	must(w, world_caps(w, b, 0, 0), 0);
	must(w, world_caps(w, a, OTHER_CAPS, ALL_CAPS), 0);
	expect(w, a, b, STRANGER);
}

static void capability_raised_again(struct world *w)
{
	int a = root(w), b = root(w);

	must(w, world_caps(w, b, 0, 0), 0);
	must(w, world_caps(w, a, 0, ALL_CAPS), 0);
	must(w, world_caps(w, a, PTRACE_CAP | PROC_CAP, ALL_CAPS), 0);
	expect(w, a, b, ALWAYS);
}

static void capability_of_thread(struct world *w)
{
	int a = root(w), thread = thread_of(w, a), b = root(w);

	must(w, world_caps(w, b, 0, 0), 0);
	must(w, world_caps(w, thread, OTHER_CAPS, ALL_CAPS), 0);
	expect(w, a, b, ALWAYS);
	expect(w, thread, b, STRANGER);
}

static void capability_of_tracee(struct world *w)
{
	int a = root(w), b = root(w);

	must(w, world_caps(w, a, 0, 0), 0);
	expect(w, b, a, ALWAYS);
	/* The tracee has more capabilities: commoncap refuses. */
	expect(w, a, b, NEVER);
}

/* ---- user namespaces ---- */

static void userns_inside(struct world *w)
{
	int a = user(w), b, c;

	must(w, world_unshare_user(w, a), 0);
	b = child_of(w, a);
	c = child_of(w, a);
	must(w, world_caps(w, c, 0, 0), 0);
	expect(w, b, c, ALWAYS);	/* capable in the namespace of both */
	expect(w, c, b, NEVER);
}

static void userns_inside_without(struct world *w)
{
	int a = user(w), b, c;

	must(w, world_unshare_user(w, a), 0);
	must(w, world_caps(w, a, 0, 0), 0);
	b = child_of(w, a);
	c = child_of(w, a);
	expect(w, a, b, RELATED);
	expect(w, b, c, STRANGER);
}

static void userns_from_parent(struct world *w)
{
	int a = user(w), b = user(w), admin = root(w);

	must(w, world_unshare_user(w, b), 0);
	expect(w, admin, b, ALWAYS);
	expect(w, a, b, ALWAYS);	/* the owner of b's namespace */
	expect(w, b, a, NEVER);		/* no capability out here */
}

static void userns_not_owner(struct world *w)
{
	int a = user(w), b = root(w);

	must(w, world_unshare_user(w, b), 0);
	drop_to(w, b, ALICE);
	expect(w, a, b, NEVER);
	expect(w, b, a, NEVER);
}

static void userns_owner_of_grandparent(struct world *w)
{
	int a = user(w), b = user(w), c;

	must(w, world_unshare_user(w, b), 0);
	must(w, world_unshare_user(w, b), 0);
	c = child_of(w, b);
	must(w, world_unshare_user(w, c), 0);
	expect(w, a, b, ALWAYS);
	expect(w, a, c, ALWAYS);
	expect(w, b, c, ALWAYS);
	expect(w, c, b, NEVER);
}

static void userns_sibling(struct world *w)
{
	int a = user(w), b = user(w), c = user(w);

	must(w, world_unshare_user(w, a), 0);
	must(w, world_unshare_user(w, b), 0);
	must(w, world_setns_user(w, c, b), 0);
	expect(w, a, b, NEVER);
	expect(w, b, a, NEVER);
	expect(w, c, b, ALWAYS);
}

static void userns_exception(struct world *w)
{
	int a = user(w), b = child_of(w, a), c = user(w);

	/* Relations do not get past the rest of the kernel. */
	must(w, world_unshare_user(w, a), 0);
	declare(w, c, a);
	expect(w, a, b, NEVER);
	expect(w, a, c, NEVER);
}

/* ---- PTRACE_TRACEME ---- */

static void traceme(struct world *w)
{
	int a = user(w), b = child_of(w, a);

	expect_op(w, b, -1, OP_TRACEME, RELATED);
	expect_op(w, a, -1, OP_TRACEME_CHILD, RELATED);
}

static void traceme_capable_parent(struct world *w)
{
	int a = root(w), b = child_of(w, a);

	drop_to(w, b, ALICE);
	expect_op(w, b, -1, OP_TRACEME, ALWAYS);
	expect_op(w, a, -1, OP_TRACEME_CHILD, ALWAYS);
	expect_op(w, a, -1, OP_TRACEME_NOCAPS, ALWAYS);
	expect_op(w, b, -1, OP_TRACEME_CHILD, RELATED);
}

static void traceme_capable_child(struct world *w)
{
	int a = root(w), b = child_of(w, a);

	drop_to(w, a, ALICE);
	/* The tracee has more capabilities: commoncap refuses. */
	expect_op(w, b, -1, OP_TRACEME, NEVER);
}

static void traceme_not_effective(struct world *w)
{
	int a = root(w);

	must(w, world_caps(w, a, OTHER_CAPS, ALL_CAPS), 0);
	expect_op(w, a, -1, OP_TRACEME_CHILD, RELATED);
	expect_op(w, child_of(w, a), -1, OP_TRACEME, RELATED);
}

static void traceme_parent_thread(struct world *w)
{
	int a = root(w), thread = thread_of(w, a), b = child_of(w, a), c, c2;

	/* It is the very thread that forked whose capability counts. */
	must(w, world_caps(w, thread, 0, 0), 0);
	c = child_of(w, thread);
	c2 = thread_of(w, c);
	expect_op(w, b, -1, OP_TRACEME, ALWAYS);
	expect_op(w, c, -1, OP_TRACEME, RELATED);
	expect_op(w, c2, -1, OP_TRACEME, RELATED);
}

static void traceme_userns(struct world *w)
{
	int a = user(w), b = child_of(w, a), c = child_of(w, b);

	/* The parent owns the child's namespace; b's parent sits outside of it, too. */
	must(w, world_unshare_user(w, b), 0);
	expect_op(w, b, -1, OP_TRACEME, ALWAYS);
	expect_op(w, a, -1, OP_TRACEME_USERNS, ALWAYS);
	expect_op(w, b, -1, OP_TRACEME_CHILD, ALWAYS);
	/* c stayed outside, where b has no capability any more. */
	expect_op(w, c, -1, OP_TRACEME, NEVER);
}

static void traceme_userns_not_owner(struct world *w)
{
	int a = root(w), b = child_of(w, a);

	must(w, world_unshare_user(w, b), 0);
	drop_to(w, a, ALICE);
	expect_op(w, b, -1, OP_TRACEME, NEVER);
}

static void traceme_parent_in_userns(struct world *w)
{
	int a = user(w), b = child_of(w, a);

	/* The parent has all capabilities, but in a namespace that is not the child's. */
	must(w, world_unshare_user(w, a), 0);
	expect_op(w, b, -1, OP_TRACEME, NEVER);
}

static void traceme_orphan(struct world *w)
{
	int a = user(w), b = child_of(w, a);

	/* The new parent is the one that counts; here it is root. */
	world_exit(w, a, true);
	expect_op(w, b, -1, OP_TRACEME, ALWAYS);
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
	{ "PR_SET_PTRACER takes numbers of the caller's pid namespace", pidns_declared },
	{ "PR_SET_PTRACER of the init of a pid namespace", pidns_init_declared },
	{ "PR_SET_PTRACER of a process two pid namespaces down", pidns_tracee_outside },
	{ "a zombie", zombie },
	{ "a leader that has exited, its threads have not", zombie_leader },
	{ "a process that is gone", reaped },
	{ "CAP_SYS_PTRACE", capable },
	{ "CAP_SYS_PTRACE permitted but not effective", capability_not_effective },
	{ "CAP_SYS_PTRACE raised again", capability_raised_again },
	{ "CAP_SYS_PTRACE of one thread only", capability_of_thread },
	{ "CAP_SYS_PTRACE of the tracee is nothing to the tracer", capability_of_tracee },
	{ "capable in a common user namespace", userns_inside },
	{ "not capable in a common user namespace", userns_inside_without },
	{ "from the parent user namespace, and its owner", userns_from_parent },
	{ "the same user, but not the user namespace's owner", userns_not_owner },
	{ "the owner of a user namespace, further down", userns_owner_of_grandparent },
	{ "sibling user namespaces", userns_sibling },
	{ "exceptions do not reach out of a user namespace", userns_exception },
	{ "TRACEME by an ordinary child", traceme },
	{ "TRACEME, the parent is capable", traceme_capable_parent },
	{ "TRACEME, only the child is capable", traceme_capable_child },
	{ "TRACEME, the parent's capability is not effective", traceme_not_effective },
	{ "TRACEME, capability of the forking thread", traceme_parent_thread },
	{ "TRACEME, the parent owns the child's user namespace", traceme_userns },
	{ "TRACEME, the parent is outside and not the owner", traceme_userns_not_owner },
	{ "TRACEME, the parent is capable in another user namespace", traceme_parent_in_userns },
	{ "TRACEME by an orphan", traceme_orphan },
};
const unsigned int scenario_count = ARRAY_SIZE(scenarios);
