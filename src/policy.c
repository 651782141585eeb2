/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy.h"

#include <errno.h>

#include "log.h"
#include "ptracescope_policy.h"
#include "util.h"

static int refuse_locked(const struct psc_setting *setting, const struct psc_name *name,
			 const union psc_policy *policy, char **ret_error)
{
	unsigned int floor = psc_policy_highest_floor(policy, name->modes);

	if (asprintf(ret_error, "%s: %s = %u: locked at %u (%s) until reboot", setting->source,
		     name->name, setting->value, floor, psc_scope_word(floor)) < 0)
		return -ENOMEM;
	return -EACCES;
}

/* Take out of @req the modes that it would lower. Return: whether it had any. */
static bool leave_higher(struct psc_request *req, const union psc_policy *policy)
{
	__u32 before = req->modes;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (req->value < policy->scope[mode])
			req->modes &= ~PSC_MODE_BIT(mode);
	return req->modes != before;
}

int psc_plan_make(const struct psc_config *config, enum psc_plan_kind kind,
		  union psc_policy policy, struct psc_plan *ret, char **ret_error)
{
	struct psc_plan plan = {};

	if (kind == PSC_PLAN_FIRST) {
		plan.requests[0] = psc_name_request(psc_name_find(PSC_NAME_YAMA),
						    PSC_SCOPE_DEFAULT);
		psc_policy_change(&policy, &plan.requests[plan.n++], NULL);
	}
	for (size_t i = 0; config && i < PSC_NAMES; i++) {
		const struct psc_setting *setting = &config->settings[i];
		struct psc_request req = psc_name_request(&psc_names[i], setting->value);
		int err;

		if (!setting->present)
			continue;
		/* A configured floor means "at least". */
		if (req.op == PSC_OP_RAISE_FLOOR &&
		    setting->value <= psc_name_get(&psc_names[i], &policy))
			continue;
		if (kind == PSC_PLAN_RAISE && req.op == PSC_OP_SET && leave_higher(&req, &policy))
			psc_notice("%s: %s = %u is lower than what is in force, which stays; "
				   "a reload applies it", setting->source, psc_names[i].name,
				   setting->value);
		if (!req.modes)
			continue;
		err = psc_policy_change(&policy, &req, NULL);
		if (err)
			return refuse_locked(setting, &psc_names[i], &policy, ret_error);
		plan.requests[plan.n++] = req;
	}
	*ret = plan;
	return 0;
}

int psc_yama_scope(void)
{
	_cleanup_free_ char *text = NULL;
	unsigned int value;

	if (psc_read_file("/proc/sys/kernel/yama/ptrace_scope", 64, &text, NULL) ||
	    psc_parse_u32(psc_strip(text), &value) || value > PSC_SCOPE_MAX)
		return -1;
	return (int)value;
}
