/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the last refusal of each pair of users. */
#include "recent.h"

#include <time.h>

static bool is_same_pair(const struct psc_event *a, const struct psc_event *b)
{
	return a->tracer.uid == b->tracer.uid && a->tracee.uid == b->tracee.uid;
}

/* Both accounts as one number. */
static uint64_t accounts_of(const struct psc_event *event)
{
	return (uint64_t)psc_account_of(event->tracer.uid) << 32 |
	       psc_account_of(event->tracee.uid);
}

uint64_t psc_refusal_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Where all places are taken: the oldest one of the accounts that have most. */
static size_t find_oldest(const struct psc_recent *recent)
{
	uint64_t accounts[PSC_RECENT_MAX];
	size_t at = 0, most = 0;

	for (size_t i = 0; i < PSC_RECENT_MAX; i++)
		accounts[i] = accounts_of(&recent->items[i].event);
	for (size_t i = 0; i < PSC_RECENT_MAX; i++) {
		size_t n = 0;

		for (size_t j = 0; j < PSC_RECENT_MAX; j++)
			n += accounts[j] == accounts[i];
		if (n > most || (n == most && recent->turns[i] < recent->turns[at])) {
			most = n;
			at = i;
		}
	}
	return at;
}

/* That of the pair, a free one, or one that makes way. */
static size_t find_place(const struct psc_recent *recent, const struct psc_event *event)
{
	size_t at = PSC_RECENT_MAX;

	for (size_t i = 0; i < PSC_RECENT_MAX; i++) {
		if (recent->turns[i] && is_same_pair(&recent->items[i].event, event))
			return i;
		if (!recent->turns[i] && at == PSC_RECENT_MAX)
			at = i;
	}
	return at < PSC_RECENT_MAX ? at : find_oldest(recent);
}

void psc_recent_add(struct psc_recent *recent, const struct psc_event *event)
{
	size_t at;

	if (event->mode >= PSC_MODES)
		return;
	at = find_place(recent, event);
	recent->items[at] = (struct psc_refusal){ .event = *event, .usec = psc_refusal_now() };
	recent->turns[at] = ++recent->turn;
}

bool psc_refusal_concerns(const struct psc_event *event, uid_t uid)
{
	return event->mode < PSC_MODES &&
	       (event->tracer.uid == uid || event->tracee.uid == uid);
}

const struct psc_refusal *psc_recent_last(const struct psc_recent *recent, bool all, uid_t uid)
{
	const struct psc_refusal *last = NULL;
	uint64_t turn = 0;

	for (size_t i = 0; i < PSC_RECENT_MAX; i++) {
		if (recent->turns[i] <= turn ||
		    !(all || psc_refusal_concerns(&recent->items[i].event, uid)))
			continue;
		turn = recent->turns[i];
		last = &recent->items[i];
	}
	return last;
}
