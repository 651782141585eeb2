/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function for each command that is not of cgroups, and the table of them all. */
#include "command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "answer.h"
#include "call.h"
#include "complete.h"
#include "escape.h"
#include "floors.h"
#include "help.h"
#include "keep.h"
#include "log.h"
#include "oci.h"
#include "offline.h"
#include "prereq.h"
#include "show.h"
#include "util.h"

/* Of a value, that it is one. */
static bool is_value(const struct psc_name *name, const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= (json_int_t)name->max;
}

/* For replies that carry nothing. */
static enum psc_cli_exit call_only(const struct psc_cli *cli, const char *method)
{
	json_t *reply = NULL;
	enum psc_cli_exit code = psc_call(cli, method, json_object(), &reply);

	json_decref(reply);
	return code;
}

/* For replies with a value of cli->name. */
static enum psc_cli_exit call_value(const struct psc_cli *cli, const char *method,
				    json_t *parameters)
{
	json_t *reply = NULL, *value;
	enum psc_cli_exit code = psc_call(cli, method, parameters, &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	value = json_object_get(reply, "value");
	if (!is_value(cli->name, value))
		code = psc_unexpected(method);
	else if (cli->json)
		code = psc_print_json(json_pack("{s:s, s:O}", "name", cli->name->name,
						"value", value));
	else if (cli->command == PSC_CLI_GET)	/* bare, as sysctl -n prints it */
		printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
	else					/* as sysctl -w prints it */
		printf("%s = %" JSON_INTEGER_FORMAT "\n", cli->name->name,
		       json_integer_value(value));
	json_decref(reply);
	return code;
}

static enum psc_cli_exit run_get(const struct psc_cli *cli)
{
	return call_value(cli, PSC_METHOD("Get"), json_pack("{s:s}", "name", cli->name->name));
}

static enum psc_cli_exit run_set(const struct psc_cli *cli)
{
	_cleanup_persist_ struct psc_persist persist = PSC_PERSIST_NONE;
	enum psc_cli_exit code;

	if (psc_cli_final(cli->name, cli->value, cli->revocable) &&
	    !psc_confirmed(cli, cli->name->name, cli->value))
		return psc_fail(PSC_EXIT_FAILED, "not confirmed, nothing changed");
	code = psc_keep_setting(cli, &persist);
	if (code != PSC_EXIT_DONE)
		return code;
	/* Sent only where needed: an older daemon does not know it. */
	code = call_value(cli, PSC_METHOD("Set"),
			  json_pack("{s:s, s:i, s:o*}", "name", cli->name->name,
				    "value", (int)cli->value,
				    "revocable", cli->revocable ? json_true() : NULL));
	return psc_keep_end(cli, &persist, code);
}

/* The names given to "lock"; NULL for none. An older daemon does not know the parameter. */
static json_t *names_json(const struct psc_cli *cli)
{
	json_t *names = cli->names ? json_array() : NULL;

	for (size_t i = 0; i < PSC_NAMES; i++)
		if (cli->names >> i & 1)
			json_array_append_new(names, json_string(psc_names[i].name));
	return names;
}

/* What "lock" locks, for a question. An allocation. */
static char *locked_text(const struct psc_cli *cli)
{
	char *text = NULL;
	size_t len;
	FILE *out;
	bool any = false;

	if (!cli->names)
		return strdup(cli->present ? "everything that is in force now" : cli->name->name);
	out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	for (size_t i = 0; i < PSC_NAMES; i++) {
		if (!(cli->names >> i & 1))
			continue;
		fprintf(out, "%s%s", any ? ", " : "", psc_names[i].name);
		any = true;
	}
	return fclose(out) ? NULL : text;
}

static enum psc_cli_exit run_lock(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("Lock");
	_cleanup_persist_ struct psc_persist persist = PSC_PERSIST_NONE;
	_cleanup_free_ char *what = locked_text(cli);
	unsigned int kept = cli->value;
	json_t *reply = NULL;
	enum psc_cli_exit code;

	if (!what)
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	if ((cli->present || cli->value) && !psc_confirmed(cli, what, cli->value))
		return psc_fail(PSC_EXIT_FAILED, "not confirmed, nothing changed");
	code = psc_keep_lock(cli, &persist, &kept);
	if (code != PSC_EXIT_DONE)
		return code;
	code = psc_call(cli, method,
			json_pack("{s:o*, s:o*}", "level", cli->present ? NULL :
				  json_integer(cli->value), "names", names_json(cli)), &reply);
	if (code != PSC_EXIT_DONE)
		return code;
	if (!psc_is_policy(json_object_get(reply, "before")) ||
	    !psc_is_policy(json_object_get(reply, "policy")))
		code = psc_unexpected(method);
	else if (cli->json)
		code = psc_print_json(json_incref(json_object_get(reply, "policy")));
	else
		psc_show_lock(stdout, json_object_get(reply, "before"),
			      json_object_get(reply, "policy"));
	if (code == PSC_EXIT_DONE)
		code = psc_keep_lock_end(cli, &persist, kept, json_object_get(reply, "policy"));
	json_decref(reply);
	return code;
}

static enum psc_cli_exit run_list(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("List");
	json_t *reply = NULL;
	enum psc_cli_exit code = psc_call(cli, method, json_object(), &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	if (!psc_is_list(json_object_get(reply, "values")))
		code = psc_unexpected(method);
	else if (cli->json)
		code = psc_print_json(json_incref(json_object_get(reply, "values")));
	else if (psc_show_list(stdout, reply))
		code = psc_unexpected(method);
	json_decref(reply);
	return code;
}

/* Takes over @status. What is no status is not shown as one. */
static enum psc_cli_exit show_status(const struct psc_cli *cli, json_t *status)
{
	enum psc_cli_exit code = json_is_true(json_object_get(status, "enforcing")) ?
		PSC_EXIT_DONE : PSC_EXIT_FAILED;

	if (cli->json) {
		enum psc_cli_exit printed = psc_print_json(status);

		return code == PSC_EXIT_DONE ? printed : code;
	}
	psc_show_status(stdout, status, psc_want_colour());
	json_decref(status);
	return code;
}

/* Without a reply, so that none of a daemon's is taken for one of these. */
static enum psc_cli_exit show_offline(const struct psc_cli *cli, int err, json_t **ret)
{
	json_t *status = NULL;
	enum psc_cli_exit code = psc_offline_status(cli, err, &status);

	*ret = NULL;
	return code == PSC_EXIT_DONE ? show_status(cli, status) : code;
}

static enum psc_cli_exit run_status(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("Status");
	json_t *reply = NULL;
	enum psc_cli_exit code = psc_call_or(cli, method, json_object(), show_offline, &reply);

	if (code != PSC_EXIT_DONE || !reply)
		return code;
	/* Two members are ours to add. */
	if (psc_is_status(reply) && !json_object_get(reply, "daemon") &&
	    !json_object_get(reply, "cgroup_floors")) {
		/* The reply has this where there has been a floor, global or of a cgroup. */
		if (json_object_get(reply, "anchor"))
			json_object_set_new(reply, "cgroup_floors", psc_floors_ask(cli));
		return show_status(cli, reply);
	}
	json_decref(reply);
	return psc_unexpected(method);
}

static enum psc_cli_exit detach_offline(const struct psc_cli *cli, int err, json_t **ret)
{
	bool any;
	enum psc_cli_exit code = psc_offline_detach(cli, err, &any);

	*ret = NULL;
	if (code == PSC_EXIT_DONE && !cli->json)
		puts(any ? "detached: no daemon was running, and its programs no longer restrict "
		     "ptrace; an enabled unit starts it again at the next boot: systemctl disable "
		     "ptracescoped" :
		     "nothing to detach: ptracescoped is not running, and none of its programs is "
		     "in force");
	return code;
}

static enum psc_cli_exit run_detach(const struct psc_cli *cli)
{
	json_t *reply = NULL;
	enum psc_cli_exit code = psc_call_or(cli, PSC_METHOD("Detach"), json_object(),
					     detach_offline, &reply);

	if (code == PSC_EXIT_DONE && reply && !cli->json)
		puts("detached: ptracescoped no longer restricts ptrace, and is ending; an enabled "
		     "unit starts it again at the next boot: systemctl disable ptracescoped");
	json_decref(reply);
	return code;
}

static enum psc_cli_exit run_reload(const struct psc_cli *cli)
{
	return call_only(cli, PSC_METHOD("Reload"));
}

/* A row's text may come from files: where it is no UTF-8 it is escaped. */
static json_t *prereq_text(const char *text)
{
	_cleanup_free_ char *escaped = NULL;
	json_t *string;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	escaped = psc_escape(text, strlen(text), 4096);
	return escaped ? json_string(escaped) : json_null();
}

static json_t *prereqs_json(const struct psc_prereqs *prereqs)
{
	static const char *const states[] = {
		[PSC_PREREQ_OK] = "ok",
		[PSC_PREREQ_MISSING] = "missing",
		[PSC_PREREQ_UNKNOWN] = "unknown",
		[PSC_PREREQ_INFO] = "info",
	};
	json_t *rows = json_array();

	for (size_t i = 0; i < prereqs->n; i++) {
		const struct psc_prereq *row = &prereqs->rows[i];

		if (json_array_append_new(rows, json_pack("{s:s, s:s, s:o, s:o}", "what", row->what,
							  "state", states[row->state],
							  "found", prereq_text(row->found),
							  "remedy", prereq_text(row->remedy)))) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

static enum psc_cli_exit run_doctor(const struct psc_cli *cli)
{
	struct psc_prereqs prereqs = {};
	enum psc_cli_exit code = PSC_EXIT_DONE;
	int missing = psc_prereq_check("", &prereqs);

	if (missing < 0)
		return psc_fail(PSC_EXIT_FAILED, "checking failed: %s", strerror(-missing));
	if (cli->json)
		code = psc_print_json(prereqs_json(&prereqs));
	else
		psc_prereq_print(&prereqs, stdout, psc_want_colour());
	psc_prereq_free(&prereqs);
	return missing ? PSC_EXIT_FAILED : code;
}

/* Nothing to offer is no error. */
static enum psc_cli_exit run_complete(const struct psc_cli *cli)
{
	struct psc_cgroups cgroups;

	psc_cgroups_open(&cgroups);
	psc_complete(&(struct psc_completion){ &cgroups, "/proc", stdout }, cli->n_words,
		     cli->words);
	psc_cgroups_close(&cgroups);
	return PSC_EXIT_DONE;
}

static enum psc_cli_exit run_help(const struct psc_cli *cli)
{
	psc_help_print(stdout, cli);
	return PSC_EXIT_DONE;
}

static enum psc_cli_exit run_overview(const struct psc_cli *cli)
{
	psc_help_overview(stdout);
	fflush(stdout);		/* before messages about the status */
	return run_status(cli);
}

static enum psc_cli_exit run_version(const struct psc_cli *cli)
{
	(void)cli;
	puts("ptracescopectl " PSC_VERSION);
	return PSC_EXIT_DONE;
}

enum psc_cli_exit psc_command_run(const struct psc_cli *cli)
{
	static enum psc_cli_exit (*const run[])(const struct psc_cli *cli) = {
		[PSC_CLI_GET] = run_get,
		[PSC_CLI_SET] = run_set,
		[PSC_CLI_LOCK] = run_lock,
		[PSC_CLI_UNSET] = psc_command_unset,
		[PSC_CLI_LIST] = run_list,
		[PSC_CLI_STATUS] = run_status,
		[PSC_CLI_DETACH] = run_detach,
		[PSC_CLI_RELOAD] = run_reload,
		[PSC_CLI_DOCTOR] = run_doctor,
		[PSC_CLI_EXPLAIN] = psc_command_explain,
		[PSC_CLI_LOG] = psc_command_log,
		[PSC_CLI_METRICS] = psc_command_metrics,
		[PSC_CLI_WATCH] = psc_command_watch,
		[PSC_CLI_ASSERT] = psc_command_assert,
		[PSC_CLI_CGROUP_LIST] = psc_command_cgroup_list,
		[PSC_CLI_CGROUP_GET] = psc_command_cgroup_get,
		[PSC_CLI_CGROUP_SET] = psc_command_cgroup_set,
		[PSC_CLI_CGROUP_UNSET] = psc_command_cgroup_unset,
		[PSC_CLI_CGROUP_LOCK] = psc_command_cgroup_lock,
		[PSC_CLI_CGROUP_RELEASE] = psc_command_cgroup_release,
		[PSC_CLI_OCI_HOOK] = psc_oci_hook,
		[PSC_CLI_COMPLETE] = run_complete,
		[PSC_CLI_OVERVIEW] = run_overview,
		[PSC_CLI_HELP] = run_help,
		[PSC_CLI_VERSION] = run_version,
	};
	enum psc_cli_exit code;

	if (cli->json)
		psc_fail_in_json();
	code = run[cli->command](cli);
	return psc_command_end(code);
}

static sighandler_t sigpipe = SIG_DFL;	/* as this process was started */

void psc_command_begin(void)
{
	/* More than nearly all that is printed: the one write then tells why it failed. */
	static char room[64 * 1024];

	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, room, _IOFBF, sizeof(room));
	sigpipe = signal(SIGPIPE, SIG_IGN);
}

/* Has the reader of standard output closed it? */
static bool is_unread(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

enum psc_cli_exit psc_command_end(enum psc_cli_exit code)
{
	const bool unflushed = fflush(stdout) != 0;
	const int err = errno;

	if (!unflushed && !ferror(stdout))
		return code;
	if (is_unread()) {
		signal(SIGPIPE, sigpipe);
		raise(SIGPIPE);
	}
	if (unflushed)
		psc_log(LOG_ERR, "standard output: %s", strerror(err));
	else
		psc_log(LOG_ERR, "standard output: not everything could be written");
	return code == PSC_EXIT_DONE ? PSC_EXIT_FAILED : code;
}
