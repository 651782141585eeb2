/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

#include <errno.h>

#include "control.h"
#include "escape.h"
#include "ptracescope_policy.h"
#include "util.h"

const char psc_cli_help[] =
	"Usage: ptracescopectl [OPTION]... COMMAND\n"
	"Read and change who may ptrace whom, as ptracescoped enforces it.\n"
	"\n"
	"  get [NAME]         print a value; NAME is kernel.yama.ptrace_scope by default\n"
	"  set VALUE          set kernel.yama.ptrace_scope\n"
	"  set NAME=VALUE     set another name\n"
	"  lock               until reboot, allow nothing below what is in force now\n"
	"  lock NAME...       the same for these names alone\n"
	"  lock LEVEL         the same with LEVEL, for attaching and PTRACE_TRACEME\n"
	"  list               print all names and values\n"
	"  status             print what is enforced, and by whom\n"
	"  reload             read the configuration again\n"
	"  detach             end enforcement and the daemon\n"
	"  cgroup list        print the cgroups that have a scope of their own\n"
	"  cgroup get CGROUP [NAME]\n"
	"  cgroup set CGROUP [NAME] VALUE\n"
	"  cgroup unset CGROUP [NAME]\n"
	"  cgroup lock CGROUP [LEVEL]\n"
	"                     the same for a cgroup; CGROUP is a path below /sys/fs/cgroup,\n"
	"                     or the name of a unit; or use --pid\n"
	"  oci-hook           as a hook of a container runtime, set what the container asks\n"
	"                     for by annotations\n"
	"  doctor             say whether this system can enforce; works without the daemon\n"
	"\n"
	"      --json         print JSON\n"
	"      --revocable    with set no-attach or NAME=3: it can be taken back\n"
	"      --lock         with cgroup set: nothing below that value until reboot\n"
	"      --pid PID      in place of CGROUP: the one that this process is in\n"
	"      --default SCOPE\n"
	"                     with oci-hook: for a container that asks for nothing\n"
	"      --allow-lock   with oci-hook: containers may lock their scope until reboot\n"
	"  -y, --yes          do not ask before what cannot be undone until reboot\n"
	"      --socket PATH  the daemon's socket, " PSC_SOCKET_PATH " by default\n"
	"  -h, --help         print this\n"
	"      --version      print the version\n"
	"\n"
	"Names: kernel.yama.ptrace_scope, kernel.ptracescope.attach_scope,\n"
	"  kernel.ptracescope.traceme_scope, kernel.ptracescope.read_scope,\n"
	"  kernel.ptracescope.floor (attach_scope and traceme_scope cannot go below it\n"
	"  until reboot),\n"
	"  kernel.ptracescope.cgroup_boundary (on or off: attaching from outside a container\n"
	"  takes CAP_SYS_PTRACE outside of all); the last part will do\n"
	"Values: 0 or classic, 1 or restricted, 2 or admin-only, 3 or no-attach; for cgroups\n"
	"  also siblings, which is 1 except among the processes of that cgroup\n"
	"Exit codes: 0 done, 1 failed, 2 usage, 3 refused (permission or locked),\n"
	"  4 the daemon cannot be reached, 5 reload: in force but for some cgroups\n";

static const struct {
	const char *word;
	enum psc_cli_command command;
	int arguments_min, arguments_max;
	const char *takes;
} commands[] = {
	{ "get", PSC_CLI_GET, 0, 1, "; get takes at most one NAME" },
	{ "set", PSC_CLI_SET, 1, 1, "; set takes one VALUE or NAME=VALUE" },
	{ "lock", PSC_CLI_LOCK, 0, PSC_NAMES, "; lock takes one LEVEL, or NAMEs" },
	{ "list", PSC_CLI_LIST, 0, 0, "; list takes no arguments" },
	{ "status", PSC_CLI_STATUS, 0, 0, "; status takes no arguments" },
	{ "detach", PSC_CLI_DETACH, 0, 0, "; detach takes no arguments" },
	{ "reload", PSC_CLI_RELOAD, 0, 0, "; reload takes no arguments" },
	{ "doctor", PSC_CLI_DOCTOR, 0, 0, "; doctor takes no arguments" },
	{ "oci-hook", PSC_CLI_OCI_HOOK, 0, 0, "; oci-hook takes no arguments" },
};

enum option {
	OPTION_HELP, OPTION_VERSION, OPTION_YES, OPTION_JSON, OPTION_REVOCABLE, OPTION_LOCK,
	OPTION_ALLOW_LOCK,
	/* from here on with an argument */
	OPTION_PID, OPTION_DEFAULT, OPTION_SOCKET
};

