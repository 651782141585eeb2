/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients that are slow, broken, hostile or many. */
#include "socket_client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "hangup.h"

static void test_byte_by_byte(void **state)
{
	static const char call[] = OURS("Get", "\"name\":\"\xe2\x82\xac\"");
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	for (size_t i = 0; i < sizeof(call); i++) {
		expect(fd, GOT_NOTHING);
		put(fd, call + i, 1);
		spin(&s);
	}
	expect_json(fd, OUR_ERROR("UnknownName", "\"name\":\"\xe2\x82\xac\""));
	close(fd);
	service_stop(&s);
}

/* Every way to cut three messages in two. */
static void test_cuts(void **state)
{
	static const char calls[] = GET_YAMA "\0" OURS("Get", "\"name\":\"\xe2\x82\xac\"") "\0"
				    OURS("Reload", "");
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	for (size_t cut = 0; cut <= sizeof(calls); cut++) {
		put(fd, calls, cut);
		spin(&s);
		put(fd, calls + cut, sizeof(calls) - cut);
		spin(&s);
		expect_json(fd, REPLY("\"value\":0"));
		expect_json(fd, OUR_ERROR("UnknownName", "\"name\":\"\xe2\x82\xac\""));
		expect_json(fd, REPLY(""));
		expect(fd, GOT_NOTHING);
	}
	close(fd);
	service_stop(&s);
}

static void test_no_varlink(void **state)
{
	static const char *const messages[] = {
		"", " ", "x", "3", "\"x\"", "null", "[]", "{", "}", "{\"method\"",
		"{\"method\":\"io.ptracescope.List\"} x", "{'method':'io.ptracescope.List'}",
		"{\"method\":\"io.ptracescope.List\"}{}", GET_YAMA "\n" GET_YAMA,
		"{\"method\":\"io.ptracescope.List\",\"method\":\"io.ptracescope.List\"}",
		OURS("Get", "\"name\":" YAMA ",\"name\":" YAMA),
		SET(YAMA, "9223372036854775808"), SET(YAMA, "1e999"), SET(YAMA, "01"),
		SET(YAMA, "+1"), SET(YAMA, "0x1"), SET(YAMA, "NaN"),
		OURS("Get", "\"name\":\"\xff\""), OURS("Get", "\"name\":\"\xc3\""),
		OURS("Get", "\"name\":\"\xed\xa0\x80\""), OURS("Get", "\"name\":\"\\ud800\""),
		OURS("Get", "\"name\":\"kernel.yama.ptrace_scope\\u0000\""),
		"GET / HTTP/1.1\r\n\r\n",
	};
	struct service s;
	int bystander;

	(void)state;
	service_start(&s, &limits);
	bystander = open_client(&s);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		int fd = open_client(&s);

		put_message(fd, messages[i]);
		put_message(fd, SET(YAMA, "3"));	/* is never looked at */
		spin(&s);
		expect_json(fd, INVALID("message"));
		expect(fd, GOT_END);
		close(fd);
		put_message(bystander, GET_YAMA);
		spin(&s);
		expect_json(bystander, REPLY("\"value\":0"));
	}
	close(bystander);
	service_stop(&s);
}

/* A call with @n lists in each other, in which a string has what would count outside. */
static void put_nested(struct service *s, int fd, int n)
{
	char deep[1024];
	int len = sprintf(deep, "{\"method\":\"io.ptracescope.List\",\"parameters\":{\"x\":");

	memset(deep + len, '[', (size_t)n);
	len += n;
	len += sprintf(deep + len, "\"[[[[[[[[{{{{,,,,\\\"[[[,,,\"");
	memset(deep + len, ']', (size_t)n);
	strcpy(deep + len + n, "}}");
	put_message(fd, deep);
	spin(s);
}

