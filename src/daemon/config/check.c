/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ptracescoped --check`: what a reload would do, and what it would refuse. */
#include "check.h"

#include <errno.h>

#include "escape.h"
#include "log.h"
#include "plan.h"
#include "ptracescope_policy.h"
#include "util.h"

#define PATHS_SHOWN 8		/* cgroups listed below a section */
#define ERRORS_SHOWN 20		/* cgroups whose sections are refused */

struct matches {
	unsigned int n;
	char *paths[PATHS_SHOWN];
};

struct walk {
	const struct psc_check *check;
	struct psc_config *config;
	struct matches *matches;	/* indexed like the sections */
	bool entries;			/* cgroups have some, so that a reload may take them back */
	bool sees_moves;		/* as in struct psc_request */
	bool locks;
	unsigned int changed, refused;
	unsigned int left_out;		/* in subtrees that are left to users */
	int err;			/* of the first refused */
	union psc_policy floors[PSC_CGROUP_LEVELS + 1];	/* that would hold, by depth */
};

static void show_path(FILE *out, const char *before, const char *path, const char *after)
{
	_cleanup_free_ char *shown = psc_escape(path, strlen(path), 512);

	fprintf(out, "%s%s%s", before, shown ? shown : "?", after);
}

/* The setting of which a mode has its value; NULL when none is configured. */
static const struct psc_setting *setting_of(const struct psc_config *config, unsigned int mode)
{
	const struct psc_setting *found = NULL;

	for (size_t i = 0; i < PSC_NAMES; i++)
		if (config->settings[i].present && !psc_names[i].floor &&
		    (psc_names[i].modes & PSC_MODE_BIT(mode)))
			found = &config->settings[i];
	return found;
}

static void show_row(const struct psc_check *check, const struct psc_name *name,
		     const union psc_policy *after, const struct psc_setting *setting)
{
	const union psc_policy *before = check->policy;
	unsigned int value = psc_name_get(name, after);
	char now[PSC_LABEL_SIZE], then[PSC_LABEL_SIZE];

	strcpy(now, check->unseen ? "unknown" : "-");
	if (before)
		psc_value_label(name, psc_name_get(name, before), now);
	psc_value_label(name, value, then);
	fprintf(check->out, "  %-34s  %-15s  %-15s  %s\n", name->name, now,
		before && streq(now, then) ? "unchanged" : then,
		setting ? setting->source : "not configured");
}

/* Every part of the policy once. Return: whether anything changes. */
static bool show_globals(const struct psc_check *check, const struct psc_config *config,
			 const union psc_policy *after)
{
	const struct psc_name *floor = psc_name_find(PSC_NAME_FLOOR);

	fprintf(check->out, "  %-34s  %-15s  %-15s  %s\n", "SETTING", "NOW",
		check->policy ? "AFTER A RELOAD" : "AFTER A START", "FROM");
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		show_row(check, psc_name_of_mode(mode), after, setting_of(config, mode));
	show_row(check, floor, after,
		 config->settings[floor - psc_names].present ?
		 &config->settings[floor - psc_names] : NULL);
	return !check->policy || memcmp(check->policy, after, sizeof(*after)) != 0;
}

/* Plan the global settings. Return: 0, or a negative errno after a message. */
static int check_globals(const struct psc_check *check, const struct psc_config *config,
			 struct walk *walk, bool *ret_changes)
{
	union psc_policy after = {};
	_cleanup_free_ char *error = NULL;
	struct psc_plan plan;
	int err;

	if (check->policy)
		after = *check->policy;
	err = psc_plan_make(config, check->policy ? PSC_PLAN_RELOAD : PSC_PLAN_FIRST, after, &plan,
			    &error);
	if (err)
		return psc_log_err(err, "configuration: %s", error ? error : strerror(-err));
	if (plan.any)
		psc_policy_change(&after, &plan.request, NULL);
	*ret_changes = show_globals(check, config, &after);
	walk->floors[0] = plan.floors;
	walk->locks = psc_request_locks(&plan.request);
	return 0;
}

static int note_matches(struct walk *walk, const char *path)
{
	for (size_t s = 0; s < walk->config->n_sections; s++) {
		struct matches *matches = &walk->matches[s];

		if (!psc_cgroup_matches(walk->config->sections[s].pattern, path))
			continue;
		if (matches->n < PATHS_SHOWN) {
			matches->paths[matches->n] = strdup(path);
			if (!matches->paths[matches->n])
				return -ENOMEM;
		}
		matches->n++;
	}
	return 0;
}

/* What psc_ctl says of a cgroup; where it cannot be asked, as if nobody had set anything. */
static int ask(const struct walk *walk, const struct psc_cgroup *cgroup, struct psc_request *ret)
{
	*ret = (struct psc_request){ .abi = PSC_ABI, .op = PSC_OP_INFO };
	if (walk->check->request) {
		ret->flags = PSC_FLAG_CGROUP;
		ret->dir_fd = cgroup->fd;
		ret->cgroup = cgroup->id;
		return walk->check->request(walk->check->data, ret);
	}
	memset(ret->policy.scope, PSC_SCOPE_INHERIT, sizeof(ret->policy.scope));
	ret->sees_moves = walk->sees_moves;
	return 0;
}

static int refuse(struct walk *walk, int err, const char *error)
{
	if (err == -ENOMEM)
		return err;
	if (!walk->err)
		walk->err = err;
	if (walk->refused++ < ERRORS_SHOWN)
		psc_log(LOG_ERR, "configuration: %s", error ? error : strerror(-err));
	return 0;
}

/* Users make cgroups there, and no reload fail. */
static int leave_out(struct walk *walk, const char *error)
{
	if (walk->left_out++ < ERRORS_SHOWN)
		psc_warning("configuration: %s; a reload leaves this cgroup out", error ? error : "?");
	return 0;
}

static int visit(void *data, const struct psc_cgroup *cgroup)
{
	const char *path = cgroup->path;
	struct walk *walk = data;
	struct psc_setting settings[PSC_NAMES];
	_cleanup_free_ char *error = NULL;
	union psc_policy *floors = walk->floors;
	struct psc_request info;
	struct psc_plan plan;
	int err = note_matches(walk, path);

	for (const char *c = path; *c; c++)
		floors += *c == '/';
	floors[1] = floors[0];
	if (err || (!psc_config_for_cgroup(walk->config, path, settings) && !walk->entries))
		return err;
	err = ask(walk, cgroup, &info);
	if (err)	/* gone, or threaded: a reload leaves it out as well */
		return psc_cgroup_trouble_of(err) ? 0 : err;
	psc_floors_raise(&info.effective, &floors[1]);
	err = psc_plan_cgroup(settings, path, &info, PSC_PLAN_RELOAD, &plan, &error);
	if (err == -EACCES && psc_cgroup_is_others(walk->check->asked, info.cgroup))
		return leave_out(walk, error);
	if (err)
		return refuse(walk, err, error);
	floors[1] = plan.floors;
	walk->changed += plan.any;
	walk->locks |= psc_request_locks(&plan.request);
	return 0;
}

static void show_section(FILE *out, const struct psc_section *section,
			 const struct matches *matches)
{
	bool bare = !strpbrk(section->pattern, "/.*?[");

	show_path(out, "  [", section->pattern, "]  ");
	if (!matches->n)
		fprintf(out, "matches no cgroup now%s", bare ? "; names of units have a suffix, such "
			"as .service" : "");
	else
		fprintf(out, "matches %u cgroup%s", matches->n, matches->n == 1 ? "" : "s");
	fprintf(out, "  (%s)\n", section->source);
	for (unsigned int i = 0; i < matches->n && i < PATHS_SHOWN; i++)
		show_path(out, "      ", matches->paths[i], "\n");
	if (matches->n > PATHS_SHOWN)
		fprintf(out, "      and %u more\n", matches->n - PATHS_SHOWN);
}

/* Look at all cgroups. Return: 0, or a negative errno after a message. */
static int check_sections(const struct psc_check *check, struct walk *walk)
{
	int err;

	if (walk->config->n_sections && check->cgroups->root_fd < 0)
		psc_warning("configuration: no section can be in force: %s",
			    psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED));
	err = walk->config->n_sections || walk->entries ?
		psc_cgroup_walk(check->cgroups, visit, walk) : 0;
	if (err < 0)
		return psc_log_err(err, "cgroups cannot be looked at: %s", strerror(-err));
	if (walk->config->n_sections)
		fprintf(check->out, "\n  SECTIONS\n");
	for (size_t s = 0; s < walk->config->n_sections; s++) {
		const struct psc_section *section = &walk->config->sections[s];

		show_section(check->out, section, &walk->matches[s]);
		if (!walk->matches[s].n)
			psc_warning("%s: the section matches no cgroup now", section->source);
	}
	if (walk->refused > ERRORS_SHOWN)
		psc_log(LOG_ERR, "configuration: and %u more cgroups",
			walk->refused - ERRORS_SHOWN);
	return walk->err;
}

static void conclude(const struct psc_check *check, const struct walk *walk, bool changes)
{
	fputs("\nconfiguration: ok", check->out);
	if (check->unseen)
		fputs("; not compared with what is in force\n", check->out);
	else if (!check->policy)
		fputs("; nothing is in force now that it could be compared with\n", check->out);
	else if (!check->request)	/* then all that sections set would seem new */
		fprintf(check->out, "; a reload changes %sglobal settings; what it changes of "
			"cgroups is for root to see\n", changes ? "" : "no ");
	else if (!changes && !walk->changed)
		fputs("; a reload changes nothing\n", check->out);
	else if (!walk->changed)
		fputs("; a reload changes global settings\n", check->out);
	else
		fprintf(check->out, "; a reload changes %sthe settings of %u cgroup%s\n",
			changes ? "global settings and " : "", walk->changed,
			walk->changed == 1 ? "" : "s");
	if (walk->left_out)
		fprintf(check->out, "a reload leaves out %u cgroup%s in subtrees that are left to users\n",
			walk->left_out, walk->left_out == 1 ? "" : "s");
}

/* Return: 0, or a negative errno after a message. */
static int check_plan(const struct psc_check *check, struct psc_config *config)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	bool changes = false;
	int err = -ENOMEM;

	if (!walk)
		return err;
	*walk = (struct walk){ .check = check, .config = config, .sees_moves = true };
	walk->matches = calloc(config->n_sections + 1, sizeof(*walk->matches));
	if (walk->matches)
		err = check_globals(check, config, walk, &changes);
	if (!err && check->request && !check->request(check->data, &info))
		walk->entries = info.entries;
	if (!err)
		err = check_sections(check, walk);
	if (!err && walk->locks && !info.locked)
		psc_notice("the configuration sets the first floor since boot, which a reload "
			   "refuses while programs or processes of others conflict with it");
	if (!err)
		conclude(check, walk, changes);
	for (size_t s = 0; walk->matches && s < config->n_sections; s++)
		for (size_t i = 0; i < PATHS_SHOWN; i++)
			free(walk->matches[s].paths[i]);
	free(walk->matches);
	free(walk);
	return err;
}

int psc_check_config(const struct psc_check *check)
{
	_cleanup_free_ char *error = NULL;
	struct psc_config config;
	char *rest, *line;
	int err = psc_config_load(check->root, &config, &error);

	fputs("\n", check->out);
	if (!err) {
		err = check_plan(check, &config);
	} else {
		for (rest = error; rest && (line = strsep(&rest, "\n"));)
			psc_log(LOG_ERR, "configuration: %s", line);
		if (!error)
			psc_log(LOG_ERR, "configuration: %s", strerror(-err));
	}
	psc_config_free(&config);
	return err;
}
