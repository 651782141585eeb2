/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Are answers on the socket what the interface says? Whoever serves it is not trusted. */
#ifndef PSC_ANSWER_H
#define PSC_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

/* A whole Policy, with values that are scopes. */
bool psc_is_policy(const json_t *policy);

/* The reply of Status. Fields that are absent are those that an older daemon does not know. */
bool psc_is_status(const json_t *status);

/* The array in the reply of List. */
bool psc_is_list(const json_t *values);

/* A Cgroup. */
bool psc_is_cgroup(const json_t *cgroup);

/* An array of them. */
bool psc_is_cgroups(const json_t *cgroups);

#endif
