/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What holds for a task by its cgroup (v2), and by the floors that stick to it.
 *
 * A task's cgroup is that of its domain, so that all threads of a process agree.
 * The kernel moves tasks, and removes cgroups that are empty, while we look. In
 * the order in which things happen to a task under a floor
 *
 *	the floor is stuck to it; it is moved; the cgroup is removed, its entry goes
 *
 * the first is looked at last: its cgroup, the entries, and only then what sticks.
 */
#ifndef PSC_CGROUP_BPF_H
#define PSC_CGROUP_BPF_H

#include "maps.bpf.h"
#include "ptracescope_policy.h"
#include "task.bpf.h"

#define ENTRY_TRIES 8

static __always_inline union psc_policy policy_read(const union psc_policy *policy)
{
	return (union psc_policy){ .word = *(const volatile __u64 *)&policy->word };
}

/*
 * Functions that are not static are ones that the verifier looks at on their own: it
 * takes all their ways once, not once for every way that leads to them. Their argument
 * is no struct but its words: functions that take structs can be replaced by an
 * extension (freplace), even by one that was loaded for a program of somebody else's.
 */
#define WORDS(type) typedef __u64 type##_words[sizeof(struct type) / sizeof(__u64)]

WORDS(cgroup_entry);
WORDS(psc_effective);

__noinline int entry_read_words(__u64 id, cgroup_entry_words *words)
{
	struct cgroup_entry *ret = (struct cgroup_entry *)words, copy = {};

	if (!ret)
		return false;
	for (int i = 0; i < ENTRY_TRIES; i++) {
		struct cgroup_entry *entry = bpf_map_lookup_elem(&psc_cgroups, &id);

		if (!entry)
			return false;
		copy.policy = policy_read(&entry->policy);
		copy.origin = *(volatile __u32 *)&entry->origin;
		read_barrier();
		copy.id = *(volatile __u64 *)&entry->id;
		if (copy.id == id) {
			*ret = copy;
			return true;
		}
		if (!copy.id)	/* is being deleted */
			return false;
	}
	ret->policy.word = 0;
	for (__u32 mode = 0; mode < PSC_MODES; mode++)
		ret->policy.scope[mode] = PSC_SCOPE_NO_ATTACH;
	return true;
}

/**
 * entry_read - the entry of a cgroup
 * @ret: a consistent copy, left as it is if there is none
 *
 * An entry that is deleted at every look, which cannot be, refuses everything.
 *
 * Return: is there one?
 */
static __always_inline bool entry_read(__u64 id, struct cgroup_entry *ret)
{
	return entry_read_words(id, (cgroup_entry_words *)ret);
}

__noinline int effective_add_words(psc_effective_words *effective, __u64 word, __u64 from)
{
	union psc_policy policy = { .word = word };

	if (effective)
		psc_effective_add((struct psc_effective *)effective, &policy, from);
	return 0;
}

__noinline int effective_end_words(psc_effective_words *effective)
{
	if (effective)
		psc_effective_end((struct psc_effective *)effective);
	return 0;
}

static __always_inline void effective_add(struct psc_effective *effective, __u64 word, __u64 from)
{
	effective_add_words((psc_effective_words *)effective, word, from);
}

static __always_inline void effective_end(struct psc_effective *effective)
{
	effective_end_words((psc_effective_words *)effective);
}

/*
 * The one walk from a cgroup up to the root. A cgroup knows its ancestors by their levels,
 * and the state the levels that have ever had an entry: no others are looked at. All is
 * read as plain memory, which costs a check more and loading far less: see describe().
 */
struct cgroup_walk {
	struct psc_effective *effective;	/* what the entries say is added to it, or NULL */
	__u64 cgroup;				/* the one at the lower end, */
	__u64 level;				/* the deepest level still to be looked at */
	__u64 wanted;				/* id that ends the walk, or 0 */
	__u64 found;
};

static __always_inline __u64 ancestor_id(__u64 address, __u64 level)
{
	struct cgroup *cgroup = (struct cgroup *)address, *ancestor = NULL;

	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]);
	return BPF_CORE_READ(ancestor, kn, id);
}

