/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sections of the configuration, matched to new cgroups by the names that kernfs has of
 * them. src/daemon/config/pattern.c makes what is read here.
 *
 * Entered from the tracepoint in cgroup_mkdir(), before the new directory can be seen, with
 * cgroup_mutex held and interrupts off: never by two at once, and not for long.
 */
#ifndef PSC_PATTERN_BPF_H
#define PSC_PATTERN_BPF_H

#include "cgroup.bpf.h"
#include "entry.bpf.h"
#include "report.bpf.h"
#include "share.bpf.h"

#define MATCH_TRIES 4		/* the sections changed meanwhile */

WORDS(psc_pattern);

/* The matching of one component, by the last star alone: earlier ones need not be tried again. */
struct glob_walk {
	const struct psc_pattern *pattern;
	__u64 name;
	__u32 at;		/* in the pattern's text */
	__u32 star_at;		/* behind the last star, 0: there was none */
	__u64 star_name;	/* and the name from where that was tried last */
	bool matched;
};

static __always_inline __u8 text_at(const struct glob_walk *walk, __u32 at)
{
	return walk->pattern->text[at & (PSC_PATTERN_BYTES - 1)];
}

static __always_inline bool set_has(const struct psc_pattern *pattern, __u32 set, __u8 c)
{
	return pattern->sets[set & (PSC_PATTERN_SETS - 1)][c >> 6] >> (c & 63) & 1;
}

static long glob_step(__u32 i, struct glob_walk *walk)
{
	__u32 at = walk->at;
	__u8 token = text_at(walk, at), special = 0, c;

	if (bpf_probe_read_kernel(&c, sizeof(c), (void *)walk->name))
		return 1;
	if (token == PSC_PATTERN_SPECIAL) {
		special = text_at(walk, at + 1);
		if (special == PSC_PATTERN_STAR) {
			walk->at = at + 2;
			walk->star_at = at + 2;
			walk->star_name = walk->name;
			return 0;
		}
	}
	if (!c) {
		walk->matched = !token;
		return 1;
	}
	if (special ? special == PSC_PATTERN_ANY || set_has(walk->pattern, special - 1, c) :
		      token == c) {
		walk->at = at + (special ? 2 : 1);
		walk->name++;
	} else if (walk->star_at) {
		walk->at = walk->star_at;
		walk->name = ++walk->star_name;
	} else {
		return 1;
	}
	return 0;
}

/*
 * Does a name match the component that begins at @start?
 * @budget: of steps
 * @none: 0. Older verifiers go through the body of a loop once, and take what they know of
 *	before it for true in every turn: so nothing that changes may begin with a constant.
 * Return: the steps that it took, twice, and 1 if it matches
 */
GLOBAL int glob_words(psc_pattern_words *words, __u64 name, __u32 start, __u32 budget,
			 __u32 none)
{
	struct glob_walk walk = {
		.pattern = (const struct psc_pattern *)words, .name = name, .at = start,
		.star_at = none,
	};
	long steps;

	if (!words || budget > PSC_MATCH_STEPS)
		return 0;
	steps = bpf_loop(budget, glob_step, &walk, 0);
	return (int)(steps << 1) | walk.matched;
}

/* Which sections are for a cgroup? */
struct match_walk {
	__u64 cgroup;		/* address */
	__u32 level;
	__u32 half;		/* of psc_patterns */
	__u32 budget;		/* steps that are left */
	__u32 slices;		/* are all cgroups above it slices? Bits SLICES_* */
	union psc_policy policy;	/* the sum of those so far; no value: PSC_SCOPE_INHERIT */
	union psc_policy spared;	/* of those that there was no time to look at */
	__u32 sticky;		/* the modes of which what the sum says sticks, */
	__u32 maybe;		/* and those of the others */
};

WORDS(match_walk);

#define SLICES_KNOWN 1U
#define SLICES_ALL 2U

#define POLICY_UNSAID ((union psc_policy){ .word = ~0ULL })

struct path_walk {
	struct psc_pattern *pattern;
	__u64 cgroup;
	__u32 level;		/* the next one to be looked at, from below */
	__u32 start;		/* of the component for all levels; NO_START: each has its own */
	__u32 budget;
	bool matched;		/* so far */
};

#define NO_START ~0U

static __always_inline __u64 name_at(__u64 address, __u32 level)
{
	struct cgroup *cgroup = (struct cgroup *)address, *ancestor = NULL;

	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]);
	return (__u64)BPF_CORE_READ(ancestor, kn, name);
}

static __always_inline void path_match(struct path_walk *walk, __u64 name, __u32 start)
{
	__u32 done = (__u32)glob_words((psc_pattern_words *)walk->pattern, name, start,
				       walk->budget, 0);

	walk->matched = done & 1;
	walk->budget -= done >> 1 < walk->budget ? done >> 1 : walk->budget;
}

