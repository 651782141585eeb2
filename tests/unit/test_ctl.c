/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl: its command line, and what it makes of the daemon's answers. */
#include "command_run.h"

#include <pty.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "answer.h"
#include "cli.h"
#include "client.h"
#include "command.h"
#include "interface.h"
#include "names.h"
#include "show.h"

struct parse_case {
	const char *arguments[ARGUMENTS_MAX];
	int err;
	const char *error;		/* a part of the message */
	struct psc_cli cli;
};

#define DEFAULTS .socket = PSC_SOCKET_PATH
#define ATTACH "kernel.ptracescope.attach_scope"
#define NAME(id) (&psc_names[PSC_NAME_ID_##id])
#define NAME_BIT(id) (1U << PSC_NAME_ID_##id)
#define LOCK PSC_CLI_LOCK, .name = NAME(FLOOR)

static const struct parse_case parse_cases[] = {
	{ { "get" }, .cli = { PSC_CLI_GET, .name = NAME(YAMA), DEFAULTS } },
	{ { "get", ATTACH }, .cli = { PSC_CLI_GET, .name = NAME(ATTACH), DEFAULTS } },
	{ { "get", "--", ATTACH }, .cli = { PSC_CLI_GET, .name = NAME(ATTACH), DEFAULTS } },
	{ { "set", "0" }, .cli = { PSC_CLI_SET, .name = NAME(YAMA), .value = 0, DEFAULTS } },
	{ { "set", "3" }, .cli = { PSC_CLI_SET, .name = NAME(YAMA), .value = 3, DEFAULTS } },
	{ { "set", "no-attach" },
	  .cli = { PSC_CLI_SET, .name = NAME(YAMA), .value = 3, DEFAULTS } },
	{ { "set", ATTACH "=2" },
	  .cli = { PSC_CLI_SET, .name = NAME(ATTACH), .value = 2, DEFAULTS } },
	{ { "set", "kernel.ptracescope.floor=admin-only" },
	  .cli = { PSC_CLI_SET, .name = NAME(FLOOR), .value = 2, DEFAULTS } },
	{ { "lock" }, .cli = { LOCK, .present = true, DEFAULTS } },
	{ { "lock", "0" }, .cli = { LOCK, .value = 0, DEFAULTS } },
	{ { "lock", "read" }, .cli = { LOCK, .present = true, .names = NAME_BIT(READ), DEFAULTS } },
	{ { "lock", ATTACH, "cgroup_boundary", "attach_scope" },
	  .cli = { LOCK, .present = true, .names = NAME_BIT(ATTACH) | NAME_BIT(BOUNDARY), DEFAULTS } },
	{ { "lock", "2", "-y" }, .cli = { LOCK, .value = 2, DEFAULTS, .yes = true } },
	{ { "lock", "no-attach" }, .cli = { LOCK, .value = 3, DEFAULTS } },
	{ { "list" }, .cli = { PSC_CLI_LIST, DEFAULTS } },
	{ { "status" }, .cli = { PSC_CLI_STATUS, DEFAULTS } },
	{ { "detach" }, .cli = { PSC_CLI_DETACH, DEFAULTS } },
	{ { "reload" }, .cli = { PSC_CLI_RELOAD, DEFAULTS } },
	{ { "doctor" }, .cli = { PSC_CLI_DOCTOR, DEFAULTS } },
	{ { "oci-hook" }, .cli = { PSC_CLI_OCI_HOOK, DEFAULTS } },
	{ { "oci-hook", "--allow-lock" },
	  .cli = { PSC_CLI_OCI_HOOK, .allow_lock = true, DEFAULTS } },
	{ { "oci-hook", "--default", "siblings" },
	  .cli = { PSC_CLI_OCI_HOOK, .has_fallback = true, .fallback = PSC_SCOPE_SIBLINGS,
		   DEFAULTS } },
	{ { "oci-hook", "--default=2" },
	  .cli = { PSC_CLI_OCI_HOOK, .has_fallback = true, .fallback = 2, DEFAULTS } },

	/* options, before and after */
	{ { "--json", "list" }, .cli = { PSC_CLI_LIST, DEFAULTS, .json = true } },
	{ { "list", "--json" }, .cli = { PSC_CLI_LIST, DEFAULTS, .json = true } },
	{ { "-y", "set", "1" },
	  .cli = { PSC_CLI_SET, .name = NAME(YAMA), .value = 1, DEFAULTS, .yes = true } },
	{ { "set", "--yes", "1" },
	  .cli = { PSC_CLI_SET, .name = NAME(YAMA), .value = 1, DEFAULTS, .yes = true } },
	{ { "set", "no-attach", "--revocable" },
	  .cli = { PSC_CLI_SET, .name = NAME(YAMA), .value = 3, .revocable = true, DEFAULTS } },
	{ { "--revocable", "set", ATTACH "=3" },
	  .cli = { PSC_CLI_SET, .name = NAME(ATTACH), .value = 3, .revocable = true, DEFAULTS } },
	{ { "--socket", "/x", "list" }, .cli = { PSC_CLI_LIST, .socket = "/x" } },
	{ { "list", "--socket=/x" }, .cli = { PSC_CLI_LIST, .socket = "/x" } },
	{ { "--socket", "--json", "list" }, .cli = { PSC_CLI_LIST, .socket = "--json" } },
	{ { "--help" }, .cli = { PSC_CLI_HELP, DEFAULTS } },
	{ { "-h", "nonsense" }, .cli = { PSC_CLI_HELP, DEFAULTS } },
	{ { "set", "--help", "--nonsense" },
	  .cli = { PSC_CLI_HELP, .topic = &psc_cli_words[1], DEFAULTS } },
	{ { "--version" }, .cli = { PSC_CLI_VERSION, DEFAULTS } },
	{ { "--help", "set" }, .cli = { PSC_CLI_HELP, DEFAULTS } },
	{ { "get", "--help" }, .cli = { PSC_CLI_HELP, .topic = &psc_cli_words[0], DEFAULTS } },
	{ { "-y", "get", "x", "-h", "-q" },
	  .cli = { PSC_CLI_HELP, .topic = &psc_cli_words[0], DEFAULTS, .yes = true } },
	{ { "cgroup", "--help" }, .cli = { PSC_CLI_HELP, .cgroup_topic = true, DEFAULTS } },
	{ { "cgroup", "list", "--help" },
	  .cli = { PSC_CLI_HELP, .topic = &psc_cli_cgroup_words[0], .cgroup_topic = true, DEFAULTS } },
	{ { "help" }, .cli = { PSC_CLI_HELP, DEFAULTS } },
	{ { "help", "get" }, .cli = { PSC_CLI_HELP, .topic = &psc_cli_words[0], DEFAULTS } },
	{ { "help", "cgroup" }, .cli = { PSC_CLI_HELP, .cgroup_topic = true, DEFAULTS } },
	{ { "help", "cgroup", "list" },
	  .cli = { PSC_CLI_HELP, .topic = &psc_cli_cgroup_words[0], .cgroup_topic = true, DEFAULTS } },
	{ {}, .cli = { PSC_CLI_OVERVIEW, DEFAULTS } },
	{ { "--socket", "/x" }, .cli = { PSC_CLI_OVERVIEW, .socket = "/x" } },

	/* usage errors */
	{ { "--json" }, -EINVAL, "no command, such as: status" },
	{ { "--pid", "1" }, -EINVAL, "no command, such as: status" },
	{ { "" }, -EINVAL, "unknown command ''" },
	{ { "ge" }, -EINVAL, "unknown command 'ge'; the nearest is 'get'" },
	{ { "gett" }, -EINVAL, "unknown command 'gett'; the nearest is 'get'" },
	{ { "Get" }, -EINVAL, "unknown command 'Get'; the nearest is 'get'" },
	{ { "stauts", "x" }, -EINVAL, "unknown command 'stauts'; the nearest is 'status'" },
	{ { "cgruop", "list" }, -EINVAL, "unknown command 'cgruop'; the nearest is 'cgroup'" },
	{ { "satus", "--help" }, -EINVAL, "unknown command 'satus'; the nearest is 'status'" },
	{ { "cgroup", "gte", "--help" }, -EINVAL,
	  "unknown command: cgroup 'gte'; the nearest is 'get'" },
	{ { "help", "stauts" }, -EINVAL,
	  "unknown command 'stauts'; the nearest is 'status'; see 'ptracescopectl --help'" },
	{ { "help", "get", "set" }, -EINVAL, "unexpected argument 'set'; usage: help [COMMAND]" },
	{ { "help", "cgroup", "get", "set" }, -EINVAL, "unexpected argument 'set'; usage: help" },
	/* where to read on */
	{ { "nonsense" }, -EINVAL, "unknown command 'nonsense'; see 'ptracescopectl --help'" },
	{ { "lock", "-x" }, -EINVAL, "unknown option '-x'; see 'ptracescopectl lock --help'" },
	{ { "-x", "lock" }, -EINVAL, "unknown option '-x'; see 'ptracescopectl --help'" },
	{ { "log", "x" }, -EINVAL,
	  "unexpected argument 'x'; usage: log [OPTION]...; see 'ptracescopectl log --help'" },
	{ { "cgroup", "frob" }, -EINVAL, "see 'ptracescopectl cgroup --help'" },
	{ { "cgroup" }, -EINVAL, "see 'ptracescopectl cgroup --help'" },
	{ { "cgroup", "set", "x", "4" }, -EINVAL, "see 'ptracescopectl cgroup set --help'" },
	{ { "-" }, -EINVAL, "unknown command '-'" },
	{ { "--", "--json" }, -EINVAL, "unknown command '--json'" },
	{ { "x\033[31m" }, -EINVAL, "unknown command 'x\\x1b[31m'" },
	{ { "list", "-j" }, -EINVAL, "unknown option '-j'" },
	{ { "list", "--jso" }, -EINVAL, "unknown option '--jso'; the nearest is '--json'" },
	{ { "list", "--jsons" }, -EINVAL, "unknown option '--jsons'" },
	{ { "list", "-yh" }, -EINVAL, "unknown option '-yh'" },
	{ { "list", "--json=1" }, -EINVAL, "unexpected value for option '--json'; write it without" },
	{ { "list", "--socket" }, -EINVAL, "missing PATH after '--socket'" },
	{ { "list", "--socket", "" }, -EINVAL, "missing PATH after '--socket'" },
	{ { "list", "--socket=" }, -EINVAL, "missing PATH after '--socket='" },
	{ { "set", "-1" }, -EINVAL, "unknown option '-1'" },
	{ { "--nonsense", "--help" }, -EINVAL, "unknown option '--nonsense'" },
	{ { "get", ATTACH, ATTACH }, -EINVAL, "unexpected argument '" ATTACH "'; usage: get [NAME]" },
	{ { "list", "all" }, -EINVAL, "unexpected argument 'all'; usage: list" },
	{ { "status", "x" }, -EINVAL, "usage: status" },
	{ { "detach", "x" }, -EINVAL, "usage: detach" },
	{ { "reload", "x" }, -EINVAL, "usage: reload" },
	{ { "doctor", "x" }, -EINVAL, "usage: doctor" },
	{ { "oci-hook", "2" }, -EINVAL, "usage: oci-hook" },
	{ { "oci-hook", "--default" }, -EINVAL, "missing SCOPE after '--default'" },
	{ { "oci-hook", "--default", "4" }, -EINVAL, "value '4' is no scope" },
	{ { "oci-hook", "--default=inherit" }, -EINVAL, "value 'inherit' is no scope" },
	{ { "set", "2", "--default", "2" }, -EINVAL,
	  "--default does not go with 'set'; it is for: oci-hook" },
	{ { "set", "2", "--allow-lock" }, -EINVAL,
	  "--allow-lock does not go with 'set'; it is for: oci-hook" },
	{ { "lock", "1", "2" }, -EINVAL, "unexpected argument '2'; usage: lock [OPTION]... [LEVEL | NAME...]" },
	{ { "lock", "1", "read_scope" }, -EINVAL, "unexpected argument 'read_scope'; usage: lock" },
	{ { "lock", "read_scope", "1" }, -EINVAL, "unknown name '1'; names are" },
	{ { "lock", "read_scope", "floor" }, -EINVAL, "a floor is no scope that can be locked: 'floor'" },
	{ { "lock", "read=1" }, -EINVAL, "'read=1' is neither a scope nor a name" },
	{ { "lock", "nonsense" }, -EINVAL, "'nonsense' is neither a scope nor a name; scopes are "
	  "0 (classic), 1 (restricted), 2 (admin-only), 3 (no-attach); names are ptrace_scope, "
	  "attach_scope, traceme_scope, read_scope, cgroup_boundary; see 'ptracescopectl lock" },
	{ { "list", "--revocable=yes" }, -EINVAL, "unexpected value for option '--revocable'" },
	{ { "get", "--revocable" }, -EINVAL,
	  "--revocable does not go with 'get'; it is for: set, cgroup set" },
	{ { "lock", "3", "--revocable" }, -EINVAL, "--revocable does not go with 'lock'" },
	{ { "get", "--pid", "1" }, -EINVAL, "--pid does not go with 'get'; it is for: watch, cgroup get, "
	  "cgroup set, cgroup unset, cgroup lock, cgroup release" },
	{ { "set", "3", "--lock" }, -EINVAL, "--lock does not go with 'set'; it is for: cgroup set" },
	{ { "set", "2", "--revocable" }, -EINVAL, "only a scope of 3 can be --revocable, not '2'; "
	  "write: set no-attach --revocable, or set NAME=3 --revocable" },
	{ { "set", ATTACH "=0", "--revocable" }, -EINVAL,
	  "only a scope of 3 can be --revocable, not '" ATTACH "=0'" },
	{ { "set", PSC_NAME_FLOOR "=3", "--revocable" }, -EINVAL,
	  "only a scope of 3 can be --revocable, not '" PSC_NAME_FLOOR "=3'" },
	{ { "set" }, -EINVAL, "missing argument after 'set'" },
	{ { "set", ATTACH, "1" }, -EINVAL, "join '" ATTACH "' and its value with '='" },
	{ { "set", "1", "2" }, -EINVAL, "unexpected argument '2'" },
	{ { "set", ATTACH }, -EINVAL, "no value for '" ATTACH "'; write NAME=VALUE" },

	/* names and values */
	{ { "get", "" }, -EINVAL, "unknown name ''" },
	{ { "get", "attach_scop" }, -EINVAL,
	  "unknown name 'attach_scop'; names are " PSC_NAME_YAMA },
	{ { "get", ATTACH "s" }, -EINVAL, "unknown name" },
	{ { "set", "=1" }, -EINVAL, "unknown name ''" },
	{ { "set", "x=1" }, -EINVAL, "unknown name 'x'; names are" },
	{ { "set", ATTACH " = 1" }, -EINVAL, "unknown name '" ATTACH " '" },
	{ { "set", ATTACH "=" }, -EINVAL, "value '' is no scope; scopes are 0 (classic)" },
	{ { "set", ATTACH "=1=1" }, -EINVAL, "value '1=1' is no scope" },
	{ { "set", "4" }, -EINVAL, "value '4' is no scope" },
	{ { "set", "4294967296" }, -EINVAL, "value '4294967296' is no scope" },
	{ { "set", "+1" }, -EINVAL, "value '+1' is no scope" },
	{ { "set", " 1" }, -EINVAL, "value ' 1' is no scope" },
	{ { "set", "1 " }, -EINVAL, "value '1 ' is no scope" },
	{ { "set", "0x1" }, -EINVAL, "value '0x1' is no scope" },
	{ { "set", "" }, -EINVAL, "value '' is no scope" },
	{ { "set", "01" }, -EINVAL, "value '01' is no scope" },
	{ { "cgroup", "get", "--pid", "1", "--pid", "2" }, -EINVAL, "more than one '--pid'" },
	{ { "cgroup", "list", "--default", "1" }, -EINVAL,
	  "--default does not go with 'list'; it is for: oci-hook" },
	{ { "set", "Classic" }, -EINVAL, "value 'Classic' is no scope" },
	{ { "set", "no" }, -EINVAL, "value 'no' is no scope" },
	{ { "set", "4", "--revocable" }, -EINVAL, "value '4' is no scope" },
	{ { "lock", "4" }, -EINVAL, "'4' is neither a scope nor a name; scopes are 0 (classic)" },
	{ { "lock", "" }, -EINVAL, "'' is neither a scope nor a name" },
	{ { "lock", PSC_NAME_FLOOR "=2" }, -EINVAL, "'" PSC_NAME_FLOOR "=2' is neither a scope" },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		_cleanup_free_ char *error = NULL;
		struct psc_cli cli = {};

		assert_int_equal(parse(c->arguments, &cli, &error), c->err);
		if (c->err) {
			if (!strstr(error, c->error))
				fail_msg("expected '%s' in '%s'", c->error, error);
			assert_null(strchr(error, '\n'));
			continue;
		}
		assert_null(error);
		assert_int_equal(cli.command, c->cli.command);
		assert_ptr_equal(cli.topic, c->cli.topic);
		assert_int_equal(cli.cgroup_topic, c->cli.cgroup_topic);
		assert_ptr_equal(cli.name, c->cli.name);
		assert_int_equal(cli.value, c->cli.value);
		assert_int_equal(cli.present, c->cli.present);
		assert_int_equal(cli.names, c->cli.names);
		assert_int_equal(cli.revocable, c->cli.revocable);
		assert_string_equal(cli.socket, c->cli.socket);
		assert_int_equal(cli.json, c->cli.json);
		assert_int_equal(cli.yes, c->cli.yes);
		assert_int_equal(cli.has_fallback, c->cli.has_fallback);
		assert_int_equal(cli.fallback, c->cli.fallback);
		assert_int_equal(cli.allow_lock, c->cli.allow_lock);
	}
}

