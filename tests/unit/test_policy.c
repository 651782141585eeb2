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
 * security/yama/yama_lsm.c; READ is judged like ATTACH. The facts stand in the
 * order in which they are asked for, "AXEC" is: alive, ancestor, exception,
 * capable. 'y' and 'n' are what holds, '-' must not be asked for.
 */
enum { OTHER = 1, TRACEME = 2, BOTH = 3 };	/* OTHER: ATTACH and READ */
enum { ALLOW, REFUSE };

static const struct verdict_row {
	unsigned int modes;
	unsigned int scope, scope_last;
	const char *facts;
	int outcome;
	enum psc_reason reason;
} verdicts[] = {
	{ BOTH,    0, 0,          "----", ALLOW,  PSC_REASON_SCOPE_CLASSIC },
	{ OTHER,   1, 1,          "n---", REFUSE, PSC_REASON_DEAD },
	{ OTHER,   1, 1,          "yy--", ALLOW,  PSC_REASON_ANCESTOR },
	{ OTHER,   1, 1,          "yny-", ALLOW,  PSC_REASON_EXCEPTION },
	{ OTHER,   1, 1,          "ynny", ALLOW,  PSC_REASON_CAPABLE },
	{ OTHER,   1, 1,          "ynnn", REFUSE, PSC_REASON_UNRELATED },
	{ TRACEME, 1, 1,          "----", ALLOW,  PSC_REASON_TRACEME_FREE },
	{ BOTH,    2, 2,          "---y", ALLOW,  PSC_REASON_CAPABLE },
	{ BOTH,    2, 2,          "---n", REFUSE, PSC_REASON_NOT_CAPABLE },
	{ BOTH,    3, UINT32_MAX, "----", REFUSE, PSC_REASON_NO_ATTACH },
};

static const unsigned int fact_of[PSC_FACTS] = {
	PSC_FACT_ALIVE, PSC_FACT_ANCESTOR, PSC_FACT_EXCEPTION, PSC_FACT_CAPABLE,
};
#define ALL_FACTS 15U

static bool row_fits(const struct verdict_row *row, unsigned int mode, unsigned int scope,
		     unsigned int truth)
{
	if (!(row->modes & (mode == PSC_MODE_TRACEME ? TRACEME : OTHER)))
		return false;
	if (scope < row->scope || scope > row->scope_last)
		return false;
	for (int i = 0; i < PSC_FACTS; i++)
		if (row->facts[i] != '-' && (row->facts[i] == 'y') != !!(truth & fact_of[i]))
			return false;
	return true;
}

/* The one row for these facts. */
static const struct verdict_row *find_row(unsigned int mode, unsigned int scope, unsigned int truth)
{
	const struct verdict_row *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (!row_fits(&verdicts[i], mode, scope, truth))
			continue;
		if (found)
			fail_msg("mode %u scope %u facts %x: two rows", mode, scope, truth);
		found = &verdicts[i];
	}
	if (!found)
		fail_msg("mode %u scope %u facts %x: no row", mode, scope, truth);
	return found;
}

static bool is_row(const struct psc_verdict *verdict, const struct verdict_row *row)
{
	return !verdict->need && verdict->refused == row->outcome &&
	       verdict->reason == row->reason;
}

/* Ask as a hook does: start with nothing, gather what is asked for. */
static void play(unsigned int mode, unsigned int scope, unsigned int truth)
{
	const struct verdict_row *row = find_row(mode, scope, truth);
	char asked[] = "----";
	unsigned int known = 0, calls = 0;
	struct psc_verdict verdict;
	int last = -1;

	while (calls++, (verdict = psc_judge(mode, scope, known, known & truth)).need) {
		int i = 0;

		while (i < PSC_FACTS && fact_of[i] != verdict.need)
			i++;
		/* A single fact, not known yet, in Yama's order. */
		assert_true(i < PSC_FACTS);
		assert_int_equal(known & verdict.need, 0);
		assert_true(i > last);
		last = i;
		known |= verdict.need;
		asked[i] = truth & verdict.need ? 'y' : 'n';
	}
	assert_true(calls <= PSC_FACTS + 1);
	if (!is_row(&verdict, row) || strcmp(asked, row->facts) != 0)
		fail_msg("mode %u scope %u facts %x: refused %u reason %u asked %s", mode, scope,
			 truth, verdict.refused, verdict.reason, asked);
}

/*
 * With any facts known beforehand: ask for an unknown one, or decide, and then
 * as the table does whatever the unknown ones may be.
 */
static void ask_once(unsigned int mode, unsigned int scope, unsigned int known, unsigned int holds)
{
	struct psc_verdict verdict = psc_judge(mode, scope, known, holds);

	if (verdict.need) {
		assert_int_equal(verdict.need & (verdict.need - 1), 0);
		assert_int_equal(verdict.need & ~ALL_FACTS, 0);
		assert_int_equal(verdict.need & known, 0);
		return;
	}
	for (unsigned int truth = 0; truth <= ALL_FACTS; truth++)
		if ((truth & known) == holds)
			assert_true(is_row(&verdict, find_row(mode, scope, truth)));
}

