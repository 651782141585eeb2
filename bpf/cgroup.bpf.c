// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a cgroup changes: its floors and sticky scopes go along with its processes, and its
 * entry comes and goes with it.
 *
 *   psc_task_alloc lsm/task_alloc                 what sticks to a task binds its children,
 *   psc_task_new   tp_btf/task_newtask            also when it came while they were made
 *   psc_cg_attach    fentry/cgroup_attach_task      and goes along with a task that is moved
 *   psc_cg_mkdir    tp_btf/cgroup_mkdir            gives new cgroups the settings of sections
 *   psc_cg_rmdir    tp_btf/cgroup_rmdir            deletes the entry of a cgroup
 */
#include "entry.bpf.h"
#include "move.bpf.h"
#include "pattern.bpf.h"

/* include/uapi/linux/sched.h */
#define CLONE_INTO_CGROUP 0x200000000ULL

/*
 * A child has what sticks to its parent before it has a cgroup, which may be another one
 * than its parent's (CLONE_INTO_CGROUP, or the parent is moved just now).
 */
SEC("lsm/task_alloc")
int BPF_PROG(psc_task_alloc, struct task_struct *task, unsigned long clone_flags)
{
	struct carried floors = {};

	if (!*(volatile __u64 *)&psc_state.sticks ||
	    !inherited(bpf_get_current_task_btf(), &floors, clone_flags & CLONE_INTO_CGROUP))
		return 0;
	return stick((__u64)task, &floors, false) ? 0 : -ENOMEM;
}

/*
 * Once more when the child has its cgroup and has not run yet: while it was made its
 * parent's cgroup may have got a floor, and the parent been moved out of it.
 */
SEC("tp_btf/task_newtask")
int BPF_PROG(psc_task_new, struct task_struct *task, unsigned long clone_flags)
{
	struct carried floors = {};

	if (*(volatile __u64 *)&psc_state.sticks &&
	    inherited(bpf_get_current_task_btf(), &floors, clone_flags & CLONE_INTO_CGROUP))
		stick_or_all((__u64)task, &floors, false);
	return 0;
}

/*
 * Entered with cgroup_mutex held, so never by two at once: the counter a CPU that
 * keeps tracing programs from nesting does not make this one be skipped. No thread
 * is born or execs meanwhile: the kernel holds cgroup_threadgroup_rwsem, or the
 * process's own lock in its place. Left out where this function cannot be traced.
 */
SEC("?fentry/cgroup_attach_task")
int BPF_PROG(psc_cg_attach, struct cgroup *to, struct task_struct *task, bool all_threads)
{
	if (is_cgroup2(to))
		stick_to(task, to, all_threads);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(psc_cg_mkdir, struct cgroup *cgroup, const char *path)
{
	struct state *state = &psc_state;

	if ((__u32)state->sections && is_cgroup2(cgroup))
		cgroup_made(state, BPF_CORE_READ(cgroup, kn));
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(psc_cg_rmdir, struct cgroup *cgroup, const char *path)
{
	struct state *state = &psc_state;

	/* One that is not being removed: a tail call from a program of somebody else's. */
	if (cgroup->self.flags & CSS_ONLINE)
		return 0;
	if (state->entries && is_cgroup2(cgroup)) {
		entry_delete(state, BPF_CORE_READ(cgroup, kn, id), cgroup->level);
		if (state->sticky)
			sticky_end(BPF_CORE_READ(cgroup, kn, id));
	}
	return 0;
}