/* Whoever sends many values has them not parsed. */
static void test_values(void **state)
{
	static char deep[MESSAGE_MAX + 1];
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	put_nested(&s, fd, 61);
	expect_json(fd, INVALID("x"));
	put_nested(&s, fd, 62);
	expect_json(fd, INVALID("message"));
	expect(fd, GOT_END);
	close(fd);

	fd = open_client(&s);
	memset(deep, '[', MESSAGE_MAX);
	deep[MESSAGE_MAX] = '\0';
	put(fd, deep, MESSAGE_MAX + 1);
	spin(&s);
	expect_json(fd, INVALID("message"));
	expect(fd, GOT_END);
	close(fd);
	service_stop(&s);
}

/* Send all of it, letting the server read where the socket is full. */
static void put_all(struct service *s, int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			n = 0;
		}
		data += n;
		len -= (size_t)n;
		spin(s);
	}
}

static void test_size(void **state)
{
	static char message[MESSAGE_MAX + 2];
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	/* Blanks around JSON are allowed. */
	memset(message, ' ', sizeof(message));
	memcpy(message, GET_YAMA, strlen(GET_YAMA));
	message[MESSAGE_MAX] = '\0';
	put_all(&s, fd, message, MESSAGE_MAX + 1);
	expect_json(fd, REPLY("\"value\":0"));
	expect(fd, GOT_NOTHING);

	/* Refused as soon as it is too long, before it ends. */
	message[MESSAGE_MAX] = ' ';
	put_all(&s, fd, message, MESSAGE_MAX);
	expect(fd, GOT_NOTHING);
	put_all(&s, fd, message, 1);
	expect_json(fd, INVALID("message"));
	expect(fd, GOT_END);
	close(fd);
	service_stop(&s);
}

/* Far more requests than fit anywhere, in one go: all are answered, in order. */
static void test_flood(void **state)
{
	enum { CALLS = 20000 };
	struct service s;
	unsigned int sent = 0, answered = 0;
	size_t rest = 0;
	char call[128] = "";
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	while (answered < CALLS) {
		/* Write until the server takes no more, ... */
		while (sent < CALLS || rest) {
			ssize_t n;

			if (!rest)
				rest = 1 + (size_t)snprintf(call, sizeof(call),
					OURS("Get", "\"name\":\"%u\""), sent++);
			n = send(fd, call + strlen(call) + 1 - rest, rest, MSG_NOSIGNAL);
			if (n < 0)
				break;
			rest -= (size_t)n;
		}
		spin(&s);
		/* ... then read some, but never all. */
		for (unsigned int i = 0; i < 100 && answered < CALLS; i++) {
			char reply[128], expected[32];
			enum got got = get(fd, reply, sizeof(reply));

			if (got == GOT_NOTHING)
				break;
			assert_int_equal(got, GOT_REPLY);
			snprintf(expected, sizeof(expected), "\"name\":\"%u\"", answered++);
			assert_non_null(strstr(reply, expected));
		}
	}
	expect(fd, GOT_NOTHING);
	close(fd);
	service_stop(&s);
}

/* Ask without ever reading; return the bytes that the server took in all. */
static size_t ask_until_full(struct service *s, int fd)
{
	static const char call[] = OURS("List", "");
	size_t total = 0;

	for (unsigned int idle = 0; idle < 2; ) {
		ssize_t n = send(fd, call, sizeof(call), MSG_NOSIGNAL);

		/* A part of a message is as good as a whole one here. */
		idle = n > 0 ? 0 : idle + 1;
		total += n > 0 ? (size_t)n : 0;
		assert_true(total < 16 * 1024 * 1024);
		spin(s);
	}
	return total;
}

/*
 * With a byte goes a socket, of which the caller keeps nothing. Return: was it taken? Newer
 * kernels refuse it, and it does not linger then.
 */
static bool pass(int fd, int passed)
{
	static const struct linger no_linger;
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = '{';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	bool taken;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	taken = sendmsg(fd, &msg, MSG_NOSIGNAL) == 1;
	if (!taken)
		setsockopt(passed, SOL_SOCKET, SO_LINGER, &no_linger, sizeof(no_linger));
	close(passed);
	return taken;
}

