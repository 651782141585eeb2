/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl explain ..." */
#include "command.h"

#include "call.h"
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
static enum psc_cli_exit call_explain(const struct psc_cli *cli, json_int_t tracer,
				      json_int_t tracee, const char *mode, json_t **ret)
{
	return psc_call(cli, explain_method,
			json_pack("{s:o*, s:I, s:s*}", "tracer", tracer ? json_integer(tracer) : NULL,
				  "tracee", tracee, "mode", mode), ret);
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

/*
 * How it would be now: with the same tracer if it lives, else for one that is started here.
 * NULL where the tracee has ended, or nobody tells. Whatever goes wrong, the refusal is told.
 */
static json_t *explain_now(const struct psc_cli *cli, const json_t *refusal)
{
	const char *mode = json_string_value(json_object_get(refusal, "mode"));
	const bool traceme = mode && streq(mode, "traceme");
	json_t *reply = NULL;

	for (int again = 0; again < (traceme ? 1 : 2); again++) {
		json_decref(reply);
		reply = NULL;
		if (call_explain(cli, again ? 0 : tid_of(refusal, "tracer"),
				 tid_of(refusal, "tracee"), mode, &reply) != PSC_EXIT_DONE)
			return NULL;
		if (is_still(reply, refusal, "tracee") &&
		    (again || is_still(reply, refusal, "tracer")))
			return reply;
	}
	json_decref(reply);
	return NULL;
}

static enum psc_cli_exit explain_last(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("LastRefusal");
	json_t *reply = NULL, *refusal, *now = NULL;
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
	if (tid_of(refusal, "tracee") > 0)
		now = explain_now(cli, refusal);
	if (cli->json) {
		enum psc_cli_exit printed = psc_print_json(json_pack("{s:O, s:O*}", "refusal", refusal,
								     "now", now));

		code = printed == PSC_EXIT_DONE ? code : printed;
	} else if (psc_show_refusal(stdout, refusal, now, psc_want_colour())) {
		code = psc_unexpected(method);
	}
	json_decref(now);
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
	code = call_explain(cli, cli->tracer, cli->tracee, cli->mode, &reply);
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
