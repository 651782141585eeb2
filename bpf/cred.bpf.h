/* SPDX-License-Identifier: GPL-2.0-only */
/* Capability checks. */
#ifndef PSC_CRED_BPF_H
#define PSC_CRED_BPF_H

#include "compat.bpf.h"
#include "ptracescope.h"

#define CAP_SYS_PTRACE 19		/* include/uapi/linux/capability.h */
#define USER_NS_LEVEL_MAX 33		/* create_user_ns() refuses a parent above level 32 */

struct user_ns_walk {
	struct user_namespace *ns;	/* the one reached so far */
	struct user_namespace *own;	/* where the asking cred belongs */
	uid_t euid;
	bool above;			/* own is above the namespace that is asked about, */
	bool owner;			/* and who asks is the owner of that, or of one between */
};

/* Rarely taken, so read as plain memory: see describe() for what that saves. */
static long user_ns_step(__u32 i, struct user_ns_walk *walk)
{
	struct user_namespace *ns = walk->ns, *own = walk->own;
	struct user_namespace *parent = BPF_CORE_READ(ns, parent);

	if (BPF_CORE_READ(ns, level) <= BPF_CORE_READ(own, level))
		return 1;
	if (parent == own) {
		walk->above = true;
		walk->owner = BPF_CORE_READ(ns, owner.val) == walk->euid;
		return 1;
	}
	walk->ns = parent;
	return 0;
}

/**
 * capable_in - does a task with this cred have CAP_SYS_PTRACE in this namespace?
 * @cred: the cred that asks
 * @ns: the user namespace it asks about
 *
 * The walk of cap_capable() in security/commoncap.c, the rule that the owner of
 * a namespace has all capabilities in it included. What other LSMs say, which
 * ns_capable() asks as well, cannot be had from BPF.
 */
LOCAL bool capable_in(const struct cred *cred, struct user_namespace *ns)
{
	struct user_ns_walk walk = {
		.ns = ns, .own = BPF_CORE_READ(cred, user_ns),
		.euid = BPF_CORE_READ(cred, euid.val),
	};

	if (ns == walk.own)
		return cred_has_cap(cred, CAP_SYS_PTRACE);
	bpf_loop(USER_NS_LEVEL_MAX, user_ns_step, &walk, 0);
	return walk.owner || (walk.above && cred_has_cap(cred, CAP_SYS_PTRACE));
}

/* The same for the initial user namespace, the only one at level 0. */
LOCAL bool capable_initially(const struct cred *cred)
{
	return BPF_CORE_READ(cred, user_ns, level) == 0 && cred_has_cap(cred, CAP_SYS_PTRACE);
}

/* Towards the initial namespace, to the last one before it. */
static long outermost_step(__u32 i, struct user_ns_walk *walk)
{
	struct user_namespace *ns = walk->ns;

	if (BPF_CORE_READ(ns, level) <= 1)
		return 1;
	walk->ns = BPF_CORE_READ(ns, parent);
	return 0;
}

/*
 * Who answers for what the caller does? In a user namespace he may have any of the uids
 * mapped there: it is who made it, or the one that it is in. Those of root's are for
 * others, and do not count. psc_account_of() sees to those who leave one with such a uid.
 */
LOCAL __u32 account_of_caller(__u32 *ret_uid)
{
	const struct cred *cred = BPF_CORE_READ(bpf_get_current_task_btf(), cred);
	__u32 uid = BPF_CORE_READ(cred, uid.val), owner;
	struct user_namespace *ns = BPF_CORE_READ(cred, user_ns);
	struct user_ns_walk walk = { .ns = ns };

	if (BPF_CORE_READ(ns, level) > 0) {
		bpf_loop(USER_NS_LEVEL_MAX, outermost_step, &walk, 0);
		ns = walk.ns;
		owner = BPF_CORE_READ(ns, owner.val);
		uid = owner ? owner : uid;
	}
	if (ret_uid)
		*ret_uid = uid;
	return psc_account_of(uid);
}

#endif
