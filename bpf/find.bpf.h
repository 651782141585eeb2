/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups by their ids and names, found in the kernel's own structures. All of it is read as
 * plain memory while others may change it, so what is found is looked at again by its id:
 * none is given twice.
 */
#ifndef PSC_FIND_BPF_H
#define PSC_FIND_BPF_H

#include "cgroup.bpf.h"
#include "share.bpf.h"
#include "cgroup_facts.bpf.h"
#include "task.bpf.h"

#define KERNFS_DIR 1			/* include/linux/kernfs.h */
#define KERNFS_ACTIVATED 0x10
#define CSS_ONLINE 2			/* include/linux/cgroup-defs.h */

#define FIND_TRIES 4			/* a directory changed meanwhile */
#define FIND_DEEP 128			/* a tree of 2^64 names is not deeper */
#define FIND_STEPS 1024			/* children looked at in one run, those that are gone included */

static __always_inline struct cgroup *root_cgroup(void)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct cgroup *own = BPF_CORE_READ(self, cgroups, dfl_cgrp), *root = NULL;

	bpf_core_read(&root, sizeof(root), &own->ancestors[0]);
	return root;
}

/*
 * The cgroup that has, or had, this id, as long as the kernel keeps it; 0: the root.
 * kernfs_find_and_get_node_by_id() of fs/kernfs/dir.c.
 */
LOCAL struct cgroup *cgroup_by_id(__u64 id)
{
	struct cgroup *root = root_cgroup();
	struct kernfs_root *kf_root = BPF_CORE_READ(root, root, kf_root);
	one_word idr = { (__u64)kf_root + bpf_core_field_offset(struct kernfs_root, ino_idr) };
	struct kernfs_node *kn;

	if (!id)
		return root;
	kn = (struct kernfs_node *)idr_find(&idr, (__u32)id);
	if (!kn || BPF_CORE_READ(kn, id) != id || !(BPF_CORE_READ(kn, flags) & KERNFS_DIR))
		return NULL;
	return BPF_CORE_READ(kn, priv);
}

static __always_inline bool is_online(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, self.flags) & CSS_ONLINE;
}

/* Can it be seen by everybody? One that is online and cannot is being made. */
static __always_inline bool is_visible(struct cgroup *cgroup)
{
	return is_online(cgroup) && BPF_CORE_READ(cgroup, kn, flags) & KERNFS_ACTIVATED;
}

static __always_inline bool is_child_of(struct cgroup *cgroup, struct cgroup *parent)
{
	__u32 level = BPF_CORE_READ(cgroup, level);
	struct cgroup *above = NULL;

	if (!level)
		return false;
	bpf_core_read(&above, sizeof(above), &cgroup->ancestors[level - 1]);
	return above == parent;
}

typedef __u64 name_words[PSC_NAME_BYTES / sizeof(__u64)];

struct name_walk {
	const char *wanted;
	__u64 name;
	int order;
};

static long name_step(__u32 i, struct name_walk *walk)
{
	__u8 wanted = walk->wanted[i & (PSC_NAME_BYTES - 1)], c;

	if (bpf_probe_read_kernel(&c, sizeof(c), (void *)walk->name + i))
		c = 0;
	walk->order = (int)wanted - c;
	return walk->order || !c;
}

/* Is what is wanted before a name, or behind it? 0: it is the name. */
GLOBAL int name_order(name_words *wanted, __u64 name)
{
	struct name_walk walk = { .wanted = (const char *)wanted, .name = name, .order = -1 };

	if (!wanted)
		return -1;
	bpf_loop(PSC_NAME_BYTES, name_step, &walk, 0);
	return walk.order;
}

struct tree_walk {
	name_words *wanted;
	__u64 node;		/* address of an rb_node */
	__u64 found;		/* of a kernfs_node */
	__u32 hash;
};

