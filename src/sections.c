/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sections.h"

#include <errno.h>
#include <time.h>

#include "escape.h"
#include "log.h"
#include "pattern.h"
#include "ratelimit.h"
#include "util.h"

struct pass {
	const struct psc_sections *sections;
	struct psc_sections *talks;	/* the same; NULL where nothing is put in force */
	struct psc_config *config;
	enum psc_plan_kind kind;
	unsigned int changed;
	unsigned int refused;		/* cgroups that did not get all that is set for them */
	bool locks;			/* a floor is among what is set */
	char *error;

	/* When nothing is put in force, what would hold at every depth of the path. */
	union psc_policy floors[PSC_CGROUP_LEVELS];
};

static int on_quiet(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_sections *sections = data;

	(void)source;
	(void)usec;
	sections->quiet = sd_event_source_disable_unref(sections->quiet);
	if (sections->held)
		psc_notice("%u more messages about cgroups were left out", sections->held);
	sections->said = sections->held = 0;
	sections->no_floor = false;
	return 0;
}

/* Who makes cgroups must not fill the log. */
static void say(struct psc_sections *sections, int level, const char *text)
{
	if (!sections->quiet && sections->event)
		sd_event_add_time_relative(sections->event, &sections->quiet, CLOCK_MONOTONIC,
					   PSC_RATELIMIT_WINDOW * 1000000ULL, 0, on_quiet,
					   sections);
	if (sections->said < PSC_RATELIMIT_BURST) {
		sections->said++;
		psc_log(level, "%s", text);
	} else {
		sections->held++;
	}
}

static int request(const struct psc_sections *sections, const struct psc_cgroup *cgroup,
		   struct psc_request *req)
{
	req->flags |= PSC_FLAG_CGROUP;
	req->dir_fd = cgroup->fd;
	req->cgroup = cgroup->id;
	return sections->request(sections->data, req);
}

static void say_failed(struct psc_sections *sections, const char *path, int err)
{
	_cleanup_free_ char *shown = psc_escape(path, strlen(path), 256), *text = NULL;

	if (asprintf(&text, "the configuration for the cgroup \"%s\" is not in force: %s",
		     shown ? shown : "?", strerror(-err)) < 0)
		text = NULL;
	say(sections, LOG_WARNING, text ? text : strerror(ENOMEM));
}

/*
 * What stands against a first floor takes time to find, and stands against the next one,
 * too. @locked: there has been one.
 */
static int try_plan(struct pass *pass, const struct psc_cgroup *cgroup, struct psc_plan *plan,
		    bool locked)
{
	bool hopeless = !locked && pass->talks->no_floor && psc_request_locks(&plan->request);
	int err = hopeless ? -EBUSY : request(pass->sections, cgroup, &plan->request);

	if (err == -EBUSY)
		pass->talks->no_floor = true;	/* until on_quiet() */
	return err;
}

static void put_in_force(struct pass *pass, const struct psc_cgroup *cgroup, struct psc_plan *plan,
			 bool locked)
{
	int err = plan->any ? try_plan(pass, cgroup, plan, locked) : 0;

	if (err == -PSC_E_NODEV)
		return;
	if (err) {
		say_failed(pass->talks, cgroup->path, err);
		pass->refused++;
		return;
	}
	pass->changed += plan->any;
}

/* What is set for one cgroup. Return: 0 also when it has gone or cannot have an entry. */
static int settle(struct pass *pass, const struct psc_cgroup *cgroup,
		  const struct psc_setting *settings, union psc_policy *floors)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	_cleanup_free_ char *error = NULL;
	struct psc_plan plan;
	int err = request(pass->sections, cgroup, &info);

	if (err) {
		if (psc_cgroup_trouble_of(err) == PSC_CGROUP_THREADED)
			psc_debug("cgroup %s is threaded, so its section is left out", cgroup->path);
		return psc_cgroup_trouble_of(err) ? 0 : err;
	}
	if (!pass->talks)
		psc_floors_raise(&info.effective, floors);
	err = psc_plan_cgroup(settings, cgroup->path, &info, pass->kind, &plan, &error);
	if (!pass->talks) {
		pass->error = TAKE_PTR(error);
		pass->locks |= !err && psc_request_locks(&plan.request);
		if (!err)
			*floors = plan.floors;
		return err;
	}
	if (error)
		say(pass->talks, err ? LOG_WARNING : LOG_NOTICE, error);
	if (err == -ENOMEM)
		return err;
	if (err)	/* the next cgroup may fare better */
		pass->refused++;
	else
		put_in_force(pass, cgroup, &plan, info.locked);
	return 0;
}

