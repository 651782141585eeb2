/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pin that psc_g_sysctl has on the way to the first floor. */
#ifndef PSC_SPARE_H
#define PSC_SPARE_H

#include <limits.h>

/* @dir: where the pins of the set are. Return: 0 or -ENAMETOOLONG. */
int psc_spare_path(char path[PATH_MAX], const char *dir);

/* The root of the cgroup2 hierarchy. Return: a descriptor, -ENOENT when it is not there. */
int psc_spare_root_cgroup(void);

/*
 * Take away what a daemon has left behind that was killed half-way to a floor: psc_g_sysctl
 * on the root cgroup. With a floor there is nothing.
 */
void psc_spare_clear(const char *dir);

#endif
