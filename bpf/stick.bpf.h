/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sticks to tasks of the cgroups that they leave, floors and scopes: who gets it, and
 * where it is kept.
 *
 * Nothing is added for a task that has been released, which nobody would take away again:
 * who is about to be born has not been, and who is found in the list of its process's
 * threads, or has a pid, is not released before these programs end (RCU).
 */
#ifndef PSC_STICK_BPF_H
#define PSC_STICK_BPF_H

#include "cgroup.bpf.h"
#include "find.bpf.h"
#include "report.bpf.h"
#include "share.bpf.h"
#include "sticky.bpf.h"

#define STICK_TRIES 8

WORDS(carried);

/* Add to the floors of an element. Return: 0 when somebody else just did. */
static __always_inline bool floors_add(union psc_policy *floors, const union psc_policy *more)
{
	union psc_policy old = policy_read(floors);
	struct psc_effective sum = { .policy = old };

	effective_add(&sum, more->word, 0);
	return __sync_val_compare_and_swap(&floors->word, old.word, sum.policy.word) == old.word;
}

static __always_inline bool scopes_add(union psc_policy *kept, const union psc_policy *more)
{
	__u64 old = policy_read(kept).word, sum = scopes_sum(old, more->word);

	return sum == old || __sync_val_compare_and_swap(&kept->word, old, sum) == old;
}

/* @carried: on the stack, for 6.1. Return: 0, or the errno of the table that has no room. */
static __always_inline int carried_new(__u64 task, const struct carried *carried, bool reserve)
{
	struct state *state = &psc_state;
	int err;

	/* Counted first: readers look only where there are any. */
	__sync_fetch_and_add(&state->carried, 1);
	if (reserve) {
		__sync_fetch_and_add(&state->reserved, 1);
		err = bpf_map_update_elem(&psc_reserve, &task, carried, BPF_NOEXIST);
		if (err)
			__sync_fetch_and_add(&state->reserved, -1);
	} else {
		err = bpf_map_update_elem(&psc_carried, &task, carried, BPF_NOEXIST);
	}
	if (err)
		__sync_fetch_and_add(&state->carried, -1);
	return err;
}

struct sticking {
	struct carried more;
	__u64 task;		/* in memory, as only there the address of a type is a number */
	__u64 reserve;
};

WORDS(sticking);

/* Refer to a cgroup that sticks. Where there is no place, its scopes are kept by their values. */
static __always_inline void left_note(struct carried *carried, __u64 id)
{
	struct sticky sticky = {};

	if (!id || carried->left[0] == id || carried->left[1] == id || !sticky_get(id))
		return;
	if (!__sync_val_compare_and_swap(&carried->left[0], 0, id) ||
	    !__sync_val_compare_and_swap(&carried->left[1], 0, id))
		return;
	if (sticky_read(id, &sticky))
		for (int i = 0; i < STICK_TRIES; i++)
			if (scopes_add(&carried->scopes, &sticky.policy))
				break;
	sticky_put(id);
}

/* Add to the element of a task. Return: is it there, and done? */
GLOBAL int stick_more(sticking_words *words)
{
	struct sticking *sticking = (struct sticking *)words;
	struct carried *carried;

	if (!sticking)
		return false;
	carried = carried_find(sticking->task);
	if (!carried)
		return false;
	/* With what stuck before in it: container_sum(). */
	if (sticking->more.container)
		carried->container = sticking->more.container;
	if (sticking->more.left[0]) {
		left_note(carried, sticking->more.left[0]);
		left_note(carried, sticking->more.left[1]);
	}
	return floors_add(&carried->floors, &sticking->more.floors) &&
	       (!sticking->more.scopes.word ||
		scopes_add(&carried->scopes, &sticking->more.scopes));
}

GLOBAL int stick_words(sticking_words *words)
{
	const struct sticking *sticking = (const struct sticking *)words;
	struct carried bare = {};

	if (!sticking)
		return false;
	bare.floors = sticking->more.floors;
	bare.container = sticking->more.container;
	bare.scopes = sticking->more.scopes;
	for (int i = 0; i < STICK_TRIES; i++) {
		if (stick_more(words))
			return true;
		/* That fails when somebody else has done it, or the allocator's store is
		 * empty, which an interrupt fills up between two attempts. */
		if (!carried_new(sticking->task, &bare,
			       sticking->reserve && i >= STICK_TRIES / 2) &&
		    !sticking->more.left[0])
			return true;
	}
	return stick_more(words);
}

