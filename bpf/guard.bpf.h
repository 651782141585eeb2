/* SPDX-License-Identifier: GPL-2.0-only */
/* What keeps root from taking the programs away once there is a floor. */
#ifndef PSC_GUARD_BPF_H
#define PSC_GUARD_BPF_H

#include "maps.bpf.h"
#include "ptracescope_policy.h"

#define USED_MAPS_MAX 64	/* MAX_USED_MAPS, include/linux/bpf_verifier.h */
#define MOUNTS_DEEP 32		/* mounts on mounts above the pins that are looked at */
#define MASTERS_MAX 16		/* levels of mount propagation */
#define PEERS_MAX (1 << 16)	/* mounts in all mount namespaces that receive from another */
#define CHILDREN_MAX (1 << 17)	/* mounts on a mount; fs.mount-max is 100,000 */
#define PATH_DEEP 64		/* components of the path of the pins */

static __always_inline struct guarded *guarded(void)
{
	return bpf_map_lookup_elem(&psc_guarded, &(__u32){ 0 });
}

/* Have the guards been armed since @since, and is that not long ago? */
static __always_inline bool armed_since(const struct guarded *guard, __u64 since, __u64 not_long)
{
	return since && guard->armed == since && bpf_ktime_get_boot_ns() - since < not_long;
}

/* Is anything locked, or about to be? */
static __always_inline bool locked(void)
{
	struct guarded *guard = guarded();

	return !guard || psc_state.locked || armed_since(guard, guard->armed, PSC_ARMED_NS);
}

/*
 * There is going to be a floor, global or of a cgroup. The first one is worth
 * something only if nothing stands against it, and if nothing can have come since
 * that was looked for. Return: 0 or -PSC_E_CANCELED.
 */
static __always_inline int lock_first(struct state *state, __u64 armed)
{
	const struct guarded *guard = guarded();

	if (state->locked)
		return 0;
	if (!guard || !armed_since(guard, armed, PSC_ARMED_NS / 2))
		return -PSC_E_CANCELED;
	state->locked = 1;
	return 0;
}

/* A variable is the only element of the array that is its map. */
static __always_inline struct bpf_map *state_map(void)
{
	return (void *)&psc_state - bpf_core_field_offset(struct bpf_array, value);
}

/* Which of the maps whose content decides verdicts is it? Or -1. */
static __always_inline int policy_map_index(__u64 map)
{
	if (map == (__u64)state_map())
		return PSC_MAP_STATE;
	if (map == (__u64)&psc_guarded)
		return PSC_MAP_GUARDED;
	if (map == (__u64)&psc_cgroups)
		return PSC_MAP_CGROUPS;
	if (map == (__u64)&psc_stuck)
		return PSC_MAP_STUCK;
	if (map == (__u64)&psc_relations)
		return PSC_MAP_RELATIONS;
	if (map == (__u64)&psc_tracers)
		return PSC_MAP_TRACERS;
	if (map == (__u64)&psc_serial)
		return PSC_MAP_SERIAL;
	return -1;
}

static __always_inline bool is_policy_map_id(__u32 id)
{
#define HAS_ID(map) (id == ((struct bpf_map *)&(map))->id)
	return id == BPF_CORE_READ(state_map(), id) || HAS_ID(psc_guarded) || HAS_ID(psc_cgroups) ||
	       HAS_ID(psc_stuck) || HAS_ID(psc_relations) || HAS_ID(psc_tracers) ||
	       HAS_ID(psc_serial);
#undef HAS_ID
}

/* Does the program use one of these maps? Ours all do, and so would one that writes them. */
static __always_inline bool uses_policy_map(struct bpf_prog_aux *aux)
{
	__u32 n = aux->used_map_cnt;
	__u64 map;

	for (__u32 i = 0; i < USED_MAPS_MAX && i < n; i++) {
		if (bpf_probe_read_kernel(&map, sizeof(map), &aux->used_maps[i]))
			return true;
		if (policy_map_index(map) >= 0)
			return true;
	}
	return false;
}

/*
 * A program that decides the result of a function which our programs hang on, or
 * is asked beside them: fmod_ret programs are run instead of the function, and of
 * several LSM programs on a hook the one attached last is asked first and may end
 * it. Programs on sysctl can undo what another one has refused.
 */
static __always_inline bool overrules(const struct guarded *guard, struct bpf_prog *prog,
				      __u32 btf_id)
{
	enum bpf_attach_type kind = prog->expected_attach_type;

	if (kind == BPF_CGROUP_SYSCTL)
		return true;
	if (kind != BPF_MODIFY_RETURN && kind != BPF_LSM_MAC && kind != BPF_LSM_CGROUP)
		return false;
	for (int i = 0; i < PSC_HOOKS_MAX; i++)
		if (btf_id && btf_id == guard->hooks[i])
			return true;
	return false;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* Does what is mounted below @from appear below @to as well, by mount propagation? */
static __always_inline bool propagates(struct mount *from, struct mount *to)
{
	int group = BPF_CORE_READ(from, mnt_group_id);

	for (int i = 0; i < MASTERS_MAX && to; i++) {
		if (to == from || (group && BPF_CORE_READ(to, mnt_group_id) == group))
			return true;
		to = BPF_CORE_READ(to, mnt_master);
	}
	return to != NULL;
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

/* Is @mount @victim, or mounted somewhere below it? */
static __always_inline bool is_below(struct mount *mount, struct mount *victim)
{
	for (int i = 0; i < MOUNTS_DEEP; i++) {
		struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

		if (mount == victim)
			return true;
		if (parent == mount)
			return false;
		mount = parent;
	}
	return true;
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

static __always_inline bool same_namespace(struct mount *one, struct mount *other)
{
	return BPF_CORE_READ(one, mnt_ns) == BPF_CORE_READ(other, mnt_ns);
}

/*
 * Is @place on the way from the root to the pins, or one of them? With a @mount: would
 * what is mounted there be in the way? The walk goes from the pins to the root.
 */
static __always_inline bool leads_to_pins(struct mount *mount, struct dentry *place,
					  const struct guarded *guard)
{
	struct mount *on = (struct mount *)guard->mount, *parent;
	struct dentry *step = (struct dentry *)guard->dir;

	if (BPF_CORE_READ(place, d_parent) == step)
		step = place;
	for (int i = 0; i < PATH_DEEP && on; i++) {
		if (place == step && (!mount || propagates(mount, on)))
			return true;
		if (step != BPF_CORE_READ(on, mnt.mnt_root)) {
			step = BPF_CORE_READ(step, d_parent);
			continue;
		}
		parent = BPF_CORE_READ(on, mnt_parent);
		if (parent == on)
			return false;
		step = BPF_CORE_READ(on, mnt_mountpoint);
		on = parent;
	}
	return true;
}

#endif
