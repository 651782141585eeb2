/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loopload make DIRECTORY FROM TO: make the cgroups DIRECTORY/FROM to DIRECTORY/TO-1
 * loopload deep DIRECTORY N: N cgroups, each below the last one; prints the path
 * loopload list: go through CgroupList to its end; prints microseconds, pages and cgroups found
 * loopload time N [SCOPE]: the mean and the longest of N calls of Get, and of Set to this scope or
 *	1, each with its connection
 * loopload KIND N ARGUMENT: ask the same again and again on N connections, until SIGTERM; prints
 *	"ready" when each has had a reply
 *	pages: a page of the list from the beginning
 *	forged: a page behind a cgroup that is not there, of directory ARGUMENT
 *	cgroup: about the cgroup, or unit, ARGUMENT
 *	json: what is long to parse, and wrong
 *	position: the longest position that can be sent
 * loopload rights: pass a descriptor, be hung up on, and do it again, until SIGTERM
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base64.h"
#include "daemon_socket.h"
#include "util.h"

#define LONGEST (24 * 1024)		/* of a message */
#define CALL(method, parameters) \
	"{\"method\":\"io.ptracescope." method "\",\"parameters\":{" parameters "}}"
#define YAMA "\"name\":\"kernel.yama.ptrace_scope\""

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* A call, and its reply: an allocation. */
static char *call(int fd, const char *message)
{
	static char reply[1024 * 1024];
	size_t len = 0;

	if (write(fd, message, strlen(message) + 1) < 0)
		die("write");
	do {
		ssize_t n = read(fd, reply + len, sizeof(reply) - len);

		if (n <= 0)
			die("read");
		len += (size_t)n;
	} while (reply[len - 1]);
	return strdup(reply);
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int make(const char *dir, int from, int to)
{
	int fd = open(dir, O_PATH | O_DIRECTORY);
	char name[32];

	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (mkdirat(fd, name, 0755))
			die(name);
	}
	return 0;
}

static int deep(const char *dir, int n)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s", dir);
	for (int i = 0; i < n; i++) {
		strcat(path, "/d");
		if (mkdir(path, 0755))
			die(path);
	}
	puts(path + strlen("/sys/fs/cgroup/"));
	return 0;
}

static int list(void)
{
	static char message[2 * LONGEST] = CALL("CgroupList", "");
	int fd = daemon_connect(), pages = 0, found = 0;
	long begin = now();

	for (char *next = message; next; pages++) {
		char *reply = call(fd, message);

		for (const char *path = reply; (path = strstr(path, "\"path\":")); path++)
			found++;
		next = strstr(reply, "\"next\":\"");
		if (next)
			snprintf(message, sizeof(message), CALL("CgroupList", "\"after\":\"%.*s\""),
				 (int)strcspn(next + 8, "\""), next + 8);
		free(reply);
	}
	printf("%ld %d %d\n", now() - begin, pages, found);
	return 0;
}

static int measure(int n, const char *scope)
{
	long all = 0, longest = 0;
	char set[256];

	snprintf(set, sizeof(set), CALL("Set", YAMA ",\"value\":%s"), scope);
	for (int i = 0; i < n; i++) {
		long begin = now(), took;
		int fd = daemon_connect();

		free(call(fd, i % 2 ? CALL("Get", YAMA) : set));
		close(fd);
		took = now() - begin;
		all += took;
		longest = took > longest ? took : longest;
	}
	printf("%ld %ld\n", all / n, longest);
	return 0;
}

static void after(const unsigned char *bytes, size_t len, char *ret)
{
	snprintf(ret, LONGEST, CALL("CgroupList", "\"after\":\"%s\""),
		 psc_base64_encode(bytes, len));
}

/* One mark of the directory, one of a child that nobody has, and beyond all numbers. */
static void forge(const char *dir, char *ret)
{
	unsigned long long marks[4] = { 0, 0, ~0ULL >> 1, ~0ULL >> 1 };
	const char *name = strrchr(dir, '/') + 1;
	unsigned char bytes[1 + sizeof(marks) + NAME_MAX] = { 2 };
	struct stat st;

	if (stat(dir, &st))
		die(dir);
	marks[0] = st.st_ino;
	memcpy(bytes + 1, marks, sizeof(marks));
	memcpy(bytes + 1 + sizeof(marks), name, strlen(name));
	after(bytes, 1 + sizeof(marks) + strlen(name), ret);
}

