/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What decides an access, for people: the facts that the hooks gather, by the same functions,
 * and what the kernel's own part of the check goes by. Nothing is changed by it.
 *
 * The hooks have typed pointers to both tasks, this has addresses. So the two walks over
 * tasks are here once more, read as plain memory.
 */
#ifndef PSC_EXPLAIN_BPF_H
#define PSC_EXPLAIN_BPF_H

#include "find.bpf.h"
#include "ftrace.bpf.h"
#include "judge.bpf.h"
#include "ptracescope_explain.h"
#include "relation.bpf.h"
#include "report.bpf.h"

#define PF_KTHREAD 0x00200000		/* include/linux/sched.h */
#define PFA_NO_NEW_PRIVS 1
#define EXIT_ENDED 0x30		/* EXIT_DEAD, EXIT_ZOMBIE */

WORDS(psc_explain_side);

static __always_inline __u32 side_is(struct task_struct *task)
{
	__u32 flags = BPF_CORE_READ(task, flags), is = 0;

	if (flags & PF_KTHREAD)
		is |= PSC_SIDE_KTHREAD;
	if (flags & PF_EXITING)
		is |= PSC_SIDE_EXITING;
	if (BPF_CORE_READ(task, exit_state) & EXIT_ENDED)
		is |= PSC_SIDE_DEAD;
	if (bpf_core_field_exists(task->seccomp.mode) && BPF_CORE_READ(task, seccomp.mode))
		is |= PSC_SIDE_FILTERED;
	if (BPF_CORE_READ(task, atomic_flags) & PFA_NO_NEW_PRIVS)
		is |= PSC_SIDE_NO_NEW_PRIVS;
	return is;
}

/* @cred: address of the credentials that count */
GLOBAL int side_words(psc_explain_side_words *words, __u64 address, __u64 cred_address)
{
	struct psc_explain_side *side = (struct psc_explain_side *)words;
	struct task_struct *task = (struct task_struct *)address;
	struct cred *cred = (struct cred *)cred_address;
	__u64 permitted, effective;

	if (!side)
		return -PSC_E_INVAL;
	side->pid = BPF_CORE_READ(task, tgid);
	side->tid = BPF_CORE_READ(task, pid);
	side->start_ns = BPF_CORE_READ(task, start_boottime);
	bpf_core_read(side->comm, sizeof(side->comm), &task->comm);
	side->uid = BPF_CORE_READ(cred, uid.val);
	side->euid = BPF_CORE_READ(cred, euid.val);
	side->suid = BPF_CORE_READ(cred, suid.val);
	side->fsuid = BPF_CORE_READ(cred, fsuid.val);
	side->gid = BPF_CORE_READ(cred, gid.val);
	side->egid = BPF_CORE_READ(cred, egid.val);
	side->sgid = BPF_CORE_READ(cred, sgid.val);
	side->fsgid = BPF_CORE_READ(cred, fsgid.val);
	cred_caps(cred, &permitted, &effective);
	side->cap_permitted = permitted;
	side->cap_effective = effective;
	side->user_ns = BPF_CORE_READ(cred, user_ns, ns.inum);
	side->ns_level = BPF_CORE_READ(cred, user_ns, level);
	side->ns_owner = BPF_CORE_READ(cred, user_ns, owner.val);
	side->is = side_is(task);
	side->cgroup = BPF_CORE_READ(cgroup_of(task), kn, id);
	effective_of_task(task, &side->effective, NULL);
	return 0;
}

static __always_inline void side_tell(struct psc_explain_side *side, struct task_struct *task,
				      const struct cred *cred)
{
	side_words((psc_explain_side_words *)side, (__u64)task, (__u64)cred);
}

static long plain_ancestor_step(__u32 i, struct ancestor_walk *walk)
{
	struct task_struct *leader = walk->leader;

	if ((__u64)leader == walk->ancestor) {
		walk->found = true;
		return 1;
	}
	leader = BPF_CORE_READ(leader, real_parent, group_leader);
	walk->leader = leader;
	return BPF_CORE_READ(leader, pid) == 0;
}

/* is_descendant() */
LOCAL bool is_descendant_plain(struct task_struct *task, __u64 ancestor)
{
	struct ancestor_walk walk = {
		.leader = BPF_CORE_READ(task, group_leader), .ancestor = ancestor,
	};

	bpf_loop(ANCESTORS_MAX, plain_ancestor_step, &walk, 0);
	return walk.found;
}

/* is_tracing() */
static __always_inline bool is_tracing_plain(struct task_struct *tracer,
					     struct task_struct *tracee)
{
	return BPF_CORE_READ(tracee, ptrace) &&
	       BPF_CORE_READ(tracee, parent, signal) == BPF_CORE_READ(tracer, signal);
}