static long level_step(__u32 i, struct cgroup_walk *walk)
{
	__u64 level = psc_state.next_level[walk->level % PSC_CGROUP_LEVELS], id;
	struct cgroup_entry entry = {};

	if (!level)
		return 1;
	walk->level = level - 1;
	if (!walk->wanted && !psc_state.at_level[level % PSC_CGROUP_LEVELS])
		return 0;
	id = ancestor_id(walk->cgroup, level);
	if (walk->wanted) {
		walk->found = id == walk->wanted;
		return walk->found;
	}
	if (walk->effective && entry_read(id, &entry))
		effective_add(walk->effective, entry.policy.word, id);
	return 0;
}

__noinline int path_walk_words(psc_effective_words *effective, __u64 cgroup, __u64 level,
			       __u64 wanted)
{
	struct cgroup_walk walk = {
		.effective = (struct psc_effective *)effective, .cgroup = cgroup,
		.level = level < PSC_CGROUP_LEVELS ? level : PSC_CGROUP_LEVELS - 1,
		.wanted = wanted,
	};

	bpf_loop(PSC_CGROUP_LEVELS, level_step, &walk, 0);
	return walk.found;
}

/* Add what the entries on the path say, from a level upwards. */
static __always_inline void path_add(struct psc_effective *effective, struct cgroup *cgroup,
				     __u32 level)
{
	path_walk_words((psc_effective_words *)effective, (__u64)cgroup, level, 0);
}

/* Is a cgroup that has, or had, an entry on the path? */
static __always_inline bool is_inside(struct cgroup *cgroup, __u64 id)
{
	return path_walk_words(NULL, (__u64)cgroup, BPF_CORE_READ(cgroup, level), id);
}

/* Of the v2 hierarchy, whose number is 0? Ids of others may be the same. */
static __always_inline bool is_cgroup2(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, root, hierarchy_id) == 0;
}

/*
 * Not of an exiting task, but of @task's process: the kernel moves no task that is exiting,
 * so that a leader which has ended before its other threads stays where it was then.
 */
static __always_inline struct cgroup *cgroup_of(struct task_struct *task)
{
	task = living_thread(task);
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, dom_cgrp);
}

/* Of the floors that stick to a task, which has them in one of two tables. */
static __always_inline struct stuck *stuck_find(__u64 task)
{
	struct stuck *stuck = bpf_map_lookup_elem(&psc_stuck, &task);

	if (!stuck && *(volatile __u32 *)&psc_state.reserved)
		stuck = bpf_map_lookup_elem(&psc_reserve, &task);
	return stuck;
}

/* Floors that stick are not an opinion, which would come before the global one. */
static __always_inline __u64 floors_alone(const union psc_policy *floors)
{
	return policy_read(floors).word | PSC_POLICY_NONE.word;
}

/**
 * standing_read - what cgroups have to say about a task, the global policy not included
 * @ret: by its path, and what sticks to it
 *
 * What sticks is kept for the thread-group leader, as the kernel moves whole processes
 * from one domain to another.
 *
 * Return: the container whose boundary sticks to it, 0 for none.
 */
static __always_inline __u64 standing_read(struct task_struct *task, struct psc_effective *ret)
{
	struct cgroup *cgroup = cgroup_of(task);
	struct state *state = &psc_state;
	struct stuck *stuck;
	__u64 key, kept = 0;

	*ret = PSC_EFFECTIVE_NONE;
	path_add(ret, cgroup, BPF_CORE_READ(cgroup, level));
	read_barrier();
	if (!*(volatile __u32 *)&state->stuck)
		return 0;
	key = (__u64)BPF_CORE_READ(task, group_leader);
	stuck = stuck_find(key);
	if (stuck) {
		kept = stuck->container;
		effective_add(ret, floors_alone(&stuck->floors), 0);
	}
	effective_add(ret, floors_alone(&state->lost), 0);
	return kept;
}

/* With the global policy. */
static __always_inline void standing_end(struct psc_effective *standing)
{
	effective_add(standing, policy_read(&psc_state.policy).word, 0);
	effective_end(standing);
}

