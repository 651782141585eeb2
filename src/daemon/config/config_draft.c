/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tries a configuration with a file that has not been written yet. */
#include <errno.h>

#include "config.h"
#include "plan.h"
#include "ptracescope_policy.h"
#include "util.h"

/* Would every section be accepted for a cgroup without settings, where these floors are? */
static int try_sections(const struct psc_config *config, const union psc_policy *policy,
			char **ret_error)
{
	const struct psc_request info = {
		.abi = PSC_ABI, .op = PSC_OP_INFO, .policy = PSC_POLICY_NONE, .effective = *policy,
		.sees_moves = true,
	};
	int err = 0;

	for (size_t s = 0; s < config->n_sections && !err; s++) {
		const struct psc_section *section = &config->sections[s];
		_cleanup_free_ char *error = NULL;
		struct psc_plan plan;

		err = psc_plan_cgroup(section->settings, section->pattern, &info, PSC_PLAN_RELOAD,
				      &plan, &error);
		if (err)
			*ret_error = TAKE_PTR(error);
	}
	return err;
}

int psc_config_try_draft(const char *root, const struct psc_config_draft *draft,
			 struct psc_config *ret, union psc_policy *ret_policy, char **ret_error)
{
	union psc_policy policy = {};
	struct psc_plan plan;
	int err = psc_config_load_draft(root, draft, ret, ret_error);

	if (err)
		return err;
	err = psc_plan_make(ret, PSC_PLAN_FIRST, policy, &plan, ret_error);
	if (!err)
		err = psc_policy_change(&policy, &plan.request, NULL);
	if (!err)
		err = try_sections(ret, &policy, ret_error);
	if (!err)
		*ret_policy = policy;
	return err;
}
