/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * include/ptracescope_policy.h: every verdict and every change against tables
 * written out by hand, so that a mistake would have to be made twice.
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

/*
 * Yama's rules, by Documentation/admin-guide/LSM/Yama.rst and the comments of
 * security/yama/yama_lsm.c, with siblings and boundaries on top; READ is judged like
 * ATTACH but for boundaries. The facts stand in the order in which they are asked for,
 * "IMAXESTC" is: inside, admin, alive, ancestor, exception, sibling, tracing, capable. 'y' and 'n'
 * are what holds, '-' must not be asked for. '+' stands for the ways in which a boundary
 * is no obstacle: "y-" and "ny"; without one nothing is asked.
 */
enum { OTHER = 1, TRACEME = 2, BOTH = 3 };	/* OTHER: ATTACH and READ */
enum { ALLOW, REFUSE };

static const struct verdict_row {
	unsigned int modes;
	unsigned int scope, scope_last;
	const char *facts;		/* the first two in lines of a boundary's own only */
	int outcome;
	enum psc_reason reason;
	enum { ANY, FREER, AS_STRICT } traceme;	/* TRACEME's scope, compared with ATTACH at 2 */
} verdicts[] = {
	{ BOTH,    0, 0,          "++------", ALLOW,  PSC_REASON_SCOPE_CLASSIC },
	{ OTHER,   1, 1,          "++n-----", REFUSE, PSC_REASON_DEAD },
	{ OTHER,   1, 1,          "++yy----", ALLOW,  PSC_REASON_ANCESTOR },
	{ OTHER,   1, 1,          "++yny---", ALLOW,  PSC_REASON_EXCEPTION },
	{ OTHER,   1, 1,          "++ynn--y", ALLOW,  PSC_REASON_CAPABLE },
	{ OTHER,   1, 1,          "++ynn--n", REFUSE, PSC_REASON_UNRELATED },
	{ TRACEME, 1, 1,          "++------", ALLOW,  PSC_REASON_TRACEME_FREE },
	{ OTHER,   4, 4,          "++n-----", REFUSE, PSC_REASON_DEAD },
	{ OTHER,   4, 4,          "++yy----", ALLOW,  PSC_REASON_ANCESTOR },
	{ OTHER,   4, 4,          "++yny---", ALLOW,  PSC_REASON_EXCEPTION },
	{ OTHER,   4, 4,          "++ynny--", ALLOW,  PSC_REASON_SIBLING },
	{ OTHER,   4, 4,          "++ynnn-y", ALLOW,  PSC_REASON_CAPABLE },
	{ OTHER,   4, 4,          "++ynnn-n", REFUSE, PSC_REASON_UNRELATED },
	{ TRACEME, 4, 4,          "++------", ALLOW,  PSC_REASON_TRACEME_FREE },
	{ BOTH,    2, 2,          "++-----y", ALLOW,  PSC_REASON_CAPABLE, AS_STRICT },
	{ BOTH,    2, 2,          "++-----n", REFUSE, PSC_REASON_NOT_CAPABLE, AS_STRICT },
	{ OTHER,   2, 2,          "++----y-", ALLOW,  PSC_REASON_EXCEPTION, FREER },
	{ OTHER,   2, 2,          "++----ny", ALLOW,  PSC_REASON_CAPABLE, FREER },
	{ OTHER,   2, 2,          "++----nn", REFUSE, PSC_REASON_NOT_CAPABLE, FREER },
	{ BOTH,    3, 3,          "--------", REFUSE, PSC_REASON_NO_ATTACH },
	{ BOTH,    5, UINT32_MAX, "--------", REFUSE, PSC_REASON_NO_ATTACH },
};

/* Before all of these but the last two, where there is a boundary and the mode is ATTACH. */
static const struct verdict_row outside = {
	.facts = "nn------", .outcome = REFUSE, .reason = PSC_REASON_BOUNDARY,
};

static const unsigned int fact_of[PSC_FACTS] = {
	PSC_FACT_INSIDE, PSC_FACT_CAPABLE_INITIAL, PSC_FACT_ALIVE, PSC_FACT_ANCESTOR, PSC_FACT_EXCEPTION,
	PSC_FACT_SIBLING, PSC_FACT_TRACING, PSC_FACT_CAPABLE_TRACEE,
};
#define ALL_FACTS 255U

/* With equal scopes it is Yama's rule; 3 is nobody, and READ is not asked by Yama at all. */
static bool is_freer(const struct psc_question *q)
{
	return q->mode == PSC_MODE_ATTACH && q->scope == 2 &&
	       (q->traceme == 0 || q->traceme == 1 || q->traceme == 4);
}

static bool row_fits(const struct verdict_row *row, const struct psc_question *q,
		     unsigned int truth)
{
	if (!(row->modes & (q->mode == PSC_MODE_TRACEME ? TRACEME : OTHER)))
		return false;
	if (q->scope < row->scope || q->scope > row->scope_last)
		return false;
	if (row->traceme != ANY && is_freer(q) != (row->traceme == FREER))
		return false;
	for (int i = 2; i < PSC_FACTS; i++)
		if (row->facts[i] != '-' && (row->facts[i] == 'y') != !!(truth & fact_of[i]))
			return false;
	return true;
}

static bool bounded(const struct psc_question *q)
{
	return q->boundary && q->mode == PSC_MODE_ATTACH;
}

