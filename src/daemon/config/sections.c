/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applies sections to the cgroups that are there, and publishes them for new ones. */
#include "sections.h"

#include <errno.h>
#include <time.h>

#include "escape.h"
#include "kernel.h"
#include "log.h"
#include "pattern.h"
#include "turn.h"
#include "util.h"
#include "walk.h"

/* For a cgroup that is being made, which takes long where processors are busy: some ten seconds. */
#define WAITS_MAX 5000
#define WAIT_NSEC (2 * 1000 * 1000)
/* What is said of cgroups, and in which time. */
#define SAID_MAX 10
#define SAID_USEC (60 * 1000 * 1000ULL)

struct psc_pass {
	struct psc_walk walk;
	bool walks;			/* there is something to walk for */
	int published;			/* what giving the kernel side the sections returned */
	const struct psc_sections *sections;
	struct psc_sections *talks;	/* the same; NULL where nothing is put in force */
	struct psc_config *config;
	enum psc_plan_kind kind;
	unsigned int changed;
	unsigned int refused;		/* cgroups that did not get all that is set for them */
	bool locks;			/* a floor is among what is set */
	unsigned int waits;		/* turns for the cgroup that is being made */
	char *error;

	/* When nothing is put in force, what would hold at every depth of the path. */
	union psc_policy floors[PSC_CGROUP_LEVELS];
};

static int on_quiet(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_sections *sections = data;
	unsigned int held = 0;

	(void)source;
	(void)usec;
	sections->quiet = sd_event_source_disable_unref(sections->quiet);
	for (size_t i = 0; i < ARRAY_SIZE(sections->talk); i++)
		held += sections->talk[i].held;
	if (held)
		psc_notice("%u more messages about cgroups were left out", held);
	memset(sections->talk, 0, sizeof(sections->talk));
	sections->no_floor = false;
	return 0;
}

