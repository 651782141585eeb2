/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs of ptracescopectl: the command in a child, the socket in this process. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

#include "socket_client.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "cli.h"
#include "command.h"

#define ARGUMENTS_MAX 8

static inline int parse(const char *const *arguments, struct psc_cli *ret, char **ret_error)
{
	char *argv[ARGUMENTS_MAX + 2] = { (char *)"ptracescopectl" };
	int argc = 1;

	for (; *arguments; arguments++)
		argv[argc++] = (char *)*arguments;
	return psc_cli_parse(argc, argv, ret, ret_error);
}

/* The command line is refused, with a message that has @error in it. */
static inline void expect_usage_error(const char *const *arguments, const char *error)
{
	struct psc_cli cli;
	char *message = NULL;

	assert_int_equal(parse(arguments, &cli, &message), -EINVAL);
	if (!strstr(message, error))
		fail_msg("expected '%s' in '%s'", error, message);
	free(message);
}

struct result {
	int code;
	char out[4096], err[4096];
};

static inline void read_back(int fd, char text[4096])
{
	ssize_t n = pread(fd, text, 4095, 0);

	assert_return_code(n, errno);
	text[n] = '\0';
	close(fd);
}

/*
 * Start the command; *@ret_pipe reads as ended when it has. @in_fd is its
 * stdin; @err_fd too is its own, or -1 for a file like that of stdout.
 */
static inline pid_t run_child(const char *const *arguments, int in_fd, int out_fd, int err_fd,
		       int *ret_pipe)
{
	int ends[2];
	pid_t pid;

	assert_return_code(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_return_code(pid, 0);
	if (pid == 0) {
		struct psc_cli cli;
		char *error = NULL;

		dup2(in_fd, STDIN_FILENO);
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		stdout = fdopen(STDOUT_FILENO, "w");	/* new, as that of a program */
		psc_command_begin();
		psc_log_set_level(LOG_INFO);
		psc_log_set_name("ptracescopectl");
		if (parse(arguments, &cli, &error))
			_exit(99);
		_exit(psc_command_run(&cli));
	}
	close(ends[1]);
	*ret_pipe = ends[0];
	return pid;
}

static inline int exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int on_ended(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)fd;
	(void)revents;
	*(bool *)data = true;
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static inline void serve_until_ended(struct service *s, int pipe_fd)
{
	sd_event_source *source;
	bool ended = false;

	assert_return_code(sd_event_add_io(s->event, &source, pipe_fd, EPOLLIN, on_ended, &ended),
			   0);
	while (!ended)
		assert_return_code(sd_event_run(s->event, UINT64_MAX), 0);
	sd_event_source_unref(source);
	close(pipe_fd);
	spin(s);
}

static char socket_path[64];

/* Group fixtures: the directory that it is in. */
static int make_directory(void **state)
{
	static char directory[] = "/tmp/ptracescopectl-XXXXXX";

	*state = directory;
	if (!mkdtemp(directory))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
	return 0;
}

static int remove_directory(void **state)
{
	unlink(socket_path);
	return rmdir(*state);
}

static inline int listen_there(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, socket_path);
	unlink(socket_path);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_return_code(listen(fd, 8), 0);
	return fd;
}

static inline void service_there(struct service *s)
{
	*s = (struct service){ .fake = { .capable = 1, .cgroups.root_fd = -1 } };
	s->backend = fake_backend_ops(&s->fake);
	assert_return_code(sd_event_new(&s->event), 0);
	assert_int_equal(psc_control_new_limited(s->event, listen_there(), &s->backend, &limits,
						 &s->control), 0);
}

static inline void run_against(struct service *s, const char *const *arguments, struct result *ret)
{
	const char *all[ARGUMENTS_MAX + 2] = { "--socket", socket_path };
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), pipe_fd;
	pid_t pid;

	for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
		all[i + 2] = arguments[i];
	pid = run_child(all, null, out, err, &pipe_fd);
	if (s)
		serve_until_ended(s, pipe_fd);
	else
		close(pipe_fd);
	ret->code = exit_code(pid);
	read_back(out, ret->out);
	read_back(err, ret->err);
	close(null);
}

struct run_case {
	const char *arguments[ARGUMENTS_MAX - 2];
	int code;
	const char *out;
	const char *err;
};

#define LINE(text) "ptracescopectl: " text "\n"

static inline void check_runs(struct service *s, const struct run_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct result result;

		run_against(s, cases[i].arguments, &result);
		assert_string_equal(result.err, cases[i].err);
		assert_string_equal(result.out, cases[i].out);
		assert_int_equal(result.code, cases[i].code);
	}
}

#endif
