/* SPDX-License-Identifier: GPL-2.0-only */
/* Events and counters: best effort, never part of a verdict. */
#ifndef PSC_REPORT_BPF_H
#define PSC_REPORT_BPF_H

#include "maps.bpf.h"

static __always_inline void count(__u32 stat)
{
	__u64 *counter = bpf_map_lookup_elem(&psc_stats, &stat);

	if (counter)
		(*counter)++;	/* per CPU */
}

/*
 * May one more event be sent in this window? Two CPUs that open a window at the
 * same time let a few more through; nothing depends on the exact number.
 */
static __always_inline bool within_burst(__u32 kind)
{
	struct event_window *window = bpf_map_lookup_elem(&psc_window, &kind);
	__u64 number = bpf_ktime_get_ns() / PSC_EVENT_WINDOW_NS + 1;

	if (!window)
		return false;
	if (window->number != number) {
		window->number = number;
		window->events = 0;
	}
	return __sync_fetch_and_add(&window->events, 1) < PSC_EVENT_BURST;
}

/*
 * Read as plain memory: for every field that is read by its type, the verifier searches
 * all of the kernel's types, and that is what loading these programs takes.
 */
static __always_inline void describe(struct psc_party *party, struct task_struct *task)
{
	struct cred *cred = (struct cred *)BPF_CORE_READ(task, real_cred);

	party->pid = BPF_CORE_READ(task, tgid);
	party->tid = BPF_CORE_READ(task, pid);
	party->uid = BPF_CORE_READ(cred, uid.val);
	party->pad = 0;
	party->start_ns = BPF_CORE_READ(task, start_boottime);
	party->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_core_read(party->comm, sizeof(party->comm), &task->comm);
}

/*
 * Room for an event, with who acted filled in; the caller fills in the rest and
 * submits it. NULL when the event is counted instead.
 */
static __always_inline struct psc_event *event_new(__u32 kind, struct task_struct *tracer)
{
	struct psc_event *event;

	if (!within_burst(kind)) {
		count(PSC_STAT_SUPPRESSED);
		return NULL;
	}
	event = bpf_ringbuf_reserve(&psc_events, sizeof(*event), 0);
	if (!event) {
		count(PSC_STAT_DROPPED);
		return NULL;
	}
	event->size = sizeof(*event);
	event->pad = 0;
	event->pad2 = 0;
	describe(&event->tracer, tracer);
	return event;
}

/* Count a refusal, and tell the daemon about it unless the check was a silent one. */
static __always_inline void report_refusal(__u32 mode, __u32 scope, __u32 reason, __u32 access,
					   struct task_struct *tracer, struct task_struct *tracee)
{
	struct psc_event *event;

	count(PSC_STAT_REFUSED);
	if (access & PTRACE_MODE_NOAUDIT)
		return;
	event = event_new(EVENT_ACCESS, tracer);
	if (!event)
		return;
	event->mode = mode;
	event->scope = scope;
	event->reason = reason;
	event->access = access;
	describe(&event->tracee, tracee);
	bpf_ringbuf_submit(event, 0);
}

/*
 * Tell the daemon of a new cgroup. Many users may make some, so half of the buffer is
 * left to other events.
 */
static __always_inline void report_cgroup(__u64 id, const char *path)
{
	struct psc_cgroup_event *event = NULL;

	if (bpf_ringbuf_query(&psc_events, BPF_RB_AVAIL_DATA) < PSC_EVENT_RING_BYTES / 2)
		event = bpf_ringbuf_reserve(&psc_events, sizeof(*event), 0);
	if (!event) {
		count(PSC_STAT_MISSED);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->mode = PSC_EVENT_CGROUP;
	event->cgroup = id;
	bpf_probe_read_kernel_str(event->path, sizeof(event->path), path);
	bpf_ringbuf_submit(event, 0);
}

/* Count what a guard refuses to the caller, and tell the daemon about it. */
static __always_inline void report_tamper(__u32 guard)
{
	struct psc_event *event;

	count(PSC_STAT_REFUSED);
	event = event_new(EVENT_TAMPER, bpf_get_current_task_btf());
	if (!event)
		return;
	event->mode = PSC_EVENT_TAMPER;
	event->scope = 0;
	event->reason = guard;
	event->access = 0;
	__builtin_memset(&event->tracee, 0, sizeof(event->tracee));
	bpf_ringbuf_submit(event, 0);
}

#endif
