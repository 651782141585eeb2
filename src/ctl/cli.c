/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands, and the parsing of commands and their arguments. */
#include "cli.h"

#include <errno.h>

#include "escape.h"
#include "interface.h"
#include "nearest.h"
#include "ptracescope_policy.h"
#include "util.h"

const struct psc_cli_word psc_cli_words[] = {
	{ "get", PSC_CLI_GET, 0, 1, "[NAME]", "print a value",
	  "Prints the value alone. NAME is kernel.yama.ptrace_scope by default.\n" },
	{ "set", PSC_CLI_SET, 1, 1, "VALUE | NAME=VALUE", "set a value",
	  "Without NAME it sets kernel.yama.ptrace_scope. A scope of 3 lasts until reboot, unless\n"
	  "--revocable is given. Requires CAP_SYS_PTRACE in the initial user namespace.\n" },
	{ "unset", PSC_CLI_UNSET, 1, 1, "NAME --persist",
	  "remove what --persist has kept of a name",
	  "What is in force stays until reboot. Then the rest of the configuration counts, which the\n"
	  "output tells. Works without the daemon.\n" },
	{ "lock", PSC_CLI_LOCK, 0, PSC_NAMES, "[LEVEL | NAME...]",
	  "set the lowest value that is allowed until reboot",
	  "Without arguments it makes every value that is in force now the lowest one. With NAMEs it\n"
	  "does so for these alone. With LEVEL it allows nothing below LEVEL for attach_scope and\n"
	  "traceme_scope. Nothing but a reboot undoes it.\n" },
	{ "list", PSC_CLI_LIST, 0, 0, "", "print all names and values",
	  "Prints one line \"NAME = VALUE\" for each name, as sysctl(8) does.\n" },
	{ "status", PSC_CLI_STATUS, 0, 0, "", "print what is enforced, and by which daemon",
	  "Exit codes: 0 enforcing, 1 not enforcing, 4 the daemon cannot be reached and nothing is\n"
	  "known to be in force. ptracescopectl(8) explains each line under \"Output of status\".\n" },
	{ "reload", PSC_CLI_RELOAD, 0, 0, "", "read the configuration again",
	  "If a line of it is wrong, nothing changes. Exit code 5: it is in force, but not what its\n"
	  "sections set for some cgroups; see journalctl -u ptracescoped.\n" },
	{ "detach", PSC_CLI_DETACH, 0, 0, "", "end enforcement and the daemon",
	  "Refused if a floor is set, globally or for a cgroup. An enabled unit starts the daemon\n"
	  "again at the next boot: systemctl disable ptracescoped\n" },
	{ "explain", PSC_CLI_EXPLAIN, 0, 2, "[TRACER] TRACEE | --last",
	  "say whether a process can trace another, and what decides that",
	  "TRACER and TRACEE are process ids. Without TRACER it judges a new child of your shell.\n"
	  "It names what would allow a refused access. With --last it tells the last refusal that\n"
	  "concerns you. Exit codes: 0 allowed, 5 refused, 1 not known.\n" },
	{ "watch", PSC_CLI_WATCH, 0, 0, "", "print refusals as they happen",
	  "Prints a line for each refusal that concerns you, until it is interrupted. With several\n"
	  "options, a refusal must match each of them.\n" },
	{ "log", PSC_CLI_LOG, 0, 0, "", "print the refusals that are in the journal",
	  "Prints a line for each, or with --grouped for each group. TIME is as for journalctl:\n"
	  "yesterday, -1h, '2026-11-25 10:00'. Requires root or the group systemd-journal, but not\n"
	  "the daemon. Exit codes: 0 also if there is none, 1 no journal, 3 not permitted.\n" },
	{ "metrics", PSC_CLI_METRICS, 0, 0, "", "print the state as numbers, for Prometheus",
	  "Prints counters and state in the text format of Prometheus. With --http it reads an HTTP\n"
	  "request from standard input and answers it.\n" },
	{ "assert", PSC_CLI_ASSERT, 1, PSC_CLI_ASSERTIONS_MAX,
	  "{NAME>=VALUE | NAME=VALUE | enforcing | locked}...",
	  "succeed if what is in force is at least that",
	  "Up to 16 expressions. 'NAME>=VALUE' needs quotes in a shell. It prints nothing unless\n"
	  "--verbose or --json is given. Exit codes: 0 all of them hold, 1 one does not hold, 4\n"
	  "nothing is known to be in force.\n" },
	{ "doctor", PSC_CLI_DOCTOR, 0, 0, "", "say whether this system can enforce",
	  "Works without the daemon. Exit code 1: something that is required is missing.\n" },
	{ "oci-hook", PSC_CLI_OCI_HOOK, 0, 0, "",
	  "as a hook of a container runtime, set what a container asks for",
	  "Reads the state of the container from standard input, as OCI runtimes write it. The\n"
	  "container asks by the annotations io.ptracescope.scope and io.ptracescope.lock.\n" },
	{ "help", PSC_CLI_HELP, 0, 2, "[COMMAND]", "print the help, or that of a command",
	  "The same as 'ptracescopectl COMMAND --help'.\n" },
	{},
};

