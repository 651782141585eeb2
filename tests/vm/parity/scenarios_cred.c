/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named worlds. Each says which verdict is right, a letter for each scope from
 * 0 to 3: Documentation/admin-guide/LSM/Yama.rst where it says, otherwise
 * security/yama/yama_lsm.c. So a mistake that both sides share is seen too.
 * Here: capabilities, user namespaces, PTRACE_TRACEME.
 */
#include "scenarios.h"

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

const struct scenario cred_scenarios[] = {
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
const unsigned int cred_scenario_count = ARRAY_SIZE(cred_scenarios);