static void position(char *ret)
{
	static unsigned char bytes[(LONGEST - 256) / 4 * 3] = { 1 };

	for (size_t i = 17; i < sizeof(bytes); i++)	/* "a/a/a/..." */
		bytes[i] = i % 2 ? 'a' : '/';
	after(bytes, sizeof(bytes), ret);
}

/* A parameter that there is not, whose name is in the reply, with six bytes for each of it. */
static void json(char *ret)
{
	ret += sprintf(ret, "{\"method\":\"io.ptracescope.List\",\"parameters\":{\"");
	memset(ret, 0x7f, LONGEST - 256);
	strcpy(ret + LONGEST - 256, "\":1}}");
}

static void build(const char *kind, const char *argument, char *ret)
{
	if (streq(kind, "pages"))
		strcpy(ret, CALL("CgroupList", ""));
	else if (streq(kind, "forged"))
		forge(argument, ret);
	else if (streq(kind, "cgroup"))
		snprintf(ret, LONGEST, CALL("CgroupGet", "\"cgroup\":\"%s\""), argument);
	else if (streq(kind, "json"))
		json(ret);
	else if (streq(kind, "position"))
		position(ret);
	else
		exit(2);
}

/* A connection that asks, waits for the reply, and asks again. */
struct asker {
	size_t sent;
	bool waits, answered;
};

static void send_some(struct pollfd *fd, struct asker *asker, const char *message, size_t len)
{
	ssize_t n = send(fd->fd, message + asker->sent, len - asker->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		die("send");
	asker->sent += n > 0 ? (size_t)n : 0;
	asker->waits = asker->sent == len;
	fd->events = asker->waits ? POLLIN : POLLOUT;
}

static void receive_some(struct pollfd *fd, struct asker *asker)
{
	static char reply[512 * 1024];
	ssize_t n = recv(fd->fd, reply, sizeof(reply), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("the daemon hung up");
	if (n < 0 || reply[n - 1])
		return;
	*asker = (struct asker){ .answered = true };
	fd->events = POLLOUT;
}

/*
 * They sleep while they wait: a turn of the daemon's, which takes the time that others take on
 * its processor, is to show what it does itself.
 */
static void __attribute__((noreturn)) flood(const char *message, unsigned int n)
{
	struct pollfd *fds = calloc(n, sizeof(*fds));
	struct asker *askers = calloc(n, sizeof(*askers));
	size_t len = strlen(message) + 1;
	bool ready = false;

	for (unsigned int i = 0; i < n; i++)
		fds[i] = (struct pollfd){ daemon_connect(), POLLOUT, 0 };
	for (;;) {
		unsigned int answered = 0;

		if (poll(fds, n, -1) < 0)
			die("poll");
		for (unsigned int i = 0; i < n; i++) {
			if (fds[i].revents && askers[i].waits)
				receive_some(&fds[i], &askers[i]);
			else if (fds[i].revents)
				send_some(&fds[i], &askers[i], message, len);
			answered += askers[i].answered;
		}
		if (answered == n && !ready)
			puts("ready");
		fflush(stdout);
		ready = ready || answered == n;
	}
}

static void __attribute__((noreturn)) pass_rights(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "{", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&msg);
	int passed = open("/dev/null", O_RDONLY);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	for (int i = 0;; i++) {
		int fd = daemon_connect();
		char c;

		memcpy(CMSG_DATA(rights), &passed, sizeof(passed));
		if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 && errno != EPERM)
			die("sendmsg");
		shutdown(fd, SHUT_WR);
		while (read(fd, &c, 1) > 0)
			;
		close(fd);
		if (i != 3)
			continue;
		puts("ready");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static char message[2 * LONGEST];
	const char *what = argc > 1 ? argv[1] : "";

	if (streq(what, "make") && argc == 5)
		return make(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (streq(what, "deep") && argc == 4)
		return deep(argv[2], atoi(argv[3]));
	if (streq(what, "list"))
		return list();
	if (streq(what, "time") && argc >= 3)
		return measure(atoi(argv[2]), argc > 3 ? argv[3] : "1");
	if (streq(what, "rights"))
		pass_rights();
	if (argc < 3)
		return 2;
	build(what, argc > 3 ? argv[3] : "", message);
	flood(message, (unsigned int)atoi(argv[2]));
}
