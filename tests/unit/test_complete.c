/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl complete: every command, option, name and word, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cgroup_tree.h"
#include "cli.h"
#include "complete.h"
#include "interface.h"
#include "names.h"
#include "util.h"

#define WORDS_MAX 12
#define CONTROL "\033[31m"

struct tree {
	struct fake_root cgroups_root, proc;
	struct psc_cgroups cgroups;
};

static int set_up(void **state)
{
	static struct tree tree;

	cgroup_tree_new(&tree.cgroups_root, &tree.cgroups);
	cgroup_make(&tree.cgroups_root, "init.scope");
	cgroup_make(&tree.cgroups_root, "system.slice/a b.service");
	cgroup_make(&tree.cgroups_root, "system.slice/dev-x\\x2dy.service/inside.service");
	cgroup_make(&tree.cgroups_root, "system.slice/bad" CONTROL ".service");
	cgroup_make(&tree.cgroups_root, "user.slice/user-1.slice/deep.scope");
	fake_root_new(&tree.proc);
	fake_root_write(&tree.proc, "/12/comm", "sleep\n");
	fake_root_write(&tree.proc, "/13/comm", "x" CONTROL "\n");
	fake_root_write(&tree.proc, "/meminfo", "");
	*state = &tree;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *tree = *state;

	cgroup_tree_free(&tree->cgroups_root, &tree->cgroups);
	fake_root_free(&tree->proc);
	return 0;
}

/* What is printed for these words, to be freed. */
static char *completed(const struct tree *tree, const char *const *words)
{
	char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);
	int n = 0;

	assert_non_null(stream);
	while (words[n])
		n++;
	psc_complete(&(struct psc_completion){ &tree->cgroups, tree->proc.path, stream }, n,
		     (char *const *)words);
	assert_int_equal(fclose(stream), 0);
	return out;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The candidates alone, sorted, with a blank between them. */
static char *candidates(const struct tree *tree, const char *const *words)
{
	_cleanup_free_ char *out = completed(tree, words);
	char *all[64], *save, *ret = calloc(1, strlen(out) + 64);
	size_t n = 0;

	assert_non_null(ret);
	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, "\t")] = '\0';
		assert_true(n < ARRAY_SIZE(all));
		all[n++] = line;
	}
	qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 0; i < n; i++)
		sprintf(ret + strlen(ret), "%s%s", i ? " " : "", all[i]);
	return ret;
}

static bool is_offered(const struct tree *tree, const char *const *words, const char *candidate)
{
	_cleanup_free_ char *out = completed(tree, words);
	size_t len = strlen(candidate);

	for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
		if (strncmp(line, candidate, len) == 0 && (line[len] == '\n' || line[len] == '\t'))
			return true;
	return false;
}

#define SCOPES "admin-only classic no-attach restricted"
#define CGROUP_SCOPES SCOPES " siblings"

struct words_case {
	const char *words[WORDS_MAX];
	const char *wanted;
};

static void check_words(void *state, const struct words_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *got = candidates(state, cases[i].words);

		if (strcmp(got, cases[i].wanted) != 0)
			fail_msg("case %zu: '%s', not '%s'", i, got, cases[i].wanted);
	}
}

static void test_words_of_help(void **state)
{
	static const struct words_case cases[] = {
		{ { "help", "s" }, "set status" },
		{ { "help", "c" }, "cgroup" },
		{ { "help", "cgroup", "s" }, "set" },
		{ { "help", "set", "" }, "" },
		{ { "help", "cgroup", "set", "" }, "" },
	};

	check_words(*state, cases, ARRAY_SIZE(cases));
}

