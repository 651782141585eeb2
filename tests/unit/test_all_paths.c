/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * psc_effective_add(), psc_effective_end() and psc_policy_made() over their whole domain: what
 * holds on a path of cgroups does not depend on how the path is cut into parts, and a floor
 * anywhere on it is never lost.
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

#define NONE PSC_SCOPE_INHERIT

/* Scopes by how strict they are; the numbers have another order. */
static unsigned int strictness(unsigned int scope)
{
	switch (scope) {
	case 0: return 0;
	case 4: return 1;
	case 1: return 2;
	case 2: return 3;
	default: return 4;
	}
}

static const __u8 scopes[] = { NONE, 0, 4, 1, 2, 3 };
static const __u8 floors[] = { 0, 4, 1, 2, 3 };
#define POLICIES (ARRAY_SIZE(scopes) * ARRAY_SIZE(floors))
#define DEEP 3			/* cgroups on a path; the global policy comes behind */

/* One mode of one policy on a path: all that there are, also some that never occur. */
struct one {
	__u8 scope, floor;
};

static struct one make_one(size_t i)
{
	return (struct one){ scopes[i % ARRAY_SIZE(scopes)], floors[i / ARRAY_SIZE(scopes)] };
}

/* Each mode has the same here, one after another, so that all are tried in one go. */
static union psc_policy make_policy(struct one one)
{
	union psc_policy policy;

	memset(policy.scope, one.scope, sizeof(policy.scope));
	memset(policy.floor, one.floor, sizeof(policy.floor));
	return policy;
}

struct path {
	struct one ones[DEEP + 1];
	size_t n;
};

/* What holds, in words: the nearest scope, not below the highest floor. */
struct held {
	unsigned int scope, floor;
	size_t scope_from, floor_from;	/* numbers from 1, 0: none */
};

static struct held model(const struct path *path)
{
	struct held held = { .scope = NONE };

	for (size_t i = path->n; i-- > 0;)	/* the nearest comes last and wins */
		if (path->ones[i].scope != NONE) {
			held.scope = path->ones[i].scope;
			held.scope_from = i + 1;
		}
	for (size_t i = 0; i < path->n; i++)
		if (strictness(path->ones[i].floor) > strictness(held.floor)) {
			held.floor = path->ones[i].floor;
			held.floor_from = i + 1;
		}
	if (held.scope != NONE && strictness(held.scope) < strictness(held.floor)) {
		held.scope = held.floor;
		held.scope_from = held.floor_from;
	}
	return held;
}

static struct psc_effective add_up(const struct path *path, size_t from, size_t to)
{
	struct psc_effective effective = PSC_EFFECTIVE_NONE;

	for (size_t i = from; i < to; i++) {
		const union psc_policy policy = make_policy(path->ones[i]);

		psc_effective_add(&effective, &policy, i + 1);
	}
	return effective;
}

static void check_model(const struct path *path, const struct psc_effective *effective)
{
	const struct held held = model(path);

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const unsigned int scope = effective->policy.scope[mode];

		assert_int_equal(effective->policy.floor[mode], held.floor);
		assert_int_equal(effective->floor_from[mode], held.floor_from);
		assert_int_equal(scope, held.scope);
		assert_int_equal(effective->scope_from[mode], held.scope_from);
		/* No floor is lost. */
		for (size_t i = 0; i < path->n; i++) {
			const unsigned int floor = strictness(path->ones[i].floor);

			assert_true(strictness(effective->policy.floor[mode]) >= floor);
			assert_true(strictness(scope) >= floor);
		}
	}
}

/* A part that was added up before counts as one policy, wherever the path is cut. */
static void check_grouping(const struct path *path)
{
	struct psc_effective whole = add_up(path, 0, path->n), ended = whole;

	psc_effective_end(&ended);
	check_model(path, &ended);
	for (size_t from = 0; from < path->n; from++)
		for (size_t to = from + 2; to <= path->n; to++) {
			const struct psc_effective part = add_up(path, from, to);
			struct psc_effective sum = add_up(path, 0, from);

			psc_effective_add(&sum, &part.policy, from + 1);
			for (size_t i = to; i < path->n; i++) {
				const union psc_policy policy = make_policy(path->ones[i]);

				psc_effective_add(&sum, &policy, i + 1);
			}
			assert_int_equal(sum.policy.word, whole.policy.word);
			psc_effective_end(&sum);
			assert_int_equal(sum.policy.word, ended.policy.word);
		}
}

/* All paths of up to three cgroups, and below each of them every global policy. */
static void test_paths(void **state)
{
	unsigned int tried = 0;
	(void)state;

	for (size_t n = 0; n <= DEEP; n++) {
		size_t paths = 1;

		for (size_t i = 0; i < n; i++)
			paths *= POLICIES;
		for (size_t i = 0; i < paths * POLICIES; i++) {
			struct path path = { .n = n + 1 };
			struct psc_effective effective;
			size_t rest = i;

			for (size_t at = 0; at <= n; at++, rest /= POLICIES)
				path.ones[at] = make_one(rest % POLICIES);
			/* The global policy has a scope of its own for everything. */
			if (path.ones[n].scope == NONE)
				continue;
			effective = add_up(&path, 0, path.n);
			psc_effective_end(&effective);
			check_model(&path, &effective);
			tried++;
		}
	}
	assert_int_equal(tried, 25 * (1 + 30 + 900 + 27000));
}