/* The one row for these facts. */
static const struct verdict_row *find_row(const struct psc_question *q, unsigned int truth)
{
	const struct verdict_row *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (!row_fits(&verdicts[i], q, truth))
			continue;
		if (found)
			fail_msg("mode %u scope %u facts %x: two rows", q->mode, q->scope, truth);
		found = &verdicts[i];
	}
	if (!found)
		fail_msg("mode %u scope %u facts %x: no row", q->mode, q->scope, truth);
	if (found->facts[0] == '+' && bounded(q) && !(truth & (PSC_FACT_INSIDE | PSC_FACT_CAPABLE_INITIAL)))
		return &outside;
	return found;
}

/* What a row says is asked for, with '+' spelled out. */
static void wanted_questions(const struct verdict_row *row, const struct psc_question *q,
			     unsigned int truth, char ret[PSC_FACTS + 1])
{
	memcpy(ret, row->facts, PSC_FACTS + 1);
	if (row->facts[0] != '+')
		return;
	memcpy(ret, !bounded(q) ? "--" : truth & PSC_FACT_INSIDE ? "y-" : "ny", 2);
}

static bool is_row(const struct psc_verdict *verdict, const struct verdict_row *row)
{
	return !verdict->need && verdict->refused == row->outcome &&
	       verdict->reason == row->reason;
}

/* Ask as a hook does: start with nothing, gather what is asked for. */
static void play(const struct psc_question *q, unsigned int truth)
{
	const struct verdict_row *row = find_row(q, truth);
	char asked[] = "--------", wanted[PSC_FACTS + 1];
	unsigned int known = 0, calls = 0;
	struct psc_verdict verdict;
	int last = -1;

	while (calls++, (verdict = psc_judge(q, known, known & truth)).need) {
		int i = 0;

		while (i < PSC_FACTS && fact_of[i] != verdict.need)
			i++;
		/* A single fact, not known yet, in the order of the table. */
		assert_true(i < PSC_FACTS);
		assert_int_equal(known & verdict.need, 0);
		assert_true(i > last);
		last = i;
		known |= verdict.need;
		asked[i] = truth & verdict.need ? 'y' : 'n';
	}
	assert_true(calls <= PSC_FACTS + 1);
	wanted_questions(row, q, truth, wanted);
	if (!is_row(&verdict, row) || strcmp(asked, wanted) != 0)
		fail_msg("mode %u scope %u boundary %u facts %x: refused %u reason %u asked %s",
			 q->mode, q->scope, q->boundary, truth, verdict.refused, verdict.reason,
			 asked);
}

/*
 * With any facts known beforehand: ask for an unknown one, or decide, and then
 * as the table does whatever the unknown ones may be.
 */
static void ask_once(const struct psc_question *q, unsigned int known, unsigned int holds)
{
	struct psc_verdict verdict = psc_judge(q, known, holds);

	if (verdict.need) {
		assert_int_equal(verdict.need & (verdict.need - 1), 0);
		assert_int_equal(verdict.need & ~ALL_FACTS, 0);
		assert_int_equal(verdict.need & known, 0);
		return;
	}
	for (unsigned int truth = 0; truth <= ALL_FACTS; truth++)
		if ((truth & known) == holds)
			assert_true(is_row(&verdict, find_row(q, truth)));
}

static const unsigned int scopes[] = {
	0, 1, 2, 3, 4, 5, 255, 256, 257, 0x80000000, UINT32_MAX,
};

static void test_verdicts(void **state)
{
	unsigned int games = 0, questions = 0;
	(void)state;

	for (size_t i = 0; i < 3 * 2 * 6 * ARRAY_SIZE(scopes); i++) {
		struct psc_question q = {
			.mode = (__u32)(i % 3), .boundary = (__u32)(i / 3 % 2),
			.traceme = scopes[i / 6 % 6], .scope = scopes[i / 36],
		};

		for (unsigned int truth = 0; truth <= ALL_FACTS; truth++, games++)
			play(&q, truth);
		if (q.traceme && !(q.traceme == 2 && q.scope == 2))
			continue;
		for (unsigned int known = 0; known <= ALL_FACTS; known++)
			for (unsigned int holds = 0; holds <= ALL_FACTS; holds++)
				if (!(holds & ~known)) {
					ask_once(&q, known, holds);
					questions++;
				}
	}
	assert_int_equal(games, 3 * 2 * 6 * 11 * 256);
	assert_int_equal(questions, 3 * 2 * (11 + 1) * 6561);
}

