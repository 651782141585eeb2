/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions: who is tracing already, and what PR_SET_PTRACER declared. */
#ifndef PSC_RELATION_BPF_H
#define PSC_RELATION_BPF_H

#include "maps.bpf.h"
#include "task.bpf.h"

#define ENOMEM 12
#define ENOSYS 38

static __always_inline __u64 next_serial(void)
{
	__u64 *last = bpf_map_lookup_elem(&psc_serial, &(__u32){ 0 });

	return last ? __sync_fetch_and_add(last, 1) + 1 : 0;
}

/* The number of a tracer, given now if it has none. 0 when the table is full. */
static __always_inline __u64 tracer_id(__u64 tracer)
{
	__u64 *id = bpf_map_lookup_elem(&psc_tracers, &tracer);
	__u64 fresh;

	if (id)
		return *id;
	fresh = next_serial();
	if (bpf_map_update_elem(&psc_tracers, &tracer, &fresh, BPF_NOEXIST) == 0)
		return fresh;
	/* Either full, or another tracee named the same tracer just now. */
	id = bpf_map_lookup_elem(&psc_tracers, &tracer);
	return id ? *id : 0;
}

/* Declare @tracer (0 for anyone) for the leader @tracee. Return: 0 or -ENOMEM. */
static __always_inline long relation_add(__u64 tracee, __u64 tracer)
{
	struct relation relation = { .tracer = tracer };

	if (tracer) {
		relation.tracer_id = tracer_id(tracer);
		if (!relation.tracer_id)
			return -ENOMEM;
	}
	relation.serial = next_serial();
	if (bpf_map_update_elem(&psc_relations, &tracee, &relation, BPF_ANY))
		return -ENOMEM;
	return 0;
}

static __always_inline void relation_clear(__u64 tracee)
{
	bpf_map_delete_elem(&psc_relations, &tracee);
}

/* Forget a task that is being freed, as tracee and as tracer. */
static __always_inline void relation_forget(__u64 task)
{
	bpf_map_delete_elem(&psc_relations, &task);
	bpf_map_delete_elem(&psc_tracers, &task);
}

/**
 * relation_get - what a leader has declared
 * @tracee: thread-group leader
 * @ret: a consistent copy
 *
 * An element that is replaced or deleted while we read it may be reused at once
 * for another tracee. Serials never repeat, so if the element found for this
 * tracee after the reading has the serial read first, all that was read between
 * belongs to it.
 */
static __always_inline bool relation_get(__u64 tracee, struct relation *ret)
{
	struct relation *relation = bpf_map_lookup_elem(&psc_relations, &tracee);

	if (!relation)
		return false;
	ret->serial = *(volatile __u64 *)&relation->serial;
	ret->tracer = *(volatile __u64 *)&relation->tracer;
	ret->tracer_id = *(volatile __u64 *)&relation->tracer_id;
	relation = bpf_map_lookup_elem(&psc_relations, &tracee);
	return relation && *(volatile __u64 *)&relation->serial == ret->serial;
}

/**
 * has_exception - may the caller access the tracee although it is no ancestor?
 *
 * ptracer_exception_found() of security/yama/yama_lsm.c.
 */
static __always_inline bool has_exception(struct task_struct *tracer, struct task_struct *tracee)
{
	struct relation relation;
	struct task_struct *named;
	__u64 *id;

	if (tracee->ptrace && tracee->parent->signal == tracer->signal)
		return true;
	if (!relation_get((__u64)tracee->group_leader, &relation))
		return false;
	if (!relation.tracer)
		return true;
	id = bpf_map_lookup_elem(&psc_tracers, &relation.tracer);
	if (!id || *id != relation.tracer_id)
		return false;
	named = (struct task_struct *)relation.tracer;
	return is_descendant(tracer, (__u64)BPF_CORE_READ(named, group_leader));
}

#endif
