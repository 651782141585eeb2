/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions: who is tracing already, and what PR_SET_PTRACER declared. */
#ifndef PSC_RELATION_BPF_H
#define PSC_RELATION_BPF_H

#include "maps.bpf.h"
#include "ptracescope_explain.h"
#include "report.bpf.h"
#include "task.bpf.h"

#define RELATION_TRIES 4

/* The number of a tracer, given now if it has none. 0 when the table is full. */
static __always_inline __u64 tracer_id(__u64 tracer)
{
	__u64 *id = bpf_map_lookup_elem(&psc_tracers, &tracer);
	__u64 fresh, old;

	if (id && *id)
		return *id;
	fresh = next_serial();
	if (bpf_map_update_elem(&psc_tracers, &tracer, &fresh, BPF_NOEXIST) == 0)
		return fresh;
	/*
	 * Full; or another tracee named the same tracer just now; or one that was at this
	 * address before could not be deleted.
	 */
	id = bpf_map_lookup_elem(&psc_tracers, &tracer);
	if (!id)
		return 0;
	old = __sync_val_compare_and_swap(id, 0, fresh);
	return old ? old : fresh;
}

/* Each word changes it, whatever the others are. */
static __always_inline __u64 relation_sum(__u64 tracee, const struct relation *relation)
{
	const __u64 prime = 0x100000001b3ULL;	/* FNV-1a, by words */
	__u64 sum = tracee * prime;

	sum = (sum ^ relation->tracer) * prime;
	sum ^= sum >> 32;
	sum = (sum ^ relation->tracer_id) * prime;
	sum ^= sum >> 32;
	return (sum ^ relation->tracee_start) * prime;
}

/*
 * Put it there, and count it if it is a new one. Another thread of the tracee may add or clear one
 * meanwhile.
 */
static __always_inline bool relation_put(__u64 key, const struct relation *relation)
{
	for (int i = 0; i < RELATION_TRIES; i++) {
		if (!(int)bpf_map_update_elem(&psc_relations, &key, relation, BPF_NOEXIST)) {
			count(PSC_COUNT_DECLARED);
			return true;
		}
		if (!(int)bpf_map_update_elem(&psc_relations, &key, relation, BPF_EXIST))
			return true;
	}
	return false;
}

/* Declare @tracer (0 for anyone) for the leader @tracee. Return: 0 or -ENOMEM. */
static __always_inline long relation_add(struct task_struct *tracee, __u64 tracer)
{
	struct relation relation = {
		.tracer = tracer, .tracee_start = BPF_CORE_READ(tracee, start_boottime),
	};
	__u64 key = (__u64)tracee;

	if (tracer) {
		relation.tracer_id = tracer_id(tracer);
		if (!relation.tracer_id)
			return -ENOMEM;
	}
	relation.sum = relation_sum(key, &relation);
	return relation_put(key, &relation) ? 0 : -ENOMEM;
}

/* Return: 0, or -EBUSY when what was declared still stands. */
static __always_inline long relation_clear(struct task_struct *tracee)
{
	__u64 key = (__u64)tracee;
	/* An int, as before 6.4 (d7ba4cc900bf) only that half of the result was one. */
	int err = bpf_map_delete_elem(&psc_relations, &key);

	if (!err)
		count_by(PSC_COUNT_DECLARED, -1ULL);
	/* Results as constants: the verifier wants to see that they are errnos. */
	return !err || err == -ENOENT ? 0 : -EBUSY;
}

/*
 * Forget a task that has been released, as tracee and as tracer. Nearly none is either, and to
 * look, unlike to delete, takes no lock. Nobody can add it any more: a leader is not released
 * before the last of its threads, one of which was to declare something; and who was found by
 * its pid, to be named, is not before that program ends (RCU).
 */
