/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose share is the entry that a section gives to a cgroup? That of the subtree in which it
 * is, by where root has left that to somebody: whoever makes cgroups there, with whatever
 * uids he has, cannot choose another.
 */
#ifndef PSC_SHARE_BPF_H
#define PSC_SHARE_BPF_H

#include "cgroup.bpf.h"

#define MODE_GROUP_WRITES 0020		/* include/uapi/linux/stat.h */
#define MODE_OTHERS_WRITE 0002

/* Down the path, to the first cgroup in which others than root may make some. */
struct owner_walk {
	__u64 cgroup;		/* address of the one at the lower end, */
	__u32 level;		/* and its level: it is not looked at itself */
	__u64 found;		/* id of that cgroup, or 0 */
};

/* An attribute that has never been set is root's. */
static __always_inline bool is_delegated(struct kernfs_node *kn)
{
	struct kernfs_iattrs *iattr = BPF_CORE_READ(kn, iattr);
	__u32 mode = BPF_CORE_READ(kn, mode);

	return mode & MODE_OTHERS_WRITE ||
	       (iattr && (BPF_CORE_READ(iattr, ia_uid.val) ||
			  (mode & MODE_GROUP_WRITES && BPF_CORE_READ(iattr, ia_gid.val))));
}

static long owner_step(__u32 i, struct owner_walk *walk)
{
	struct cgroup *cgroup = (struct cgroup *)walk->cgroup, *ancestor = NULL;
	struct kernfs_node *kn;

	if (i >= walk->level || i >= PSC_CGROUP_LEVELS)
		return 1;
	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[i]);
	kn = BPF_CORE_READ(ancestor, kn);
	if (!is_delegated(kn))
		return 0;
	walk->found = BPF_CORE_READ(kn, id);
	return 1;
}

/* The id of the topmost cgroup above one in which others than root may make some; 0 for none. */
static __always_inline __u64 delegated_above(struct cgroup *cgroup, __u32 level)
{
	struct owner_walk walk = { .cgroup = (__u64)cgroup, .level = level };

	bpf_loop(PSC_CGROUP_LEVELS, owner_step, &walk, 0);
	return walk.found;
}

/* Where is the number of entries that a subtree has? Open addressing; a place is free at 0. */
struct share_walk {
	__u64 id;
	__u32 start;
	__u32 found;		/* places, counted from 1 */
	__u32 free;
};

static long share_place_step(__u32 i, struct share_walk *walk)
{
	__u32 at = (walk->start + i) & (PSC_SHARES - 1);
	__u64 id = psc_state.share_ids[at];

	if (id == walk->id) {
		walk->found = at + 1;
		return 1;
	}
	if (!walk->free && !psc_state.shares[at])
		walk->free = at + 1;
	return !id;	/* nobody has ever gone on from here */
}

/*
 * @none: 0, see glob_words()
 * Return: the place of a subtree, counted from 1. With more subtrees than places, which only
 * root can make, two have one in common.
 */
GLOBAL int share_place(one_word *subtree, __u32 none)
{
	struct share_walk walk = { .found = none, .free = none };
	__u32 at;

	if (!subtree)
		return 1;
	walk.id = (*subtree)[0];
	walk.start = walk.id ^ walk.id >> 12;
	bpf_loop(PSC_SHARES, share_place_step, &walk, 0);
	if (walk.found)
		return walk.found;
	if (!walk.free)
		return (walk.start & (PSC_SHARES - 1)) + 1;
	at = (walk.free - 1) & (PSC_SHARES - 1);
	psc_state.share_ids[at] = walk.id;
	return at + 1;
}

/*
 * A subtree may have a seventh of what all others leave: however many there are, each finds
 * some, and what is beyond PSC_SHARED_MAX is root's.
 */
static __always_inline bool share_fits(__u32 used)
{
	__u32 entries = *(volatile __u32 *)&psc_state.entries;

	/* Below 0: one came while they were counted anew, bpf/recount.bpf.h. */
	if ((__s32)used < 0)
		used = 0;
	return entries < PSC_SHARED_MAX &&
	       used * (PSC_SHARED_MAX / PSC_SHARE_MAX - 1) < PSC_SHARED_MAX - entries;
}

/*
 * Take one of the share of the subtree that a new cgroup is in.
 * Return: whose it is, for share_give(); 0: nobody's, as only root can make cgroups there;
 * or negative, there is none left
 */
LOCAL int share_take(struct cgroup *cgroup, __u32 level)
{
	one_word subtree = { delegated_above(cgroup, level) };
	__u32 place;

	if (!subtree[0])
		return 0;
	place = (share_place(&subtree, 0) - 1) & (PSC_SHARES - 1);
	if (share_fits(__sync_fetch_and_add(&psc_state.shares[place], 1)))
		return place + 1;
	__sync_fetch_and_add(&psc_state.shares[place], -1);
	return -ENOMEM;
}

#endif