/* The words in their order, and what is none. */
static void test_ranks(void **state)
{
	static const unsigned int order[] = {
		PSC_SCOPE_CLASSIC, PSC_SCOPE_SIBLINGS, PSC_SCOPE_RESTRICTED, PSC_SCOPE_ADMIN_ONLY,
		PSC_SCOPE_NO_ATTACH,
	};
	(void)state;

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(psc_scope_rank(order[i]), i);
		for (unsigned int j = 0; j < ARRAY_SIZE(order); j++)
			assert_int_equal(psc_scope_stricter(order[i], order[j]),
					 order[i > j ? i : j]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (scopes[i] > PSC_SCOPE_SIBLINGS)
			assert_int_equal(psc_scope_rank(scopes[i]),
					 psc_scope_rank(PSC_SCOPE_NO_ATTACH));
}

/*
 * Changes, for one mode. A state is written as scope and floor; the table says
 * what becomes of each state, "--" is "locked". Policies beyond these ten do
 * not occur.
 */
static const char states[10][3] = { "00", "10", "11", "20", "21", "22", "30", "31", "32", "33" };

enum { SET = 1, RAISE = 2, LOCK = 4, UNSET = 8 };

/* The verbs for some modes, with the same value for all. */
static struct psc_request make_request(unsigned int verbs, __u32 modes, unsigned int value,
				       __u32 flags)
{
	return (struct psc_request){
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .flags = flags,
		.set = verbs & SET ? modes : 0, .raise = verbs & RAISE ? modes : 0,
		.lock = verbs & LOCK ? modes : 0, .unset = verbs & UNSET ? modes : 0,
		.want = PSC_WANT((__u8)value),
	};
}

static const struct change_row {
	unsigned int op, flags, value;
	char after[10][3];
} changes[] = {
	{ SET, 0, 0, { "00", "00", "--", "00", "--", "--", "00", "--", "--", "--" } },
	{ SET, 0, 1, { "10", "10", "11", "10", "11", "--", "10", "11", "--", "--" } },
	{ SET, 0, 2, { "20", "20", "21", "20", "21", "22", "20", "21", "22", "--" } },
	{ SET, 0, 3, { "33", "33", "33", "33", "33", "33", "33", "33", "33", "33" } },
	/* revocable: as above, but a 3 leaves the floor where it is */
	{ SET, 1, 0, { "00", "00", "--", "00", "--", "--", "00", "--", "--", "--" } },
	{ SET, 1, 1, { "10", "10", "11", "10", "11", "--", "10", "11", "--", "--" } },
	{ SET, 1, 2, { "20", "20", "21", "20", "21", "22", "20", "21", "22", "--" } },
	{ SET, 1, 3, { "30", "30", "31", "30", "31", "32", "30", "31", "32", "33" } },
	{ RAISE, 0, 0,
	  { "00", "10", "--", "20", "--", "--", "30", "--", "--", "--" } },
	{ RAISE, 0, 1,
	  { "11", "11", "11", "21", "21", "--", "31", "31", "--", "--" } },
	{ RAISE, 0, 2,
	  { "22", "22", "22", "22", "22", "22", "32", "32", "32", "--" } },
	{ RAISE, 0, 3,
	  { "33", "33", "33", "33", "33", "33", "33", "33", "33", "33" } },
};

static void put_state(union psc_policy *policy, unsigned int mode, const char *text)
{
	policy->scope[mode] = (__u8)(text[0] - '0');
	policy->floor[mode] = (__u8)(text[1] - '0');
}

/*
 * One row of the table for all modes at once, each in a state of its own; of the global
 * policy, or of a cgroup below which no floor is, which follows the same rules.
 */
static void try_change(const struct change_row *row, unsigned int modes, const size_t in[PSC_MODES],
		       const union psc_policy *above)
{
	/* The slot of the boundary is not asked about. */
	union psc_policy policy = { .scope[PSC_MODES] = 0xa5, .floor[PSC_MODES] = 0x5a };
	union psc_policy before, wanted;
	struct psc_request req = make_request(row->op, modes, row->value,
					      row->flags | (above ? PSC_FLAG_CGROUP : 0));
	struct psc_request req_before;
	unsigned int n_modes = 0, n_locked = 0;
	bool locked;
	int err;

	/* Out fields are not looked at. */
	req.build = 0x123456789abcdef;
	req.policy.word = ~0ULL;
	req_before = req;
	for (unsigned int mode = 0; mode < PSC_MODES; mode++)
		put_state(&policy, mode, states[in[mode]]);
	before = wanted = policy;
	for (unsigned int mode = 0; mode < PSC_MODES; mode++) {
		const char *after = row->after[in[mode]];

		if (!(modes & (1U << mode)))
			continue;
		n_modes++;
		if (after[0] == '-')
			n_locked++;
		else
			put_state(&wanted, mode, after);
	}
	/* A scope is set for all modes or none; a floor is raised where it is lower. */
	locked = row->op == SET ? n_locked > 0 : n_locked == n_modes;

	err = psc_policy_change(&policy, &req, above);
	if (err != (locked ? -PSC_E_LOCKED : 0) ||
	    policy.word != (locked ? before.word : wanted.word))
		fail_msg("op %u flags %u value %u modes %x on %s %s %s: %d, %llx", row->op,
			 row->flags, row->value, modes, states[in[0]], states[in[1]],
			 states[in[2]], err, (unsigned long long)policy.word);
	assert_memory_equal(&req, &req_before, sizeof(req));
}

static void test_changes(void **state)
{
	const union psc_policy nothing = { 0 };
	unsigned int tried = 0;
	(void)state;

	for (size_t row = 0; row < ARRAY_SIZE(changes); row++)
		for (unsigned int modes = 1; modes < 8; modes++)
			for (size_t i = 0; i < 2000; i++, tried++)
				try_change(&changes[row], modes,
					   (size_t[]){ i % 10, i / 10 % 10, i / 100 % 10 },
					   i < 1000 ? NULL : &nothing);
	assert_int_equal(tried, 12 * 7 * 2000);
}

/*
 * Changes of a cgroup's entry for one mode, by what there is above: scope and floor before
 * and after as words, "-" is no opinion or no floor; "locked" and "range" are refusals.
 */
static const struct entry_row {
	const char *before, *above;
	unsigned int op, flags;
	const char *value, *after;
} entry_rows[] = {
	{ "- -", "-", SET, 0, "classic", "classic -" },
	{ "- -", "-", SET, 0, "siblings", "siblings -" },
	{ "- -", "-", SET, 0, "no-attach", "no-attach no-attach" },
	{ "- -", "-", SET, PSC_FLAG_REVOCABLE, "no-attach", "no-attach -" },
	{ "- -", "siblings", SET, 0, "classic", "locked" },
	{ "- -", "siblings", SET, 0, "siblings", "siblings -" },
	{ "- -", "siblings", SET, 0, "restricted", "restricted -" },
	{ "- -", "restricted", SET, 0, "siblings", "locked" },
	{ "- -", "restricted", SET, 0, "restricted", "restricted -" },
	{ "- -", "no-attach", SET, 0, "admin-only", "locked" },
	{ "classic -", "admin-only", SET, 0, "restricted", "locked" },
	{ "siblings siblings", "-", SET, 0, "classic", "locked" },
	{ "siblings siblings", "-", SET, 0, "restricted", "restricted siblings" },
	{ "restricted restricted", "-", SET, 0, "siblings", "locked" },
	{ "- restricted", "-", SET, 0, "siblings", "locked" },
	{ "- restricted", "-", SET, 0, "admin-only", "admin-only restricted" },

	{ "- -", "-", RAISE, 0, "restricted", "- restricted" },
	{ "- -", "-", RAISE, 0, "siblings", "- siblings" },
	{ "classic -", "-", RAISE, 0, "siblings", "siblings siblings" },
	{ "restricted -", "-", RAISE, 0, "siblings", "restricted siblings" },
	{ "siblings siblings", "-", RAISE, 0, "restricted", "restricted restricted" },
	{ "restricted restricted", "-", RAISE, 0, "siblings", "locked" },
	{ "restricted restricted", "-", RAISE, 0, "classic", "locked" },
	{ "classic -", "no-attach", RAISE, 0, "restricted", "restricted restricted" },

	{ "restricted -", "-", UNSET, 0, "classic", "- -" },
	{ "no-attach -", "no-attach", UNSET, 0, "classic", "- -" },
	{ "- -", "-", UNSET, 0, "classic", "- -" },
	{ "restricted siblings", "-", UNSET, 0, "classic", "locked" },
	{ "- siblings", "-", UNSET, 0, "classic", "locked" },
};

static unsigned int scope_of(const char *text, unsigned int none)
{
	static const char *const words[] = {
		"classic", "restricted", "admin-only", "no-attach", "siblings",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return i;
	return none;
}

static void put_words(union psc_policy *policy, unsigned int mode, const char *text)
{
	policy->scope[mode] = (__u8)scope_of(text, PSC_SCOPE_INHERIT);
	policy->floor[mode] = (__u8)scope_of(strchr(text, ' ') + 1, 0);
}

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entry_rows) * PSC_MODES; i++) {
		const struct entry_row *row = &entry_rows[i / PSC_MODES];
		const unsigned int mode = i % PSC_MODES;
		union psc_policy policy = PSC_POLICY_NONE, wanted = policy, above = { 0 };
		struct psc_request req = make_request(row->op, PSC_MODE_BIT(mode),
						      scope_of(row->value, 0),
						      row->flags | PSC_FLAG_CGROUP);
		bool locked = strcmp(row->after, "locked") == 0;
		int err;

		req.dir_fd = 7;
		req.origin = PSC_ORIGIN_RUNTIME;
		put_words(&policy, mode, row->before);
		above.floor[mode] = (__u8)scope_of(row->above, 0);
		put_words(&wanted, mode, locked ? row->before : row->after);
		err = psc_policy_change(&policy, &req, &above);
		if (err != (locked ? -PSC_E_LOCKED : 0) || policy.word != wanted.word)
			fail_msg("row %zu: %d, %llx", i / PSC_MODES, err,
				 (unsigned long long)policy.word);
	}
}

