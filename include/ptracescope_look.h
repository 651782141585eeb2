/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/* What psc_scan and its kin find before a first floor. */
#ifndef PTRACESCOPE_LOOK_H
#define PTRACESCOPE_LOOK_H

#include "ptracescope.h"

/* The maps that decide verdicts, what the guards go by, and what reports depend on. */
enum psc_policy_map {
	PSC_MAP_STATE,
	PSC_MAP_GUARDED,
	PSC_MAP_CGROUPS,
	PSC_MAP_PATTERNS,
	PSC_MAP_CARRIED,
	PSC_MAP_RESERVE,
	PSC_MAP_STICKY,
	PSC_MAP_RELATIONS,
	PSC_MAP_TRACERS,
	PSC_MAP_SERIAL,
	PSC_MAP_WINDOW,
	PSC_MAP_STATS,
	PSC_POLICY_MAPS,
};

/*
 * What psc_scan writes of programs, ours included: one for each of the policy's maps
 * that one uses, and one if it could overrule ours.
 */
struct psc_found_prog {
	__u32 id;
	__u32 map;			/* enum psc_policy_map, or PSC_POLICY_MAPS */
	__u64 refs;			/* references to it, such as links and descriptors */
	char name[PSC_COMM_LEN];
};

/* What psc_scan_links writes of each link that has a pin where the guards look after it. */
struct psc_found_link {
	__u32 id;
};

/* What psc_scan_root writes of each such program on the root cgroup. */
struct psc_found_root {
	__u32 id;
	__u32 refs;			/* references to it */
};

#define PSC_FOUND_PINNED (1U << 0)	/* it has a pin where the guards look after it */
/* And of all of them: */
#define PSC_FOUND_CHANGING (1U << 1)	/* somebody removes or renames what leads to the pins */
#define PSC_FOUND_SWITCHING (1U << 2)	/* somebody is in the middle of kernel.ftrace_enabled */

/* What psc_scan_maps writes of each of the policy's maps. */
struct psc_found_map {
	__u32 index;			/* enum psc_policy_map */
	__u32 is;			/* PSC_FOUND_* */
	__u64 refs;			/* references of every kind */
	__u64 users;			/* of these: descriptors and pins */
};

#endif
