/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two sides of an access: what holds for each by its cgroup, by what sticks to it and by
 * the global policy, and what that makes together.
 */
#ifndef PSC_CGROUP_FACTS_BPF_H
#define PSC_CGROUP_FACTS_BPF_H

#include "cgroup.bpf.h"
#include "sticky.bpf.h"

/**
 * effective_of_task - what holds for a task
 * @left: the containers that it has left and whose boundaries stick to it; NULL: not asked
 *
 * What sticks is kept for the thread-group leader, as the kernel moves whole processes
 * from one domain to another.
 *
 * Return: the container whose locked boundary sticks to it, 0 for none.
 */
static __always_inline __u64 effective_of_task(struct task_struct *task, struct psc_effective *ret,
					   containers *left)
{
	struct cgroup *cgroup = cgroup_of(task);
	__u64 key = 0, container = 0;
	struct state *state = &psc_state;
	struct carried *carried;

	*ret = PSC_EFFECTIVE_NONE;
	path_add(ret, cgroup, BPF_CORE_READ(cgroup, level));
	read_barrier();
	if (*(volatile __u32 *)&state->carried) {
		key = (__u64)BPF_CORE_READ(task, group_leader);
		carried = carried_find(key);
		if (carried) {
			container = carried->container;
			effective_add(ret, floors_alone(&carried->floors), 0);
		}
		effective_add(ret, floors_alone(&state->floors_for_all), 0);
	}
	effective_add(ret, policy_read(&state->policy).word, 0);
	effective_end(ret);
	if (key && *(volatile __u32 *)&state->sticky)
		left_add_words((psc_effective_words *)ret, left, key, (__u64)cgroup);
	return container;
}

/* What psc_judge() may want to know of the cgroups of both sides. */
struct cgroup_facts {
	__u64 container;	/* the tracee's, 0: the root of its cgroup namespace */
	__u64 carried;		/* one whose boundary is locked and sticks to it, 0 for none */
	containers left;	/* and those whose boundaries stick, of cgroups that it has left */
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

/* Are there entries, or floors that stick? One load: an entry goes after its floor is recorded. */
static __always_inline bool cgroups_matter(void)
{
	return *(volatile __u64 *)&psc_state.entries_and_carried;
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
static __always_inline void cgroup_facts_read(struct psc_question *question,
					      struct cgroup_facts *cgroups,
					      struct task_struct *tracer, struct task_struct *tracee)
{
	const __u32 mode = question->mode;
	struct psc_effective effective;
	__u32 scope;
	__u64 from;

	if (!cgroups_matter()) {
		question_globally(question);
		return;
	}
	cgroups->carried = effective_of_task(tracee, &effective, &cgroups->left);
	scope = scope_in(&effective.policy, mode);
	from = scope_from(&effective, mode);
	question->traceme = effective.policy.scope[PSC_MODE_TRACEME];
	question->boundary = effective.policy.scope[PSC_MODE_BOUNDARY];
	cgroups->container = effective.scope_from[PSC_MODE_BOUNDARY];
	/* Nothing else makes a boundary where the tracee is now. */
	if (!cgroups->container && !policy_read(&psc_state.policy).scope[PSC_MODE_BOUNDARY])
		cgroups->container = cgroups->carried;

	effective_of_task(tracer, &effective, NULL);
	cgroups->siblings = from && from == scope_from(&effective, mode) &&
			  scope == scope_in(&effective.policy, mode);
	question->scope = psc_scope_stricter(scope_in(&effective.policy, mode), scope);
	question->traceme = psc_scope_stricter(effective.policy.scope[PSC_MODE_TRACEME],
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
static __always_inline bool shares_container(const struct cgroup_facts *cgroups,
					     struct task_struct *tracer,
					     struct task_struct *tracee)
{
	struct cgroup *cgroup = cgroup_of(tracer), *root;

	if (cgroups->carried && !is_inside(cgroup, cgroups->carried))
		return false;
	for (int i = 0; i < PSC_LEFT; i++)
		if (cgroups->left[i] && !is_inside(cgroup, cgroups->left[i]))
			return false;
	if (cgroups->container)
		return is_inside(cgroup, cgroups->container);
	tracee = living_thread(tracee);
	root = BPF_CORE_READ(tracee, nsproxy, cgroup_ns, root_cset, dfl_cgrp, dom_cgrp);
	return !root || is_below_root(cgroup, root);
}

#endif