/*
 * Several verbs at once: a scope to set, a floor to raise to, "lock" or not; what is in force
 * above, scope and floor; "nothing" where there is nothing to lock. Of the global policy
 * where nothing is above and something is before.
 */
static const struct whole_row {
	const char *before, *above;
	unsigned int verbs;
	const char *scope, *floor, *after;
} wholes[] = {
	/* set and lock: what "cgroup set --lock" is */
	{ "- -", "- -", SET | LOCK, "restricted", "-", "restricted restricted" },
	{ "- -", "- -", SET | LOCK, "siblings", "-", "siblings siblings" },
	{ "admin-only -", "- -", SET | LOCK, "restricted", "-", "restricted restricted" },
	{ "- -", "classic admin-only", SET | LOCK, "restricted", "-", "locked" },
	{ "- -", "classic restricted", SET | LOCK, "admin-only", "-", "admin-only admin-only" },
	{ "- -", "- -", SET | LOCK, "classic", "-", "nothing" },
	{ "restricted -", "- -", SET | LOCK, "classic", "-", "nothing" },
	{ "restricted restricted", "- -", SET | LOCK, "classic", "-", "locked" },
	{ "restricted restricted", "- -", SET | LOCK, "no-attach", "-", "no-attach no-attach" },
	/* lock: what is in force there, wherever it comes from */
	{ "- -", "restricted -", LOCK, "-", "-", "- restricted" },
	{ "- -", "siblings -", LOCK, "-", "-", "- siblings" },
	{ "- -", "restricted restricted", LOCK, "-", "-", "- restricted" },
	{ "classic -", "restricted restricted", LOCK, "-", "-", "restricted restricted" },
	{ "classic -", "restricted -", LOCK, "-", "-", "nothing" },
	{ "- -", "classic -", LOCK, "-", "-", "nothing" },
	{ "- admin-only", "restricted -", LOCK, "-", "-", "- admin-only" },
	{ "no-attach -", "restricted -", LOCK, "-", "-", "no-attach no-attach" },
	{ "restricted restricted", "classic -", LOCK, "-", "-", "restricted restricted" },
	/* set and raise: what a configuration is; the scope goes with the floor */
	{ "- -", "- -", SET | RAISE, "restricted", "admin-only", "admin-only admin-only" },
	{ "- -", "- -", SET | RAISE, "admin-only", "restricted", "admin-only restricted" },
	{ "admin-only admin-only", "- -", SET | RAISE, "restricted", "admin-only",
	  "admin-only admin-only" },
	{ "no-attach no-attach", "- -", SET | RAISE, "restricted", "admin-only", "locked" },
	{ "- -", "- -", SET | RAISE, "no-attach", "restricted", "no-attach no-attach" },
	/* a floor alone that is lower is refused, and so is what goes with it */
	{ "admin-only admin-only", "- -", SET | RAISE, "no-attach", "restricted", "locked" },
	/* unset and raise: a scope that goes, a floor that comes */
	{ "classic -", "- -", UNSET | RAISE, "-", "restricted", "- restricted" },
	{ "classic -", "restricted -", UNSET | LOCK, "-", "-", "- restricted" },
	{ "restricted restricted", "- -", UNSET | RAISE, "-", "admin-only", "locked" },
};

