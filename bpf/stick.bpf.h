/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Floors of cgroups that stick to tasks: who gets them, and where they are kept.
 *
 * Nothing is added for a task that has been released, which nobody would take away again:
 * who is about to be born has not been, and who is found in the list of its process's
 * threads, or has a pid, is not released before these programs end (RCU).
 */
#ifndef PSC_STICK_BPF_H
#define PSC_STICK_BPF_H

#include "cgroup.bpf.h"

#define STICK_TRIES 8

WORDS(stuck);

/* Add to the floors of an element. Return: 0 when somebody else just did. */
static __always_inline bool floors_add(union psc_policy *floors, const union psc_policy *more)
{
	union psc_policy old = policy_read(floors);
	struct psc_effective sum = { .policy = old };

	effective_add(&sum, more->word, 0);
	return __sync_val_compare_and_swap(&floors->word, old.word, sum.policy.word) == old.word;
}

/* Return: 0, or the errno of the table that has no room. */
static __always_inline int stuck_new(__u64 task, const struct stuck *stuck, bool reserve)
{
	struct state *state = &psc_state;
	struct stuck copy = *stuck;	/* 6.1 takes a value from the stack only */
	int err;

	/* Counted first: readers look only where there are any. */
	__sync_fetch_and_add(&state->stuck, 1);
	if (reserve) {
		__sync_fetch_and_add(&state->reserved, 1);
		err = bpf_map_update_elem(&psc_reserve, &task, &copy, BPF_NOEXIST);
		if (err)
			__sync_fetch_and_add(&state->reserved, -1);
	} else {
		err = bpf_map_update_elem(&psc_stuck, &task, &copy, BPF_NOEXIST);
	}
	if (err)
		__sync_fetch_and_add(&state->stuck, -1);
	return err;
}

struct sticking {
	struct stuck more;
	__u64 task;		/* in memory, as only there the address of a type is a number */
	__u64 reserve;
};

WORDS(sticking);

__noinline int stick_words(sticking_words *words)
{
	const struct sticking *sticking = (const struct sticking *)words;
	const struct stuck *more = &sticking->more;

	if (!sticking)
		return false;
	for (int i = 0; i < STICK_TRIES; i++) {
		struct stuck *stuck = stuck_find(sticking->task);

		if (!stuck) {
			/* That fails when somebody else has done it, or the allocator's store is
			 * empty, which an interrupt fills up between two attempts. */
			if (!stuck_new(sticking->task, more,
				       sticking->reserve && i >= STICK_TRIES / 2))
				return true;
			continue;
		}
		if (!stuck->container)
			stuck->container = more->container;
		if (floors_add(&stuck->floors, &more->floors))
			return true;
	}
	return false;
}

/* Add to what sticks to a task; from the reserve, too, where it must not fail. */
static __always_inline bool stick(__u64 task, const struct stuck *more, bool reserve)
{
	struct sticking sticking = { .more = *more, .task = task, .reserve = reserve };

	return stick_words((sticking_words *)&sticking);
}

static __always_inline void unstick(__u64 task)
{
	struct state *state = &psc_state;
	int err;

	if (!*(volatile __u32 *)&state->stuck)
		return;
	err = bpf_map_delete_elem(&psc_stuck, &task);
	if (!err)
		__sync_fetch_and_add(&state->stuck, -1);
	if (!*(volatile __u32 *)&state->reserved)
		return;
	err = bpf_map_delete_elem(&psc_reserve, &task);
	if (!err) {
		__sync_fetch_and_add(&state->reserved, -1);
		__sync_fetch_and_add(&state->stuck, -1);
	}
}

/* Keep of the floors those that are higher than the ones which bind everybody anyway. */
static __always_inline void stuck_set(struct stuck *ret, const struct psc_effective *floors)
{
	union psc_policy global = policy_read(&psc_state.policy);
	union psc_policy lost = policy_read(&psc_state.lost);

	ret->floors.word = 0;
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u32 floor = floors->policy.floor[mode], rank = psc_scope_rank(floor);

		/* A locked boundary is the one of its cgroup. */
		if (mode == PSC_MODE_BOUNDARY || (rank > psc_scope_rank(global.floor[mode]) &&
						  rank > psc_scope_rank(lost.floor[mode])))
			ret->floors.floor[mode] = floor;
	}
}

