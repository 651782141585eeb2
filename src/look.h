/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The look around before the first floor: does anything stand against it? */
#ifndef PSC_LOOK_H
#define PSC_LOOK_H

#include "anchor.h"
#include "kernel.h"

/* What it takes on the way to the first floor. Descriptors, -1 for none. */
struct psc_lock {
	int scan_fd, scan_maps_fd;	/* links of the two iterators */
	int sysctl_fd;			/* the program psc_g_sysctl */
	int cgroup_fd;			/* the root cgroup, */
	bool has_sysctl;		/* and is the program attached there, with a pin? */
	int ftrace_fd;			/* kernel.ftrace_enabled */
	struct psc_anchor anchor;
	__u32 references;		/* to psc_state: of the set, its pin and the anchor */
	int dir_fd;			/* the directory that the guards were armed for */
};

#define PSC_LOCK_NONE { .scan_fd = -1, .scan_maps_fd = -1, .sysctl_fd = -1, .cgroup_fd = -1, \
			.ftrace_fd = -1, .dir_fd = -1, .anchor = PSC_ANCHOR_EMPTY }

/**
 * psc_look_around - with the guards armed: is all as it has to be under a floor?
 * @dir: the directory of the pins, for messages
 *
 * No program of others is there that could overrule ours or uses the policy's maps, nobody
 * holds these or our programs, all pins are in their directory, and nobody is in the middle
 * of removing them or of switching ftrace off. What is only going, or on its way, is waited
 * for, up to a second.
 *
 * Return: 0; -EBUSY or -EUCLEAN, after a message for each reason; or another negative errno.
 */
int psc_look_around(const struct psc_kernel *kernel, const char *dir,
		    struct psc_lock *lock);

#endif
