/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs worlds under every scope of Yama and of ours and compares, verdict by
 * verdict. Yama's scope 3 is final until reboot, so it comes last: by then, what
 * ours does at 3 has been noted for every world.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parity/parity.h"

#define PAIRS_MAX 64
#define SEEDS_MAX 64
#define DIFFERENCES_SHOWN 20

static const char *const default_seeds = "1 2";

typedef result_t matrix[PAIRS_MAX][OPS];

/* A world to compare: a scenario, or number @number of a seed. */
struct subject {
	const struct scenario *scenario;
	uint64_t seed;
	unsigned int number;
	unsigned int group;		/* the TAP line that it belongs to */
	char *log3;			/* commands while ours was at 3 ... */
	matrix *results3;		/* ... and what the operations said */
};

struct group {
	char name[128];
	bool failed;
	unsigned long verdicts;
};

static struct {
	struct subject *subjects;
	unsigned int subject_count;
	struct group *groups;
	unsigned int group_count;
	/* of each operation at each scope, by each side */
	unsigned long allowed[SIDES][SCOPES][OPS];
	unsigned long refused[SIDES][SCOPES][OPS];
	/* refused although scope 0 allows */
	unsigned long by_scope[SIDES][SCOPES][OPS];
	unsigned long verdicts[SCOPES];
	unsigned long differences;
	unsigned int shown;
	bool self, verbose;
} run;

static const char *describe(result_t result, char *buf, size_t size)
{
	if (result == RESULT_NONE)
		return "not tried";
	if (result == 0)
		return "allowed";
	snprintf(buf, size, "%s at step %d", strerrorname_np(RESULT_ERRNO(result)) ?: "?",
		 RESULT_STEP(result));
	return buf;
}

/* One more line about a world that failed; its log comes with the first. */
static bool complain(const struct subject *subject, const struct world *w)
{
	struct group *group = &run.groups[subject->group];

	if (!group->failed && w->log)
		printf("%s", w->log);
	group->failed = true;
	if (run.shown++ >= DIFFERENCES_SHOWN)
		return false;
	if (subject->scenario)
		printf("# scenario '%s': ", subject->scenario->name);
	else
		printf("# seed %llu world %u (replay: parity --seed %llu --world %u -v): ",
		       (unsigned long long)subject->seed, subject->number,
		       (unsigned long long)subject->seed, subject->number);
	return true;
}

static void show_verdict(const struct subject *subject, const struct world *w,
			 const struct pair *pair, int op, unsigned int scope, const char *what,
			 result_t first, const char *other, result_t second)
{
	char buf[2][64], on[32] = "";

	if (!complain(subject, w))
		return;
	if (pair->target >= 0)
		snprintf(on, sizeof(on), " on a%d", pair->target);
	printf("%s by a%d%s at scope %u: %s: %s, %s: %s\n", op_descs[op].name, pair->tracer, on,
	       scope, what, describe(first, buf[0], sizeof(buf[0])), other,
	       describe(second, buf[1], sizeof(buf[1])));
}

/* ---- one world ---- */

static void measure(struct world *w, const struct pair *pairs, int count, result_t (*results)[OPS])
{
	for (int i = 0; i < count; i++) {
		if (pairs[i].target < 0)
			world_measure_traceme(w, pairs[i].tracer, results[i]);
		else
			world_measure(w, pairs[i].tracer, pairs[i].target, results[i]);
	}
}

/* A process may do what it likes with itself, so that would say nothing. */
static bool within_process(const struct world *w, const struct pair *pair)
{
	return pair->target >= 0 &&
	       w->actors[pair->tracer].process == w->actors[pair->target].process;
}

static void count_results(enum side side, unsigned int scope, const struct world *w,
			  const struct pair *pairs, int count, result_t (*results)[OPS],
			  result_t (*base)[OPS])
{
	for (int i = 0; i < count; i++)
		for (int op = 0; op < OPS; op++) {
			result_t result = results[i][op];

			if (result == RESULT_NONE || within_process(w, &pairs[i]))
				continue;
			if (result == 0)
				run.allowed[side][scope][op]++;
			else
				run.refused[side][scope][op]++;
			if (result && base && base[i][op] == 0)
				run.by_scope[side][scope][op]++;
		}
}

