/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is told of refusals as they happen. Each watcher has a queue of its own, of a fixed size:
 * what finds no room there is lost to this watcher, and counted.
 */
#ifndef PSC_WATCH_H
#define PSC_WATCH_H

#include "cgroup.h"
#include "recent.h"

#define PSC_WATCH_QUEUE 64

struct psc_watch;

struct psc_watchers {
	struct psc_watch *first;
	const struct psc_cgroups *cgroups;	/* where paths are looked up */
};

/* What a watcher wants to know, and may. */
struct psc_watch_filter {
	bool all;		/* else only what concerns the uid @own */
	uid_t own;
	int mode;		/* enum psc_mode, -1: any */
	bool by_uid;		/* one side has the real uid @uid */
	uid_t uid;
	__u32 pid;		/* one side is this process, 0: any */
	char *cgroup;		/* one side is in the cgroup of this path or below; NULL: any */
};

/* Begin to watch. @filter: its string is taken over. Return: NULL when out of memory. */
struct psc_watch *psc_watch_new(struct psc_watchers *watchers, struct psc_watch_filter *filter);

void psc_watch_free(struct psc_watch *watch);

/* Tell all whom it concerns; never waits. Return: whether somebody has something to read now. */
bool psc_watchers_tell(struct psc_watchers *watchers, const struct psc_event *event);

/* Tell all that so many refusals of anybody were not reported one by one. Likewise. */
bool psc_watchers_tell_suppressed(struct psc_watchers *watchers, __u64 n);

bool psc_watch_is_due(const struct psc_watch *watch);

enum psc_watch_taken {
	PSC_WATCH_EMPTY,
	PSC_WATCH_TAKEN,
	PSC_WATCH_PASSED_OVER,	/* it turned out not to be one that is wanted */
};

/* Take the oldest refusal out of the queue. @ret: set on PSC_WATCH_TAKEN */
enum psc_watch_taken psc_watch_take(struct psc_watch *watch, struct psc_refusal *ret);

/* How many this watcher has lost, and how many nobody was told of, since the last call. */
void psc_watch_take_counts(struct psc_watch *watch, __u64 *ret_lost, __u64 *ret_suppressed);

#endif
