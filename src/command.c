/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <errno.h>
#include <stdarg.h>

#include "client.h"
#include "escape.h"
#include "interface.h"
#include "log.h"
#include "prereq.h"
#include "show.h"
#include "util.h"

#define QUALIFIED(name) PSC_INTERFACE "." name

__attribute__((format(printf, 2, 3)))
static enum psc_cli_exit fail(enum psc_cli_exit code, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	psc_log(LOG_ERR, "%s", message ? message : "out of memory");
	return code;
}

static bool want_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && !streq(term, "dumb");
}

/* Takes over @json. */
static enum psc_cli_exit print_json(json_t *json)
{
	int err = json ? json_dumpf(json, stdout, JSON_ENSURE_ASCII | JSON_ENCODE_ANY) : -1;

	json_decref(json);
	fputc('\n', stdout);
	/* A write error shows when stdout is flushed. */
	return err && !ferror(stdout) ? fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM)) :
					PSC_EXIT_DONE;
}

/* No answer at all. */
static enum psc_cli_exit no_answer(const struct psc_cli *cli, int err)
{
	_cleanup_free_ char *path = psc_escape(cli->socket, strlen(cli->socket), 256);
	const char *shown = path ? path : "?";

	switch (err) {
	case -ENOMEM:
		return fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	case -EBADMSG:
		return fail(PSC_EXIT_FAILED, "%s: the answer is no Varlink reply", shown);
	case -ECONNRESET:
		return fail(PSC_EXIT_UNREACHABLE, "%s: the daemon hung up without an answer; too "
			    "many connections, or it ended", shown);
	case -ETIMEDOUT:
		return fail(PSC_EXIT_UNREACHABLE, "%s: no answer from the daemon within %d seconds",
			    shown, PSC_CLIENT_TIMEOUT_MS / 1000);
	case -ENOENT:
	case -ECONNREFUSED:
		return fail(PSC_EXIT_UNREACHABLE, "%s: %s; ptracescoped is not running, start it: "
			    "systemctl start ptracescoped", shown, strerror(-err));
	default:
		return fail(PSC_EXIT_UNREACHABLE, "%s: %s", shown, strerror(-err));
	}
}

static char *error_text(const json_t *parameters, const char *key)
{
	const json_t *text = json_object_get(parameters, key);

	return json_is_string(text) ?
		psc_escape(json_string_value(text), json_string_length(text), 1024) : strdup("?");
}

static enum psc_cli_exit locked(const json_t *parameters)
{
	_cleanup_free_ char *name = error_text(parameters, "name");
	json_int_t floor = json_integer_value(json_object_get(parameters, "floor"));
	const char *word = floor >= 0 && floor <= PSC_SCOPE_MAX ?
		psc_scope_word((unsigned int)floor) : NULL;

	return fail(PSC_EXIT_REFUSED, "%s: locked at %" JSON_INTEGER_FORMAT " (%s) until reboot",
		    name ? name : "?", floor, word ? word : "?");
}

/* An error reply. */
static enum psc_cli_exit refused(const struct psc_answer *answer)
{
	_cleanup_free_ char *name = error_text(answer->parameters, "name");
	_cleanup_free_ char *message = error_text(answer->parameters, "message");
	_cleanup_free_ char *error = psc_escape(answer->error, strlen(answer->error), 256);

	if (!name || !message || !error)
		return fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	if (streq(answer->error, QUALIFIED("PermissionDenied")) ||
	    streq(answer->error, "org.varlink.service.PermissionDenied"))
		return fail(PSC_EXIT_REFUSED, "permission denied: CAP_SYS_PTRACE in the initial "
			    "user namespace is needed (try sudo)");
	if (streq(answer->error, QUALIFIED("Locked")))
		return locked(answer->parameters);
	if (streq(answer->error, QUALIFIED("UnknownName")))
		return fail(PSC_EXIT_USAGE, "the daemon does not know the name '%s'", name);
	if (streq(answer->error, QUALIFIED("OutOfRange")))
		return fail(PSC_EXIT_USAGE, "%s: the daemon says that the value is no scope",
			    name);
	if (streq(answer->error, QUALIFIED("ConfigurationError")))
		return fail(PSC_EXIT_FAILED, "configuration refused, nothing changed: %s", message);
	if (streq(answer->error, QUALIFIED("Failed")))
		return fail(PSC_EXIT_FAILED, "the daemon failed: %s", message);
	return fail(PSC_EXIT_FAILED, "the daemon answered with the error %s; are the daemon and "
		    "ptracescopectl of one version?", error);
}

/* Call, and print what went wrong. @ret is only set on PSC_EXIT_DONE, to be freed then. */
static enum psc_cli_exit call(const struct psc_cli *cli, const char *method, json_t *parameters,
			      json_t **ret)
{
	struct psc_answer answer;
	enum psc_cli_exit code = PSC_EXIT_DONE;
	int err = psc_client_call(cli->socket, method, parameters, PSC_CLIENT_TIMEOUT_MS, &answer);

	if (err)
		return no_answer(cli, err);
	if (answer.error)
		code = refused(&answer);
	else
		*ret = json_incref(answer.parameters);
	psc_answer_free(&answer);
	return code;
}

static enum psc_cli_exit unexpected(const char *method)
{
	return fail(PSC_EXIT_FAILED, "the daemon's answer to %s is not understood; are the daemon "
		    "and ptracescopectl of one version?", method);
}

