/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sections.h"

#include <errno.h>
#include <time.h>

#include "escape.h"
#include "log.h"
#include "util.h"

/* Whoever may make cgroups may also make more than we are told of. */
#define RESCAN_USEC (500 * 1000ULL)

struct pass {
	const struct psc_sections *sections;
	const struct psc_config *config;
	enum psc_plan_kind kind;
	bool only_check;
	unsigned int changed;
	unsigned int refused;		/* cgroups that did not get all that is set for them */
	char *error;
};

static int request(const struct psc_sections *sections, int fd, struct psc_request *req)
{
	req->flags |= PSC_FLAG_CGROUP;
	req->dir_fd = fd;
	return sections->request(sections->data, req);
}

/* One cgroup. Return: 0 also when it has gone or cannot have an entry. */
static int visit(void *data, int fd, const char *path)
{
	struct pass *pass = data;
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	struct psc_setting settings[PSC_NAMES];
	bool any = psc_config_for_cgroup(pass->config, path, settings);
	struct psc_plan plan;
	int err;

	if (!any && pass->kind != PSC_PLAN_RELOAD)
		return 0;
	err = request(pass->sections, fd, &info);
	if (err) {
		if (any && psc_cgroup_trouble_of(err) == PSC_CGROUP_THREADED)
			psc_debug("cgroup %s is threaded, so its section is left out", path);
		return psc_cgroup_trouble_of(err) ? 0 : err;
	}
	err = psc_plan_cgroup(settings, path, &info, pass->kind, &plan, &pass->error);
	if (err == -EACCES && !pass->only_check) {
		psc_warning("%s", pass->error ? pass->error : strerror(EACCES));
		free(TAKE_PTR(pass->error));
		pass->refused++;	/* the next cgroup may fare better */
		return 0;
	}
	if (err || pass->only_check)
		return err;
	for (size_t i = 0; i < plan.n; i++) {
		err = request(pass->sections, fd, &plan.requests[i]);
		if (err && err != -PSC_E_NODEV) {
			_cleanup_free_ char *shown = psc_escape(path, strlen(path), 256);

			psc_warning("the configuration for the cgroup \"%s\" is not in force: %s",
				    shown ? shown : "?", strerror(-err));
		}
		if (err) {
			pass->refused += err != -PSC_E_NODEV;
			return 0;
		}
	}
	pass->changed += plan.n != 0;
	return 0;
}

int psc_sections_check(const struct psc_sections *sections, const struct psc_config *config,
		       char **ret_error)
{
	struct pass pass = {
		.sections = sections, .config = config, .kind = PSC_PLAN_RELOAD, .only_check = true,
	};
	int err = config->n_sections ? psc_cgroup_walk(sections->cgroups, NULL, visit, &pass) : 0;

	*ret_error = pass.error;
	return err;
}

/* Return: how many cgroups are left without what the configuration sets, or -1. */
static int walk(const struct psc_sections *sections, enum psc_plan_kind kind)
{
	struct pass pass = { .sections = sections, .config = &sections->config, .kind = kind };
	int err = psc_cgroup_walk(sections->cgroups, NULL, visit, &pass);

	if (err)
		psc_warning("the configuration for cgroups is not wholly in force: %s",
			    pass.error ? pass.error : strerror(-err));
	free(pass.error);
	if (pass.changed)
		psc_info("configuration for cgroups: %u changed", pass.changed);
	return err ? -1 : (int)pass.refused;
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

	psc_config_free(&sections->config);
	sections->config = *config;
	*config = (struct psc_config){ 0 };
	if (sections->config.n_sections && sections->cgroups->root_fd < 0)
		psc_warning("the configuration for cgroups is not in force: %s",
			    psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED));
	watch(sections);
	/* Without sections there may still be what earlier ones set. */
	if (sections->config.n_sections ||
	    (!sections->request(sections->data, &info) && info.entries))
		return walk(sections, kind);
	return 0;
}

void psc_sections_made(struct psc_sections *sections, const struct psc_cgroup_event *event)
{
	struct pass pass = {
		.sections = sections, .config = &sections->config, .kind = PSC_PLAN_RAISE,
	};
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
		err = visit(&pass, fd, path);
	if (err < 0)
		psc_sections_lost(sections);
	free(pass.error);
}

static int on_rescan(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_sections *sections = data;

	(void)source;
	(void)usec;
	sections->rescan = sd_event_source_disable_unref(sections->rescan);
	walk(sections, PSC_PLAN_RAISE);
	return 0;
}

void psc_sections_lost(struct psc_sections *sections)
{
	int err;

	if (!sections->config.n_sections || sections->rescan)
		return;
	err = sd_event_add_time_relative(sections->event, &sections->rescan, CLOCK_MONOTONIC,
					 RESCAN_USEC, 0, on_rescan, sections);
	if (err < 0)
		walk(sections, PSC_PLAN_RAISE);
}

void psc_sections_free(struct psc_sections *sections)
{
	sections->rescan = sd_event_source_disable_unref(sections->rescan);
	psc_config_free(&sections->config);
}
