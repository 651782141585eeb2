/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy.h"

#include <errno.h>

#include "escape.h"
#include "log.h"
#include "ptracescope_policy.h"
#include "util.h"

static int refuse_locked(const struct psc_setting *setting, const struct psc_name *name,
			 const union psc_policy *policy, char **ret_error)
{
	unsigned int floor = psc_policy_highest_floor(policy, name->modes);

	if (asprintf(ret_error, "%s: %s = %u: locked at %u (%s) until reboot", setting->source,
		     name->name, setting->value, floor, psc_value_word(name, floor)) < 0)
		return -ENOMEM;
	return -EACCES;
}

static bool is_stricter(unsigned int a, unsigned int b)
{
	return psc_scope_rank(a) > psc_scope_rank(b);
}

/* Take out of @req the modes that it would lower. Return: whether it had any. */
static bool leave_higher(struct psc_request *req, const union psc_policy *policy)
{
	__u32 before = req->modes;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (is_stricter(policy->scope[mode], req->value))
			req->modes &= ~PSC_MODE_BIT(mode);
	return req->modes != before;
}

void psc_floors_raise(union psc_policy *floors, const union psc_policy *policy)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (is_stricter(policy->floor[mode], floors->floor[mode]))
			floors->floor[mode] = policy->floor[mode];
}

/* What a setting asks for. */
static struct psc_request setting_request(const struct psc_setting *setting,
					  const struct psc_name *name)
{
	struct psc_request req = psc_name_request(name, setting->value);

	if (setting->revocable && setting->value == PSC_SCOPE_NO_ATTACH)
		req.flags |= PSC_FLAG_REVOCABLE;
	return req;
}

/* The modes that settings of narrower names, which come later, speak for. */
static __u32 modes_after(const struct psc_setting settings[PSC_NAMES], size_t i)
{
	__u32 modes = 0;

	while (++i < PSC_NAMES)
		if (settings[i].present && psc_names[i].op == PSC_OP_SET)
			modes |= psc_names[i].modes;
	return modes;
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
		struct psc_request req = setting_request(setting, &psc_names[i]);
		int err;

		if (!setting->present)
			continue;
		if (req.op == PSC_OP_SET)
			req.modes &= ~modes_after(config->settings, i);
		/* A configured floor means "at least". */
		if (req.op == PSC_OP_RAISE_FLOOR &&
		    !is_stricter(setting->value, psc_name_get(&psc_names[i], &policy)))
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
	psc_floors_raise(&plan.floors, &policy);
	*ret = plan;
	return 0;
}

/* Never below the default while a part of the configuration is unknown. */
static void not_below_default(struct psc_config *config)
{
	for (size_t i = 0; i < PSC_NAMES; i++) {
		struct psc_setting *setting = &config->settings[i];

		if (!setting->present || !(psc_names[i].modes & PSC_MODES_YAMA) ||
		    !is_stricter(PSC_SCOPE_DEFAULT, setting->value))
			continue;
		free(setting->source);
		*setting = (struct psc_setting){ 0 };
	}
}

int psc_plan_first(const char *root, struct psc_config *ret_config, struct psc_plan *ret,
		   char **ret_error)
{
	_cleanup_free_ char *error = NULL;
	int err = psc_config_load(root, ret_config, ret_error), plan_err;

	if (err)
		not_below_default(ret_config);
	plan_err = psc_plan_make(ret_config, PSC_PLAN_FIRST, (union psc_policy){}, ret, &error);
	if (err || !plan_err)
		return err;
	*ret_error = TAKE_PTR(error);
	psc_config_free(ret_config);
	return psc_plan_make(NULL, PSC_PLAN_FIRST, (union psc_policy){}, ret, &error) ?: plan_err;
}

bool psc_request_locks(const struct psc_request *req)
{
	return req->op == PSC_OP_RAISE_FLOOR ? req->value > 0 :
	       req->value == PSC_SCOPE_NO_ATTACH && !(req->flags & PSC_FLAG_REVOCABLE);
}

/* Does a cgroup with this entry say so already, as firmly as the request would make it? */
static bool is_said(const union psc_policy *entry, const struct psc_request *req, unsigned int mode)
{
	return entry->scope[mode] == req->value &&
	       (!psc_request_locks(req) || entry->floor[mode] == req->value);
}

