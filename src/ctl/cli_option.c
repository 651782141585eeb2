/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of ptracescopectl: which there are, and what they set. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>

#include "cli.h"
#include "interface.h"
#include "nearest.h"
#include "util.h"
#include "when.h"

#define FOR(command) (1U << (command))
#define FOR_CGROUP (FOR(PSC_CLI_CGROUP_GET) | FOR(PSC_CLI_CGROUP_SET) | \
		    FOR(PSC_CLI_CGROUP_UNSET) | FOR(PSC_CLI_CGROUP_LOCK))
#define FOR_PERSIST (FOR(PSC_CLI_SET) | FOR(PSC_CLI_UNSET) | FOR(PSC_CLI_LOCK) | \
		     FOR(PSC_CLI_CGROUP_SET) | FOR(PSC_CLI_CGROUP_UNSET) | \
		     FOR(PSC_CLI_CGROUP_LOCK))
#define FOR_ALL PSC_CLI_ALL_COMMANDS
#define FOR_ASKING (FOR(PSC_CLI_SET) | FOR(PSC_CLI_LOCK) | FOR(PSC_CLI_CGROUP_SET) | \
		    FOR(PSC_CLI_CGROUP_LOCK))

const struct psc_cli_option psc_cli_options[] = {
	{ "-h", PSC_OPTION_HELP, NULL, FOR_ALL, "print the help" },
	{ "--help", PSC_OPTION_HELP, NULL, FOR_ALL, "print this help; after a command, its own" },
	{ "--version", PSC_OPTION_VERSION, NULL, FOR_ALL, "print the version" },
	{ "-y", PSC_OPTION_YES, NULL, FOR_ALL, "do not ask", FOR_ASKING },
	{ "--yes", PSC_OPTION_YES, NULL, FOR_ALL,
	  "do not ask before what cannot be undone until reboot", FOR_ASKING },
	{ "--json", PSC_OPTION_JSON, NULL, FOR_ALL, "print JSON" },
	{ "--revocable", PSC_OPTION_REVOCABLE, NULL, FOR(PSC_CLI_SET) | FOR(PSC_CLI_CGROUP_SET),
	  "a scope of 3 that can be taken back" },
	{ "--lock", PSC_OPTION_LOCK, NULL, FOR(PSC_CLI_CGROUP_SET),
	  "allow nothing below that value until reboot" },
	{ "--persist", PSC_OPTION_PERSIST, NULL, FOR_PERSIST,
	  "in the configuration, too, for the next boots" },
	{ "--sticky", PSC_OPTION_STICKY, NULL, FOR(PSC_CLI_CGROUP_SET),
	  "processes that leave the cgroup keep the scope" },
	{ "--no-sticky", PSC_OPTION_NO_STICKY, NULL, FOR(PSC_CLI_CGROUP_SET),
	  "processes that leave the cgroup lose the scope" },
	{ "--since", PSC_OPTION_SINCE, "TIME", FOR(PSC_CLI_LOG), "leave out what is earlier" },
	{ "--until", PSC_OPTION_UNTIL, "TIME", FOR(PSC_CLI_LOG), "leave out what is later" },
	{ "--grouped", PSC_OPTION_GROUPED, NULL, FOR(PSC_CLI_LOG),
	  "print a line for each tracer, tracee, user and reason" },
	{ "--openmetrics", PSC_OPTION_OPENMETRICS, NULL, FOR(PSC_CLI_METRICS),
	  "print in the format of OpenMetrics 1.0" },
	{ "--http", PSC_OPTION_HTTP, NULL, FOR(PSC_CLI_METRICS),
	  "answer the HTTP request on standard input" },
	{ "--verbose", PSC_OPTION_VERBOSE, NULL, FOR(PSC_CLI_ASSERT),
	  "print of each expression whether it holds" },
	{ "--allow-lock", PSC_OPTION_ALLOW_LOCK, NULL, FOR(PSC_CLI_OCI_HOOK),
	  "containers can lock their scope until reboot" },
	{ "--pid", PSC_OPTION_PID, "PID",
	  FOR_CGROUP | FOR(PSC_CLI_CGROUP_RELEASE) | FOR(PSC_CLI_WATCH),
	  "a process, in place of its cgroup; for watch: a tracer or tracee" },
	{ "--cgroup", PSC_OPTION_CGROUP, "CGROUP", FOR(PSC_CLI_WATCH),
	  "only refusals whose tracer or tracee is in this cgroup or below" },
	{ "--uid", PSC_OPTION_UID, "USER", FOR(PSC_CLI_WATCH),
	  "only refusals whose tracer or tracee has this real uid" },
	{ "--default", PSC_OPTION_DEFAULT, "SCOPE", FOR(PSC_CLI_OCI_HOOK),
	  "the scope of a container that asks for none" },
	{ "--last", PSC_OPTION_LAST, NULL, FOR(PSC_CLI_EXPLAIN), "the last refusal" },
	{ "--mode", PSC_OPTION_MODE, "MODE", FOR(PSC_CLI_EXPLAIN) | FOR(PSC_CLI_WATCH),
	  "the kind of access: attach, traceme or read" },
	{ "--socket", PSC_OPTION_SOCKET, "PATH", FOR_ALL,
	  "the daemon's socket, by default " PSC_SOCKET_PATH },
	{},
};

