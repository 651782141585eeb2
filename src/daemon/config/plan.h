/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a configuration to the request that puts it in force. */
#ifndef PSC_PLAN_H
#define PSC_PLAN_H

#include <stddef.h>

#include "config.h"

#define PSC_SCOPE_DEFAULT PSC_SCOPE_RESTRICTED

struct psc_plan {
	bool any;			/* is there anything to do? */
	union psc_policy floors;	/* that hold then, those from above included; no scopes */
	struct psc_request request;
};

enum psc_plan_kind {
	PSC_PLAN_FIRST,		/* nothing is in force yet: what is not configured gets its default */
	PSC_PLAN_RAISE,		/* a set was adopted: what would lower its state is left out, with a notice */
	PSC_PLAN_RELOAD,	/* on request: everything, also downward */
};

/**
 * psc_plan_make - the request that puts a configuration in force
 * @config: NULL for none
 * @policy: what is in force now
 * @ret: a request that will succeed if nobody else changes the policy meanwhile
 * @ret_error: on error, an allocated message naming the setting's file and line
 *
 * Return: 0, -EACCES when a setting is below a floor, -ENOMEM.
 */
int psc_plan_make(const struct psc_config *config, enum psc_plan_kind kind,
		  union psc_policy policy, struct psc_plan *ret, char **ret_error);

/**
 * psc_plan_first - the configuration, and the request that puts it in force from nothing
 * @root, @ret_config: as in psc_config_load(), on error, too
 * @ret: on error, the one for the strictest value that any readable line gives for each mode,
 *	never below the default
 *
 * Return: 0, or the negative errno of psc_config_load() or psc_plan_make(), with their message.
 */
int psc_plan_first(const char *root, struct psc_config *ret_config, struct psc_plan *ret,
		   char **ret_error);

/**
 * psc_plan_cgroup - the request that gives a cgroup what the configuration sets for it
 * @settings: of psc_config_for_cgroup()
 * @path: for messages
 * @info: psc_ctl's reply to INFO about the cgroup
 * @kind: PSC_PLAN_RELOAD also lowers, and takes back what the configuration set
 *	before; with PSC_PLAN_RAISE a scope that is there is only raised, and
 *	what cannot be is left out: what is below a floor, and where cgroups cannot
 *	have floors, those, so that the scope alone is set. Scopes that come from
 *	a container runtime are only raised to a floor.
 * @ret: a request that needs the descriptor of the cgroup; none where all is as it should be
 * @ret_error: an allocated message with the setting's file and line, on error and for
 *	the first that is left out; NULL for none
 *
 * Return: 0; -EACCES when a setting is below a floor, -EOPNOTSUPP when it is a floor and
 * cgroups cannot have one, neither with PSC_PLAN_RAISE; -ENOMEM.
 */
int psc_plan_cgroup(const struct psc_setting settings[PSC_NAMES], const char *path,
		    const struct psc_request *info, enum psc_plan_kind kind,
		    struct psc_plan *ret, char **ret_error);

/* Raise the floors in @floors to those of @policy. */
void psc_floors_raise(union psc_policy *floors, const union psc_policy *policy);

/* Does a request raise a floor? Nobody plans with "lock". */
bool psc_request_locks(const struct psc_request *req);

/* The same scopes without a floor, which are set at once. */
void psc_plan_without_floors(struct psc_plan *plan);

#endif
