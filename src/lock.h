/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to be true before the first floor, so that it holds against root. */
#ifndef PSC_LOCK_H
#define PSC_LOCK_H

#include "kernel.h"

/*
 * Look up, while scopes still allow it, what arming the guards needs: the root of the
 * initial mount namespace, by pid 1. A scope of 3 for READ would keep even the daemon
 * from it. Return: 0 or a negative errno; a floor then fails as well.
 */
int psc_lock_prepare(void);

/*
 * Take away what a daemon has left behind that was killed half-way to a floor: psc_g_sysctl
 * on the root cgroup. With a floor there is nothing.
 */
void psc_lock_clear(const char *dir);

/**
 * psc_lock_request - a request to the programs in force that may raise the first floor
 * @kernel: the set in force
 * @dir: where its pins are
 * @req: the request; on return the reply
 *
 * If it would raise the first floor, the guards are armed, and then what came before
 * them is looked at: BPF programs that they would have refused, and descriptors or
 * other references to the policy's maps. A fresh copy of psc_g_sysctl, of which nobody
 * can hold a descriptor, is attached to the root cgroup; that cgroup2 is not in use is
 * only warned of. Afterwards @kernel has no descriptor of the policy's maps either. When
 * something stands against the floor or the request fails, all that is undone. The maps,
 * the directory of the pins, the kernel's types and the root cgroup have to be the ones
 * they seem to be.
 *
 * Return: as psc_kernel_request(); -EBUSY, after a message for each, when there is such
 * a program or reference; or another negative errno, after a message.
 */
int psc_lock_request(struct psc_kernel *kernel, const char *dir, struct psc_request *req);

/* The same of a request to psc_sections. */
int psc_lock_sections(struct psc_kernel *kernel, const char *dir, struct psc_section_request *req);

/**
 * psc_lock_try - could there be a floor now?
 * @dir: where the pins are
 *
 * Goes all the way to the first floor, and back. What stands against it is logged.
 *
 * Return: 0, also when there is a floor already; or what psc_lock_request() would fail with.
 */
int psc_lock_try(struct psc_kernel *kernel, const char *dir);

#endif