static void test_words(void **state)
{
	static const struct words_case cases[] = {
		{ { "" }, "assert cgroup detach doctor explain get help list lock log metrics oci-hook reload set status unset watch" },
		{ { "--json", "s" }, "set status" },
		{ { "--socket", "/x", "s" }, "set status" },
		{ { "--socket=/x", "s" }, "set status" },
		{ { "get", "read" }, "read_scope" },
		{ { "get", "read_scope", "" }, "" },
		{ { "get", "kernel.ptracescope.r" }, "kernel.ptracescope.read_scope" },
		{ { "set", "r" }, "read_scope= restricted" },
		{ { "set", "read_scope=" }, "read_scope=admin-only read_scope=classic "
		  "read_scope=no-attach read_scope=restricted" },
		{ { "set", "boundary=o" }, "boundary=off boundary=on" },
		{ { "set", "kernel.ptracescope.floor=re" }, "kernel.ptracescope.floor=restricted" },
		{ { "set", "nonsense=" }, "" },
		{ { "set", "1", "" }, "" },
		{ { "lock", "r" }, "read_scope restricted" },
		{ { "lock", "f" }, "" },
		{ { "lock", "read", "attach", "read", "attach", "read", "t" }, "traceme_scope" },
		{ { "lock", "read", "attach", "t" }, "traceme_scope" },
		{ { "lock", "1", "" }, "" },
		{ { "list", "" }, "" },
		{ { "nonsense", "" }, "" },
		{ { "--nonsense", "" }, "" },
		{ { "--", "--" }, "" },
		{ { "--", "st" }, "status" },
		{ { "oci-hook", "--default", "s" }, "siblings" },
		{ { "oci-hook", "--default=s" }, "--default=siblings" },
		{ { "oci-hook", "--allow-lock=" }, "" },
		{ { "--socket", "" }, PSC_SOCKET_PATH },
		{ { "explain", "--mode", "" }, "attach read traceme" },
		{ { "explain", "--mode=t" }, "--mode=traceme" },
		{ { "assert", "e" }, "enforcing" },
		{ { "assert", "enforcing", "l" }, "locked" },
		{ { "assert", "re" }, "read_scope=" },
		{ { "assert", "boundary=" }, "boundary=off boundary=on" },
		{ { "assert", "boundary>=o" }, "boundary>=off boundary>=on" },
		{ { "assert", ">=" }, "" },
		{ { "assert", "--v" }, "--verbose --version" },
		{ { "cgroup", "" }, "get list lock release set unset" },
		{ { "cgroup", "release", "" }, "" },
		{ { "cgroup", "list", "" }, "" },
		{ { "cgroup", "nonsense", "" }, "" },
		{ { "cgroup", "set", "x", "r" }, "read_scope restricted" },
		{ { "cgroup", "set", "x", "f" }, "floor" },
		{ { "cgroup", "set", "x", "s" }, "siblings" },
		{ { "cgroup", "set", "x", "read", "" }, CGROUP_SCOPES },
		{ { "cgroup", "set", "x", "boundary", "" }, "off on" },
		{ { "cgroup", "set", "x", "read=s" }, "read=siblings" },
		{ { "cgroup", "set", "x", "read", "1", "" }, "" },
		{ { "cgroup", "set", "--pid", "1", "s" }, "siblings" },
		{ { "cgroup", "unset", "x", "f" }, "" },
		{ { "cgroup", "lock", "x", "" }, CGROUP_SCOPES },
	};

	check_words(*state, cases, ARRAY_SIZE(cases));
}

/* All settings, by the last part of their names. */
static void test_settings(void **state)
{
	static const char *const commands[][WORDS_MAX] = {
		{ "get", "" }, { "cgroup", "get", "x", "" }, { "unset", "" },
	};
	const char *all[PSC_NAMES];
	char wanted[512] = "";

	for (size_t i = 0; i < PSC_NAMES; i++)
		all[i] = strrchr(psc_names[i].name, '.') + 1;
	qsort(all, PSC_NAMES, sizeof(*all), by_text);
	for (size_t i = 0; i < PSC_NAMES; i++)
		sprintf(wanted + strlen(wanted), "%s%s", i ? " " : "", all[i]);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		_cleanup_free_ char *got = candidates(*state, commands[i]);

		assert_string_equal(got, wanted);
	}
}

static void test_persist(void **state)
{
	static const struct {
		const char *words[WORDS_MAX], *wanted;
	} cases[] = {
		{ { "cgroup", "unset", "x", "--pe" }, "--persist" },
		{ { "unset", "t" }, "traceme_scope" },
		{ { "unset", "read_scope", "" }, "" },
		{ { "unset", "read_scope", "--p" }, "--persist" },
		{ { "lock", "2", "--p" }, "--persist" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = candidates(*state, cases[i].words);

		assert_string_equal(got, cases[i].wanted);
	}
}

static void test_cgroups(void **state)
{
	static const struct {
		const char *word, *wanted;
	} cases[] = {
		{ "", "init.scope system.slice system.slice/ user.slice user.slice/" },
		{ "i", "init.scope" },
		{ "/i", "/init.scope" },
		{ "system.slice/", "system.slice/a b.service system.slice/dev-x\\x2dy.service "
		  "system.slice/dev-x\\x2dy.service/" },
		{ "user.slice/user-1.slice/d", "user.slice/user-1.slice/deep.scope" },
		/* units from anywhere in the slices, and nothing that is inside of another unit */
		{ "d", "deep.scope dev-x\\x2dy.service" },
		{ "inside", "" },
		{ "bad", "" },
		{ "../", "" },
		{ "nonsense/", "" },
	};
	static const char *const commands[] = { "get", "set", "unset", "lock" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(commands); j++) {
			const char *words[] = { "cgroup", commands[j], cases[i].word, NULL };
			_cleanup_free_ char *got = candidates(*state, words);

			assert_string_equal(got, cases[i].wanted);
		}
	}
}

