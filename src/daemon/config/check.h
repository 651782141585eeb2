/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload would do with the configuration as it is now. Changes nothing. */
#ifndef PSC_CHECK_H
#define PSC_CHECK_H

#include <stdio.h>

#include "cgroup.h"
#include "config.h"

struct psc_check {
	const char *root;			/* as in psc_config_load() */
	const struct psc_cgroups *cgroups;
	const struct psc_cgroups *asked;	/* psc_find is, through these; without cgroups of their own */
	/* psc_ctl; NULL when nothing is in force, or when we may not ask */
	int (*request)(void *data, struct psc_request *req);
	void *data;
	const union psc_policy *policy;		/* global, in force; NULL: nothing is known of it */
	bool unseen;				/* then: as we may not ask */
	FILE *out;
};

/**
 * psc_check_config - print it, setting by setting and section by section
 *
 * What is wrong, and what a reload would refuse, is logged as errors.
 *
 * Return: 0 when a reload would succeed, or a negative errno.
 */
int psc_check_config(const struct psc_check *check);

#endif
