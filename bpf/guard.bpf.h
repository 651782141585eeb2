/* SPDX-License-Identifier: GPL-2.0-only */
/* What keeps root from taking the programs away once there is a floor. */
#ifndef PSC_GUARD_BPF_H
#define PSC_GUARD_BPF_H

#include "maps.bpf.h"
#include "ptracescope_policy.h"

#define USED_MAPS_MAX 64	/* MAX_USED_MAPS, include/linux/bpf_verifier.h */
#define MOUNTS_DEEP 32		/* mounts on mounts above the pins that are looked at */
#define MASTERS_MAX 4		/* levels of mount propagation */
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

/* Is anything locked, or about to be? A missing state, which cannot be, is. */
static __always_inline bool locked(void)
{
	struct state *state = bpf_map_lookup_elem(&psc_state, &(__u32){ 0 });
	struct guarded *guard = guarded();

	return !state || !guard || state->locked ||
	       armed_since(guard, guard->armed, PSC_ARMED_NS);
}

/*
 * There is going to be a floor, global or of a cgroup. The first one is worth
 * something only if nothing stands against it, and if nothing can have come since
 * that was looked for. Return: 0 or -PSC_E_CANCELED.
 */
static __always_inline int lock_first(struct state *state, const struct psc_request *req)
{
	const struct guarded *guard = guarded();

	if (state->locked)
		return 0;
	if (!guard || !armed_since(guard, req->armed, PSC_ARMED_NS / 2))
		return -PSC_E_CANCELED;
	state->locked = 1;
	return 0;
}

/* Which of the maps whose content decides verdicts is it? Or -1. */
static __always_inline int policy_map_index(__u64 map)
{
	if (map == (__u64)&psc_state)
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
	return HAS_ID(psc_state) || HAS_ID(psc_guarded) || HAS_ID(psc_cgroups) ||
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

static __always_inline bool same_namespace(struct mount *one, struct mount *other)
{
	return BPF_CORE_READ(one, mnt_ns) == BPF_CORE_READ(other, mnt_ns);
}

/*
 * Would something mounted at @place be in the way from the root to the pins, or on
 * one of them? The walk goes from the pins to the root.
 */
static __always_inline bool hides_pins(struct mount *mount, struct dentry *place,
				       const struct guarded *guard)
{
	struct mount *on = (struct mount *)guard->mount, *parent;
	struct dentry *step = (struct dentry *)guard->dir;

	if (BPF_CORE_READ(place, d_parent) == step)
		step = place;
	for (int i = 0; i < PATH_DEEP && on; i++) {
		if (place == step && propagates(mount, on))
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
