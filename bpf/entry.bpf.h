/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of psc_ctl that is about cgroups: whose directory it is, and its entry. */
#ifndef PSC_ENTRY_BPF_H
#define PSC_ENTRY_BPF_H

#include "cgroup.bpf.h"
#include "guard.bpf.h"
#include "task.bpf.h"

#define CGROUP2_SUPER_MAGIC 0x63677270	/* include/uapi/linux/magic.h */
#define KERNFS_DIR 1			/* include/linux/kernfs.h */
#define CSS_ONLINE 2			/* include/linux/cgroup-defs.h */
#define WRITER_TRIES 256

/*
 * Is psc_cg_move attached? Set by the loader. In a frozen map of constants, so that the
 * verifier has decided by it what psc_ctl does: writing it later changes nothing.
 */
const volatile __u32 psc_sees_moves;

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

/* The cgroup that a request is about. Return: 0 or a negative PSC_E_*. */
static __always_inline int target_of(const struct psc_request *req, struct target *ret)
{
	struct file *file = file_of(req->dir_fd);
	struct inode *inode;
	struct kernfs_node *kn;
	struct cgroup *cgroup;

	if (!file)
		return -PSC_E_BADF;
	inode = BPF_CORE_READ(file, f_inode);
	kn = BPF_CORE_READ(inode, i_private);
	if (BPF_CORE_READ(inode, i_sb, s_magic) != CGROUP2_SUPER_MAGIC ||
	    !(BPF_CORE_READ(kn, flags) & KERNFS_DIR))
		return -PSC_E_BADF;
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

/* What the path from a cgroup upwards and the global policy say. */
static __always_inline void path_read(struct cgroup *cgroup, struct state *state,
				      struct cgroup_walk *ret)
{
	ret->cgroup = cgroup;
	ret->state = state;
	ret->effective = PSC_EFFECTIVE_NONE;
	bpf_loop(CGROUPS_DEEP, probe_step, ret, 0);
	effective_add(&ret->effective, policy_read(&state->policy).word, 0);
}

/* An entry has come, or gone. */
static __always_inline void entries_add(struct state *state, __u32 level, __s32 n)
{
	if (level < PSC_CGROUP_LEVELS)
		__sync_fetch_and_add(&state->at_level[level], n);
	__sync_fetch_and_add(&state->entries, n);
}

static __always_inline void entry_delete(struct state *state, __u64 id, __u32 level)
{
	int err = bpf_map_delete_elem(&psc_cgroups, &id);

	/* Who has deleted it counts. */
	if (!err)
		entries_add(state, level, -1);
}

/*
 * Put an entry into its place. The cgroup may be removed meanwhile: either
 * psc_cg_gone finds the entry, or we find that the cgroup is no longer online.
 */
static __always_inline int entry_put(struct state *state, const struct target *target,
				     const struct cgroup_entry *entry, bool replace)
{
	__u64 id = target->id;
	int err;

	/* Users choose the names that patterns match: some room is the administrator's. */
	if (!replace && entry->origin == PSC_ORIGIN_CONFIG &&
	    state->entries >= PSC_CGROUPS_MAX / 4 * 3)
		return -PSC_E_NOSPC;
	if (replace) {
		err = bpf_map_update_elem(&psc_cgroups, &id, entry, BPF_EXIST);
	} else {
		/* Counted first: readers look only where there are any. */
		entries_add(state, target->level, 1);
		err = bpf_map_update_elem(&psc_cgroups, &id, entry, BPF_NOEXIST);
		if (err)
			entries_add(state, target->level, -1);
	}
	if (!online_cgroup(target->kn)) {
		entry_delete(state, id, target->level);
		return -PSC_E_NODEV;
	}
	return err ? -PSC_E_NOSPC : 0;
}

struct change {
	__u32 asked[8];			/* the beginning of the request, up to its replies */
	__u32 origin;
	__u64 armed;
	union psc_policy policy;	/* in and out */
	union psc_policy above;
	__u32 of_cgroup;
};

static __always_inline void change_ask(struct change *change, const struct psc_request *req)
{
	_Static_assert(__builtin_offsetof(struct psc_request, locked) <= sizeof(change->asked), "all of it");
	__builtin_memcpy(change->asked, req, sizeof(change->asked));
}

WORDS(change);

__noinline int change_make_words(change_words *words)
{
	struct change *change = (struct change *)words;

	if (!change)
		return -PSC_E_INVAL;
	return psc_policy_change(&change->policy, (const struct psc_request *)change->asked,
				 change->of_cgroup ? &change->above : NULL);
}

/* psc_policy_change(). Return: 0 or a negative PSC_E_*. */
static __always_inline int change_make(struct change *change)
{
	return change_make_words((change_words *)change);
}

/* The one writer's part of a change. */
static __always_inline int entry_change(struct state *state, const struct target *target,
					struct change *change)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	bool exists = entry_read(target->id, &entry);
	int err;

	change->policy = entry.policy;
	err = change_make(change);
	if (err)
		return err;
	entry.policy = change->policy;
	/* It could not stick to who is moved elsewhere. */
	if (!psc_sees_moves && psc_policy_locked(&entry.policy))
		return -PSC_E_OPNOTSUPP;
	if (entry.policy.word == PSC_POLICY_NONE.word) {
		if (exists)
			entry_delete(state, target->id, target->level);
		return 0;
	}
	entry.check = entry.policy.word ^ target->id;
	entry.origin = change->origin;
	entry.pad = 0;
	err = psc_policy_locked(&entry.policy) ? lock_first(state, change->armed) : 0;
	return err ? err : entry_put(state, target, &entry, exists);
}

