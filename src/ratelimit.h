/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps what clients provoke from filling the log. */
#ifndef PSC_RATELIMIT_H
#define PSC_RATELIMIT_H

#include <stdbool.h>
#include <time.h>

#define PSC_RATELIMIT_BURST 10
#define PSC_RATELIMIT_WINDOW 60	/* seconds */

struct psc_ratelimit {
	time_t begin;		/* CLOCK_MONOTONIC; 0: no window yet */
	unsigned int n;		/* messages in this window, those held back included */
};

/**
 * psc_ratelimit_pass - may one more message be logged?
 * @ret_held: how many were held back in the window before; 0 but for the first
 *	message of a window
 */
static inline bool psc_ratelimit_pass(struct psc_ratelimit *limit, unsigned int *ret_held)
{
	struct timespec now;

	*ret_held = 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!limit->begin || now.tv_sec - limit->begin >= PSC_RATELIMIT_WINDOW) {
		if (limit->n > PSC_RATELIMIT_BURST)
			*ret_held = limit->n - PSC_RATELIMIT_BURST;
		limit->begin = now.tv_sec + !now.tv_sec;
		limit->n = 0;
	}
	return limit->n++ < PSC_RATELIMIT_BURST;
}

#endif