static void try_whole(const struct whole_row *row, unsigned int mode, bool cgroup)
{
	union psc_policy policy = cgroup ? PSC_POLICY_NONE : (union psc_policy){ 0 };
	union psc_policy before, wanted, above = { 0 };
	struct psc_request req = make_request(row->verbs, PSC_MODE_BIT(mode), 0,
					      cgroup ? PSC_FLAG_CGROUP : 0);
	int err, wanted_err = strcmp(row->after, "locked") == 0 ? -PSC_E_LOCKED :
			      strcmp(row->after, "nothing") == 0 ? -PSC_E_NODATA : 0;

	put_words(&policy, mode, row->before);
	before = wanted = policy;
	put_words(&above, mode, row->above);
	if (above.scope[mode] == PSC_SCOPE_INHERIT)
		above.scope[mode] = 0;
	if (!wanted_err)
		put_words(&wanted, mode, row->after);
	req.want.scope[mode] = (__u8)scope_of(row->scope, 0);
	req.want.floor[mode] = (__u8)scope_of(row->floor, 0);
	err = psc_policy_change(&policy, &req, cgroup ? &above : NULL);
	if (err != wanted_err || policy.word != (err ? before.word : wanted.word))
		fail_msg("row %zu, %d: %d, %llx", (size_t)(row - wholes), cgroup, err,
			 (unsigned long long)policy.word);
}

static void test_wholes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wholes); i++) {
		const struct whole_row *row = &wholes[i];
		bool global = row->before[0] != '-' && !(row->verbs & UNSET) &&
			      strcmp(row->above, "- -") == 0;

		for (unsigned int mode = 0; mode < PSC_MODES; mode++) {
			try_whole(row, mode, true);
			if (global)
				try_whole(row, mode, false);
		}
	}
}

/* Different verbs and values for each mode; one mode that cannot be refuses all of them. */
static void test_whole_or_nothing(void **state)
{
	const union psc_policy first = { .scope = { 1, 2, 0, 1 }, .floor = { 0, 2, 0, 0 } };
	union psc_policy policy = first, lost = { .floor = { 2 } };
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE,
		.set = PSC_MODE_BIT(PSC_MODE_ATTACH) | PSC_MODE_BIT(PSC_MODE_TRACEME),
		.raise = PSC_MODE_BIT(PSC_MODE_READ), .lock = PSC_MODE_BIT(PSC_MODE_BOUNDARY),
		.want = { .scope = { 0, 1 }, .floor = { [PSC_MODE_READ] = 1 } },
	};
	(void)state;

	assert_int_equal(psc_policy_change(&policy, &req, NULL), -PSC_E_LOCKED);
	assert_int_equal(policy.word, first.word);
	req.want.scope[PSC_MODE_TRACEME] = 3;
	assert_int_equal(psc_policy_change(&policy, &req, &lost), -PSC_E_LOCKED);
	assert_int_equal(policy.word, first.word);
	assert_int_equal(psc_policy_change(&policy, &req, NULL), 0);
	assert_memory_equal(policy.scope, ((__u8[]){ 0, 3, 1, 1 }), 4);
	assert_memory_equal(policy.floor, ((__u8[]){ 0, 3, 1, 1 }), 4);
	/* Of several modes to lock those at 0 are left out, but not all. */
	req = make_request(LOCK, PSC_MODES_ALL, 0, 0);
	policy = (union psc_policy){ .scope = { 1, 0, 0, 0 } };
	assert_int_equal(psc_policy_change(&policy, &req, NULL), 0);
	assert_memory_equal(policy.floor, ((__u8[]){ 1, 0, 0, 0 }), 4);
	policy = (union psc_policy){ 0 };
	assert_int_equal(psc_policy_change(&policy, &req, NULL), -PSC_E_NODATA);
	assert_int_equal(policy.word, 0);
}

