/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * psc_policy_change() over its whole domain: one mode in every state with every request
 * against rules written a second time, and the modes together for all combinations of verbs.
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

enum { SET = 1, RAISE = 2, LOCK = 4, UNSET = 8 };

/* From the mildest to the strictest; the numbers have another order. */
static const __u8 words[] = { 0, 4, 1, 2, 3 };
#define STRICTEST 4

/* The place of a scope in that order, -1 for PSC_SCOPE_INHERIT. */
static int place(unsigned int scope)
{
	for (int i = 0; i <= STRICTEST; i++)
		if (words[i] == scope)
			return i;
	assert_int_equal(scope, PSC_SCOPE_INHERIT);
	return -1;
}

static int higher(int a, int b)
{
	return a > b ? a : b;
}

/* The state of one mode, as places; a scope of -1 is none of its own. */
struct one {
	int scope, floor;
};

/* What comes of one mode. */
struct result {
	int err;
	struct one after;
	bool floor_as_wanted;	/* by "raise", by "lock": one mode of a request must have it */
	bool locks;
};

struct ask {
	unsigned int verbs;
	__u8 scope, floor;	/* as numbers, good or bad */
	bool revocable;
};

static bool is_value(unsigned int value, bool cgroup, bool is_boundary)
{
	if (is_boundary)
		return value == 0 || value == 1;
	return value < 4 || (value == 4 && cgroup);
}

/*
 * The rules once more, in the order of include/ptracescope.h: unset, set, raise, lock. A scope
 * that is set is no lower than its own floor and the floor above.
 */
static struct result model(struct one now, struct one above, const struct ask *ask, bool cgroup,
			   bool is_boundary)
{
	struct result result = { .after = now };
	struct one *after = &result.after;

	if ((ask->verbs & SET && !is_value(ask->scope, cgroup, is_boundary)) ||
	    (ask->verbs & RAISE && !is_value(ask->floor, cgroup, is_boundary))) {
		result.err = -PSC_E_RANGE;
		return result;
	}
	if (ask->verbs & UNSET) {
		after->scope = -1;
		if (now.floor)
			result.err = -PSC_E_LOCKED;
	}
	if (ask->verbs & SET) {
		after->scope = place(ask->scope);
		if (ask->verbs & RAISE)
			after->scope = higher(after->scope, place(ask->floor));
		if (after->scope < now.floor || after->scope < above.floor)
			result.err = -PSC_E_LOCKED;
		if (place(ask->scope) == STRICTEST && !ask->revocable)
			after->floor = STRICTEST;
	}
	if (ask->verbs & RAISE) {
		result.floor_as_wanted = place(ask->floor) >= now.floor;
		after->floor = higher(after->floor, place(ask->floor));
	}
	if (ask->verbs & LOCK) {
		after->floor = higher(after->floor, above.floor);
		after->floor = higher(after->floor, after->scope < 0 ? above.scope : after->scope);
		result.locks = after->floor > 0;
	}
	if (after->scope >= 0)
		after->scope = higher(after->scope, after->floor);
	return result;
}

/* Does a request about one mode alone come to something? */
static int alone(const struct result *result, unsigned int verbs)
{
	if (result->err)
		return result->err;
	if (verbs & RAISE && !result->floor_as_wanted)
		return -PSC_E_LOCKED;
	if (verbs & LOCK && !result->locks)
		return -PSC_E_NODATA;
	return 0;
}

static void put(union psc_policy *policy, unsigned int mode, struct one one)
{
	policy->scope[mode] = one.scope < 0 ? PSC_SCOPE_INHERIT : words[one.scope];
	policy->floor[mode] = words[one.floor];
}

static bool is_wrong(const struct ask *ask, bool cgroup)
{
	return !ask->verbs || (ask->verbs & SET && ask->verbs & UNSET) ||
	       (ask->verbs & UNSET && !cgroup) || (ask->revocable && !(ask->verbs & SET));
}

/* The promises, whatever the model says. */
static void check_promises(const union psc_policy *before, const union psc_policy *after,
			   const struct psc_request *req, int err)
{
	const __u32 asked = req->set | req->raise | req->lock | req->unset;

	if (err)
		assert_int_equal(after->word, before->word);
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const int scope = place(after->scope[mode]), floor = place(after->floor[mode]);

		assert_true(floor >= place(before->floor[mode]));
		assert_true(scope < 0 || scope >= floor);
		assert_true(asked >> mode & 1 || (after->scope[mode] == before->scope[mode] &&
						  after->floor[mode] == before->floor[mode]));
	}
}

