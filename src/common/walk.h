/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over cgroups, parents first, that can pause: when a turn of the daemon's loop has
 * lasted, and from one call of a client to the next. A whole walk takes steps in proportion
 * to the number of cgroups.
 */
#ifndef PSC_WALK_H
#define PSC_WALK_H

#include "cgdir.h"

/* A cgroup on the way, whose children are listed. */
struct psc_walk_level {
	struct psc_cgdir place;
	size_t len;			/* of its path */
	struct psc_children part;	/* some of its children */
	size_t next;			/* the first of them that has not been given */
	struct psc_mark given;		/* the last one that has */
	struct psc_mark mark;		/* where the next part begins */
	char *after;			/* or, where directories are read, the name before it */
	bool ended;			/* there is no next part */
};

struct psc_walk {
	const struct psc_cgroups *cgroups;
	bool slices;			/* only slices are walked over */
	bool listed;			/* has there been any step since the last pause? */
	unsigned int depth;		/* levels; 0: at the end */
	struct psc_walk_level levels[PSC_CGROUP_LEVELS];
	char *path;			/* of the one given last; then of the last level */
	struct psc_cgdir at;		/* the one given last, not entered yet */
	bool entering;
	__u64 making;			/* the first one that was being made and so is left out; 0: none */
};

void psc_walk_begin(struct psc_walk *walk, const struct psc_cgroups *cgroups, bool slices);

/**
 * psc_walk_resume - go on where psc_walk_position() was called, after psc_walk_begin()
 * @position: untrusted
 *
 * Wrong ids lead to wrong cgroups, and nowhere else: what is there is seen by everybody.
 *
 * Return: 0, -EINVAL when that is no position, -ENOMEM.
 */
int psc_walk_resume(struct psc_walk *walk, const char *position);

/*
 * A string of letters, digits, '-' and '_'; NULL when out of memory. Where directories are read there is
 * a position only while a cgroup has just been given, and not skipped.
 */
char *psc_walk_position(const struct psc_walk *walk);

/**
 * psc_walk_next - the next cgroup
 * @ret: valid until the next call
 *
 * What vanishes meanwhile is left out, and so is what may not be entered. Of those that are
 * made meanwhile, some may be left out as well.
 *
 * Return: 1; 0 at the end; -EINPROGRESS: a turn has lasted (psc_turn_spent()), go on in the
 * next one; or another negative errno.
 */
int psc_walk_next(struct psc_walk *walk, struct psc_cgroup *ret);

/* Leave out what is below the one that was given last. */
void psc_walk_skip(struct psc_walk *walk);

/* How long is the part of its path that leads to the one above it of this id? 0: none has it. */
size_t psc_walk_above(const struct psc_walk *walk, __u64 id);

void psc_walk_end(struct psc_walk *walk);

#endif