/* What the tracee has declared; has_exception(), with what it rests on. */
static __always_inline bool exception_tell(struct psc_explanation *ret,
					   struct task_struct *tracer, struct task_struct *tracee)
{
	__u64 leader = 0;

	ret->declared = declared_of(BPF_CORE_READ(tracee, group_leader), &leader);
	if (ret->declared == PSC_DECLARED_TASK)
		ret->declared_pid = BPF_CORE_READ((struct task_struct *)leader, tgid);
	return is_tracing_plain(tracer, tracee) || ret->declared == PSC_DECLARED_ANYONE ||
	       (ret->declared == PSC_DECLARED_TASK && is_descendant_plain(tracer, leader));
}

static __always_inline void hold(struct inquiry *inquiry, __u32 fact, bool holds)
{
	inquiry->known |= fact;
	if (holds)
		inquiry->holds |= fact;
}

/* Is @fact true of the access? As access_fact(), without typed pointers to the tasks. */
static __always_inline bool access_fact_tell(__u32 fact, struct psc_explanation *ret,
					     const struct inquiry *inquiry,
					     struct task_struct *tracer, struct task_struct *tracee)
{
	/* No default: the compiler tells which fact is missing. */
	switch ((enum psc_fact)fact) {
	case PSC_FACT_INSIDE:
	case PSC_FACT_CAPABLE_INITIAL:
	case PSC_FACT_ALIVE:
	case PSC_FACT_SIBLING:
	case PSC_FACT_CAPABLE_TRACEE:
		return access_fact_plain(fact, tracer, tracee, &inquiry->cgroups);
	case PSC_FACT_ANCESTOR:
		return is_descendant_plain(tracee,
					   (__u64)BPF_CORE_READ(tracer, group_leader));
	case PSC_FACT_EXCEPTION:
		return exception_tell(ret, tracer, tracee);
	case PSC_FACT_TRACING:
		return is_tracing_plain(tracer, tracee);
	}
	return false;
}

/* All that an access may be judged by, whether the verdict needs it or not. */
static __always_inline void facts_tell(struct psc_explanation *ret, struct inquiry *inquiry,
				       struct task_struct *tracer, struct task_struct *tracee)
{
	if (inquiry->question.mode == PSC_MODE_TRACEME) {
		hold(inquiry, PSC_FACT_CAPABLE_TRACEE, traceme_capable(tracer, tracee));
		return;
	}
#pragma unroll
	for (int i = 0; i < PSC_FACTS; i++)
		hold(inquiry, 1U << i, access_fact_tell(1U << i, ret, inquiry, tracer, tracee));
}

static __always_inline void verdict_tell(struct psc_explanation *ret, __u32 mode,
					 struct task_struct *tracer, struct task_struct *tracee)
{
	struct inquiry inquiry = { .question.mode = mode };

	cgroup_facts_read(&inquiry.question, &inquiry.cgroups, tracer, tracee);
	ret->container = inquiry.cgroups.container;
	ret->carried = inquiry.cgroups.carried;
	facts_tell(ret, &inquiry, tracer, tracee);
	judge(&inquiry);
	ret->question = inquiry.question;
	ret->known = inquiry.known;
	ret->holds = inquiry.holds;
	ret->refused = inquiry.verdict.need || inquiry.verdict.refused;
	ret->reason = inquiry.verdict.need ? PSC_REASON_UNDECIDED : inquiry.verdict.reason;
}

/* What the kernel asks besides, before it asks any module: __ptrace_may_access(), ptrace_attach(). */
static __always_inline void kernel_tell(struct psc_explanation *ret, struct task_struct *tracer,
					struct task_struct *tracee)
{
	const struct cred *cred = BPF_CORE_READ(tracer, cred);
	__u64 ns = 0;

	ret->same_process = BPF_CORE_READ(tracer, signal) == BPF_CORE_READ(tracee, signal);
	ret->capable = !!(ret->holds & PSC_FACT_CAPABLE_TRACEE);
	ret->dumpable = dumpable_of(tracee, &ns);
	ret->dump_capable = ns ? capable_in(cred, (struct user_namespace *)ns) :
				 capable_initially(cred);
	ret->parent = BPF_CORE_READ(tracee, parent, tgid);
	ret->traced_by = BPF_CORE_READ(tracee, ptrace) ? ret->parent : 0;
	ret->global = policy_read(&psc_state.policy);
	ret->floors_for_all = policy_read(&psc_state.floors_for_all);
}

