/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own configuration files, and the merging of all. */
#include "config.h"

#include <errno.h>

#include "config_file.h"
#include "util.h"

static const char *const own_dirs[] = { "/etc/ptracescope/conf.d", NULL };
static const char own_file[] = "/etc/ptracescope/ptracescope.conf";

int psc_conf_assign(struct psc_setting settings[PSC_NAMES], const struct psc_name *name,
		    unsigned int value, const char *path, unsigned int line)
{
	char *source;

	if (asprintf(&source, "%s:%u", path, line) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < PSC_NAMES; i++) {
		if (psc_names[i].op != name->op || (psc_names[i].modes & ~name->modes))
			continue;
		free(settings[i].source);
		settings[i] = (struct psc_setting){ 0 };
	}
	settings[name - psc_names] = (struct psc_setting){ true, value, source };
	return 0;
}

static void list_names(char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < PSC_NAMES && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
					psc_names[i].name);
}

static void list_scopes(char *buf, size_t size)
{
	size_t len = 0;

	for (unsigned int i = 0; i <= PSC_SCOPE_MAX && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%u (%s)", i ? ", " : "", i,
					psc_scope_word(i));
}

/* @seen: the lines of the assignments in this file, indexed like psc_names[] */
static int parse_own_line(struct psc_conf *conf, unsigned int seen[PSC_NAMES], const char *path,
			  unsigned int line, char *text)
{
	char quoted[PSC_QUOTE_SIZE], all[512], *value = strchr(text, '=');
	const struct psc_name *name;
	unsigned int scope, *first;

	if (*text == '[')
		return psc_conf_fail(conf, -EINVAL, "%s:%u: sections like '%s' are not supported; "
				     "every line is NAME = VALUE", path, line, psc_conf_quote(quoted, text));
	if (!value)
		return psc_conf_fail(conf, -EINVAL, "%s:%u: '=' is missing in '%s'; write NAME = VALUE",
				     path, line, psc_conf_quote(quoted, text));
	*value++ = '\0';
	text = psc_strip(text);
	value = psc_strip(value);

	name = psc_name_find(text);
	if (!name) {
		list_names(all, sizeof(all));
		return psc_conf_fail(conf, -EINVAL, "%s:%u: unknown name '%s'; known are %s", path, line,
				     psc_conf_quote(quoted, text), all);
	}
	first = &seen[name - psc_names];
	if (*first)
		return psc_conf_fail(conf, -EINVAL, "%s:%u: %s has been set in line %u already; "
				     "remove one of the two", path, line, name->name, *first);
	*first = line;
	if (psc_scope_parse(value, &scope) != 0) {
		list_scopes(all, sizeof(all));
		return psc_conf_fail(conf, -EINVAL, "%s:%u: '%s' is no value for %s; it must be one of "
				     "%s%s", path, line, psc_conf_quote(quoted, value), name->name, all,
				     strpbrk(value, "#;") ? "; a comment needs a line of its own" : "");
	}
	return psc_conf_assign(conf->config.settings, name, scope, path, line);
}

static int parse_own(struct psc_conf *conf, void *data __attribute__((unused)), const char *path,
		     char *text, size_t len)
{
	struct psc_lines lines = { .next = text, .end = text + len };
	unsigned int seen[PSC_NAMES] = { 0 };
	int err = 0;

	/* A crash while it was written leaves a file of zeros. */
	if (memchr(text, '\0', len))
		return psc_conf_fail(conf, -EINVAL, "%s: has a NUL byte in it, so it is damaged; "
				     "write it anew", path);
	for (char *line; !err && (line = psc_next_line(&lines));)
		err = parse_own_line(conf, seen, path, lines.number, line);
	return err;
}

int psc_config_load(const char *root, struct psc_config *ret, char **ret_error)
{
	struct psc_conf conf = { .root = root };
	int err = psc_conf_sysctl(&conf);

	if (!err)
		err = psc_conf_file(&conf, own_file, parse_own, NULL);
	if (!err)
		err = psc_conf_dirs(&conf, own_dirs, parse_own, NULL);
	if (err) {
		psc_config_free(&conf.config);
		*ret_error = conf.error;
		return err;
	}
	*ret = conf.config;
	return 0;
}

void psc_config_free(struct psc_config *config)
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		free(config->settings[i].source);
	*config = (struct psc_config){ 0 };
}