const struct psc_cli_word *psc_cli_word_find(const struct psc_cli_word *words, const char *text)
{
	while (words->word && !streq(words->word, text))
		words++;
	return words->word ? words : NULL;
}

bool psc_cli_word_is_cgroup(const struct psc_cli_word *word)
{
	return psc_cli_word_find(psc_cli_cgroup_words, word->word) == word;
}

int psc_cli_usage(char **ret_error, const char *before, const char *argument, const char *after)
{
	_cleanup_free_ char *shown = psc_escape(argument, strlen(argument), 128);

	if (!shown || asprintf(ret_error, "%s '%s'%s", before, shown, after) < 0)
		return -ENOMEM;
	return -EINVAL;
}

int psc_cli_usage_of(const struct psc_cli_word *word, char **ret_error, const char *before,
		     const char *argument)
{
	_cleanup_free_ char *after = NULL;
	bool any = false;

	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++)
		any |= option->commands != PSC_CLI_ALL_COMMANDS &&
		       (option->commands >> word->command & 1) &&
		       !strstr(word->operands, option->text);
	if (asprintf(&after, "; usage: %s%s%s%s%s", psc_cli_word_is_cgroup(word) ? "cgroup " : "",
		     word->word, any ? " [OPTION]..." : "", *word->operands ? " " : "",
		     word->operands) < 0) {
		after = NULL;
		return -ENOMEM;
	}
	return psc_cli_usage(ret_error, before, argument, after);
}

int psc_cli_unknown_command(const struct psc_cli_word *words, const char *before, const char *text,
			    char **ret_error)
{
	struct psc_nearest nearest = {};
	char hint[64] = "";

	if (words == psc_cli_words)
		psc_nearest_try(&nearest, text, "cgroup");
	for (; words->word; words++)
		psc_nearest_try(&nearest, text, words->word);
	if (nearest.word)
		snprintf(hint, sizeof(hint), "; the nearest is '%s'", nearest.word);
	return psc_cli_usage(ret_error, before, text, hint);
}

int psc_cli_unknown_name(const char *name, char **ret_error)
{
	char names[512] = "; names are";

	for (size_t i = 0, len = strlen(names); i < PSC_NAMES; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s %s", i ? "," : "",
					psc_names[i].name);
	return psc_cli_usage(ret_error, "unknown name", name, names);
}

int psc_cli_find_name(const char *text, const struct psc_name **ret, char **ret_error)
{
	*ret = psc_name_find_short(text);
	return *ret ? 0 : psc_cli_unknown_name(text, ret_error);
}

int psc_cli_value(const struct psc_name *name, const char *text, bool cgroup, unsigned int *ret,
		  char **ret_error)
{
	const char *what = name->max == PSC_SCOPE_MAX ? "is no scope; scopes are" :
							"does not go there; values are";
	char values[PSC_VALUES_SIZE], after[PSC_VALUES_SIZE + 64];

	/* Not one digit more than needed, which looks like octal. */
	if (!(text[0] == '0' && text[1]) && !psc_value_parse(name, text, cgroup, ret))
		return 0;
	snprintf(after, sizeof(after), " %s %s", what, psc_value_list(name, cgroup, values));
	return psc_cli_usage(ret_error, "value", text, after);
}

/* "VALUE" or "NAME=VALUE" */
static int parse_setting(const char *text, struct psc_cli *cli, char **ret_error)
{
	static const char hint[] = "; write: set no-attach --revocable, or set NAME=3 --revocable";
	const char *equals = strchr(text, '='), *value = equals ? equals + 1 : text;
	_cleanup_free_ char *name = equals ? strndup(text, (size_t)(equals - text)) :
					     strdup(PSC_NAME_YAMA);
	int err;

	if (!name)
		return -ENOMEM;
	err = psc_cli_find_name(name, &cli->name, ret_error);
	if (err)
		return err;
	if (!equals && psc_name_find_short(text))
		return psc_cli_usage(ret_error, "no value for", text, "; write NAME=VALUE");
	err = psc_cli_value(cli->name, value, false, &cli->value, ret_error);
	if (err)
		return err;
	if (cli->revocable && !psc_name_may_be_revocable(cli->name, cli->value))
		return psc_cli_usage(ret_error, "only a scope of 3 can be --revocable, not", text,
				     hint);
	return psc_cli_check_persist(cli, ret_error);
}

