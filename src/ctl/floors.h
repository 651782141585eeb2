/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which floors there are, global and of cgroups: for status, and for a detach that is refused. */
#ifndef PSC_FLOORS_H
#define PSC_FLOORS_H

#include <jansson.h>
#include <stdio.h>

#include "cli.h"
#include "kernel.h"

/*
 * The cgroups that have a floor, as an array of {"path", "floor": {"attach": 3, ...}} with the
 * modes that have one: asked of the daemon. NULL when it does not tell.
 */
json_t *psc_floors_ask(const struct psc_cli *cli);

/* The same from the programs in force. */
json_t *psc_floors_find(struct psc_kernel *kernel);

/* A line for each cgroup, which @label begins; at most a screenful. */
void psc_floors_show(FILE *out, const json_t *floors);

/*
 * Why there can be no detaching, as an allocation; NULL when out of memory.
 * @policy: as type Policy of the interface; may be NULL
 * @floors: of cgroups; may be NULL
 */
char *psc_floors_reason(const json_t *policy, const json_t *floors);

#endif
