/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * psc_judge() over its whole domain against a model of Yama that is written in words: a table
 * for each scope, read from top to bottom, of which the first line that is true decides. The
 * model knows all facts from the beginning and nothing of how they are gathered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ptracescope_policy.h"
#include "util.h"

/* One access, with all that is true of it. */
struct access {
	bool attach, traceme, read;	/* which kind it is */
	bool boundary;			/* the tracee's container is a boundary */
	bool traceme_is_free;		/* TRACEME's scope asks for no capability */
	bool inside, admin, alive, ancestor, exception, sibling, tracing, capable;
};

enum outcome { REFUSED, ALLOWED };

struct line {
	const char *words;
	enum outcome outcome;
	enum psc_reason reason;
};

/* A condition in words. Words that nobody knows end the test. */
static bool is_true(const char *words, const struct access *a)
{
	const struct { const char *words; bool value; } meanings[] = {
		{ "it is TRACEME", a->traceme },
		{ "the tracee has been released", !a->alive },
		{ "the tracer is an ancestor", a->ancestor },
		{ "the tracer traces already or was declared", a->exception },
		{ "one cgroup gives both the scope", a->sibling },
		{ "the tracer has the capability", a->capable },
		{ "it is ATTACH by who traces already, and TRACEME is free",
		  a->attach && a->tracing && a->traceme_is_free },
		{ "it is ATTACH across a boundary, not by an administrator",
		  a->attach && a->boundary && !a->inside && !a->admin },
		{ "otherwise", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (strcmp(meanings[i].words, words) == 0)
			return meanings[i].value;
	fail_msg("no such words: %s", words);
	return false;
}

#define BOUNDARY { "it is ATTACH across a boundary, not by an administrator", REFUSED, \
		   PSC_REASON_BOUNDARY }

static const struct line classic[] = {
	BOUNDARY,
	{ "otherwise", ALLOWED, PSC_REASON_SCOPE_CLASSIC },
};

static const struct line siblings[] = {
	BOUNDARY,
	{ "it is TRACEME", ALLOWED, PSC_REASON_TRACEME_FREE },
	{ "the tracee has been released", REFUSED, PSC_REASON_DEAD },
	{ "the tracer is an ancestor", ALLOWED, PSC_REASON_ANCESTOR },
	{ "the tracer traces already or was declared", ALLOWED, PSC_REASON_EXCEPTION },
	{ "one cgroup gives both the scope", ALLOWED, PSC_REASON_SIBLING },
	{ "the tracer has the capability", ALLOWED, PSC_REASON_CAPABLE },
	{ "otherwise", REFUSED, PSC_REASON_UNRELATED },
};

static const struct line restricted[] = {
	BOUNDARY,
	{ "it is TRACEME", ALLOWED, PSC_REASON_TRACEME_FREE },
	{ "the tracee has been released", REFUSED, PSC_REASON_DEAD },
	{ "the tracer is an ancestor", ALLOWED, PSC_REASON_ANCESTOR },
	{ "the tracer traces already or was declared", ALLOWED, PSC_REASON_EXCEPTION },
	{ "the tracer has the capability", ALLOWED, PSC_REASON_CAPABLE },
	{ "otherwise", REFUSED, PSC_REASON_UNRELATED },
};

static const struct line admin_only[] = {
	BOUNDARY,
	{ "it is ATTACH by who traces already, and TRACEME is free", ALLOWED,
	  PSC_REASON_EXCEPTION },
	{ "the tracer has the capability", ALLOWED, PSC_REASON_CAPABLE },
	{ "otherwise", REFUSED, PSC_REASON_NOT_CAPABLE },
};

/* Also of every number that is no scope. */
static const struct line no_attach[] = {
	{ "otherwise", REFUSED, PSC_REASON_NO_ATTACH },
};

/* From the mildest scope to the strictest one. */
static const struct scope_table {
	__u32 scope;
	const struct line *lines;
} tables[] = {
	{ 0, classic }, { 4, siblings }, { 1, restricted }, { 2, admin_only }, { 3, no_attach },
	{ 5, no_attach }, { 15, no_attach }, { 16, no_attach }, { 255, no_attach },
	{ 256, no_attach }, { 0x80000000, no_attach }, { UINT32_MAX, no_attach },
};
#define REAL_SCOPES 5U

#define ALL_FACTS ((1U << PSC_FACTS) - 1)

static struct access describe(const struct psc_question *q, unsigned int truth)
{
	return (struct access){
		.attach = q->mode == PSC_MODE_ATTACH, .traceme = q->mode == PSC_MODE_TRACEME,
		.read = q->mode == PSC_MODE_READ, .boundary = q->boundary,
		.traceme_is_free = q->traceme == PSC_SCOPE_CLASSIC ||
				   q->traceme == PSC_SCOPE_SIBLINGS ||
				   q->traceme == PSC_SCOPE_RESTRICTED,
		.inside = truth & PSC_FACT_INSIDE, .admin = truth & PSC_FACT_CAPABLE_INITIAL,
		.alive = truth & PSC_FACT_ALIVE, .ancestor = truth & PSC_FACT_ANCESTOR,
		.exception = truth & PSC_FACT_EXCEPTION, .sibling = truth & PSC_FACT_SIBLING,
		.tracing = truth & PSC_FACT_TRACING, .capable = truth & PSC_FACT_CAPABLE_TRACEE,
	};
}

static const struct line *model(const struct scope_table *table, const struct psc_question *q,
				unsigned int truth)
{
	const struct access access = describe(q, truth);
	const struct line *line = table->lines;

	while (!is_true(line->words, &access))
		line++;
	return line;
}

static bool agrees(const struct psc_verdict *verdict, const struct line *line)
{
	return !verdict->need && verdict->refused == (line->outcome == REFUSED) &&
	       verdict->reason == line->reason;
}

/* Every question: mode, boundary, TRACEME's scope and the scope. The table of the last one. */
#define QUESTIONS (PSC_MODES * 2 * ARRAY_SIZE(tables) * ARRAY_SIZE(tables))

static const struct scope_table *make_question(size_t i, struct psc_question *ret)
{
	const struct scope_table *table = &tables[i / PSC_MODES / 2 / ARRAY_SIZE(tables)];

	*ret = (struct psc_question){
		.mode = (__u32)(i % PSC_MODES), .boundary = (__u32)(i / PSC_MODES % 2),
		.traceme = tables[i / PSC_MODES / 2 % ARRAY_SIZE(tables)].scope,
		.scope = table->scope,
	};
	return table;
}

/* Ask as a hook does, which gathers one fact after another. Return: how often. */
static unsigned int ask(const struct psc_question *q, unsigned int truth,
			struct psc_verdict *ret)
{
	unsigned int known = 0, calls = 1;

	while ((*ret = psc_judge(q, known, known & truth)).need) {
		/* One fact, and one that was not known: so it ends. */
		assert_int_equal(ret->need & (ret->need - 1), 0);
		assert_int_equal(ret->need & ~ALL_FACTS, 0);
		assert_int_equal(ret->need & known, 0);
		known |= ret->need;
		calls++;
	}
	return calls;
}

/* For every question and all that can be true: the model's verdict, within the bound. */
static void test_model(void **state)
{
	unsigned int asked = 0, most = 0;
	(void)state;

	for (size_t i = 0; i < QUESTIONS; i++) {
		struct psc_question q;
		const struct scope_table *table = make_question(i, &q);

		for (unsigned int truth = 0; truth <= ALL_FACTS; truth++, asked++) {
			const struct line *line = model(table, &q, truth);
			struct psc_verdict verdict;
			unsigned int calls = ask(&q, truth, &verdict);

			most = calls > most ? calls : most;
			if (!agrees(&verdict, line))
				fail_msg("mode %u scope %u traceme %u boundary %u facts %x: refused "
					 "%u, reason %u; Yama: \"%s\"", q.mode, q.scope, q.traceme,
					 q.boundary, truth, verdict.refused, verdict.reason,
					 line->words);
		}
	}
	assert_int_equal(asked, QUESTIONS << PSC_FACTS);
	assert_in_range(most, 2, PSC_FACTS + 1);
}

/* A verdict given with these facts known is the one for all that the unknown ones can be. */
static unsigned int check_early(const struct psc_question *q, const struct line *const lines[],
				unsigned int known, unsigned int holds)
{
	const struct psc_verdict verdict = psc_judge(q, known, holds);
	const unsigned int unknown = ALL_FACTS & ~known;
	unsigned int rest = unknown, n = 0;

	if (verdict.need) {
		assert_true(verdict.need & unknown);
		return 0;
	}
	do {	/* each subset of the unknown ones */
		assert_true(agrees(&verdict, lines[holds | rest]));
		n++;
		rest = (rest - 1) & unknown;
	} while (rest != unknown);
	return n;
}

/* Also where other facts are known than those that were asked for. */
static void test_early(void **state)
{
	unsigned int early = 0;
	(void)state;

	for (size_t i = 0; i < QUESTIONS; i++) {
		const struct line *lines[ALL_FACTS + 1];
		struct psc_question q;
		const struct scope_table *table = make_question(i, &q);

		for (unsigned int truth = 0; truth <= ALL_FACTS; truth++)
			lines[truth] = model(table, &q, truth);
		for (unsigned int known = 0; known <= ALL_FACTS; known++)
			for (unsigned int holds = 0; holds <= known; holds++)
				if (!(holds & ~known))
					early += check_early(&q, lines, known, holds);
	}
	assert_true(early > 1000000);
}

/* Facts that go together: who traces is an exception, who is an administrator is capable. */
static bool is_possible(unsigned int truth)
{
	return (!(truth & PSC_FACT_TRACING) || truth & PSC_FACT_EXCEPTION) &&
	       (!(truth & PSC_FACT_CAPABLE_INITIAL) || truth & PSC_FACT_CAPABLE_TRACEE);
}

static bool allows(struct psc_question q, unsigned int truth)
{
	struct psc_verdict verdict;

	ask(&q, truth, &verdict);
	return !verdict.refused;
}

/*
 * What a milder scope refuses, no stricter one allows, for equal facts. But for what Yama
 * itself does with a tracee that has been released: restricted refuses everybody, admin-only
 * asks for the capability alone.
 */
static void test_monotonic(void **state)
{
	unsigned int pairs = 0, released = 0;
	(void)state;

	for (size_t i = 0; i < QUESTIONS; i++) {
		struct psc_question milder, stricter;
		size_t milder_at = (size_t)(make_question(i, &milder) - tables);

		for (size_t at = milder_at + 1; at < ARRAY_SIZE(tables); at++) {
			stricter = milder;
			stricter.scope = tables[at].scope;
			for (unsigned int truth = 0; truth <= ALL_FACTS; truth++) {
				if (!is_possible(truth))
					continue;
				pairs++;
				if (allows(milder, truth) || !allows(stricter, truth))
					continue;
				released++;
				assert_false(truth & PSC_FACT_ALIVE);
				assert_int_equal(stricter.scope, PSC_SCOPE_ADMIN_ONLY);
				assert_true(truth & (PSC_FACT_CAPABLE_TRACEE | PSC_FACT_TRACING));
			}
		}
	}
	assert_true(pairs > 100000);
	assert_true(released > 0);
}

/* A boundary allows nothing more, and neither does a stricter scope for TRACEME. */
static void test_monotonic_besides(void **state)
{
	(void)state;
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct psc_question q, bounded, traceme;

		make_question(i, &q);
		bounded = traceme = q;
		bounded.boundary = 1;
		for (unsigned int truth = 0; truth <= ALL_FACTS; truth++) {
			assert_true(!allows(bounded, truth) || allows(q, truth));
			for (size_t at = 0; at < ARRAY_SIZE(tables); at++) {
				traceme.traceme = tables[at].scope;
				if (psc_scope_rank(traceme.traceme) >= psc_scope_rank(q.traceme))
					assert_true(!allows(traceme, truth) || allows(q, truth));
			}
		}
	}
}