static void compare(const struct subject *subject, const struct world *w, unsigned int scope,
		    const struct pair *pairs, int count, result_t (*yama)[OPS],
		    result_t (*ours)[OPS], result_t (*base)[OPS])
{
	count_results(YAMA, scope, w, pairs, count, yama, base);
	count_results(OURS, scope, w, pairs, count, ours, base);
	for (int i = 0; i < count; i++)
		for (int op = 0; op < OPS; op++) {
			if (yama[i][op] == RESULT_NONE && ours[i][op] == RESULT_NONE)
				continue;
			run.verdicts[scope]++;
			run.groups[subject->group].verdicts++;
			if (yama[i][op] != ours[i][op]) {
				run.differences++;
				show_verdict(subject, w, &pairs[i], op, scope, "Yama", yama[i][op],
					     "ours", ours[i][op]);
			}
			/* What is not Yama's business must not change with the scope. */
			if (base && op_descs[op].mode == PSC_MODE_READ &&
			    base[i][op] != yama[i][op])
				show_verdict(subject, w, &pairs[i], op, scope, "at scope 0",
					     base[i][op], "Yama", yama[i][op]);
		}
}

/* Is the promise that belongs to this pair kept? @base is NULL when unknown. */
static void check_expect(const struct subject *subject, const struct world *w,
			 const struct expect *expect, unsigned int scope, const struct pair *pair,
			 const result_t *results, const result_t *base)
{
	bool allowed = expect->verdicts[scope] == 'y';
	int probe = expect->op == OPS ? (int)OP_PERSONALITY : (int)expect->op;

	/* At scope 0 all depends on the rest of the kernel; one operation tells. */
	for (int op = 0; op < OPS; op++) {
		bool asked = expect->op == OPS ? op_descs[op].mode == PSC_MODE_ATTACH :
						 op == (int)expect->op;

		if (!asked || results[op] == RESULT_NONE)
			continue;
		if (op != probe && (scope == 0 || !base || base[op]))
			continue;
		if ((results[op] == 0) != allowed)
			show_verdict(subject, w, pair, op, scope, "promised",
				     allowed ? 0 : RESULT(0, EPERM), "found", results[op]);
	}
}

static void check_expects(const struct subject *subject, const struct world *w, unsigned int scope,
			  const struct pair *pairs, result_t (*results)[OPS],
			  result_t (*base)[OPS])
{
	for (int i = 0; i < w->expect_count; i++)
		check_expect(subject, w, &w->expects[i], scope, &pairs[i], results[i],
			     base ? base[i] : NULL);
	if (w->wrong && complain(subject, w))
		printf("%d commands did not do as promised\n", w->wrong);
}

static int build(const struct subject *subject, struct world *w, bool no_attach,
		 struct pair *pairs)
{
	world_begin(w, run.verbose, no_attach);
	if (!subject->scenario)
		return generate(w, subject->seed, subject->number, pairs, PAIRS_MAX / 2);
	world_note(w, "scenario: %s", subject->scenario->name);
	subject->scenario->build(w);
	for (int i = 0; i < w->expect_count; i++)
		pairs[i] = (struct pair){ w->expects[i].tracer, w->expects[i].target };
	return w->expect_count;
}

/* Scopes 0 to 2, on one world. */
static void compare_low_scopes(const struct subject *subject)
{
	static matrix results[SIDES], base;
	struct pair pairs[PAIRS_MAX];
	struct world w;
	int count;

	count = build(subject, &w, false, pairs);
	world_settle(&w);
	scope_by_cgroup(w.by_cgroup);
	for (unsigned int scope = 0; scope < PSC_SCOPE_NO_ATTACH; scope++) {
		for (int side = 0; side < SIDES; side++) {
			set_scope((enum side)side, scope);
			measure(&w, pairs, count, results[side]);
			set_scope((enum side)side, 0);
		}
		if (scope == 0)
			memcpy(base, results[YAMA], sizeof(base));
		compare(subject, &w, scope, pairs, count, results[YAMA], results[OURS], base);
		check_expects(subject, &w, scope, pairs, results[YAMA], base);
		check_expects(subject, &w, scope, pairs, results[OURS], base);
	}
	scope_by_cgroup(false);
	world_end(&w);
}

/* What ours does at 3, to be compared later. */
static void note_no_attach(struct subject *subject)
{
	struct pair pairs[PAIRS_MAX];
	struct world w;
	int count = build(subject, &w, true, pairs);

	subject->results3 = malloc(sizeof(*subject->results3));
	subject->log3 = w.log ? strdup(w.log) : NULL;
	if (!subject->results3 || !subject->log3)
		bail("no memory for results");
	measure(&w, pairs, count, *subject->results3);
	world_end(&w);
}

