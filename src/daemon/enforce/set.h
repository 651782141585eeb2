/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaches a loaded set of programs and puts its pins in place. */
#ifndef PSC_SET_H
#define PSC_SET_H

#include "kernel.h"
#include "ptracescope_state.h"
#include "ptracescope.skel.h"

/**
 * psc_set_publish - attach every hook, and pin the set
 * @dir: where to
 * @replace: whether there is a predecessor
 *
 * The set is pinned in a directory of the daemon's and takes the place of the predecessor in one
 * step. Until @skel is destroyed both sets are attached, on the same state.
 *
 * Return: 0 or a negative errno, after a message.
 */
int psc_set_publish(struct ptracescope_bpf *skel, const char *dir, bool replace);

/* Is what is pinned in @dir the set that was loaded? Return: 0, or -EUCLEAN after a message. */
int psc_set_verify(struct ptracescope_bpf *skel, const struct psc_kernel *kernel, const char *dir);

#endif