static __always_inline void relation_forget(__u64 task)
{
	__u64 *id = bpf_map_lookup_elem(&psc_tracers, &task);

	if (bpf_map_lookup_elem(&psc_relations, &task) &&
	    !(int)bpf_map_delete_elem(&psc_relations, &task))
		count_by(PSC_COUNT_DECLARED, -1ULL);
	if (id) {
		*id = 0;	/* deleting may fail for a lock's sake */
		bpf_map_delete_elem(&psc_tracers, &task);
	}
}

/**
 * relation_read - what a leader has declared
 * @tracee: thread-group leader
 * @ret: a consistent copy, if the result is 1
 *
 * An element that is replaced or deleted while we read it may be used again at once, for
 * another tracee or for this one, and its words are written in any order. What we read is
 * one relation, and this tracee's, if it has the sum of one: words of several do not, but
 * for a chance of 1 in 2^64. And of one that is being replaced a look-up may find neither
 * the old nor the new.
 *
 * Return: 1, 0 for nothing, -1 when it has changed meanwhile.
 */
static __always_inline int relation_read(struct task_struct *tracee, struct relation *ret)
{
	__u64 key = (__u64)tracee;
	struct relation *relation = bpf_map_lookup_elem(&psc_relations, &key);

	if (!relation)
		relation = bpf_map_lookup_elem(&psc_relations, &key);
	if (!relation)
		return 0;
	ret->tracer = *(volatile __u64 *)&relation->tracer;
	ret->tracer_id = *(volatile __u64 *)&relation->tracer_id;
	ret->sum = *(volatile __u64 *)&relation->sum;
	ret->tracee_start = *(volatile __u64 *)&relation->tracee_start;
	if (ret->sum != relation_sum(key, ret))
		return -1;
	/* The start is compared in case psc_task_gone was not there to see a death. */
	return ret->tracee_start == BPF_CORE_READ(tracee, start_boottime);
}

static __always_inline bool relation_get(struct task_struct *tracee, struct relation *ret)
{
	int found = -1;

	for (int i = 0; i < RELATION_TRIES && found < 0; i++)
		found = relation_read(tracee, ret);
	return found > 0;
}

/* Does the tracer's process trace the tracee already? */
static __always_inline bool is_tracing(struct task_struct *tracer, struct task_struct *tracee)
{
	return tracee->ptrace &&
	       BPF_CORE_READ(tracee, parent, signal) == BPF_CORE_READ(tracer, signal);
}

/*
 * What a leader has declared, enum psc_declared.
 * @ret: of PSC_DECLARED_TASK, the leader of the tracer that it named
 */
static __always_inline __u32 declared_of(struct task_struct *leader, __u64 *ret)
{
	struct relation relation;
	struct task_struct *named;
	__u64 *id;

	/* The dead are no longer forgotten: somebody else may have their address now. */
	if (psc_state.loose)
		return PSC_DECLARED_NONE;
	if (!relation_get(leader, &relation))
		return PSC_DECLARED_NONE;
	if (!relation.tracer)
		return PSC_DECLARED_ANYONE;
	/* Read before it is known to live: what is there then was there at the reading. */
	named = (struct task_struct *)relation.tracer;
	*ret = (__u64)BPF_CORE_READ(named, group_leader);
	read_barrier();
	id = bpf_map_lookup_elem(&psc_tracers, &relation.tracer);
	return id && *id == relation.tracer_id ? PSC_DECLARED_TASK : PSC_DECLARED_DEAD;
}

/**
 * has_exception - may the caller access the tracee although it is no ancestor?
 *
 * ptracer_exception_found() of security/yama/yama_lsm.c.
 */
LOCAL bool has_exception(struct task_struct *tracer, struct task_struct *tracee)
{
	__u64 leader = 0;
	__u32 declared;

	if (is_tracing(tracer, tracee))
		return true;
	declared = declared_of(BPF_CORE_READ(tracee, group_leader), &leader);
	return declared == PSC_DECLARED_ANYONE ||
	       (declared == PSC_DECLARED_TASK && is_descendant(tracer, leader));
}

#endif