/* By whom pids are counted; NULL when he is not there. */
static __always_inline struct task_struct *viewer_of(const struct psc_explain_request *req)
{
	/* An address and no typed pointer, which global functions do not take. */
	struct task_struct *self = BPF_CORE_READ(bpf_get_current_task_btf(), group_leader);

	return req->viewer ? task_seen_by(self, req->viewer) : self;
}

static __always_inline int explain(const struct psc_explain_request *req,
				   struct psc_explanation *ret)
{
	struct task_struct *viewer = viewer_of(req), *tracer, *tracee;
	const __u32 mode = req->mode;

	if (mode >= PSC_MODES)
		return -PSC_E_INVAL;
	if (!viewer)
		return -PSC_E_SRCH;
	tracee = task_seen_by(viewer, req->tracee);
	if (!tracee)
		return -PSC_E_SRCH;
	if (req->tracer)
		tracer = task_seen_by(viewer, req->tracer);
	else if (mode == PSC_MODE_TRACEME)
		tracer = BPF_CORE_READ(tracee, parent);
	else
		tracer = viewer;
	if (!tracer)
		return -PSC_E_SRCH;
	if (is_long(tracer) || is_long(tracee))
		return -PSC_E_2BIG;
	/* The start tells, with the pid, whether these are the same next time. */
	ret->declared_pid = 0;
	ret->declared = PSC_DECLARED_NONE;
	side_tell(&ret->tracer, tracer, mode == PSC_MODE_TRACEME ?
		  BPF_CORE_READ(tracer, real_cred) : BPF_CORE_READ(tracer, cred));
	side_tell(&ret->tracee, tracee, mode == PSC_MODE_TRACEME ?
		  BPF_CORE_READ(tracee, cred) : BPF_CORE_READ(tracee, real_cred));
	verdict_tell(ret, mode, tracer, tracee);
	kernel_tell(ret, tracer, tracee);
	return 0;
}

struct names_walk {
	__u64 cgroup;
	__u32 level, to;
	__u32 n;
};

static long names_step(__u32 i, struct names_walk *walk)
{
	struct psc_found *found = bpf_map_lookup_elem(&psc_found, &(__u32){ 0 });
	struct psc_found_cgroup *one;
	struct cgroup *ancestor;

	if (!found || walk->level > walk->to || walk->n >= PSC_FOUND_MAX)
		return 1;
	ancestor = ancestor_at(walk->cgroup, walk->level);
	one = &found->cgroups[walk->n & (PSC_FOUND_MAX - 1)];
	one->id = BPF_CORE_READ(ancestor, kn, id);
	bpf_probe_read_kernel_str(one->name, sizeof(one->name), BPF_CORE_READ(ancestor, kn, name));
	walk->level++;
	walk->n++;
	return 0;
}

/* From a level on, the names of the cgroups on the tracee's path. */
static __always_inline int names_tell(struct psc_explain_request *req)
{
	struct task_struct *tracee = task_seen_by(viewer_of(req), req->tracee);
	struct cgroup *cgroup = tracee ? cgroup_of(tracee) : NULL;
	struct names_walk walk = { .cgroup = (__u64)cgroup, .level = req->level, .n = req->n };

	if (!cgroup)
		return -PSC_E_SRCH;
	walk.to = BPF_CORE_READ(cgroup, level);
	bpf_loop(PSC_FOUND_MAX, names_step, &walk, 0);
	req->n = walk.n;
	return 0;
}

static long counts_step(__u32 i, void *data)
{
	struct psc_found *found = bpf_map_lookup_elem(&psc_found, &(__u32){ 0 });

	if (!found || i >= PSC_COUNTS)
		return 1;
	((struct psc_counts *)found)->n[i] = stat_sum(i);
	return 0;
}

/* Return: 0, or -PSC_E_OPNOTSUPP where psc_stats is that of an older version, and too small. */
static __always_inline int counts_tell(void)
{
	__u32 last = PSC_COUNTS - 1;

	if (!bpf_map_lookup_elem(&psc_stats, &last))
		return -PSC_E_OPNOTSUPP;
	bpf_loop(PSC_COUNTS, counts_step, NULL, 0);
	return 0;
}

static __always_inline int explain_request(struct psc_explain_request *req)
{
	struct psc_found *found = bpf_map_lookup_elem(&psc_found, &(__u32){ 0 });

	if (req->abi != PSC_ABI || !found)
		return -PSC_E_INVAL;
	if (req->op == PSC_EXPLAIN_PATH)
		return names_tell(req);
	if (req->op == PSC_EXPLAIN_COUNTS)
		return counts_tell();
	if (req->op == PSC_EXPLAIN_FTRACE)
		return ftrace_value(req->tracee, &req->n);
	return req->op == PSC_EXPLAIN_ACCESS ?
		explain(req, (struct psc_explanation *)found) : -PSC_E_INVAL;
}

#endif
