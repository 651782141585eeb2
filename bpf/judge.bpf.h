/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts and the verdict: what the hooks and psc_explain have in common. */
#ifndef PSC_JUDGE_BPF_H
#define PSC_JUDGE_BPF_H

#include "cred.bpf.h"
#include "cgroup_facts.bpf.h"

/* What is known of a check so far. */
struct inquiry {
	struct psc_question question;
	struct cgroup_facts cgroups;
	__u8 known, holds;	/* enum psc_fact; small, as the stack is */
	struct psc_verdict verdict;
};
_Static_assert(1U << (PSC_FACTS - 1) <= 0xff, "a byte has a bit for each fact");

WORDS(inquiry);

/*
 * For the caller, what is in the inquiry can be anything afterwards. So the verifier goes
 * once through the gathering of each fact, not once for every way that leads there.
 */
GLOBAL int judge_words(inquiry_words *words)
{
	struct inquiry *inquiry = (struct inquiry *)words;

	if (inquiry)
		inquiry->verdict = psc_judge(&inquiry->question, inquiry->known, inquiry->holds);
	return 0;
}

static __always_inline void judge(struct inquiry *inquiry)
{
	judge_words((inquiry_words *)inquiry);
}

/*
 * Is @fact true of the access? Those that need no walk over tasks; for the others there are
 * two ways to read a task, by its type and as plain memory.
 */
static __always_inline bool access_fact_plain(__u32 fact, struct task_struct *tracer,
					      struct task_struct *tracee,
					      const struct cgroup_facts *cgroups)
{
	/* No default: the compiler tells which fact is found nowhere. */
	switch ((enum psc_fact)fact) {
	case PSC_FACT_INSIDE:
		return shares_container(cgroups, tracer, tracee);
	case PSC_FACT_CAPABLE_INITIAL:
		return capable_initially(BPF_CORE_READ(tracer, cred));
	case PSC_FACT_ALIVE:	/* pid_alive() */
		return BPF_CORE_READ(tracee, thread_pid) != NULL;
	case PSC_FACT_SIBLING:
		return cgroups->siblings;
	case PSC_FACT_CAPABLE_TRACEE:
		/* As ns_capable(__task_cred(tracee)->user_ns) asks: what the
		 * tracer acts with, in the namespace the tracee belongs to. */
		return capable_in(BPF_CORE_READ(tracer, cred),
				  BPF_CORE_READ(tracee, real_cred, user_ns));
	case PSC_FACT_ANCESTOR:
	case PSC_FACT_EXCEPTION:
	case PSC_FACT_TRACING:
		break;
	}
	return false;
}

/*
 * has_ns_capability(parent, current_user_ns()): what the parent is, not what it acts with, in
 * the namespace the tracee acts in.
 */
static __always_inline bool traceme_capable(struct task_struct *parent,
					    struct task_struct *tracee)
{
	return capable_in(BPF_CORE_READ(parent, real_cred), BPF_CORE_READ(tracee, cred, user_ns));
}

#endif
