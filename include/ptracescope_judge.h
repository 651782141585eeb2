/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/* The verdict: what it depends on, and the one function that judges. A pure function, as well. */
#ifndef PTRACESCOPE_JUDGE_H
#define PTRACESCOPE_JUDGE_H

#include "ptracescope.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

/* Loops around calls may be laid out in a way that the verifier of 6.1 refuses. */
#ifdef __bpf__
#define PSC_UNROLL _Pragma("unroll")
#else
#define PSC_UNROLL
#endif

/*
 * How strict a scope is: the words' order, which is not that of their numbers since
 * "siblings" came. A value that is not a scope counts as the strictest.
 */
static inline __attribute__((always_inline)) __u32 psc_scope_rank(__u32 scope)
{
	/* A digit for each, and no branches, which would multiply the ways of the verifier. */
	const __u32 ranks = 0 << 4 * PSC_SCOPE_CLASSIC | 1 << 4 * PSC_SCOPE_SIBLINGS |
			    2 << 4 * PSC_SCOPE_RESTRICTED | 3 << 4 * PSC_SCOPE_ADMIN_ONLY |
			    4 << 4 * PSC_SCOPE_NO_ATTACH;

	return scope <= PSC_SCOPE_SIBLINGS ? ranks >> 4 * scope & 0xf : 4;
}

/* The scope of an access is the stricter one of its two sides. */
static inline __attribute__((always_inline)) __u32 psc_scope_stricter(__u32 a, __u32 b)
{
	return psc_scope_rank(a) < psc_scope_rank(b) ? b : a;
}

/*
 * What a verdict may depend on. The tracer is the caller, or for TRACEME the parent. Facts are
 * gathered only when the verdict needs them, as they cost. A row is the name, the word in JSON,
 * and what is true; bpf/judge.bpf.h and bpf/verdict.bpf.h find it out.
 */
#define PSC_FACT_TABLE(FACT) \
	FACT(INSIDE, "inside")		/* the tracer is in the tracee's container */ \
	FACT(CAPABLE_INITIAL, "admin")	/* CAP_SYS_PTRACE in the initial user namespace */ \
	FACT(ALIVE, "alive")		/* the tracee still has a pid */ \
	FACT(ANCESTOR, "ancestor")	/* the tracer's process is an ancestor */ \
	FACT(EXCEPTION, "exception")	/* already tracing, or declared by PR_SET_PTRACER */ \
	FACT(SIBLING, "sibling")	/* the same cgroup gives both the scope "siblings" */ \
	FACT(TRACING, "tracing")	/* the tracer's process traces the tracee already */ \
	FACT(CAPABLE_TRACEE, "capable")	/* CAP_SYS_PTRACE in the tracee's user namespace */

enum psc_fact_index {
#define PSC_FACT_INDEX(id, word) PSC_FACT_INDEX_##id,
	PSC_FACT_TABLE(PSC_FACT_INDEX)
#undef PSC_FACT_INDEX
	PSC_FACTS
};

enum psc_fact {
#define PSC_FACT_BIT(id, word) PSC_FACT_##id = 1U << PSC_FACT_INDEX_##id,
	PSC_FACT_TABLE(PSC_FACT_BIT)
#undef PSC_FACT_BIT
};

struct psc_question {
	__u32 mode;			/* enum psc_mode */
	__u32 scope;			/* enum psc_scope in force; what is none refuses */
	__u32 traceme;			/* that for TRACEME */
	__u32 boundary;			/* is the tracee's container a boundary? */
};

struct psc_verdict {
	__u8 need;			/* the fact that is missing, or 0 */
	__u8 refused;			/* valid when nothing is missing */
	__u8 reason;			/* enum psc_reason; valid when nothing is missing */
};

#define PSC_NEED(fact) ((struct psc_verdict){ .need = (fact) })
#define PSC_ALLOW(why) ((struct psc_verdict){ .reason = (why) })
#define PSC_REFUSE(why) ((struct psc_verdict){ .refused = 1, .reason = (why) })

