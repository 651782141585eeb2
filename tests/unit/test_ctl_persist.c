/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --persist on the command line, and what a terminal is told without it. */
#include "command_run.h"

#include <pty.h>

static void test_usage(void **state)
{
	static const struct {
		const char *arguments[ARGUMENTS_MAX];
		const char *error;
	} cases[] = {
		{ { "set", "3", "--revocable", "--persist" }, "--persist does not go with "
		  "'--revocable'; a scope of 3 in the configuration lasts until reboot" },
		{ { "cgroup", "set", "a", "3", "--revocable", "--persist" }, "'--revocable'" },
		{ { "lock", "read", "--persist" }, "--persist does not go with 'lock'; the "
		  "configuration has one floor, for attach and traceme" },
		{ { "lock", "attach", "--persist" }, "--persist does not go with 'lock'" },
		{ { "cgroup", "set", "a", "read", "1", "--lock", "--persist" },
		  "--persist does not go with '--lock'; the configuration has one floor" },
		{ { "unset", "read" }, "missing --persist after 'unset'; without it there is nothing "
		  "to remove: set another value" },
		{ { "unset", "--persist" }, "missing argument after 'unset'; usage: unset NAME "
		  "--persist" },
		{ { "unset", "x", "--persist" }, "unknown name 'x'" },
		{ { "get", "--persist" }, "--persist does not go with 'get'; it is for: set, unset, "
		  "lock, cgroup set, cgroup unset, cgroup lock" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_usage_error(cases[i].arguments, cases[i].error);
}

/* On a terminal, and only there, it is said what is not kept. */
static void test_terminal(void **state)
{
	static const struct {
		const char *arguments[ARGUMENTS_MAX];
		const char *note;
	} cases[] = {
		{ { "set", "2" }, "ends at reboot; to keep it: --persist" },
		{ { "lock", "1", "-y" }, "ends at reboot; to keep it: --persist" },
		{ { "set", "2", "--json" }, NULL },
		{ { "get" }, NULL },
	};
	struct service s;

	(void)state;
	service_there(&s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *arguments[ARGUMENTS_MAX] = { "--socket", socket_path };
		int master, slave, pipe_fd;
		char text[4096] = "";
		ssize_t n;
		pid_t pid;

		memcpy(arguments + 2, cases[i].arguments, 4 * sizeof(*arguments));
		assert_return_code(openpty(&master, &slave, NULL, NULL, NULL), errno);
		pid = run_child(arguments, slave, slave, slave, &pipe_fd);
		serve_until_ended(&s, pipe_fd);
		assert_int_equal(exit_code(pid), 0);
		close(slave);
		for (size_t len = 0; (n = read(master, text + len, sizeof(text) - 1 - len)) > 0;)
			len += (size_t)n;
		if (cases[i].note ? !strstr(text, cases[i].note) : strstr(text, "this ends") != NULL)
			fail_msg("row %zu: '%s'", i, text);
		close(master);
	}
	service_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
