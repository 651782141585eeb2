/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl explain ..." */
#include "command.h"

#include <sys/stat.h>

#include "call.h"
#include "client.h"
#include "show.h"
#include "util.h"

static const char explain_method[] = PSC_METHOD("Explain");

/* The verdict of a reply, as exit code; -1 where it is none. */
static int verdict_code(const json_t *reply)
{
	static const struct {
		const char *word;
		enum psc_cli_exit code;
	} verdicts[] = {
		{ "allowed", PSC_EXIT_DONE },
		{ "refused", PSC_EXIT_NOT_ALLOWED },
		{ "unknown", PSC_EXIT_FAILED },
	};
	const char *verdict = json_string_value(json_object_get(reply, "verdict"));

	for (size_t i = 0; verdict && i < ARRAY_SIZE(verdicts); i++)
		if (streq(verdict, verdicts[i].word))
			return (int)verdicts[i].code;
	return -1;
}

/* Without a tracer the daemon takes who has called: this process, a new child of the shell. */
static json_t *question(json_int_t tracer, json_int_t tracee, const char *mode)
{
	return json_pack("{s:o*, s:I, s:s*}", "tracer", tracer ? json_integer(tracer) : NULL,
			 "tracee", tracee, "mode", mode);
}

/* Without a word about what goes wrong, which is NULL. */
static json_t *ask_quietly(const struct psc_cli *cli, json_t *parameters)
{
	struct psc_answer answer = {};
	json_t *reply = NULL;

	if (!psc_client_call(cli->socket, explain_method, parameters, PSC_CLIENT_TIMEOUT_MS,
			     &answer) && !answer.error)
		reply = json_incref(answer.parameters);
	psc_answer_free(&answer);
	return reply;
}

/* Is that side of an explanation who was refused then? */
static bool is_still(const json_t *explanation, const json_t *refusal, const char *which)
{
	const json_t *now = json_object_get(explanation, which);
	const json_t *then = json_object_get(refusal, which);

	return now && then && psc_show_number(now, "tid") == psc_show_number(then, "tid") &&
	       psc_show_number(now, "started_ns") == psc_show_number(then, "started_ns");
}

static json_int_t tid_of(const json_t *refusal, const char *which)
{
	return psc_show_number(json_object_get(refusal, which), "tid");
}

/* Refusals have the pids of the initial pid namespace. Are ours others? */
static bool is_elsewhere(void)
{
	const ino_t initial = 0xeffffffcU;	/* PROC_PID_INIT_INO of include/linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != initial;
}

/*
 * How it would be now: with the same tracer if it lives, else for one that is started here.
 * Nobody tells where the tracee has ended. Whatever goes wrong, the refusal is told.
 */
static json_t *explain_now(const struct psc_cli *cli, const json_t *refusal, struct psc_now *now)
{
	const json_int_t tracer = tid_of(refusal, "tracer"), tracee = tid_of(refusal, "tracee");
	const char *mode = json_string_value(json_object_get(refusal, "mode"));
	json_t *reply;

	now->elsewhere = is_elsewhere();
	if (tracee <= 0 || now->elsewhere)
		return NULL;
	reply = tracer > 0 ? ask_quietly(cli, question(tracer, tracee, mode)) : NULL;
	if (is_still(reply, refusal, "tracee") && is_still(reply, refusal, "tracer"))
		return reply;
	now->ended = reply;
	json_decref(reply);
	if (mode && streq(mode, "traceme"))
		return NULL;
	now->by_caller = true;
	reply = ask_quietly(cli, question(0, tracee, mode));
	if (is_still(reply, refusal, "tracee"))
		return reply;
	json_decref(reply);
	return NULL;
}

static enum psc_cli_exit explain_last(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("LastRefusal");
	struct psc_now now = {};
	json_t *reply = NULL, *refusal, *explanation;
	enum psc_cli_exit code = psc_call(cli, method, json_object(), &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	refusal = json_object_get(reply, "refusal");
	if (!refusal || json_is_null(refusal)) {
		json_decref(reply);
		return psc_fail(PSC_EXIT_FAILED, "nothing of yours has been refused since the daemon "
				"started");
	}
	code = PSC_EXIT_NOT_ALLOWED;
	now.explanation = explanation = explain_now(cli, refusal, &now);
	if (cli->json) {
		enum psc_cli_exit printed = psc_print_json(
			json_pack("{s:O, s:O*, s:s*}", "refusal", refusal, "now", explanation,
				  "now_tracer", !explanation ? NULL :
				  now.by_caller ? "new" : "same"));

		code = printed == PSC_EXIT_DONE ? code : printed;
	} else if (psc_show_refusal(stdout, refusal, &now, psc_want_colour())) {
		code = psc_unexpected(method);
	}
	json_decref(explanation);
	json_decref(reply);
	return code;
}

enum psc_cli_exit psc_command_explain(const struct psc_cli *cli)
{
	enum psc_cli_exit code, printed = PSC_EXIT_DONE;
	json_t *reply = NULL;
	int verdict;

	if (cli->last)
		return explain_last(cli);
	code = psc_call(cli, explain_method, question(cli->tracer, cli->tracee, cli->mode), &reply);
	if (code != PSC_EXIT_DONE)
		return code;
	verdict = verdict_code(reply);
	if (verdict < 0)
		printed = psc_unexpected(explain_method);
	else if (cli->json)
		printed = psc_print_json(json_incref(reply));
	else if (psc_show_explanation(stdout, reply, psc_want_colour()))
		printed = psc_unexpected(explain_method);
	json_decref(reply);
	return printed == PSC_EXIT_DONE ? (enum psc_cli_exit)verdict : printed;
}