static unsigned int depth_of(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int visit(void *data, const struct psc_cgroup *cgroup)
{
	const char *path = cgroup->path;
	struct pass *pass = data;
	struct psc_setting settings[PSC_NAMES];
	bool any = psc_config_for_cgroup(pass->config, path, settings);
	/* At a reload there may be what earlier sections have set, anywhere. */
	bool everywhere = pass->talks && pass->kind == PSC_PLAN_RELOAD;
	unsigned int depth = depth_of(path);
	union psc_policy *floors = &pass->floors[depth + 1];
	int err;

	*floors = pass->floors[depth];
	err = any || everywhere ? settle(pass, cgroup, settings, floors) : 0;
	if (err)
		return err;
	return everywhere || psc_config_goes_below(pass->config, path) ? 0 : PSC_CGROUP_SKIP;
}

/* Would one of the sections lock a cgroup, of those that are there or come later? */
static bool any_locks(const struct psc_sections *sections, const struct psc_config *config)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	if (sections->request(sections->data, &info) || !info.sees_moves)
		return false;
	for (size_t i = 0; i < config->n_sections; i++) {
		union psc_policy policy = psc_pattern_policy(config->sections[i].settings);

		if (psc_pattern_locks(&policy))
			return true;
	}
	return false;
}

int psc_sections_check(const struct psc_sections *sections, struct psc_config *config,
		       const union psc_policy *floors, bool *ret_locks, char **ret_error)
{
	struct pass pass = {
		.sections = sections, .config = config, .kind = PSC_PLAN_RELOAD,
		.floors = { *floors },
	};
	int err = config->n_sections ? psc_cgroup_walk(sections->cgroups, NULL, visit, &pass) : 0;

	*ret_locks = pass.locks || any_locks(sections, config);
	*ret_error = pass.error;
	return err;
}

/* Return: how many cgroups are left without what the configuration sets, or -1. */
static int walk(struct psc_sections *sections, enum psc_plan_kind kind)
{
	struct pass pass = {
		.sections = sections, .talks = sections, .config = &sections->config,
		.kind = kind,
	};
	int err = psc_cgroup_walk(sections->cgroups, NULL, visit, &pass);
	_cleanup_free_ char *text = NULL;

	if (err < 0 && asprintf(&text, "the configuration for cgroups is not wholly in force: %s",
				strerror(-err)) < 0)
		text = NULL;
	if (err < 0)
		say(sections, LOG_WARNING, text ? text : strerror(ENOMEM));
	if (pass.changed)
		psc_info("configuration for cgroups: %u changed", pass.changed);
	return err < 0 ? -1 : (int)pass.refused;
}

/* What comes closest to it and can be changed. */
static void without_floors(union psc_policy *policy)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		if (policy->scope[mode] == PSC_SCOPE_NO_ATTACH)
			policy->scope[mode] = PSC_SCOPE_ADMIN_ONLY;
		policy->floor[mode] = PSC_SCOPE_INHERIT;
	}
}

/* Give the kernel side the sections, for cgroups that are made from now on. */
static int publish(const struct psc_sections *sections, bool floors)
{
	struct psc_section_request req = { .abi = PSC_ABI, .op = PSC_SECTIONS_PUT };
	int err = 0;

	for (size_t i = 0; !err && i < sections->config.n_sections; i++) {
		const struct psc_section *section = &sections->config.sections[i];

		req.index = (__u32)i;
		err = psc_pattern_compile(section->pattern, &req.pattern);
		req.pattern.policy = psc_pattern_policy(section->settings);
		if (!floors)
			without_floors(&req.pattern.policy);
		if (!err)
			err = sections->section(sections->data, &req);
	}
	req = (struct psc_section_request){
		.abi = PSC_ABI, .op = PSC_SECTIONS_COMMIT,
		.index = (__u32)sections->config.n_sections,
	};
	return err ? err : sections->section(sections->data, &req);
}

/* Before looking at those that are there, so that none is missed in between. */
static int publish_all(struct psc_sections *sections)
{
	int err = publish(sections, true);

	if (!err)
		return 0;
	sections->no_floor = err == -EBUSY;
	psc_warning("new cgroups get nothing that locks them, as sections want it: %s",
		    strerror(-err));
	err = publish(sections, false);
	if (err)
		psc_warning("the configuration is not in force for new cgroups: %s",
			    strerror(-err));
	return err;
}

int psc_sections_apply(struct psc_sections *sections, struct psc_config *config,
		       enum psc_plan_kind kind)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	int err;

	psc_config_free(&sections->config);
	sections->no_floor = false;
	sections->config = *config;
	*config = (struct psc_config){ 0 };
	if (sections->config.n_sections && sections->cgroups->root_fd < 0)
		psc_warning("the configuration for cgroups is not in force: %s",
			    psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED));
	err = publish_all(sections);
	/* Without sections there may still be what earlier ones set. */
	if (sections->config.n_sections ||
	    (!sections->request(sections->data, &info) && info.entries))
		return walk(sections, kind) ?: err ? -1 : 0;
	return err ? -1 : 0;
}

void psc_sections_free(struct psc_sections *sections)
{
	sections->quiet = sd_event_source_disable_unref(sections->quiet);
	psc_config_free(&sections->config);
}
