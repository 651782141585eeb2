/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket and its clients in one thread: spin() runs the loop until it has
 * nothing to do, so nothing depends on time.
 */
#ifndef SOCKET_CLIENT_H
#define SOCKET_CLIENT_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "fake_backend.h"
#include "log.h"
#include "server.h"
#include "util.h"

#define MESSAGE_MAX (64 * 1024)
#define YAMA "\"kernel.yama.ptrace_scope\""
#define GET_YAMA "{\"method\":\"io.ptracescope.Get\",\"parameters\":{\"name\":" YAMA "}}"

static const struct psc_server_limits limits = {
	.message_max = MESSAGE_MAX,
	.connections_max = 24,
	.connections_kept = 4,
	.per_account_max = 16,
	.stall_usec = 3600ULL * 1000 * 1000,
};

struct service {
	sd_event *event;
	struct fake_backend fake;
	struct psc_backend backend;
	struct psc_control *control;
	struct sockaddr_un address;
};

static inline void service_start(struct service *s, const struct psc_server_limits *with)
{
	socklen_t len = sizeof(s->address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*s = (struct service){
		.fake = { .capable = 1, .cgroups.root_fd = -1 },
		.address.sun_family = AF_UNIX,
	};
	s->backend = fake_backend_ops(&s->fake);
	/* An abstract address that the kernel picks leaves nothing behind. */
	assert_return_code(bind(fd, (struct sockaddr *)&s->address, sizeof(sa_family_t)), 0);
	assert_return_code(listen(fd, 128), 0);
	assert_return_code(getsockname(fd, (struct sockaddr *)&s->address, &len), 0);
	assert_return_code(sd_event_new(&s->event), 0);
	assert_int_equal(psc_control_new_limited(s->event, fd, &s->backend, with, &s->control), 0);
}

static inline void service_stop(struct service *s)
{
	psc_control_free(s->control);
	sd_event_unref(s->event);
}

static inline void spin(struct service *s)
{
	int n;

	while ((n = sd_event_run(s->event, 0)) > 0)
		;
	assert_return_code(n, 0);
}

static inline int open_client(const struct service *s)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_return_code(fd, 0);
	/* Autobound addresses are a NUL and five digits. */
	assert_return_code(connect(fd, (const struct sockaddr *)&s->address,
				   sizeof(sa_family_t) + 6), 0);
	return fd;
}

static inline void put(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* A string with the NUL that ends a message. */
static inline void put_message(int fd, const char *text)
{
	put(fd, text, strlen(text) + 1);
}

enum got { GOT_NOTHING = -1, GOT_END = 0, GOT_REPLY = 1 };

/* One reply if there is one; "end" also where the server left data of ours unread. */
static inline enum got get(int fd, char *buffer, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = recv(fd, buffer + len, 1, 0);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return GOT_END;
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(len, 0);
			return GOT_NOTHING;
		}
		if (!buffer[len++])
			return GOT_REPLY;
	}
	fail_msg("reply too long");
	return GOT_NOTHING;
}

static inline void expect(int fd, enum got expected)
{
	char buffer[4096];

	assert_int_equal(get(fd, buffer, sizeof(buffer)), expected);
}

static inline void expect_json(int fd, const char *expected)
{
	char buffer[16384];
	json_t *is, *should = json_loads(expected, 0, NULL);

	assert_non_null(should);
	assert_int_equal(get(fd, buffer, sizeof(buffer)), GOT_REPLY);
	is = json_loads(buffer, JSON_REJECT_DUPLICATES, NULL);
	if (!json_equal(is, should))
		fail_msg("expected %s\n     got %s", expected, buffer);
	json_decref(is);
	json_decref(should);
}

#define CALL(method, parameters) "{\"method\":\"" method "\",\"parameters\":{" parameters "}}"
#define OURS(method, parameters) CALL("io.ptracescope." method, parameters)
#define REPLY(parameters) "{\"parameters\":{" parameters "}}"
#define ERROR(error, parameters) "{\"error\":\"" error "\",\"parameters\":{" parameters "}}"
#define OUR_ERROR(error, parameters) ERROR("io.ptracescope." error, parameters)
#define STD_ERROR(error, parameters) ERROR("org.varlink.service." error, parameters)
#define INVALID(parameter) STD_ERROR("InvalidParameter", "\"parameter\":\"" parameter "\"")
#define DENIED OUR_ERROR("PermissionDenied", \
	"\"message\":\"CAP_SYS_PTRACE in the initial user namespace is needed\"")
#define SET(name, value) OURS("Set", "\"name\":" name ",\"value\":" value)
#define RANGE(value) OUR_ERROR("OutOfRange", "\"name\":" YAMA ",\"value\":" value \
			       ",\"minimum\":0,\"maximum\":3")

static inline unsigned int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline int before(void **state)
{
	static unsigned int n;

	n = count_descriptors();
	*state = &n;
	return 0;
}

static inline int no_leak(void **state)
{
	const unsigned int *n = *state;

	return *n == count_descriptors() ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, no_leak)

#endif