/* Add to what sticks to a task; from the reserve, too, where it must not fail. */
static __always_inline bool stick(__u64 task, const struct carried *more, bool reserve)
{
	struct sticking sticking = { .more = *more, .task = task, .reserve = reserve };

	return stick_words((sticking_words *)&sticking);
}

/* Take the references of a task away, which nobody adds to any more; or release it. */
GLOBAL int left_drop(one_word *task, __u32 release)
{
	struct carried *carried = task ? carried_find((*task)[0]) : NULL;
	__u64 id;

	if (!carried)
		return 0;
	for (int i = 0; i < PSC_LEFT; i++) {
		id = *(volatile __u64 *)&carried->left[i];
		if (id && __sync_val_compare_and_swap(&carried->left[i], id, 0) == id)
			sticky_put(id);
	}
	if (release)
		*(volatile __u64 *)&carried->scopes.word = 0;
	return 0;
}

static __always_inline void unstick(__u64 task)
{
	struct state *state = &psc_state;
	one_word key = { task };
	int err;

	if (!*(volatile __u32 *)&state->carried)
		return;
	if (*(volatile __u32 *)&state->sticky)
		left_drop(&key, false);
	err = bpf_map_delete_elem(&psc_carried, &task);
	if (!err)
		__sync_fetch_and_add(&state->carried, -1);
	if (!*(volatile __u32 *)&state->reserved)
		return;
	err = bpf_map_delete_elem(&psc_reserve, &task);
	if (!err) {
		__sync_fetch_and_add(&state->reserved, -1);
		__sync_fetch_and_add(&state->carried, -1);
	}
}

/* Keep of the floors those that are higher than the ones which bind everybody anyway. */
static __always_inline void carried_set(struct carried *ret, const struct psc_effective *floors)
{
	union psc_policy global = policy_read(&psc_state.policy);
	union psc_policy for_all = policy_read(&psc_state.floors_for_all);

	ret->floors.word = 0;
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u32 floor = floors->policy.floor[mode], rank = psc_scope_rank(floor);

		/* A locked boundary is the one of its cgroup. */
		if (mode == PSC_MODE_BOUNDARY || (rank > psc_scope_rank(global.floor[mode]) &&
						  rank > psc_scope_rank(for_all.floor[mode])))
			ret->floors.floor[mode] = floor;
	}
}

/* Does anything stick at all? */
static __always_inline bool sticks(const struct carried *carried)
{
	return psc_policy_locked(&carried->floors) | !!carried->left[0] | !!carried->scopes.word;
}

/* What a child's parent has left. */
static __always_inline void inherited_left(struct sticky_walk *walk, __u64 id)
{
	struct sticky sticky = {};

	if (!id || walk->left[0] == id || walk->left[1] == id)
		return;
	if (!walk->left[0])
		walk->left[0] = id;
	else if (!walk->left[1])
		walk->left[1] = id;
	else if (sticky_read(id, &sticky))
		walk->scopes.word = scopes_sum(walk->scopes.word, sticky.policy.word);
}

/*
 * What of sticky scopes a child gets: references to all that its parent is in, as it may be
 * born elsewhere (@into: it is), and what its parent has left; in this order, as the parent
 * may be moved meanwhile.
 */
GLOBAL int inherited_sticky(carried_words *words, __u64 leader, __u64 address, __u32 into)
{
	struct sticky_walk walk = { .cgroup = address, .into = into };
	struct carried *ret = (struct carried *)words, *carried;

	if (!ret)
		return false;
	sticky_walk_up((sticky_walk_words *)&walk);
	read_barrier();
	carried = carried_find(leader);
	if (carried) {
		union psc_policy kept = policy_read(&carried->scopes);

		inherited_left(&walk, *(volatile __u64 *)&carried->left[0]);
		inherited_left(&walk, *(volatile __u64 *)&carried->left[1]);
		walk.scopes.word = scopes_sum(walk.scopes.word, kept.word);
	}
	ret->left[0] = walk.left[0];
	ret->left[1] = walk.left[1];
	ret->scopes = walk.scopes;
	return sticks(ret);
}

