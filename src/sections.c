/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sections.h"

#include <errno.h>
#include <time.h>

#include "escape.h"
#include "log.h"
#include "ratelimit.h"
#include "server.h"
#include "util.h"

/* Whoever may make cgroups may also make more than we are told of. */
#define RESCAN_USEC (500 * 1000ULL)
/* Cgroups looked at in one turn of the loop then. */
#define RESCAN_SLICE 256

struct pass {
	const struct psc_sections *sections;
	struct psc_sections *talks;	/* the same; NULL where nothing is put in force */
	struct psc_config *config;
	enum psc_plan_kind kind;
	unsigned int left;		/* end after so many; 0: at the end */
	char *last;			/* where that was */
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

static int request(const struct psc_sections *sections, int fd, struct psc_request *req)
{
	req->flags |= PSC_FLAG_CGROUP;
	req->dir_fd = fd;
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
static int try_plan(struct pass *pass, int fd, struct psc_plan *plan, bool locked)
{
	bool hopeless = !locked && pass->talks->no_floor && psc_request_locks(&plan->request);
	int err = hopeless ? -EBUSY : request(pass->sections, fd, &plan->request);

	if (err == -EBUSY)
		pass->talks->no_floor = true;	/* until on_quiet() */
	return err;
}

static void put_in_force(struct pass *pass, int fd, const char *path, struct psc_plan *plan,
			 bool locked)
{
	int err = plan->any ? try_plan(pass, fd, plan, locked) : 0;

	if (err == -PSC_E_NODEV)
		return;
	if (err) {
		say_failed(pass->talks, path, err);
		pass->refused++;
		return;
	}
	pass->changed += plan->any;
}

/* What is set for one cgroup. Return: 0 also when it has gone or cannot have an entry. */
static int settle(struct pass *pass, int fd, const char *path, const struct psc_setting *settings,
		  union psc_policy *floors)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	_cleanup_free_ char *error = NULL;
	struct psc_plan plan;
	int err = request(pass->sections, fd, &info);

	if (err) {
		if (psc_cgroup_trouble_of(err) == PSC_CGROUP_THREADED)
			psc_debug("cgroup %s is threaded, so its section is left out", path);
		return psc_cgroup_trouble_of(err) ? 0 : err;
	}
	if (!pass->talks)
		psc_floors_raise(&info.effective, floors);
	err = psc_plan_cgroup(settings, path, &info, pass->kind, &plan, &error);
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
		put_in_force(pass, fd, path, &plan, info.locked);
	return 0;
}

static unsigned int depth_of(const char *path)
{
	unsigned int depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int visit(void *data, int fd, const char *path)
{
	struct pass *pass = data;
	struct psc_setting settings[PSC_NAMES];
	bool any = psc_config_for_cgroup(pass->config, path, settings);
	/* At a reload there may be what earlier sections have set, anywhere. */
	bool everywhere = pass->talks && pass->kind == PSC_PLAN_RELOAD;
	unsigned int depth = depth_of(path);
	union psc_policy *floors = &pass->floors[depth + 1];
	int err;

	*floors = pass->floors[depth];
	err = any || everywhere ? settle(pass, fd, path, settings, floors) : 0;
	if (err)
		return err;
	if (pass->left && !--pass->left) {
		pass->last = strdup(path);
		return pass->last ? 1 : -ENOMEM;
	}
	return everywhere || psc_config_goes_below(pass->config, path) ? 0 : PSC_CGROUP_SKIP;
}

int psc_sections_check(const struct psc_sections *sections, struct psc_config *config,
		       const union psc_policy *floors, bool *ret_locks, char **ret_error)
{
	struct pass pass = {
		.sections = sections, .config = config, .kind = PSC_PLAN_RELOAD,
		.floors = { *floors },
	};
	int err = config->n_sections ? psc_cgroup_walk(sections->cgroups, NULL, visit, &pass) : 0;

	*ret_locks = pass.locks;
	*ret_error = pass.error;
	return err;
}

/*
 * From behind @after, @left cgroups, 0 for all.
 * @ret_last: where it ended before the end
 * Return: how many cgroups are left without what the configuration sets, or -1.
 */
static int walk(struct psc_sections *sections, enum psc_plan_kind kind, const char *after,
		unsigned int left, char **ret_last)
{
	struct pass pass = {
		.sections = sections, .talks = sections, .config = &sections->config,
		.kind = kind, .left = left,
	};
	int err = psc_cgroup_walk(sections->cgroups, after, visit, &pass);
	_cleanup_free_ char *text = NULL;

	if (err < 0 && asprintf(&text, "the configuration for cgroups is not wholly in force: %s",
				strerror(-err)) < 0)
		text = NULL;
	if (err < 0)
		say(sections, LOG_WARNING, text ? text : strerror(ENOMEM));
	if (pass.changed)
		psc_log(left ? LOG_DEBUG : LOG_INFO, "configuration for cgroups: %u changed",
			pass.changed);
	*ret_last = pass.last;
	return err < 0 ? -1 : (int)pass.refused;
}

/* Before looking at those that are there, so that none is missed in between. */
static void watch(const struct psc_sections *sections)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_WATCH, .value = sections->config.n_sections != 0,
	};
	int err = sections->request(sections->data, &req);

