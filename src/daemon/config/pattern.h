/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of the configuration as the kernel side matches them. */
#ifndef PSC_PATTERN_H
#define PSC_PATTERN_H

#include "config.h"
#include "kernel.h"

/**
 * psc_pattern_compile - a pattern of psc_cgroup_pattern(), for the kernel side
 * @ret: its policy says nothing
 *
 * Return: 0; -E2BIG when it is too long or has too many sets; -ENAMETOOLONG when cgroups
 * are not possible that deep.
 */
int psc_pattern_compile(const char *pattern, struct psc_pattern *ret);

/* What settings of a section set, as its policy. */
union psc_policy psc_pattern_policy(const struct psc_setting settings[PSC_NAMES]);

/* The modes (PSC_MODE_BIT()s) whose scopes by these settings stick. */
__u32 psc_settings_sticky(const struct psc_setting settings[PSC_NAMES]);

/* Does a section with this policy raise a floor? */
bool psc_pattern_locks(const union psc_policy *policy);

#endif