static long path_step(__u32 i, struct path_walk *walk)
{
	__u32 level = walk->level, start = walk->start;

	if (!level || level >= PSC_CGROUP_LEVELS)
		return 1;
	if (start == NO_START)
		start = walk->pattern->starts[(level - 1) & (PSC_CGROUP_LEVELS - 1)];
	walk->level = level - 1;
	path_match(walk, name_at(walk->cgroup, level), start);
	return !walk->matched;
}

/* A unit: are the cgroups above it all slices? */
static __always_inline bool in_slices(struct match_walk *match, struct path_walk *walk)
{
	if (!(match->slices & SLICES_KNOWN)) {
		walk->start = walk->pattern->starts[1];
		walk->level = match->level - 1;
		walk->matched = true;
		bpf_loop(PSC_CGROUP_LEVELS, path_step, walk, 0);
		match->slices = SLICES_KNOWN | (walk->matched ? SLICES_ALL : 0);
	}
	return match->slices & SLICES_ALL;
}

static __always_inline bool unit_matches(struct match_walk *match, struct path_walk *walk)
{
	__u64 name = name_at(match->cgroup, match->level);
	__u32 start = walk->pattern->starts[0];
	__u8 first = 0;

	path_match(walk, name, start);
	/* Perhaps with systemd's underscore. */
	if (!walk->matched && !bpf_probe_read_kernel(&first, sizeof(first), (void *)name) &&
	    first == '_')
		path_match(walk, name + 1, start);
	return walk->matched && in_slices(match, walk);
}

/* The later section wins, value by value. */
static __always_inline void section_assign(struct match_walk *match,
					   const struct psc_pattern *section)
{
	const union psc_policy *later = &section->policy;
	union psc_policy *policy = &match->policy;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		if (later->scope[mode] != PSC_SCOPE_INHERIT) {
			policy->scope[mode] = later->scope[mode];
			match->sticky &= ~PSC_MODE_BIT(mode);
			match->sticky |= section->sticky & PSC_MODE_BIT(mode);
		}
		if (later->floor[mode] != PSC_SCOPE_INHERIT)
			policy->floor[mode] = later->floor[mode];
	}
}

/* The floor that a section sets: a scope of 3 is final. */
static __always_inline __u32 section_floor(const union psc_policy *policy, __u32 mode)
{
	return policy->scope[mode] == PSC_SCOPE_NO_ATTACH ? PSC_SCOPE_NO_ATTACH :
							    policy->floor[mode];
}

/* Of two scopes that may be unsaid the stricter. */
static __always_inline __u32 said_stricter(__u32 a, __u32 b)
{
	return a == PSC_SCOPE_INHERIT ? b : b == PSC_SCOPE_INHERIT ? a : psc_scope_stricter(a, b);
}

static long section_step(__u32 i, struct match_walk *match)
{
	__u32 key = (match->half & 1) * PSC_SECTIONS_MAX + i;
	struct path_walk walk = { .cgroup = match->cgroup, .start = NO_START };
	struct psc_pattern *pattern = bpf_map_lookup_elem(&psc_patterns, &key);
	bool matched;

	if (!pattern)
		return 1;
	if (pattern->components && pattern->components != match->level)
		return 0;
	walk.pattern = pattern;
	walk.budget = match->budget;
	if (pattern->components) {
		walk.level = match->level;
		walk.matched = true;
		bpf_loop(PSC_CGROUP_LEVELS, path_step, &walk, 0);
		matched = walk.matched;
	} else {
		matched = unit_matches(match, &walk);
	}
	match->budget = walk.budget;
	if (matched) {
		section_assign(match, pattern);
	} else if (!walk.budget) {
		match->maybe |= pattern->sticky;
		for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
			match->spared.scope[mode] = said_stricter(match->spared.scope[mode],
								  pattern->policy.scope[mode]);
			match->spared.floor[mode] =
				said_stricter(match->spared.floor[mode],
					      section_floor(&pattern->policy, mode));
		}
	}
	return 0;
}

/* Look at the first @n sections: no constants here, either, see glob_words(). */
GLOBAL int match_words(match_walk_words *words, __u32 n)
{
	struct match_walk *ret = (struct match_walk *)words, match;

	if (!ret)
		return 0;
	match = *ret;
	bpf_loop(n & (2 * PSC_SECTIONS_MAX - 1), section_step, &match, 0);
	*ret = match;
	return 0;
}

/* What the entry of the new cgroup is to say, in place of the sum of its sections. */
GLOBAL int made_policy_words(match_walk_words *words, psc_effective_words *above)
{
	struct match_walk *match = (struct match_walk *)words;

	if (match && above)
		match->policy = psc_policy_made(&match->policy, &match->spared,
						&((struct psc_effective *)above)->policy,
						psc_sees_moves);
	return 0;
}

/* The scopes of a new cgroup that stick, before anybody can be in it. */
GLOBAL int made_stick(one_word *id, __u64 level, __u64 entry, __u32 modes)
{
	one_word said = { entry };
	__u64 sticky = sticky_after(&said, PSC_POLICY_NONE.word, modes, 0);
	int err;

	if (!id || !psc_sees_moves || sticky == PSC_POLICY_NONE.word)
		return 0;
	err = sticky_begin(&psc_state, (*id)[0], level);
	if (!err)
		sticky_finish(id, PSC_POLICY_NONE.word, sticky, 0);
	return err;
}