/* What holds: policies from a cgroup upwards, each "scope floor"; the last is global. */
static const struct {
	const char *path[4];
	const char *scope;
	unsigned int from;		/* index in the path */
} paths[] = {
	{ { "restricted -" }, "restricted", 0 },
	{ { "- -", "restricted -" }, "restricted", 1 },
	{ { "classic -", "restricted -" }, "classic", 0 },
	{ { "- -", "classic -", "siblings -", "no-attach -" }, "classic", 1 },
	{ { "classic -", "- restricted", "classic -" }, "restricted", 1 },
	{ { "classic -", "classic -", "restricted restricted" }, "restricted", 2 },
	{ { "admin-only -", "- restricted", "classic -" }, "admin-only", 0 },
	{ { "restricted -", "- siblings", "classic -" }, "restricted", 0 },
	{ { "siblings -", "- restricted", "classic -" }, "restricted", 1 },
	{ { "classic -", "- siblings", "classic -" }, "siblings", 1 },
	{ { "classic -", "- siblings", "- restricted", "classic -" }, "restricted", 2 },
	{ { "classic -", "- restricted", "- siblings", "classic -" }, "restricted", 1 },
	{ { "classic -", "- restricted", "- restricted", "classic -" }, "restricted", 1 },
	{ { "- admin-only", "- -", "classic -" }, "admin-only", 0 },
};

static void test_effective(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths) * PSC_MODES; i++) {
		const unsigned int row = (unsigned int)i / PSC_MODES, mode = i % PSC_MODES;
		struct psc_effective effective = PSC_EFFECTIVE_NONE;

		for (unsigned int j = 0; j < 4 && paths[row].path[j]; j++) {
			union psc_policy policy = PSC_POLICY_NONE;

			put_words(&policy, mode, paths[row].path[j]);
			psc_effective_add(&effective, &policy, 100 + j);
		}
		psc_effective_end(&effective);
		if (effective.policy.scope[mode] != scope_of(paths[row].scope, 9) ||
		    effective.scope_from[mode] != 100 + paths[row].from)
			fail_msg("row %u: scope %u from %llu", row, effective.policy.scope[mode],
				 (unsigned long long)effective.scope_from[mode]);
		for (unsigned int other = 0; other < PSC_MODE_SLOTS; other++)
			if (other != mode)
				assert_int_equal(effective.policy.scope[other], PSC_SCOPE_INHERIT);
	}
}

/* What holds where a process is, what it keeps of where it was, and the sum. */
static void test_kept(void **state)
{
	static const struct { const char *here, *kept, *sum, *values; } rows[] = {
		{ "classic", "restricted", "restricted", "restricted" },
		{ "classic", "siblings", "siblings", "restricted" },
		{ "siblings", "siblings", "restricted", "restricted" },
		{ "siblings", "classic", "siblings", "siblings" },
		{ "restricted", "siblings", "restricted", "restricted" },
		{ "admin-only", "restricted", "admin-only", "admin-only" },
		{ "admin-only", "no-attach", "no-attach", "no-attach" },
		{ "admin-only", "-", "admin-only", "admin-only" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned int mode = 0; mode < PSC_MODES; mode++) {
			union psc_policy kept = PSC_POLICY_NONE, values = {};
			struct psc_effective effective = PSC_EFFECTIVE_NONE, other;
			__u8 sum = (__u8)scope_of(rows[i].sum, 9);

			effective.policy.scope[mode] = (__u8)scope_of(rows[i].here, 9);
			effective.scope_from[mode] = 7;
			other = effective;
			if (!streq(rows[i].kept, "-"))
				kept.scope[mode] = (__u8)scope_of(rows[i].kept, 9);
			psc_effective_raise(&effective, &kept, 8);
			assert_int_equal(effective.policy.scope[mode], sum);
			assert_int_equal(effective.scope_from[mode],
					 streq(rows[i].here, rows[i].sum) ? 7 : 8);
			psc_scopes_add(&values, &kept);
			psc_effective_raise(&other, &values, PSC_SOURCE_SEVERAL);
			assert_int_equal(other.policy.scope[mode], scope_of(rows[i].values, 9));
		}
	}
}

/* The scopes that stick after a request: "-" for none. */
static void test_sticky(void **state)
{
	static const struct { unsigned int scope, before, stick, unstick, after; } rows[] = {
		{ 2, PSC_SCOPE_INHERIT, 0, 0, PSC_SCOPE_INHERIT },
		{ 2, PSC_SCOPE_INHERIT, 1, 0, 2 },
		{ 2, 1, 0, 0, 2 },
		{ 2, 1, 0, 1, PSC_SCOPE_INHERIT },
		{ PSC_SCOPE_INHERIT, 1, 0, 0, PSC_SCOPE_INHERIT },
		{ PSC_SCOPE_INHERIT, PSC_SCOPE_INHERIT, 1, 0, PSC_SCOPE_INHERIT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
			union psc_policy policy = PSC_POLICY_NONE, before = PSC_POLICY_NONE, wanted;

			policy.scope[mode] = (__u8)rows[i].scope;
			before.scope[mode] = (__u8)rows[i].before;
			wanted = PSC_POLICY_NONE;
			wanted.scope[mode] = (__u8)rows[i].after;
			policy.floor[mode] = 1;
			policy = psc_policy_sticky(&policy, &before, rows[i].stick << mode,
						   rows[i].unstick << mode);
			assert_true(policy.word == wanted.word);
		}
	}
}

