/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a set of programs in force, replaces it, takes it away. */
#ifndef PSC_LOADER_H
#define PSC_LOADER_H

#include <stddef.h>

#include "kernel.h"

struct psc_loader_options {
	const char *pin_dir;		/* PSC_PIN_DIR */
	unsigned int relations_max;	/* room in the exception tables, 0: kernel.threads-max */
};

enum psc_loader_outcome {
	PSC_LOADED,		/* nothing was there: loaded, attached and pinned */
	PSC_ADOPTED,		/* a complete set was there and stays */
	PSC_UPGRADED,		/* another build was there and was replaced, its state kept */
};

/**
 * psc_loader_start - have a set in force, whatever is there now
 * @requests, @n: the policy to begin with when nothing is in force yet; run one
 *	by one before the first hook is attached
 * @ret: the set in force
 *
 * At every moment either the set that was there or the new one is complete and
 * attached; when several steps fail, the first message says why.
 *
 * Return: enum psc_loader_outcome or a negative errno, after a message.
 */
int psc_loader_start(const struct psc_loader_options *options,
		     const struct psc_request *requests, size_t n, struct psc_kernel **ret);

/**
 * psc_loader_inherit - have programs that are about to be loaded use the maps in force
 * @object: opened, not loaded
 *
 * Return: 0, -EPROTO when the maps have another shape, or another errno.
 */
struct bpf_object;
int psc_loader_inherit(struct bpf_object *object, const struct psc_kernel *predecessor);

#endif
