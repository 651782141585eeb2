/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of the guards: is there a floor, and which are the maps of the policy? */
#ifndef PSC_GUARD_BPF_H
#define PSC_GUARD_BPF_H

#include "maps.bpf.h"
#include "ptracescope_policy.h"
#include "report.bpf.h"

#define PATH_DEEP 64		/* components of the path of the pins */

/* Eight characters as the word that they are in memory: a string would be in a map. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FOUR(a, b, c, d) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24)
#define EIGHT(a, b, c, d, e, f, g, h) (FOUR(a, b, c, d) | FOUR(e, f, g, h) << 32)
#else
#define FOUR(a, b, c, d) ((__u64)(d) | (__u64)(c) << 8 | (__u64)(b) << 16 | (__u64)(a) << 24)
#define EIGHT(a, b, c, d, e, f, g, h) (FOUR(a, b, c, d) << 32 | FOUR(e, f, g, h))
#endif

static __always_inline struct guarded *guarded(void)
{
	return bpf_map_lookup_elem(&psc_guarded, &(__u32){ 0 });
}

/*
 * Is anything locked, or about to be? Armed the guards stay until psc_ctl disarms them, which
 * it does not once there is a floor. So this is one word, read once, and no clock: whoever
 * finds them resting has come before they were armed, however long he is held up afterwards.
 */
static __always_inline bool guards_armed(void)
{
	struct guarded *guard = guarded();

	return !guard || *(volatile __u64 *)&guard->armed;
}

/* The same, asked after all that the caller's system call has stored: psc_scan sees that. */
static __always_inline bool guards_armed_in_order(void)
{
	read_barrier();
	return guards_armed();
}

/* A variable is the only element of the array that is its map. */
static __always_inline struct bpf_map *state_map(void)
{
	return (void *)&psc_state - bpf_core_field_offset(struct bpf_array, value);
}

static __always_inline bool has_references(__u32 references)
{
	struct bpf_map *map = state_map();

	return BPF_CORE_READ(map, refcnt.counter) == references;
}

/*
 * Has there been a floor, global or of a cgroup? Then the guards are armed, and stay so: that it
 * is said without them is written by somebody who was root before the first one.
 */
static __always_inline bool has_floor(const struct state *state)
{
	const struct guarded *guard = guarded();

	return state->locked && guard && guard->armed;
}

/*
 * There is going to be a floor, global or of a cgroup. The first one requires that the daemon has
 * found nothing that could undo it, and that the guards have been armed without a break since
 * then: @armed is the number of that arming. 0, of who has not looked, does where there is a floor.
 * @references: to the map psc_state, by which the anchor will tell whether all programs are
 * there; 0: there is no anchor. What it kept before is anybody's: it was not under a floor.
 * Return: 0, -PSC_E_CANCELED or -PSC_E_AGAIN.
 */
static __always_inline int lock_first(struct state *state, __u64 armed, __u32 references)
{
	const struct guarded *guard = guarded();

	if (armed ? !guard || guard->armed != armed : !has_floor(state))
		return -PSC_E_CANCELED;
	if (state->locked)
		return 0;
	if (references && !has_references(references))
		return -PSC_E_AGAIN;
	state->references = references;
	state->loose = 0;
	state->locked = 1;
	return 0;
}

/* Under a floor: the number that it came with, as the guards are not armed anew. */
static __always_inline __u64 armed_then(const struct state *state, __u64 armed)
{
	const struct guarded *guard = guarded();

	return state->locked && guard ? guard->armed : armed;
}

/* The others of the policy's maps: what decides verdicts, and what is reported of them. */
#define POLICY_TABLES(DO) \
	DO(PSC_MAP_GUARDED, psc_guarded) \
	DO(PSC_MAP_CGROUPS, psc_cgroups) \
	DO(PSC_MAP_PATTERNS, psc_patterns) \
	DO(PSC_MAP_CARRIED, psc_carried) \
	DO(PSC_MAP_RESERVE, psc_reserve) \
	DO(PSC_MAP_STICKY, psc_sticky) \
	DO(PSC_MAP_RELATIONS, psc_relations) \
	DO(PSC_MAP_TRACERS, psc_tracers) \
	DO(PSC_MAP_SERIAL, psc_serial) \
	DO(PSC_MAP_WINDOW, psc_window) \
	DO(PSC_MAP_STATS, psc_stats)

/* Which of the policy's maps is it? Or -1. */
static __always_inline int policy_map_index(__u64 map)
{
#define IS(index, table) \
	if (map == (__u64)&(table)) \
		return index;
	if (map == (__u64)state_map())
		return PSC_MAP_STATE;
	POLICY_TABLES(IS)
#undef IS
	return -1;
}

/* The same for who asks in a loop: the verifier looks at the comparisons once. */
GLOBAL int policy_map_word(one_word *map)
{
	return map ? policy_map_index((*map)[0]) : -1;
}

static __always_inline bool is_policy_map_id(__u32 id)
{
#define OR_HAS_ID(index, table) || id == ((struct bpf_map *)&(table))->id
	return id == BPF_CORE_READ(state_map(), id) POLICY_TABLES(OR_HAS_ID);
#undef OR_HAS_ID
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/*
 * One step of the way from the pins up to the root. @on: the mount reached so far; @step: the
 * directory in it. Return: 1 at the end, or 0: as bpf_loop() wants it.
 */
static __always_inline long step_up(struct mount **on, struct dentry **step)
{
	struct mount *mount = *on, *parent;

	if (*step != BPF_CORE_READ(mount, mnt.mnt_root)) {
		*step = BPF_CORE_READ(*step, d_parent);
		return 0;
	}
	parent = BPF_CORE_READ(mount, mnt_parent);
	*step = BPF_CORE_READ(mount, mnt_mountpoint);
	*on = parent;
	return parent == mount;
}

/*
 * -EPERM, reported, or 0. The first result of a program that is not 0 ends a hook, so all before
 * us have returned 0. The constant is hidden from the compiler, which would otherwise compute it
 * from the condition in a way that the verifier cannot follow.
 */
static __always_inline int refuse_if(bool refuse, enum psc_guard guard)
{
	int err = -EPERM;

	if (!refuse)
		return 0;
	report_tamper(guard);
	barrier_var(err);
	return err;
}

#endif