/* Where one command uses an option in another way than the others. */
static const struct {
	enum psc_cli_option_id id;
	enum psc_cli_command command;
	const char *purpose;
} own_purposes[] = {
	{ PSC_OPTION_PID, PSC_CLI_CGROUP_GET, "a process, in place of its cgroup" },
	{ PSC_OPTION_PID, PSC_CLI_CGROUP_SET, "a process, in place of its cgroup" },
	{ PSC_OPTION_PID, PSC_CLI_CGROUP_UNSET, "a process, in place of its cgroup" },
	{ PSC_OPTION_PID, PSC_CLI_CGROUP_LOCK, "a process, in place of its cgroup" },
	{ PSC_OPTION_PID, PSC_CLI_CGROUP_RELEASE, "the process" },
	{ PSC_OPTION_PID, PSC_CLI_WATCH, "only refusals whose tracer or tracee is this process" },
	{ PSC_OPTION_MODE, PSC_CLI_EXPLAIN,
	  "the kind of access: attach (default), traceme or read" },
	{ PSC_OPTION_MODE, PSC_CLI_WATCH, "only refusals of this kind: attach, traceme or read" },
};

bool psc_cli_option_is_listed(const struct psc_cli_option *option, enum psc_cli_command command)
{
	return ((option->listed ? option->listed : option->commands) >> command) & 1;
}

const char *psc_cli_option_purpose(const struct psc_cli_option *option,
				   enum psc_cli_command command)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_purposes); i++)
		if (own_purposes[i].id == option->id && own_purposes[i].command == command)
			return own_purposes[i].purpose;
	return option->purpose;
}

#define OPTIONS (ARRAY_SIZE(psc_cli_options) - 1)
#define LONG 256	/* what getopt_long() returns for the first of them */

const struct psc_cli_option *psc_cli_option_find(const char *text, size_t len)
{
	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++)
		if (strlen(option->text) == len && memcmp(option->text, text, len) == 0)
			return option;
	return NULL;
}

static int unknown_option(const char *text, char **ret_error)
{
	struct psc_nearest nearest = {};
	char hint[64] = "";

	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++)
		if (strlen(option->text) > 2)
			psc_nearest_try(&nearest, text, option->text);
	if (nearest.word)
		snprintf(hint, sizeof(hint), "; the nearest is '%s'", nearest.word);
	return psc_cli_usage(ret_error, "unknown option", text, hint);
}

static int parse_pid(const char *text, const char *argument, struct psc_cli *cli, char **ret_error)
{
	if (cli->pid)
		return psc_cli_usage(ret_error, "more than one", text, "");
	if (psc_parse_u32(argument, &cli->pid) || !cli->pid)
		return psc_cli_usage(ret_error, "no process id:", argument,
				     "; use a number that ps(1) prints");
	return 0;
}

