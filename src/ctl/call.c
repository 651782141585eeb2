/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls the daemon, and makes a message, its remedy and an exit code of what goes wrong. */
#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "answer.h"
#include "client.h"
#include "escape.h"
#include "floors.h"
#include "interface.h"
#include "kernel.h"
#include "log.h"
#include "offline.h"
#include "show.h"
#include "json.h"
#include "util.h"

/* Of psc_fail_in_json(). */
static bool in_json;
static const char *reply_error;		/* the Varlink error that is being told of */

void psc_fail_in_json(void)
{
	in_json = true;
}

/* Besides the line on standard error, which people read. */
static void print_error(enum psc_cli_exit code, const char *message)
{
	static const char *const words[] = {
		[PSC_EXIT_FAILED] = "failed",
		[PSC_EXIT_USAGE] = "usage",
		[PSC_EXIT_REFUSED] = "refused",
		[PSC_EXIT_UNREACHABLE] = "unreachable",
		[PSC_EXIT_PARTLY] = "partly-applied",
	};

	psc_print_json(json_pack("{s:s, s:i, s:o, s:s*}", "error", words[code], "exit", (int)code,
				 "message", psc_json_text(message), "varlink", reply_error));
}

enum psc_cli_exit psc_fail(enum psc_cli_exit code, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	psc_log(LOG_ERR, "%s", message ? message : "out of memory");
	if (in_json && message)
		print_error(code, message);
	return code;
}

enum psc_cli_exit psc_print_json(json_t *json)
{
	_cleanup_free_ char *text = psc_json_dump(json, JSON_ENSURE_ASCII | JSON_ENCODE_ANY);

	json_decref(json);
	if (!text)
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	/* A write error shows when stdout is flushed. */
	puts(text);
	return PSC_EXIT_DONE;
}

/* Does nobody listen, where the daemon would? */
static bool is_daemon_missing(const struct psc_cli *cli, int err)
{
	return (err == -ENOENT || err == -ECONNREFUSED) && streq(cli->socket, PSC_SOCKET_PATH);
}

enum psc_cli_exit psc_no_answer(const struct psc_cli *cli, int err)
{
	_cleanup_free_ char *path = psc_escape(cli->socket, strlen(cli->socket), 256);
	const char *shown = path ? path : "?";
	struct stat st;

	switch (err) {
	case -ENOMEM:
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	case -EBADMSG:
		return psc_fail(PSC_EXIT_FAILED, "%s: the answer is no Varlink reply; is this the "
				"socket of ptracescoped? ss -xlp shows who listens there", shown);
	case -EACCES:
	case -EPERM:
		return psc_fail(PSC_EXIT_UNREACHABLE, "%s: %s; everybody must have access to the "
				"socket and its directories: ls -ld %s", shown, strerror(-err), shown);
	case -ECONNRESET:
		return psc_fail(PSC_EXIT_UNREACHABLE, "%s: the daemon hung up without an "
				"answer; too many connections, or it ended", shown);
	case -ETIMEDOUT:
		return psc_fail(PSC_EXIT_UNREACHABLE, "%s: no answer from the daemon within %d "
				"seconds; what was asked for may still be done", shown,
				PSC_CLIENT_TIMEOUT_MS / 1000);
	case -ECONNREFUSED:
		if (stat(cli->socket, &st) == 0 && !S_ISSOCK(st.st_mode))
			return psc_fail(PSC_EXIT_UNREACHABLE, "%s: is no socket%s", shown,
					streq(cli->socket, PSC_SOCKET_PATH) ? "; start the daemon "
					"anew, which replaces it: systemctl restart ptracescoped" :
					"");
		/* fall through */
	case -ENOENT:
		if (is_daemon_missing(cli, err) && psc_offline_is_held())
			return psc_offline_without_socket();
		return psc_fail(PSC_EXIT_UNREACHABLE, "%s: %s; ptracescoped is not running, or its "
				"socket has been removed; start it: systemctl restart ptracescoped",
				shown, strerror(-err));
	default:
		return psc_fail(PSC_EXIT_UNREACHABLE, "%s: connecting to the daemon failed: %s; see: "
				"systemctl status ptracescoped", shown, strerror(-err));
	}
}

static char *error_text(const json_t *parameters, const char *key)
{
	const json_t *text = json_object_get(parameters, key);

	return json_is_string(text) ?
		psc_escape(json_string_value(text), json_string_length(text), 1024) : strdup("?");
}

static enum psc_cli_exit name_locked(const json_t *parameters)
{
	_cleanup_free_ char *name = error_text(parameters, "name");
	json_int_t floor = json_integer_value(json_object_get(parameters, "floor"));
	const struct psc_name *known = psc_name_find(name ? name : "");
	char label[PSC_LABEL_SIZE] = "?";

