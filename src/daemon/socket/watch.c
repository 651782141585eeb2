/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues of refusals for those who watch. */
#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "turn.h"
#include "util.h"

struct waiting {
	struct psc_refusal refusal;
	bool unsure;		/* its cgroups are still to be looked up */
};

struct psc_watch {
	const struct psc_watchers *watchers;
	struct psc_watch *next, **link;		/* link: the pointer that points here */
	struct psc_watch_filter filter;
	struct waiting queue[PSC_WATCH_QUEUE];
	unsigned int first, n;
	__u64 lost, suppressed;
};

/* The cgroup of one side, looked up at most once for an event. */
struct place {
	__u64 id;
	bool known;
	char *path;		/* NULL: it has been removed */
};

enum match {
	NO,
	YES,
	UNSURE,			/* for want of time in this turn of the loop */
};

struct psc_watch *psc_watch_new(struct psc_watchers *watchers, struct psc_watch_filter *filter)
{
	struct psc_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->watchers = watchers;
	watch->filter = *filter;
	filter->cgroup = NULL;
	watch->next = watchers->first;
	if (watch->next)
		watch->next->link = &watch->next;
	watch->link = &watchers->first;
	watchers->first = watch;
	return watch;
}

void psc_watch_free(struct psc_watch *watch)
{
	if (!watch)
		return;
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	free(watch->filter.cgroup);
	free(watch);
}

static enum match match_place(const struct psc_cgroups *cgroups, struct place *place,
			      const char *cgroup, bool hurry)
{
	if (!place->known && hurry && psc_turn_spent())
		return UNSURE;
	if (!place->known && psc_cgroup_path(cgroups, place->id, &place->path))
		place->path = NULL;
	place->known = true;
	return place->path && psc_path_is_below(place->path, cgroup) ? YES : NO;
}

static enum match match_places(const struct psc_cgroups *cgroups, struct place places[2],
			       const char *cgroup, bool hurry)
{
	enum match tracer = match_place(cgroups, &places[0], cgroup, hurry), tracee;

	if (tracer == YES)
		return YES;
	tracee = match_place(cgroups, &places[1], cgroup, hurry);
	return tracee == NO ? tracer : tracee;
}

static enum match match(const struct psc_watch_filter *filter, const struct psc_event *event,
			const struct psc_cgroups *cgroups, struct place places[2])
{
	if (!filter->all && !psc_refusal_concerns(event, filter->own))
		return NO;
	if (filter->mode >= 0 && event->mode != filter->mode)
		return NO;
	if (filter->by_uid && !psc_refusal_concerns(event, filter->uid))
		return NO;
	if (filter->pid && event->tracer.pid != filter->pid && event->tracee.pid != filter->pid)
		return NO;
	return filter->cgroup ? match_places(cgroups, places, filter->cgroup, true) : YES;
}

bool psc_watchers_tell(struct psc_watchers *watchers, const struct psc_event *event)
{
	struct place places[2] = { { .id = event->tracer.cgroup }, { .id = event->tracee.cgroup } };
	struct psc_refusal refusal = { .event = *event };
	bool due = false;

	if (event->mode >= PSC_MODES || !watchers->first)
		return false;
	refusal.usec = psc_refusal_now();
	for (struct psc_watch *w = watchers->first; w; w = w->next) {
		enum match matches = match(&w->filter, event, watchers->cgroups, places);

		if (matches == NO)
			continue;
		if (w->n < PSC_WATCH_QUEUE)
			w->queue[(w->first + w->n++) % PSC_WATCH_QUEUE] =
				(struct waiting){ refusal, matches == UNSURE };
		else
			w->lost++;
		due = true;
	}
	free(places[0].path);
	free(places[1].path);
	return due;
}

bool psc_watchers_tell_suppressed(struct psc_watchers *watchers, __u64 n)
{
	for (struct psc_watch *w = watchers->first; n && w; w = w->next)
		w->suppressed += n;
	return n && watchers->first;
}

bool psc_watch_is_due(const struct psc_watch *watch)
{
	return watch->n || watch->lost || watch->suppressed;
}

enum psc_watch_taken psc_watch_take(struct psc_watch *watch, struct psc_refusal *ret)
{
	const struct waiting *waiting = &watch->queue[watch->first];
	const struct psc_event *event = &waiting->refusal.event;
	struct place places[2] = { { .id = event->tracer.cgroup }, { .id = event->tracee.cgroup } };
	enum match matches = YES;

	if (!watch->n)
		return PSC_WATCH_EMPTY;
	if (waiting->unsure)
		matches = match_places(watch->watchers->cgroups, places, watch->filter.cgroup, false);
	free(places[0].path);
	free(places[1].path);
	watch->first = (watch->first + 1) % PSC_WATCH_QUEUE;
	watch->n--;
	if (matches != YES)
		return PSC_WATCH_PASSED_OVER;
	*ret = waiting->refusal;
	return PSC_WATCH_TAKEN;
}

void psc_watch_take_counts(struct psc_watch *watch, __u64 *ret_lost, __u64 *ret_suppressed)
{
	*ret_lost = watch->lost;
	*ret_suppressed = watch->suppressed;
	watch->lost = watch->suppressed = 0;
}
