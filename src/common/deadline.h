/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wait for a socket until a deadline. */
#ifndef PSC_DEADLINE_H
#define PSC_DEADLINE_H

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. */
int64_t psc_now_ms(void);

/**
 * psc_wait_for - wait until a socket can be read or written
 * @events: POLLIN or POLLOUT
 * @deadline: a time of psc_now_ms()
 *
 * Return: 0, -ETIMEDOUT, or another negative errno of poll(2).
 */
int psc_wait_for(int fd, short events, int64_t deadline);

#endif
