/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/* Requests to psc_sections and psc_find: sections for new cgroups, names and ids of cgroups. */
#ifndef PTRACESCOPE_CGROUP_H
#define PTRACESCOPE_CGROUP_H

#include "ptracescope.h"

/*
 * A section of the configuration, as it is matched to cgroups that are made. A component of
 * the pattern is the bytes of a name, up to a NUL; a line feed, which is in no name, makes
 * the byte behind it one of PSC_PATTERN_STAR, PSC_PATTERN_ANY, or the number of a set of
 * bytes plus 1.
 */
#define PSC_SECTIONS_MAX 256
#define PSC_PATTERN_BYTES 512
#define PSC_PATTERN_SETS 8
#define PSC_PATTERN_SPECIAL '\n'
#define PSC_PATTERN_STAR '*'
#define PSC_PATTERN_ANY '?'

#define PSC_SCOPE_NOT_FINAL 0x83

struct psc_pattern {
	__u8 text[PSC_PATTERN_BYTES];
	__u64 sets[PSC_PATTERN_SETS][4];
	/* Where the components begin in the text. */
	__u16 starts[PSC_CGROUP_LEVELS];
	/* How many there are. 0: a unit, with two: its name, and one for all above it. */
	__u32 components;
	__u32 sticky;		/* PSC_MODE_BIT()s */
	/*
	 * PSC_SCOPE_INHERIT where nothing is set, in the floors, too; PSC_SCOPE_NOT_FINAL
	 * for a 3 that can be taken back.
	 */
	union psc_policy policy;
};
_Static_assert(sizeof(struct psc_pattern) == 912, "ABI");

/* In all, the matching of one new cgroup goes over so many bytes of names, and no more. */
#define PSC_MATCH_STEPS 65536

enum psc_sections_op {
	PSC_SECTIONS_PUT = 0,		/* the section number @index of the next set */
	PSC_SECTIONS_COMMIT = 1,	/* that set, of @index sections, is in force from now on */
};

/*
 * The context of a psc_sections run, which returns as psc_ctl does. A set with a floor in it
 * is refused as the first floor is, if there has been none.
 */
struct psc_section_request {
	__u32 abi;			/* in: PSC_ABI; out: that of the programs */
	__u32 op;			/* enum psc_sections_op */
	__u32 index;
	__u32 anchor;			/* in, out: as in struct psc_request, as is the next */
	__u64 armed;
	/* COMMIT: all 0, or with any bit in @policy, as there are floors among them. */
	struct psc_pattern pattern;
};
_Static_assert(sizeof(struct psc_section_request) == 936, "ABI");

/*
 * The context of a psc_find run, which tells names and ids of cgroups. It reads the kernel's
 * own lists: no directory is looked up, and nothing is waited for.
 */
#define PSC_NAME_BYTES 256
#define PSC_FOUND_MAX 32

enum psc_find_op {
	PSC_FIND_CHILD = 0,		/* the one with that name: its id */
	PSC_FIND_CHILDREN = 1,		/* up to PSC_FOUND_MAX, in psc_found */
	PSC_FIND_NAME = 2,		/* that of @parent itself, in psc_found, and the id above */
	PSC_FIND_PROCESS = 3,		/* what is in effect for a process in @parent; ESRCH: not there */
};

struct psc_find_request {
	__u32 abi;			/* in: PSC_ABI; out: that of the programs */
	__u32 op;			/* enum psc_find_op */
	__u64 parent;			/* in: an id, 0: the root cgroup */
	__u64 id;			/* out, CHILD. CHILDREN: the last one that was looked at; */
	__u64 serial;			/* the next call goes on behind it and this number; 0 */
	__u32 hash;			/* in, CHILD: kernfs's, of the name */
	__u32 n;			/* in: 0; out, CHILDREN: how many */
	__u32 more;			/* in: 0; out, CHILDREN: are there more? */
	__s32 pid;			/* in, PROCESS: as the caller sees it */
	char name[PSC_NAME_BYTES];	/* in, CHILD */
	/* out, PROCESS: as in struct psc_request; and PSC_MODE_BIT()s of what is in effect by a
	 * cgroup that it has left, then its id or PSC_SOURCE_SEVERAL in @source.
	 * CHILDREN: @source[0] is the one that is being made, and not told, or 0.
	 * NAME: @left is 1 in a subtree that root has left to others */
	union psc_policy effective;
	__u64 source[PSC_MODE_SLOTS];
	__u32 left;
	__u32 pad;
};
_Static_assert(sizeof(struct psc_find_request) == 352, "ABI");

struct psc_found_cgroup {
	__u64 id;
	__u64 serial;
	char name[PSC_NAME_BYTES];
};

struct psc_found {
	struct psc_found_cgroup cgroups[PSC_FOUND_MAX];
};

#endif
