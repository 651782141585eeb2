/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups of the cgroup2 hierarchy: what users call them, their paths and ids.
 * A path is that below the root of the hierarchy and has no leading slash; the
 * id is the kernel's, which kernfs uses as inode number on 64-bit systems, the
 * only ones with BPF LSM programs.
 */
#ifndef PSC_CGROUP_H
#define PSC_CGROUP_H

#include <limits.h>
#include <stdbool.h>

#include "ptracescope.h"

/* Why a name leads to no cgroup that can have an entry. */
enum psc_cgroup_trouble {
	PSC_CGROUP_FINE = 0,
	PSC_CGROUP_UNMOUNTED,	/* there is no cgroup2 */
	PSC_CGROUP_NAME,	/* empty, or with "." or ".." in it */
	PSC_CGROUP_ABSENT,
	PSC_CGROUP_AMBIGUOUS,	/* several slices have such a unit */
	PSC_CGROUP_ROOT,
	PSC_CGROUP_V1,
	PSC_CGROUP_OUTSIDE,	/* an absolute path to something else */
	PSC_CGROUP_THREADED,
	PSC_CGROUP_DEEP,	/* below PSC_CGROUP_LEVELS */
	PSC_CGROUP_REMOVED,	/* while we looked */
	PSC_CGROUP_TROUBLES,
};

/* For machines ("absent", "v1", ...), and for people. */
const char *psc_cgroup_trouble_word(enum psc_cgroup_trouble trouble);
const char *psc_cgroup_trouble_text(enum psc_cgroup_trouble trouble);

/* What psc_ctl's refusal of a cgroup (a negative PSC_E_*) means; FINE for other errors. */
enum psc_cgroup_trouble psc_cgroup_trouble_of(int err);

/*
 * The hierarchy. The daemon asks the kernel side, which looks at the kernel's own lists: who
 * owns a directory can keep everybody waiting who looks something up in it.
 */
struct psc_kernel;
struct psc_cgroups {
	int root_fd;		/* -1: there is none */
	const char *mount;	/* where it is mounted */
	struct psc_kernel *kernel;	/* that is asked; NULL: directories are read */
};

/* Find it where systemd mounts it, on unified and on hybrid systems. */
void psc_cgroups_open(struct psc_cgroups *ret);
void psc_cgroups_close(struct psc_cgroups *cgroups);

struct psc_cgroup {
	int fd;			/* its directory, where directories are read; else -1 */
	__u64 id;
	char *path;
};

void psc_cgroup_free(struct psc_cgroup *cgroup);
#define _cleanup_cgroup_ __attribute__((cleanup(psc_cgroup_free)))

/**
 * psc_cgroup_find - the cgroup that a user means
 * @name: untrusted. A path below the mount, with or without a leading slash; an
 *	absolute one, below the mount; or the name of a systemd unit or slice,
 *	which is the cgroup of that name whose parents are all slices
 * @ret: freed by psc_cgroup_free(); unwritten unless it is found
 *
 * No symbolic link, mount or ".." leads out of the hierarchy.
 *
 * Return: 0, an enum psc_cgroup_trouble, or a negative errno.
 */
int psc_cgroup_find(const struct psc_cgroups *cgroups, const char *name, struct psc_cgroup *ret);

/* Is it the name of a unit that systemd gives a cgroup? */
bool psc_cgroup_is_unit(const char *name);

/*
 * The same in parts. psc_search_step() may return -EINPROGRESS: a turn of the loop has lasted,
 * go on in the next one (psc_turn_spent()).
 */
struct psc_search;
int psc_search_begin(const struct psc_cgroups *cgroups, const char *name, struct psc_search **ret);
int psc_search_step(struct psc_search *search, struct psc_cgroup *ret);
void psc_search_free(struct psc_search *search);

/*
 * The path of a cgroup above @path, or of @path's own, that has this id.
 * Return: 0, -ENOENT when none has, -ENOMEM.
 */
int psc_cgroup_above(const struct psc_cgroups *cgroups, const char *path, __u64 id, char **ret);

/*
 * The path of the cgroup that has this id; where no kernel side is asked there is none.
 * Return: 0, -ENOENT when it has been removed, -EINPROGRESS while it is being made, other errnos.
 */
int psc_cgroup_path(const struct psc_cgroups *cgroups, __u64 id, char **ret);

/*
 * Is the cgroup in a subtree that root has left to others? So is one that has gone meanwhile, as
 * others may have removed it. Where no kernel side is asked, or one of an older version, none is.
 */
bool psc_cgroup_is_others(const struct psc_cgroups *cgroups, __u64 id);

/*
 * What is in effect for a process in that cgroup, as PSC_FIND_PROCESS tells it.
 * Return: 0, -ESRCH when it is not there, -E2BIG when that takes too long, other errnos.
 */
int psc_cgroup_process(const struct psc_cgroups *cgroups, const struct psc_cgroup *cgroup,
		       unsigned int pid, struct psc_find_request *ret);

/*
 * @cgroup is valid during the call. 0 goes on, PSC_CGROUP_SKIP does so elsewhere than below
 * this one; what else is returned, ends the walk.
 */
#define PSC_CGROUP_SKIP INT_MAX
typedef int (*psc_cgroup_fn)(void *data, const struct psc_cgroup *cgroup);

/**
 * psc_cgroup_walk - every cgroup that can have an entry, parents first
 *
 * Where directories are read they are sorted by name, else siblings are in the order in which
 * they were made. What vanishes meanwhile is left out, and so is what may not be entered.
 *
 * Return: 0 at the end, or what @fn ended it with, or a negative errno.
 */
int psc_cgroup_walk(const struct psc_cgroups *cgroups, psc_cgroup_fn fn, void *data);

/**
 * psc_cgroup_of_pid - the path of a process's cgroup
 * @proc: "/proc"
 * @ret: an allocation, with a leading slash, as psc_cgroup_find() takes it
 *
 * Return: 0, -ESRCH, -ENODEV when it has none in cgroup2, -EXDEV when we are not in
 * the initial cgroup namespace, so that what we see is not the path; other errnos.
 */
int psc_cgroup_of_pid(const char *proc, unsigned int pid, char **ret);

/*
 * The pattern of a section of the configuration, made canonical: "unit.service",
 * or a path with a slash in it, below the mount, which may stand in front of it.
 * In place; NULL when it is none. Components may
 * be globs, fnmatch(3); a backslash stands for itself, as in names of units.
 */
char *psc_cgroup_pattern(char *text);

/* Does the cgroup of this path match such a pattern? */
bool psc_cgroup_matches(const char *pattern, const char *path);

/* Could one further down match it? */
bool psc_cgroup_matches_below(const char *pattern, const char *path);

#endif