/* A TCP socket that waits at its last close, by far longer than a test may last. */
static int lingering(int *ret_peer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { 1, 1000 };
	socklen_t len = sizeof(address);
	static char bytes[65536];
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&address, &len), 0);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	*ret_peer = accept(listener, NULL, NULL);
	assert_true(*ret_peer >= 0);
	close(listener);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return fd;
}

/* Read, behind a message, and at the end of a connection: nobody waits. */
static void test_descriptors(void **state)
{
	enum { READ, BEHIND, AT_END, WAYS };
	struct service s;
	int bystander, peers[WAYS];

	(void)state;
	service_start(&s, &limits);
	bystander = open_client(&s);
	for (int way = READ; way < WAYS; way++) {
		int fd = open_client(&s), heavy = lingering(&peers[way]);

		if (way == BEHIND)
			put_message(fd, GET_YAMA);
		if (way == AT_END)
			assert_true(ask_until_full(&s, fd) > 0);
		pass(fd, heavy);
		if (way == AT_END)
			close(fd);
		spin(&s);
		put_message(bystander, GET_YAMA);
		spin(&s);
		expect_json(bystander, REPLY("\"value\":0"));
		if (way != AT_END)
			close(fd);
	}
	close(bystander);
	service_stop(&s);
	for (int way = 0; way < WAYS; way++)
		close(peers[way]);
}

/* The same without the help of newer kernels. */
static void test_hang_up(void **state)
{
	int pair[2], peer, heavy = lingering(&peer);
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(psc_receive(pair[1], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	assert_true(pass(pair[0], heavy));
	assert_int_equal(psc_receive(pair[1], &byte, 1), -EBADMSG);
	psc_hang_up(pair[1]);
	assert_int_equal(fcntl(pair[1], F_GETFD), -1);
	/* The end, or that something was left unread (ECONNRESET). */
	assert_true(recv(pair[0], &byte, 1, 0) <= 0);
	close(pair[0]);
	close(peer);
}

static void test_never_reads(void **state)
{
	struct service s;
	int fds[8], bystander;

	(void)state;
	service_start(&s, &limits);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = open_client(&s);
		assert_true(ask_until_full(&s, fds[i]) > 0);
	}
	bystander = open_client(&s);
	put_message(bystander, GET_YAMA);
	spin(&s);
	expect_json(bystander, REPLY("\"value\":0"));
	close(bystander);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	spin(&s);
	service_stop(&s);
}

/* Run the loop, waiting for time where needed, until the server has hung up. */
static void run_until_end(struct service *s, int fd)
{
	char c[4096];

	for (;;) {
		ssize_t n = recv(fd, c, sizeof(c), 0);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return;
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_return_code(sd_event_run(s->event, UINT64_MAX), 0);
		}
	}
}

static void test_stalls(void **state)
{
	struct psc_server_limits with = limits;
	struct service s;
	int idle, half, deaf;
	char c;

	(void)state;
	with.stall_usec = 1;
	service_start(&s, &with);
	idle = open_client(&s);
	put_message(idle, GET_YAMA);
	spin(&s);
	expect_json(idle, REPLY("\"value\":0"));

	half = open_client(&s);
	put(half, "{\"method\"", 9);
	run_until_end(&s, half);
	close(half);

	/* Its replies are there to read, but it is hung up on. */
	deaf = open_client(&s);
	for (;;) {
		if (send(deaf, GET_YAMA, sizeof(GET_YAMA), MSG_NOSIGNAL) < 0) {
			if (errno == EPIPE)
				break;
			assert_int_equal(errno, EAGAIN);
			assert_return_code(sd_event_run(s.event, UINT64_MAX), 0);
		}
		spin(&s);
	}
	close(deaf);

	/* One that only waits may wait for ever. */
	spin(&s);
	expect(idle, GOT_NOTHING);
	put_message(idle, GET_YAMA);
	while (recv(idle, &c, 1, MSG_PEEK) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_return_code(sd_event_run(s.event, UINT64_MAX), 0);
	}
	expect_json(idle, REPLY("\"value\":0"));
	close(idle);
	service_stop(&s);
}

