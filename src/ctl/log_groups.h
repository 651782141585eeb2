/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts entries of the journal that have the names, the user and the reason in common. */
#ifndef PSC_LOG_GROUPS_H
#define PSC_LOG_GROUPS_H

#include <jansson.h>
#include <stddef.h>

/* Users choose the names of their processes, so what the groups need must have a limit. */
#define PSC_LOG_GROUPS_MAX 20000

struct psc_log_groups {
	json_t *groups;			/* by what their entries have in common */
	json_int_t others;		/* entries that found no room for their group */
};

/**
 * psc_log_groups_add - count an entry
 * @groups: zeroed before the first
 * @entry: as "log --json" prints it
 *
 * Return: 0 or -ENOMEM.
 */
int psc_log_groups_add(struct psc_log_groups *groups, const json_t *entry);

/* An array of the groups, those with most entries first; NULL when out of memory. */
json_t *psc_log_groups_sorted(const struct psc_log_groups *groups);

void psc_log_groups_free(struct psc_log_groups *groups);

#endif
