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
static __always_inline bool within_burst(void)
{
	struct event_window *window = bpf_map_lookup_elem(&psc_window, &(__u32){ 0 });
	__u64 number = bpf_ktime_get_ns() / PSC_EVENT_WINDOW_NS + 1;

	if (!window)
		return false;
	if (window->number != number) {
		window->number = number;
		window->events = 0;
	}
	return __sync_fetch_and_add(&window->events, 1) < PSC_EVENT_BURST;
}

static __always_inline void describe(struct psc_party *party, struct task_struct *task)
{
	party->pid = task->tgid;
	party->tid = task->pid;
	party->uid = task->real_cred->uid.val;
	party->pad = 0;
	party->start_ns = task->start_boottime;
	party->cgroup = task->cgroups->dfl_cgrp->kn->id;
	bpf_core_read(party->comm, sizeof(party->comm), &task->comm);
}

/* Count a refusal, and tell the daemon about it unless the check was a silent one. */
static __always_inline void report_refusal(__u32 mode, __u32 scope, __u32 reason, __u32 access,
					   struct task_struct *tracer, struct task_struct *tracee)
{
	struct psc_event *event;

	count(PSC_STAT_REFUSED);
	if (access & PTRACE_MODE_NOAUDIT)
		return;
	if (!within_burst()) {
		count(PSC_STAT_SUPPRESSED);
		return;
	}
	event = bpf_ringbuf_reserve(&psc_events, sizeof(*event), 0);
	if (!event) {
		count(PSC_STAT_DROPPED);
		return;
	}
	event->size = sizeof(*event);
	event->mode = mode;
	event->scope = scope;
	event->reason = reason;
	event->pad = 0;
	event->access = access;
	event->pad2 = 0;
	describe(&event->tracer, tracer);
	describe(&event->tracee, tracee);
	bpf_ringbuf_submit(event, 0);
}

#endif
