/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood KIND N: misuse the daemon's socket with N connections.
 *	idle: connect and be silent
 *	half: send the beginning of a request
 *	mute: send requests until no more can be sent, and never read
 *	malformed, oversized: send what is no request
 *	vanish: connect and hang up, every other time in the middle of a request
 * All but "vanish" keep the connections, print "ready", and wait for SIGTERM; "vanish" prints
 * that after the first round of N and goes on until then.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon_socket.h"

static const char request[] = "{\"method\":\"io.ptracescope.List\"}";
static const char malformed[] = "]{\"method\":\xff\xfe{{[[[\"";

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* The daemon may hang up at any time, which is no failure. False when nothing could be sent. */
static bool put(int fd, const void *bytes, size_t size)
{
	ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
		die("send");
	return n > 0;
}

static void idle(int fd)
{
	(void)fd;
}

static void half(int fd)
{
	put(fd, request, sizeof(request) / 2);
}

static void mute(int fd)
{
	while (put(fd, request, sizeof(request)))
		;
}

static void send_malformed(int fd)
{
	put(fd, malformed, sizeof(malformed));
}

static void oversized(int fd)
{
	static char blanks[4096];

	memset(blanks, ' ', sizeof(blanks));
	for (int i = 0; i < 20 && put(fd, blanks, sizeof(blanks)); i++)
		;
}

static const struct {
	const char *word;
	void (*run)(int fd);
} kinds[] = {
	{ "idle", idle },
	{ "half", half },
	{ "mute", mute },
	{ "malformed", send_malformed },
	{ "oversized", oversized },
};

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void __attribute__((noreturn)) vanish(unsigned int n)
{
	for (unsigned int i = 0;; i++) {
		int fd = daemon_connect();

		if (i % 2)
			half(fd);
		close(fd);
		if (i + 1 == n)
			ready();
	}
}

int main(int argc, char **argv)
{
	unsigned int n = argc == 3 ? (unsigned int)atoi(argv[2]) : 0;
	struct rlimit nofile;

	getrlimit(RLIMIT_NOFILE, &nofile);
	nofile.rlim_cur = nofile.rlim_max;
	setrlimit(RLIMIT_NOFILE, &nofile);
	if (n && strcmp(argv[1], "vanish") == 0)
		vanish(n);
	for (size_t kind = 0; n && kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		if (strcmp(argv[1], kinds[kind].word) != 0)
			continue;
		for (unsigned int i = 0; i < n; i++)
			kinds[kind].run(daemon_connect());
		ready();
		for (;;)
			pause();
	}
	fputs("usage: flood KIND N\n", stderr);
	return 2;
}