	if (err)
		psc_warning("new cgroups will not be seen: %s", strerror(-err));
}

int psc_sections_apply(struct psc_sections *sections, struct psc_config *config,
		       enum psc_plan_kind kind)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	char *last;

	psc_config_free(&sections->config);
	sections->no_floor = false;
	sections->config = *config;
	*config = (struct psc_config){ 0 };
	if (sections->config.n_sections && sections->cgroups->root_fd < 0)
		psc_warning("the configuration for cgroups is not in force: %s",
			    psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED));
	watch(sections);
	/* Without sections there may still be what earlier ones set. */
	if (sections->config.n_sections ||
	    (!sections->request(sections->data, &info) && info.entries))
		return walk(sections, kind, NULL, 0, &last);
	return 0;
}

void psc_sections_made(struct psc_sections *sections, const struct psc_cgroup_event *event)
{
	struct pass pass = {
		.sections = sections, .talks = sections, .config = &sections->config,
		.kind = PSC_PLAN_RAISE,
	};
	union psc_policy floors = {};
	size_t len = strnlen(event->path, sizeof(event->path));
	const char *path = event->path + (event->path[0] == '/');
	struct psc_setting settings[PSC_NAMES];
	_cleanup_close_ int fd = -1;
	__u64 id;
	int err;

	if (!sections->config.n_sections)
		return;
	if (len + 1 >= sizeof(event->path)) {	/* cut, it seems */
		psc_sections_lost(sections);
		return;
	}
	/* Anybody with a subtree of his own makes cgroups: no look-up for what is not meant. */
	if (!psc_config_for_cgroup(&sections->config, path, settings))
		return;
	/*
	 * The event comes before mkdir(2) returns, but looking the directory up waits
	 * for that. Another one of the same path has an event of its own.
	 */
	err = psc_cgroup_open(sections->cgroups, path, &fd);
	if (!err)
		err = psc_cgroup_id(fd, &id);
	if (!err && id == event->cgroup)
		err = settle(&pass, fd, path, settings, &floors);
	if (err < 0)
		psc_sections_lost(sections);
}

static void rescan_in(struct psc_sections *sections, uint64_t usec);

/* A slice, so that what else there is to do does not wait for thousands of cgroups. */
static int on_rescan(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_sections *sections = data;
	_cleanup_free_ char *after = TAKE_PTR(sections->rescanned);

	(void)source;
	(void)usec;
	sections->rescan = sd_event_source_disable_unref(sections->rescan);
	if (!after)
		sections->lost = false;
	/* What has failed is tried again. */
	if (walk(sections, PSC_PLAN_RAISE, after, RESCAN_SLICE, &sections->rescanned) < 0)
		sections->lost = true;
	if (sections->rescanned)
		rescan_in(sections, 0);
	else if (sections->lost)
		rescan_in(sections, RESCAN_USEC);
	return 0;
}

static void rescan_in(struct psc_sections *sections, uint64_t usec)
{
	/* An accuracy of 0 would be that of sd-event's own choice, 250 ms. */
	int err = sd_event_add_time_relative(sections->event, &sections->rescan, CLOCK_MONOTONIC,
					     usec, 1, on_rescan, sections);

	/* The other slices take turns with everybody, as they are always due. */
	if (err >= 0 && !usec)
		err = sd_event_source_set_priority(sections->rescan, PSC_PRIORITY_OF_EVERYBODY);
	if (err < 0)
		psc_warning("not all new cgroups will be seen: %s", strerror(-err));
}

void psc_sections_lost(struct psc_sections *sections)
{
	sections->lost = true;
	if (sections->config.n_sections && !sections->rescan)
		rescan_in(sections, RESCAN_USEC);
}

void psc_sections_free(struct psc_sections *sections)
{
	sections->rescan = sd_event_source_disable_unref(sections->rescan);
	sections->quiet = sd_event_source_disable_unref(sections->quiet);
	free(TAKE_PTR(sections->rescanned));
	psc_config_free(&sections->config);
}
