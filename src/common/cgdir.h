/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One cgroup, what is in it, and the way to one of these: by the kernel side, where it is asked,
 * or by directories.
 */
#ifndef PSC_CGDIR_H
#define PSC_CGDIR_H

#include <stddef.h>

#include "cgroup.h"

/* A cgroup that is looked at: by its directory, or by its id. */
struct psc_cgdir {
	int fd;			/* -1 where the kernel side is asked */
	__u64 id;
};

/* Not one that may be left. */
struct psc_cgdir psc_cgdir_root(const struct psc_cgroups *cgroups);

void psc_cgdir_leave(struct psc_cgdir *place);
#define _cleanup_cgdir_ __attribute__((cleanup(psc_cgdir_leave)))

/* Go to the cgroup @name in @parent. Return: 0 or a negative errno. */
int psc_cgdir_enter(const struct psc_cgroups *cgroups, const struct psc_cgdir *parent,
		    const char *name, struct psc_cgdir *ret);

struct psc_child {
	__u64 id, serial;	/* 0 where directories are read */
	char *name;
};

/* Some of the cgroups in one place. */
struct psc_children {
	struct psc_child *all;
	size_t n;
	__u64 making;		/* id of one that is being made, which nobody can see yet; 0: none */
};

void psc_children_free(struct psc_children *children);

/* Where a list goes on: behind the child of this id and number, or of this name. */
struct psc_mark {
	__u64 id, serial;
};

/**
 * psc_cgdir_list - the next of the cgroups in a place
 * @slices: only slices
 * @mark: in: 0 for the beginning; out: where to go on
 * @after: where directories are read: only what is behind this name; NULL for all
 * @ret: empty; none may be found though there are more
 *
 * The kernel side tells some, in the order in which they were made; directories tell all,
 * in that of their names.
 *
 * Return: 1 when there are more, 0 at the end, or a negative errno.
 */
int psc_cgdir_list(const struct psc_cgroups *cgroups, const struct psc_cgdir *parent, bool slices,
		   struct psc_mark *mark, const char *after, struct psc_children *ret);

/* To be gone, or closed to us, is nothing for which a walk or a search stops. */
bool psc_cgdir_is_passable(int err);

/* Without "." and "..", and no more slashes than needed: in place. */
bool psc_path_canonical(char *path);

bool psc_name_ends_in(const char *name, size_t len, const char *suffix);

/* "PATH/NAME", or NAME in the root. Return: 0 or -ENOMEM. */
int psc_path_join(const char *path, const char *name, char **ret);

#endif
