/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own configuration files, and the merging of all. */
#include "config.h"

#include <errno.h>

#include "cgroup.h"
#include "config_file.h"
#include "log.h"
#include "pattern.h"
#include "util.h"

static const char *const own_dirs[] = { "/etc/ptracescope/conf.d", NULL };
static const char own_file[] = "/etc/ptracescope/ptracescope.conf";

int psc_conf_assign(struct psc_conf *conf, struct psc_section *section,
		    const struct psc_name *name, unsigned int value, const char *path,
		    unsigned int line)
{
	struct psc_setting *settings = section ? section->settings : conf->config.settings;
	char *source;

	if (asprintf(&source, "%s:%u", path, line) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < PSC_NAMES; i++) {
		if (!psc_name_covers(name, &psc_names[i]))
			continue;
		free(settings[i].source);
		settings[i] = (struct psc_setting){ 0 };
	}
	settings[name - psc_names] = (struct psc_setting){ true, value, source };
	return psc_conf_note(conf, section, name, value, path, line);
}

static void list_names(char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < PSC_NAMES && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
					psc_names[i].name);
}

/* A file of ours that is being parsed. */
struct own_file {
	struct psc_conf *conf;
	const char *path;
	unsigned int line;
	struct psc_section *section;	/* NULL before the first: the whole system */
	bool nowhere;			/* the section is of a name that is none */
	unsigned int seen[PSC_NAMES];	/* lines of its assignments, indexed like psc_names[] */
	unsigned int seen_lockdown;
	unsigned int seen_sticky;
};

static int add_section(struct own_file *file, const char *pattern)
{
	struct psc_config *config = &file->conf->config;
	struct psc_section *sections = reallocarray(config->sections, config->n_sections + 1,
						    sizeof(*sections));
	struct psc_section new = {};

	if (!sections)
		return -ENOMEM;
	config->sections = sections;
	if (asprintf(&new.source, "%s:%u", file->path, file->line) < 0)
		return -ENOMEM;
	new.pattern = strdup(pattern);
	file->section = &sections[config->n_sections++];
	*file->section = new;
	return new.pattern ? 0 : -ENOMEM;
}

/* "[PATTERN]" begins a section. */
static int parse_header(struct own_file *file, char *text)
{
	size_t len = strlen(text);
	char quoted[PSC_QUOTE_SIZE], *pattern;
	struct psc_pattern compiled;

	psc_conf_quote(quoted, text);
	memset(file->seen, 0, sizeof(file->seen));
	file->seen_sticky = 0;
	file->nowhere = true;
	if (text[len - 1] != ']')
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: ']' is missing at the end of "
				     "'%s'; write [CGROUP]", file->path, file->line, quoted);
	text[len - 1] = '\0';
	pattern = psc_cgroup_pattern(psc_strip(text + 1));
	if (!pattern)
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: '%s' is for no cgroup; it takes "
				     "the name of a unit, or a path below the root cgroup "
				     "without '.' and '..'", file->path, file->line, quoted);
	if (psc_pattern_compile(pattern, &compiled))
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: '%s' is too long: it may have "
				     "%u components, some %u bytes in all, and %u different "
				     "sets in brackets", file->path, file->line, quoted,
				     PSC_CGROUP_LEVELS - 1, PSC_PATTERN_BYTES - 16,
				     PSC_PATTERN_SETS);
	if (file->conf->config.n_sections == PSC_SECTIONS_MAX)
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: there are more than %u sections; "
				     "a pattern with '*' can do for several", file->path,
				     file->line, PSC_SECTIONS_MAX);
	file->nowhere = false;
	return add_section(file, pattern);
}

static int bad_value(struct own_file *file, const struct psc_name *name, const char *value)
{
	char quoted[PSC_QUOTE_SIZE], all[PSC_VALUES_SIZE];
	unsigned int scope;
	const char *hint = "";

	if (strpbrk(value, "#;"))
		hint = "; a comment needs a line of its own";
	else if (!file->section && !file->nowhere && psc_value_parse(name, value, true, &scope) == 0)
		hint = "; that one is for cgroups, in a section";
	return psc_conf_fail(file->conf, -EINVAL, "%s:%u: '%s' is no value for %s; it must be one "
			     "of %s%s", file->path, file->line, psc_conf_quote(quoted, value),
			     name->name, psc_value_list(name, file->section || file->nowhere, all), hint);
}

