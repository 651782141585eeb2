/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to be true before the first floor, so that it holds against root. */
#ifndef PSC_LOCK_H
#define PSC_LOCK_H

#include "kernel.h"

struct psc_lock;

/**
 * psc_lock_begin - make ready for the first floor
 * @kernel: the set in force, under no floor yet
 * @dir: where its pins are
 * @ret: to be ended by psc_lock_end(); unwritten on error
 * @ret_armed: what the request that raises the floor has to carry
 *
 * Arms the guards, and looks what came before them: BPF programs that they would
 * have refused, and descriptors or other references to the policy's maps. Attaches a
 * fresh copy of psc_g_sysctl, of which nobody can hold a descriptor, to the root
 * cgroup. The daemon has closed its own descriptors of those maps afterwards.
 *
 * Return: 0, also when psc_g_sysctl cannot be attached (after a warning); -EBUSY,
 * after a message for each, when there is such a program or reference; or another
 * errno, after a message.
 */
int psc_lock_begin(struct psc_kernel *kernel, const char *dir, struct psc_lock **ret,
		   __u64 *ret_armed);

/* When there is a floor now, keep all that; else undo it. */
void psc_lock_end(struct psc_lock *lock, struct psc_kernel *kernel, const char *dir, bool locked);

#endif
