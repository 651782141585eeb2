/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl: when what it prints cannot be written. */
#include "command_run.h"

#include "cli.h"
#include "command.h"

static void test_full_disk(void **state)
{
	static const char *const commands[] = { "get", "list", "status", "doctor", "--help", "--version" };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct service s;

	(void)state;
	assert_return_code(full, errno);
	service_there(&s);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *arguments[] = { "--socket", socket_path, commands[i], NULL };
		int err = memfd_create("err", MFD_CLOEXEC), pipe_fd;
		pid_t pid = run_child(arguments, full, full, err, &pipe_fd);
		char text[4096];

		serve_until_ended(&s, pipe_fd);
		assert_int_equal(exit_code(pid), 1);
		read_back(err, text);
		assert_string_equal(text, LINE("standard output: No space left on device"));
	}
	close(full);
	service_stop(&s);
}

/* As other tools: who does not read on ends them, without a word. */
static void test_closed_pipe(void **state)
{
	static const char *const commands[] = { "get", "list", "doctor", "--help" };
	struct service s;

	(void)state;
	service_there(&s);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *arguments[] = { "--socket", socket_path, commands[i], NULL };
		int err = memfd_create("err", MFD_CLOEXEC), pipe_fd, ends[2], status;
		char text[4096];
		pid_t pid;

		assert_return_code(pipe2(ends, O_CLOEXEC), errno);
		close(ends[0]);
		pid = run_child(arguments, ends[1], ends[1], err, &pipe_fd);
		close(ends[1]);
		serve_until_ended(&s, pipe_fd);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		read_back(err, text);
		assert_string_equal(text, "");
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGPIPE);
	}
	service_stop(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_full_disk),
		TEST(test_closed_pipe),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