/* For replies that carry nothing. */
static enum psc_cli_exit call_only(const struct psc_cli *cli, const char *method)
{
	json_t *reply = NULL;
	enum psc_cli_exit code = call(cli, method, json_object(), &reply);

	json_decref(reply);
	return code;
}

/* For replies with a value of cli->name. */
static enum psc_cli_exit call_value(const struct psc_cli *cli, const char *method,
				    json_t *parameters)
{
	json_t *reply = NULL, *value;
	enum psc_cli_exit code = call(cli, method, parameters, &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	value = json_object_get(reply, "value");
	if (!json_is_integer(value))
		code = unexpected(method);
	else if (cli->json)
		code = print_json(json_pack("{s:s, s:O}", "name", cli->name->name,
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
	return call_value(cli, QUALIFIED("Get"), json_pack("{s:s}", "name", cli->name->name));
}

/* Ask before what lasts until the next boot, where there is somebody to ask. */
static bool confirmed(const struct psc_cli *cli)
{
	char line[16] = "", *answer;

	if (cli->yes || !psc_cli_final(cli->name, cli->value, cli->revocable) ||
	    !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	fprintf(stderr, "%s is then locked at %u (%s) until reboot: it cannot be set lower. "
		"Do it? [y/N] ", cli->name->name, cli->value, psc_scope_word(cli->value));
	if (!fgets(line, sizeof(line), stdin)) {
		fputc('\n', stderr);
		return false;
	}
	answer = psc_strip(line);
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static enum psc_cli_exit run_set(const struct psc_cli *cli)
{
	if (!confirmed(cli))
		return fail(PSC_EXIT_FAILED, "not confirmed, nothing changed");
	/* Sent only where needed: an older daemon does not know it. */
	return call_value(cli, QUALIFIED("Set"),
			  json_pack("{s:s, s:i, s:o*}", "name", cli->name->name,
				    "value", (int)cli->value,
				    "revocable", cli->revocable ? json_true() : NULL));
}

/* The scope that lock without a level is about. */
static enum psc_cli_exit present_scope(const struct psc_cli *cli, unsigned int *ret)
{
	json_t *reply = NULL, *value;
	enum psc_cli_exit code = call(cli, QUALIFIED("Get"),
				      json_pack("{s:s}", "name", PSC_NAME_YAMA), &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	value = json_object_get(reply, "value");
	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= PSC_SCOPE_MAX)
		*ret = (unsigned int)json_integer_value(value);
	else
		code = unexpected(QUALIFIED("Get"));
	json_decref(reply);
	return code;
}

static enum psc_cli_exit run_lock(const struct psc_cli *cli)
{
	struct psc_cli lock = *cli;
	enum psc_cli_exit code = cli->present ? present_scope(cli, &lock.value) : PSC_EXIT_DONE;

	return code == PSC_EXIT_DONE ? run_set(&lock) : code;
}

static enum psc_cli_exit run_list(const struct psc_cli *cli)
{
	json_t *reply = NULL;
	enum psc_cli_exit code = call(cli, QUALIFIED("List"), json_object(), &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	if (!json_is_array(json_object_get(reply, "values")))
		code = unexpected("List");
	else if (cli->json)
		code = print_json(json_incref(json_object_get(reply, "values")));
	else if (psc_show_list(stdout, reply))
		code = unexpected("List");
	json_decref(reply);
	return code;
}

static enum psc_cli_exit run_status(const struct psc_cli *cli)
{
	json_t *reply = NULL;
	enum psc_cli_exit code = call(cli, QUALIFIED("Status"), json_object(), &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	if (cli->json)
		return print_json(reply);
	psc_show_status(stdout, reply, want_colour());
	json_decref(reply);
	return code;
}

static enum psc_cli_exit run_detach(const struct psc_cli *cli)
{
	return call_only(cli, QUALIFIED("Detach"));
}

static enum psc_cli_exit run_reload(const struct psc_cli *cli)
{
	return call_only(cli, QUALIFIED("Reload"));
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
		return fail(PSC_EXIT_FAILED, "checking failed: %s", strerror(-missing));
	if (cli->json)
		code = print_json(prereqs_json(&prereqs));
	else
		psc_prereq_print(&prereqs, stdout, want_colour());
	psc_prereq_free(&prereqs);
	return missing ? PSC_EXIT_FAILED : code;
}

static enum psc_cli_exit run_help(const struct psc_cli *cli)
{
	(void)cli;
	fputs(psc_cli_help, stdout);
	return PSC_EXIT_DONE;
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
		[PSC_CLI_LIST] = run_list,
		[PSC_CLI_STATUS] = run_status,
		[PSC_CLI_DETACH] = run_detach,
		[PSC_CLI_RELOAD] = run_reload,
		[PSC_CLI_DOCTOR] = run_doctor,
		[PSC_CLI_HELP] = run_help,
		[PSC_CLI_VERSION] = run_version,
	};
	enum psc_cli_exit code = run[cli->command](cli);

	if (code == PSC_EXIT_DONE && fflush(stdout))
		return fail(PSC_EXIT_FAILED, "standard output: %s", strerror(errno));
	if (code == PSC_EXIT_DONE && ferror(stdout))
		return fail(PSC_EXIT_FAILED, "standard output: not everything could be written");
	return code;
}