static void test_socket_length(void **state)
{
	char path[PSC_CLI_SOCKET_MAX + 1];
	const char *arguments[] = { "list", "--socket", path, NULL };
	struct sockaddr_un address;
	char *error = NULL;
	struct psc_cli cli;

	(void)state;
	assert_int_equal(PSC_CLI_SOCKET_MAX, sizeof(address.sun_path));
	memset(path, 'x', sizeof(path));
	path[PSC_CLI_SOCKET_MAX] = '\0';
	assert_int_equal(parse(arguments, &cli, &error), -EINVAL);
	assert_non_null(strstr(error, "too long for a socket"));
	free(error);
	path[PSC_CLI_SOCKET_MAX - 1] = '\0';
	assert_int_equal(parse(arguments, &cli, &error), 0);
}

static void test_final(void **state)
{
	(void)state;
	for (size_t i = 0; i < PSC_NAMES; i++)
		for (unsigned int value = 0; value <= PSC_SCOPE_MAX; value++)
			assert_int_equal(psc_cli_final(&psc_names[i], value, false),
					 value > psc_names[i].max ? false :
					 psc_names[i].floor ? value > 0 :
					 value == PSC_SCOPE_NO_ATTACH);
	for (size_t i = 0; i < PSC_NAMES; i++)
		assert_false(psc_cli_final(&psc_names[i], PSC_SCOPE_NO_ATTACH, true));
}

