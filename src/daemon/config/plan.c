/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes of a configuration the requests that change the policy in force. */
#include "plan.h"

#include <errno.h>

#include "escape.h"
#include "log.h"
#include "pattern.h"
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

void psc_floors_raise(union psc_policy *floors, const union psc_policy *policy)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (psc_scope_is_stricter(policy->floor[mode], floors->floor[mode]))
			floors->floor[mode] = policy->floor[mode];
}

/* The modes that settings of narrower names, which come later, speak for. */
static __u32 modes_after(const struct psc_setting settings[PSC_NAMES], size_t i)
{
	__u32 modes = 0;

	while (++i < PSC_NAMES)
		if (settings[i].present && !psc_names[i].floor)
			modes |= psc_names[i].modes;
	return modes;
}

static void plan_raise(struct psc_plan *plan, __u32 modes, unsigned int floor)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (modes & PSC_MODE_BIT(mode))
			plan->request.want.floor[mode] =
				(__u8)psc_scope_stricter(plan->request.want.floor[mode], floor);
	plan->request.raise |= modes;
	plan->any |= modes != 0;
}

/* Of a request all scopes of 3 are revocable or none; others that are not get their floor. */
static void plan_set(struct psc_plan *plan, __u32 modes, unsigned int scope, bool revocable)
{
	struct psc_request *req = &plan->request;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (modes & PSC_MODE_BIT(mode))
			req->want.scope[mode] = (__u8)scope;
	req->set |= modes;
	plan->any |= modes != 0;
	if (scope != PSC_SCOPE_NO_ATTACH)
		return;
	if (revocable && modes)
		req->flags |= PSC_FLAG_REVOCABLE;
	else if (!revocable)
		plan_raise(plan, modes, scope);
}

static struct psc_plan plan_new(void)
{
	return (struct psc_plan){ .request = { .abi = PSC_ABI, .op = PSC_OP_CHANGE } };
}

bool psc_request_locks(const struct psc_request *req)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (((req->raise & PSC_MODE_BIT(mode)) && req->want.floor[mode]) ||
		    ((req->set & PSC_MODE_BIT(mode)) &&
		     req->want.scope[mode] == PSC_SCOPE_NO_ATTACH &&
		     !(req->flags & PSC_FLAG_REVOCABLE)))
			return true;
	return false;
}

void psc_plan_without_floors(struct psc_plan *plan)
{
	struct psc_request *req = &plan->request;

	req->raise = 0;
	if (req->set)
		req->flags |= PSC_FLAG_REVOCABLE;
	plan->any = req->set || req->unset;
}

/* The modes in which @values, scopes or floors, is stricter than @value. */
static __u32 stricter_modes(__u32 modes, const __u8 values[PSC_MODE_SLOTS], unsigned int value)
{
	__u32 stricter = 0;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (psc_scope_is_stricter(values[mode], value))
			stricter |= PSC_MODE_BIT(mode);
	return modes & stricter;
}

/* One setting of the global configuration. */
static void plan_setting(struct psc_plan *plan, enum psc_plan_kind kind,
			 const struct psc_config *config, size_t i, const union psc_policy *policy)
{
	const struct psc_setting *setting = &config->settings[i];
	const struct psc_name *name = &psc_names[i];
	__u32 modes = name->modes, higher;

	if (name->floor) {	/* a configured floor means "at least" */
		if (setting->value && !psc_scope_is_stricter(psc_name_get(name, policy), setting->value))
			plan_raise(plan, modes, setting->value);
		return;
	}
	modes &= ~modes_after(config->settings, i);
	higher = kind == PSC_PLAN_RAISE ? stricter_modes(modes, policy->scope, setting->value) : 0;
	if (higher && !stricter_modes(higher, policy->floor, setting->value))
		psc_notice("%s: %s = %u is lower than what is in force, which stays; a reload "
			   "applies it", setting->source, name->name, setting->value);
	plan_set(plan, modes & ~higher, setting->value, setting->revocable);
}

/* Which setting is below a floor? */
static int tell_locked(const struct psc_config *config, const struct psc_plan *plan,
		       const union psc_policy *policy, char **ret_error)
{
	for (size_t i = 0; i < PSC_NAMES; i++) {
		const struct psc_name *name = &psc_names[i];
		__u32 modes = config->settings[i].present && !name->floor ? name->modes : 0;

		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
			if ((modes & plan->request.set & PSC_MODE_BIT(mode)) &&
			    config->settings[i].value == plan->request.want.scope[mode] &&
			    psc_scope_is_stricter(policy->floor[mode], config->settings[i].value))
				return refuse_locked(&config->settings[i], name, policy, ret_error);
	}
	return -EACCES;
}

