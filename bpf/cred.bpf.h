/* SPDX-License-Identifier: GPL-2.0-only */
/* Capability checks. */
#ifndef PSC_CRED_BPF_H
#define PSC_CRED_BPF_H

#include "compat.bpf.h"

#define CAP_SYS_PTRACE 19		/* include/uapi/linux/capability.h */
#define USER_NS_LEVEL_MAX 33		/* create_user_ns() refuses a parent above level 32 */

/**
 * capable_in - does a task with this cred have CAP_SYS_PTRACE in this namespace?
 * @cred: the cred that asks
 * @ns: the user namespace it asks about
 *
 * The walk of cap_capable() in security/commoncap.c, the rule that the owner of
 * a namespace has all capabilities in it included. Other LSMs' opinions, which
 * ns_capable() asks as well, cannot be had from BPF.
 */
static __always_inline bool capable_in(const struct cred *cred, struct user_namespace *ns)
{
	struct user_namespace *own = cred->user_ns;

	for (int i = 0; i <= USER_NS_LEVEL_MAX; i++) {
		if (ns == own)
			return cred_has_cap(cred, CAP_SYS_PTRACE);
		if (ns->level <= own->level)
			return false;
		if (ns->parent == own && ns->owner.val == cred->euid.val)
			return true;
		ns = ns->parent;
	}
	return false;
}

/* The same for the initial user namespace, the only one at level 0. */
static __always_inline bool capable_initially(const struct cred *cred)
{
	return cred->user_ns->level == 0 && cred_has_cap(cred, CAP_SYS_PTRACE);
}

#endif
