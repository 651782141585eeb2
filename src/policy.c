/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy.h"

#include <errno.h>

#include "log.h"
#include "ptracescope_policy.h"
#include "util.h"

/* Does @next allow in some mode what @now refuses? */
static bool lowers(const union psc_policy *now, const union psc_policy *next)
{
	for (int mode = 0; mode < PSC_MODES; mode++)
		if (next->scope[mode] < now->scope[mode])
			return true;
	return false;
}

static int refuse_locked(const struct psc_setting *setting, const struct psc_name *name,
			 const union psc_policy *policy, char **ret_error)
{
	unsigned int floor = 0;

	for (int mode = 0; mode < PSC_MODES; mode++)
		if (name->modes & PSC_MODE_BIT(mode) && policy->floor[mode] > floor)
			floor = policy->floor[mode];
	if (asprintf(ret_error, "%s: %s = %u: locked at %u (%s) until reboot", setting->source,
		     name->name, setting->value, floor, psc_scope_word(floor)) < 0)
		return -ENOMEM;
	return -EACCES;
}

int psc_plan_make(const struct psc_config *config, enum psc_plan_kind kind,
		  union psc_policy policy, struct psc_plan *ret, char **ret_error)
{
	struct psc_plan plan = {};

	if (kind == PSC_PLAN_FIRST) {
		plan.requests[0] = psc_name_request(psc_name_find(PSC_NAME_YAMA),
						    PSC_SCOPE_DEFAULT);
		psc_policy_change(&policy, &plan.requests[plan.n++]);
	}
	for (size_t i = 0; config && i < PSC_NAMES; i++) {
		const struct psc_setting *setting = &config->settings[i];
		struct psc_request req = psc_name_request(&psc_names[i], setting->value);
		union psc_policy next = policy;
		int err;

		if (!setting->present)
			continue;
		/* A configured floor means "at least". */
		if (req.op == PSC_OP_RAISE_FLOOR &&
		    setting->value <= psc_name_get(&psc_names[i], &policy))
			continue;
		err = psc_policy_change(&next, &req);
		if (kind == PSC_PLAN_RAISE && (err || lowers(&policy, &next))) {
			psc_notice("%s: %s = %u is lower than what is in force (%u), which stays; "
				   "a reload applies it", setting->source, psc_names[i].name,
				   setting->value, psc_name_get(&psc_names[i], &policy));
			continue;
		}
		if (err)
			return refuse_locked(setting, &psc_names[i], &policy, ret_error);
		policy = next;
		plan.requests[plan.n++] = req;
	}
	*ret = plan;
	return 0;
}