/* Is a timer of this process running? proc(5), fdinfo of a timerfd. */
static bool timer_runs(void)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *entry;
	bool runs = false;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *text = NULL;
		const char *value;
		char path[300];

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
		if (psc_read_file(path, 65536, &text, NULL))
			continue;
		value = strstr(text, "it_value:");
		runs |= value && strncmp(value, "it_value: (0, 0)", 16) != 0;
	}
	closedir(dir);
	return runs;
}

/* The clock only runs while something is pending: no wake-ups otherwise. */
static void test_idle_clock(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	spin(&s);
	assert_false(timer_runs());
	put(fd, GET_YAMA, 5);
	spin(&s);
	assert_true(timer_runs());
	put(fd, &GET_YAMA[5], sizeof(GET_YAMA) - 5);
	spin(&s);
	expect_json(fd, REPLY("\"value\":0"));
	assert_false(timer_runs());
	ask_until_full(&s, fd);
	assert_true(timer_runs());
	close(fd);
	spin(&s);
	assert_false(timer_runs());
	service_stop(&s);
}

static bool is_served(struct service *s, int fd)
{
	char reply[4096];

	/* It may be hung up on already. */
	if (send(fd, GET_YAMA, sizeof(GET_YAMA), MSG_NOSIGNAL) < 0)
		return false;
	spin(s);
	return get(fd, reply, sizeof(reply)) == GOT_REPLY;
}

static void test_limits(void **state)
{
	enum { IDLE = 3000 };
	struct service s;
	int fds[32], extra;
	unsigned int n = 0;

	(void)state;
	service_start(&s, &limits);
	/* One user's idle connections: so many may stay, ... */
	s.fake.capable = 0;
	for (unsigned int i = 0; i < IDLE; i++) {
		int fd = open_client(&s);

		spin(&s);
		if (i < limits.per_account_max)
			fds[n++] = fd;
		else {
			expect(fd, GOT_END);
			close(fd);
		}
	}
	for (unsigned int i = 0; i < n; i++)
		assert_true(is_served(&s, fds[i]));
	/* ... and one that goes makes room for another. */
	close(fds[--n]);
	spin(&s);
	fds[n++] = open_client(&s);
	assert_true(is_served(&s, fds[n - 1]));

	/* Administrators are not counted with them, up to the global limit. */
	s.fake.capable = 1;
	while (n < limits.connections_max) {
		fds[n++] = open_client(&s);
		assert_true(is_served(&s, fds[n - 1]));
	}
	extra = open_client(&s);
	spin(&s);
	expect(extra, GOT_END);
	close(extra);

	/* The last places are for administrators only: another of that user's gets in for one. */
	for (unsigned int i = 0; i < limits.connections_kept; i++)
		close(fds[i]);
	spin(&s);
	s.fake.capable = 0;
	extra = open_client(&s);
	assert_true(is_served(&s, extra));
	expect(fds[limits.connections_kept], GOT_END);
	close(extra);
	/* And where the others are administrators', for nobody's. */
	for (unsigned int i = limits.connections_kept; i < limits.per_account_max; i++)
		close(fds[i]);
	spin(&s);
	s.fake.capable = 1;
	for (unsigned int i = 0; i < limits.per_account_max - limits.connections_kept; i++) {
		fds[i] = open_client(&s);
		assert_true(is_served(&s, fds[i]));
	}
	s.fake.capable = 0;
	extra = open_client(&s);
	spin(&s);
	expect(extra, GOT_END);
	close(extra);
	s.fake.capable = 1;
	extra = open_client(&s);
	assert_true(is_served(&s, extra));
	close(extra);
	for (unsigned int i = 0; i < limits.per_account_max - limits.connections_kept; i++)
		close(fds[i]);
	for (unsigned int i = limits.per_account_max; i < n; i++)
		close(fds[i]);
	service_stop(&s);
}

