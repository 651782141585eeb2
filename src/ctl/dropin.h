/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of the file in which --persist keeps settings. */
#ifndef PSC_DROPIN_H
#define PSC_DROPIN_H

#include <stdbool.h>

#include "names.h"

#define PSC_DROPIN_DIR "/etc/ptracescope/conf.d"
#define PSC_DROPIN_NAME "50-ptracescopectl.conf"
#define PSC_DROPIN_PATH PSC_DROPIN_DIR "/" PSC_DROPIN_NAME

struct psc_dropin_change {
	const char *pattern;		/* of psc_dropin_pattern(); NULL: the whole system */
	const struct psc_name *name;	/* to remove: NULL for all */
	bool remove;			/* or else set: */
	unsigned int value;
	bool sticky, not_sticky;	/* of a cgroup; neither: as it was */
};

/**
 * psc_dropin_change - the file after a change
 * @text: the file before, NULL for none
 * @ret: an allocation; NULL when nothing is left, so that there need not be a file
 *
 * Lines that the change is not about stay as they are, comments too. What is set overrides all that
 * the file says about the same, as it does in the policy in force: setting attach and traceme
 * together removes a setting of one of them, and removing one of them keeps the other.
 *
 * Return: 0 or -ENOMEM.
 */
int psc_dropin_change(const char *text, const struct psc_dropin_change *change, char **ret);

/**
 * psc_dropin_pattern - the pattern of a section that is for one cgroup
 * @cgroup: as a user names it: a path or a unit
 * @ret_path: what such a pattern is compared with: without a leading slash, or the name of the unit
 *
 * Return: 0; -EINVAL when no section can be for it; -ENOMEM.
 */
int psc_dropin_pattern(const char *cgroup, char **ret, char **ret_path);

#endif