static void test_grouping(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLICIES * POLICIES * POLICIES * POLICIES; i++) {
		struct path path = { .n = DEEP + 1 };
		size_t rest = i;

		for (size_t at = 0; at <= DEEP; at++, rest /= POLICIES)
			path.ones[at] = make_one(rest % POLICIES);
		if (path.ones[DEEP].scope != NONE)
			check_grouping(&path);
	}
}

/* One mode does not look at another: each in a state of its own, as each alone. */
static void test_modes_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLICIES * POLICIES * POLICIES; i++) {
		const struct one near = make_one(i % POLICIES), far = make_one(i / POLICIES % POLICIES);
		const struct one other = make_one(i / POLICIES / POLICIES);

		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
			const struct path path = { { near, far }, 2 }, others = { { other, near }, 2 };
			struct psc_effective effective = PSC_EFFECTIVE_NONE;

			for (size_t at = 0; at < 2; at++) {
				union psc_policy policy = make_policy(others.ones[at]);

				policy.scope[mode] = path.ones[at].scope;
				policy.floor[mode] = path.ones[at].floor;
				psc_effective_add(&effective, &policy, at + 1);
			}
			assert_int_equal(effective.policy.floor[mode], model(&path).floor);
			assert_int_equal(effective.policy.floor[(mode + 1) % PSC_MODE_SLOTS],
					 model(&others).floor);
			psc_effective_end(&effective);
			if (model(&path).scope != NONE)
				assert_int_equal(effective.policy.scope[mode], model(&path).scope);
		}
	}
}

/* What holds in a cgroup with this entry. */
static unsigned int scope_with(struct one entry, struct one above)
{
	const struct path path = { { entry, above }, 2 };

	return strictness(model(&path).scope);
}

static unsigned int wish(unsigned int scope)
{
	return strictness(scope == PSC_SCOPE_NOT_FINAL ? PSC_SCOPE_NO_ATTACH : scope);
}

static void try_made(struct one said, __u8 spared, __u8 spared_floor, struct one above,
		     bool can_lock)
{
	const union psc_policy said_all = make_policy(said), above_all = make_policy(above);
	const union psc_policy spared_all = make_policy((struct one){ spared, spared_floor });
	const union psc_policy all = psc_policy_made(&said_all, &spared_all, &above_all, can_lock);
	const struct one made = { all.scope[0], all.floor[0] };
	const unsigned int held = scope_with(made, above);
	const __u8 own = said.scope == PSC_SCOPE_NO_ATTACH ? said.scope :
			 said.floor == NONE ? 0 : said.floor;
	const __u8 other = spared_floor == NONE ? 0 : spared_floor;
	const __u8 wanted = strictness(own) < strictness(other) ? other : own;
	const unsigned int floor = strictness(wanted);

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		assert_true(all.scope[mode] == made.scope && all.floor[mode] == made.floor);
	/* An entry that psc_ctl would make: no scope below a floor, its own or one above. */
	assert_true(made.scope == NONE || made.scope <= PSC_SCOPE_SIBLINGS);
	assert_true(made.floor <= PSC_SCOPE_SIBLINGS);
	if (made.scope != NONE) {
		assert_true(strictness(made.scope) >= strictness(made.floor));
		assert_true(strictness(made.scope) >= strictness(above.floor));
	}
	/* At least what the sections say, and what others might. */
	if (said.scope != NONE)
		assert_true(held >= wish(said.scope));
	if (spared != NONE)
		assert_true(held >= wish(spared) && held >= strictness(above.scope));
	assert_true(held >= floor && held >= strictness(above.floor));
	/* And no more: without a wish there is no entry. */
	if (said.scope == NONE && said.floor == NONE && spared == NONE && spared_floor == NONE)
		assert_int_equal(all.word, PSC_POLICY_NONE.word);
	assert_int_equal(made.floor, can_lock && floor > strictness(above.floor) ? wanted : 0);
}

/* The entry of a new cgroup, for everything that sections can say and be above. */
static void test_made(void **state)
{
	static const __u8 said[] = { NONE, 0, 4, 1, 2, 3, PSC_SCOPE_NOT_FINAL };
	const size_t n = ARRAY_SIZE(said);
	unsigned int tried = 0;
	(void)state;

	for (size_t i = 0; i < n * (n - 1) * n * (n - 1) * POLICIES * 2; i++) {
		const struct one one = { said[i % n], said[i / n % (n - 1)] };
		const size_t rest = i / n / (n - 1);
		const __u8 spared = said[rest % n], spared_floor = said[rest / n % (n - 1)];
		const struct one above = make_one(rest / n / (n - 1) / 2);

		/* What holds above is a policy with all scopes, none below its floor. */
		if (above.scope == NONE || strictness(above.scope) < strictness(above.floor))
			continue;
		try_made(one, spared, spared_floor, above, rest / n / (n - 1) % 2);
		tried++;
	}
	assert_int_equal(tried, 7 * 6 * 7 * 6 * 15 * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_grouping),
		cmocka_unit_test(test_modes_apart),
		cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