/* --- whole runs --- */

/* One after another, beginning with everything at 0. */
static void test_runs(void **state)
{
	static const struct run_case cases[] = {
		{ { "get" }, 0, "0\n", "" },
		{ { "set", "restricted" }, 0, "kernel.yama.ptrace_scope = 1\n", "" },
		{ { "get" }, 0, "1\n", "" },
		{ { "get", "kernel.ptracescope.read_scope" }, 0, "0\n", "" },
		{ { "--json", "get" }, 0,
		  "{\"name\": \"kernel.yama.ptrace_scope\", \"value\": 1}\n", "" },
		{ { "--json", "set", "kernel.ptracescope.read_scope=2" }, 0,
		  "{\"name\": \"kernel.ptracescope.read_scope\", \"value\": 2}\n", "" },
		/* no terminal, no question */
		{ { "set", "kernel.ptracescope.floor=1" }, 0,
		  "kernel.ptracescope.floor = 1\n", "" },
		{ { "set", "0" }, 3, "",
		  LINE("kernel.yama.ptrace_scope: locked at 1 (restricted) until reboot") },
		{ { "status", "--json" }, 0, "{\"enforcing\": true, \"policy\": {\"attach\": "
		  "{\"scope\": 1, \"floor\": 1}, \"traceme\": {\"scope\": 1, \"floor\": 1}, "
		  "\"read\": {\"scope\": 2, \"floor\": 0}, \"boundary\": {\"scope\": 0, "
		  "\"floor\": 0}}}\n", "" },
		{ { "get", "read_scope" }, 0, "2\n", "" },
		{ { "get", "attach" }, 0, "1\n", "" },
		{ { "reload" }, 0, "", "" },
		{ { "detach" }, 0, "detached: ptracescoped no longer restricts ptrace, and is "
		  "ending; an enabled unit starts it again at the next boot: systemctl disable "
		  "ptracescoped\n", "" },
	};
	struct service s;

	(void)state;
	service_there(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	assert_int_equal(s.fake.reloaded, 1);
	assert_int_equal(s.fake.detached, 1);
	service_stop(&s);
}

#define NEEDED LINE("permission denied: CAP_SYS_PTRACE in the initial user namespace is needed " \
		    "(try sudo)")

