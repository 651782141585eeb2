/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks over tasks: ancestry, and a number of a pid namespace to its task. */
#ifndef PSC_TASK_BPF_H
#define PSC_TASK_BPF_H

#include "maps.bpf.h"
#include "ptracescope.h"

/* The open file behind a descriptor of the caller. */
static __always_inline struct file *file_of(int fd)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(self, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return NULL;
	return file;
}

/* Is the task still found by its pid? One that is being freed is not. */
static __always_inline bool is_hashed(struct task_struct *task)
{
	__u64 own = (__u64)task + bpf_core_field_offset(struct task_struct, pid_links);

	/* A fork that fails is freed with its parent's pid. */
	return task->thread_pid && (__u64)task->thread_pid->tasks[0].first == own;
}

#define PF_EXITING 0x00000004	/* include/linux/sched.h */
#define THREADS_MAX PSC_RELATIONS_MAX

struct living_walk {
	__u64 node, head;	/* addresses of list_heads */
	__u64 task;
};

static long living_step(__u32 i, struct living_walk *walk)
{
	struct list_head *node = (void *)walk->node;
	struct task_struct *task;

	if (!walk->node || walk->node == walk->head)
		return 1;
	task = (void *)(walk->node - bpf_core_field_offset(struct task_struct, thread_node));
	if (!(BPF_CORE_READ(task, flags) & PF_EXITING)) {
		walk->task = (__u64)task;
		return 1;
	}
	walk->node = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

/* A thread that is not exiting, of the process with these signals; 0 for none. */
GLOBAL __u64 living_of(one_word *address)
{
	struct signal_struct *signal = address ? (void *)(*address)[0] : NULL;
	struct living_walk walk = {
		.head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head),
		.node = (__u64)BPF_CORE_READ(signal, thread_head.next),
	};

	bpf_loop(THREADS_MAX, living_step, &walk, 0);
	return walk.task;
}

/* The task; where it is exiting, a thread of its process that is not, if there is one. */
static __always_inline struct task_struct *living_thread(struct task_struct *task)
{
	__u64 signal, other = 0;

	if (BPF_CORE_READ(task, flags) & PF_EXITING) {
		signal = (__u64)BPF_CORE_READ(task, signal);
		other = living_of((one_word *)&signal);
	}
	return other ? (struct task_struct *)other : task;
}

/* No chain of parents is longer than there are pids. */
#define ANCESTORS_MAX PSC_RELATIONS_MAX

struct ancestor_walk {
	struct task_struct *leader;	/* the thread-group leader reached so far */
	__u64 ancestor;			/* the one looked for */
	bool found;
};

/*
 * The only walk whose pointers are typed: it is the one that may be long. Above the idle
 * task is the idle task.
 */
static long ancestor_step(__u32 i, struct ancestor_walk *walk)
{
	struct task_struct *leader = walk->leader;

	if ((__u64)leader == walk->ancestor) {
		walk->found = true;
		return 1;
	}
	leader = leader->real_parent->group_leader;
	walk->leader = leader;
	return leader->pid == 0;
}

/**
 * is_descendant - is a task the given process or one of its descendants?
 * @task: where the walk up begins, any thread
 * @ancestor: address of the thread-group leader looked for
 *
 * task_is_descendant() of security/yama/yama_lsm.c. Running into the bound
 * means "no".
 */
LOCAL bool is_descendant(struct task_struct *task, __u64 ancestor)
{
	struct ancestor_walk walk = { .leader = task->group_leader, .ancestor = ancestor };

	bpf_loop(ANCESTORS_MAX, ancestor_step, &walk, 0);
	return walk.found;
}

/*
 * For questions that everybody may ask: of so many ancestors, or threads before the first one
 * that lives, whoever has made them can have any number.
 */
#define LOOKED_AT_MAX 2048

static long up_step(__u32 i, __u64 *leader)
{
	*leader = (__u64)BPF_CORE_READ((struct task_struct *)*leader, real_parent, group_leader);
	return BPF_CORE_READ((struct task_struct *)*leader, pid) == 0;
}

/* Does it take long to look at what a process descends from, or at its threads? */
LOCAL bool is_long(struct task_struct *task)
{
	__u64 leader = (__u64)BPF_CORE_READ(task, group_leader);

	return BPF_CORE_READ(task, signal, nr_threads) > LOOKED_AT_MAX &&
	       BPF_CORE_READ((struct task_struct *)leader, flags) & PF_EXITING ? true :
	       bpf_loop(LOOKED_AT_MAX, up_step, &leader, 0) >= LOOKED_AT_MAX;
}

/*
 * Entries of an xarray, include/linux/xarray.h: the low two bits of an inner
 * node's address are 10; small numbers so tagged are marks such as "retry".
 */