	if (floor >= 0 && floor < PSC_SCOPE_INHERIT)
		psc_value_label(known ? known : psc_names, (unsigned int)floor, label);
	return psc_fail(PSC_EXIT_REFUSED, "%s: locked at %s until reboot", name ? name : "?",
			label);
}

static enum psc_cli_exit cgroup_error(const json_t *parameters, const char *message)
{
	_cleanup_free_ char *cgroup = error_text(parameters, "cgroup");
	_cleanup_free_ char *reason = error_text(parameters, "reason");

	if (!cgroup || !reason || streq(reason, "no-cgroup2"))
		return psc_fail(PSC_EXIT_FAILED, "%s", message);
	if (streq(reason, "absent"))
		return psc_fail(PSC_EXIT_FAILED, "cgroup '%s': %s; a unit has one while it runs, and "
				"its name has a suffix, such as .service (systemd-cgls lists "
				"them); a section of ptracescope.conf(5) is for when it starts", cgroup, message);
	return psc_fail(PSC_EXIT_FAILED, "cgroup '%s': %s", cgroup, message);
}

/* The daemon has escaped what it is made of. */
static char *message_text(const json_t *parameters)
{
	char *text = error_text(parameters, "message");

	if (text)
		psc_show_once(text);
	return text;
}

/* A detach: which floors are in its way? */
static enum psc_cli_exit floors_refused(const struct psc_cli *cli)
{
	struct psc_answer answer = {};
	json_t *floors = psc_floors_ask(cli);
	const json_t *policy = NULL;
	_cleanup_free_ char *reason = NULL;

	if (!psc_client_call(cli->socket, PSC_METHOD("Status"), json_object(),
			     PSC_CLIENT_TIMEOUT_MS, &answer) && !answer.error)
		policy = json_object_get(answer.parameters, "policy");
	reason = psc_floors_reason(psc_is_policy(policy) ? policy : NULL, floors);
	psc_answer_free(&answer);
	json_decref(floors);
	return psc_fail(PSC_EXIT_REFUSED, "%s", reason ? reason : strerror(ENOMEM));
}

/* What helps against a failure of the daemon, by its errno. */
static const char *failure_remedy(const json_t *parameters)
{
	switch (json_integer_value(json_object_get(parameters, "errno"))) {
	case EBUSY:
		return "; journalctl -u ptracescoped names what conflicts; end it, and repeat the "
		       "command";
	case EAGAIN:		/* is repeated by psc_client_call() */
		return "; " PSC_CTL_BUSY;
	case ECANCELED:
		return "; another process changed the policy at the same time; repeat the command";
	case EPERM:
		return "; the daemon lacks a capability; start it by its unit: systemctl restart "
		       "ptracescoped";
	case ENOSPC:
		return "; unset what other cgroups do not need: ptracescopectl cgroup list";
	case EOPNOTSUPP:
		return "; ptracescopectl doctor tells what this system lacks";
	default:
		return "; see: journalctl -u ptracescoped";
	}
}

/* A question that is not for the caller. What he could ask as root: about the same two. */
static enum psc_cli_exit not_for_caller(const struct psc_cli *cli, const char *message)
{
	const bool traceme = cli->mode && streq(cli->mode, "traceme");
	char tracer[16] = "";

	/* The tracer would be root's otherwise. */
	if (cli->tracer || !traceme)
		snprintf(tracer, sizeof(tracer), "%u ", cli->tracer ? cli->tracer :
			 (unsigned int)getppid());
	return psc_fail(PSC_EXIT_REFUSED, "the question is refused: %s, and users can ask only about "
			"their own processes; as root: sudo ptracescopectl explain %s%u%s%s", message,
			tracer, cli->tracee, cli->mode ? " --mode " : "", cli->mode ? cli->mode : "");
}

/* An error reply. */
static enum psc_cli_exit refused(const struct psc_cli *cli, const struct psc_answer *answer)
{
	_cleanup_free_ char *name = error_text(answer->parameters, "name");
	_cleanup_free_ char *message = message_text(answer->parameters);
	_cleanup_free_ char *error = psc_escape(answer->error, strlen(answer->error), 256);