static const unsigned int scopes[] = { 0, 1, 2, 3, 4, 255, 256, 257, 0x80000000, UINT32_MAX };

static void test_verdicts(void **state)
{
	unsigned int games = 0, questions = 0;
	(void)state;

	for (unsigned int mode = 0; mode < PSC_MODES; mode++) {
		for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
			for (unsigned int truth = 0; truth <= ALL_FACTS; truth++, games++)
				play(mode, scopes[i], truth);
			for (unsigned int known = 0; known <= ALL_FACTS; known++)
				for (unsigned int holds = 0; holds <= ALL_FACTS; holds++)
					if (!(holds & ~known)) {
						ask_once(mode, scopes[i], known, holds);
						questions++;
					}
		}
	}
	assert_int_equal(games, 3 * 10 * 16);
	assert_int_equal(questions, 3 * 10 * 81);
}

/*
 * Changes, for one mode. A state is written as scope and floor; the table says
 * what becomes of each state, "--" is "locked". Policies beyond these ten do
 * not occur.
 */
static const char states[10][3] = { "00", "10", "11", "20", "21", "22", "30", "31", "32", "33" };

static const struct change_row {
	unsigned int op, flags, value;
	char after[10][3];
} changes[] = {
	{ PSC_OP_SET, 0, 0, { "00", "00", "--", "00", "--", "--", "00", "--", "--", "--" } },
	{ PSC_OP_SET, 0, 1, { "10", "10", "11", "10", "11", "--", "10", "11", "--", "--" } },
	{ PSC_OP_SET, 0, 2, { "20", "20", "21", "20", "21", "22", "20", "21", "22", "--" } },
	{ PSC_OP_SET, 0, 3, { "33", "33", "33", "33", "33", "33", "33", "33", "33", "33" } },
	/* revocable: as above, but a 3 leaves the floor where it is */
	{ PSC_OP_SET, 1, 0, { "00", "00", "--", "00", "--", "--", "00", "--", "--", "--" } },
	{ PSC_OP_SET, 1, 1, { "10", "10", "11", "10", "11", "--", "10", "11", "--", "--" } },
	{ PSC_OP_SET, 1, 2, { "20", "20", "21", "20", "21", "22", "20", "21", "22", "--" } },
	{ PSC_OP_SET, 1, 3, { "30", "30", "31", "30", "31", "32", "30", "31", "32", "33" } },
	{ PSC_OP_RAISE_FLOOR, 0, 0,
	  { "00", "10", "--", "20", "--", "--", "30", "--", "--", "--" } },
	{ PSC_OP_RAISE_FLOOR, 0, 1,
	  { "11", "11", "11", "21", "21", "--", "31", "31", "--", "--" } },
	{ PSC_OP_RAISE_FLOOR, 0, 2,
	  { "22", "22", "22", "22", "22", "22", "32", "32", "32", "--" } },
	{ PSC_OP_RAISE_FLOOR, 0, 3,
	  { "33", "33", "33", "33", "33", "33", "33", "33", "33", "33" } },
};

static void put_state(union psc_policy *policy, unsigned int mode, const char *text)
{
	policy->scope[mode] = (__u8)(text[0] - '0');
	policy->floor[mode] = (__u8)(text[1] - '0');
}

/* One row of the table for all modes at once, each in a state of its own. */
static void try_change(const struct change_row *row, unsigned int modes, const size_t in[PSC_MODES])
{
	/* The spare slot must never be touched. */
	union psc_policy policy = { .scope[PSC_MODES] = 0xa5, .floor[PSC_MODES] = 0x5a };
	union psc_policy before, wanted;
	struct psc_request req = {
		.abi = PSC_ABI, .op = row->op, .modes = modes, .value = row->value,
		.flags = row->flags,
		/* Out fields are not looked at. */
		.build = 0x123456789abcdef, .policy.word = ~0ULL,
	};
	const struct psc_request req_before = req;
	unsigned int n_modes = 0, n_locked = 0;
	bool locked;
	int err;

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
	locked = row->op == PSC_OP_SET ? n_locked > 0 : n_locked == n_modes;

	err = psc_policy_change(&policy, &req);
	if (err != (locked ? -PSC_E_LOCKED : 0) ||
	    policy.word != (locked ? before.word : wanted.word))
		fail_msg("op %u flags %u value %u modes %x on %s %s %s: %d, %llx", row->op,
			 row->flags, row->value, modes, states[in[0]], states[in[1]],
			 states[in[2]], err, (unsigned long long)policy.word);
	assert_memory_equal(&req, &req_before, sizeof(req));
}

static void test_changes(void **state)
{
	unsigned int tried = 0;
	(void)state;

	for (size_t row = 0; row < ARRAY_SIZE(changes); row++)
		for (unsigned int modes = 1; modes < 8; modes++)
			for (size_t i = 0; i < 1000; i++, tried++)
				try_change(&changes[row], modes,
					   (size_t[]){ i % 10, i / 10 % 10, i / 100 });
	assert_int_equal(tried, 12 * 7 * 1000);
}