/* A name or a number. */
static int parse_user(const char *text, struct psc_cli *cli, char **ret_error)
{
	const struct passwd *user;

	cli->by_uid = true;
	if (!psc_parse_u32(text, &cli->uid) && cli->uid != UINT_MAX)
		return 0;
	user = getpwnam(text);
	if (!user)
		return psc_cli_usage(ret_error, "no such user:", text, "");
	cli->uid = user->pw_uid;
	return 0;
}

static int parse_time(const char *text, uint64_t *ret_usec, char **ret_error)
{
	int err = psc_when_parse(text, time(NULL), ret_usec);

	return err != -EINVAL ? err :
		psc_cli_usage(ret_error, "no time:", text, "; write yesterday, -1h, or "
			      "'2026-11-25 10:00'");
}

int psc_cli_check_time(const struct psc_cli *cli, char **ret_error)
{
	if (cli->since <= cli->until)
		return 0;
	*ret_error = strdup("--since is later than --until");
	return *ret_error ? -EINVAL : -ENOMEM;
}

/* @text is the option as it was written, for messages. */
static int parse_argument(const struct psc_cli_option *option, const char *text,
			  const char *argument, struct psc_cli *cli, char **ret_error)
{
	switch (option->id) {
	case PSC_OPTION_DEFAULT:
		cli->has_fallback = true;
		return psc_cli_value(psc_name_find(PSC_NAME_YAMA), argument, true, &cli->fallback,
				     ret_error);
	case PSC_OPTION_MODE:
		cli->mode = argument;
		return 0;
	case PSC_OPTION_PID:
		return parse_pid(text, argument, cli, ret_error);
	case PSC_OPTION_CGROUP:
		cli->cgroup = argument;
		return strlen(argument) <= PSC_CLI_CGROUP_MAX ? 0 :
			psc_cli_usage(ret_error, "too long for a cgroup:", argument, "");
	case PSC_OPTION_UID:
		return parse_user(argument, cli, ret_error);
	case PSC_OPTION_SINCE:
		return parse_time(argument, &cli->since, ret_error);
	case PSC_OPTION_UNTIL:
		return parse_time(argument, &cli->until, ret_error);
	case PSC_OPTION_SOCKET:
		cli->socket = argument;
		if (strlen(argument) >= PSC_CLI_SOCKET_MAX)
			return psc_cli_usage(ret_error, "too long for a socket:", argument, "");
		return 0;
	default:
		return -EINVAL;
	}
}

/* Return: 1 when the option ends the parsing, else 0. */
static int set_flag(enum psc_cli_option_id id, struct psc_cli *cli)
{
	switch (id) {
	case PSC_OPTION_HELP:
		cli->command = PSC_CLI_HELP;
		return 1;
	case PSC_OPTION_VERSION:
		cli->command = PSC_CLI_VERSION;
		return 1;
	case PSC_OPTION_YES:
		cli->yes = true;
		break;
	case PSC_OPTION_JSON:
		cli->json = true;
		break;
	case PSC_OPTION_REVOCABLE:
		cli->revocable = true;
		break;
	case PSC_OPTION_LOCK:
		cli->lock = true;
		break;
	case PSC_OPTION_PERSIST:
		cli->persist = true;
		break;
	case PSC_OPTION_ALLOW_LOCK:
		cli->allow_lock = true;
		break;
	case PSC_OPTION_LAST:
		cli->last = true;
		break;
	case PSC_OPTION_STICKY:
		cli->sticky = true;
		break;
	case PSC_OPTION_NO_STICKY:
		cli->not_sticky = true;
		break;
	case PSC_OPTION_VERBOSE:
		cli->verbose = true;
		break;
	case PSC_OPTION_GROUPED:
		cli->grouped = true;
		break;
	case PSC_OPTION_OPENMETRICS:
		cli->openmetrics = true;
		break;
	case PSC_OPTION_HTTP:
		cli->http = true;
		break;
	case PSC_OPTION_PID:		/* those with an argument: parse_argument() */
	case PSC_OPTION_DEFAULT:
	case PSC_OPTION_MODE:
	case PSC_OPTION_CGROUP:
	case PSC_OPTION_UID:
	case PSC_OPTION_SINCE:
	case PSC_OPTION_UNTIL:
	case PSC_OPTION_SOCKET:
		break;
	}
	return 0;
}

