/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TAP for C cases: ok() for each check, finish() at the end prints the plan. */
#ifndef PSC_TAP_H
#define PSC_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failed;

/* One check; returns @good. */
static inline bool __attribute__((format(printf, 2, 3))) ok(bool good, const char *format, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !good;
	return good;
}

/* Two numbers are equal; both are shown when they are not. */
static inline bool is(long long got, long long wanted, const char *what)
{
	if (ok(got == wanted, "%s", what))
		return true;
	printf("# got %lld, wanted %lld\n", got, wanted);
	return false;
}

static inline int finish(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Something the test itself needs does not work: no plan, so the case fails. */
static inline void __attribute__((noreturn)) bail(const char *what)
{
	printf("Bail out! ");
	fflush(stdout);
	perror(what);
	exit(EXIT_FAILURE);
}

#endif