/* As @account: so many connections on which one call has been answered. */
static void occupy(struct service *s, __u32 account, int *fds, unsigned int n)
{
	s->fake.account = account;
	for (unsigned int i = 0; i < n; i++) {
		fds[i] = open_client(s);
		assert_true(is_served(s, fds[i]));
	}
}

/* When all places are taken, who has most makes room, by what was not answered for longest. */
static void test_places(void **state)
{
	enum { COMMON = 20, EACH = 9 };
	struct service s;
	int many[EACH], more[EACH], few[2], late[3];

	(void)state;
	assert_int_equal(limits.connections_max - limits.connections_kept, COMMON);
	service_start(&s, &limits);
	s.fake.capable = 0;
	occupy(&s, 1, few, 2);
	occupy(&s, 2, many, EACH);
	occupy(&s, 3, more, EACH);
	for (int i = 0; i < EACH; i++)	/* but the second of them */
		if (i != 1)
			assert_true(is_served(&s, many[i]));
	for (int i = 0; i < EACH; i++)
		assert_true(is_served(&s, more[i]));

	/* One who has none, and one who has few, get in; it costs those who have most. */
	occupy(&s, 4, late, 1);
	expect(many[1], GOT_END);
	occupy(&s, 1, late + 1, 1);
	expect(more[0], GOT_END);
	/* Who has most takes his own: the next to the oldest of both. */
	occupy(&s, 2, late + 2, 1);
	expect(many[0], GOT_END);
	for (int i = 2; i < EACH; i++)
		assert_true(is_served(&s, many[i]));
	for (int i = 1; i < EACH; i++)
		assert_true(is_served(&s, more[i]));
	assert_true(is_served(&s, few[0]) && is_served(&s, few[1]) && is_served(&s, late[0]));
	service_stop(&s);
	for (int i = 0; i < EACH; i++) {
		close(many[i]);
		close(more[i]);
	}
	close(few[0]);
	close(few[1]);
	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		close(late[i]);
}

/* One who never is through with a message is not the one that is kept. */
static void test_dribbling(void **state)
{
	struct service s;
	int fds[20], late;

	(void)state;
	service_start(&s, &limits);
	s.fake.capable = 0;
	occupy(&s, 1, fds, 10);
	occupy(&s, 2, fds + 10, 10);
	for (int i = 0; i < 20; i++)
		if (i != 4)
			assert_true(is_served(&s, fds[i]));
	put(fds[4], "{", 1);
	spin(&s);
	put(fds[4], "\"", 1);
	spin(&s);
	occupy(&s, 3, &late, 1);
	expect(fds[4], GOT_END);
	close(late);
	for (int i = 0; i < 20; i++)
		close(fds[i]);
	service_stop(&s);
}

/* What is kept for all of them is bounded, and who has most of it loses it. */
static void test_memory(void **state)
{
	struct psc_server_limits with = limits;
	static char half[16 * 1024];
	struct service s;
	int fds[8], small;

	(void)state;
	with.memory_max = 64 * 1024;
	service_start(&s, &with);
	s.fake.capable = 0;
	s.fake.account = 1;
	small = open_client(&s);
	put(small, GET_YAMA, 5);
	spin(&s);
	memset(half, ' ', sizeof(half));
	s.fake.account = 2;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = open_client(&s);
		put(fds[i], half, sizeof(half));
		spin(&s);
	}
	expect(fds[0], GOT_END);
	expect(fds[7], GOT_NOTHING);
	put(small, &GET_YAMA[5], sizeof(GET_YAMA) - 5);
	spin(&s);
	expect_json(small, REPLY("\"value\":0"));
	close(small);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	service_stop(&s);
}