static void try_one(unsigned int mode, bool cgroup, struct one now, struct one above,
		    const struct ask *ask)
{
	const struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = !!(ask->verbs & SET) << mode,
		.raise = !!(ask->verbs & RAISE) << mode, .lock = !!(ask->verbs & LOCK) << mode,
		.unset = !!(ask->verbs & UNSET) << mode,
		.want = { .scope = { 77, 77, 77, 77 }, .floor = { 77, 77, 77, 77 } },
		.flags = (cgroup ? PSC_FLAG_CGROUP : 0) | (ask->revocable ? PSC_FLAG_REVOCABLE : 0),
	};
	struct psc_request asked = req;
	union psc_policy policy = cgroup ? PSC_POLICY_NONE : (union psc_policy){ 0 };
	union psc_policy before, wanted, over = { 0 };
	struct result result;
	int err, expected;

	put(&policy, mode, now);
	before = wanted = policy;
	put(&over, mode, above);
	asked.want.scope[mode] = ask->scope;
	asked.want.floor[mode] = ask->floor;
	if (is_wrong(ask, cgroup)) {
		expected = -PSC_E_INVAL;
	} else {
		result = model(now, above, ask, cgroup, mode == PSC_MODE_BOUNDARY);
		expected = alone(&result, ask->verbs);
		if (!expected)
			put(&wanted, mode, result.after);
	}
	err = psc_policy_change(&policy, &asked, &over);
	check_promises(&before, &policy, &asked, err);
	if (err != expected || policy.word != wanted.word)
		fail_msg("mode %u cgroup %u scope %d floor %d above %d %d verbs %x want %u %u "
			 "revocable %u: %d, %d expected; scope %u floor %u", mode, cgroup, now.scope,
			 now.floor, above.scope, above.floor, ask->verbs, ask->scope, ask->floor,
			 ask->revocable, err, expected, policy.scope[mode], policy.floor[mode]);
}

/* All that one mode can be: a floor is never above its scope. Return: how many. */
static unsigned int make_states(bool cgroup, bool is_boundary, struct one ret[])
{
	const int most = is_boundary ? place(1) : STRICTEST;
	unsigned int n = 0;

	for (int floor = 0; floor <= most; floor++)
		for (int scope = cgroup ? -1 : 0; scope <= most; scope++)
			if ((scope < 0 || scope >= floor) &&
			    (scope < 0 || is_value(words[scope], cgroup, is_boundary)) &&
			    is_value(words[floor], cgroup, is_boundary))
				ret[n++] = (struct one){ scope, floor };
	return n;
}

static void try_requests(unsigned int mode, bool cgroup, struct one now, struct one above)
{
	static const __u8 values[] = { 0, 1, 2, 3, 4, 5, 127, 128, 254, 255 };
	const size_t n = ARRAY_SIZE(values);

	for (unsigned int verbs = 0; verbs < 16; verbs++)
		for (size_t i = 0; i < n * n * 2; i++) {
			const struct ask ask = {
				verbs, values[i % n], values[i / n % n], i >= n * n,
			};

			/* Only what a verb reads is told apart. */
			if ((verbs & SET || !(i % n)) && (verbs & RAISE || !(i / n % n)))
				try_one(mode, cgroup, now, above, &ask);
		}
}

/* One mode: every state of it and of what is above, every request. */
static void test_one_mode(void **state)
{
	struct one states[32], aboves[32];
	unsigned int tried = 0;
	(void)state;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		for (unsigned int cgroup = 0; cgroup < 2; cgroup++) {
			const bool is_boundary = mode == PSC_MODE_BOUNDARY;
			const unsigned int n = make_states(cgroup, is_boundary, states);
			/* Above a cgroup can be others; above the global policy, floors alone. */
			const unsigned int n_above = make_states(true, is_boundary, aboves);

			for (unsigned int i = 0; i < n * n_above; i++) {
				const struct one *above = &aboves[i / n];

				if (cgroup ? above->scope < 0 : above->scope >= 0)
					continue;
				/* There the scope is not 255 but the floor's. */
				try_requests(mode, cgroup, states[i % n], (struct one){
					cgroup ? above->scope : 0, above->floor });
				tried++;
			}
		}
	assert_int_equal(tried, 3 * (10 * 5 + 20 * 15) + 3 * 2 + 5 * 3);
}

/* Without what is above a change is that below a policy of zeroes. */
static void test_no_above(void **state)
{
	const union psc_policy zeroes = { 0 };
	(void)state;

	for (unsigned int i = 0; i < 16 * 16 * 10; i++)
		for (unsigned int values = 0; values < 256; values++) {
			struct one states[32];
			const unsigned int n = make_states(false, false, states);
			union psc_policy policy = { 0 }, other;
			const unsigned int verbs = i / 16 % 16;
			const struct psc_request req = {
				.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = verbs & SET ? i % 16 : 0,
				.raise = verbs & RAISE ? i % 16 : 0, .lock = verbs & LOCK ? i % 16 : 0,
				.want = {
					.scope = { values % 4, values / 4 % 4, values / 16 % 4, 1 },
					.floor = { values / 64, values % 4, values / 4 % 4, 1 },
				},
			};

			for (unsigned int mode = 0; mode < PSC_MODES; mode++)
				put(&policy, mode, states[(i / 256 + mode) % n]);
			other = policy;
			assert_int_equal(psc_policy_change(&policy, &req, NULL),
					 psc_policy_change(&other, &req, &zeroes));
			assert_int_equal(policy.word, other.word);
		}
}

