/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a configuration to the requests that put it in force. */
#ifndef PSC_POLICY_H
#define PSC_POLICY_H

#include <stddef.h>

#include "config.h"

#define PSC_SCOPE_DEFAULT PSC_SCOPE_RESTRICTED

struct psc_plan {
	size_t n;
	struct psc_request requests[PSC_NAMES + 1];
};

enum psc_plan_kind {
	PSC_PLAN_FIRST,		/* nothing is in force yet: what is not configured gets its default */
	PSC_PLAN_RAISE,		/* a set was adopted: what would lower its state is left out, with a notice */
	PSC_PLAN_RELOAD,	/* on request: everything, also downward */
};

/**
 * psc_plan_make - the requests that put a configuration in force
 * @config: NULL for none
 * @policy: what is in force now
 * @ret: requests that will all succeed one after another if nobody else changes
 *	the policy meanwhile
 * @ret_error: on error, an allocated message naming the setting's file and line
 *
 * Return: 0, -EACCES when a setting is below a floor, -ENOMEM.
 */
int psc_plan_make(const struct psc_config *config, enum psc_plan_kind kind,
		  union psc_policy policy, struct psc_plan *ret, char **ret_error);

/**
 * psc_plan_cgroup - the requests that give a cgroup what the configuration sets for it
 * @settings: of psc_config_for_cgroup()
 * @path: for messages
 * @info: psc_ctl's reply to INFO about the cgroup
 * @kind: PSC_PLAN_RELOAD also lowers, and takes back what the configuration set
 *	before; with PSC_PLAN_RAISE an opinion that is there is only raised, and
 *	what a floor forbids is left out, with a notice. Opinions that come from a
 *	container runtime are only raised to a floor.
 * @ret: requests that need the descriptor of the cgroup; none where all is as it should be
 * @ret_error: as psc_plan_make() does it
 *
 * Return: 0, -EACCES when a setting is below a floor, -ENOMEM.
 */
int psc_plan_cgroup(const struct psc_setting settings[PSC_NAMES], const char *path,
		    const struct psc_request *info, enum psc_plan_kind kind,
		    struct psc_plan *ret, char **ret_error);

/* Yama's own scope, or -1 where there is no Yama. */
int psc_yama_scope(void);

#endif