static void compare_no_attach(struct subject *subject)
{
	static matrix results;
	struct pair pairs[PAIRS_MAX];
	struct world w;
	int count = build(subject, &w, true, pairs);

	if (strcmp(subject->log3, w.log) && complain(subject, &w))
		printf("at scope 3 the commands went differently with ours:\n%s", subject->log3);
	measure(&w, pairs, count, results);
	compare(subject, &w, PSC_SCOPE_NO_ATTACH, pairs, count, results, *subject->results3, NULL);
	check_expects(subject, &w, PSC_SCOPE_NO_ATTACH, pairs, results, NULL);
	check_expects(subject, &w, PSC_SCOPE_NO_ATTACH, pairs, *subject->results3, NULL);
	world_end(&w);
	free(subject->log3);
	free(subject->results3);
}

static void compare_all(void)
{
	set_scope(YAMA, 0);
	set_scope(OURS, 0);
	for (unsigned int i = 0; i < run.subject_count; i++) {
		compare_low_scopes(&run.subjects[i]);
		fflush(stdout);
	}
	if (run.self)	/* Yama cannot come back from 3 */
		return;
	set_scope(OURS, PSC_SCOPE_NO_ATTACH);
	for (unsigned int i = 0; i < run.subject_count; i++)
		note_no_attach(&run.subjects[i]);
	set_scope(OURS, 0);
	set_scope(YAMA, PSC_SCOPE_NO_ATTACH);
	for (unsigned int i = 0; i < run.subject_count; i++)
		compare_no_attach(&run.subjects[i]);
}

/* ---- the outcome ---- */

static bool vacuous(int op, unsigned int scope, const char *what, unsigned long count)
{
	if (count)
		return false;
	printf("# %s at scope %u: never %s\n", op_descs[op].name, scope, what);
	return true;
}

/* Each operation must have been seen both ways wherever the scope makes a difference. */
static bool check_vacuity(enum side side)
{
	bool bad = false;

	for (int op = 0; op < OPS; op++) {
		enum psc_mode mode = op_descs[op].mode;

		for (unsigned int scope = 0; scope < SCOPES; scope++) {
			bool last = scope == PSC_SCOPE_NO_ATTACH;
			bool decides = mode == PSC_MODE_ATTACH ? scope >= 1 :
				       mode == PSC_MODE_TRACEME && scope >= 2;

			/* Across user namespaces, commoncap asks what scope 2 asks. */
			if (op == OP_TRACEME_USERNS && !last)
				decides = false;

			if (last && run.self)
				continue;
			if (!last || mode == PSC_MODE_READ)
				bad |= vacuous(op, scope, "allowed", run.allowed[side][scope][op]);
			if (decides)
				bad |= vacuous(op, scope, "refused",
					       last ? run.refused[side][scope][op] :
						      run.by_scope[side][scope][op]);
			/* perf_event_open() does not ask at all who has CAP_PERFMON and CAP_KILL. */
			if (last && mode != PSC_MODE_READ && op != OP_PERF_SIGTRAP &&
			    run.allowed[side][scope][op]) {
				printf("# %s was allowed at scope 3\n", op_descs[op].name);
				bad = true;
			}
		}
	}
	return bad;
}

static void print_counts(void)
{
	unsigned long total = 0;

	printf("# allowed/refused, and of those refused, by the scope alone, at scopes 0 to 3\n");
	for (int side = 0; side < SIDES; side++)
		for (int op = 0; op < OPS; op++) {
			printf("# %-4s %-42s", side_names[side], op_descs[op].name);
			for (int scope = 0; scope < SCOPES; scope++)
				printf(" %5lu/%lu,%lu", run.allowed[side][scope][op],
				       run.refused[side][scope][op],
				       run.by_scope[side][scope][op]);
			printf("\n");
		}
	for (int scope = 0; scope < SCOPES; scope++) {
		printf("# verdicts compared at scope %d: %lu\n", scope, run.verdicts[scope]);
		total += run.verdicts[scope];
	}
	printf("# verdicts compared: %lu, different: %lu\n", total, run.differences);
}

static int report(bool whole)
{
	bool failed = false, empty = false;
	unsigned int line = 0;

	print_counts();
	for (; line < run.group_count; line++) {
		const struct group *group = &run.groups[line];

		printf("%sok %u - %s (%lu verdicts)\n", group->failed ? "not " : "", line + 1,
		       group->name, group->verdicts);
		failed |= group->failed;
	}
	if (!whole)
		return failed;
	for (int side = 0; side < SIDES; side++)
		empty |= check_vacuity((enum side)side);
	printf("%sok %u - every operation was allowed and refused where it can be\n",
	       empty ? "not " : "", line + 1);
	return failed || empty;
}

