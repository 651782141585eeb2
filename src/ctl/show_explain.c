/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ptracescopectl explain prints for people. */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "names.h"
#include "show.h"
#include "util.h"

#define TEXT_WIDTH 74
#define INDENT 4

/* A long line, broken between words. */
static void wrapped(FILE *out, const char *text)
{
	size_t column = TEXT_WIDTH;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column + 1 + len > TEXT_WIDTH) {
			fprintf(out, "\n%*s", INDENT, "");
			column = 0;
		} else {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, len, out);
		column += len;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

static const char *string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* "process 4711 (gdb)" */
static int show_side(FILE *out, const json_t *side)
{
	_cleanup_free_ char *comm = psc_show_text(side, "command");

	if (!comm)
		return -ENOMEM;
	fprintf(out, "%" JSON_INTEGER_FORMAT " (%s)", psc_show_number(side, "tid"), comm);
	return 0;
}

static int show_step(FILE *out, const json_t *step, bool colour)
{
	_cleanup_free_ char *name = psc_show_text(step, "name");
	_cleanup_free_ char *result = psc_show_text(step, "result");
	_cleanup_free_ char *text = psc_show_path(step, "text");
	json_int_t number = psc_show_number(step, "number");
	const char *on = "", *off = "";

	if (!name || !result || !text)
		return -ENOMEM;
	if (colour && !streq(result, "passed")) {
		on = streq(result, "refused") ? "\033[1;31m" : "\033[1;32m";
		off = "\033[0m";
	}
	if (number > 0)
		fprintf(out, "%" JSON_INTEGER_FORMAT, number);
	else
		fputc('-', out);
	fprintf(out, " %s: %s%s%s", name, on, result, off);
	wrapped(out, text);
	return 0;
}

/* Steps that were not asked and would refuse as well. */
static int show_refusing_too(FILE *out, const json_t *steps, bool colour)
{
	const json_t *step;
	size_t i;
	int err = 0;

	if (json_array_size(steps))
		fputs("\nWithout this refusal, it would be refused by:\n\n", out);
	json_array_foreach(steps, i, step)
		err = err ? err : show_step(out, step, colour);
	return err;
}

static bool others_may_refuse(const json_t *others)
{
	const json_t *other;
	size_t i;

	json_array_foreach(others, i, other)
		if (json_is_true(json_object_get(other, "may_refuse")))
			return true;
	return false;
}

/* What else may refuse it. */
static int show_others(FILE *out, const json_t *others)
{
	const json_t *other;
	size_t i;

	if (others_may_refuse(others))
		fputs("\nNot judged here, and may refuse it, too:\n", out);
	json_array_foreach(others, i, other) {
		_cleanup_free_ char *module = psc_show_text(other, "module");
		_cleanup_free_ char *state = psc_show_path(other, "state");

		if (!json_is_true(json_object_get(other, "may_refuse")))
			continue;
		if (!module || !state)
			return -ENOMEM;
		fprintf(out, "  %s: %s\n", module, state);
	}
	return 0;
}

/* Has a side a floor for that kind of access, which holds until reboot? */
static bool has_floor(const json_t *explanation)
{
	static const char *const sides[] = { "tracer", "tracee" };
	const char *mode = string(explanation, "mode");

	for (size_t i = 0; mode && i < ARRAY_SIZE(sides); i++) {
		const json_t *side = json_object_get(explanation, sides[i]);
		const json_t *policy = json_object_get(json_object_get(side, "policy"), mode);

		if (psc_show_number(policy, "floor") > 0)
			return true;
	}
	return false;
}

static void show_no_remedy(FILE *out, const json_t *explanation)
{
	const char *decides = string(explanation, "decides");

	fprintf(out, "\nNothing that is known here would allow it%s.\n",
		decides && streq(decides, "ptracescope") && has_floor(explanation) &&
		!json_array_size(json_object_get(explanation, "refusing_too")) ?
		" before the next boot: there is a floor" : "");
}

static int show_remedies(FILE *out, const json_t *explanation)
{
	const json_t *remedies = json_object_get(explanation, "remedies"), *remedy;
	size_t i;

	if (json_array_size(remedies))
		fprintf(out, "\nEach of these would allow it%s:\n",
			others_may_refuse(json_object_get(explanation, "others")) ?
			", unless what is not judged here refuses" : "");
	else
		show_no_remedy(out, explanation);
	json_array_foreach(remedies, i, remedy) {
		_cleanup_free_ char *text = psc_show_path(remedy, "text");
		_cleanup_free_ char *note = psc_show_text(remedy, "note");
		const char *kind = string(remedy, "kind");

		if (!text || !note)
			return -ENOMEM;
		fprintf(out, "  %s%s", kind && streq(kind, "call") ? "in the tracee: " : "", text);
		/* A comment for the shell, as people copy the line. */
		if (string(remedy, "note"))
			fprintf(out, "  # %s", note);
		fputc('\n', out);
	}
	return 0;
}

static bool is_whole(const json_t *explanation)
{
	return json_is_object(json_object_get(explanation, "tracer")) &&
	       json_is_object(json_object_get(explanation, "tracee")) &&
	       json_is_array(json_object_get(explanation, "steps")) &&
	       json_is_array(json_object_get(explanation, "others")) &&
	       json_is_array(json_object_get(explanation, "remedies"));
}

static const char *act(const json_t *explanation)
{
	const char *mode = string(explanation, "mode");

	if (mode && streq(mode, "traceme"))
		return "would be made its tracer by PTRACE_TRACEME of";
	return mode && streq(mode, "read") ? "would read" : "would attach to";
}