/* psc_policy_open() is where ATTACH or READ is allowed as classic without a fact. */
static void test_open(void **state)
{
	unsigned int open = 0;
	(void)state;

	for (unsigned int i = 0; i < 256 * 256; i++) {
		const unsigned int scope = i % 256, boundary = i / 256;

		for (__u32 mode = 0; mode <= PSC_MODE_READ; mode += PSC_MODE_READ) {
			const union psc_policy policy = {
				.scope = { 9, 9, 9, [PSC_MODE_BOUNDARY] = (__u8)boundary },
				.floor = { 9, 9, 9, 9 },
			};
			union psc_policy asked = policy;
			struct psc_question q = { .mode = mode, .scope = scope, .boundary = boundary };
			struct psc_verdict verdict = psc_judge(&q, 0, 0);

			asked.scope[mode] = (__u8)scope;
			assert_int_equal(psc_policy_open(&asked, mode),
					 !verdict.need && !verdict.refused &&
					 verdict.reason == PSC_REASON_SCOPE_CLASSIC);
			open += !!psc_policy_open(&asked, mode);
		}
	}
	assert_int_equal(open, 1 + 256);
}

/* All five scopes in their order, and numbers that are none at the end. */
static void test_order(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		assert_int_equal(psc_scope_rank(tables[i].scope), i < REAL_SCOPES ? i : REAL_SCOPES - 1);
	for (unsigned int scope = REAL_SCOPES; scope < 1 << 20; scope++)
		assert_int_equal(psc_scope_rank(scope), REAL_SCOPES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_monotonic_besides),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
