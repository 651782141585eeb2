/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * What the programs keep of the policy. User space only needs to know its size, and
 * reads it through psc_ctl.
 */
#ifndef PTRACESCOPE_STATE_H
#define PTRACESCOPE_STATE_H

#include "ptracescope.h"

/* Two processes that prove something (PSC_OP_PROBE); pids of the initial namespace. */
struct probe {
	__u32 tracer, tracee;
	__u64 tracer_start, tracee_start;
	__u32 proved;
	__u32 pad;
};

struct state {
	union psc_policy policy;
	/* Floors that found no room in psc_carried: they apply to every process. */
	union psc_policy floors_for_all;
	union psc_policy highest;	/* floors: of each mode the highest there has ever been */
	/* Scopes of 0xff for the modes for which any entry of a cgroup has ever had a setting. */
	union psc_policy modes_used;
	union {
		struct {
			__u32 entries;	/* in psc_cgroups */
			__u32 carried;	/* in psc_carried and psc_reserve */
		};
		__u64 entries_and_carried;	/* read in one load: bpf/cgroup_facts.bpf.h */
	};
	union {
		struct {
			__u32 locked;	/* has there been a floor, global or of a cgroup? */
			__u32 sticky;	/* in psc_sticky */
		};
		__u64 sticks;	/* can anything stick to a task? In one load */
	};
	__u32 reserved;		/* in psc_reserve */
	__u32 writer;		/* somebody changes psc_cgroups */
	__u32 references;	/* to this map, when the first floor came with an anchor; or 0 */
	__u32 loose;		/* one of them has gone */
	/*
	 * Sections of the configuration: how many, and above 32 bits how often they were
	 * replaced, by whose last bit that half of psc_patterns is known which is in force.
	 */
	__u64 sections;
	__u32 shares[PSC_SHARES];	/* entries that others' subtrees have by sections, */
	__u64 share_ids[PSC_SHARES];	/* and the cgroups where these begin: share_take() */
	/* Entries of cgroups that deep below the root; with a floor PSC_CGROUPS_MAX more for good. */
	__u32 at_level[PSC_CGROUP_LEVELS];
	/* The deepest level down to each one that has ever had an entry, 0: none has. */
	__u8 next_level[PSC_CGROUP_LEVELS] __attribute__((aligned(8)));
	struct probe probe;
};

#endif