/* Likewise. */
static void test_lock_runs(void **state)
{
	static const struct run_case cases[] = {
#define NOTHING LINE("nothing to lock: all scopes that would be locked are 0; nothing changed; " \
		     "set one first: ptracescopectl set 1")
		{ { "lock", "0" }, 1, "", LINE("nothing to lock: a floor of 0 allows everything; "
					       "nothing changed; give a LEVEL from 1 to 3") },
		{ { "lock" }, 1, "", NOTHING },
		{ { "set", "no-attach", "--revocable" }, 0, "kernel.yama.ptrace_scope = 3\n", "" },
		{ { "get", "kernel.ptracescope.floor" }, 0, "0\n", "" },
		{ { "set", "kernel.ptracescope.read_scope=3", "--revocable" }, 0,
		  "kernel.ptracescope.read_scope = 3\n", "" },
		{ { "set", "kernel.ptracescope.read_scope=0" }, 0,
		  "kernel.ptracescope.read_scope = 0\n", "" },
		{ { "set", "1" }, 0, "kernel.yama.ptrace_scope = 1\n", "" },
		{ { "lock" }, 0,
		  "locked until reboot: attach 1 (restricted), traceme 1 (restricted)\n"
		  "not locked: read 0 (classic), boundary 0 (off)\n", "" },
		{ { "set", "0" }, 3, "",
		  LINE("kernel.yama.ptrace_scope: locked at 1 (restricted) until reboot") },
		{ { "lock", "0" }, 3, "",
		  LINE("kernel.ptracescope.floor: locked at 1 (restricted) until reboot") },
		{ { "lock", "admin-only", "--json" }, 0,
		  "{\"attach\": {\"scope\": 2, \"floor\": 2}, \"traceme\": {\"scope\": 2, "
		  "\"floor\": 2}, \"read\": {\"scope\": 0, \"floor\": 0}, \"boundary\": "
		  "{\"scope\": 0, \"floor\": 0}}\n", "" },
		{ { "get" }, 0, "2\n", "" },
		{ { "lock", "1" }, 3, "",
		  LINE("kernel.ptracescope.floor: locked at 2 (admin-only) until reboot") },
		{ { "set", "boundary=on" }, 0, "kernel.ptracescope.cgroup_boundary = 1\n", "" },
		{ { "lock" }, 0, "locked until reboot: attach 2 (admin-only), traceme "
		  "2 (admin-only), boundary 1 (on)\nnot locked: read 0 (classic)\n", "" },
		{ { "set", "attach=3", "--revocable" }, 0,
		  "kernel.ptracescope.attach_scope = 3\n", "" },
		{ { "lock", "3" }, 0, "locked until reboot: attach 3 (no-attach), traceme "
		  "3 (no-attach), boundary 1 (on)\nraised: traceme 2 (admin-only) -> "
		  "3 (no-attach)\nnot locked: read 0 (classic)\n", "" },
		/* what is revocable may still be locked */
		{ { "set", "3", "--revocable" }, 0, "kernel.yama.ptrace_scope = 3\n", "" },
		{ { "lock" }, 0, "locked until reboot: attach 3 (no-attach), traceme "
		  "3 (no-attach), boundary 1 (on)\nnot locked: read 0 (classic)\n", "" },
		{ { "set", "3", "--revocable" }, 0, "kernel.yama.ptrace_scope = 3\n", "" },
		{ { "get", "kernel.ptracescope.floor" }, 0, "3\n", "" },
		{ { "set", "2" }, 3, "",
		  LINE("kernel.yama.ptrace_scope: locked at 3 (no-attach) until reboot") },
	};
	struct service s;

	(void)state;
	service_there(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	service_stop(&s);
}