/* kernfs_find_ns() of fs/kernfs/dir.c: by hash, then by name. Cgroups have no namespaces there. */
static long tree_step(__u32 i, struct tree_walk *walk)
{
	struct rb_node *node = (struct rb_node *)walk->node;
	struct kernfs_node *kn = (void *)node - bpf_core_field_offset(struct kernfs_node, rb);
	__u32 hash;
	int order;

	if (!node)
		return 1;
	hash = BPF_CORE_READ(kn, hash);
	if (hash != walk->hash)
		order = walk->hash < hash ? -1 : 1;
	else
		order = name_order(walk->wanted, (__u64)BPF_CORE_READ(kn, name));
	if (!order) {
		walk->found = (__u64)kn;
		return 1;
	}
	walk->node = order < 0 ? (__u64)BPF_CORE_READ(node, rb_left) :
				 (__u64)BPF_CORE_READ(node, rb_right);
	return 0;
}

GLOBAL int child_words(name_words *wanted, __u32 hash, __u64 parent, __u64 *ret)
{
	struct cgroup *above = (struct cgroup *)parent, *cgroup;
	struct kernfs_node *dir = BPF_CORE_READ(above, kn), *kn;
	__u64 id;

	if (!wanted || !ret)
		return -PSC_E_INVAL;
	for (int i = 0; i < FIND_TRIES; i++) {
		unsigned long rev = BPF_CORE_READ(dir, dir.rev);
		struct tree_walk walk = { .wanted = wanted, .hash = hash };

		walk.node = (__u64)BPF_CORE_READ(dir, dir.children.rb_node);
		bpf_loop(FIND_DEEP, tree_step, &walk, 0);
		kn = (struct kernfs_node *)walk.found;
		id = kn ? BPF_CORE_READ(kn, id) : 0;
		cgroup = id ? cgroup_by_id(id) : NULL;
		if (cgroup && is_child_of(cgroup, above) && is_visible(cgroup) &&
		    !name_order(wanted, (__u64)BPF_CORE_READ(cgroup, kn, name))) {
			*ret = id;
			return 0;
		}
		read_barrier();
		if (rev == BPF_CORE_READ(dir, dir.rev))
			return -PSC_E_NOENT;
	}
	return -PSC_E_AGAIN;
}

struct list_walk {
	__u64 node, head;	/* addresses of list_heads */
	__u64 after;		/* what has this number or a lower one is passed by */
	__u64 id, serial;	/* the last one looked at */
	__u64 making;		/* the one that is being made, or 0 */
	__u32 n;
	__u32 ended;
};

static long list_step(__u32 i, struct list_walk *walk)
{
	struct list_head *node = (struct list_head *)walk->node;
	struct cgroup_subsys_state *css =
		(void *)node - bpf_core_field_offset(struct cgroup_subsys_state, sibling);
	struct cgroup *cgroup = (void *)css - bpf_core_field_offset(struct cgroup, self);
	struct psc_found *found = bpf_map_lookup_elem(&psc_found, &(__u32){ 0 });
	struct psc_found_cgroup *one;
	__u64 id;

	if (!found || !node || walk->node == walk->head) {
		walk->ended = 1;
		return 1;
	}
	if (walk->n >= PSC_FOUND_MAX)
		return 1;
	id = BPF_CORE_READ(cgroup, kn, id);
	walk->id = id;
	walk->serial = BPF_CORE_READ(css, serial_nr);
	walk->node = (__u64)BPF_CORE_READ(node, next);
	if (walk->serial <= walk->after)
		return 0;
	if (!is_visible(cgroup)) {
		if (is_online(cgroup))
			walk->making = id;
		return 0;
	}
	one = &found->cgroups[walk->n & (PSC_FOUND_MAX - 1)];
	one->id = id;
	one->serial = walk->serial;
	bpf_probe_read_kernel_str(one->name, sizeof(one->name), BPF_CORE_READ(cgroup, kn, name));
	walk->n++;
	return 0;
}

