/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Measures the turns of the event loop, and tells a long one to leave the rest for the next. */
#include "turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What takes longer than that is done in parts. No turn is to take 10 ms. */
#define SLICE_USEC 2000

static struct {
	uint64_t begin;			/* 0: there is no turn */
	uint64_t waited;		/* at the beginning: see waited_usec() */
	const char *does;
	uint64_t longest;
	const char *longest_does;
} turn = { .longest_does = "nothing" };

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * How long this thread has waited for a processor since it was started, by proc(5) "schedstat":
 * others keep the machine busy then, and not we our clients waiting. 0 where the kernel does not
 * count that.
 */
static uint64_t waited_usec(void)
{
	static int fd = -1;
	char text[64];
	char *end;
	ssize_t n;

	if (fd == -1)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		fd = -errno - 1;	/* not to be tried again */
	n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	strtoull(text, &end, 10);	/* the time on a processor comes first */
	return strtoull(end, NULL, 10) / 1000;
}

void psc_turn_begin(void)
{
	turn.waited = waited_usec();
	turn.begin = now_usec();
	turn.does = "other";
}

void psc_turn_does(const char *what)
{
	turn.does = what;
}

void psc_turn_end(void)
{
	uint64_t took = now_usec() - turn.begin, waited;

	turn.begin = 0;
	if (took <= turn.longest)
		return;
	waited = waited_usec() - turn.waited;
	took -= waited < took ? waited : took;
	if (took <= turn.longest)
		return;
	turn.longest = took;
	turn.longest_does = turn.does;
}

bool psc_turn_spent(void)
{
	return turn.begin && now_usec() - turn.begin >= SLICE_USEC;
}

uint64_t psc_turn_longest(const char **ret_what)
{
	*ret_what = turn.longest_does;
	return turn.longest;
}