/* What the configuration has no words for cannot be kept. */
int psc_cli_check_persist(const struct psc_cli *cli, char **ret_error)
{
	static const char one_floor[] = "; the configuration has one floor, for attach and traceme";
	const bool cgroup = cli->command == PSC_CLI_CGROUP_SET;
	__u32 modes = 0;

	if (cli->persist && cli->revocable)
		return psc_cli_usage(ret_error, "--persist does not go with", "--revocable",
				     "; a scope of 3 in the configuration lasts until reboot");
	if (!cli->persist || (cgroup ? !cli->lock || cli->name->floor : !cli->names))
		return 0;
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (cgroup ? cli->name == &psc_names[i] : cli->names >> i & 1)
			modes |= psc_names[i].modes;
	return cgroup && modes == PSC_MODES_YAMA ? 0 :
	       !cgroup && (modes & PSC_MODES_YAMA) == PSC_MODES_YAMA ? 0 :
	       psc_cli_usage(ret_error, "--persist does not go with", cgroup ? "--lock" : "lock",
			     one_floor);
}

/* Globally, every name always has a value, so that only the file can be without one. */
static int parse_unset(const char *text, struct psc_cli *cli, char **ret_error)
{
	int err = psc_cli_find_name(text, &cli->name, ret_error);

	if (err || cli->persist)
		return err;
	return psc_cli_usage(ret_error, "missing --persist after", "unset", "; without it there is "
			     "nothing to remove: set another value");
}

/* What is locked is a level, or a name of what is in force. */
static int parse_level(const char *text, struct psc_cli *cli, char **ret_error)
{
	char values[PSC_VALUES_SIZE], after[PSC_VALUES_SIZE + 256];
	int err = psc_cli_value(cli->name, text, false, &cli->value, ret_error);
	size_t len;

	if (err != -EINVAL)
		return err;
	free(TAKE_PTR(*ret_error));
	len = (size_t)snprintf(after, sizeof(after), " is neither a scope nor a name; scopes are %s; "
			       "names are", psc_value_list(cli->name, false, values));
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (!psc_names[i].floor)
			len += (size_t)snprintf(after + len, sizeof(after) - len, "%s %s",
						i ? "," : "", strrchr(psc_names[i].name, '.') + 1);
	return psc_cli_usage(ret_error, "value", text, after);
}

/* "LEVEL", or the names that are locked at their present values; without any, all. */
static int parse_lock(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	const struct psc_name *name;

	cli->name = psc_name_find(PSC_NAME_FLOOR);
	cli->present = !n || psc_name_find_short(words[0]);
	if (!cli->present && n > 1)
		return psc_cli_usage_of(psc_cli_word_find(psc_cli_words, "lock"), ret_error,
					"unexpected argument", words[1]);
	if (!cli->present)
		return parse_level(words[0], cli, ret_error);
	for (int i = 0; i < n; i++) {
		int err = psc_cli_find_name(words[i], &name, ret_error);

		if (err)
			return err;
		if (name->floor)
			return psc_cli_usage(ret_error, "a floor is no scope that can be locked:",
					     words[i], "; write: lock LEVEL");
		cli->names |= 1U << (name - psc_names);
	}
	return psc_cli_check_persist(cli, ret_error);
}

/* "COMMAND --help", "help COMMAND": what the words name. */
static int parse_topic(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	cli->cgroup_topic = n && streq(words[0], "cgroup");
	if (!n || (n == 1 && cli->cgroup_topic))
		return 0;
	if (!cli->cgroup_topic) {
		cli->topic = psc_cli_word_find(psc_cli_words, words[0]);
		return cli->topic ? 0 : psc_cli_unknown_command(psc_cli_words, "unknown command",
								words[0], ret_error);
	}
	cli->topic = psc_cli_word_find(psc_cli_cgroup_words, words[1]);
	return cli->topic ? 0 : psc_cli_unknown_command(psc_cli_cgroup_words,
							"unknown command: cgroup", words[1],
							ret_error);
}

/* "help COMMAND", with nothing behind it. */
static int parse_help(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	int err = parse_topic(n, words, cli, ret_error), used = 1 + cli->cgroup_topic;

	return err || n <= used ? err : psc_cli_usage_of(psc_cli_word_find(psc_cli_words, "help"),
							 ret_error, "unexpected argument", words[used]);
}

static int too_many(const struct psc_cli_word *word, const char *text, char **ret_error)
{
	char before[64];

	if (word->command != PSC_CLI_ASSERT)
		return psc_cli_usage_of(word, ret_error, "unexpected argument", text);
	snprintf(before, sizeof(before), "more than %d expressions:", word->arguments_max);
	return psc_cli_usage(ret_error, before, text, "");
}