static int set_twice(struct own_file *file, const char *name, unsigned int first)
{
	return psc_conf_fail(file->conf, -EINVAL, "%s:%u: %s has been set in line %u already; "
			     "remove one of the two", file->path, file->line, name, first);
}

/* "lockdown = integrity": the one setting that is not a part of the policy. */
static int parse_lockdown(struct own_file *file, const char *value)
{
	char quoted[PSC_QUOTE_SIZE];

	if (file->section || file->nowhere)
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: lockdown is the whole system's; "
				     "put it before the first section", file->path, file->line);
	if (!streq(value, "integrity") && !streq(value, "none"))
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: '%s' is no value for lockdown; it "
				     "must be integrity or none", file->path, file->line,
				     psc_conf_quote(quoted, value));
	if (file->seen_lockdown)
		return set_twice(file, "lockdown", file->seen_lockdown);
	file->seen_lockdown = file->line;
	file->conf->config.lockdown = streq(value, "integrity");
	return 0;
}

/* "sticky = yes": of a section, whose settings then go along with who leaves the cgroup. */
static int parse_sticky(struct own_file *file, const char *value)
{
	char quoted[PSC_QUOTE_SIZE];

	if (!file->section && !file->nowhere)
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: sticky is for cgroups; put it into "
				     "a section", file->path, file->line);
	if (!streq(value, "yes") && !streq(value, "no"))
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: '%s' is no value for sticky; it "
				     "must be yes or no", file->path, file->line,
				     psc_conf_quote(quoted, value));
	if (file->seen_sticky)
		return set_twice(file, "sticky", file->seen_sticky);
	file->seen_sticky = file->line;
	if (file->section)
		file->section->sticky = streq(value, "yes");
	return 0;
}

static int parse_setting(struct own_file *file, const struct psc_name *name, const char *value)
{
	unsigned int scope, *first = &file->seen[name - psc_names];
	bool in_section = file->section || file->nowhere;
	int err;

	if (psc_value_parse(name, value, in_section, &scope) != 0)
		return bad_value(file, name, value);
	if (file->nowhere)
		return 0;
	if (!*first) {
		*first = file->line;
		return psc_conf_assign(file->conf, file->section, name, scope, file->path,
				       file->line);
	}
	err = set_twice(file, name->name, *first);
	return err ? err : psc_conf_note(file->conf, file->section, name, scope, file->path,
					 file->line);
}

static int parse_line(struct own_file *file, char *text)
{
	char quoted[PSC_QUOTE_SIZE], all[512], *value = strchr(text, '=');
	const struct psc_name *name;

	if (*text == '[')
		return parse_header(file, text);
	if (!value)
		return psc_conf_fail(file->conf, -EINVAL, "%s:%u: '=' is missing in '%s'; write "
				     "NAME = VALUE", file->path, file->line,
				     psc_conf_quote(quoted, text));
	*value++ = '\0';
	text = psc_strip(text);
	value = psc_strip(value);

	if (streq(text, "lockdown"))
		return parse_lockdown(file, value);
	if (streq(text, "sticky"))
		return parse_sticky(file, value);
	name = psc_name_find(text);
	if (name)
		return parse_setting(file, name, value);
	list_names(all, sizeof(all));
	return psc_conf_fail(file->conf, -EINVAL, "%s:%u: unknown name '%s'; known are %s, lockdown, sticky",
			     file->path, file->line, psc_conf_quote(quoted, text), all);
}

static int parse_own(struct psc_conf *conf, void *data __attribute__((unused)), const char *path,
		     char *text, size_t len)
{
	struct psc_lines lines = { .next = text, .end = text + len };
	struct own_file file = { .conf = conf, .path = path };
	int err = 0;

	/* A crash while it was written leaves a file of zeros. */
	if (memchr(text, '\0', len))
		return psc_conf_fail(conf, -EINVAL, "%s: has a NUL byte in it, so it is damaged; "
				     "write it anew", path);
	for (char *line; !err && (line = psc_next_line(&lines));) {
		file.line = lines.number;
		err = parse_line(&file, line);
	}
	return err;
}