/* Some of what is in force. */
static void test_lock_names_runs(void **state)
{
	static const struct run_case cases[] = {
		{ { "set", "1" }, 0, "kernel.yama.ptrace_scope = 1\n", "" },
		{ { "lock", "read" }, 1, "", NOTHING },
		{ { "set", "read_scope=2" }, 0, "kernel.ptracescope.read_scope = 2\n", "" },
		{ { "lock", "read", "boundary" }, 0, "locked until reboot: read 2 (admin-only)\n"
		  "not locked: attach 1 (restricted), traceme 1 (restricted), boundary 0 (off)\n",
		  "" },
		{ { "set", "read_scope=1" }, 3, "", LINE("kernel.ptracescope.read_scope: locked at "
							 "2 (admin-only) until reboot") },
		{ { "set", "0" }, 0, "kernel.yama.ptrace_scope = 0\n", "" },
		{ { "set", "attach=2" }, 0, "kernel.ptracescope.attach_scope = 2\n", "" },
		{ { "lock", "ptrace_scope" }, 0, "locked until reboot: attach 2 (admin-only), read 2 "
		  "(admin-only)\nnot locked: traceme 0 (classic), boundary 0 (off)\n", "" },
	};
	struct service s;

	(void)state;
	service_there(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	service_stop(&s);
}

/* With --json an error is an object on standard output, besides the line for people. */
static void test_json_errors(void **state)
{
#define JSON_ERROR(word, exit, message, more) \
	"{\"error\": \"" word "\", \"exit\": " exit ", \"message\": \"" message "\"" more "}\n"
	static const struct run_case cases[] = {
		{ { "--json", "lock" }, 1,
		  JSON_ERROR("failed", "1", "nothing to lock: all scopes that would be locked are 0; "
			     "nothing changed; set one first: ptracescopectl set 1",
			     ", \"varlink\": \"io.ptracescope.NothingToLock\""),
		  NOTHING },
	};
	static const struct run_case denied[] = {
		{ { "set", "1", "--json" }, 3,
		  JSON_ERROR("refused", "3", "permission denied: CAP_SYS_PTRACE in the initial user "
			     "namespace is needed (try sudo)",
			     ", \"varlink\": \"io.ptracescope.PermissionDenied\""), NEEDED },
	};
	static const struct run_case partly[] = {
		{ { "reload", "--json" }, 5,
		  JSON_ERROR("partly-applied", "5", "configuration: \\u00E4 \\\\x1b",
			     ", \"varlink\": \"io.ptracescope.PartlyApplied\""),
		  LINE("configuration: \303\244 \\x1b") },
	};
	static const char *const arguments[] = { "get", "--json", NULL };
	struct result result;
	struct service s;

	(void)state;
	service_there(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	s.fake.reload_err = PSC_RELOAD_PARTLY;
	s.fake.reload_message = "\303\244 \033";
	check_runs(&s, partly, ARRAY_SIZE(partly));
	s.fake.capable = 0;
	check_runs(&s, denied, ARRAY_SIZE(denied));
	service_stop(&s);
	unlink(socket_path);
	run_against(NULL, arguments, &result);
	assert_int_equal(result.code, 4);
	assert_memory_equal(result.out, "{\"error\": \"unreachable\", \"exit\": 4, \"message\": ", 47);
}

/* Without a command: what there is, and the status with its exit code. */
static void test_overview(void **state)
{
	const char *none[] = { NULL }, *help[] = { "lock", "--help", NULL };
	struct result result;
	struct service s;

	(void)state;
	service_there(&s);
	run_against(&s, none, &result);
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(result.out, "Usage: ptracescopectl [OPTION]... COMMAND\n"));
	assert_non_null(strstr(result.out, "\n         state: enforcing\n"));
	assert_string_equal(result.err, "");
	run_against(&s, help, &result);
	assert_int_equal(result.code, 0);
	assert_memory_equal(result.out, "Usage: ptracescopectl lock ", 27);
	service_stop(&s);
	unlink(socket_path);
	run_against(NULL, none, &result);
	assert_int_equal(result.code, 4);
	assert_memory_equal(result.out, "Usage: ", 7);
	assert_non_null(strstr(result.err, "No such file or directory; "));
}

static void test_refused_runs(void **state)
{
	static const struct run_case denied[] = {
		{ { "set", "1" }, 3, "", NEEDED },
		{ { "set", "3", "--revocable" }, 3, "", NEEDED },
		{ { "lock" }, 3, "", NEEDED },
		{ { "detach" }, 3, "", NEEDED },
		{ { "reload" }, 3, "", NEEDED },
		{ { "get" }, 0, "0\n", "" },
	};
	static const struct run_case locked[] = {
		{ { "detach" }, 3, "",
		  LINE("a floor keeps the programs in force until reboot: global: attach 2 "
		       "(admin-only); to be rid of it: systemctl disable ptracescoped, and reboot") },
	};
	/* Also where the kernel side was not what it should be: nothing has changed. */
	static const struct run_case tampered[] = {
		{ { "reload" }, 1, "", LINE("configuration refused, nothing changed: Structure needs "
					    "cleaning") },
	};
	static const struct run_case bad_config[] = {
		{ { "reload" }, 1, "",
		  LINE("configuration refused, nothing changed: x.conf:3: \\x1b bad '\\xff'") },
	};
	struct service s;

	(void)state;
	service_there(&s);
	s.fake.capable = 0;
	check_runs(&s, denied, ARRAY_SIZE(denied));
	s.fake.capable = 1;
	s.fake.detach_err = -EACCES;
	s.fake.policy.scope[PSC_MODE_ATTACH] = s.fake.policy.floor[PSC_MODE_ATTACH] = 2;
	check_runs(&s, locked, ARRAY_SIZE(locked));
	s.fake.reload_err = -EINVAL;
	s.fake.reload_message = "x.conf:3: \033 bad '\\xff'";
	check_runs(&s, bad_config, ARRAY_SIZE(bad_config));
	s.fake.reload_err = -EUCLEAN;
	s.fake.reload_message = NULL;
	check_runs(&s, tampered, ARRAY_SIZE(tampered));
	service_stop(&s);
}

static void test_unreachable(void **state)
{
	const char *arguments[] = { "get", NULL };
	struct result result;
	struct psc_answer answer;
	int fd = listen_there();

	(void)state;
	/* It is there, and never answers. */
	assert_int_equal(psc_client_call(socket_path, "io.ptracescope.List", json_object(), 20,
					 &answer), -ETIMEDOUT);
	close(fd);	/* its name stays, as after kill -9 */
	run_against(NULL, arguments, &result);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, socket_path));
	assert_non_null(strstr(result.err, ": Connection refused; "));
	assert_non_null(strstr(result.err, "systemctl restart ptracescoped"));
	assert_string_equal(result.out, "");

	/* Something else in its place. */
	unlink(socket_path);
	assert_return_code(mkdir(socket_path, 0700), errno);
	run_against(NULL, arguments, &result);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, ": is no socket"));
	rmdir(socket_path);

	run_against(NULL, arguments, &result);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, "No such file or directory; "));
	assert_non_null(strstr(result.err, "systemctl restart ptracescoped"));
}