/* Who makes cgroups must not fill the log. @others: it is about a cgroup of theirs. */
static void say(struct psc_sections *sections, bool others, int level, const char *text)
{
	struct psc_talk *talk = &sections->talk[others];

	if (!sections->quiet && sections->event)
		sd_event_add_time_relative(sections->event, &sections->quiet, CLOCK_MONOTONIC,
					   SAID_USEC, 0, on_quiet, sections);
	if (talk->said < SAID_MAX) {
		talk->said++;
		psc_log(level, "%s", text);
	} else {
		talk->held++;
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

static void say_failed(struct psc_sections *sections, bool others, const char *path, int err)
{
	_cleanup_free_ char *shown = psc_escape(path, strlen(path), 256), *text = NULL;

	if (asprintf(&text, "the configuration for the cgroup \"%s\" is not in force: %s; "
		     "when the cause is gone: systemctl reload ptracescoped",
		     shown ? shown : "?", psc_ctl_error(err)) < 0)
		text = NULL;
	say(sections, others, LOG_WARNING, text ? text : strerror(ENOMEM));
}

/*
 * What stands against a first floor takes time to find, and stands against the next one,
 * too. @locked: there has been one.
 */
static int try_plan(struct psc_pass *pass, const struct psc_cgroup *cgroup, struct psc_plan *plan,
		    bool locked)
{
	bool hopeless = !locked && pass->talks->no_floor && psc_request_locks(&plan->request);
	int err = hopeless ? -EBUSY : request(pass->sections, cgroup, &plan->request);

	if (err == -EBUSY)
		pass->talks->no_floor = true;	/* until on_quiet() */
	return err;
}

static bool is_others(const struct psc_pass *pass, const struct psc_cgroup *cgroup)
{
	return psc_cgroup_is_others(pass->sections->cgroups, cgroup->id);
}

/* Who makes cgroups in a subtree that is left to him makes no reload fail. */
static void count_refused(struct psc_pass *pass, bool others, int err)
{
	if (others && (err == -EACCES || err == -PSC_E_NOSPC))
		pass->talks->left_out++;
	else
		pass->refused++;
}

static void put_in_force(struct psc_pass *pass, const struct psc_cgroup *cgroup,
			 struct psc_plan *plan, const struct psc_request *info)
{
	int err = plan->any ? try_plan(pass, cgroup, plan, info->locked) : 0;
	bool others;

	/* Gone, or threaded, since the plan was made. */
	if (err == -PSC_E_NODEV || (err == -PSC_E_OPNOTSUPP && info->sees_moves))
		return;
	if (err) {
		others = is_others(pass, cgroup);
		say_failed(pass->talks, others, cgroup->path, err);
		count_refused(pass, others, err);
		return;
	}
	pass->changed += plan->any;
}

/* What is set for one cgroup. Return: 0 also when it has gone or cannot have an entry. */
static int settle(struct psc_pass *pass, const struct psc_cgroup *cgroup,
		  const struct psc_setting *settings, union psc_policy *floors)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	_cleanup_free_ char *error = NULL;
	struct psc_plan plan;
	int err = request(pass->sections, cgroup, &info);
	bool others;

	if (err) {
		if (psc_cgroup_trouble_of(err) == PSC_CGROUP_THREADED)
			psc_debug("cgroup %s is threaded, so its section is left out", cgroup->path);
		return psc_cgroup_trouble_of(err) ? 0 : err;
	}
	if (!pass->talks)
		psc_floors_raise(&info.effective, floors);
	err = psc_plan_cgroup(settings, cgroup->path, &info, pass->kind, &plan, &error);
	/* Who makes cgroups does not decide whether the rest can be put in force. */
	others = (err || error) && is_others(pass, cgroup);
	if (!pass->talks && err == -EACCES && others)
		return 0;
	if (!pass->talks) {
		pass->error = TAKE_PTR(error);
		pass->locks |= !err && psc_request_locks(&plan.request);
		if (!err)
			*floors = plan.floors;
		return err;
	}
	if (error)
		say(pass->talks, others, err ? LOG_WARNING : LOG_NOTICE, error);
	if (err == -ENOMEM)
		return err;
	if (err)	/* the next cgroup may fare better */
		count_refused(pass, others, err);
	else
		put_in_force(pass, cgroup, &plan, &info);
	return 0;
}

static unsigned int depth_of(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int visit(struct psc_pass *pass, const struct psc_cgroup *cgroup)
{
	const char *path = cgroup->path;
	struct psc_setting settings[PSC_NAMES];
	bool any = psc_config_for_cgroup(pass->config, path, settings);
	/* At a reload there may be what earlier sections have set, anywhere. */
	bool everywhere = pass->talks && pass->kind == PSC_PLAN_RELOAD;
	unsigned int depth = depth_of(path);
	union psc_policy *floors = &pass->floors[depth + 1];
	int err;

	*floors = pass->floors[depth];
	err = any || everywhere ? settle(pass, cgroup, settings, floors) : 0;
	if (!err && !everywhere && !psc_config_goes_below(pass->config, path))
		psc_walk_skip(&pass->walk);
	return err;
}

/*
 * One that was being made when it was to be looked at: what it has may be by the sections before.
 * The kernel makes one cgroup at a time, so those that came later have what these set.
 */
static int visit_made(struct psc_pass *pass)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1, .id = pass->walk.making };
	int err = psc_cgroup_path(pass->sections->cgroups, cgroup.id, &cgroup.path);

	if (err == -EINPROGRESS && pass->waits++ < WAITS_MAX)
		return err;
	pass->walk.making = 0;
	if (err == -EINPROGRESS) {
		say(pass->talks, false, LOG_WARNING, "a cgroup is being made all the time, and may be "
		    "without what the configuration sets for it");
		pass->refused++;
	}
	return err ? (err == -ENOMEM ? err : 0) : visit(pass, &cgroup);
}

int psc_pass_step(struct psc_pass *pass)
{
	struct psc_cgroup cgroup;
	int err = 0;

	while (pass->walks && (err = psc_walk_next(&pass->walk, &cgroup)) > 0) {
		err = visit(pass, &cgroup);
		if (!err && psc_turn_spent())
			err = -EINPROGRESS;
		if (err)
			break;
	}
	return !err && pass->talks && pass->walk.making ? visit_made(pass) : err;
}

static void pass_free(struct psc_pass *pass)
{
	if (pass)
		psc_walk_end(&pass->walk);
	free(pass);
}