/* A good request with some fields damaged; each alone must be enough. */
static const struct {
	struct psc_request req;
	int err;
} requests[] = {
	{ { 0, PSC_OP_SET, 3, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI + 1, PSC_OP_SET, 3, 1 }, -PSC_E_INVAL },
	{ { UINT32_MAX, PSC_OP_SET, 3, 1 }, -PSC_E_INVAL },
	{ { 0, PSC_OP_INFO }, -PSC_E_INVAL },
	{ { PSC_ABI, 3, 3, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, 256 + PSC_OP_SET, 3, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, UINT32_MAX, 3, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 0, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 8, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 8 | 1, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 0x80000001, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_RAISE_FLOOR, 0, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_RAISE_FLOOR, 16, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 3, 1, 2 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 3, 1, 0x80000001 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_RAISE_FLOOR, 3, 1, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_RAISE_FLOOR, 3, 3, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 3, 1, 0, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_INFO, 0, 0, 0, 1 }, -PSC_E_INVAL },
	{ { PSC_ABI, PSC_OP_SET, 3, 4 }, -PSC_E_RANGE },
	{ { PSC_ABI, PSC_OP_SET, 3, 256 }, -PSC_E_RANGE },
	{ { PSC_ABI, PSC_OP_SET, 3, 0x80000000 }, -PSC_E_RANGE },
	{ { PSC_ABI, PSC_OP_SET, 3, UINT32_MAX }, -PSC_E_RANGE },
	{ { PSC_ABI, PSC_OP_SET, 3, 4, 1 }, -PSC_E_RANGE },
	{ { PSC_ABI, PSC_OP_RAISE_FLOOR, 7, 4 }, -PSC_E_RANGE },
	/* Only to ask changes nothing, and looks at nothing else. */
	{ { PSC_ABI, PSC_OP_INFO }, 0 },
	{ { PSC_ABI, PSC_OP_INFO, UINT32_MAX, UINT32_MAX, UINT32_MAX }, 0 },
};

static void test_bad_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		union psc_policy policy = { .scope = { 2, 1, 0 }, .floor = { 1, 1, 0 } };
		const union psc_policy before = policy;
		int err = psc_policy_change(&policy, &requests[i].req);

		if (err != requests[i].err || policy.word != before.word)
			fail_msg("row %zu: %d, %llx", i, err, (unsigned long long)policy.word);
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

static struct psc_request random_request(void)
{
	return (struct psc_request){
		.abi = next_random() % 16 ? PSC_ABI : next_random(),
		.op = random_field(PSC_OP_RAISE_FLOOR + 1),
		.modes = random_field(PSC_MODES_ALL + 1),
		.value = random_field(PSC_SCOPE_MAX + 2),
		.flags = next_random() % 2 ? 0 : random_field(3),
		.dir_fd = next_random() % 16 ? 0 : (int)next_random(),
		.build = next_random(),
		.policy.word = next_random(),
	};
}

/* What holds after any request, however it came out. */
static void check_step(union psc_policy before, union psc_policy after,
		       const struct psc_request *req, int err)
{
	if (err) {
		assert_int_equal(after.word, before.word);
		assert_true(err == -PSC_E_INVAL || err == -PSC_E_RANGE || err == -PSC_E_LOCKED);
	}
	for (unsigned int mode = 0; mode < PSC_MODES; mode++) {
		assert_true(after.floor[mode] >= before.floor[mode]);
		assert_true(after.floor[mode] <= after.scope[mode]);
		assert_true(after.scope[mode] <= PSC_SCOPE_MAX);
		if (!(req->modes & PSC_MODE_BIT(mode))) {
			assert_int_equal(after.scope[mode], before.scope[mode]);
			assert_int_equal(after.floor[mode], before.floor[mode]);
		}
	}
	assert_int_equal(after.scope[PSC_MODES], 0);
	assert_int_equal(after.floor[PSC_MODES], 0);
}

static void test_random_sequence(void **state)
{
	unsigned int changed = 0, refused = 0, locked = 0, finals = 0;
	union psc_policy policy = { 0 };
	(void)state;

	random_state = 20240607;
	print_message("seed %llu\n", (unsigned long long)random_state);
	for (unsigned int i = 0; i < 2000000; i++) {
		struct psc_request req = random_request();
		union psc_policy before = policy;
		int err = psc_policy_change(&policy, &req);

		check_step(before, policy, &req, err);
		changed += policy.word != before.word;
		refused += err && err != -PSC_E_LOCKED;
		locked += err == -PSC_E_LOCKED;
		/* All is final: a reboot. */
		if (policy.floor[0] + policy.floor[1] + policy.floor[2] == 9) {
			policy.word = 0;
			finals++;
		}
	}
	print_message("%u changed, %u refused, %u locked, %u finals\n", changed, refused, locked,
		      finals);
	assert_true(changed > 100000 && refused > 100000 && locked > 100000 && finals > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_random_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