/* What psc_judge() may want to know of the cgroups of both sides. */
struct sides {
	__u64 container;	/* the tracee's, 0: the root of its cgroup namespace */
	__u64 kept;		/* one whose boundary sticks to it, 0 for none */
	bool siblings;
};

static __always_inline __u32 scope_in(const union psc_policy *policy, __u32 mode)
{
	return mode == PSC_MODE_ATTACH ? policy->scope[PSC_MODE_ATTACH] :
	       mode == PSC_MODE_TRACEME ? policy->scope[PSC_MODE_TRACEME] :
					  policy->scope[PSC_MODE_READ];
}

static __always_inline __u64 scope_from(const struct psc_effective *effective, __u32 mode)
{
	return mode == PSC_MODE_ATTACH ? effective->scope_from[PSC_MODE_ATTACH] :
	       mode == PSC_MODE_TRACEME ? effective->scope_from[PSC_MODE_TRACEME] :
					  effective->scope_from[PSC_MODE_READ];
}

/* Are there entries, or floors that stick? One load: entries go after floors have been stuck. */
static __always_inline bool cgroups_matter(void)
{
	return *(volatile __u64 *)&psc_state.busy;
}

/* The rest of a question, its mode is filled in, where cgroups do not matter. */
static __always_inline void question_globally(struct psc_question *question)
{
	union psc_policy policy = policy_read(&psc_state.policy);

	question->scope = scope_in(&policy, question->mode);
	question->traceme = policy.scope[PSC_MODE_TRACEME];
	question->boundary = policy.scope[PSC_MODE_BOUNDARY];
}

/* The same by the policy and the cgroups of both sides. */
static __always_inline void sides_compare(struct psc_question *question, struct sides *sides,
					  struct task_struct *tracer, struct task_struct *tracee)
{
	const __u32 mode = question->mode;
	struct psc_effective standing;
	__u32 scope;
	__u64 from;

	if (!cgroups_matter()) {
		question_globally(question);
		return;
	}
	sides->kept = standing_read(tracee, &standing);
	standing_end(&standing);
	scope = scope_in(&standing.policy, mode);
	from = scope_from(&standing, mode);
	question->traceme = standing.policy.scope[PSC_MODE_TRACEME];
	question->boundary = standing.policy.scope[PSC_MODE_BOUNDARY];
	sides->container = standing.scope_from[PSC_MODE_BOUNDARY];
	/* Nothing else makes a boundary where the tracee is now. */
	if (!sides->container && !policy_read(&psc_state.policy).scope[PSC_MODE_BOUNDARY])
		sides->container = sides->kept;

	standing_read(tracer, &standing);
	standing_end(&standing);
	sides->siblings = from && from == scope_from(&standing, mode) &&
			  scope == scope_in(&standing.policy, mode);
	question->scope = psc_scope_stricter(scope_in(&standing.policy, mode), scope);
	question->traceme = psc_scope_stricter(standing.policy.scope[PSC_MODE_TRACEME],
					       question->traceme);
}

/* cgroup_is_descendant() of include/linux/cgroup.h */
static __always_inline bool is_below_root(struct cgroup *cgroup, struct cgroup *root)
{
	int level = BPF_CORE_READ(root, level);
	struct cgroup *ancestor = NULL;

	if (BPF_CORE_READ(cgroup, level) < level)
		return false;
	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]);
	return ancestor == root;
}

/* Is the tracer in the tracee's container? Who is exiting has left its namespaces, and it. */
static __always_inline bool shares_container(const struct sides *sides, struct task_struct *tracer,
					     struct task_struct *tracee)
{
	struct cgroup *cgroup = cgroup_of(tracer), *root;

	if (sides->kept && !is_inside(cgroup, sides->kept))
		return false;
	if (sides->container)
		return is_inside(cgroup, sides->container);
	tracee = living_thread(tracee);
	root = BPF_CORE_READ(tracee, nsproxy, cgroup_ns, root_cset, dfl_cgrp, dom_cgrp);
	return !root || is_below_root(cgroup, root);
}

#endif
