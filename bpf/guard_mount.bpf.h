/* SPDX-License-Identifier: GPL-2.0-only */
/* The walks over mounts from and to the pins. */
#ifndef PSC_GUARD_MOUNT_BPF_H
#define PSC_GUARD_MOUNT_BPF_H

#include "guard.bpf.h"

#define MOUNTS_DEEP 32		/* mounts on mounts above the pins that are looked at */
#define MASTERS_MAX 16		/* levels of mount propagation */
#define PEERS_MAX (1 << 16)	/* mounts in all mount namespaces that receive from another */
#define CHILDREN_MAX (1 << 17)	/* mounts on a mount; fs.mount-max is 100,000 */

/* The walk from a mount to the masters it receives from. */
struct master_walk {
	struct mount *from, *to;
	int group;			/* of peers that @from is in, or 0 */
};

static long master_step(__u32 i, struct master_walk *walk)
{
	struct mount *to = walk->to;

	if (!to || to == walk->from ||
	    (walk->group && BPF_CORE_READ(to, mnt_group_id) == walk->group))
		return 1;
	walk->to = BPF_CORE_READ(to, mnt_master);
	return 0;
}

/* Does what is mounted below @from appear below @to as well, by mount propagation? */
static __always_inline bool propagates(struct mount *from, struct mount *to)
{
	struct master_walk walk = {
		.from = from, .to = to, .group = BPF_CORE_READ(from, mnt_group_id),
	};

	bpf_loop(MASTERS_MAX, master_step, &walk, 0);
	return walk.to;
}

/*
 * The walk over all that an unmounting could take the pins away with: for each mount
 * from that of the pins up to the root, every mount from which unmounting propagates
 * to its parent, and what is mounted there in the same place.
 */
struct umount_walk {
	struct mount *victim;
	struct mount *on;		/* the one of the pins, or above it, reached so far */
	struct dentry *point;		/* where it is mounted */
	struct mount *peer, *first;	/* mounts that its parent receives from */
	__u64 node, head;		/* list of children of that peer */
	struct mount *child;		/* the one in the same place, or NULL */
	bool takes;
};

