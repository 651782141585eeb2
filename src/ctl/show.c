/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the status, lists and what "lock" did. */
#include "show.h"

#include <errno.h>

#include "escape.h"
#include "floors.h"
#include "kernel.h"
#include "names.h"
#include "util.h"

#define BOLD "1"
#define RED "1;31"
#define GREEN "1;32"

#define SHOWN_MAX 4096	/* more than a message with two command lines, each byte escaped */

struct screen {
	FILE *out;
	bool colour;
};

static void label(const struct screen *screen, const char *text)
{
	fprintf(screen->out, "%14s: ", text);
}

static void coloured(const struct screen *screen, const char *colour, const char *text)
{
	if (screen->colour)
		fprintf(screen->out, "\033[%sm%s\033[0m", colour, text);
	else
		fputs(text, screen->out);
}

char *psc_show_text(const json_t *object, const char *key)
{
	const json_t *string = json_object_get(object, key);

	if (!json_is_string(string))
		return strdup("?");
	return psc_escape(json_string_value(string), json_string_length(string), SHOWN_MAX);
}

json_int_t psc_show_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* "1 (restricted)" */
static void show_scope(const struct screen *screen, unsigned int mode, json_int_t scope)
{
	const struct psc_name *name = psc_name_of_mode(mode);
	char text[PSC_LABEL_SIZE];

	fputs(scope >= 0 && scope <= name->max ?
	      psc_value_label(name, (unsigned int)scope, text) : "?", screen->out);
}

/* BEFORE and the number */
static void show_number(const struct screen *screen, const char *before, const json_t *object,
			const char *key)
{
	json_int_t n = psc_show_number(object, key);

	if (n >= 0)
		fprintf(screen->out, "%s%" JSON_INTEGER_FORMAT, before, n);
	else
		fprintf(screen->out, "%s?", before);
}

static void show_mode(const struct screen *screen, const json_t *status, unsigned int mode)
{
	const json_t *pair = json_object_get(json_object_get(status, "policy"),
					     psc_mode_word(mode));
	json_int_t floor = psc_show_number(pair, "floor");

	label(screen, psc_mode_word(mode));
	show_scope(screen, mode, psc_show_number(pair, "scope"));
	if (floor) {
		fputs(", until reboot not below ", screen->out);
		show_scope(screen, mode, floor);
	}
	fputc('\n', screen->out);
}

/* What holds a floor besides the pins. */
static void show_anchor(const struct screen *screen, const json_t *status)
{
	const char *anchor = json_string_value(json_object_get(status, "anchor"));

	if (!anchor)
		return;
	label(screen, "anchor");
	if (streq(anchor, "set"))
		fputs("programs on the root cgroup enforce the floor without pins, too\n", screen->out);
	else if (streq(anchor, "alone"))
		fputs("alone: pins have gone, and the highest floor of any cgroup binds every "
		      "process until reboot\n", screen->out);
	else
		fputs("none: without a cgroup2 hierarchy the floor depends on the pins alone\n",
		      screen->out);
}

/* The normal case after a restart of the daemon, or for one that was set after it. */
static void show_vouched(const struct screen *screen, const json_t *status)
{
	if (!json_is_false(json_object_get(status, "vouched")))
		return;
	label(screen, "floor");
	fputs("set before this daemon started, or in programs that it found in force: it has not "
	      "checked for what conflicted with it then\n", screen->out);
}

static void show_yama(const struct screen *screen, const json_t *status)
{
	json_int_t yama = psc_show_number(status, "yama");
	json_int_t ours = psc_show_number(json_object_get(json_object_get(status, "policy"),
						 psc_mode_word(PSC_MODE_ATTACH)), "scope");

	label(screen, "yama");
	if (!json_object_get(status, "yama")) {
		fputs("not in this kernel\n", screen->out);
		return;
	}
	show_scope(screen, PSC_MODE_ATTACH, yama);
	fprintf(screen->out, "; both judge, %s\n",
		yama > ours ? "Yama more strictly" :
		yama < ours ? "ptracescoped more strictly" : "equally strictly");
}

