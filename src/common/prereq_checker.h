/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks of the prerequisites have in common. */
#ifndef PSC_PREREQ_CHECKER_H
#define PSC_PREREQ_CHECKER_H

#include <limits.h>

#include "prereq.h"

#define PSC_PREREQ_BTF_PATH "/sys/kernel/btf/vmlinux"

struct psc_prereq_checker {
	const char *root;
	struct psc_prereqs *table;
	bool privileged;	/* set by check_privileges() */
	bool ftrace_off;	/* set by check_ftrace() */
};

/**
 * psc_row - add a row to the table
 * @found: an allocation, taken over; NULL: out of memory
 * @remedy: an allocation, taken over, or NULL
 *
 * Return: 0, -ENOMEM, or -E2BIG when the table is full.
 */
int psc_row(struct psc_prereq_checker *c, const char *what, enum psc_prereq_state state,
	    char *found, char *remedy);

/* Add a row for a file that exists but cannot be read. @err: a negative errno. */
int psc_row_unreadable(struct psc_prereq_checker *c, const char *what, const char *path,
			      int err);

/* Text of /proc or /sys as the table can show it, an allocation; NULL when out of memory. */
char *psc_prereq_shown(const char *found);

/* Return: 0 or -ENAMETOOLONG. */
int psc_prereq_path(const char *root, const char *path, char ret[PATH_MAX]);

/* A file of /proc or /sys below the root, without white space at its ends. */
int psc_prereq_read(const char *root, const char *name, char **ret);

/* The checks of prereq_lsm.c. */
int psc_prereq_lsm_built(struct psc_prereq_checker *c);
int psc_prereq_lsm_listed(struct psc_prereq_checker *c);
int psc_prereq_lockdown(struct psc_prereq_checker *c);
int psc_prereq_yama(struct psc_prereq_checker *c);

#endif
