/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The refusals of late, so that who was refused can ask why. */
#ifndef PSC_RECENT_H
#define PSC_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ptracescope.h"

struct psc_refusal {
	struct psc_event event;
	uint64_t usec;		/* when the daemon read of it, CLOCK_REALTIME */
};

/*
 * One for each pair of uids, the last. When the places are taken, the pair of accounts that has
 * most makes way: so an account can push out others only by being refused on processes of as
 * many accounts as there are places, and users who are one account have theirs apart.
 */
#define PSC_RECENT_MAX 256

struct psc_recent {
	struct psc_refusal items[PSC_RECENT_MAX];
	uint64_t turns[PSC_RECENT_MAX];	/* numbers in the order in which they came; 0: free */
	uint64_t turn;
};

/* The time for one that has just been read of. */
uint64_t psc_refusal_now(void);

/* Refused tampering is left out, as it has no tracee. */
void psc_recent_add(struct psc_recent *recent, const struct psc_event *event);

/* Does it concern a uid, by the real one of either side? */
bool psc_refusal_concerns(const struct psc_event *event, uid_t uid);

/* The last one that concerns @uid, or of @all; NULL for none. */
const struct psc_refusal *psc_recent_last(const struct psc_recent *recent, bool all, uid_t uid);

#endif