static const struct {
	const char *text;
	enum option option;
} options[] = {
	{ "-h", OPTION_HELP },
	{ "--help", OPTION_HELP },
	{ "--version", OPTION_VERSION },
	{ "-y", OPTION_YES },
	{ "--yes", OPTION_YES },
	{ "--json", OPTION_JSON },
	{ "--revocable", OPTION_REVOCABLE },
	{ "--lock", OPTION_LOCK },
	{ "--allow-lock", OPTION_ALLOW_LOCK },
	{ "--pid", OPTION_PID },
	{ "--default", OPTION_DEFAULT },
	{ "--socket", OPTION_SOCKET },
};

int psc_cli_usage(char **ret_error, const char *before, const char *argument, const char *after)
{
	_cleanup_free_ char *shown = psc_escape(argument, strlen(argument), 128);

	if (!shown || asprintf(ret_error, "%s '%s'%s", before, shown, after) < 0)
		return -ENOMEM;
	return -EINVAL;
}

int psc_cli_unknown_name(const char *name, char **ret_error)
{
	char names[512] = "; names are";

	for (size_t i = 0, len = strlen(names); i < PSC_NAMES; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s %s", i ? "," : "",
					psc_names[i].name);
	return psc_cli_usage(ret_error, "unknown name", name, names);
}

static int find_name(const char *text, const struct psc_name **ret, char **ret_error)
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
	err = find_name(name, &cli->name, ret_error);
	if (err)
		return err;
	if (!equals && psc_name_find_short(text))
		return psc_cli_usage(ret_error, "no value for", text, "; write NAME=VALUE");
	err = psc_cli_value(cli->name, value, false, &cli->value, ret_error);
	if (err)
		return err;
	if (cli->revocable && !psc_name_may_be_revocable(cli->name, cli->value))
		return psc_cli_usage(ret_error, "only a scope of 3 takes --revocable, not", text,
				     hint);
	return 0;
}

/* "LEVEL", or the names of what is to be locked as it is in force; without any, all. */
static int parse_lock(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	const struct psc_name *name;

	cli->name = psc_name_find(PSC_NAME_FLOOR);
	cli->present = !n || psc_name_find_short(words[0]);
	if (!cli->present && n > 1)
		return psc_cli_usage(ret_error, "unexpected argument", words[1],
				     "; lock takes one LEVEL, or NAMEs");
	if (!cli->present)
		return psc_cli_value(cli->name, words[0], false, &cli->value, ret_error);
	for (int i = 0; i < n; i++) {
		int err = find_name(words[i], &name, ret_error);

		if (err)
			return err;
		if (name->floor)
			return psc_cli_usage(ret_error, "a floor is no scope that can be locked:",
					     words[i], "; write: lock LEVEL");
		cli->names |= 1U << (name - psc_names);
	}
	return 0;
}

static int parse_command(const char *word, int n, char *const *arguments, struct psc_cli *cli,
			 char **ret_error)
{
	size_t i = 0;

	if ((cli->has_fallback || cli->allow_lock) && !streq(word, "oci-hook"))
		return psc_cli_usage(ret_error, cli->allow_lock ? "--allow-lock does not go with" :
				     "--default does not go with", word, "; it is for: oci-hook");
	if (streq(word, "cgroup"))
		return psc_cli_parse_cgroup(n, arguments, cli, ret_error);
	if (cli->lock || cli->pid)
		return psc_cli_usage(ret_error, "--lock and --pid do not go with", word,
				     "; they are for: cgroup");
	while (i < ARRAY_SIZE(commands) && !streq(word, commands[i].word))
		i++;
	if (i == ARRAY_SIZE(commands))
		return psc_cli_usage(ret_error, "unknown command", word, "");
	cli->command = commands[i].command;
	if (n == 2 && cli->command == PSC_CLI_SET && psc_name_find_short(arguments[0]))
		return psc_cli_usage(ret_error, "set takes one argument: join", arguments[0],
				     " and its value with '='");
	if (n > commands[i].arguments_max)
		return psc_cli_usage(ret_error, "unexpected argument",
				     arguments[commands[i].arguments_max], commands[i].takes);
	if (n < commands[i].arguments_min)
		return psc_cli_usage(ret_error, "missing argument after", word, commands[i].takes);
	if (cli->revocable && cli->command != PSC_CLI_SET)
		return psc_cli_usage(ret_error, "--revocable does not go with", word,
				     "; it is for: set no-attach");

	if (cli->command == PSC_CLI_SET)
		return parse_setting(arguments[0], cli, ret_error);
	if (cli->command == PSC_CLI_LOCK)
		return parse_lock(n, arguments, cli, ret_error);
	if (cli->command == PSC_CLI_GET)
		return find_name(n ? arguments[0] : PSC_NAME_YAMA, &cli->name, ret_error);
	return 0;
}