static long child_step(__u32 i, struct umount_walk *walk)
{
	struct list_head *node = (void *)walk->node;
	struct mount *child = (void *)walk->node - bpf_core_field_offset(struct mount, mnt_child);

	if (walk->node == walk->head)
		return 1;
	if (BPF_CORE_READ(child, mnt_mountpoint) == walk->point) {
		walk->child = child;
		return 1;
	}
	walk->node = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

struct below_walk {
	struct mount *mount, *victim;
	bool ended;			/* at the root */
};

static long below_step(__u32 i, struct below_walk *walk)
{
	struct mount *mount = walk->mount, *parent = BPF_CORE_READ(mount, mnt_parent);

	if (mount == walk->victim)
		return 1;
	walk->ended = parent == mount;
	walk->mount = parent;
	return parent == mount;
}

/* Is @mount @victim, or mounted somewhere below it, or too far below something? */
static __always_inline bool is_below(struct mount *mount, struct mount *victim)
{
	struct below_walk walk = { .mount = mount, .victim = victim };

	bpf_loop(MOUNTS_DEEP, below_step, &walk, 0);
	return !walk.ended;
}

static long peer_step(__u32 i, struct umount_walk *walk)
{
	struct mount *peer = walk->peer;

	walk->child = NULL;
	walk->head = (__u64)peer + bpf_core_field_offset(struct mount, mnt_mounts);
	walk->node = (__u64)BPF_CORE_READ(peer, mnt_mounts.next);
	if (bpf_loop(CHILDREN_MAX, child_step, walk, 0) == CHILDREN_MAX ||
	    (walk->child && is_below(walk->child, walk->victim))) {
		walk->takes = true;
		return 1;
	}
	peer = (void *)BPF_CORE_READ(peer, mnt_share.next) -
	       bpf_core_field_offset(struct mount, mnt_share);
	if (peer == walk->first) {	/* all of this group: on to that of its master */
		peer = BPF_CORE_READ(peer, mnt_master);
		walk->first = peer;
	}
	walk->peer = peer;
	return !peer;
}

static long mount_step(__u32 i, struct umount_walk *walk)
{
	struct mount *on = walk->on, *parent = BPF_CORE_READ(on, mnt_parent);

	if (on == walk->victim)
		walk->takes = true;
	if (walk->takes || parent == on)
		return 1;
	walk->point = BPF_CORE_READ(on, mnt_mountpoint);
	walk->first = parent;
	walk->peer = parent;
	if (bpf_loop(PEERS_MAX, peer_step, walk, 0) == PEERS_MAX)
		walk->takes = true;
	walk->on = parent;
	return 0;
}

/*
 * Would unmounting @victim, with all that is mounted on it, take the mount of the pins
 * away? From other mount namespaces, and from other places in this one, it would by
 * propagation. Whatever is too large to be looked at would.
 */
static __always_inline bool carries_pins(struct mount *victim, struct mount *pins)
{
	struct umount_walk walk = { .victim = victim, .on = pins };

	return bpf_loop(MOUNTS_DEEP, mount_step, &walk, 0) == MOUNTS_DEEP || walk.takes;
}

/* The walk from the mount of the pins up to the root. */
struct reach_walk {
	struct mount *from, *on;
	bool reaches;
};

static long reach_step(__u32 i, struct reach_walk *walk)
{
	struct mount *on = walk->on, *parent = BPF_CORE_READ(on, mnt_parent);

	walk->reaches = propagates(walk->from, on);
	walk->on = parent;
	return walk->reaches || parent == on;
}

/* Does what is mounted below @from appear below the mount of the pins, or below one above it? */
static __always_inline bool reaches_pins(struct mount *from, struct mount *pins)
{
	struct reach_walk walk = { .from = from, .on = pins };

	return bpf_loop(MOUNTS_DEEP, reach_step, &walk, 0) == MOUNTS_DEEP || walk.reaches;
}

/*
 * Could move_mount(2) with MOVE_MOUNT_SET_GROUP make @to receive from where @from does?
 * The hook is not told the flag; the kernel wants the root of a mount of the same file system.
 */
static __always_inline bool may_join(struct mount *from, const struct path *to)
{
	struct mount *mount = mount_of(BPF_CORE_READ(to, mnt));

	return BPF_CORE_READ(to, dentry) == BPF_CORE_READ(mount, mnt.mnt_root) &&
	       BPF_CORE_READ(mount, mnt.mnt_sb) == BPF_CORE_READ(from, mnt.mnt_sb);
}

static __always_inline bool same_namespace(struct mount *one, struct mount *other)
{
	return BPF_CORE_READ(one, mnt_ns) == BPF_CORE_READ(other, mnt_ns);
}

/* The walk from the pins up to the root. */
struct place_walk {
	struct mount *mount;
	struct dentry *place;
	struct mount *on;		/* the mount reached so far, */
	struct dentry *step;		/* and the directory in it */
	bool leads;
};

static long place_step(__u32 i, struct place_walk *walk)
{
	if (walk->place == walk->step && (!walk->mount || propagates(walk->mount, walk->on))) {
		walk->leads = true;
		return 1;
	}
	return step_up(&walk->on, &walk->step);
}

/*
 * Is @place on the way from the root to the pins, or one of them? With a @mount: would
 * what is mounted there be in the way? What is too long to be looked at is.
 */
static __always_inline bool leads_to_pins(struct mount *mount, struct dentry *place,
					  const struct guarded *guard)
{
	struct place_walk walk = {
		.mount = mount, .place = place,
		.on = (struct mount *)guard->mount, .step = (struct dentry *)guard->dir,
		.leads = !guard->mount,
	};

	if (BPF_CORE_READ(place, d_parent) == walk.step)
		walk.step = place;
	return bpf_loop(PATH_DEEP, place_step, &walk, 0) == PATH_DEEP || walk.leads;
}

#endif