int psc_plan_make(const struct psc_config *config, enum psc_plan_kind kind,
		  union psc_policy policy, struct psc_plan *ret, char **ret_error)
{
	struct psc_plan plan = plan_new();
	union psc_policy after = policy;
	int err = 0;

	if (kind == PSC_PLAN_FIRST)
		plan_set(&plan, PSC_MODES_YAMA, PSC_SCOPE_DEFAULT, false);
	for (size_t i = 0; config && i < PSC_NAMES; i++)
		if (config->settings[i].present)
			plan_setting(&plan, kind, config, i, &policy);
	if (plan.any)
		err = psc_policy_change(&after, &plan.request, NULL);
	if (err)
		return config ? tell_locked(config, &plan, &policy, ret_error) : err;
	psc_floors_raise(&plan.floors, &after);
	*ret = plan;
	return 0;
}

/* Never below the default while a part of the configuration is unknown. */
static void not_below_default(struct psc_config *config)
{
	for (size_t i = 0; i < PSC_NAMES; i++) {
		struct psc_setting *setting = &config->settings[i];

		if (!setting->present || !(psc_names[i].modes & PSC_MODES_YAMA) ||
		    !psc_scope_is_stricter(PSC_SCOPE_DEFAULT, setting->value))
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
			       err == -EACCES ? "locked at " : setting->sticky ?
			       "it cannot be sticky, as this kernel does not let us see processes "
			       "move" : "it cannot be locked, as this kernel does not let us see "
			       "processes move",
			       err == -EACCES ? psc_value_label(name, floor, label) : "",
			       err == -EACCES ? " until reboot" : "") < 0)
		return NULL;
	return text;
}

/* Does a cgroup say so already, as firmly as the request would make it? */
static bool is_said(const struct psc_request *info, unsigned int mode, unsigned int scope,
		    bool revocable)
{
	return info->policy.scope[mode] == scope &&
	       (scope != PSC_SCOPE_NO_ATTACH || revocable || info->policy.floor[mode] == scope);
}

/* Who raises the floor as well does not mean to have a scope below it. */
static unsigned int lifted(const struct psc_setting settings[PSC_NAMES], unsigned int mode,
			   unsigned int scope)
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (psc_names[i].floor && settings[i].present &&
		    (psc_names[i].modes & PSC_MODE_BIT(mode)))
			scope = psc_scope_stricter(scope, settings[i].value);
	return scope;
}

/* What is planned for one cgroup. */
struct cgroup_plan {
	const struct psc_setting *settings;
	const struct psc_request *info;
	enum psc_plan_kind kind;
	struct psc_plan plan;
};

/* A scope for some modes. Return: 0, or -EACCES when a floor forbids it. */
static int fit_scope(struct cgroup_plan *p, __u32 modes, unsigned int value, bool revocable)
{
	const struct psc_request *info = p->info;
	struct psc_plan plan = p->plan;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int now = info->policy.scope[mode];
		unsigned int scope = lifted(p->settings, mode, value);
		bool said = is_said(info, mode, scope, revocable);
		bool below = psc_scope_is_stricter(info->effective.floor[mode], scope);

		if (!(modes & PSC_MODE_BIT(mode)))
			continue;
		/* A container's own wish goes before a rule for many. */
		if (now != PSC_SCOPE_INHERIT && info->origin == PSC_ORIGIN_RUNTIME)
			continue;
		if (now != PSC_SCOPE_INHERIT && p->kind == PSC_PLAN_RAISE &&
		    (said || psc_scope_is_stricter(now, scope)))
			continue;
		/* What was set before the floor came is no less a contradiction to it. */
		if (below)
			return -EACCES;
		if (said)
			continue;
		plan_set(&plan, PSC_MODE_BIT(mode), scope, revocable);
	}
	p->plan = plan;
	return 0;
}

