/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile daemon against all of ptracescopectl. The first byte picks the command; the rest is
 * what the server answers to each call, with a byte 0xff between two answers.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "log.h"
#include "util.h"

#define END 0xff

static const char *const commands[][8] = {
	{ "get", "kernel.yama.ptrace_scope" },
	{ "set", "kernel.yama.ptrace_scope=2" },
	{ "--yes", "lock" },
	{ "--yes", "lock", "2" },
	{ "list" },
	{ "list", "--json" },
	{ "status" },
	{ "status", "--json" },
	{ "detach" },
	{ "reload" },
	{ "cgroup", "list" },
	{ "cgroup", "list", "--json" },
	{ "cgroup", "get", "a.slice" },
	{ "cgroup", "get", "a.slice", "--json" },
	{ "cgroup", "set", "a.slice", "read_scope=1" },
	{ "cgroup", "unset", "a.slice" },
	{ "--yes", "cgroup", "lock", "a.slice" },
};

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener;

/* The answers that are still to be given; the server's thread takes them. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct input answers;

static void answer_one(int fd)
{
	char *text, byte;
	size_t len;

	/* Up to the end of a call. */
	while (recv(fd, &byte, 1, 0) == 1 && byte)
		;
	pthread_mutex_lock(&mutex);
	text = take_until(&answers, END, &len);
	pthread_mutex_unlock(&mutex);
	/* With the NUL behind it. */
	for (size_t done = 0; done <= len; ) {
		ssize_t n = send(fd, text + done, len + 1 - done, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	free(text);
}

static void *serve(void *data)
{
	(void)data;
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		CHECK(fd >= 0);
		answer_one(fd);
		close(fd);
	}
	return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *tmp = getenv("TMPDIR");
	pthread_t thread;

	(void)argc, (void)argv;
	CHECK((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/psc-fuzz-%d",
			       tmp ? tmp : "/tmp", (int)getpid()) < sizeof(address.sun_path));
	unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listener, 64) == 0);
	CHECK(pthread_create(&thread, NULL, serve, NULL) == 0);
	pthread_detach(thread);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const char *const *command = commands[take_byte(&in) % ARRAY_SIZE(commands)];
	char *argv[16] = { (char *)"ptracescopectl", (char *)"--socket", address.sun_path };
	char *error = NULL;
	struct psc_cli cli;
	int argc = 3;
	enum psc_cli_exit code;

	for (size_t i = 0; i < ARRAY_SIZE(commands[0]) && command[i]; i++)
		argv[argc++] = (char *)command[i];
	CHECK(psc_cli_parse(argc, argv, &cli, &error) == 0);
	pthread_mutex_lock(&mutex);
	answers = in;
	pthread_mutex_unlock(&mutex);
	code = psc_command_run(&cli);
	CHECK(code <= PSC_EXIT_PARTLY && code != PSC_EXIT_USAGE);
	/* The input is not ours afterwards. */
	pthread_mutex_lock(&mutex);
	answers = (struct input){};
	pthread_mutex_unlock(&mutex);
	return 0;
}
