/* SPDX-License-Identifier: GPL-2.0-only */
/* A task is moved to another cgroup, or released from what it keeps: what of that sticks to it. */
#ifndef PSC_MOVE_BPF_H
#define PSC_MOVE_BPF_H

#include "stick.bpf.h"

/*
 * May a move for the sake of sticky scopes take of the reserve? For cgroups only in which
 * nobody but root makes others: so users do not take what others need.
 */
GLOBAL int may_reserve(one_word *cgroup)
{
	struct cgroup *place = cgroup ? (struct cgroup *)(*cgroup)[0] : NULL;

	return place && !delegated_above(place, BPF_CORE_READ(place, level));
}

struct thread_walk {
	__u64 node, head;	/* addresses of list_heads */
	__u64 reserve;
	struct carried floors;
};

/*
 * What the cgroup that is left has and the one that is entered has not. The latter cannot
 * be removed while somebody is in it, and who leaves it again has its floors then. Is it any?
 */
static __always_inline bool left(struct task_struct *task, struct cgroup *to,
				 struct thread_walk *ret)
{
	struct cgroup *from = cgroup_of(task);
	__u64 leader = (__u64)BPF_CORE_READ(task, group_leader);
	carried_words *words = (carried_words *)&ret->floors;
	__u64 there = (__u64)BPF_CORE_READ(to, dom_cgrp);
	struct state *state = &psc_state;
	one_word place = { (__u64)from };
	bool any = state->locked && left_words(words, leader, (__u64)from, there);

	if (!state->sticky)
		return any;
	if (!left_sticky(words, (__u64)from, there))
		return false;
	if (!sticks(&ret->floors))
		place[0] = there;
	ret->reserve = may_reserve(&place);
	return true;
}

static __always_inline void stick_or_all(__u64 task, struct carried *floors, bool reserve)
{
	bool locked = psc_policy_locked(&floors->floors);
	struct state *state = &psc_state;
	union psc_policy all = {};

	/* And half of it at most, as floors must find room. */
	if (*(volatile __u32 *)&state->reserved >= psc_reserve_size / 2)
		reserve = false;
	if (stick(task, floors, reserve || locked))
		return;
	if (!locked) {
		if (sticks(floors))
			count(PSC_STAT_SHED);
		return;
	}
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
	__sync_fetch_and_or(&state->floors_for_all.word, all.word);
	read_barrier();		/* who reads carried then finds it */
	__sync_fetch_and_add(&state->carried, 1);	/* and this is never taken back */
}

static long thread_step(__u32 i, struct thread_walk *walk)
{
	struct list_head *node = (void *)walk->node;

	if (!walk->node || walk->node == walk->head)
		return 1;
	stick_or_all(walk->node - bpf_core_field_offset(struct task_struct, thread_node),
		     &walk->floors, walk->reserve);
	walk->node = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

/* Before a process, or one thread, is moved. */
static __always_inline void stick_to(struct task_struct *task, struct cgroup *to, bool all_threads)
{
	struct state *state = &psc_state;
	struct thread_walk walk = {};
	struct signal_struct *signal;

	if (!*(volatile __u64 *)&state->sticks || !left(task, to, &walk))
		return;
	if (!all_threads) {
		/* Who asked for the move may hold a task that has been released long ago. */
		if (task->thread_pid)
			stick_or_all((__u64)task, &walk.floors, walk.reserve);
		return;
	}
	signal = BPF_CORE_READ(task, signal);
	walk.head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	walk.node = (__u64)BPF_CORE_READ(signal, thread_head.next);
	bpf_loop(PSC_RELATIONS_MAX, thread_step, &walk, 0);
}

/* The threads of a process that is released from what it keeps of sticky scopes. */
static long release_step(__u32 i, struct thread_walk *walk)
{
	struct list_head *node = (void *)walk->node;
	one_word task = {
		walk->node - bpf_core_field_offset(struct task_struct, thread_node),
	};

	if (!walk->node || walk->node == walk->head)
		return 1;
	left_drop(&task, true);
	walk->node = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

static __always_inline int release(const struct psc_request *req)
{
	struct task_struct *task = (struct task_struct *)task_by_vpid(req->probe[0]);
	struct thread_walk walk = {};
	struct signal_struct *signal;

	if (req->abi != PSC_ABI || req->flags)
		return -PSC_E_INVAL;
	if (!task)
		return -PSC_E_SRCH;
	signal = BPF_CORE_READ(task, signal);
	walk.head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	walk.node = (__u64)BPF_CORE_READ(signal, thread_head.next);
	bpf_loop(THREADS_MAX, release_step, &walk, 0);
	return 0;
}

#endif
