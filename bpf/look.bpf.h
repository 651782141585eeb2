/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a look around before the first floor asks besides who is there: is anybody in the
 * middle of something that a guard has let pass before it was armed?
 */
#ifndef PSC_LOOK_BPF_H
#define PSC_LOOK_BPF_H

#include "ftrace.bpf.h"
#include "guard.bpf.h"
#include "task.bpf.h"

#define PINS_MAX 4096		/* files in the directory of the pins */
#define RWSEM_WRITER_LOCKED 1		/* kernel/locking/rwsem.c */
#define SYSCTL_INODES (1U << 23)	/* as far as bpf_loop() goes; they would take 40 GB */

/*
 * kernel.ftrace_enabled, opened by the daemon, which runs the iterators; or -1, where the
 * kernel has none. Set by the loader, and as a constant decided by the verifier.
 */
const volatile __s32 psc_ftrace_fd;

/* The names of a directory of bpffs: all of them are in memory, each with its inode. */
struct pin_walk {
	__u64 node, head;	/* addresses of list nodes, whose first member is the next */
	__u64 link;		/* where the node is in a dentry */
	__u64 object;		/* the map, program or link that is looked for */
	bool found;
};

static long pin_step(__u32 i, struct pin_walk *walk)
{
	struct dentry *dentry = (void *)(walk->node - walk->link);

	if (!walk->node || walk->node == walk->head)
		return 1;
	/* Not a name that is removed already, and only waits for who has it open. */
	walk->found = (__u64)BPF_CORE_READ(dentry, d_inode, i_private) == walk->object &&
		      BPF_CORE_READ(dentry, d_hash.pprev) &&
		      (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFREG;
	if (bpf_probe_read_kernel(&walk->node, sizeof(walk->node), (void *)walk->node))
		return 1;
	return walk->found;
}

/* Has a map, program or link a pin in the guarded directory? Descriptors count like pins. */
static __always_inline bool is_pinned(const struct guarded *guard, __u64 object)
{
	struct dentry *dir = (struct dentry *)guard->dir;
	struct pin_walk walk = { .object = object };

	if (bpf_core_field_exists(dir->d_children)) {
		walk.link = bpf_core_field_offset(struct dentry, d_sib);
		walk.node = (__u64)BPF_CORE_READ(dir, d_children.first);
	} else {	/* before 6.8 */
		walk.link = bpf_core_field_offset(struct dentry, d_child);
		walk.head = (__u64)dir + bpf_core_field_offset(struct dentry, d_subdirs);
		walk.node = (__u64)BPF_CORE_READ(dir, d_subdirs.next);
	}
	bpf_loop(PINS_MAX, pin_step, &walk, 0);
	return walk.found;
}

#define ATTACH_TYPES_MAX 128	/* MAX_CGROUP_BPF_ATTACH_TYPE, include/linux/bpf-cgroup-defs.h */
#define CGROUP_PROGS_MAX 64	/* BPF_CGROUP_MAX_PROGS, include/linux/bpf.h */

/* The programs of a cgroup: for each kind an array that ends with NULL. */
struct root_walk {
	__u64 item;		/* address of the next member of the array */
	__u64 cgroup;
	struct seq_file *seq;
};

static long root_prog_step(__u32 i, struct root_walk *walk)
{
	struct psc_found_root found = {};
	struct bpf_prog_aux *aux;
	struct bpf_prog *prog;

	if (bpf_probe_read_kernel(&prog, sizeof(prog), (void *)walk->item) || !prog)
		return 1;
	walk->item += bpf_core_type_size(struct bpf_prog_array_item);
	aux = BPF_CORE_READ(prog, aux);
	if (!uses_policy_map(aux))
		return 0;
	found.id = BPF_CORE_READ(aux, id);
	found.refs = BPF_CORE_READ(aux, refcnt.counter);
	bpf_seq_write(walk->seq, &found, sizeof(found));
	return 0;
}

static long root_kind_step(__u32 i, struct root_walk *walk)
{
	struct cgroup *cgroup = (struct cgroup *)walk->cgroup;
	struct bpf_prog_array *programs = NULL;

	if (i >= bpf_core_field_size(cgroup->bpf.effective) / sizeof(programs))
		return 1;
	bpf_core_read(&programs, sizeof(programs), &cgroup->bpf.effective[i]);
	if (!programs)
		return 0;
	walk->item = (__u64)programs + bpf_core_field_offset(struct bpf_prog_array, items);
	bpf_loop(CGROUP_PROGS_MAX, root_prog_step, walk, 0);
	return 0;
}

/*
 * Does somebody hold the lock of a directory that he changes names in? Hooks are asked with
 * it held: who takes it after the guards were armed is refused. Elsewhere, as in a kernel
 * with PREEMPT_RT, locks are of another make, and this is not seen.
 */
static __always_inline bool is_changing(struct dentry *dir)
{
	struct inode *inode = BPF_CORE_READ(dir, d_inode);

	return bpf_core_field_exists(inode->i_rwsem.count) &&
	       BPF_CORE_READ(inode, i_rwsem.count.counter) & RWSEM_WRITER_LOCKED;
}

struct way_walk {
	struct mount *on;
	struct dentry *step;
	bool changing;
};

static long way_step(__u32 i, struct way_walk *walk)
{
	walk->changing = is_changing(walk->step);
	return walk->changing ? 1 : step_up(&walk->on, &walk->step);
}

/* Is anybody removing or renaming a pin, or what leads to them? */
static __always_inline bool way_is_changing(const struct guarded *guard)
{
	struct way_walk walk = {
		.on = (struct mount *)guard->mount, .step = (struct dentry *)guard->dir,
	};

	return bpf_loop(PATH_DEEP, way_step, &walk, 0) == PATH_DEEP || walk.changing;
}

/* The inodes of a sysctl: each mount of proc has one. */
struct writer_walk {
	__u64 node;		/* address of a list node, whose first member is the next */
	bool found;
};

static long inode_step(__u32 i, struct writer_walk *walk)
{
	struct proc_inode *proc =
		(void *)walk->node - bpf_core_field_offset(struct proc_inode, sibling_inodes);

	if (!walk->node)
		return 1;
	walk->found = BPF_CORE_READ(proc, vfs_inode.i_writecount.counter) > 0;
	walk->node = (__u64)BPF_CORE_READ(proc, sibling_inodes.next);
	return walk->found;
}

/*
 * Has anybody opened a sysctl for writing? The kernel lets an inode go after RCU's grace
 * period only, and puts new ones first: who opens one of those is refused by the guard.
 */
static __always_inline bool has_writer(struct ctl_table_header *sysctl)
{
	struct writer_walk walk = { .node = (__u64)BPF_CORE_READ(sysctl, inodes.first) };

	return bpf_loop(SYSCTL_INODES, inode_step, &walk, 0) == SYSCTL_INODES || walk.found;
}

/*
 * Is anybody in the middle of writing kernel.ftrace_enabled? The kernel counts who uses the
 * table that it is in, from before psc_g_sysctl is asked until it is written. Everybody may
 * read it, and never end: only root can have it open for writing, and has for as long as he
 * writes. In this order, so that who is in the middle now is so at both looks.
 * Or is that not to be seen, as the file is not that one?
 */
static __always_inline bool ftrace_is_written(void)
{
	struct ctl_table_header *sysctl;
	struct proc_inode *proc;

	if (psc_ftrace_fd < 0)
		return false;
	proc = ftrace_inode(psc_ftrace_fd);
	if (!proc)
		return true;
	sysctl = BPF_CORE_READ(proc, sysctl);
	return BPF_CORE_READ(sysctl, used) && has_writer(sysctl);
}

#endif