static __always_inline bool made_put(struct state *state, const struct target *target,
				     const union psc_policy *policy)
{
	struct cgroup_entry entry = {
		.policy = *policy, .id = target->id, .origin = PSC_ORIGIN_CONFIG,
	};
	int share = has_room(state, PSC_ORIGIN_CONFIG) ?
		share_take(target->cgroup, target->level) : -ENOMEM;

	if (share < 0)
		return false;
	entry.share = share;
	/* Others only raise what is noted, so that it does not fail eight times in a row. */
	if (!highest_note(state, policy) && !entry_put(state, target, &entry, false))
		return true;
	share_give(state, share);
	return false;
}

/* Give a new cgroup what the sections set for it. */
static __always_inline void cgroup_made(struct state *state, struct kernfs_node *kn)
{
	struct cgroup *cgroup = BPF_CORE_READ(kn, priv);
	struct target target = {
		.kn = kn, .cgroup = cgroup, .id = BPF_CORE_READ(kn, id),
		.level = BPF_CORE_READ(cgroup, level),
	};
	one_word id = { target.id };
	struct match_walk match;
	struct psc_effective above;
	__u64 sections;

	/* One that can be seen already: a tail call from a program of somebody else's. */
	if (BPF_CORE_READ(kn, flags) & KERNFS_ACTIVATED || !target.level ||
	    target.level >= PSC_CGROUP_LEVELS)
		return;
	for (int i = 0; i < MATCH_TRIES; i++) {
		sections = *(volatile __u64 *)&state->sections;
		match = (struct match_walk){
			.cgroup = (__u64)cgroup, .level = target.level,
			.half = sections >> 32 & 1, .budget = PSC_MATCH_STEPS,
			.policy = POLICY_UNSAID, .spared = POLICY_UNSAID,
		};
		match_words((match_walk_words *)&match, sections);
		read_barrier();
		if (sections == *(volatile __u64 *)&state->sections)
			break;
	}
	path_read(&target, target.level - 1, &above);
	effective_end(&above);
	made_policy_words((match_walk_words *)&match, (psc_effective_words *)&above);
	if (match.policy.word == PSC_POLICY_NONE.word)
		return;
	if (!match.budget)
		count(PSC_STAT_SPARED);
	if (!made_put(state, &target, &match.policy) ||
	    made_stick(&id, target.level, match.policy.word, match.sticky | match.maybe))
		count(PSC_STAT_MISSED);
}

/* Do the sections up to the request's number have a floor? */
struct floor_walk {
	__u32 half;
	bool found;
};

static long floor_step(__u32 i, struct floor_walk *walk)
{
	__u32 key = (walk->half & 1) * PSC_SECTIONS_MAX + i;
	struct psc_pattern *pattern = bpf_map_lookup_elem(&psc_patterns, &key);

	if (!pattern)
		return 1;
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (pattern->policy.scope[mode] == PSC_SCOPE_NO_ATTACH ||
		    (__u8)(pattern->policy.floor[mode] - 1) < PSC_SCOPE_INHERIT - 1)
			walk->found = true;
	return 0;
}

/*
 * The one writer's part. A section goes into the half that is not in force, whose turn comes
 * when all of them are there: in one store, which no cgroup is made in the middle of.
 */
static __always_inline int sections_write(struct state *state, struct psc_section_request *req)
{
	__u64 now = state->sections;
	struct floor_walk walk = { .half = ~(now >> 32) & 1 };
	__u32 key = walk.half * PSC_SECTIONS_MAX + req->index;
	struct psc_pattern *pattern;
	int err = 0;

	if (req->op == PSC_SECTIONS_PUT) {
		pattern = bpf_map_lookup_elem(&psc_patterns, &key);
		if (!pattern)
			return -PSC_E_INVAL;
		__builtin_memcpy(pattern, &req->pattern, sizeof(*pattern));
		return 0;
	}
	bpf_loop(req->index, floor_step, &walk, 0);
	if ((walk.found || req->pattern.policy.word) && psc_sees_moves)	/* else they are left out */
		err = lock_first(state, req->armed, req->anchor);
	if (!err)
		*(volatile __u64 *)&state->sections = ((now >> 32) + 1) << 32 | req->index;
	return err;
}

static __always_inline int sections_request(struct state *state, struct psc_section_request *req)
{
	int err;

	if (req->abi != PSC_ABI || req->op > PSC_SECTIONS_COMMIT ||
	    req->index > PSC_SECTIONS_MAX ||
	    (req->op == PSC_SECTIONS_PUT && req->index == PSC_SECTIONS_MAX))
		return -PSC_E_INVAL;
	if (!capable_initially(BPF_CORE_READ(bpf_get_current_task_btf(), cred)))
		return -PSC_E_PERM;
	if (!writer_trylock())
		return -PSC_E_AGAIN;
	err = sections_write(state, req);
	writer_unlock();
	return err;
}

#endif
