/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What holds for a task by its cgroup (v2), and by the floors that stick to it.
 *
 * A task's cgroup is that of its domain, so that all threads of a process agree.
 * The kernel moves tasks, and removes cgroups that are empty, while we look. In
 * the order in which things happen to a task under a floor
 *
 *	the process carries the floor on; it is moved; the cgroup is removed, its entry goes
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

WORDS(cgroup_entry);
WORDS(psc_effective);

GLOBAL int entry_read_words(__u64 id, cgroup_entry_words *words)
{
	struct cgroup_entry *ret = (struct cgroup_entry *)words, copy = {};

	if (!ret)
		return false;
	for (int i = 0; i < ENTRY_TRIES; i++) {
		struct cgroup_entry *entry = bpf_map_lookup_elem(&psc_cgroups, &id);

		if (!entry)
			return false;
		copy.serial = *(volatile __u64 *)&entry->serial & ~SERIAL_HELD;
		if (!copy.serial || copy.serial & SERIAL_BEING_MADE)
			return false;
		read_barrier();
		copy.policy = policy_read(&entry->policy);
		copy.id = *(volatile __u64 *)&entry->id;
		copy.origin = *(volatile __u32 *)&entry->origin;
		read_barrier();
		if ((*(volatile __u64 *)&entry->serial & ~SERIAL_HELD) == copy.serial &&
		    copy.id == id) {
			*ret = copy;
			return true;
		}
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

GLOBAL int effective_add_words(psc_effective_words *effective, __u64 word, __u64 from)
{
	union psc_policy policy = { .word = word };

	if (effective)
		psc_effective_add((struct psc_effective *)effective, &policy, from);
	return 0;
}

GLOBAL int effective_end_words(psc_effective_words *effective)
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

static __always_inline struct cgroup *ancestor_at(__u64 address, __u64 level)
{
	struct cgroup *cgroup = (struct cgroup *)address, *ancestor = NULL;

	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]);
	return ancestor;
}

static __always_inline __u64 ancestor_id(__u64 address, __u64 level)
{
	struct cgroup *ancestor = ancestor_at(address, level);

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

GLOBAL int path_walk_words(psc_effective_words *effective, __u64 cgroup, __u64 level,
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
static __always_inline struct carried *carried_find(__u64 task)
{
	struct carried *carried = bpf_map_lookup_elem(&psc_carried, &task);

	if (!carried && *(volatile __u32 *)&psc_state.reserved)
		carried = bpf_map_lookup_elem(&psc_reserve, &task);
	return carried;
}

/* Floors that are carried are no scopes, which would come before the global one. */
static __always_inline __u64 floors_alone(const union psc_policy *floors)
{
	return policy_read(floors).word | PSC_POLICY_NONE.word;
}

/* The global policy, and the floors that bind everybody. */
static __always_inline union psc_policy policy_for_all(const struct state *state)
{
	struct psc_effective effective = PSC_EFFECTIVE_NONE;
	union psc_policy policy = policy_read(&state->policy);

	if (!policy_read(&state->floors_for_all).word)
		return policy;
	effective_add(&effective, floors_alone(&state->floors_for_all), 0);
	effective_add(&effective, policy.word, 0);
	effective_end(&effective);
	return effective.policy;
}

#endif
