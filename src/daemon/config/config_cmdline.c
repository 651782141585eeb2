/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl.kernel.yama.ptrace_scope=VALUE on the kernel command line. A kernel with Yama writes
 * such values to /proc/sys before it starts pid 1, so before sysctl.d is applied: see
 * do_sysctl_args() in the kernel's fs/proc/proc_sysctl.c, and next_arg() in lib/cmdline.c.
 */
#include <ctype.h>
#include <errno.h>

#include "config_file.h"
#include "log.h"
#include "util.h"

#define CMDLINE "/proc/cmdline"
#define CMDLINE_MAX (256 * 1024)

/* One "NAME=VALUE" of the command line. */
struct argument {
	char *name;
	char *value;		/* NULL: no "=" */
};

/* Cut the next argument off @text. Return: what follows it, NULL when there was none. */
static char *next_argument(char *text, struct argument *ret)
{
	bool quoted, in_quotes;
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	if (!*text)
		return NULL;
	quoted = in_quotes = *text == '"';
	text += quoted;
	*ret = (struct argument){ .name = text };
	for (end = text; *end && (in_quotes || !isspace((unsigned char)*end)); end++) {
		if (*end == '=' && !ret->value && end > text)
			ret->value = end + 1;
		if (*end == '"')
			in_quotes = !in_quotes;
	}
	if (ret->value) {
		ret->value[-1] = '\0';
		if (*ret->value == '"') {
			ret->value++;
			quoted = true;
		}
	}
	if (quoted && end > text && end[-1] == '"')
		end[-1] = '\0';
	if (*end)
		*end++ = '\0';
	return end;
}

/* Is this name our key? The kernel takes every dot for a slash. */
static bool is_ours(char *name)
{
	if (strncmp(name, "sysctl.", 7) != 0 && strncmp(name, "sysctl/", 7) != 0)
		return false;
	for (char *c = name; *c; c++)
		if (*c == '.')
			*c = '/';
	return psc_conf_glob(PSC_SYSCTL_KEY, name + 7) == 1;
}

/*
 * The value is as final as the command line itself is until the next boot, so a bad one is
 * overruled by a file that sets the same: an administrator must be able to mend it.
 */
static int bad_argument(struct psc_conf *conf, const char *value)
{
	char quoted[PSC_QUOTE_SIZE];

	if (conf->bad_cmdline)
		return 0;
	return asprintf(&conf->bad_cmdline, CMDLINE ":1: '%s' is no value for sysctl."
			PSC_NAME_YAMA ": it must be a number from 0 to %d",
			psc_conf_quote(quoted, value), PSC_SCOPE_MAX) < 0 ? -ENOMEM : 0;
}

static int parse_cmdline(struct psc_conf *conf, void *data __attribute__((unused)),
			 const char *path, char *text, size_t len __attribute__((unused)))
{
	struct argument argument;
	unsigned int scope;
	bool more;
	int err = 0;

	while (!err && (text = next_argument(text, &argument))) {
		if (!argument.value && streq(argument.name, "--"))
			break;	/* the rest is for pid 1 */
		if (!is_ours(argument.name))
			continue;
		if (!argument.value || !*argument.value ||
		    psc_conf_kernel_scope(argument.value, &scope, &more) != 0)
			err = bad_argument(conf, argument.value ? argument.value : "");
		else
			err = psc_conf_assign(conf, NULL, psc_name_find(PSC_NAME_YAMA), scope,
					      path, 1);
	}
	return err;
}

int psc_conf_cmdline(struct psc_conf *conf)
{
	return psc_conf_file(conf, CMDLINE, &(struct psc_conf_kind){
		.parse = parse_cmdline, .max = CMDLINE_MAX });
}

int psc_conf_cmdline_done(struct psc_conf *conf)
{
	const struct psc_setting *yama =
		&conf->config.settings[psc_name_find(PSC_NAME_YAMA) - psc_names];

	if (!conf->bad_cmdline)
		return 0;
	if (yama->present && strncmp(yama->source, CMDLINE ":", strlen(CMDLINE ":")) != 0) {
		psc_warning("%s; %s sets it", conf->bad_cmdline, yama->source);
		return 0;
	}
	return psc_conf_fail(conf, -EINVAL, "%s; set " PSC_NAME_YAMA " in a file, which goes "
			     "before it, and correct the boot loader's configuration",
			     conf->bad_cmdline);
}
