/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup that a request to psc_ctl is about, found by its id or by a directory. */
#ifndef PSC_TARGET_BPF_H
#define PSC_TARGET_BPF_H

#include "cgroup.bpf.h"
#include "find.bpf.h"
#include "task.bpf.h"

#define CGROUP2_SUPER_MAGIC 0x63677270	/* include/uapi/linux/magic.h */

struct target {
	struct kernfs_node *kn;
	struct cgroup *cgroup;
	__u64 id;
	__u32 level;
};

/* The cgroup of a directory that we have open; NULL when it has been removed. */
static __always_inline struct cgroup *online_cgroup(struct kernfs_node *kn)
{
	struct cgroup *cgroup = BPF_CORE_READ(kn, priv);

	return cgroup && BPF_CORE_READ(cgroup, self.flags) & CSS_ONLINE ? cgroup : NULL;
}

/* The directory of the cgroup that a request is about. Return: 0 or a negative PSC_E_*. */
static __always_inline int node_of(const struct psc_request *req, struct kernfs_node **ret)
{
	struct cgroup *cgroup;
	struct inode *inode;
	struct file *file;

	if (req->cgroup) {
		cgroup = cgroup_by_id(req->cgroup);
		if (!cgroup || !is_visible(cgroup))
			return -PSC_E_NODEV;
		*ret = BPF_CORE_READ(cgroup, kn);
		return 0;
	}
	file = file_of(req->dir_fd);
	if (!file)
		return -PSC_E_BADF;
	inode = BPF_CORE_READ(file, f_inode);
	*ret = BPF_CORE_READ(inode, i_private);
	return BPF_CORE_READ(inode, i_sb, s_magic) == CGROUP2_SUPER_MAGIC &&
	       BPF_CORE_READ(*ret, flags) & KERNFS_DIR ? 0 : -PSC_E_BADF;
}

/* The cgroup that a request is about. Return: 0 or a negative PSC_E_*. */
static __always_inline int target_of(const struct psc_request *req, struct target *ret)
{
	struct kernfs_node *kn;
	struct cgroup *cgroup;
	int err = node_of(req, &kn);

	if (err)
		return err;
	cgroup = online_cgroup(kn);
	if (!cgroup)
		return -PSC_E_NODEV;
	ret->kn = kn;
	ret->cgroup = cgroup;
	ret->id = BPF_CORE_READ(kn, id);
	ret->level = BPF_CORE_READ(cgroup, level);
	if (!ret->level)
		return -PSC_E_INVAL;
	if (ret->level >= PSC_CGROUP_LEVELS)
		return -PSC_E_NAMETOOLONG;
	if (BPF_CORE_READ(cgroup, dom_cgrp) != cgroup)
		return -PSC_E_OPNOTSUPP;
	return 0;
}

/* What the path from the target upwards, from that level on, and the global policy say. */
static __always_inline void path_read(const struct target *target, __u32 level,
				      struct psc_effective *ret)
{
	*ret = PSC_EFFECTIVE_NONE;
	path_add(ret, target->cgroup, level);
	effective_add(ret, floors_alone(&psc_state.floors_for_all), 0);
	effective_add(ret, policy_read(&psc_state.policy).word, 0);
}

#endif