#define XA_INTERNAL(entry) (((entry) & 3) == 2)
#define XA_NODE(entry) (XA_INTERNAL(entry) && (entry) > 4096)
#define XA_LEVELS_MAX 11	/* 64 bits in steps of 6 */
#define XA_RETRIES 4

/*
 * The pointer that is kept for a number, 0 for none. __radix_tree_lookup() of lib/radix-tree.c.
 * @entry: the head of the tree
 */
static __always_inline __u64 idr_find_once(__u64 entry, __u64 index, bool *retry)
{
	const __u64 slots = bpf_core_field_size(((struct xa_node *)0)->slots) / sizeof(void *);
	bool root = true;

	*retry = false;
	for (int i = 0; i < XA_LEVELS_MAX; i++) {
		struct xa_node *node = (void *)(entry - 2);
		__u8 shift;

		if (!XA_NODE(entry))
			break;
		shift = BPF_CORE_READ(node, shift) & 63;
		if (root && (index >> shift) >= slots)
			return 0;
		root = false;
		bpf_core_read(&entry, sizeof(entry),
			      &node->slots[(index >> shift) & (slots - 1)]);
		index &= (1ULL << shift) - 1;
		if (shift == 0)
			break;
	}
	if (XA_INTERNAL(entry)) {
		*retry = true;
		return 0;
	}
	/* A lone entry without a node sits at index 0. */
	return root && index ? 0 : entry;
}

/*
 * The same, once more where the tree has changed meanwhile, for those who do not mind a call.
 * The verifier goes through this once, not once for each time it is used.
 * @idr: the address of one
 */
GLOBAL __u64 idr_find(one_word *idr, __u64 index)
{
	struct idr *tree = idr ? (struct idr *)(*idr)[0] : NULL;

	for (int i = 0; i < XA_RETRIES; i++) {
		bool retry;
		__u64 found = idr_find_once((__u64)BPF_CORE_READ(tree, idr_rt.xa_head), index, &retry);

		if (!retry)
			return found;
	}
	return 0;
}

/* task_active_pid_ns(): the namespace of a task's own innermost number; NULL without one. */
static __always_inline struct pid_namespace *pid_ns_of(struct task_struct *task)
{
	struct pid *own = BPF_CORE_READ(task, thread_pid);
	struct pid_namespace *ns;
	__u32 level;

	if (!own)
		return NULL;
	level = BPF_CORE_READ(own, level);
	bpf_probe_read_kernel(&ns, sizeof(ns),
			      (void *)own + bpf_core_field_offset(struct pid, numbers) +
			      level * bpf_core_type_size(struct upid) +
			      bpf_core_field_offset(struct upid, ns));
	return ns;
}

/* The first task that has a number; of those of one pid that is the one. */
static __always_inline __u64 task_of_pid(struct pid *pid)
{
	struct hlist_node *first = pid ? BPF_CORE_READ(pid, tasks[0].first) : NULL; /* PIDTYPE_PID */

	return first ? (__u64)first - bpf_core_field_offset(struct task_struct, pid_links) : 0;
}

/**
 * task_by_vpid - the task with this number in the caller's pid namespace
 * @nr: pid of a process or a thread
 *
 * find_task_by_vpid() of kernel/pid.c, read with CO-RE because the kfunc
 * bpf_task_from_vpid() is younger than our oldest kernel. The caller is inside
 * an RCU read-side section, so the task lives until the program ends.
 *
 * Return: the task's address, 0 when there is none.
 */
static __always_inline __u64 task_by_vpid(int nr)
{
	struct pid_namespace *ns = nr > 0 ? pid_ns_of(bpf_get_current_task_btf()) : NULL;
	struct pid *pid = NULL;
	__u64 index;

	if (!ns)
		return 0;
	index = (__u64)nr - BPF_CORE_READ(ns, idr.idr_base);
	for (int i = 0; i < XA_RETRIES; i++) {
		bool retry;

		pid = (struct pid *)idr_find_once((__u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head),
						  index, &retry);
		if (!retry)
			break;
	}
	return task_of_pid(pid);
}

/* The task with this number in the viewer's pid namespace; NULL: there is none. */
static __always_inline struct task_struct *task_seen_by(struct task_struct *viewer, int nr)
{
	struct pid_namespace *ns = nr > 0 ? pid_ns_of(viewer) : NULL;
	one_word idr = { (__u64)ns + bpf_core_field_offset(struct pid_namespace, idr) };

	if (!ns)
		return NULL;
	return (struct task_struct *)task_of_pid((struct pid *)
		idr_find(&idr, (__u64)nr - BPF_CORE_READ(ns, idr.idr_base)));
}

#endif
