/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts in force what the configuration's sections set for cgroups: for those that are
 * there, and through psc_sections for each that is made later.
 */
#ifndef PSC_SECTIONS_H
#define PSC_SECTIONS_H

#include <systemd/sd-event.h>

#include "cgroup.h"
#include "config.h"
#include "plan.h"

struct psc_sections {
	const struct psc_cgroups *cgroups;
	int (*request)(void *data, struct psc_request *req);	/* runs psc_ctl */
	int (*section)(void *data, struct psc_section_request *req);	/* and psc_sections */
	void *data;
	sd_event *event;
	sd_event_source *quiet;		/* ends the time in which messages are counted */
	/* So far in that: logged, and left out; of cgroups in subtrees that root has left to
	 * others, and of all else, so that those do not use up what is logged of these. */
	struct psc_talk {
		unsigned int said, held;
	} talk[2];
	bool no_floor;			/* in that: something stands against a first one */
	struct psc_config config;	/* what is in force */
	/* Cgroups in subtrees that root has left to others, which are without what is set for
	 * them: below a floor, or beyond the share of the subtree. */
	unsigned int left_out;
};

/**
 * psc_sections_check - can this be put in force at a reload?
 * @floors: the global ones that there will be then
 * @ret_locks: does it raise a floor of a cgroup?
 * @ret_error: if not, an allocated message with file, line and cgroup
 *
 * Floors that the configuration itself sets are taken into account.
 *
 * Return: 0, -EACCES below a floor, -EOPNOTSUPP where cgroups cannot be locked and one
 * should be, or another negative errno.
 */
int psc_sections_check(const struct psc_sections *sections, struct psc_config *config,
		       const union psc_policy *floors, bool *ret_locks, char **ret_error);

/*
 * Put the sections of @config in force, which is taken over, as @kind says, and
 * from now on for new cgroups. What fails for one cgroup is logged.
 * Return: for how many cgroups it failed, those of @left_out not counted; -1 when not all could
 * be looked at.
 */
int psc_sections_apply(struct psc_sections *sections, struct psc_config *config,
		       enum psc_plan_kind kind);

/*
 * Both in parts: between begin and end, psc_pass_step() in one turn of the loop after the other.
 * It returns -EINPROGRESS until all cgroups have been looked at, then 0 or what the check, or
 * the walk, ended with. NULL: out of memory. @config and @sections stay until the end.
 */
struct psc_pass;
struct psc_pass *psc_sections_begin_check(const struct psc_sections *sections,
					  struct psc_config *config,
					  const union psc_policy *floors);
struct psc_pass *psc_sections_begin_apply(struct psc_sections *sections,
					  struct psc_config *config, enum psc_plan_kind kind);
int psc_pass_step(struct psc_pass *pass);
void psc_sections_end_check(struct psc_pass *pass, bool *ret_locks, char **ret_error);
int psc_sections_end_apply(struct psc_pass *pass, int err);

void psc_sections_free(struct psc_sections *sections);

#endif