static __always_inline int find_children(struct psc_find_request *req, struct cgroup *parent)
{
	/* What begins with 0 is the caller's: see glob_words(). */
	struct list_walk walk = {
		.head = (__u64)parent + bpf_core_field_offset(struct cgroup, self.children),
		.after = req->serial, .id = req->id, .serial = req->serial,
		.making = req->source[0], .n = req->n, .ended = req->more,
	};
	struct cgroup *last = req->id ? cgroup_by_id(req->id) : NULL;

	/* Where the last one has gone: from the beginning, up to its number. */
	walk.node = last && is_child_of(last, parent) ?
		(__u64)BPF_CORE_READ(last, self.sibling.next) :
		(__u64)BPF_CORE_READ(parent, self.children.next);
	bpf_loop(FIND_STEPS, list_step, &walk, 0);
	req->id = walk.id;
	/* Not back behind what the caller has seen, where it began anew. */
	if (walk.serial > req->serial)
		req->serial = walk.serial;
	req->source[0] = walk.making;
	req->n = walk.n;
	req->more = !walk.ended;
	return 0;
}

/* Its name, and what it is in; the root has neither. */
static __always_inline int find_name(struct psc_find_request *req, struct cgroup *cgroup,
				     struct psc_found_cgroup *ret)
{
	__u32 level = BPF_CORE_READ(cgroup, level);

	if (!level || level >= PSC_CGROUP_LEVELS || !is_online(cgroup))
		return -PSC_E_NOENT;
	if (!is_visible(cgroup))
		return -PSC_E_INPROGRESS;
	req->left = !!delegated_above(cgroup, level);
	bpf_probe_read_kernel_str(ret->name, sizeof(ret->name), BPF_CORE_READ(cgroup, kn, name));
	req->id = ancestor_id((__u64)cgroup, level - 1);
	return 0;
}

/* Is it not in the cgroup of this id? 0 is none. */
GLOBAL int is_outside(__u64 cgroup, __u64 id)
{
	return id == PSC_SOURCE_SEVERAL || (id && !is_inside((struct cgroup *)cgroup, id));
}

/* What is in effect for a process in the cgroup. */
LOCAL int find_process(struct psc_find_request *req, struct cgroup *place)
{
	struct task_struct *task = (struct task_struct *)task_by_vpid(req->pid);
	struct psc_effective effective;
	struct cgroup *cgroup;
	__u32 modes = 0;

	if (!task)
		return -PSC_E_SRCH;
	if (is_long(task))
		return -PSC_E_2BIG;
	cgroup = cgroup_of(task);
	if (cgroup != place)
		return -PSC_E_SRCH;
	effective_of_task(task, &effective, NULL);
	req->effective.word = effective.policy.word;
#pragma unroll
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u64 from = effective.scope_from[mode];

		modes |= (is_outside((__u64)cgroup, from) & 1) << mode;
		req->source[mode] = from;
	}
	req->left = modes;
	return 0;
}

static __always_inline int find(struct psc_find_request *req)
{
	struct psc_found *found = bpf_map_lookup_elem(&psc_found, &(__u32){ 0 });
	struct cgroup *parent = cgroup_by_id(req->parent);
	__u64 id = 0;
	int err;

	if (req->abi != PSC_ABI || req->op > PSC_FIND_PROCESS || !found)
		return -PSC_E_INVAL;
	if (!parent)
		return -PSC_E_NODEV;
	if (req->op == PSC_FIND_NAME)
		return find_name(req, parent, &found->cgroups[0]);
	if (req->op == PSC_FIND_PROCESS)
		return find_process(req, parent);
	if (req->op == PSC_FIND_CHILDREN)
		return find_children(req, parent);
	/* Into a map, as the stack has no room. */
	__builtin_memcpy(found->cgroups[0].name, req->name, sizeof(req->name));
	err = child_words((name_words *)found->cgroups[0].name, req->hash, (__u64)parent, &id);
	req->id = id;
	return err;
}

#endif