bool psc_config_for_cgroup(struct psc_config *config, const char *path,
			   struct psc_setting ret[PSC_NAMES])
{
	bool any = false;

	memset(ret, 0, PSC_NAMES * sizeof(*ret));
	for (size_t s = 0; s < config->n_sections; s++) {
		struct psc_section *section = &config->sections[s];

		if (!psc_cgroup_matches(section->pattern, path))
			continue;
		any = section->matched = true;
		for (size_t i = 0; i < PSC_NAMES; i++) {
			if (!section->settings[i].present)
				continue;
			for (size_t old = 0; old < PSC_NAMES; old++)
				if (psc_name_covers(&psc_names[i], &psc_names[old]))
					ret[old] = (struct psc_setting){ 0 };
			ret[i] = section->settings[i];
		}
	}
	return any;
}

bool psc_config_goes_below(const struct psc_config *config, const char *path)
{
	for (size_t s = 0; s < config->n_sections; s++)
		if (psc_cgroup_matches_below(config->sections[s].pattern, path))
			return true;
	return false;
}

static int load(struct psc_conf *conf)
{
	static const struct psc_conf_kind own = {
		.parse = parse_own, .max = 1024 * 1024, .ours = true,
	};

	return psc_conf_cmdline(conf) ?:
	       psc_conf_sysctl(conf) ?:
	       psc_conf_file(conf, own_file, &own) ?:
	       psc_conf_dirs(conf, own_dirs, &own) ?:
	       psc_conf_cmdline_done(conf);
}

/* Of what the sections of @from say of this pattern, any. */
static bool is_sticky(const struct psc_config *from, const char *pattern)
{
	for (size_t s = 0; s < from->n_sections; s++)
		if (from->sections[s].sticky && streq(from->sections[s].pattern, pattern))
			return true;
	return false;
}

/* The setting may come behind those that it is for. */
static void spread_sticky(struct psc_config *config)
{
	for (size_t s = 0; s < config->n_sections; s++)
		for (size_t i = 0; i < PSC_NAMES; i++)
			config->sections[s].settings[i].sticky = config->sections[s].sticky;
}

/* A name that is probably that of a unit without its suffix. */
static void hint_at_names(const struct psc_config *config)
{
	for (size_t s = 0; s < config->n_sections; s++)
		if (!strpbrk(config->sections[s].pattern, "/.*?["))
			psc_notice("%s: the section is for cgroups called just that, and for no unit, as "
				   "names of units have a suffix, such as .service",
				   config->sections[s].source);
}

int psc_config_load(const char *root, struct psc_config *ret, char **ret_error)
{
	return psc_config_load_draft(root, NULL, ret, ret_error);
}

int psc_config_load_draft(const char *root, const struct psc_config_draft *draft,
			  struct psc_config *ret, char **ret_error)
{
	struct psc_conf conf = { .root = root, .draft = draft };
	int err = load(&conf);

	free(conf.bad_cmdline);
	*ret = (struct psc_config){ 0 };
	*ret_error = NULL;
	if (err) {
		psc_config_free(&conf.config);
		psc_config_free(&conf.strictest);
		free(conf.error);
		return err;
	}
	if (conf.err) {
		for (size_t s = 0; s < conf.strictest.n_sections; s++)
			conf.strictest.sections[s].sticky =
				is_sticky(&conf.config, conf.strictest.sections[s].pattern);
		spread_sticky(&conf.strictest);
		psc_config_free(&conf.config);
		psc_conf_strictest(&conf.strictest);
		*ret = conf.strictest;
		*ret_error = psc_conf_errors(&conf);
		return conf.err;
	}
	psc_config_free(&conf.strictest);
	hint_at_names(&conf.config);
	spread_sticky(&conf.config);
	*ret = conf.config;
	return 0;
}

static void free_settings(struct psc_setting settings[PSC_NAMES])
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		free(settings[i].source);
}

void psc_section_free(struct psc_section *section)
{
	free(section->pattern);
	free(section->source);
	free_settings(section->settings);
}

void psc_config_free(struct psc_config *config)
{
	free_settings(config->settings);
	for (size_t i = 0; i < config->n_sections; i++)
		psc_section_free(&config->sections[i]);
	free(config->sections);
	*config = (struct psc_config){ 0 };
}