/* To its end, however long that takes. */
static int finish_pass(struct psc_pass *pass)
{
	static const struct timespec pause = { .tv_nsec = WAIT_NSEC };
	int err;

	while ((err = psc_pass_step(pass)) == -EINPROGRESS)
		if (pass->waits)
			nanosleep(&pause, NULL);
	return err;
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

struct psc_pass *psc_sections_begin_check(const struct psc_sections *sections,
					  struct psc_config *config,
					  const union psc_policy *floors)
{
	struct psc_pass *pass = calloc(1, sizeof(*pass));

	if (!pass)
		return NULL;
	*pass = (struct psc_pass){
		.sections = sections, .config = config, .kind = PSC_PLAN_RELOAD,
		.floors = { *floors }, .walks = config->n_sections,
	};
	psc_walk_begin(&pass->walk, sections->cgroups, false);
	return pass;
}

void psc_sections_end_check(struct psc_pass *pass, bool *ret_locks, char **ret_error)
{
	*ret_locks = pass->locks || any_locks(pass->sections, pass->config);
	*ret_error = TAKE_PTR(pass->error);
	pass_free(pass);
}

int psc_sections_check(const struct psc_sections *sections, struct psc_config *config,
		       const union psc_policy *floors, bool *ret_locks, char **ret_error)
{
	struct psc_pass *pass = psc_sections_begin_check(sections, config, floors);
	int err;

	if (!pass)
		return -ENOMEM;
	err = finish_pass(pass);
	psc_sections_end_check(pass, ret_locks, ret_error);
	return err;
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
	bool locks = false;
	int err = 0;

	for (size_t i = 0; !err && i < sections->config.n_sections; i++) {
		const struct psc_section *section = &sections->config.sections[i];

		req.index = (__u32)i;
		err = psc_pattern_compile(section->pattern, &req.pattern);
		req.pattern.policy = psc_pattern_policy(section->settings);
		req.pattern.sticky = psc_settings_sticky(section->settings);
		if (!floors)
			without_floors(&req.pattern.policy);
		locks |= psc_pattern_locks(&req.pattern.policy);
		if (!err)
			err = sections->section(sections->data, &req);
	}
	req = (struct psc_section_request){
		.abi = PSC_ABI, .op = PSC_SECTIONS_COMMIT,
		.index = (__u32)sections->config.n_sections, .pattern.policy.floor[0] = locks,
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
	psc_warning("new cgroups are without the floors of their sections: %s; when the cause is "
		    "gone: systemctl reload ptracescoped", psc_ctl_error(err));
	err = publish(sections, false);
	if (err)
		psc_warning("the configuration is not in force for new cgroups: %s; try again: "
			    "systemctl reload ptracescoped", psc_ctl_error(err));
	return err;
}

struct psc_pass *psc_sections_begin_apply(struct psc_sections *sections,
					  struct psc_config *config, enum psc_plan_kind kind)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	struct psc_pass *pass = calloc(1, sizeof(*pass));

	if (!pass)
		return NULL;
	psc_config_free(&sections->config);
	sections->no_floor = false;
	sections->left_out = 0;
	sections->config = *config;
	*config = (struct psc_config){ 0 };
	if (sections->config.n_sections && sections->cgroups->root_fd < 0)
		psc_warning("the configuration for cgroups is not in force: %s",
			    psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED));
	*pass = (struct psc_pass){
		.sections = sections, .talks = sections, .config = &sections->config,
		.kind = kind, .published = publish_all(sections),
	};
	/* Without sections there may still be what earlier ones set. */
	pass->walks = sections->config.n_sections ||
		(!sections->request(sections->data, &info) && info.entries);
	psc_walk_begin(&pass->walk, sections->cgroups, false);
	return pass;
}

int psc_sections_end_apply(struct psc_pass *pass, int err)
{
	_cleanup_free_ char *text = NULL;
	int refused = (int)pass->refused;

	if (err < 0 && asprintf(&text, "the configuration for cgroups is not wholly in force: %s",
				psc_ctl_error(err)) < 0)
		text = NULL;
	if (err < 0)
		say(pass->talks, false, LOG_WARNING, text ? text : strerror(ENOMEM));
	if (pass->changed)
		psc_info("configuration for cgroups: %u changed", pass->changed);
	err = err < 0 || pass->published ? -1 : refused;
	pass_free(pass);
	return err;
}

int psc_sections_apply(struct psc_sections *sections, struct psc_config *config,
		       enum psc_plan_kind kind)
{
	struct psc_pass *pass = psc_sections_begin_apply(sections, config, kind);

	return pass ? psc_sections_end_apply(pass, finish_pass(pass)) : -1;
}

void psc_sections_free(struct psc_sections *sections)
{
	sections->quiet = sd_event_source_disable_unref(sections->quiet);
	psc_config_free(&sections->config);
}
