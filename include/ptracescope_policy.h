/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * The verdict and the rules of change, as pure functions: no helpers, no maps.
 * Compiled into the BPF programs and into the unit tests.
 */
#ifndef PTRACESCOPE_POLICY_H
#define PTRACESCOPE_POLICY_H

#include "ptracescope.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

/*
 * How strict a scope is: the words' order, which is not that of their numbers since
 * "siblings" came. What is no scope is as strict as the strictest.
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
 * What a verdict may depend on. The tracer is the caller, or for TRACEME the
 * parent; "its" is the tracee's. Facts cost: they are gathered when asked for.
 */
enum psc_fact {
	PSC_FACT_INSIDE = 1U << 0,	/* the tracer is in the tracee's container */
	PSC_FACT_ADMIN = 1U << 1,	/* CAP_SYS_PTRACE in the initial user namespace */
	PSC_FACT_ALIVE = 1U << 2,	/* the tracee still has a pid */
	PSC_FACT_ANCESTOR = 1U << 3,	/* the tracer's process is an ancestor */
	PSC_FACT_EXCEPTION = 1U << 4,	/* already tracing, or declared by PR_SET_PTRACER */
	PSC_FACT_SIBLING = 1U << 5,	/* the same cgroup gives both the scope "siblings" */
	PSC_FACT_CAPABLE = 1U << 6,	/* CAP_SYS_PTRACE in its user namespace */
};
#define PSC_FACTS 7

struct psc_question {
	__u32 mode;			/* enum psc_mode */
	__u32 scope;			/* enum psc_scope in force; what is none refuses */
	__u32 boundary;			/* is the tracee's container a boundary? */
};

struct psc_verdict {
	__u8 need;			/* the fact that is missing, or 0 */
	__u8 refused;			/* valid when nothing is missing */
	__u8 reason;			/* enum psc_reason, likewise */
};

/**
 * psc_judge - may the tracer have this access?
 * @q: what is asked
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
psc_judge(const struct psc_question *q, __u32 known, __u32 holds)
{
#define PSC_NEED(fact) ((struct psc_verdict){ .need = (fact) })
#define PSC_ALLOW(why) ((struct psc_verdict){ .reason = (why) })
#define PSC_REFUSE(why) ((struct psc_verdict){ .refused = 1, .reason = (why) })
	if (q->scope >= PSC_SCOPE_NO_ATTACH && q->scope != PSC_SCOPE_SIBLINGS)
		return PSC_REFUSE(PSC_REASON_NO_ATTACH);

	if (q->boundary && q->mode == PSC_MODE_ATTACH) {
		if (!(known & PSC_FACT_INSIDE))
			return PSC_NEED(PSC_FACT_INSIDE);
		if (!(holds & PSC_FACT_INSIDE)) {
			if (!(known & PSC_FACT_ADMIN))
				return PSC_NEED(PSC_FACT_ADMIN);
			if (!(holds & PSC_FACT_ADMIN))
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

	if (!(known & PSC_FACT_CAPABLE))
		return PSC_NEED(PSC_FACT_CAPABLE);
	if (holds & PSC_FACT_CAPABLE)
		return PSC_ALLOW(PSC_REASON_CAPABLE);
	return PSC_REFUSE(q->scope == PSC_SCOPE_ADMIN_ONLY ? PSC_REASON_NOT_CAPABLE :
							     PSC_REASON_UNRELATED);
#undef PSC_NEED
#undef PSC_ALLOW
#undef PSC_REFUSE
}

/**
 * psc_policy_open - does a policy leave this access to everybody?
 * @policy: the global one, where there is no other; as one word
 * @mode: PSC_MODE_ATTACH or PSC_MODE_READ
 *
 * Where psc_judge() would allow it for PSC_REASON_SCOPE_CLASSIC without asking for a
 * fact, told in a few instructions: most checks there are end here.
 */
static inline __attribute__((always_inline)) int
psc_policy_open(const union psc_policy *policy, __u32 mode)
{
	const union psc_policy attach = {
		.scope = { [PSC_MODE_ATTACH] = 0xff, [PSC_MODE_BOUNDARY] = 0xff },
	};
	const union psc_policy read = { .scope = { [PSC_MODE_READ] = 0xff } };

	return !(policy->word & (mode == PSC_MODE_ATTACH ? attach.word : read.word));
}

/* Of which modes a policy says something: their scopes are 0xff, all else is 0. */
static inline __attribute__((always_inline)) union psc_policy
psc_policy_spoken(const union psc_policy *policy)
{
	union psc_policy spoken = {};

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (policy->scope[mode] != PSC_SCOPE_INHERIT || policy->floor[mode])
			spoken.scope[mode] = 0xff;
	return spoken;
}

/* The entry of a cgroup that has none. */
#define PSC_POLICY_NONE ((union psc_policy){ \
	.scope = { PSC_SCOPE_INHERIT, PSC_SCOPE_INHERIT, PSC_SCOPE_INHERIT, PSC_SCOPE_INHERIT } })

/* What holds for the processes of a cgroup, gathered from it upwards. */
struct psc_effective {
	union psc_policy policy;
	__u64 scope_from[PSC_MODE_SLOTS];	/* ids of cgroups, 0: not from one */
	__u64 floor_from[PSC_MODE_SLOTS];
};

#define PSC_EFFECTIVE_NONE ((struct psc_effective){ .policy = PSC_POLICY_NONE })