/* An option with an argument, "--name argument" or "--name=argument". */
static int parse_argument(int argc, char *const *argv, int *i, enum option option,
			  struct psc_cli *cli, char **ret_error)
{
	static const char *const missing[] = {
		[OPTION_PID] = "missing PID after",
		[OPTION_DEFAULT] = "missing SCOPE after",
		[OPTION_SOCKET] = "missing PATH after",
	};
	const char *text = argv[*i], *equals = strchr(text, '='), *argument;

	if (!equals && *i + 1 == argc)
		return psc_cli_usage(ret_error, missing[option], text, "");
	argument = equals ? equals + 1 : argv[++*i];
	if (option == OPTION_SOCKET && !*argument)	/* which is a name nobody is safe from */
		return psc_cli_usage(ret_error, missing[option], text, "");
	if (option == OPTION_DEFAULT) {
		cli->has_fallback = true;
		return psc_cli_value(psc_name_find(PSC_NAME_YAMA), argument, true, &cli->fallback,
				     ret_error);
	}
	if (option == OPTION_PID) {
		if (cli->pid)
			return psc_cli_usage(ret_error, "more than one", text, "");
		if (psc_parse_u32(argument, &cli->pid) || !cli->pid)
			return psc_cli_usage(ret_error, "no process id:", argument, "");
		return 0;
	}
	cli->socket = argument;
	if (strlen(argument) >= PSC_CLI_SOCKET_MAX)
		return psc_cli_usage(ret_error, "too long for a socket:", argument, "");
	return 0;
}

/*
 * One option at argv[*i], moved on past its argument.
 * Return: 1 when it says all there is to say, else 0 or a negative errno.
 */
static int parse_option(int argc, char *const *argv, int *i, struct psc_cli *cli,
			char **ret_error)
{
	const char *text = argv[*i];
	const char *equals = strncmp(text, "--", 2) == 0 ? strchr(text, '=') : NULL;
	size_t len = equals ? (size_t)(equals - text) : strlen(text), o = 0;

	while (o < ARRAY_SIZE(options) &&
	       (strlen(options[o].text) != len || memcmp(options[o].text, text, len) != 0))
		o++;
	if (o == ARRAY_SIZE(options))
		return psc_cli_usage(ret_error, "unknown option", text, "");
	if (options[o].option >= OPTION_PID)
		return parse_argument(argc, argv, i, options[o].option, cli, ret_error);
	if (equals)
		return psc_cli_usage(ret_error, "no value belongs to option", options[o].text, "");

	switch (options[o].option) {
	case OPTION_HELP:
		cli->command = PSC_CLI_HELP;
		return 1;
	case OPTION_VERSION:
		cli->command = PSC_CLI_VERSION;
		return 1;
	case OPTION_YES:
		cli->yes = true;
		return 0;
	case OPTION_JSON:
		cli->json = true;
		return 0;
	case OPTION_REVOCABLE:
		cli->revocable = true;
		return 0;
	case OPTION_LOCK:
		cli->lock = true;
		return 0;
	case OPTION_ALLOW_LOCK:
		cli->allow_lock = true;
		return 0;
	case OPTION_PID:
	case OPTION_DEFAULT:
	case OPTION_SOCKET:
		break;
	}
	return -EINVAL;
}

int psc_cli_parse(int argc, char *const *argv, struct psc_cli *ret, char **ret_error)
{
	struct psc_cli cli = { .socket = PSC_SOCKET_PATH };
	_cleanup_free_ char **words = calloc((size_t)argc + 1, sizeof(*words));
	bool options_end = false;
	int n = 0, err = 0;

	if (!words)
		return -ENOMEM;
	for (int i = 1; i < argc && !err; i++) {
		if (!options_end && streq(argv[i], "--"))
			options_end = true;
		else if (!options_end && argv[i][0] == '-' && argv[i][1])
			err = parse_option(argc, argv, &i, &cli, ret_error);
		else
			words[n++] = argv[i];
	}
	if (err < 0)
		return err;
	if (!err && !n) {
		*ret_error = strdup("no command");
		return *ret_error ? -EINVAL : -ENOMEM;
	}
	if (!err)
		err = parse_command(words[0], n - 1, words + 1, &cli, ret_error);
	if (err < 0)
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