/*
 * The container of two that a process has left, or is in, whose boundaries are locked: who is
 * inside of the inner one is in both. Inside of two that are apart is nobody.
 */
GLOBAL __u64 container_sum(__u64 kept, __u64 more)
{
	struct cgroup *inner, *outer;

	if (!kept || !more || kept == more)
		return kept | more;
	inner = cgroup_by_id(kept);
	outer = cgroup_by_id(more);
	/* Nor in one that has been removed. */
	if (!inner || !outer)
		return PSC_SOURCE_SEVERAL;
	if (is_below_root(inner, outer))
		return kept;
	return is_below_root(outer, inner) ? more : PSC_SOURCE_SEVERAL;
}

GLOBAL int inherited_words(carried_words *words, __u64 leader, __u64 address)
{
	struct carried *ret = (struct carried *)words, *carried;
	struct psc_effective floors = PSC_EFFECTIVE_NONE;
	struct cgroup *cgroup = (struct cgroup *)address;

	if (!ret)
		return false;
	path_add(&floors, cgroup, BPF_CORE_READ(cgroup, level));
	ret->container = floors.floor_from[PSC_MODE_BOUNDARY];
	read_barrier();
	carried = carried_find(leader);
	if (carried) {
		ret->container = container_sum(carried->container, ret->container);
		effective_add(&floors, floors_alone(&carried->floors), 0);
	}
	carried_set(ret, &floors);
	return psc_policy_locked(&ret->floors);
}

/* What a child gets: what sticks to its parent, and that of its parent's cgroup. Is it any? */
static __always_inline bool inherited(struct task_struct *parent, struct carried *ret, bool into)
{
	__u64 leader = (__u64)BPF_CORE_READ(parent, group_leader), cgroup = (__u64)cgroup_of(parent);
	bool any = inherited_words((carried_words *)ret, leader, cgroup);

	return psc_state.sticky ?
		inherited_sticky((carried_words *)ret, leader, cgroup, into) : any;
}

GLOBAL int left_words(carried_words *words, __u64 leader, __u64 address, __u64 to_address)
{
	struct psc_effective floors = PSC_EFFECTIVE_NONE, there = PSC_EFFECTIVE_NONE;
	struct cgroup *from = (struct cgroup *)address, *to = (struct cgroup *)to_address;
	struct carried *ret = (struct carried *)words, *carried;

	if (!ret)
		return false;
	path_add(&floors, from, BPF_CORE_READ(from, level));
	path_add(&there, to, BPF_CORE_READ(to, level));
	ret->container = floors.floor_from[PSC_MODE_BOUNDARY];
	if (ret->container && is_inside(to, ret->container))
		ret->container = floors.policy.floor[PSC_MODE_BOUNDARY] = 0;
	carried = ret->container ? carried_find(leader) : NULL;
	if (carried)
		ret->container = container_sum(carried->container, ret->container);
	for (__u32 mode = 0; mode < PSC_MODE_BOUNDARY; mode++)
		if (psc_scope_rank(floors.policy.floor[mode]) <=
		    psc_scope_rank(there.policy.floor[mode]))
			floors.policy.floor[mode] = 0;
	carried_set(ret, &floors);
	return psc_policy_locked(&ret->floors);
}

/*
 * The same for sticky scopes: those of all cgroups that contain @from and not @to. A process that
 * enters a cgroup with sticky scopes gets its element now, so that leaving takes no memory.
 */
GLOBAL int left_sticky(carried_words *words, __u64 from, __u64 to)
{
	struct sticky_walk left = { .cgroup = from, .to = to }, there = { .cgroup = to };
	struct carried *ret = (struct carried *)words;

	if (!ret)
		return false;
	sticky_walk_up((sticky_walk_words *)&left);
	ret->left[0] = left.left[0];
	ret->left[1] = left.left[1];
	ret->scopes = left.scopes;
	if (sticks(ret))
		return true;
	sticky_walk_up((sticky_walk_words *)&there);
	return there.left[0] != 0;
}

#endif
