/* SPDX-License-Identifier: GPL-2.0-only */
/* What keeps root from taking the programs away once there is a floor. */
#ifndef PSC_GUARD_BPF_H
#define PSC_GUARD_BPF_H

#include "maps.bpf.h"
#include "ptracescope_policy.h"

#define USED_MAPS_MAX 64	/* MAX_USED_MAPS, include/linux/bpf_verifier.h */
#define MOUNTS_DEEP 32		/* mounts on mounts above the pins that are looked at */
#define MASTERS_MAX 4		/* levels of mount propagation */

/* Is anything locked? */
static __always_inline bool locked(void)
{
	return psc_state.locked;
}

static __always_inline struct guarded *guarded(void)
{
	return bpf_map_lookup_elem(&psc_guarded, &(__u32){ 0 });
}

/* A variable is the only element of the array that is its map. */
static __always_inline bool is_state_map(__u64 map)
{
	return map + bpf_core_field_offset(struct bpf_array, value) == (__u64)&psc_state;
}

/* One of the maps whose content decides verdicts. */
static __always_inline bool is_policy_map(__u64 map)
{
	return is_state_map(map) || map == (__u64)&psc_relations ||
	       map == (__u64)&psc_tracers || map == (__u64)&psc_serial ||
	       map == (__u64)&psc_guarded || map == (__u64)&psc_cgroups ||
	       map == (__u64)&psc_stuck;
}

/* Does the program use such a map? Ours all do, and so would one that writes them. */
static __always_inline bool uses_policy_map(struct bpf_prog_aux *aux)
{
	__u32 n = aux->used_map_cnt;
	__u64 map;

	for (__u32 i = 0; i < USED_MAPS_MAX && i < n; i++) {
		if (bpf_probe_read_kernel(&map, sizeof(map), &aux->used_maps[i]))
			return true;
		if (is_policy_map(map))
			return true;
	}
	return false;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* Does what is unmounted from @from go from @to as well, by mount propagation? */
static __always_inline bool propagates(struct mount *from, struct mount *to)
{
	int group = BPF_CORE_READ(from, mnt_group_id);

	for (int i = 0; i < MASTERS_MAX && to; i++) {
		if (to == from || (group && BPF_CORE_READ(to, mnt_group_id) == group))
			return true;
		to = BPF_CORE_READ(to, mnt_master);
	}
	return false;
}

/*
 * Would unmounting @victim take the mount of the pins away? It would if that is
 * the mount itself or one above it, or has one of those as its counterpart in
 * another mount namespace from which unmounting propagates.
 */
static __always_inline bool carries_pins(struct mount *victim, struct mount *pins)
{
	struct dentry *point = BPF_CORE_READ(victim, mnt_mountpoint);
	struct mount *from = BPF_CORE_READ(victim, mnt_parent), *parent;

	for (int i = 0; i < MOUNTS_DEEP; i++) {
		if (victim == pins)
			return true;
		parent = BPF_CORE_READ(pins, mnt_parent);
		if (!parent || parent == pins)
			return false;
		if (point == BPF_CORE_READ(pins, mnt_mountpoint) && propagates(from, parent))
			return true;
		pins = parent;
	}
	return true;
}

#endif
