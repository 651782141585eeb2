/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state as numbers, for Prometheus and others that read its formats. */
#ifndef PSC_METRICS_H
#define PSC_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "ptracescope_explain.h"

#define PSC_METRICS_PROOFS 4	/* of attach, traceme, read, and declarations */

struct psc_metrics {
	__u64 stats[PSC_STATS];
	bool counted;			/* is @counts there? Not with programs of an older version */
	struct psc_counts counts;
	bool enforcing, configured;
	union psc_policy policy;
	__u32 cgroups;			/* that have an entry */
	__u32 sticky_floors;		/* tasks that keep a floor or a sticky setting */
	int proofs[PSC_METRICS_PROOFS];	/* 1: good, 0: failed, -1: there was nothing to prove */
	uint64_t longest_turn_usec;
	__u64 unlogged;
	unsigned int stuck_readers;
	__u64 build;
};

/**
 * psc_metrics_format - as text
 * @openmetrics: as OpenMetrics 1.0 has it, else as Prometheus: the two differ in the names that
 *	describe counters
 *
 * Return: an allocation, NULL when out of memory.
 */
char *psc_metrics_format(const struct psc_metrics *metrics, bool openmetrics);

#endif