WORDS(state);

__noinline int writer_begin_words(state_words *words)
{
	struct state *state = (struct state *)words;

	if (!state)
		return false;
	for (int i = 0; i < WRITER_TRIES; i++)
		if (__sync_val_compare_and_swap(&state->writer, 0, 1) == 0)
			return true;
	return false;
}

/*
 * One writer at a time, so that no entry is lost or comes back. A writer that was
 * preempted makes others give up for the moment.
 */
static __always_inline bool writer_begin(struct state *state)
{
	return writer_begin_words((state_words *)state);
}

static __always_inline void writer_end(struct state *state)
{
	__sync_val_compare_and_swap(&state->writer, 1, 0);
}

static __always_inline void target_reply(struct state *state, struct psc_request *req,
					 const struct target *target)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	struct cgroup_walk walk;

	entry_read(target->id, &entry);
	path_read(target->cgroup, state, &walk);
	effective_end(&walk.effective);
	req->policy.word = entry.policy.word;
	req->origin = entry.origin;
	req->effective.word = walk.effective.policy.word;
	req->cgroup = target->id;
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		req->source[mode] = walk.effective.scope_from[mode];
}

/* Answer a request with PSC_FLAG_CGROUP. Return: 0 or a negative PSC_E_*. */
static __always_inline int cgroup_request(struct state *state, struct psc_request *req)
{
	struct change change = { .of_cgroup = 1, .origin = req->origin, .armed = req->armed };
	struct cgroup_walk above;
	struct target target;
	struct cgroup *cgroup;
	int err = target_of(req, &target);

	if (err)
		return err;
	change_ask(&change, req);
	cgroup = target.cgroup;
	path_read(BPF_CORE_READ(cgroup, self.parent, cgroup), state, &above);
	change.above = above.effective.policy;
	if (req->op == PSC_OP_INFO) {
		err = change_make(&change);
	} else if (writer_begin(state)) {
		err = entry_change(state, &target, &change);
		writer_end(state);
	} else {
		err = -PSC_E_AGAIN;
	}
	target_reply(state, req, &target);
	return err;
}

#endif