/* DEL is no character of JSON that has to be escaped, and still must not reach a terminal. */
static void test_del(void **state)
{
	char reply[256];
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	put_message(fd, OURS("Get", "\"name\":\"a\x7f" "b\""));
	spin(&s);
	assert_int_equal(get(fd, reply, sizeof(reply)), GOT_REPLY);
	assert_non_null(strstr(reply, "a\\u007fb"));
	close(fd);
	service_stop(&s);
}

/* Without descriptors the loop rests; with them again, those who wait are served. */
/* However many calls of others wait, who may change something does not wait for them. */
static void test_priority(void **state)
{
	struct service s;
	int crowd[8], admin, late;

	(void)state;
	service_start(&s, &limits);
	s.fake.capable = 0;
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++)
		crowd[i] = open_client(&s);
	spin(&s);
	s.fake.capable = 1;
	admin = open_client(&s);
	spin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++)
		for (int n = 0; n < 4; n++)
			put_message(crowd[i], GET_YAMA);
	/* All of theirs are seen before the other's is there. */
	assert_true(sd_event_run(s.event, 0) > 0);
	put_message(admin, SET(YAMA, "1"));
	assert_true(sd_event_run(s.event, 0) > 0);
	expect_json(admin, REPLY("\"value\":1"));
	/* Nor does one who comes just now: it is accepted, and answered. */
	late = open_client(&s);
	put_message(late, SET(YAMA, "2"));
	assert_true(sd_event_run(s.event, 0) > 0);
	assert_true(sd_event_run(s.event, 0) > 0);
	expect_json(late, REPLY("\"value\":2"));
	spin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
		for (int n = 0; n < 4; n++)
			expect(crowd[i], GOT_REPLY);
		close(crowd[i]);
	}
	close(admin);
	close(late);
	service_stop(&s);
}

/* Who connects without pause keeps nobody from being answered, even without accept_burst. */
static void test_connecting(void **state)
{
	char buffer[256];
	struct service s;
	int fd, i = 0;

	(void)state;
	service_start(&s, &limits);
	s.fake.capable = 0;
	fd = open_client(&s);
	spin(&s);
	put_message(fd, GET_YAMA);
	/* Somebody always waits to be accepted. */
	close(open_client(&s));
	do {
		close(open_client(&s));
		assert_return_code(sd_event_run(s.event, 0), 0);
		assert_true(i++ < 100);
	} while (get(fd, buffer, sizeof(buffer)) != GOT_REPLY);
	close(fd);
	service_stop(&s);
}

static int on_busy(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source;
	(void)fd;
	(void)revents;
	(void)data;
	return 0;
}

/* Administrators are answered while the daemon always has something to do. */
static void test_busy(void **state)
{
	sd_event_source *busy = NULL;
	struct service s;
	int ends[2];

	(void)state;
	service_start(&s, &limits);
	assert_return_code(pipe(ends), 0);
	assert_return_code(sd_event_add_io(s.event, &busy, ends[1], EPOLLOUT, on_busy, NULL), 0);
	for (int client = 0; client < 4; client++) {
		int fd = open_client(&s), i = 0;
		char buffer[256];

		s.fake.capable = client % 2;
		put_message(fd, GET_YAMA);
		do {
			assert_return_code(sd_event_run(s.event, 0), 0);
			assert_true(i++ < 1000000);
		} while (client % 2 ? get(fd, buffer, sizeof(buffer)) != GOT_REPLY : i < 100);
		close(fd);
	}
	sd_event_source_disable_unref(busy);
	close(ends[0]);
	close(ends[1]);
	service_stop(&s);
}