/* A daemon that answers something else, or nothing. */
static void test_strange_answers(void **state)
{
	static const struct {
		const char *answer;
		size_t len;
		int code;
		const char *err;
		const char *command;	/* "get" */
	} cases[] = {
#define ANSWER(text) text, sizeof(text)
		{ "", 0, 4, "hung up without an answer" },
		{ "{\"para", 6, 4, "hung up without an answer" },
		{ ANSWER(""), 1, "no Varlink reply" },
		{ ANSWER("x"), 1, "no Varlink reply" },
		{ ANSWER("[]"), 1, "no Varlink reply" },
		{ ANSWER("{\"parameters\":3}"), 1, "no Varlink reply" },
		{ ANSWER("{\"error\":3}"), 1, "no Varlink reply" },
		{ ANSWER("{}"), 1, "answer to io.ptracescope.Get is not understood" },
		{ ANSWER("{\"parameters\":{\"value\":\"1\"}}"), 1, "is not understood" },
		{ ANSWER("{\"parameters\":{\"value\":1.0}}"), 1, "is not understood" },
		{ ANSWER(REPLY("\"value\":77")), 1, "answer to io.ptracescope.Get is not" },
		{ ANSWER(REPLY("\"value\":-5")), 1, "is not understood" },
		{ ANSWER(REPLY("")), 1, "answer to io.ptracescope.Status is not", "status" },
		{ ANSWER(REPLY("\"enforcing\":true")), 1, "is not understood", "status" },
#define PAIR "{\"scope\":1,\"floor\":0}"
#define MODES(attach) "{\"attach\":" attach ",\"traceme\":" PAIR ",\"read\":" PAIR ",\"boundary\":" PAIR "}"
#define LIE(field) REPLY("\"enforcing\":true,\"policy\":" MODES(PAIR) "," field)
		/* of which the low bits are a scope */
		{ ANSWER(REPLY("\"enforcing\":true,\"policy\":" MODES("{\"scope\":4294967297,"
		  "\"floor\":0}"))), 1, "is not understood", "status" },
		{ ANSWER(REPLY("\"enforcing\":true,\"policy\":" MODES("{\"scope\":1,\"floor\":-1}"))),
		  1, "is not understood", "status" },
		{ ANSWER(REPLY("\"enforcing\":1,\"policy\":" MODES(PAIR))), 1, "is not understood",
		  "status" },
		{ ANSWER(LIE("\"pid\":-1")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"refused\":\"x\"")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"version\":[]")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"yama\":9")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"anchor\":\"x\"")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"proofs\":{\"read\":1}")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"stuck\":3")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"daemon\":\"not running\"")), 1, "is not understood", "status" },
		{ ANSWER(LIE("\"cgroup_floors\":[]")), 1, "is not understood", "status" },
		{ ANSWER(REPLY("\"values\":[{\"name\":\"" PSC_NAME_YAMA "\",\"value\":4}]")), 1,
		  "is not understood", "list" },
		{ ANSWER(REPLY("\"values\":{}")), 1, "is not understood", "list" },
		{ ANSWER(REPLY("\"cgroups\":[{\"path\":\"a\",\"effective\":{}}],\"entries\":1")), 1,
		  "is not understood", "cgroups" },
		{ ANSWER(REPLY("\"before\":{},\"policy\":{}")), 1, "is not understood", "lock" },
		{ ANSWER(REPLY("")), 1, "is not understood", "lock" },
		{ ANSWER(OUR_ERROR("UnknownName", "\"name\":\"x\\u001b\"")), 2,
		  "does not know the name 'x\\x1b'" },
		{ ANSWER(OUR_ERROR("OutOfRange", "\"name\":\"x\"")), 2, "does not accept this value" },
		{ ANSWER(STD_ERROR("PermissionDenied", "")), 3, "CAP_SYS_PTRACE" },
		{ ANSWER(OUR_ERROR("Locked", "")), 3, "?: locked at 0" },
		{ ANSWER(OUR_ERROR("Failed", "\"message\":\"no \\u009b luck\"")), 1,
		  "the daemon failed: no \\xc2\\x9b luck" },
		{ ANSWER(OUR_ERROR("Failed", "\"errno\":1,\"message\":\"x\"")), 1,
		  "the daemon failed: x; the daemon lacks a capability; start it by its unit" },
		{ ANSWER(OUR_ERROR("Failed", "\"errno\":125,\"message\":\"x\"")), 1,
		  "the daemon failed: x; another process changed the policy at the same time" },
		{ ANSWER(OUR_ERROR("Failed", "\"errno\":16,\"message\":\"x\"")), 1,
		  "journalctl -u ptracescoped names what conflicts" },
		{ ANSWER("{\"error\":\"a.b\\u001b.C\"}"), 1, "the error a.b\\x1b.C;" },
	};
	const char *arguments[] = { "--socket", socket_path, NULL, NULL, NULL };
	int listen_fd = listen_there();

	(void)state;
	assert_return_code(fcntl(listen_fd, F_SETFL, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC), pipe_fd, fd;
		char text[4096], c;
		pid_t pid;

		arguments[2] = cases[i].command ? cases[i].command : "get";
		arguments[3] = NULL;
		if (streq(arguments[2], "cgroups")) {
			arguments[2] = "cgroup";
			arguments[3] = "list";
		}
		pid = run_child(arguments, null, out, err, &pipe_fd);
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		assert_return_code(fd, errno);
		do
			assert_int_equal(read(fd, &c, 1), 1);
		while (c);
		assert_int_equal(send(fd, cases[i].answer, cases[i].len, MSG_NOSIGNAL),
				 cases[i].len);
		close(fd);
		assert_int_equal(exit_code(pid), cases[i].code);
		read_back(out, text);
		assert_string_equal(text, "");
		read_back(err, text);
		if (!strstr(text, cases[i].err))
			fail_msg("expected '%s' in '%s'", cases[i].err, text);
		assert_memory_equal(text, "ptracescopectl: ", 16);
		close(null);
		close(pipe_fd);
	}
	close(listen_fd);
}

