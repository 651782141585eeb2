/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The help of ptracescopectl, which names all commands and options, as its manual does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli.h"
#include "help.h"
#include "util.h"

/* What the help and the manual have is what the tables have. */
static char *help_of(const struct psc_cli *cli)
{
	char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);

	assert_non_null(stream);
	psc_help_print(stream, cli);
	assert_int_equal(fclose(stream), 0);
	return out;
}

/* Are its lines no wider than a wide terminal? */
static void check_lines(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > 100)
			fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
}

static void check_help_of(const struct psc_cli_word *word, const char *all, const char *manual)
{
	const char *group = psc_cli_word_is_cgroup(word) ? "cgroup " : "";
	_cleanup_free_ char *help = help_of(&(struct psc_cli){ .topic = word });
	char line[128];

	snprintf(line, sizeof(line), "  %s%s", group, word->word);
	if (!strstr(all, line) || !strstr(all, word->purpose))
		fail_msg("'%s' is not in the help", line);
	snprintf(line, sizeof(line), "Usage: ptracescopectl %s%s [OPTION]...", group, word->word);
	assert_memory_equal(help, line, strlen(line));
	assert_non_null(strstr(help, word->details));
	check_lines(help);
	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++) {
		bool goes = psc_cli_option_is_listed(option, word->command);

		snprintf(line, sizeof(line), "%s%s%s ", option->text, option->argument ? " " : "",
			 option->argument ? option->argument : "");
		if (strlen(option->text) > 2 && (strstr(help, line) != NULL) != goes)
			fail_msg("%s in the help of %s: not %s", line, word->word, goes ? "there" : "none");
	}
	snprintf(line, sizeof(line), "\n.It Cm %s%s", group, word->word);
	if (!strstr(manual, line))
		fail_msg("the manual lacks the line '%s'", line + 1);
}

/* What an option does depends on the command that it is for. */
static void test_help_of_options(void **state)
{
	static const struct {
		const char *command, *line, *none;
	} cases[] = {
		{ "watch", "--pid PID         only refusals whose tracer or tracee is this process\n",
		  "in place of" },
		{ "watch", "--mode MODE       only refusals of this kind: attach, traceme or read\n",
		  "default of" },
		{ "explain", "--mode MODE       the kind of access: attach (default), traceme or read\n",
		  "-y, --yes" },
		{ "lock", "-y, --yes", "--pid" },
		{ "log", "--grouped", "--yes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *help = help_of(&(struct psc_cli){
			.topic = psc_cli_word_find(psc_cli_words, cases[i].command) });

		if (!strstr(help, cases[i].line) || strstr(help, cases[i].none))
			fail_msg("%s: '%s', and not '%s', in:\n%s", cases[i].command, cases[i].line,
				 cases[i].none, help);
	}
}

static void test_help(void **state)
{
	_cleanup_free_ char *all = help_of(&(struct psc_cli){}), *manual = NULL;

	(void)state;
	assert_int_equal(psc_read_file("docs/ptracescopectl.8", 1 << 20, &manual, NULL), 0);
	check_lines(all);
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (!strstr(all, psc_names[i].name) || !strstr(manual, psc_names[i].name))
			fail_msg("%s is not in the help, or not in the manual", psc_names[i].name);
	for (const struct psc_cli_word *word = psc_cli_words; word->word; word++)
		check_help_of(word, all, manual);
	for (const struct psc_cli_word *word = psc_cli_cgroup_words; word->word; word++)
		check_help_of(word, all, manual);
	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++) {
		char line[64], both[64];

		assert_non_null(strstr(all, option->text));
		snprintf(line, sizeof(line), "\n.It Fl %s", option->text + 1);
		snprintf(both, sizeof(both), "\n.It Fl %c , %s", option->text[2], option->text + 1);
		if (strlen(option->text) > 2 && !strstr(manual, line) && !strstr(manual, both))
			fail_msg("the manual lacks the line '%s'", line + 1);
	}
}

static void test_overview(void **state)
{
	_cleanup_free_ char *out = NULL;
	size_t size;
	FILE *stream = open_memstream(&out, &size);

	(void)state;
	assert_non_null(stream);
	psc_help_overview(stream);
	assert_int_equal(fclose(stream), 0);
	for (const struct psc_cli_word *word = psc_cli_words; word->word; word++)
		assert_non_null(strstr(out, word->word));
	assert_non_null(strstr(out, " cgroup set,"));
	assert_non_null(strstr(out, "'ptracescopectl --help'"));
	for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_of_options),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_overview),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