/* ---- what to run ---- */

static unsigned int add_group(const char *kind, const char *name)
{
	run.groups = realloc(run.groups, (run.group_count + 1) * sizeof(*run.groups));
	if (!run.groups)
		bail("no memory");
	run.groups[run.group_count] = (struct group){ 0 };
	snprintf(run.groups[run.group_count].name, sizeof(run.groups->name), "%s%s", kind, name);
	return run.group_count++;
}

static void add_subject(struct subject subject)
{
	run.subjects = realloc(run.subjects, (run.subject_count + 1) * sizeof(*run.subjects));
	if (!run.subjects)
		bail("no memory");
	run.subjects[run.subject_count++] = subject;
}

/* Those of a table that have this name, or all. Returns how many. */
static unsigned int add_scenarios(const struct scenario *table, unsigned int count,
				  const char *name)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (name && strcmp(name, table[i].name))
			continue;
		found++;
		add_subject((struct subject){
			.scenario = &table[i],
			.group = add_group("", table[i].name),
		});
	}
	return found;
}

static uint64_t parse_number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-')
		bail("'%s' is no number", text);
	return value;
}

static void add_seed(const char *text, unsigned int from, unsigned int to)
{
	struct subject subject = {
		.seed = parse_number(text),
		.group = add_group("random worlds of seed ", text),
	};

	for (subject.number = from; subject.number < to; subject.number++)
		add_subject(subject);
}

static void add_seeds(const char *list, unsigned int from, unsigned int to)
{
	char *copy = strdup(list), *save, *text;

	if (!copy)
		bail("no memory");
	for (text = strtok_r(copy, " ,", &save); text; text = strtok_r(NULL, " ,", &save))
		add_seed(text, from, to);
	free(copy);
}

static _Noreturn void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: parity [--pins DIR | --self] [--seed N [--world K]] [--worlds N]\n"
		"              [--scenario NAME] [-v]\n"
		"--self plays both sides with Yama, to test this test; scope 3 is left out.\n"
		"Without --seed: all scenarios, and the seeds in $PARITY_SEED (default %s).\n",
		default_seeds);
	exit(code);
}

int main(int argc, char **argv)
{
	enum { PINS = 1, SELF, SEED, WORLD, WORLDS, SCENARIO, ACTOR };
	static const struct option options[] = {
		{ "pins", required_argument, NULL, PINS },
		{ "self", no_argument, NULL, SELF },
		{ "seed", required_argument, NULL, SEED },
		{ "world", required_argument, NULL, WORLD },
		{ "worlds", required_argument, NULL, WORLDS },
		{ "scenario", required_argument, NULL, SCENARIO },
		{ "actor", required_argument, NULL, ACTOR },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *pins = PSC_PIN_DIR, *seeds = getenv("PARITY_SEED");
	const char *seed = NULL, *scenario = NULL;
	unsigned int from = 0, to = 0, worlds = 15, found = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "vh", options, NULL)) != -1) {
		switch (opt) {
		case PINS:
			pins = optarg;
			break;
		case SELF:
			run.self = true;
			break;
		case SEED:
			seed = optarg;
			break;
		case WORLD:
			from = (unsigned int)parse_number(optarg);
			to = from + 1;
			break;
		case WORLDS:
			worlds = (unsigned int)parse_number(optarg);
			break;
		case SCENARIO:
			scenario = optarg;
			break;
		case ACTOR:
			actor_run((int)parse_number(optarg));
		case 'v':
			run.verbose = true;
			break;
		case 'h':
			usage(0);
		default:
			usage(2);
		}
	}
	if (optind != argc || (to && !seed))
		usage(2);
	actors_prepare();
	scope_open(run.self ? NULL : pins);
	if (!seed)
		found = add_scenarios(scenarios, scenario_count, scenario) +
			add_scenarios(cred_scenarios, cred_scenario_count, scenario);
	if (!scenario)
		add_seeds(seed ?: seeds && *seeds ? seeds : default_seeds, from, to ?: worlds);
	/* Last: once a cgroup has had a scope, a check goes a longer way. */
	if (!seed)
		found += add_scenarios(dead_scenarios, dead_scenario_count, scenario);
	if (scenario && !found)
		bail("no scenario '%s'", scenario);
	printf("1..%u\n", run.group_count + (!seed && !scenario));
	fflush(stdout);
	compare_all();
	return report(!seed && !scenario);
}