static void show_lockdown(const struct screen *screen, const json_t *status)
{
	_cleanup_free_ char *level = NULL;

	if (!json_object_get(status, "lockdown"))
		return;
	level = psc_show_text(status, "lockdown");
	label(screen, "lockdown");
	fprintf(screen->out, "%s (of the kernel)\n", level ? level : "?");
}

/* What else is proved besides attaching. An older daemon does not say. */
static void show_proof(const struct screen *screen, const json_t *status, const char *what,
		       const char *shown)
{
	const json_t *proofs = json_object_get(status, "proofs");
	_cleanup_free_ char *proof = NULL;

	if (!json_object_get(proofs, what))
		return;
	proof = psc_show_text(proofs, what);
	label(screen, shown);
	if (proof && strncmp(proof, "failed", 6) == 0)
		coloured(screen, RED, proof);
	else
		fputs(proof ? proof : "?", screen->out);
	fputc('\n', screen->out);
}

/* It was put together from the pins then. */
static bool without_daemon(const json_t *status)
{
	return json_is_string(json_object_get(status, "daemon"));
}

static void show_state(const struct screen *screen, const json_t *status)
{
	_cleanup_free_ char *proof = psc_show_text(status, "proof");

	label(screen, "state");
	if (json_is_true(json_object_get(status, "enforcing")))
		coloured(screen, GREEN, "enforcing");
	else
		coloured(screen, RED, psc_ftrace_enabled() ? "NOT enforcing" :
			 "NOT enforcing: kernel.ftrace_enabled is 0, which switches BPF programs off");
	fputc('\n', screen->out);
	if (without_daemon(status))
		return;
	label(screen, "proof");
	fprintf(screen->out, "%s\n", proof ? proof : "?");
	show_proof(screen, status, "traceme", "of traceme");
	show_proof(screen, status, "read", "of read");
	show_proof(screen, status, "declarations", "declarations");
}

static void show_programs(const struct screen *screen, const json_t *status)
{
	_cleanup_free_ char *version = psc_show_text(status, "version");
	_cleanup_free_ char *build = psc_show_text(status, "build");

	label(screen, "daemon");
	if (without_daemon(status)) {
		coloured(screen, RED, "not running: nobody reports refusals or tests enforcement");
		fputs("; start it: systemctl restart ptracescoped\n", screen->out);
	} else {
		fprintf(screen->out, "ptracescoped %s", version ? version : "?");
		show_number(screen, ", pid ", status, "pid");
		fputc('\n', screen->out);
	}
	if (!json_object_get(status, "build"))	/* nothing but the anchor is there */
		return;
	label(screen, "programs");
	fprintf(screen->out, "build %s", build ? build : "?");
	show_number(screen, ", ABI ", status, "abi");
	fputs(without_daemon(status) ? "\n" : json_is_true(json_object_get(status, "adopted")) ?
	      ", in force since before the daemon started\n" : ", loaded by this daemon\n",
	      screen->out);
	if (json_object_get(status, "kept")) {
		_cleanup_free_ char *kept = psc_show_text(status, "kept");

		label(screen, "");
		fprintf(screen->out, "not those of this daemon: %s\n", kept ? kept : "?");
	}
}

/* A line where there is something to tell. */
static void show_number_if(const struct screen *screen, const json_t *object, const char *key,
			   const char *shown, const char *after)
{
	if (psc_show_number(object, key) <= 0)
		return;
	label(screen, shown);
	show_number(screen, "", object, key);
	fprintf(screen->out, "%s\n", after);
}

/* New cgroups that sections could not be put in force for as they are. */
static void show_missed(const struct screen *screen, const json_t *status)
{
	if (json_object_get(status, "missed")) {
		label(screen, "");
		show_number(screen, "new cgroups without their sections, for want of room: ", status,
			    "missed");
		fputc('\n', screen->out);
	}
	if (json_object_get(status, "spared")) {
		label(screen, "");
		show_number(screen, "new cgroups whose sections took too long to match: ", status,
			    "spared");
		fputc('\n', screen->out);
	}
	if (json_object_get(status, "shed")) {
		label(screen, "");
		show_number(screen, "tasks without what sticks, for want of memory: ", status,
			    "shed");
		fputc('\n', screen->out);
	}
}