/*
 * The next policy on the way up: the nearest opinion counts, and of all floors the
 * highest. The global policy, which has an opinion on everything, comes last.
 */
static inline __attribute__((always_inline)) void
psc_effective_add(struct psc_effective *effective, const union psc_policy *policy, __u64 from)
{
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		if (effective->policy.scope[mode] == PSC_SCOPE_INHERIT &&
		    policy->scope[mode] != PSC_SCOPE_INHERIT) {
			effective->policy.scope[mode] = policy->scope[mode];
			effective->scope_from[mode] = from;
		}
		if (psc_scope_rank(policy->floor[mode]) >
		    psc_scope_rank(effective->policy.floor[mode])) {
			effective->policy.floor[mode] = policy->floor[mode];
			effective->floor_from[mode] = from;
		}
	}
}

/* After the last: no scope is below its floor. */
static inline __attribute__((always_inline)) void
psc_effective_end(struct psc_effective *effective)
{
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		if (psc_scope_rank(effective->policy.scope[mode]) >=
		    psc_scope_rank(effective->policy.floor[mode]))
			continue;
		effective->policy.scope[mode] = effective->policy.floor[mode];
		effective->scope_from[mode] = effective->floor_from[mode];
	}
}

/* Does a policy have a floor? The guards do nothing before one has. */
static inline __attribute__((always_inline)) int psc_policy_locked(const union psc_policy *policy)
{
	int locked = 0;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		locked |= policy->floor[mode];
	return locked;
}

/* May a mode have this value, globally or as that of a cgroup? */
static inline __attribute__((always_inline)) int
psc_value_fits(__u32 mode, __u32 value, int of_cgroup)
{
	if (mode == PSC_MODE_BOUNDARY)
		return value <= 1;
	return value <= PSC_SCOPE_MAX || (of_cgroup && value == PSC_SCOPE_SIBLINGS);
}

/* Is a request to change a policy one at all? Return: 0, -PSC_E_INVAL or -PSC_E_RANGE. */
static inline __attribute__((always_inline)) int
psc_request_check(const struct psc_request *req, int of_cgroup)
{
	__u32 allowed = of_cgroup ? PSC_FLAG_CGROUP : 0;

	if (req->op == PSC_OP_SET)
		allowed |= PSC_FLAG_REVOCABLE;
	else if (req->op != PSC_OP_RAISE_FLOOR && (req->op != PSC_OP_UNSET || !of_cgroup))
		return -PSC_E_INVAL;
	if (!req->modes || (req->modes & ~PSC_MODES_ALL) || (req->flags & ~allowed))
		return -PSC_E_INVAL;
	if (req->op == PSC_OP_UNSET)
		return req->value ? -PSC_E_INVAL : 0;
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if ((req->modes & PSC_MODE_BIT(mode)) &&
		    !psc_value_fits(mode, req->value, of_cgroup))
			return -PSC_E_RANGE;
	return 0;
}

/**
 * psc_policy_change - the policy after a request
 * @policy: the policy now, the global one or the entry of a cgroup (PSC_POLICY_NONE
 *	if it has none); changed only on success
 * @req: what psc_ctl was asked for; the caller's right to ask is not judged here
 * @above: NULL for the global policy; for a cgroup the highest floors above it on
 *	its path, the global ones included
 *
 * The floor never falls and the scope is never below it. A scope of 3 raises
 * the floor to 3 unless the request is marked revocable: as with Yama, "no
 * attach" is final. Raising a floor means "at least": modes that are higher
 * already stay, and it is refused only if all of them are. A cgroup may have a
 * floor and no opinion beyond it.
 *
 * Return: 0, -PSC_E_INVAL, -PSC_E_RANGE or -PSC_E_LOCKED.
 */
static inline __attribute__((always_inline)) int
psc_policy_change(union psc_policy *policy, const struct psc_request *req,
		  const union psc_policy *above)
{
	const __u32 rank = psc_scope_rank(req->value);
	union psc_policy next = *policy;
	int effective = 0, err;

	if (req->abi != PSC_ABI || req->origin > (above ? PSC_ORIGIN_RUNTIME : 0) ||
	    (!above && req->dir_fd))
		return -PSC_E_INVAL;
	if (req->op == PSC_OP_INFO)
		return req->flags & ~(above ? PSC_FLAG_CGROUP : 0) ? -PSC_E_INVAL : 0;
	err = psc_request_check(req, above != NULL);
	if (err)
		return err;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u32 floor = psc_scope_rank(next.floor[mode]);

		if (!(req->modes & PSC_MODE_BIT(mode)))
			continue;
		if (req->op == PSC_OP_UNSET) {
			if (floor)
				return -PSC_E_LOCKED;
			next.scope[mode] = PSC_SCOPE_INHERIT;
		} else if (req->op == PSC_OP_SET) {
			if (rank < floor || (above && rank < psc_scope_rank(above->floor[mode])))
				return -PSC_E_LOCKED;
			next.scope[mode] = req->value;
			if (req->value == PSC_SCOPE_NO_ATTACH &&
			    !(req->flags & PSC_FLAG_REVOCABLE))
				next.floor[mode] = req->value;
		} else {
			if (rank >= floor) {
				next.floor[mode] = req->value;
				effective = 1;
			}
			if (next.scope[mode] != PSC_SCOPE_INHERIT &&
			    rank > psc_scope_rank(next.scope[mode]))
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
