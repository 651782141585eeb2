/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * The verdict and the rules of change, as pure functions: no helpers, no maps.
 * Compiled into the BPF programs and into the unit tests.
 */
#ifndef PTRACESCOPE_POLICY_H
#define PTRACESCOPE_POLICY_H

#include "ptracescope.h"

/*
 * What a verdict may depend on. The tracer is the caller, or for TRACEME the
 * parent; "its" is the tracee's. Facts cost: they are gathered when asked for.
 */
enum psc_fact {
	PSC_FACT_ALIVE = 1U << 0,	/* the tracee still has a pid */
	PSC_FACT_ANCESTOR = 1U << 1,	/* the tracer's process is an ancestor */
	PSC_FACT_EXCEPTION = 1U << 2,	/* already tracing, or declared by PR_SET_PTRACER */
	PSC_FACT_CAPABLE = 1U << 3,	/* CAP_SYS_PTRACE in its user namespace */
};
#define PSC_FACTS 4

struct psc_verdict {
	__u8 need;			/* the fact that is missing, or 0 */
	__u8 refused;			/* valid when nothing is missing */
	__u8 reason;			/* enum psc_reason, likewise */
};

/**
 * psc_judge - may the tracer have this access?
 * @mode: enum psc_mode
 * @scope: enum psc_scope in force; anything above it refuses
 * @known: the facts gathered so far, PSC_FACT_* bits
 * @holds: those of them that are true
 *
 * Follows yama_ptrace_access_check() and yama_ptrace_traceme() in the kernel's
 * security/yama/yama_lsm.c, in the order in which they look at things.
 *
 * Return: a verdict, or the one fact to gather before asking again. Every call
 * with one more known fact comes closer, so PSC_FACTS + 1 calls always suffice.
 */
static inline __attribute__((always_inline)) struct psc_verdict
psc_judge(__u32 mode, __u32 scope, __u32 known, __u32 holds)
{
#define PSC_NEED(fact) ((struct psc_verdict){ .need = (fact) })
#define PSC_ALLOW(why) ((struct psc_verdict){ .reason = (why) })
#define PSC_REFUSE(why) ((struct psc_verdict){ .refused = 1, .reason = (why) })
	if (scope == PSC_SCOPE_CLASSIC)
		return PSC_ALLOW(PSC_REASON_SCOPE_CLASSIC);
	if (scope >= PSC_SCOPE_NO_ATTACH)
		return PSC_REFUSE(PSC_REASON_NO_ATTACH);

	if (scope == PSC_SCOPE_RESTRICTED) {
		if (mode == PSC_MODE_TRACEME)
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

	if (!(known & PSC_FACT_CAPABLE))
		return PSC_NEED(PSC_FACT_CAPABLE);
	if (holds & PSC_FACT_CAPABLE)
		return PSC_ALLOW(PSC_REASON_CAPABLE);
	return PSC_REFUSE(scope == PSC_SCOPE_RESTRICTED ? PSC_REASON_UNRELATED :
							  PSC_REASON_NOT_CAPABLE);
#undef PSC_NEED
#undef PSC_ALLOW
#undef PSC_REFUSE
}

/* Is there a floor? The guards do nothing before. */
static inline __attribute__((always_inline)) int psc_policy_locked(const union psc_policy *policy)
{
	int locked = 0;

	for (__u32 mode = 0; mode < PSC_MODES; mode++)
		locked |= policy->floor[mode];
	return locked;
}

/**
 * psc_policy_change - the policy after a request
 * @policy: the policy now; changed only on success
 * @req: what psc_ctl was asked for; the caller's right to ask is not judged here
 *
 * The floor never falls and the scope is never below it. A scope of 3 raises
 * the floor to 3 unless the request is marked revocable: as with Yama, "no
 * attach" is final. Raising a floor means "at least": modes that are higher
 * already stay, and it is refused only if all of them are.
 *
 * Return: 0, -PSC_E_INVAL, -PSC_E_RANGE or -PSC_E_LOCKED.
 */
static inline __attribute__((always_inline)) int
psc_policy_change(union psc_policy *policy, const struct psc_request *req)
{
	union psc_policy next = *policy;
	int effective = 0;

	if (req->abi != PSC_ABI || req->op > PSC_OP_RAISE_FLOOR || req->dir_fd)
		return -PSC_E_INVAL;
	if (req->op == PSC_OP_INFO)
		return 0;
	if (!req->modes || (req->modes & ~PSC_MODES_ALL) || (req->flags & ~PSC_FLAG_REVOCABLE))
		return -PSC_E_INVAL;
	if (req->op != PSC_OP_SET && req->flags)
		return -PSC_E_INVAL;
	if (req->value > PSC_SCOPE_MAX)
		return -PSC_E_RANGE;

	for (__u32 mode = 0; mode < PSC_MODES; mode++) {
		if (!(req->modes & PSC_MODE_BIT(mode)))
			continue;
		if (req->op == PSC_OP_SET) {
			if (req->value < next.floor[mode])
				return -PSC_E_LOCKED;
			next.scope[mode] = req->value;
			if (req->value == PSC_SCOPE_NO_ATTACH &&
			    !(req->flags & PSC_FLAG_REVOCABLE))
				next.floor[mode] = req->value;
		} else {
			if (req->value >= next.floor[mode]) {
				next.floor[mode] = req->value;
				effective = 1;
			}
			if (req->value > next.scope[mode])
				next.scope[mode] = req->value;
		}
	}
	/* A floor below every present one would be a wish to lower. */
	if (req->op == PSC_OP_RAISE_FLOOR && !effective)
		return -PSC_E_LOCKED;
	*policy = next;
	return 0;
}

#endif
