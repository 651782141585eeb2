/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl assert". */
#include "command_run.h"

static void test_parse(void **state)
{
	static const char *const good[] = {
		"assert", "enforcing", "locked", "kernel.yama.ptrace_scope>=restricted", "read=0",
		"kernel.ptracescope.floor>=2", "boundary=on", "--verbose", NULL,
	};
	const struct psc_cli_assertion *got;
	char *error = NULL;
	struct psc_cli cli;

	(void)state;
	assert_int_equal(parse(good, &cli, &error), 0);
	assert_int_equal(cli.command, PSC_CLI_ASSERT);
	assert_true(cli.verbose);
	assert_int_equal(cli.n_assertions, 6);
	got = cli.assertions;
	assert_int_equal(got[0].claim, PSC_CLAIM_ENFORCING);
	assert_int_equal(got[1].claim, PSC_CLAIM_LOCKED);
	assert_int_equal(got[2].claim, PSC_CLAIM_AT_LEAST);
	assert_ptr_equal(got[2].name, psc_name_find(PSC_NAME_YAMA));
	assert_int_equal(got[2].value, 1);
	assert_int_equal(got[3].claim, PSC_CLAIM_IS);
	assert_string_equal(got[3].name->name, "kernel.ptracescope.read_scope");
	assert_int_equal(got[3].value, 0);
	assert_ptr_equal(got[4].name, psc_name_find(PSC_NAME_FLOOR));
	assert_int_equal(got[4].value, 2);
	assert_int_equal(got[5].value, 1);
}

static void test_usage(void **state)
{
	static const struct {
		const char *arguments[PSC_CLI_ASSERTIONS_MAX + 4], *error;
	} cases[] = {
		{ { "assert" }, "missing argument after 'assert'; usage: assert [OPTION]... {NAME>=VALUE" },
		{ { "assert", "" }, "no assertion: ''" },
		{ { "assert", "enforced" }, "no assertion: 'enforced'; write 'NAME>=VALUE'" },
		{ { "assert", "read_scope" }, "no assertion: 'read_scope'" },
		{ { "assert", "read_scope>1" }, "no assertion: 'read_scope>1'" },
		{ { "assert", "=1" }, "unknown name ''" },
		{ { "assert", ">=1" }, "unknown name ''" },
		{ { "assert", "nonsense>=1" }, "unknown name 'nonsense'; names are" },
		{ { "assert", "read_scope>>=1" }, "no assertion: 'read_scope>>=1'" },
		{ { "assert", "read_scope<=1" }, "no assertion: 'read_scope<=1'; write "
		  "'NAME>=VALUE' with quotes, NAME=VALUE, enforcing, or locked; there are no other "
		  "operators, and no blanks; see 'ptracescopectl assert --help'" },
		{ { "assert", "read_scope!=1" }, "no other operators, and no blanks" },
		{ { "assert", "read_scope >= 1" }, "no other operators, and no blanks" },
		{ { "assert", "read_scope= 1" }, "no other operators, and no blanks" },
		{ { "assert", "read_scope=>1" }, "no other operators, and no blanks" },
		{ { "assert", "read_scope>=" }, "value '' is no scope" },
		{ { "assert", "read_scope>=4" }, "value '4' is no scope" },
		{ { "assert", "read_scope==1" }, "no other operators, and no blanks" },
		{ { "assert", "read_scope=01" }, "value '01' is no scope" },
		{ { "assert", "read_scope=siblings" }, "value 'siblings' is no scope" },
		{ { "assert", "boundary=2" }, "value '2' does not go there" },
		{ { "assert", "enforcing", "x\033" }, "no assertion: 'x\\x1b'" },
		{ { "get", "--verbose" }, "--verbose does not go with 'get'; it is for: assert" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_usage_error(cases[i].arguments, cases[i].error);
}

/* There is room for so many, and one more is an error. */
static void test_most(void **state)
{
	char *argv[PSC_CLI_ASSERTIONS_MAX + 3] = { (char *)"ptracescopectl", (char *)"assert" };
	char *error = NULL;
	struct psc_cli cli;

	(void)state;
	for (int i = 0; i <= PSC_CLI_ASSERTIONS_MAX; i++)
		argv[i + 2] = (char *)"locked";
	assert_int_equal(psc_cli_parse(PSC_CLI_ASSERTIONS_MAX + 2, argv, &cli, &error), 0);
	assert_int_equal(cli.n_assertions, PSC_CLI_ASSERTIONS_MAX);
	assert_int_equal(psc_cli_parse(PSC_CLI_ASSERTIONS_MAX + 3, argv, &cli, &error), -EINVAL);
	assert_non_null(strstr(error, "more than 16 expressions: 'locked'; see "));
	free(error);
}

static void test_runs(void **state)
{
	/* attach 2 with that floor, traceme 2 with 1, read 0 */
	static const struct run_case cases[] = {
		{ { "assert", "enforcing" }, 0, "", "" },
		{ { "assert", "attach>=1", "attach>=2", "attach=2", "read=0" }, 0, "", "" },
		{ { "assert", "attach>=3" }, 1, "", "" },
		{ { "assert", "attach=1" }, 1, "", "" },
		{ { "assert", "read>=0", "read>=1" }, 1, "", "" },
		{ { "assert", "floor>=1", "floor=1" }, 0, "", "" },
		{ { "assert", "floor>=2" }, 1, "", "" },
		{ { "assert", "locked" }, 1, "", "" },
		{ { "assert", "attach>=1", "read=1", "locked", "--verbose" }, 1,
		  "holds  attach>=1: 2 (admin-only)\nFAILS  read=1: 0 (classic)\nFAILS  locked\n",
		  "" },
		{ { "assert", "floor=1", "locked", "--json" }, 1,
		  "[{\"assertion\": \"floor=1\", \"holds\": true, \"value\": 1}, "
		  "{\"assertion\": \"locked\", \"holds\": false}]\n", "" },
	};
	static const struct run_case locked[] = {
		{ { "assert", "locked", "enforcing" }, 0, "", "" },
	};
	static const struct run_case off[] = {
		{ { "assert", "enforcing" }, 1, "", "" },
		{ { "assert", "read>=0" }, 1, "", "" },
		{ { "assert", "locked", "--verbose" }, 1,
		  "FAILS  locked; the programs are not in force\n", "" },
	};
	static const struct run_case open[] = {
		{ { "assert", "locked" }, 1, "", "" },
	};
	struct service s;

	(void)state;
	service_there(&s);
	s.fake.policy = (union psc_policy){ .scope = { 2, 2, 0, 0 }, .floor = { 2, 1, 0, 0 } };
	check_runs(&s, cases, ARRAY_SIZE(cases));
	s.fake.policy.floor[PSC_MODE_TRACEME] = 2;
	check_runs(&s, locked, ARRAY_SIZE(locked));
	s.fake.off = true;
	check_runs(&s, off, ARRAY_SIZE(off));
	s.fake.off = false;
	s.fake.policy = (union psc_policy){};
	check_runs(&s, open, ARRAY_SIZE(open));
	service_stop(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_parse),
		TEST(test_usage),
		TEST(test_most),
		TEST(test_runs),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