void psc_show_status(FILE *out, const json_t *status, bool colour)
{
	const struct screen screen = { out, colour };
	_cleanup_free_ char *configuration = psc_show_path(status, "configuration");
	bool good = configuration && strncmp(configuration, "ok", 2) == 0;
	bool partly = configuration && strncmp(configuration, "applied", 7) == 0;

	show_state(&screen, status);
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		show_mode(&screen, status, mode);
	psc_floors_show(out, json_object_get(status, "cgroup_floors"));
	show_vouched(&screen, status);
	show_anchor(&screen, status);
	show_yama(&screen, status);
	show_lockdown(&screen, status);

	if (json_object_get(status, "refused")) {
		label(&screen, "refusals");
		show_number(&screen, "", status, "refused");
		show_number(&screen, "; not reported one by one: ", status, "suppressed");
		show_number(&screen, ", lost reports: ", status, "dropped");
		fputc('\n', out);
	}

	show_number_if(&screen, status, "unlogged", "log",
		       " messages lost: the journal did not accept them in time");
	show_number_if(&screen, json_object_get(status, "stuck"), "readers", "stuck",
		       " children that read about refusals; see status --json");
	if (!without_daemon(status)) {
		label(&screen, "configuration");
		if (!good && !partly)
			coloured(&screen, RED, "refused: ");
		fprintf(out, "%s\n", configuration ? configuration : "?");
	}
	show_missed(&screen, status);
	show_programs(&screen, status);
}

unsigned int psc_show_part(const json_t *policy, unsigned int mode, const char *key)
{
	return (unsigned int)psc_show_number(json_object_get(policy, psc_mode_word(mode)), key);
}

/* "HEAD attach 1 (restricted), ...": the modes with a floor, or without. */
static void show_floors(FILE *out, const json_t *policy, const char *head, bool locked)
{
	const char *before = head;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const struct psc_name *name = psc_name_of_mode((enum psc_mode)mode);
		unsigned int floor = psc_show_part(policy, mode, "floor");
		char label[PSC_LABEL_SIZE];

		if (!floor != !locked)
			continue;
		fprintf(out, "%s %s %s", before, psc_mode_word(mode),
			psc_value_label(name, locked ? floor : psc_show_part(policy, mode, "scope"), label));
		before = ",";
	}
	if (before != head)
		fputc('\n', out);
}

void psc_show_lock(FILE *out, const json_t *before, const json_t *policy)
{
	show_floors(out, policy, "locked until reboot:", true);
	for (unsigned int mode = 0; before && mode < PSC_MODE_SLOTS; mode++) {
		const struct psc_name *name = psc_name_of_mode((enum psc_mode)mode);
		unsigned int old = psc_show_part(before, mode, "scope"), now = psc_show_part(policy, mode, "scope");
		char from[PSC_LABEL_SIZE], to[PSC_LABEL_SIZE];

		if (old != now)
			fprintf(out, "raised: %s %s -> %s\n", psc_mode_word(mode),
				psc_value_label(name, old, from), psc_value_label(name, now, to));
	}
	show_floors(out, policy, "not locked:", false);
}

int psc_show_list(FILE *out, const json_t *list)
{
	const json_t *values = json_object_get(list, "values");
	size_t i;
	json_t *row;

	if (!json_is_array(values))
		return -EBADMSG;
	json_array_foreach(values, i, row) {
		_cleanup_free_ char *name = psc_show_text(row, "name");
		json_int_t value = psc_show_number(row, "value");

		if (!name || !json_is_string(json_object_get(row, "name")) || value < 0)
			return -EBADMSG;
		fprintf(out, "%s = %" JSON_INTEGER_FORMAT "\n", name, value);
	}
	return 0;
}
