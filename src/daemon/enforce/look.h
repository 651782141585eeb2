/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The look around before the first floor: does anything stand against it? */
#ifndef PSC_LOOK_H
#define PSC_LOOK_H

#include "anchor.h"
#include "kernel.h"

/* What looks around: links of iterators, and the program psc_grace. */
enum psc_look {
	PSC_LOOK_PROGRAMS,
	PSC_LOOK_MAPS,
	PSC_LOOK_LINKS,
	PSC_LOOK_ROOT,
	PSC_LOOK_GRACE,
	PSC_LOOKS,
};

/* What it takes on the way to the first floor. Descriptors, -1 for none. */
struct psc_lock {
	int look_fds[PSC_LOOKS];
	struct psc_handle sysctl;	/* the program psc_g_sysctl */
	int cgroup_fd;			/* the root cgroup, */
	bool has_sysctl;		/* and is the program attached there? */
	int ftrace_fd;			/* kernel.ftrace_enabled */
	struct psc_anchor anchor;
	__u32 references;		/* to psc_state: of the set, its pin and the anchor */
	/* What the guards were armed for, and the number of that. */
	int dir_fd;
	__u32 hooks[PSC_HOOKS_MAX];
	__u64 armed;
};

#define PSC_LOCK_NONE { .look_fds = { -1, -1, -1, -1, -1 }, .sysctl = PSC_HANDLE_NONE, \
			.cgroup_fd = -1, .ftrace_fd = -1, .dir_fd = -1, .anchor = PSC_ANCHOR_EMPTY }

/**
 * psc_look_around - with the guards armed: is all as it has to be under a floor?
 * @dir: the directory of the pins, for messages
 *
 * No program of others is there that could overrule ours or uses the policy's maps, nobody
 * holds these or our programs, all pins are in their directory, and nobody is in the middle
 * of removing them or of switching ftrace off. What is only going, or on its way, is waited
 * for, up to a second. In the end those that look go, and with them every BPF program has
 * ended that ran before; then the guards are still armed for what they were armed for.
 *
 * Return: 0; -EBUSY or -EUCLEAN, after a message for each reason; or another negative errno.
 */
int psc_look_around(struct psc_kernel *kernel, const char *dir,
		    struct psc_lock *lock);

#endif