static void test_no_descriptors(void **state)
{
	struct rlimit old, none;
	struct service s;
	char c;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	put_message(fd, GET_YAMA);
	assert_return_code(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_return_code(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(dup(fd), -1);
	spin(&s);	/* ends: there is nothing left to do at once */
	assert_return_code(setrlimit(RLIMIT_NOFILE, &old), 0);
	expect(fd, GOT_NOTHING);
	while (recv(fd, &c, 1, MSG_PEEK) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_return_code(sd_event_run(s.event, UINT64_MAX), 0);
	}
	expect_json(fd, REPLY("\"value\":0"));
	close(fd);
	service_stop(&s);
}

/* Clients that leave at every point. */
static void test_leaving(void **state)
{
	static const char calls[] = GET_YAMA "\0" SET(YAMA, "0") "\0{\"meth";
	struct service s;

	(void)state;
	service_start(&s, &limits);
	for (size_t len = 0; len < sizeof(calls); len++) {
		int early = open_client(&s), late = open_client(&s);
		int half = open_client(&s);

		put(early, calls, len);
		close(early);
		put(late, calls, len);
		put(half, calls, len);
		shutdown(half, SHUT_WR);
		spin(&s);
		close(late);
		/* Whoever only stopped writing gets the answers. */
		if (len > sizeof(GET_YAMA))
			expect_json(half, REPLY("\"value\":0"));
		close(half);
		spin(&s);
	}
	service_stop(&s);
}

static unsigned int next_random(unsigned int *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 8;
}

/* Broken messages of all kinds, from a generator with a fixed seed. */
static void test_mutations(void **state)
{
	static const char *const seeds[] = {
		GET_YAMA, OURS("List", ""), SET("\"kernel.ptracescope.read_scope\"", "2"),
		CALL("org.varlink.service.GetInfo", ""),
		"{\"method\":\"io.ptracescope.List\",\"more\":true,\"oneway\":false}",
	};
	static const char bytes[] = "{}[]\",:\\0123-.e\x00\x01\x80\xff tn";
	unsigned int random = 1;
	struct service s;
	int bystander;

	(void)state;
	service_start(&s, &limits);
	bystander = open_client(&s);
	for (unsigned int round = 0; round < 20000; round++) {
		const char *seed = seeds[next_random(&random) % ARRAY_SIZE(seeds)];
		char message[256], reply[4096];
		size_t len = strlen(seed) + 1;
		int fd = open_client(&s);

		memcpy(message, seed, len);
		for (unsigned int i = next_random(&random) % 4; i < 4; i++) {
			size_t at = next_random(&random) % len;

			message[at] = bytes[next_random(&random) % sizeof(bytes)];
		}
		message[len - 1] = '\0';
		put(fd, message, len);
		spin(&s);
		while (get(fd, reply, sizeof(reply)) == GOT_REPLY) {
			json_t *json = json_loads(reply, JSON_REJECT_DUPLICATES, NULL);

			assert_true(json_is_object(json));
			json_decref(json);
		}
		close(fd);
		spin(&s);
	}
	assert_true(is_served(&s, bystander));
	close(bystander);
	service_stop(&s);
}

/* Ending with clients in every state. */
static void test_stop(void **state)
{
	struct service s;
	int idle, half, deaf;

	(void)state;
	service_start(&s, &limits);
	idle = open_client(&s);
	half = open_client(&s);
	put(half, "{", 1);
	deaf = open_client(&s);
	ask_until_full(&s, deaf);
	spin(&s);
	service_stop(&s);
	expect(idle, GOT_END);
	expect(half, GOT_END);
	close(idle);
	close(half);
	close(deaf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_byte_by_byte),
		TEST(test_descriptors),
		TEST(test_hang_up),
		TEST(test_cuts),
		TEST(test_no_varlink),
		TEST(test_values),
		TEST(test_size),
		TEST(test_flood),
		TEST(test_never_reads),
		TEST(test_stalls),
		TEST(test_idle_clock),
		TEST(test_limits),
		TEST(test_places),
		TEST(test_dribbling),
		TEST(test_memory),
		TEST(test_del),
		TEST(test_priority),
		TEST(test_connecting),
		TEST(test_busy),
		TEST(test_no_descriptors),
		TEST(test_leaving),
		TEST(test_mutations),
		TEST(test_stop),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
