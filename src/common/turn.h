/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A turn of the daemon's event loop: what it does, how long the longest has taken, and when it
 * is time to leave the rest for the next one.
 */
#ifndef PSC_TURN_H
#define PSC_TURN_H

#include <stdbool.h>
#include <stdint.h>

void psc_turn_begin(void);
void psc_turn_end(void);

/* Say what the turn is about; the last one that says so counts. @what: kept as it is */
void psc_turn_does(const char *what);

/*
 * Has this turn taken so long that others should have theirs? Never where there are no turns, as
 * at the start.
 */
bool psc_turn_spent(void);

/*
 * The longest so far, in microseconds without those in which it waited for a processor, and what
 * it was about.
 */
uint64_t psc_turn_longest(const char **ret_what);

#endif
