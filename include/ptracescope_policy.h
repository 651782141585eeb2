/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * How the policies of cgroups combine, and the rules of change, as pure functions: no helpers, no
 * maps. Compiled into the BPF programs and into the unit tests.
 */
#ifndef PTRACESCOPE_POLICY_H
#define PTRACESCOPE_POLICY_H

#include "ptracescope_judge.h"

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
psc_policy_modes_used(const union psc_policy *policy)
{
	union psc_policy used = {};

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (policy->scope[mode] != PSC_SCOPE_INHERIT || policy->floor[mode])
			used.scope[mode] = 0xff;
	return used;
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
 * The next policy on the way up: the nearest scope counts, and of all floors the
 * highest. The global policy, which has all scopes, comes last.
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
 * psc_effective_raise - what a process keeps of a cgroup that it has left
 * @effective: what holds where it is now, psc_effective_end()
 * @kept: the scopes that stick, PSC_SCOPE_INHERIT for the other modes
 * @from: the id of the cgroup
 *
 * The stricter counts. Of "siblings" by two cgroups that is neither: who is related by one is
 * not by the other.
 */
static inline __attribute__((always_inline)) void
psc_effective_raise(struct psc_effective *effective, const union psc_policy *kept, __u64 from)
{
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u32 scope = kept->scope[mode], now = effective->policy.scope[mode];

		if (scope == PSC_SCOPE_INHERIT)
			continue;
		if (scope == PSC_SCOPE_SIBLINGS && now == scope && effective->scope_from[mode] != from)
			scope = PSC_SCOPE_RESTRICTED;
		if (psc_scope_rank(scope) <= psc_scope_rank(now))
			continue;
		effective->policy.scope[mode] = scope;
		effective->scope_from[mode] = from;
	}
}

/* Add scopes to those that are kept by their values, where 0 is none. */
static inline __attribute__((always_inline)) void
psc_scopes_add(union psc_policy *kept, const union psc_policy *more)
{
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u32 scope = more->scope[mode];

		/* There are no siblings without their cgroup. */
		if (scope == PSC_SCOPE_SIBLINGS)
			scope = PSC_SCOPE_RESTRICTED;
		if (scope != PSC_SCOPE_INHERIT)
			kept->scope[mode] = psc_scope_stricter(kept->scope[mode], scope);
	}
}

/**
 * psc_policy_sticky - the scopes of a cgroup that stick after a request
 * @policy: its entry then
 * @before: those that stuck before, PSC_SCOPE_INHERIT for the other modes
 * @stick, @unstick: modes that the request says so of; others stay as they were
 */
static inline __attribute__((always_inline)) union psc_policy
psc_policy_sticky(const union psc_policy *policy, const union psc_policy *before, __u32 stick,
		  __u32 unstick)
{
	union psc_policy sticky = PSC_POLICY_NONE;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if ((before->scope[mode] != PSC_SCOPE_INHERIT || stick >> mode & 1) &&
		    !(unstick >> mode & 1))
			sticky.scope[mode] = policy->scope[mode];
	return sticky;
}

/**
 * psc_policy_made - the entry of a cgroup that is made
 * @said: what sections set for it; PSC_SCOPE_INHERIT in scopes and floors where none does
 * @spared: the strictest scopes and floors of sections that may be for it as well
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
		if (spared->floor[mode] != PSC_SCOPE_INHERIT)
			floor = psc_scope_stricter(floor, spared->floor[mode]);
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
	const __u32 sticky = req->stick | req->unstick;
	const __u32 modes = req->set | req->raise | req->lock | req->unset | sticky;

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
	    (req->stick & (req->unstick | req->unset)) ||
	    ((req->unset || sticky) && !of_cgroup))
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
/* Verified once, not once for every way that leads there: see WORDS() of bpf/unit.bpf.h. */
typedef __u64 psc_mode_change_words[sizeof(struct psc_mode_change) / sizeof(__u64)];

__attribute__((weak, noinline)) int psc_mode_change_once(psc_mode_change_words *words)
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
 * floor and no scope beyond it.
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