static int parse_command(const char *text, int n, char *const *arguments, struct psc_cli *cli,
			 char **ret_error)
{
	const struct psc_cli_word *word = psc_cli_word_find(psc_cli_words, text);
	int err;

	if (streq(text, "cgroup"))
		return psc_cli_parse_cgroup(n, arguments, cli, ret_error);
	if (!word)
		return psc_cli_unknown_command(psc_cli_words, "unknown command", text, ret_error);
	cli->command = word->command;
	if (n == 2 && cli->command == PSC_CLI_SET && psc_name_find_short(arguments[0]))
		return psc_cli_usage(ret_error, "set has one argument: join", arguments[0],
				     " and its value with '='");
	if (n > word->arguments_max)
		return too_many(word, arguments[word->arguments_max], ret_error);
	if (n < word->arguments_min)
		return psc_cli_usage_of(word, ret_error, "missing argument after", text);
	err = psc_cli_check_options(word, cli, ret_error);
	if (err)
		return err;

	switch (cli->command) {
	case PSC_CLI_HELP:
		return parse_help(n, arguments, cli, ret_error);
	case PSC_CLI_SET:
		return parse_setting(arguments[0], cli, ret_error);
	case PSC_CLI_UNSET:
		return parse_unset(arguments[0], cli, ret_error);
	case PSC_CLI_EXPLAIN:
		return psc_cli_parse_explain(n, arguments, cli, ret_error);
	case PSC_CLI_WATCH:
		return psc_cli_check_mode(cli, ret_error);
	case PSC_CLI_LOG:
		return psc_cli_check_time(cli, ret_error);
	case PSC_CLI_ASSERT:
		return psc_cli_parse_assert(n, arguments, cli, ret_error);
	case PSC_CLI_LOCK:
		return parse_lock(n, arguments, cli, ret_error);
	case PSC_CLI_GET:
		return psc_cli_find_name(n ? arguments[0] : PSC_NAME_YAMA, &cli->name, ret_error);
	default:
		return 0;
	}
}

/* The overview has no form in JSON, and no other option has a meaning without a command. */
static int parse_none(struct psc_cli *cli, char **ret_error)
{
	if (cli->options & ~(1U << PSC_OPTION_SOCKET)) {
		*ret_error = strdup("no command, such as: status");
		return *ret_error ? -EINVAL : -ENOMEM;
	}
	cli->command = PSC_CLI_OVERVIEW;
	return 0;
}

/* The help of the command that the words name is where to read on. Takes over @error. */
static int name_help(int n, char *const *words, char *error, char **ret_error)
{
	const bool cgroup = n && streq(words[0], "cgroup");
	const struct psc_cli_word *word = NULL;
	_cleanup_free_ char *text = error;

	if (cgroup && n > 1)
		word = psc_cli_word_find(psc_cli_cgroup_words, words[1]);
	else if (n && !cgroup)
		word = psc_cli_word_find(psc_cli_words, words[0]);
	if (word && word->command == PSC_CLI_HELP)
		word = NULL;
	if (asprintf(ret_error, "%s; see 'ptracescopectl %s%s%s--help'", text,
		     cgroup ? "cgroup " : "", word ? word->word : "", word ? " " : "") < 0)
		return -ENOMEM;
	return -EINVAL;
}

int psc_cli_parse(int argc, char *const *argv, struct psc_cli *ret, char **ret_error)
{
	struct psc_cli cli = { .socket = PSC_SOCKET_PATH, .until = UINT64_MAX };
	_cleanup_free_ char **words = calloc((size_t)argc + 1, sizeof(*words));
	char *error = NULL;
	int n, err;

	if (!words)
		return -ENOMEM;
	if (argc > 1 && streq(argv[1], "complete")) {	/* what follows need not be complete */
		cli.command = PSC_CLI_COMPLETE;
		cli.words = argv + 2;
		cli.n_words = argc - 2;
		*ret = cli;
		return 0;
	}
	err = psc_cli_parse_options(argc, argv, &cli, words, &n, &error);
	if (err > 0)
		err = cli.command == PSC_CLI_HELP ? parse_topic(n, words, &cli, &error) : 0;
	else if (!err && !n)
		err = parse_none(&cli, &error);
	else if (!err)
		err = parse_command(words[0], n - 1, words + 1, &cli, &error);
	if (err == -EINVAL)
		return name_help(n, words, error, ret_error);
	if (err)
		return err;
	*ret = cli;
	return 0;
}

bool psc_cli_final(const struct psc_name *name, unsigned int value, bool revocable)
{
	struct psc_request req = psc_name_request(name, value);
	union psc_policy policy = {};

	req.flags = revocable ? PSC_FLAG_REVOCABLE : 0;
	if (psc_policy_change(&policy, &req, NULL))
		return false;
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (policy.floor[mode])
			return true;
	return false;
}