__noinline int inherited_words(stuck_words *words, __u64 leader, __u64 address)
{
	struct stuck *ret = (struct stuck *)words, *stuck;
	struct psc_effective floors = PSC_EFFECTIVE_NONE;
	struct cgroup *cgroup = (struct cgroup *)address;

	if (!ret)
		return false;
	path_add(&floors, cgroup, BPF_CORE_READ(cgroup, level));
	ret->container = floors.floor_from[PSC_MODE_BOUNDARY];
	read_barrier();
	stuck = stuck_find(leader);
	if (stuck) {
		if (stuck->container)
			ret->container = stuck->container;
		effective_add(&floors, floors_alone(&stuck->floors), 0);
	}
	stuck_set(ret, &floors);
	return psc_policy_locked(&ret->floors);
}

/* What a child gets: what sticks to its parent, and that of its parent's cgroup. Is it any? */
static __always_inline bool inherited(struct task_struct *parent, struct stuck *ret)
{
	return inherited_words((stuck_words *)ret, (__u64)BPF_CORE_READ(parent, group_leader),
			       (__u64)cgroup_of(parent));
}

__noinline int left_words(stuck_words *words, __u64 address, __u64 to_address)
{
	struct psc_effective floors = PSC_EFFECTIVE_NONE, there = PSC_EFFECTIVE_NONE;
	struct cgroup *from = (struct cgroup *)address, *to = (struct cgroup *)to_address;
	struct stuck *ret = (struct stuck *)words;

	if (!ret)
		return false;
	path_add(&floors, from, BPF_CORE_READ(from, level));
	path_add(&there, to, BPF_CORE_READ(to, level));
	ret->container = floors.floor_from[PSC_MODE_BOUNDARY];
	if (ret->container && is_inside(to, ret->container))
		ret->container = floors.policy.floor[PSC_MODE_BOUNDARY] = 0;
	for (__u32 mode = 0; mode < PSC_MODE_BOUNDARY; mode++)
		if (psc_scope_rank(floors.policy.floor[mode]) <=
		    psc_scope_rank(there.policy.floor[mode]))
			floors.policy.floor[mode] = 0;
	stuck_set(ret, &floors);
	return psc_policy_locked(&ret->floors);
}

/*
 * What the cgroup that is left has and the one that is entered has not. The latter cannot
 * be removed while somebody is in it, and who leaves it again has its floors then. Is it any?
 */
static __always_inline bool left(struct cgroup *from, struct cgroup *to, struct stuck *ret)
{
	return left_words((stuck_words *)ret, (__u64)from, (__u64)BPF_CORE_READ(to, dom_cgrp));
}

struct thread_walk {
	__u64 node, head;	/* addresses of list_heads */
	struct stuck floors;
};

static __always_inline void stick_or_all(__u64 task, struct stuck *floors)
{
	struct state *state = &psc_state;
	union psc_policy all = {};

	if (stick(task, floors, true))
		return;
	/*
	 * Not even in the reserve: rather everybody than nobody. Bit by bit, which cannot fail,
	 * and of two different floors makes one that is at least as strict as both, and a scope;
	 * for siblings would make one that is none.
	 */
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		all.floor[mode] = floors->floors.floor[mode];
		if (all.floor[mode] == PSC_SCOPE_SIBLINGS)
			all.floor[mode] = PSC_SCOPE_RESTRICTED;
	}
	__sync_fetch_and_or(&state->lost.word, all.word);
	read_barrier();		/* who reads stuck then finds it */
	__sync_fetch_and_add(&state->stuck, 1);	/* and this is never taken back */
}

static long thread_step(__u32 i, struct thread_walk *walk)
{
	struct list_head *node = (void *)walk->node;

	if (!walk->node || walk->node == walk->head)
		return 1;
	stick_or_all(walk->node - bpf_core_field_offset(struct task_struct, thread_node),
		     &walk->floors);
	walk->node = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

/* Before a process, or one thread, is moved. */
static __always_inline void stick_to(struct task_struct *task, struct cgroup *to, bool all_threads)
{
	struct state *state = &psc_state;
	struct thread_walk walk = {};
	struct signal_struct *signal;

	if (!state->locked || !left(cgroup_of(task), to, &walk.floors))
		return;
	if (!all_threads) {
		/* Who asked for the move may hold a task that has been released long ago. */
		if (task->thread_pid)
			stick_or_all((__u64)task, &walk.floors);
		return;
	}
	signal = BPF_CORE_READ(task, signal);
	walk.head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	walk.node = (__u64)BPF_CORE_READ(signal, thread_head.next);
	bpf_loop(PSC_RELATIONS_MAX, thread_step, &walk, 0);
}

#endif