/* A good request with some fields damaged; each alone must be enough. */
static const struct {
	struct psc_request req;
	int global, cgroup;		/* what becomes of it */
} requests[] = {
#define BAD -PSC_E_INVAL, -PSC_E_INVAL
#define RANGE -PSC_E_RANGE, -PSC_E_RANGE
#define CHANGE(...) { .abi = PSC_ABI, .op = PSC_OP_CHANGE, __VA_ARGS__ }
	{ { .abi = 0, .op = PSC_OP_CHANGE, .set = 3, .want = PSC_WANT(1) }, BAD },
	{ { .abi = PSC_ABI + 1, .op = PSC_OP_CHANGE, .set = 3, .want = PSC_WANT(1) }, BAD },
	{ { .abi = UINT32_MAX, .op = PSC_OP_CHANGE, .set = 3, .want = PSC_WANT(1) }, BAD },
	{ { .abi = 0, .op = PSC_OP_INFO }, BAD },
	{ { .abi = PSC_ABI, .op = PSC_OP_GUARD, .set = 3 }, BAD },
	{ { .abi = PSC_ABI, .op = 3, .set = 3 }, BAD },
	{ { .abi = PSC_ABI, .op = 256 + PSC_OP_CHANGE, .set = 3 }, BAD },
	{ { .abi = PSC_ABI, .op = UINT32_MAX, .set = 3 }, BAD },
	{ CHANGE(), BAD },
	{ CHANGE(.want = PSC_WANT(1)), BAD },
	{ CHANGE(.set = 16), BAD },
	{ CHANGE(.set = 16 | 1), BAD },
	{ CHANGE(.set = 0x80000001), BAD },
	{ CHANGE(.raise = 32), BAD },
	{ CHANGE(.lock = 16), BAD },
	{ CHANGE(.unset = 16), BAD },
	{ CHANGE(.stick = 16, .flags = PSC_FLAG_CGROUP), BAD },
	{ CHANGE(.unstick = 16, .flags = PSC_FLAG_CGROUP), BAD },
	{ CHANGE(.stick = 1, .unstick = 3, .flags = PSC_FLAG_CGROUP), BAD },
	{ CHANGE(.stick = 1, .unset = 1, .flags = PSC_FLAG_CGROUP), BAD },
	{ CHANGE(.set = 1, .raise = 16), BAD },
	{ CHANGE(.set = 1, .lock = 0x80000000), BAD },
	{ CHANGE(.set = 3, .value = 1), BAD },
	{ CHANGE(.set = 3, .want = PSC_WANT(1), .flags = PSC_FLAG_CGROUP), 0, 0 },
	{ CHANGE(.set = 3, .flags = 4), BAD },
	{ CHANGE(.set = 3, .flags = 0x80000001), BAD },
	{ CHANGE(.raise = 3, .want = PSC_WANT(3), .flags = PSC_FLAG_REVOCABLE), BAD },
	{ CHANGE(.lock = 3, .flags = PSC_FLAG_REVOCABLE), BAD },
	{ CHANGE(.unset = 3, .flags = PSC_FLAG_REVOCABLE), BAD },
	{ CHANGE(.unset = 3, .set = 1), BAD },
	{ CHANGE(.unset = 4), -PSC_E_INVAL, 0 },
	{ CHANGE(.unset = 4, .set = 1, .want = PSC_WANT(1)), -PSC_E_INVAL, 0 },
	{ CHANGE(.set = 3, .want = PSC_WANT(1), .dir_fd = 1), -PSC_E_INVAL, 0 },
	{ CHANGE(.set = 3, .want = PSC_WANT(1), .origin = 1), -PSC_E_INVAL, 0 },
	{ CHANGE(.set = 3, .origin = 3), BAD },
	{ { .abi = PSC_ABI, .op = PSC_OP_INFO, .dir_fd = 1 }, -PSC_E_INVAL, 0 },
	{ CHANGE(.set = 3, .want = PSC_WANT(5)), RANGE },
	{ CHANGE(.set = 3, .want = PSC_WANT(255)), RANGE },
	{ CHANGE(.set = 3, .want = { .scope = { 1, 128 } }), RANGE },
	{ CHANGE(.set = 3, .want = PSC_WANT(5), .flags = PSC_FLAG_REVOCABLE), RANGE },
	{ CHANGE(.raise = 7, .want = PSC_WANT(5)), RANGE },
	{ CHANGE(.set = 1, .raise = 4, .want = { .scope = { 1 }, .floor = { 0, 0, 5 } }), RANGE },
	{ CHANGE(.set = 3, .want = PSC_WANT(PSC_SCOPE_SIBLINGS)), -PSC_E_RANGE, 0 },
	{ CHANGE(.raise = 3, .want = PSC_WANT(PSC_SCOPE_SIBLINGS)), -PSC_E_RANGE, 0 },
	/* The boundary is on or off. */
	{ CHANGE(.set = 8, .want = PSC_WANT(1)), 0, 0 },
	{ CHANGE(.raise = 8, .want = PSC_WANT(1)), 0, 0 },
	{ CHANGE(.set = 8, .want = PSC_WANT(2)), RANGE },
	{ CHANGE(.raise = 8, .want = PSC_WANT(2)), RANGE },
	{ CHANGE(.set = 8, .want = PSC_WANT(PSC_SCOPE_SIBLINGS)), RANGE },
	{ CHANGE(.set = 8 | 1, .want = PSC_WANT(2)), RANGE },
	/* What is not asked for is not looked at. */
	{ CHANGE(.set = 4, .want = { .scope = { 9, 9, 1, 9 }, .floor = { 9, 9, 9, 9 } }), 0, 0 },
	/* Only to ask changes nothing, and looks at nothing else. */
	{ { .abi = PSC_ABI, .op = PSC_OP_INFO }, 0, 0 },
	{ { .abi = PSC_ABI, .op = PSC_OP_INFO, .set = UINT32_MAX, .value = UINT32_MAX }, 0, 0 },
	{ { .abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_REVOCABLE }, BAD },
};

