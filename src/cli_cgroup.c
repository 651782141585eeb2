/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl cgroup ..." */
#include <errno.h>
#include <limits.h>

#include "cli.h"
#include "util.h"

/* As many levels as there can be, all with the longest of names, and where they are mounted. */
#define CGROUP_MAX ((PSC_CGROUP_LEVELS + 1) * (NAME_MAX + 1))

static const struct {
	const char *word;
	enum psc_cli_command command;
	int arguments_min, arguments_max;	/* behind CGROUP */
	const char *takes;
} commands[] = {
	{ "list", PSC_CLI_CGROUP_LIST, 0, 0, "; cgroup list takes no arguments" },
	{ "get", PSC_CLI_CGROUP_GET, 0, 1, "; cgroup get takes CGROUP [NAME]" },
	{ "set", PSC_CLI_CGROUP_SET, 1, 2, "; cgroup set takes CGROUP [NAME] VALUE" },
	{ "unset", PSC_CLI_CGROUP_UNSET, 0, 1, "; cgroup unset takes CGROUP [NAME]" },
	{ "lock", PSC_CLI_CGROUP_LOCK, 0, 1, "; cgroup lock takes CGROUP [LEVEL]" },
};

static int find_name(const char *text, const struct psc_name **ret, char **ret_error)
{
	*ret = psc_name_find_short(text);
	return *ret ? 0 : psc_cli_unknown_name(text, ret_error);
}

/* "VALUE", "NAME=VALUE", or NAME and VALUE */
static int parse_setting(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	const char *equals = n == 1 ? strchr(words[0], '=') : NULL;
	_cleanup_free_ char *name = equals ? strndup(words[0], (size_t)(equals - words[0])) :
				    strdup(n == 2 ? words[0] : PSC_NAME_YAMA);
	const char *value = equals ? equals + 1 : words[n - 1];
	int err;

	if (!name)
		return -ENOMEM;
	err = find_name(name, &cli->name, ret_error);
	if (err)
		return err;
	if (n == 1 && !equals && psc_name_find_short(value))
		return psc_cli_usage(ret_error, "no value for", value,
				     "; cgroup set takes CGROUP [NAME] VALUE");
	err = psc_cli_value(cli->name, value, true, &cli->value, ret_error);
	if (err)
		return err;
	if (cli->revocable && !psc_name_may_be_revocable(cli->name, cli->value))
		return psc_cli_usage(ret_error, "only a scope of 3 takes --revocable, not", value,
				     "");
	if (cli->revocable && cli->lock)
		return psc_cli_usage(ret_error, "--lock does not go with", "--revocable", "");
	return 0;
}

static int parse_level(const char *text, struct psc_cli *cli, char **ret_error)
{
	cli->name = psc_name_find(PSC_NAME_FLOOR);
	cli->present = !text;
	return text ? psc_cli_value(cli->name, text, true, &cli->value, ret_error) : 0;
}

/* That an option goes with the command. */
static int check_options(const char *word, const struct psc_cli *cli, char **ret_error)
{
	if (cli->lock && cli->command != PSC_CLI_CGROUP_SET)
		return psc_cli_usage(ret_error, "--lock does not go with", word,
				     "; it is for: cgroup set");
	if (cli->revocable && cli->command != PSC_CLI_CGROUP_SET)
		return psc_cli_usage(ret_error, "--revocable does not go with", word,
				     "; it is for: cgroup set CGROUP no-attach");
	if (cli->pid && cli->command == PSC_CLI_CGROUP_LIST)
		return psc_cli_usage(ret_error, "--pid does not go with", word,
				     "; it stands for a CGROUP");
	return 0;
}

int psc_cli_parse_cgroup(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	bool takes_cgroup;
	size_t i = 0;
	int err;

	if (!n)
		return psc_cli_usage(ret_error, "missing argument after", "cgroup",
				     "; it takes list, get, set, unset or lock");
	while (i < ARRAY_SIZE(commands) && !streq(words[0], commands[i].word))
		i++;
	if (i == ARRAY_SIZE(commands))
		return psc_cli_usage(ret_error, "unknown command: cgroup", words[0],
				     "; it takes list, get, set, unset or lock");
	cli->command = commands[i].command;
	err = check_options(words[0], cli, ret_error);
	if (err)
		return err;
	takes_cgroup = cli->command != PSC_CLI_CGROUP_LIST && !cli->pid;
	if (n - 1 > commands[i].arguments_max + takes_cgroup)
		return psc_cli_usage(ret_error, "unexpected argument",
				     words[commands[i].arguments_max + takes_cgroup + 1],
				     commands[i].takes);
	if (n - 1 < commands[i].arguments_min + takes_cgroup)
		return psc_cli_usage(ret_error, "missing argument after", words[n - 1],
				     commands[i].takes);
	if (takes_cgroup && strlen(words[1]) > CGROUP_MAX)
		return psc_cli_usage(ret_error, "too long for a cgroup:", words[1], "");
	if (takes_cgroup)
		cli->cgroup = words[1];
	words += 1 + takes_cgroup;
	n -= 1 + takes_cgroup;

	switch (cli->command) {
	case PSC_CLI_CGROUP_SET:
		return parse_setting(n, words, cli, ret_error);
	case PSC_CLI_CGROUP_LOCK:
		return parse_level(n ? words[0] : NULL, cli, ret_error);
	default:
		err = n ? find_name(words[0], &cli->name, ret_error) : 0;
		if (!err && n && cli->command == PSC_CLI_CGROUP_UNSET &&
		    cli->name->floor)
			return psc_cli_usage(ret_error, "it lasts until reboot, so it cannot be "
					     "unset:", words[0], "");
		return err;
	}
}