/* All that was written to it. It comes in pieces, and ends when nobody has the other side. */
static void read_terminal(int master, char text[4096])
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(master, text + len, 4095 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
}

/* On a terminal, what is final is asked for first. */
static void test_confirmation(void **state)
{
	static const struct {
		const char *arguments[3];
		const char *typed;
		bool asked;
		bool done;
		bool null_stdin;
		__u8 scope;		/* before, for attaching */
		const char *question;	/* a part of it */
	} cases[] = {
		{ { "set", "3" }, "y\n", true, true,
		  .question = "kernel.yama.ptrace_scope is then locked at 3 (no-attach) until" },
		{ { "set", "3" }, "YES\n", true, true },
		{ { "set", "3" }, "\n", true, false },
		{ { "set", "3" }, "n\n", true, false },
		{ { "set", "3" }, "yesterday\n", true, false },
		{ { "set", "3" }, "\004", true, false },	/* end of file */
		{ { "set", "kernel.ptracescope.read_scope=3" }, "n\n", true, false },
		{ { "set", "kernel.ptracescope.floor=1" }, "n\n", true, false },
		{ { "lock", "1" }, "y\n", true, true,
		  .question = "kernel.ptracescope.floor is then locked at 1 (restricted) until" },
		{ { "lock", "1" }, "n\n", true, false },
		{ { "lock" }, "y\n", true, true, .scope = 2,
		  .question = "everything that is in force now is then locked until" },
		{ { "lock" }, "n\n", true, false, .scope = 2 },
		{ { "lock", "--yes" }, "n\n", false, true, .scope = 2 },
		{ { "set", "3", "--revocable" }, "n\n", false, true },
		{ { "set", "2" }, "", false, true },
		{ { "set", "kernel.ptracescope.floor=0" }, "", false, true },
		{ { "set", "3" }, "", false, true, .null_stdin = true },
		{ { "set", "3", "--yes" }, "", false, true },
		{ { "-y", "set", "3" }, "", false, true },
	};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct service s;

	(void)state;
	service_there(&s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *arguments[] = { "--socket", socket_path, cases[i].arguments[0],
					    cases[i].arguments[1], cases[i].arguments[2], NULL };
		int out = memfd_create("out", MFD_CLOEXEC), master, slave, pipe_fd;
		char text[4096];
		__u64 before;
		pid_t pid;

		s.fake.policy = (union psc_policy){ .scope[PSC_MODE_ATTACH] = cases[i].scope };
		before = s.fake.policy.word;
		assert_return_code(openpty(&master, &slave, NULL, NULL, NULL), errno);
		assert_int_equal(write(master, cases[i].typed, strlen(cases[i].typed)),
				 strlen(cases[i].typed));
		pid = run_child(arguments, cases[i].null_stdin ? null : slave, out, slave,
				&pipe_fd);
		serve_until_ended(&s, pipe_fd);
		assert_int_equal(exit_code(pid), cases[i].done ? 0 : 1);
		close(slave);
		read_terminal(master, text);
		assert_int_equal(strstr(text, "[y/N]") != NULL, cases[i].asked);
		if (cases[i].question)
			assert_non_null(strstr(text, cases[i].question));
		assert_int_equal(strstr(text, "not confirmed, nothing changed") != NULL,
				 !cases[i].done);
		read_back(out, text);
		assert_int_equal(strstr(text, " = ") || strstr(text, "locked until reboot: "),
				 cases[i].done);
		if (!cases[i].done)
			assert_int_equal(s.fake.policy.word, before);
		close(master);
	}
	close(null);
	service_stop(&s);
}

