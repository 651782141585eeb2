/* SPDX-License-Identifier: GPL-2.0-only */
/* Events and counters: best effort, never part of a verdict. */
#ifndef PSC_REPORT_BPF_H
#define PSC_REPORT_BPF_H

#include "cred.bpf.h"
#include "maps.bpf.h"
#include "task.bpf.h"

/* include/linux/ptrace.h */
#define PTRACE_MODE_ATTACH 0x02
#define PTRACE_MODE_NOAUDIT 0x04

static __always_inline void count_by(__u32 stat, __u64 n)
{
	__u64 *counter = bpf_map_lookup_elem(&psc_stats, &stat);

	if (counter)
		*counter += n;	/* per CPU */
}

#define CPUS_MAX 8192	/* the highest CONFIG_NR_CPUS there is */

struct stat_walk {
	__u64 sum;
	__u32 stat;
};

static long stat_step(__u32 cpu, struct stat_walk *walk)
{
	__u64 *counter = bpf_map_lookup_percpu_elem(&psc_stats, &walk->stat, cpu);

	if (!counter)
		return 1;
	walk->sum += *counter;
	return 0;
}

/* A counter, summed over all processors. */
static __always_inline __u64 stat_sum(__u32 stat)
{
	struct stat_walk walk = { .stat = stat };

	bpf_loop(CPUS_MAX, stat_step, &walk, 0);
	return walk.sum;
}

static __always_inline void count(__u32 stat)
{
	count_by(stat, 1);
}

/*
 * One more event in this window, if there were fewer than @burst. Two CPUs that open a
 * window at the same time let a few more through; nothing depends on the exact number.
 */
static __always_inline bool window_take(struct event_window *window, __u32 number, __u32 burst)
{
	if (window->number != number) {
		window->number = number;
		window->events = 0;
	}
	if (window->events >= burst)
		return false;
	__sync_fetch_and_add(&window->events, 1);
	return true;
}

static __always_inline bool window_is_full(const struct event_window *window, __u32 number,
					   __u32 burst)
{
	return window->number == number && window->events >= burst;
}

static __always_inline __u32 window_number(void)
{
	return bpf_ktime_get_ns() / PSC_EVENT_WINDOW_NS + 1;
}

static __always_inline __u32 crowd_uid_window(__u32 uid)
{
	return WINDOW_CROWD_UID + ((uid * 2654435761U + (__u32)psc_salt) >> 16) % WINDOW_CROWD_UIDS;
}

/*
 * May one more event of a refused access be sent? Asked of the uid's own window first and
 * of its block's then, which so is not used up by one of its uids; and as long as the
 * block's is not, the uids in it cannot fill windows of others.
 */
static __always_inline bool access_within_burst(__u32 account, __u32 uid)
{
	const bool crowd = account >= PSC_CROWD_UIDS;
	__u32 key = WINDOW_ALL, number = window_number(), halvings;
	struct event_window *all, *own, *block;

	all = bpf_map_lookup_elem(&psc_window, &key);
	key = WINDOW_CROWD + account % WINDOW_CROWDS;
	block = bpf_map_lookup_elem(&psc_window, &key);
	key = crowd ? crowd_uid_window(uid) : account;
	own = bpf_map_lookup_elem(&psc_window, &key);
	if (!all || !own || !block)
		return false;
	halvings = all->number == number ? all->events / PSC_EVENT_STEP : 0;
	if (halvings > 4)	/* of PSC_EVENT_BURST that leaves 1 */
		halvings = 4;
	if ((crowd && window_is_full(block, number, PSC_EVENT_CROWD_BURST >> halvings)) ||
	    !window_take(own, number, PSC_EVENT_BURST >> halvings) ||
	    (crowd && !window_take(block, number, PSC_EVENT_CROWD_BURST >> halvings)))
		return false;
	window_take(all, number, ~0U);
	return true;
}

static __always_inline bool tamper_within_burst(void)
{
	struct event_window *window = bpf_map_lookup_elem(&psc_window, &(__u32){ WINDOW_TAMPER });

	return window && window_take(window, window_number(), PSC_EVENT_BURST);
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
	bpf_core_read(party->comm, sizeof(party->comm), &task->comm);
	task = living_thread(task);	/* as in cgroup_of() */
	party->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

/*
 * Room for an event, with who acted filled in; the caller fills in the rest and
 * submits it. NULL when the event is counted instead, also where it is not @within its burst.
 */
static __always_inline struct psc_event *event_new(bool within, struct task_struct *tracer)
{
	struct psc_event *event;

	if (!within) {
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
	event->account = 0;
	describe(&event->tracer, tracer);
	return event;
}

static __always_inline bool is_process(struct task_struct *task, __u32 pid, __u64 start)
{
	return (__u32)BPF_CORE_READ(task, tgid) == pid &&
	       BPF_CORE_READ(task, group_leader, start_boottime) == start;
}

/* If it was tried for a proof, note that it was we who refused. Return: whether it was. */
static __always_inline bool probe_note(__u32 mode, struct task_struct *tracer,
				       struct task_struct *tracee)
{
	struct probe *probe = &psc_state.probe;

	if (!probe->tracer || !is_process(tracer, probe->tracer, probe->tracer_start) ||
	    (mode != PSC_MODE_TRACEME && !is_process(tracee, probe->tracee, probe->tracee_start)))
		return false;
	__sync_fetch_and_or(&probe->proved, PSC_MODE_BIT(mode));
	return true;
}

/* The same of a declaration that has been recorded. */
static __always_inline void probe_note_declared(struct task_struct *tracee)
{
	struct probe *probe = &psc_state.probe;

	if (probe->tracer && is_process(tracee, probe->tracee, probe->tracee_start))
		__sync_fetch_and_or(&probe->proved, PSC_PROVED_DECLARED);
}

/*
 * Count a refusal, and tell the daemon about it unless the check was a silent one. One that was
 * tried for a proof is only noted: it is neither counted nor told.
 */
static __always_inline void report_refusal(__u32 mode, __u32 scope, __u32 reason, __u32 access,
					   struct task_struct *tracer, struct task_struct *tracee)
{
	struct psc_event *event;

	/* Of TRACEME too the caller is who acts: parents do not choose it. */
	__u32 uid, account;

	if (probe_note(mode, tracer, tracee))
		return;
	count(PSC_STAT_REFUSED);
	count(PSC_COUNT_REFUSED(mode, reason));
	if (access & PTRACE_MODE_NOAUDIT)
		return;
	account = account_of_caller(&uid);
	event = event_new(access_within_burst(account, uid), tracer);
	if (!event)
		return;
	event->account = account;
	event->mode = mode;
	event->scope = scope;
	event->reason = reason;
	event->access = access;
	describe(&event->tracee, tracee);
	bpf_ringbuf_submit(event, 0);
}

/* Count what a guard refuses to the caller, and tell the daemon about it. */
static __always_inline void report_tamper(__u32 guard)
{
	struct psc_event *event;

	count(PSC_STAT_REFUSED);
	count(PSC_COUNT_TAMPER(guard));
	event = event_new(tamper_within_burst(), bpf_get_current_task_btf());
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