struct whole {
	struct one now[PSC_MODE_SLOTS], above[PSC_MODE_SLOTS];
	union psc_policy want;
};

/* Policies and wishes in which modes differ, so that each outcome meets each. */
static const struct whole wholes[] = {
	{ { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } }, { { 0, 0 } },
	  { .scope = { 1, 2, 3, 1 }, .floor = { 2, 1, 0, 1 } } },
	{ { { 2, 2 }, { 3, 0 }, { 4, 4 }, { 2, 0 } }, { { 0, 0 } },
	  { .scope = { 0, 3, 2, 0 }, .floor = { 1, 3, 3, 0 } } },
	{ { { 4, 3 }, { 2, 0 }, { 0, 0 }, { 2, 2 } }, { { 3, 2 }, { 0, 0 }, { 4, 4 }, { 2, 2 } },
	  { .scope = { 2, 9, 2, 0 }, .floor = { 1, 2, 9, 1 } } },
	{ { { 3, 3 }, { 3, 3 }, { 3, 3 }, { 2, 2 } }, { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 2, 2 } },
	  { .scope = { 3, 3, 3, 1 }, .floor = { 1, 1, 1, 0 } } },
	{ { { 4, 0 }, { 0, 0 }, { 2, 0 }, { 0, 0 } }, { { 0, 0 } },
	  { .scope = { 3, 0, 1, 2 }, .floor = { 3, 0, 2, 2 } } },
};

/* Which verbs a request has for one mode. */
static unsigned int verbs_of(const struct psc_request *req, unsigned int mode)
{
	return (req->set >> mode & 1 ? SET : 0) | (req->raise >> mode & 1 ? RAISE : 0) |
	       (req->lock >> mode & 1 ? LOCK : 0) | (req->unset >> mode & 1 ? UNSET : 0);
}

/* All or nothing, in words: what one mode refuses is refused; one that gets its floor suffices. */
static int whole_model(const struct whole *whole, const struct psc_request *req, bool cgroup,
		       union psc_policy *ret)
{
	bool refused = false, out_of_range = false, raised = false, locked = false;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const struct ask ask = {
			verbs_of(req, mode), whole->want.scope[mode], whole->want.floor[mode],
			req->flags & PSC_FLAG_REVOCABLE,
		};
		const struct result result = model(whole->now[mode], whole->above[mode], &ask, cgroup,
						   mode == PSC_MODE_BOUNDARY);

		out_of_range |= result.err == -PSC_E_RANGE;
		refused |= result.err != 0;
		raised |= result.floor_as_wanted;
		locked |= result.locks;
		put(ret, mode, result.after);
	}
	if (!(req->set | req->raise | req->lock | req->unset) || (req->set & req->unset) ||
	    (req->unset && !cgroup) || (req->flags & PSC_FLAG_REVOCABLE && !req->set))
		return -PSC_E_INVAL;
	return out_of_range ? -PSC_E_RANGE : refused || (req->raise && !raised) ? -PSC_E_LOCKED :
	       req->lock && !locked ? -PSC_E_NODATA : 0;
}

static void try_whole(const struct whole *whole, const struct psc_request *req, bool cgroup)
{
	union psc_policy policy = { 0 }, above = { 0 }, before, wanted = { 0 };
	int err, expected;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		put(&policy, mode, whole->now[mode]);
		put(&above, mode, whole->above[mode]);
	}
	before = policy;
	expected = whole_model(whole, req, cgroup, &wanted);
	err = psc_policy_change(&policy, req, &above);
	check_promises(&before, &policy, req, err);
	if (err != expected || policy.word != (err ? before.word : wanted.word))
		fail_msg("policy %zu cgroup %u set %x raise %x lock %x unset %x flags %x: %d, %d "
			 "expected; %llx", (size_t)(whole - wholes), cgroup, req->set, req->raise,
			 req->lock, req->unset, req->flags, err, expected,
			 (unsigned long long)policy.word);
}

/* All 65,536 ways to give four verbs to four modes. */
static void test_all_modes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wholes) * 4; i++)
		for (__u32 verbs = 0; verbs < 1U << 16; verbs++) {
			const struct whole *whole = &wholes[i / 4];
			const bool cgroup = i % 2;
			const struct psc_request req = {
				.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = verbs & 15,
				.raise = verbs >> 4 & 15, .lock = verbs >> 8 & 15,
				.unset = verbs >> 12, .want = whole->want,
				.flags = (cgroup ? PSC_FLAG_CGROUP : 0) |
					 (i / 2 % 2 ? PSC_FLAG_REVOCABLE : 0),
			};

			try_whole(whole, &req, cgroup);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_mode),
		cmocka_unit_test(test_no_above),
		cmocka_unit_test(test_all_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
