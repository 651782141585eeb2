/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second anchor: the programs psc_a_* on the root cgroup, on the same maps as the pinned
 * ones. No link, pin, mount or process holds them, and detaching one takes a descriptor of it,
 * which the guards give nobody. So they judge and guard when the pins are gone, too.
 *
 * What only the pinned programs can do is keep floors with processes that leave their cgroup.
 * When one of those has gone, the highest floor ever set binds everybody.
 */
#ifndef PSC_ANCHOR_BPF_H
#define PSC_ANCHOR_BPF_H

#include "cgroup.bpf.h"
#include "guard.bpf.h"

#define HIGHEST_TRIES 8

static __always_inline bool floors_raise(union psc_policy *floors, const union psc_policy *more)
{
	for (int i = 0; i < HIGHEST_TRIES; i++) {
		union psc_policy old = policy_read(floors);
		struct psc_effective sum = { .policy = old };

		effective_add(&sum, more->word, 0);
		if (__sync_val_compare_and_swap(&floors->word, old.word, sum.policy.word) ==
		    old.word)
			return true;
	}
	return false;
}

/*
 * Before a floor is in force. Return: 0 or -PSC_E_AGAIN. A function of its own for the sake of
 * the callers' stacks: psc_cg_mkdir has none to spare.
 */
LOCAL int highest_note(struct state *state, const union psc_policy *policy)
{
	union psc_policy floors = {};

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		floors.floor[mode] = policy->floor[mode];
	return !floors.word || floors_raise(&state->highest, &floors) ? 0 : -PSC_E_AGAIN;
}

/*
 * Every program of ours refers to the map psc_state, and its pin does. Under a floor nobody
 * else comes to a reference that stays: if there are fewer than there were, one of them has
 * gone, or the pin.
 */
static __always_inline bool is_complete(const struct state *state)
{
	struct bpf_map *map = state_map();

	return BPF_CORE_READ(map, usercnt.counter) > 0 &&
	       BPF_CORE_READ(map, refcnt.counter) >= state->references;
}

/* One of the pinned programs has gone, or is about to go. */
static __always_inline void anchor_bind_all(struct state *state)
{
	union psc_policy all = policy_read(&state->highest);

	/* Of everybody there are no siblings. */
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (all.floor[mode] == PSC_SCOPE_SIBLINGS)
			all.floor[mode] = PSC_SCOPE_RESTRICTED;
	if (!floors_raise(&state->floors_for_all, &all)) /* stricter, if somebody else writes it all the time */
		__sync_fetch_and_or(&state->floors_for_all.word, all.word);
	read_barrier();		/* who reads carried then finds it */
	__sync_fetch_and_add(&state->carried, 1);
	state->loose = 1;
}

/* Before each verdict of the anchor. */
static __always_inline void anchor_look(struct state *state)
{
	if (state->references && !state->loose && !is_complete(state))
		anchor_bind_all(state);
}

static __always_inline __u32 anchor_state(const struct state *state)
{
	return state->loose ? PSC_ANCHOR_ALONE :
	       state->references ? PSC_ANCHOR_SET : PSC_ANCHOR_NONE;
}

#endif