static void test_bad_requests(void **state)
{
	const union psc_policy above = { 0 };
	(void)state;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(requests); i++) {
		struct psc_request req = requests[i / 2].req;
		union psc_policy policy = { .scope = { 2, 1, 0 }, .floor = { 1, 1, 0 } };
		const union psc_policy before = policy;
		bool cgroup = i % 2;
		int err, wanted = cgroup ? requests[i / 2].cgroup : requests[i / 2].global;

		req.flags |= cgroup ? PSC_FLAG_CGROUP : 0;
		err = psc_policy_change(&policy, &req, cgroup ? &above : NULL);
		/* The good ones are tried elsewhere; here some meet a floor. */
		if (err == -PSC_E_LOCKED)
			err = 0;
		if (err != wanted || (err && policy.word != before.word))
			fail_msg("row %zu, %d: %d, %llx", i / 2, cgroup, err,
				 (unsigned long long)policy.word);
	}
}

static uint64_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33);
}

/* Mostly sensible values, now and then any. */
static uint32_t random_field(uint32_t sensible)
{
	return next_random() % 16 ? next_random() % sensible : next_random() << 1;
}

static __u32 random_modes(void)
{
	return next_random() % 2 ? 0 : random_field(PSC_MODES_ALL + 1);
}

static struct psc_request random_request(bool cgroup)
{
	struct psc_request req = {
		.abi = next_random() % 16 ? PSC_ABI : next_random(),
		.op = next_random() % 16 ? PSC_OP_CHANGE : random_field(PSC_OP_GUARD + 2),
		.set = random_modes(), .raise = random_modes(), .lock = random_modes(),
		.unset = next_random() % 4 ? 0 : random_modes(),
		.flags = next_random() % 4 ? 0 : random_field(4),
		.origin = next_random() % 16 ? 0 : next_random(),
		.dir_fd = next_random() % 16 ? 0 : (int)next_random(),
		.build = next_random(),
		.policy.word = next_random(),
	};

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int most = mode == PSC_MODE_BOUNDARY ? 2 : PSC_SCOPE_MAX + 1;

		req.want.scope[mode] = (__u8)random_field(next_random() % 16 ? most : 6);
		req.want.floor[mode] = (__u8)random_field(next_random() % 16 ? most : 6);
	}
	/* Whose policy it is tells psc_ctl which one to look at. */
	req.flags = (req.flags & ~PSC_FLAG_CGROUP) | (cgroup ? PSC_FLAG_CGROUP : 0);
	return req;
}

/* What holds after any request, however it came out. */
static void check_step(union psc_policy before, union psc_policy after,
		       const struct psc_request *req, bool cgroup, int err)
{
	__u32 asked = req->set | req->raise | req->lock | req->unset;

	if (err) {
		assert_int_equal(after.word, before.word);
		assert_true(err == -PSC_E_INVAL || err == -PSC_E_RANGE || err == -PSC_E_LOCKED ||
			    err == -PSC_E_NODATA);
	}
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		bool none = cgroup && after.scope[mode] == PSC_SCOPE_INHERIT;

		assert_true(psc_scope_rank(after.floor[mode]) >= psc_scope_rank(before.floor[mode]));
		assert_true(none || psc_scope_rank(after.floor[mode]) <=
				    psc_scope_rank(after.scope[mode]));
		assert_true(none || psc_value_fits(mode, after.scope[mode], cgroup));
		assert_true(psc_value_fits(mode, after.floor[mode], cgroup));
		if (!err && req->op == PSC_OP_CHANGE && (req->lock & PSC_MODE_BIT(mode)) && !none)
			assert_int_equal(after.floor[mode], after.scope[mode]);
		if (!(asked & PSC_MODE_BIT(mode))) {
			assert_int_equal(after.scope[mode], before.scope[mode]);
			assert_int_equal(after.floor[mode], before.floor[mode]);
		}
	}
}

static void play_sequence(bool cgroup)
{
	const union psc_policy first = cgroup ? PSC_POLICY_NONE : (union psc_policy){ 0 };
	unsigned int changed = 0, refused = 0, locked = 0, finals = 0;
	union psc_policy policy = first, above = { 0 };

	for (unsigned int i = 0; i < 2000000; i++) {
		struct psc_request req = random_request(cgroup);
		union psc_policy before = policy;
		int err = psc_policy_change(&policy, &req, cgroup ? &above : NULL);

		check_step(before, policy, &req, cgroup, err);
		changed += policy.word != before.word;
		refused += err && err != -PSC_E_LOCKED && err != -PSC_E_NODATA;
		locked += err == -PSC_E_LOCKED;
		/* All is final: a reboot. */
		if (policy.floor[0] == 3 && policy.floor[1] == 3 && policy.floor[2] == 3) {
			policy = first;
			finals++;
		}
	}
	print_message("%u changed, %u refused, %u locked, %u finals\n", changed, refused, locked,
		      finals);
	assert_true(changed > 50000 && refused > 100000 && locked > 50000 && finals > 10000);
}

static void test_random_sequence(void **state)
{
	(void)state;
	random_state = 20240607;
	print_message("seed %llu\n", (unsigned long long)random_state);
	play_sequence(false);
	play_sequence(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_wholes),
		cmocka_unit_test(test_whole_or_nothing),
		cmocka_unit_test(test_effective),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_random_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
