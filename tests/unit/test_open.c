// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * psc_policy_open() says what psc_judge() would say, for every policy, and psc_policy_modes_used()
 * whether the entry of a cgroup can make a difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ptracescope_policy.h"
#include "util.h"

static const __u8 values[] = {
	PSC_SCOPE_CLASSIC, PSC_SCOPE_RESTRICTED, PSC_SCOPE_ADMIN_ONLY, PSC_SCOPE_NO_ATTACH,
	PSC_SCOPE_SIBLINGS, 0x80, 0xff,
};

static void check_mode(const union psc_policy *policy, __u32 mode)
{
	const struct psc_question question = {
		.mode = mode, .scope = policy->scope[mode],
		.boundary = policy->scope[PSC_MODE_BOUNDARY],
	};
	struct psc_verdict verdict = psc_judge(&question, 0, 0);

	assert_int_equal(psc_policy_open(policy, mode), !verdict.need && !verdict.refused);
}

static void check_spoken(const union psc_policy *entry)
{
	const union psc_policy used = psc_policy_modes_used(entry), global = {
		.scope = { PSC_SCOPE_RESTRICTED, PSC_SCOPE_RESTRICTED, PSC_SCOPE_RESTRICTED, 1 },
	};
	struct psc_effective effective = PSC_EFFECTIVE_NONE;

	psc_effective_add(&effective, entry, 1);
	psc_effective_add(&effective, &global, 2);
	psc_effective_end(&effective);
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		bool silent = entry->scope[mode] == PSC_SCOPE_INHERIT && !entry->floor[mode];

		assert_int_equal(used.scope[mode], silent ? 0 : 0xff);
		if (!silent)
			continue;
		assert_int_equal(effective.policy.scope[mode], global.scope[mode]);
		assert_int_equal(effective.scope_from[mode], 2);
	}
	assert_int_equal(psc_policy_open(&used, PSC_MODE_ATTACH),
			 !used.scope[PSC_MODE_ATTACH] && !used.scope[PSC_MODE_BOUNDARY]);
	assert_int_equal(psc_policy_open(&used, PSC_MODE_READ), !used.scope[PSC_MODE_READ]);
}

static void test_open(void **state)
{
	union psc_policy policy = {};
	unsigned int n = 1;
	(void)state;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		n *= ARRAY_SIZE(values);
	for (unsigned int i = 0; i < 2 * n; i++) {
		unsigned int rest = i;

		for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
			policy.scope[mode] = values[rest % ARRAY_SIZE(values)];
			rest /= ARRAY_SIZE(values);
			/* A floor has no say beyond the scope. */
			policy.floor[mode] = i < n ? 0 : policy.scope[mode];
		}
		check_mode(&policy, PSC_MODE_ATTACH);
		check_spoken(&policy);
		check_mode(&policy, PSC_MODE_READ);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