/* The table as getopt_long() wants it. @shorts begins with "-:": words are returned in order. */
static void fill(struct option longs[OPTIONS + 1], char shorts[OPTIONS + 3])
{
	size_t n_longs = 0, n_shorts = 2;

	memcpy(shorts, "-:", n_shorts);
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct psc_cli_option *option = &psc_cli_options[i];

		if (option->text[1] != '-')
			shorts[n_shorts++] = option->text[1];
		else
			longs[n_longs++] = (struct option){ option->text + 2, option->argument ?
				required_argument : no_argument, NULL, LONG + (int)i };
	}
	longs[n_longs] = (struct option){};
	shorts[n_shorts] = '\0';
}

/*
 * What getopt_long() has found in @text. It also finds abbreviations, and several short options in
 * one word, which are no options here: a later option must not change what a script means.
 */
static const struct psc_cli_option *exact_option(int found, const char *text)
{
	const char *equals = text[1] == '-' ? strchr(text, '=') : NULL;
	const struct psc_cli_option *option =
		psc_cli_option_find(text, equals ? (size_t)(equals - text) : strlen(text));

	return option && (found < LONG || option == &psc_cli_options[found - LONG]) ? option : NULL;
}

static int parse_option(int found, const char *text, struct psc_cli *cli, char **ret_error)
{
	const struct psc_cli_option *option =
		exact_option(found == '?' || found == ':' ? optopt : found, text);
	_cleanup_free_ char *missing = NULL;

	if (!option)
		return unknown_option(text, ret_error);
	cli->options |= 1U << option->id;
	if (found == '?')
		return psc_cli_usage(ret_error, "unexpected value for option", option->text,
				     "; write it without \"=\"");
	if (!option->argument)
		return set_flag(option->id, cli);
	/* The name of a socket that is empty is one that nobody is safe from. */
	if (found == ':' || (option->id == PSC_OPTION_SOCKET && !*optarg)) {
		if (asprintf(&missing, "missing %s after", option->argument) < 0) {
			missing = NULL;
			return -ENOMEM;
		}
		return psc_cli_usage(ret_error, missing, text, "");
	}
	return parse_argument(option, text, optarg, cli, ret_error);
}

int psc_cli_parse_options(int argc, char *const *argv, struct psc_cli *cli, char **words,
			  int *ret_n, char **ret_error)
{
	struct option longs[OPTIONS + 1];
	char shorts[OPTIONS + 3];
	int found, err;

	fill(longs, shorts);
	*ret_n = 0;
	optind = 0;	/* begin anew */
	opterr = 0;
	for (int at = 1;; at = optind) {
		found = getopt_long(argc, argv, shorts, longs, NULL);
		if (found == -1)
			break;
		if (found == 1) {
			words[(*ret_n)++] = optarg;
			continue;
		}
		err = parse_option(found, argv[at], cli, ret_error);
		if (err)
			return err;
	}
	while (optind < argc)
		words[(*ret_n)++] = argv[optind++];
	return 0;
}

/* "; it is for: set, cgroup set" */
static void list_commands(const struct psc_cli_option *option, char *text, size_t size)
{
	const struct psc_cli_word *const tables[] = { psc_cli_words, psc_cli_cgroup_words };
	const char *before = "; it is for: ";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct psc_cli_word *word = tables[i]; word->word; word++) {
			if (!(option->commands >> word->command & 1) || len >= size)
				continue;
			len += (size_t)snprintf(text + len, size - len, "%s%s%s", before,
						i ? "cgroup " : "", word->word);
			before = ", ";
		}
	}
}

int psc_cli_check_options(const struct psc_cli_word *word, const struct psc_cli *cli,
			  char **ret_error)
{
	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++) {
		char before[64], commands[256] = "";

		if (!(cli->options >> option->id & 1) || option->commands >> word->command & 1)
			continue;
		snprintf(before, sizeof(before), "%s does not go with", option->text);
		list_commands(option, commands, sizeof(commands));
		return psc_cli_usage(ret_error, before, word->word, commands);
	}
	return 0;
}
