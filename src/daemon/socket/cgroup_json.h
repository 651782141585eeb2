/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cgroup and what is in force there, as type Cgroup of the interface. */
#ifndef PSC_CGROUP_JSON_H
#define PSC_CGROUP_JSON_H

#include <jansson.h>

#include "cgroup.h"
#include "walk.h"

/* A cgroup that is described: its path, and what leads there. */
struct psc_cgroup_subject {
	const char *path;
	const struct psc_cgroups *cgroups;
	const struct psc_walk *walk;	/* that is there now; NULL: what is above is looked up */
};

/**
 * psc_cgroup_json - what is in force in a cgroup
 * @info: the reply to PSC_OP_INFO for it
 *
 * Return: as type Cgroup of the interface; NULL when out of memory.
 */
json_t *psc_cgroup_json(const struct psc_cgroup_subject *subject, const struct psc_request *info);

/**
 * psc_cgroup_process_json - replace the effective values of the cgroup by those of a process there
 * @json: what psc_cgroup_json() returned
 *
 * Return: 0, -ESRCH when there is no such process in it, -PSC_E_2BIG when it takes too many steps
 * to find its values, or another negative errno.
 */
int psc_cgroup_process_json(const struct psc_cgroups *cgroups, const struct psc_cgroup *cgroup,
			    json_int_t pid, json_t *json);

#endif