/**
 * psc_judge - may the tracer have this access?
 * @q: what is asked
 * @known: the facts gathered so far, PSC_FACT_* bits
 * @holds: those of them that are true
 *
 * Follows yama_ptrace_access_check() and yama_ptrace_traceme() in the kernel's
 * security/yama/yama_lsm.c, in the order in which they look at things. Yama has one scope
 * for ATTACH and TRACEME. Where TRACEME is free and ATTACH is for administrators, who traces
 * already passes as well: a debugger is of no use that may start a program and not read it.
 *
 * Return: a verdict, or the one fact to gather before asking again. Every call
 * with one more known fact comes closer, so PSC_FACTS + 1 calls always suffice.
 */
static inline __attribute__((always_inline)) struct psc_verdict
psc_judge(const struct psc_question *q, __u32 known, __u32 holds)
{
	if (q->scope >= PSC_SCOPE_NO_ATTACH && q->scope != PSC_SCOPE_SIBLINGS)
		return PSC_REFUSE(PSC_REASON_NO_ATTACH);

	if (q->boundary && q->mode == PSC_MODE_ATTACH) {
		if (!(known & PSC_FACT_INSIDE))
			return PSC_NEED(PSC_FACT_INSIDE);
		if (!(holds & PSC_FACT_INSIDE)) {
			if (!(known & PSC_FACT_CAPABLE_INITIAL))
				return PSC_NEED(PSC_FACT_CAPABLE_INITIAL);
			if (!(holds & PSC_FACT_CAPABLE_INITIAL))
				return PSC_REFUSE(PSC_REASON_BOUNDARY);
		}
	}

	if (q->scope == PSC_SCOPE_CLASSIC)
		return PSC_ALLOW(PSC_REASON_SCOPE_CLASSIC);

	if (q->scope == PSC_SCOPE_RESTRICTED || q->scope == PSC_SCOPE_SIBLINGS) {
		if (q->mode == PSC_MODE_TRACEME)
			return PSC_ALLOW(PSC_REASON_TRACEME_FREE);
		if (!(known & PSC_FACT_ALIVE))
			return PSC_NEED(PSC_FACT_ALIVE);
		if (!(holds & PSC_FACT_ALIVE))
			return PSC_REFUSE(PSC_REASON_DEAD);
		if (!(known & PSC_FACT_ANCESTOR))
			return PSC_NEED(PSC_FACT_ANCESTOR);
		if (holds & PSC_FACT_ANCESTOR)
			return PSC_ALLOW(PSC_REASON_ANCESTOR);
		if (!(known & PSC_FACT_EXCEPTION))
			return PSC_NEED(PSC_FACT_EXCEPTION);
		if (holds & PSC_FACT_EXCEPTION)
			return PSC_ALLOW(PSC_REASON_EXCEPTION);
	}
	if (q->scope == PSC_SCOPE_SIBLINGS) {
		if (!(known & PSC_FACT_SIBLING))
			return PSC_NEED(PSC_FACT_SIBLING);
		if (holds & PSC_FACT_SIBLING)
			return PSC_ALLOW(PSC_REASON_SIBLING);
	}

	if (q->scope == PSC_SCOPE_ADMIN_ONLY && q->mode == PSC_MODE_ATTACH &&
	    psc_scope_rank(q->traceme) < psc_scope_rank(PSC_SCOPE_ADMIN_ONLY)) {
		if (!(known & PSC_FACT_TRACING))
			return PSC_NEED(PSC_FACT_TRACING);
		if (holds & PSC_FACT_TRACING)
			return PSC_ALLOW(PSC_REASON_EXCEPTION);
	}

	if (!(known & PSC_FACT_CAPABLE_TRACEE))
		return PSC_NEED(PSC_FACT_CAPABLE_TRACEE);
	if (holds & PSC_FACT_CAPABLE_TRACEE)
		return PSC_ALLOW(PSC_REASON_CAPABLE);
	return PSC_REFUSE(q->scope == PSC_SCOPE_ADMIN_ONLY ? PSC_REASON_NOT_CAPABLE :
							     PSC_REASON_UNRELATED);
}

#undef PSC_NEED
#undef PSC_ALLOW
#undef PSC_REFUSE

#endif