	if (!name || !message || !error)
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	if (streq(answer->error, PSC_METHOD("PermissionDenied")) && !psc_ftrace_enabled())
		return psc_fail(PSC_EXIT_REFUSED, "permission denied: kernel.ftrace_enabled is 0, "
				"which switches BPF programs off, so that the daemon cannot see who has "
				"CAP_SYS_PTRACE: sysctl kernel.ftrace_enabled=1");
	if (streq(answer->error, PSC_METHOD("PermissionDenied")) &&
	    cli->command == PSC_CLI_EXPLAIN)
		return not_for_caller(cli, message);
	if (streq(answer->error, PSC_METHOD("PermissionDenied")) ||
	    streq(answer->error, "org.varlink.service.PermissionDenied"))
		return psc_fail(PSC_EXIT_REFUSED, "permission denied: CAP_SYS_PTRACE in the "
				"initial user namespace is needed (try sudo)");
	if (streq(answer->error, PSC_METHOD("CgroupLocked")) ||
	    (streq(answer->error, PSC_METHOD("Locked")) && cli->command == PSC_CLI_DETACH))
		return floors_refused(cli);
	if (streq(answer->error, PSC_METHOD("Locked")))
		return name_locked(answer->parameters);
	if (streq(answer->error, PSC_METHOD("NothingToLock")) && cli->command == PSC_CLI_LOCK &&
	    !cli->present)
		return psc_fail(PSC_EXIT_FAILED, "nothing to lock: a floor of 0 allows everything; "
				"nothing changed; give a LEVEL from 1 to 3");
	if (streq(answer->error, PSC_METHOD("NothingToLock")))
		return psc_fail(PSC_EXIT_FAILED, "nothing to lock: all scopes that would be locked "
				"are 0; nothing changed; set one first: ptracescopectl set 1");
	if (streq(answer->error, PSC_METHOD("UnknownName")))
		return psc_fail(PSC_EXIT_USAGE, "the daemon does not know the name '%s'; do the "
				"daemon and ptracescopectl have the same version?", name);
	if (streq(answer->error, PSC_METHOD("OutOfRange")))
		return psc_fail(PSC_EXIT_USAGE, "%s: the daemon does not accept this value; do the "
				"daemon and ptracescopectl have the same version?", name);
	if (streq(answer->error, PSC_METHOD("CgroupError")))
		return cgroup_error(answer->parameters, message);
	if (streq(answer->error, PSC_METHOD("ConfigurationError")))
		return psc_fail(PSC_EXIT_FAILED, "configuration refused, nothing changed: %s",
				message);
	if (streq(answer->error, PSC_METHOD("PartlyApplied")))
		return psc_fail(PSC_EXIT_PARTLY, "configuration: %s", message);
	if (streq(answer->error, PSC_METHOD("Failed")))
		return psc_fail(PSC_EXIT_FAILED, "the daemon failed: %s%s", message,
				failure_remedy(answer->parameters));
	return psc_fail(PSC_EXIT_FAILED, "the daemon answered with the error %s; do the daemon "
			"and ptracescopectl have the same version?", error);
}

enum psc_cli_exit psc_refused(const struct psc_cli *cli, const struct psc_answer *answer)
{
	enum psc_cli_exit code;

	reply_error = answer->error;
	code = refused(cli, answer);
	reply_error = NULL;
	return code;
}

enum psc_cli_exit psc_call(const struct psc_cli *cli, const char *method, json_t *parameters,
			   json_t **ret)
{
	return psc_call_or(cli, method, parameters, NULL, ret);
}

enum psc_cli_exit psc_call_or(const struct psc_cli *cli, const char *method, json_t *parameters,
			      psc_without_daemon *without, json_t **ret)
{
	struct psc_answer answer;
	enum psc_cli_exit code = PSC_EXIT_DONE;
	int err = psc_client_call(cli->socket, method, parameters, PSC_CLIENT_TIMEOUT_MS, &answer);

	if (err && without && is_daemon_missing(cli, err))
		return without(cli, err, ret);
	if (err)
		return psc_no_answer(cli, err);
	if (answer.error)
		code = psc_refused(cli, &answer);
	else
		*ret = json_incref(answer.parameters);
	psc_answer_free(&answer);
	return code;
}

enum psc_cli_exit psc_unexpected(const char *method)
{
	return psc_fail(PSC_EXIT_FAILED, "the daemon's answer to %s is not understood; do the "
			"daemon and ptracescopectl have the same version?", method);
}

bool psc_confirmed(const struct psc_cli *cli, const char *what, unsigned int value)
{
	_cleanup_free_ char *shown = psc_escape(what, strlen(what), 512);
	char line[16] = "", label[PSC_LABEL_SIZE], *answer;

	if (cli->yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	fprintf(stderr, "%s is then locked%s%s until reboot: it cannot be set lower. "
		"Do it? [y/N] ", shown ? shown : "?", cli->present ? "" : " at ",
		cli->present ? "" : psc_value_label(cli->name, value, label));
	if (!fgets(line, sizeof(line), stdin)) {
		fputc('\n', stderr);
		return false;
	}
	answer = psc_strip(line);
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