/* The modes with a lower floor: a setting means "at least". */
static __u32 lower_floors(const struct psc_request *info, __u32 modes, unsigned int value)
{
	__u32 lower = 0;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if ((modes & PSC_MODE_BIT(mode)) && psc_scope_is_stricter(value, info->effective.floor[mode]))
			lower |= PSC_MODE_BIT(mode);
	return lower;
}

/* Return: 0, or -EOPNOTSUPP; at a start the same scope is planned then. */
static int fit_floor(struct cgroup_plan *p, const struct psc_name *name, unsigned int value)
{
	__u32 modes = lower_floors(p->info, name->modes, value);

	if (p->info->sees_moves)
		plan_raise(&p->plan, modes, value);
	else if (p->kind != PSC_PLAN_RELOAD)
		fit_scope(p, modes & ~p->plan.request.set, value, true);
	else
		return modes ? -EOPNOTSUPP : 0;
	return modes && p->plan.any && !p->info->sees_moves ? -EOPNOTSUPP : 0;
}

/* Return: 0; -EACCES, and nothing is planned; -EOPNOTSUPP, and the scope alone is. */
static int fit_setting(struct cgroup_plan *p, size_t i)
{
	unsigned int value = p->settings[i].value;
	bool revocable = p->settings[i].revocable || !p->info->sees_moves;
	__u32 before = p->plan.request.set;
	int err;

	if (psc_names[i].floor)
		return fit_floor(p, &psc_names[i], value);
	err = fit_scope(p, psc_names[i].modes & ~modes_after(p->settings, i), value,
			revocable);
	if (err || p->info->sees_moves)
		return err;
	if (!p->settings[i].sticky &&
	    (value != PSC_SCOPE_NO_ATTACH || p->settings[i].revocable))
		return 0;
	return p->plan.request.set != before ? -EOPNOTSUPP : 0;
}

/* Which of the modes that sections set are to stick, and which no longer? */
static void plan_sticky(struct cgroup_plan *p, __u32 wanted)
{
	const struct psc_request *info = p->info;
	struct psc_request *req = &p->plan.request;
	__u32 sticky = psc_settings_sticky(p->settings);

	/* What a container has by its own wish is not this setting. */
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (info->origin == PSC_ORIGIN_RUNTIME &&
		    info->policy.scope[mode] != PSC_SCOPE_INHERIT)
			wanted &= ~PSC_MODE_BIT(mode);
	req->stick = sticky & wanted & ~info->sticky;
	if (p->kind == PSC_PLAN_RELOAD && info->origin == PSC_ORIGIN_CONFIG)
		req->unstick = info->sticky & wanted & ~sticky;
	p->plan.any |= req->stick || req->unstick;
}

int psc_plan_cgroup(const struct psc_setting settings[PSC_NAMES], const char *path,
		    const struct psc_request *info, enum psc_plan_kind kind,
		    struct psc_plan *ret, char **ret_error)
{
	struct cgroup_plan p = {
		.settings = settings, .info = info, .kind = kind, .plan = plan_new(),
	};
	struct psc_request *req = &p.plan.request;
	union psc_policy after = info->policy;
	_cleanup_free_ char *error = NULL;
	__u32 wanted = 0;

	for (size_t i = 0; i < PSC_NAMES; i++) {
		int err = settings[i].present ? fit_setting(&p, i) : 0;

		if (settings[i].present && !psc_names[i].floor)
			wanted |= psc_names[i].modes;
		if (err && !error)
			error = tell_cgroup(&settings[i], &psc_names[i], path, err,
					    &info->effective);
		if (err && !error)
			return -ENOMEM;
		if (err && kind == PSC_PLAN_RELOAD) {
			*ret_error = TAKE_PTR(error);
			return err;
		}
	}
	req->flags |= PSC_FLAG_CGROUP;
	req->unset = kind == PSC_PLAN_RELOAD ? stale_modes(info, wanted) : 0;
	if (info->sees_moves)
		plan_sticky(&p, wanted);
	/* What somebody else has made stays theirs, and is not taken back later. */
	req->origin = psc_entry_exists(&info->policy) ? info->origin : PSC_ORIGIN_CONFIG;
	p.plan.any |= req->unset != 0;
	if (p.plan.any)
		psc_policy_change(&after, req, &info->effective);
	psc_floors_raise(&p.plan.floors, &info->effective);
	psc_floors_raise(&p.plan.floors, &after);
	*ret = p.plan;
	*ret_error = TAKE_PTR(error);
	return 0;
}