static void test_pids(void **state)
{
	const char *words[] = { "cgroup", "get", "--pid", "1", NULL };
	_cleanup_free_ char *out = completed(*state, words);

	assert_string_equal(out, "12\tsleep\n");
}

static void test_no_hierarchy(void **state)
{
	struct tree none = *(struct tree *)*state;
	const char *words[] = { "cgroup", "get", "", NULL };
	_cleanup_free_ char *out = NULL;

	none.cgroups.root_fd = -1;
	out = completed(&none, words);
	assert_string_equal(out, "");
}

/* A command line with as many arguments as it takes at least. */
static int arguments_of(const struct psc_cli_word *word, bool cgroup, bool pid, bool last,
			const char **argv)
{
	int n = 0;

	if (cgroup)
		argv[n++] = "cgroup";
	argv[n++] = word->word;
	if (word->command == PSC_CLI_CGROUP_RELEASE && !pid)
		argv[n++] = "--pid=1";
	else if (cgroup && !pid && word->command != PSC_CLI_CGROUP_LIST)
		argv[n++] = "x";
	if (word->command == PSC_CLI_UNSET) {
		argv[n++] = "read_scope";
		argv[n++] = "--persist";
	} else if (word->arguments_min || (word->command == PSC_CLI_EXPLAIN && !last)) {
		argv[n++] = word->command == PSC_CLI_ASSERT ? "locked" : "3";
	}
	return n;
}

static void check_option(const struct tree *tree, const struct psc_cli_word *word, bool cgroup,
			 const struct psc_cli_option *option)
{
	const char *argv[WORDS_MAX] = { "ptracescopectl" }, *words[WORDS_MAX] = {};
	_cleanup_free_ char *error = NULL;
	struct psc_cli cli;
	bool last = option->id == PSC_OPTION_LAST;
	int n = 1 + arguments_of(word, cgroup, option->id == PSC_OPTION_PID, last, argv + 1);
	bool parsed, offered;

	argv[n++] = option->text;
	if (option->argument)
		argv[n++] = option->id == PSC_OPTION_MODE ? "read" :
			option->id == PSC_OPTION_SINCE || option->id == PSC_OPTION_UNTIL ? "now" : "1";
	parsed = !psc_cli_parse(n, (char *const *)argv, &cli, &error);
	n = arguments_of(word, cgroup, false, last, words);
	words[n] = option->text;
	offered = is_offered(tree, words, option->text);
	if (parsed != offered)
		fail_msg("%s %s: %s, but %s completed", word->word, option->text,
			 parsed ? "accepted" : error, offered ? "is" : "not");
}

/* The parser takes what is offered, and what it takes is offered. */
static void test_parser(void **state)
{
	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++) {
		for (const struct psc_cli_word *word = psc_cli_words; word->word; word++)
			check_option(*state, word, false, option);
		for (const struct psc_cli_word *word = psc_cli_cgroup_words; word->word; word++)
			check_option(*state, word, true, option);
	}
}

/* The command itself takes anything. */
static void test_command(void **state)
{
	char *argv[] = { (char *)"ptracescopectl", (char *)"complete", (char *)"--nonsense",
			 (char *)"" };
	struct psc_cli cli;
	char *error;

	(void)state;
	assert_int_equal(psc_cli_parse(4, argv, &cli, &error), 0);
	assert_int_equal(cli.command, PSC_CLI_COMPLETE);
	assert_int_equal(cli.n_words, 2);
	assert_ptr_equal(cli.words, argv + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_persist),
		cmocka_unit_test(test_words_of_help),
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_pids),
		cmocka_unit_test(test_no_hierarchy),
		cmocka_unit_test(test_parser),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
