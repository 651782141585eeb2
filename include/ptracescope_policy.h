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

/* Loops around calls may be laid out in a way that the verifier of 6.1 refuses. */
#ifdef __bpf__
#define PSC_UNROLL _Pragma("unroll")
#else
#define PSC_UNROLL
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
	PSC_FACT_TRACING = 1U << 6,	/* the tracer's process traces the tracee already */
	PSC_FACT_CAPABLE = 1U << 7,	/* CAP_SYS_PTRACE in its user namespace */
};
#define PSC_FACTS 8

struct psc_question {
	__u32 mode;			/* enum psc_mode */
	__u32 scope;			/* enum psc_scope in force; what is none refuses */
	__u32 traceme;			/* that for TRACEME */
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

	if (q->scope == PSC_SCOPE_ADMIN_ONLY && q->mode == PSC_MODE_ATTACH &&
	    psc_scope_rank(q->traceme) < psc_scope_rank(PSC_SCOPE_ADMIN_ONLY)) {
		if (!(known & PSC_FACT_TRACING))
			return PSC_NEED(PSC_FACT_TRACING);
		if (holds & PSC_FACT_TRACING)
			return PSC_ALLOW(PSC_REASON_EXCEPTION);
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

/**
 * psc_policy_made - the entry of a cgroup that is made
 * @said: what sections set for it; PSC_SCOPE_INHERIT in scopes and floors where none does
 * @spared: the strictest scopes of sections that may be for it as well
 * @above: what holds for the cgroup above it
 * @can_lock: can cgroups have floors?
 *
 * A scope below a floor above is left out, and so is a floor that is there already.
 *
 * Return: PSC_POLICY_NONE for none.
 */
static inline __attribute__((always_inline)) union psc_policy
psc_policy_made(const union psc_policy *said, const union psc_policy *spared,
		const union psc_policy *above, int can_lock)
{
	union psc_policy made = PSC_POLICY_NONE;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u32 scope = said->scope[mode], floor = said->floor[mode];
		__u32 least = above->scope[mode], more = spared->scope[mode];

		if (floor == PSC_SCOPE_INHERIT)
			floor = 0;
		if (scope == PSC_SCOPE_NO_ATTACH)
			floor = scope;
		else if (scope == PSC_SCOPE_NOT_FINAL)
			scope = PSC_SCOPE_NO_ATTACH;
		if (more == PSC_SCOPE_NOT_FINAL)
			more = PSC_SCOPE_NO_ATTACH;
		if (!can_lock && floor) {
			more = more == PSC_SCOPE_INHERIT ? floor : psc_scope_stricter(more, floor);
			floor = 0;
		}
		if (more != PSC_SCOPE_INHERIT) {
			more = psc_scope_stricter(more, least);
			scope = scope == PSC_SCOPE_INHERIT ? more : psc_scope_stricter(scope, more);
		}
		if (psc_scope_rank(floor) <= psc_scope_rank(above->floor[mode]))
			floor = 0;
		if (scope != PSC_SCOPE_INHERIT &&
		    psc_scope_rank(scope) < psc_scope_rank(above->floor[mode]))
			scope = PSC_SCOPE_INHERIT;
		if (scope != PSC_SCOPE_INHERIT)
			scope = psc_scope_stricter(scope, floor);
		made.scope[mode] = scope;
		made.floor[mode] = floor;
	}
	return made;
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

/* Is a request one about a policy at all, but for its values? Return: 0 or -PSC_E_INVAL. */
static inline __attribute__((always_inline)) int
psc_request_check(const struct psc_request *req)
{
	const __u32 of_cgroup = req->flags & PSC_FLAG_CGROUP;
	const __u32 modes = req->set | req->raise | req->lock | req->unset;

	if (req->abi != PSC_ABI || req->origin > (of_cgroup ? PSC_ORIGIN_RUNTIME : 0) ||
	    (!of_cgroup && req->dir_fd))
		return -PSC_E_INVAL;
	if (req->op == PSC_OP_INFO)
		return req->flags & ~PSC_FLAG_CGROUP ? -PSC_E_INVAL : 0;
	if (req->op != PSC_OP_CHANGE || req->value ||
	    (req->flags & ~(PSC_FLAG_CGROUP | PSC_FLAG_REVOCABLE)) ||
	    ((req->flags & PSC_FLAG_REVOCABLE) && !req->set))
		return -PSC_E_INVAL;
	if (!modes || (modes & ~PSC_MODES_ALL) || (req->set & req->unset) ||
	    (req->unset && !of_cgroup))
		return -PSC_E_INVAL;
	return 0;
}

/* A change of one mode: what there is, and what is asked for. */
struct psc_mode_change {
	__u8 scope, floor;		/* in and out */
	__u8 scope_above, floor_above;	/* of a cgroup: what is in force above it */
	__u8 want_scope, want_floor;
	__u8 set, raise, lock, unset;	/* which verbs */
	__u8 revocable;
	__u8 mode, of_cgroup;
	__u8 raised, locked;		/* out: the floor is where "raise", or "lock", wants it */
	__u8 pad;
} __attribute__((aligned(8)));

/* Return: 0, -PSC_E_RANGE or -PSC_E_LOCKED. */
static inline __attribute__((always_inline)) int
psc_mode_change_inline(struct psc_mode_change *change)
{
	__u32 scope = change->scope, floor = change->floor, in_force;

	if ((change->set && !psc_value_fits(change->mode, change->want_scope, change->of_cgroup)) ||
	    (change->raise && !psc_value_fits(change->mode, change->want_floor, change->of_cgroup)))
		return -PSC_E_RANGE;
	if (change->unset) {
		if (floor)
			return -PSC_E_LOCKED;
		scope = PSC_SCOPE_INHERIT;
	}
	if (change->set) {
		scope = change->want_scope;
		if (change->raise)
			scope = psc_scope_stricter(scope, change->want_floor);
		if (psc_scope_rank(scope) <
		    psc_scope_rank(psc_scope_stricter(floor, change->floor_above)))
			return -PSC_E_LOCKED;
		if (change->want_scope == PSC_SCOPE_NO_ATTACH && !change->revocable)
			floor = PSC_SCOPE_NO_ATTACH;
	}
	if (change->raise) {
		change->raised = psc_scope_rank(change->want_floor) >= psc_scope_rank(change->floor);
		floor = psc_scope_stricter(floor, change->want_floor);
	}
	if (change->lock) {
		in_force = scope == PSC_SCOPE_INHERIT ? change->scope_above : scope;
		floor = psc_scope_stricter(psc_scope_stricter(floor, change->floor_above), in_force);
		change->locked = floor != PSC_SCOPE_CLASSIC;
	}
	if (scope != PSC_SCOPE_INHERIT)
		scope = psc_scope_stricter(scope, floor);
	change->scope = scope;
	change->floor = floor;
	return 0;
}

#ifdef __bpf__
/* Verified once, not once for every way that leads there: see WORDS() of bpf/cgroup.bpf.h. */
typedef __u64 psc_mode_change_words[sizeof(struct psc_mode_change) / sizeof(__u64)];

__attribute__((noinline)) int psc_mode_change_once(psc_mode_change_words *words)
{
	struct psc_mode_change *change = (struct psc_mode_change *)words;

	return change ? psc_mode_change_inline(change) : -PSC_E_RANGE;
}
#endif

static inline __attribute__((always_inline)) int psc_mode_change(struct psc_mode_change *change)
{
#ifdef __bpf__
	return psc_mode_change_once((psc_mode_change_words *)change);
#else
	return psc_mode_change_inline(change);
#endif
}

/**
 * psc_policy_change - the policy after a request
 * @policy: the policy now, the global one or the entry of a cgroup (PSC_POLICY_NONE
 *	if it has none); changed only on success
 * @req: what psc_ctl was asked for; the caller's right to ask is not judged here
 * @above: for a cgroup what is in force above it, psc_effective_end() of its path and
 *	the global policy; for the global policy the floors that bind everybody besides,
 *	or NULL
 *
 * The floor never falls and the scope is never below it. A scope of 3 raises
 * the floor to 3 unless the request is marked revocable: as with Yama, "no
 * attach" is final. Raising a floor means "at least": modes that are higher
 * already stay, and it is refused only if all of them are. A cgroup may have a
 * floor and no opinion beyond it.
 *
 * Return: 0, -PSC_E_INVAL, -PSC_E_RANGE, -PSC_E_LOCKED or -PSC_E_NODATA.
 */
static inline __attribute__((always_inline)) int
psc_policy_change(union psc_policy *policy, const struct psc_request *req,
		  const union psc_policy *above)
{
	union psc_policy next = *policy;
	int err = psc_request_check(req), refused = 0;
	__u32 raised = 0, locked = 0;

	if (err || req->op == PSC_OP_INFO)
		return err;
	PSC_UNROLL
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		struct psc_mode_change change = {
			.scope = next.scope[mode], .floor = next.floor[mode],
			.scope_above = above ? above->scope[mode] : 0,
			.floor_above = above ? above->floor[mode] : 0,
			.want_scope = req->want.scope[mode], .want_floor = req->want.floor[mode],
			.set = req->set >> mode & 1, .raise = req->raise >> mode & 1,
			.lock = req->lock >> mode & 1, .unset = req->unset >> mode & 1,
			.revocable = req->flags & PSC_FLAG_REVOCABLE, .mode = mode,
			.of_cgroup = !!(req->flags & PSC_FLAG_CGROUP),
		};

		err = psc_mode_change(&change);
		if (err == -PSC_E_RANGE)
			return err;
		refused |= err;
		next.scope[mode] = change.scope;
		next.floor[mode] = change.floor;
		raised |= change.raised;
		locked |= change.locked;
	}
	/* A floor below every present one would be a wish to lower. */
	if (refused || (req->raise && !raised))
		return -PSC_E_LOCKED;
	if (req->lock && !locked)
		return -PSC_E_NODATA;
	*policy = next;
	return 0;
}

#endif