static char *shown(const char *status, bool colour)
{
	json_t *json = json_loads(status, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(json);
	assert_non_null(out);
	psc_show_status(out, json, colour);
	fclose(out);
	json_decref(json);
	return text;
}

/* Has the manual an entry for what a line of the status begins with? */
static bool is_explained(const char *manual, const char *label, size_t len)
{
	const char *entry = strstr(manual, "\n.Ss Output of status\n");

	assert_non_null(entry);
	while ((entry = strstr(entry + 1, "\n.It Li "))) {
		const char *end = strchr(entry + 1, '\n');

		for (const char *at = entry + 8; at + len <= end; at++)
			if (memcmp(at, label, len) == 0 && at[-1] == ' ' &&
			    (at[len] == '\n' || at[len] == ' '))
				return true;
	}
	return false;
}

static void test_legend(void **state)
{
	_cleanup_free_ char *manual = NULL, *text = shown("{\"enforcing\": true, \"proof\": \"ok\", "
		"\"proofs\": {\"traceme\": \"ok\", \"read\": \"ok\", \"declarations\": \"ok\"}, "
		"\"vouched\": false, \"anchor\": \"set\", \"yama\": 1, \"lockdown\": \"none\", "
		"\"refused\": 1, \"unlogged\": 1, \"stuck\": {\"readers\": 1}, \"missed\": 1, "
		"\"spared\": 1, \"shed\": 1, \"build\": \"1\", \"kept\": \"x\", "
		"\"cgroup_floors\": [{\"path\": \"a\", \"floor\": {\"attach\": 1}}]}", false);
	size_t n = 0;

	(void)state;
	assert_int_equal(psc_read_file("docs/ptracescopectl.8", 1 << 20, &manual, NULL), 0);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		const char *label = line + strspn(line, " ");
		size_t len = strcspn(label, ":");

		if (!len)	/* the line goes on with what is above it */
			continue;
		n++;
		if (!is_explained(manual, label, len))
			fail_msg("the manual does not explain '%.*s'", (int)len, label);
	}
	assert_true(n >= 17);
	assert_false(is_explained(manual, "stat", 4));
}

#define STATUS(enforcing, yama, configuration) \
	"{\"enforcing\":" enforcing ",\"abi\":1,\"build\":\"00ff\",\"adopted\":true,\"policy\":{" \
	"\"attach\":{\"scope\":2,\"floor\":1},\"traceme\":{\"scope\":1,\"floor\":0}," \
	"\"read\":{\"scope\":0,\"floor\":0},\"boundary\":{\"scope\":1,\"floor\":0}}" \
	yama ",\"refused\":12,\"suppressed\":3," \
	"\"dropped\":0,\"proof\":\"ok\"," \
	"\"configuration\":\"" configuration "\",\"version\":\"9.9\",\"pid\":77}"

static void test_show_status(void **state)
{
	static const struct { const char *status; bool colour; const char *line; } cases[] = {
		{ STATUS("true", "", "ok"), false,
		  "         state: enforcing\n"
		  "         proof: ok\n"
		  "        attach: 2 (admin-only), until reboot not below 1 (restricted)\n"
		  "       traceme: 1 (restricted)\n"
		  "          read: 0 (classic)\n"
		  "      boundary: 1 (on)\n"
		  "          yama: not in this kernel\n"
		  "      refusals: 12; not reported one by one: 3, lost reports: 0\n"
		  " configuration: ok\n"
		  "        daemon: ptracescoped 9.9, pid 77\n"
		  "      programs: build 00ff, ABI 1, in force since before the daemon started\n" },
		{ STATUS("true", ",\"yama\":3", "ok"), false,
		  "yama: 3 (no-attach); both judge, Yama more strictly\n" },
		{ STATUS("true", ",\"yama\":2", "ok"), false,
		  "yama: 2 (admin-only); both judge, equally strictly\n" },
		{ STATUS("true", ",\"yama\":0", "ok"), false,
		  "yama: 0 (classic); both judge, ptracescoped more strictly\n" },
		{ STATUS("false", "", "ok"), false, "state: NOT enforcing" },
		{ STATUS("false", "", "x:3: \\u001b[2J\\n"), false,
		  "configuration: refused: x:3: \\x1b[2J\\x0a\n" },
		/* escaped by the daemon, and not once more */
		{ STATUS("false", "", "x:3: '\\\\xff'"), false, "configuration: refused: x:3: '\\xff'\n" },
		{ STATUS("true", "", "applied, except for x"), false, "configuration: applied, except for x\n" },
		{ STATUS("true", "", "ok"), true, "state: \033[1;32menforcing\033[0m\n" },
		{ "{}", false, "attach: ?" },
		{ "{\"policy\":3,\"refused\":\"x\",\"version\":[]}", false, "refusals: ?;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = shown(cases[i].status, cases[i].colour);

		if (!strstr(text, cases[i].line))
			fail_msg("expected:\n%s\nin:\n%s", cases[i].line, text);
		if (!cases[i].colour)
			assert_null(strchr(text, '\033'));
	}
}

static void test_show_list(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"values\":{}}", "{\"values\":[3]}", "{\"values\":[{}]}",
		"{\"values\":[{\"name\":\"x\"}]}",
		"{\"values\":[{\"name\":\"x\",\"value\":\"1\"}]}",
		"{\"values\":[{\"name\":1,\"value\":1}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *json = json_loads(bad[i], 0, NULL);
		FILE *out = fopen("/dev/null", "w");

		assert_int_equal(psc_show_list(out, json), -EBADMSG);
		fclose(out);
		json_decref(json);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_parse),
		TEST(test_socket_length),
		TEST(test_final),
		TEST(test_runs),
		TEST(test_lock_runs),
		TEST(test_lock_names_runs),
		TEST(test_json_errors),
		TEST(test_overview),
		TEST(test_legend),
		TEST(test_refused_runs),
		TEST(test_unreachable),
		TEST(test_strange_answers),
		TEST(test_confirmation),
		TEST(test_show_status),
		TEST(test_show_list),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("ctl", tests, make_directory, remove_directory);
}
