/* SPDX-License-Identifier: GPL-2.0-only */
/* From the hooks to the verdict: the facts, and one judgement. */
#ifndef PSC_VERDICT_BPF_H
#define PSC_VERDICT_BPF_H

#include "judge.bpf.h"
#include "relation.bpf.h"
#include "report.bpf.h"

/* Does the tracee live, and is its process a child of the caller's? */
static __always_inline bool is_child(struct task_struct *self, struct task_struct *tracee)
{
	return tracee->thread_pid &&
	       tracee->group_leader->real_parent->group_leader == self->group_leader;
}

/* Is @fact true of the caller's access to the tracee? */
static __always_inline bool access_fact(__u32 fact, struct task_struct *self,
					struct task_struct *tracee,
					const struct cgroup_facts *cgroups)
{
	switch (fact) {
	case PSC_FACT_ANCESTOR:
		return is_descendant(tracee, (__u64)BPF_CORE_READ(self, group_leader));
	case PSC_FACT_EXCEPTION:
		return has_exception(self, tracee);
	case PSC_FACT_TRACING:
		return is_tracing(self, tracee);
	}
	return access_fact_plain(fact, self, tracee, cgroups);
}

static __always_inline __u32 mode_of(unsigned int access)
{
	return access & PTRACE_MODE_ATTACH ? PSC_MODE_ATTACH : PSC_MODE_READ;
}

static __always_inline bool is_allowed(struct psc_verdict verdict)
{
	return !verdict.need && !verdict.refused;
}

/*
 * psc_access in three steps, each of which is not even entered, with the registers
 * it saves and the stack it wants, by those that the one before can answer.
 */
LOCAL int access_judge(struct task_struct *self, struct task_struct *tracee,
				   __u32 access, __u32 mode)
{
	struct inquiry inquiry = { .question.mode = mode };

	cgroup_facts_read(&inquiry.question, &inquiry.cgroups, self, tracee);
	judge(&inquiry);
	/* They are asked for in their order: once through, and each is there once only. */
#pragma unroll
	for (int i = 0; i < PSC_FACTS; i++) {
		const __u32 fact = 1U << i;

		if (inquiry.verdict.need != fact)
			continue;
		inquiry.known |= fact;
		if (access_fact(fact, self, tracee, &inquiry.cgroups))
			inquiry.holds |= fact;
		judge(&inquiry);
	}
	if (is_allowed(inquiry.verdict))
		return 0;
	report_refusal(mode, inquiry.question.scope, inquiry.verdict.reason, access, self, tracee);
	return -EPERM;
}

/* The most frequent of the checks that need facts: a debugger's or a tracer's own child. */
LOCAL int access_ask(unsigned long long *ctx)
{
	struct task_struct *tracee = (void *)ctx[0];
	__u32 access = ctx[1];
	const __u32 child = PSC_FACT_ALIVE | PSC_FACT_ANCESTOR;
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_question question = { .mode = mode_of(access) };

	if (!cgroups_matter() && is_child(self, tracee)) {
		question_globally(&question);
		if (is_allowed(psc_judge(&question, child, child)))
			return 0;
	}
	return access_judge(self, tracee, access, question.mode);
}

static __always_inline int access_check(unsigned long long *ctx, unsigned int access)
{
	union psc_policy policy = policy_read(&psc_state.policy);

	/* In this order: modes that no cgroup uses now were not used when the policy was read. */
	policy.word |= policy_read(&psc_state.modes_used).word;
	if (psc_policy_open(&policy, mode_of(access)))
		return 0;
	return access_ask(ctx);
}

static __always_inline int traceme_check(struct task_struct *parent)
{
	struct psc_question question = { .mode = PSC_MODE_TRACEME };
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_verdict verdict;
	struct cgroup_facts cgroups = {};

	cgroup_facts_read(&question, &cgroups, parent, self);
	verdict = psc_judge(&question, 0, 0);
	if (verdict.need)
		verdict = psc_judge(&question, PSC_FACT_CAPABLE_TRACEE,
				    traceme_capable(parent, self) ? PSC_FACT_CAPABLE_TRACEE : 0);
	if (!verdict.need && !verdict.refused)
		return 0;
	report_refusal(PSC_MODE_TRACEME, question.scope, verdict.reason, 0, parent, self);
	return -EPERM;
}

#endif
