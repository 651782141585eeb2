/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl cgroup ..." */
#include <errno.h>
#include <limits.h>

#include "cli.h"
#include "util.h"

const struct psc_cli_word psc_cli_cgroup_words[] = {
	{ "list", PSC_CLI_CGROUP_LIST, 0, 0, "", "print the cgroups that have a scope of their own",
	  "Prints them as a tree, with the scope that holds there and who set it.\n" },
	{ "get", PSC_CLI_CGROUP_GET, 0, 1, "CGROUP|--pid PID [NAME]",
	  "print what holds for a cgroup",
	  "Without NAME it prints all that holds there, and from which cgroup it is.\n" },
	{ "set", PSC_CLI_CGROUP_SET, 1, 2, "CGROUP|--pid PID [NAME] VALUE",
	  "set a value for a cgroup",
	  "It holds for the cgroup and for those below that have no value of their own. NAME is\n"
	  "kernel.yama.ptrace_scope by default.\n" },
	{ "unset", PSC_CLI_CGROUP_UNSET, 0, 1, "CGROUP|--pid PID [NAME]",
	  "remove a value of a cgroup, or all of them",
	  "What is set above the cgroup holds then. Refused under a floor.\n" },
	{ "lock", PSC_CLI_CGROUP_LOCK, 0, 1, "CGROUP|--pid PID [LEVEL]",
	  "set the lowest value that a cgroup can have until reboot",
	  "Without LEVEL it is what holds there now, for every kind of access.\n" },
	{ "release", PSC_CLI_CGROUP_RELEASE, 0, 0, "--pid PID",
	  "remove from a process what it keeps of cgroups that it has left",
	  "Floors stay, and the children of the process keep what they have.\n" },
	{},
};

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
	err = psc_cli_find_name(name, &cli->name, ret_error);
	if (err)
		return err;
	if (n == 1 && !equals && psc_name_find_short(value))
		return psc_cli_usage_of(psc_cli_word_find(psc_cli_cgroup_words, "set"), ret_error,
					"no value for", value);
	err = psc_cli_value(cli->name, value, true, &cli->value, ret_error);
	if (err)
		return err;
	if (cli->revocable && !psc_name_may_be_revocable(cli->name, cli->value))
		return psc_cli_usage(ret_error, "only a scope of 3 can be --revocable, not", value,
				     "");
	if (cli->revocable && cli->lock)
		return psc_cli_usage(ret_error, "--lock does not go with", "--revocable", "");
	if (cli->sticky && cli->not_sticky)
		return psc_cli_usage(ret_error, "--sticky does not go with", "--no-sticky", "");
	if ((cli->sticky || cli->not_sticky) && cli->name->floor)
		return psc_cli_usage(ret_error, "--sticky is for scopes; this always goes along:",
				     cli->name->name, "");
	return psc_cli_check_persist(cli, ret_error);
}

static int parse_level(const char *text, struct psc_cli *cli, char **ret_error)
{
	cli->name = psc_name_find(PSC_NAME_FLOOR);
	cli->present = !text;
	return text ? psc_cli_value(cli->name, text, true, &cli->value, ret_error) : 0;
}

int psc_cli_parse_cgroup(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	const struct psc_cli_word *word;
	bool takes_cgroup;
	int err;

	if (!n)
		return psc_cli_usage(ret_error, "missing argument after", "cgroup",
				     "; usage: cgroup list|get|set|unset|lock|release");
	word = psc_cli_word_find(psc_cli_cgroup_words, words[0]);
	if (!word)
		return psc_cli_unknown_command(psc_cli_cgroup_words, "unknown command: cgroup",
					       words[0], ret_error);
	cli->command = word->command;
	err = psc_cli_check_options(word, cli, ret_error);
	if (err)
		return err;
	if (!cli->pid && cli->command == PSC_CLI_CGROUP_RELEASE)
		return psc_cli_usage_of(word, ret_error, "missing --pid PID with", words[0]);
	takes_cgroup = cli->command != PSC_CLI_CGROUP_LIST && !cli->pid;
	if (n - 1 > word->arguments_max + takes_cgroup)
		return psc_cli_usage_of(word, ret_error, "unexpected argument",
					words[word->arguments_max + takes_cgroup + 1]);
	if (n - 1 < word->arguments_min + takes_cgroup)
		return psc_cli_usage_of(word, ret_error, "missing argument after", words[n - 1]);
	if (takes_cgroup && strlen(words[1]) > PSC_CLI_CGROUP_MAX)
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
		err = n ? psc_cli_find_name(words[0], &cli->name, ret_error) : 0;
		if (!err && n && cli->command == PSC_CLI_CGROUP_UNSET &&
		    cli->name->floor && !cli->persist)
			return psc_cli_usage(ret_error, "it lasts until reboot, so it cannot be "
					     "unset:", words[0], "");
		return err;
	}
}