/* What is left of a setting of a cgroup. Return: 0, or -EACCES when a floor forbids it. */
static int fit_setting(struct psc_request *req, const struct psc_request *info,
		       enum psc_plan_kind kind)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int now = info->policy.scope[mode], floor = info->effective.floor[mode];
		bool leave;

		if (!(req->modes & PSC_MODE_BIT(mode)))
			continue;
		if (req->op == PSC_OP_RAISE_FLOOR)	/* "at least" */
			leave = !is_stricter(req->value, floor);
		else if (now == PSC_SCOPE_INHERIT)
			leave = false;
		else	/* a container's own wish goes before a rule for many */
			leave = is_said(&info->policy, req, mode) ||
				info->origin == PSC_ORIGIN_RUNTIME ||
				(kind == PSC_PLAN_RAISE && is_stricter(now, req->value));
		/* What was set before the floor came is no less a contradiction to it. */
		if (leave && kind == PSC_PLAN_RELOAD && req->op == PSC_OP_SET &&
		    info->origin != PSC_ORIGIN_RUNTIME && is_stricter(floor, req->value))
			return -EACCES;
		if (leave)
			req->modes &= ~PSC_MODE_BIT(mode);
		else if (req->op == PSC_OP_SET && is_stricter(floor, req->value))
			return -EACCES;
	}
	return 0;
}

/* What the configuration said before, and does not any more. */
static __u32 stale_modes(const struct psc_request *info, __u32 wanted)
{
	__u32 modes = 0;

	if (info->origin != PSC_ORIGIN_CONFIG || !psc_entry_exists(&info->policy))
		return 0;
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (!(wanted & PSC_MODE_BIT(mode)) &&
		    info->policy.scope[mode] != PSC_SCOPE_INHERIT && !info->policy.floor[mode])
			modes |= PSC_MODE_BIT(mode);
	return modes;
}

/* Why a setting of a cgroup is not as it should be; NULL when out of memory. */
static char *tell_cgroup(const struct psc_setting *setting, const struct psc_name *name,
			 const char *path, int err, const union psc_policy *effective)
{
	_cleanup_free_ char *shown = psc_escape(path, strlen(path), 256);
	unsigned int floor = psc_policy_highest_floor(effective, name->modes);
	char label[PSC_LABEL_SIZE], *text;

	if (!shown || asprintf(&text, "%s: %s = %s for the cgroup '%s': %s%s%s", setting->source,
			       name->name, psc_value_text(setting->value), shown,
			       err == -EACCES ? "locked at " : "it cannot be locked, as this "
			       "kernel does not let us see processes move",
			       err == -EACCES ? psc_value_label(name, floor, label) : "",
			       err == -EACCES ? " until reboot" : "") < 0)
		return NULL;
	return text;
}

/* The same scope where there can be no floor. */
static void soften(struct psc_request *req)
{
	req->op = PSC_OP_SET;
	req->flags |= PSC_FLAG_REVOCABLE;
}

/* Put a request into a plan; what holds after it is what the next one finds. */
static void plan_add(struct psc_plan *plan, struct psc_request *now, const struct psc_request *req)
{
	psc_policy_change(&now->policy, req, &now->effective);
	psc_floors_raise(&now->effective, &now->policy);
	plan->requests[plan->n++] = *req;
}

int psc_plan_cgroup(const struct psc_setting settings[PSC_NAMES], const char *path,
		    const struct psc_request *info, enum psc_plan_kind kind,
		    struct psc_plan *ret, char **ret_error)
{
	struct psc_request now = *info;
	_cleanup_free_ char *error = NULL;
	struct psc_plan plan = {};
	__u32 wanted = 0;

	for (size_t i = 0; i < PSC_NAMES; i++) {
		struct psc_request req = setting_request(&settings[i], &psc_names[i]);
		int err, unlockable;

		if (!settings[i].present)
			continue;
		if (req.op == PSC_OP_SET) {
			wanted |= req.modes;
			req.modes &= ~modes_after(settings, i);
		}
		/* What somebody else has made stays theirs, and is not taken back later. */
		req.origin = psc_entry_exists(&info->policy) ? info->origin : PSC_ORIGIN_CONFIG;
		unlockable = !info->sees_moves && psc_request_locks(&req);
		if (unlockable && kind != PSC_PLAN_RELOAD)
			soften(&req);
		err = fit_setting(&req, &now, kind);
		if (!err && unlockable && req.modes)
			err = -EOPNOTSUPP;
		if (err && !error)
			error = tell_cgroup(&settings[i], &psc_names[i], path, err, &now.effective);
		if (err && !error)
			return -ENOMEM;
		if (err && kind == PSC_PLAN_RELOAD) {
			*ret_error = TAKE_PTR(error);
			return err;
		}
		if (err != -EACCES && req.modes)
			plan_add(&plan, &now, &req);
	}
	if (kind == PSC_PLAN_RELOAD && stale_modes(info, wanted))
		plan.requests[plan.n++] = (struct psc_request){
			.abi = PSC_ABI, .op = PSC_OP_UNSET, .modes = stale_modes(info, wanted),
			.origin = PSC_ORIGIN_CONFIG,
		};
	psc_floors_raise(&plan.floors, &now.effective);
	*ret = plan;
	*ret_error = TAKE_PTR(error);
	return 0;
}

bool psc_plan_locks(const struct psc_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		if (psc_request_locks(&plan->requests[i]))
			return true;
	return false;
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
