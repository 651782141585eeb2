/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be true before the first floor, so that it holds against root. */
#ifndef PSC_LOCK_H
#define PSC_LOCK_H

#include "look.h"

/*
 * Look up, while scopes still allow it, what arming the guards needs: the root of the
 * initial mount namespace, by pid 1. A scope of 3 for READ would keep even the daemon
 * from it. Return: 0 or a negative errno; a floor then fails as well.
 */
int psc_lock_prepare(void);

/**
 * psc_lock_begin - make ready for the first floor, which may take seconds
 * @kernel: the set in force
 * @dir: where its pins are
 * @lock: for psc_lock_end(), also on error
 *
 * The guards are armed, and then what came before them is looked at: BPF programs that they
 * would have refused, and descriptors or other references to the policy's maps. A fresh copy of
 * psc_g_sysctl, of which nobody can hold a descriptor, is attached to the root cgroup; that
 * cgroup2 is not in use is only warned of. Afterwards @kernel has no descriptor of the policy's
 * maps either. The maps, the directory of the pins, the kernel's types and the root cgroup have
 * to be the ones they seem to be.
 *
 * Return: 0, with @kernel->arming; -EBUSY, after a message for each, when there is such a
 * program or reference; or another negative errno, after a message.
 */
int psc_lock_begin(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock);

/* Back to where it began if there is no floor. @kernel->arming ends. */
void psc_lock_end(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock);

/*
 * A request to the programs in force, which may raise the first floor if there is an arming.
 * Return: as psc_kernel_request(); -PSC_E_CANCELED if it would raise the first floor, and there
 * is none that lasts.
 */
int psc_lock_request_armed(struct psc_kernel *kernel, struct psc_request *req);

/* The same of a request to psc_sections. */
int psc_lock_sections_armed(struct psc_kernel *kernel, struct psc_section_request *req);

/*
 * All in one: with psc_lock_begin() where it is needed, and psc_lock_end(). Return: as that, or
 * as psc_kernel_request().
 */
int psc_lock_request(struct psc_kernel *kernel, const char *dir, struct psc_request *req);
int psc_lock_sections(struct psc_kernel *kernel, const char *dir, struct psc_section_request *req);

#endif