int psc_show_explanation(FILE *out, const json_t *explanation, bool colour)
{
	_cleanup_free_ char *verdict = psc_show_text(explanation, "verdict");
	const json_t *steps = json_object_get(explanation, "steps"), *step;
	size_t i;
	int err = 0;

	if (!verdict)
		return -ENOMEM;
	if (streq(verdict, "unknown")) {
		_cleanup_free_ char *reason = psc_show_path(explanation, "reason");

		fprintf(out, "unknown: %s\n", reason ? reason : "?");
		return 0;
	}
	if (!is_whole(explanation))
		return -EBADMSG;
	fprintf(out, "%s: ", verdict);
	err = show_side(out, json_object_get(explanation, "tracer"));
	fprintf(out, " %s ", act(explanation));
	if (!err)
		err = show_side(out, json_object_get(explanation, "tracee"));
	fputs("\n\n", out);
	json_array_foreach(steps, i, step)
		err = err ? err : show_step(out, step, colour);
	if (!err)
		err = show_refusing_too(out, json_object_get(explanation, "refusing_too"), colour);
	if (!err)
		err = show_others(out, json_object_get(explanation, "others"));
	if (!err && streq(verdict, "refused"))
		err = show_remedies(out, explanation);
	return err;
}

void psc_show_time(FILE *out, json_int_t usec)
{
	time_t seconds = (time_t)(usec / 1000000);
	struct tm tm;
	char text[64];

	if (usec > 0 && localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%F %T", &tm))
		fputs(text, out);
	else
		fputc('?', out);
}

/* Of what the explanation that follows is one, or why there is none. */
static int show_now(FILE *out, const json_t *tracer, const struct psc_now *now)
{
	int err = 0;

	if (now->elsewhere)
		fputs("\nThese are pids of the initial pid namespace; how it would be now can be asked "
		      "there.\n", out);
	else if (!now->explanation)
		fputs("\nThe tracee has ended, or cannot be asked about.\n", out);
	else if (!now->by_caller)
		fputs("\nNow, for the same tracer:\n", out);
	if (!now->explanation || !now->by_caller)
		return 0;
	fputc('\n', out);
	err = show_side(out, tracer);
	fprintf(out, " %s. Now, for a new child of your shell (uid %" JSON_INTEGER_FORMAT "):\n",
		now->ended ? "has ended" : "cannot be asked about",
		json_integer_value(json_array_get(json_object_get(json_object_get(
			now->explanation, "tracer"), "uids"), 0)));
	return err;
}

int psc_show_refusal(FILE *out, const json_t *refusal, const struct psc_now *now, bool colour)
{
	const json_t *tracer = json_object_get(refusal, "tracer");
	const json_t *tracee = json_object_get(refusal, "tracee");
	_cleanup_free_ char *mode = psc_show_text(refusal, "mode");
	_cleanup_free_ char *text = psc_show_text(refusal, "text");
	int err;

	if (!json_is_object(tracer) || !json_is_object(tracee))
		return -EBADMSG;
	if (!mode || !text)
		return -ENOMEM;
	psc_show_time(out, psc_show_number(refusal, "time_us"));
	fprintf(out, ": refused %s of ", mode);
	err = show_side(out, tracee);
	fputs(" by ", out);
	if (!err)
		err = show_side(out, tracer);
	fprintf(out, ", uid %" JSON_INTEGER_FORMAT ", at scope %" JSON_INTEGER_FORMAT ":",
		psc_show_number(tracer, "uid"), psc_show_number(refusal, "scope"));
	wrapped(out, text);
	if (!err)
		err = show_now(out, tracer, now);
	return err || !now->explanation ? err : psc_show_explanation(out, now->explanation, colour);
}

static bool is_side(const json_t *side)
{
	return json_is_string(json_object_get(side, "command")) && psc_show_number(side, "pid") >= 0 &&
	       psc_show_number(side, "uid") >= 0;
}

/* As the journal has it, but for the names in place of command lines. */
int psc_show_refusal_line(FILE *out, const json_t *refusal)
{
	const json_t *tracer = json_object_get(refusal, "tracer");
	const json_t *tracee = json_object_get(refusal, "tracee");
	_cleanup_free_ char *mode = psc_show_text(refusal, "mode");
	_cleanup_free_ char *text = psc_show_path(refusal, "text");
	_cleanup_free_ char *from = psc_show_text(tracer, "command");
	_cleanup_free_ char *to = psc_show_text(tracee, "command");
	json_int_t scope = psc_show_number(refusal, "scope");
	const char *word = scope < 0 ? NULL : psc_scope_word((unsigned int)scope);

	if (!mode || !text || !from || !to)
		return -ENOMEM;
	if (!is_side(tracer) || !is_side(tracee) || scope < 0 || scope > UINT8_MAX)
		return -EBADMSG;
	psc_show_time(out, psc_show_number(refusal, "time_us"));
	fprintf(out, " refused %s of \"%s\"[%" JSON_INTEGER_FORMAT "] by \"%s\"[%"
		JSON_INTEGER_FORMAT "] (uid %" JSON_INTEGER_FORMAT ", scope %" JSON_INTEGER_FORMAT
		" %s): %s\n", mode, to, psc_show_number(tracee, "pid"), from,
		psc_show_number(tracer, "pid"), psc_show_number(tracer, "uid"), scope,
		word ? word : "unknown", text);
	return 0;
}
