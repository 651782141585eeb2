/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of psc_ctl that is about cgroups: whose directory it is, and its entry. */
#ifndef PSC_ENTRY_BPF_H
#define PSC_ENTRY_BPF_H

#include "anchor.bpf.h"
#include "cgroup.bpf.h"
#include "find.bpf.h"
#include "guard.bpf.h"
#include "task.bpf.h"

#define CGROUP2_SUPER_MAGIC 0x63677270	/* include/uapi/linux/magic.h */
#define WRITER_TRIES 256
#define ADD_TRIES 8

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
	effective_add(ret, floors_alone(&psc_state.lost), 0);
	effective_add(ret, policy_read(&psc_state.policy).word, 0);
}

/* An entry has come, or gone. */
static __always_inline void entries_add(struct state *state, __u32 level, __s32 n)
{
	/* The compiler may know that it is; the verifier of 6.1 has to see it here. */
	barrier_var(level);
	if (level < PSC_CGROUP_LEVELS)
		__sync_fetch_and_add(&state->at_level[level], n);
	__sync_fetch_and_add(&state->entries, n);
}

/* Eight levels, each of which is a byte. */
static long add_step(__u32 i, __u64 *level)
{
	union {
		__u64 word;
		__u8 bytes[8];
	} old, new;
	__u64 *words = (__u64 *)psc_state.next_level, *word;
	__u32 first = i / ADD_TRIES * 8;

	if (first >= PSC_CGROUP_LEVELS)
		return 1;
	word = &words[first / 8];
	old.word = *(volatile __u64 *)word;
	new = old;
#pragma unroll
	for (__u32 j = 0; j < 8; j++)
		if (first + j >= *level && new.bytes[j] < *level)
			new.bytes[j] = *level;
	if (new.word != old.word)
		__sync_val_compare_and_swap(word, old.word, new.word);
	return 0;
}

/*
 * Let those who walk up a path look at this level as well. No level is taken back. Two do
 * it at once at most, a writer and who makes a cgroup: tried so often, it is done.
 */
static __always_inline void level_add(__u64 level)
{
	bpf_loop(PSC_CGROUP_LEVELS / 8 * ADD_TRIES, add_step, &level, 0);
}

static __always_inline void share_give(struct state *state, __u32 share)
{
	if (share)
		__sync_fetch_and_add(&state->shares[(share - 1) & (PSC_SHARES - 1)], -1);
}

/* Return: 0, or -PSC_E_AGAIN when it is still there. */
static __always_inline int entry_delete(struct state *state, __u64 id, __u32 level)
{
	struct cgroup_entry *entry = bpf_map_lookup_elem(&psc_cgroups, &id);
	__u32 share;
	int err;

	if (!entry)
		return 0;
	share = entry->share;
	/* Before it is another's, which the barrier in this sees to. */
	__sync_val_compare_and_swap(&entry->id, id, 0);
	err = bpf_map_delete_elem(&psc_cgroups, &id);
	if (!err) {	/* who has deleted it counts */
		entries_add(state, level, -1);
		share_give(state, share);
	} else if (err != -ENOENT) {
		__sync_val_compare_and_swap(&entry->id, 0, id);
		return -PSC_E_AGAIN;
	}
	return 0;
}

/* Users choose the names that patterns match: some room is the administrator's. */
static __always_inline bool has_room(const struct state *state, __u32 origin)
{
	return state->entries < (origin == PSC_ORIGIN_CONFIG ? PSC_CGROUPS_MAX / 4 * 3 :
							       PSC_CGROUPS_MAX);
}

/*
 * Put an entry into its place. The cgroup may be removed meanwhile: either
 * psc_cg_gone finds the entry, or we find that the cgroup is no longer online.
 */
static __always_inline int entry_put(struct state *state, const struct target *target,
				     const struct cgroup_entry *entry, bool replace)
{
	__u64 id = target->id;
	struct cgroup_entry *now;
	int err = 0;

	/* Never taken back: readers look only at what entries may speak of. */
	__sync_fetch_and_or(&state->spoken.word, psc_policy_spoken(&entry->policy).word);
	if (replace) {
		now = bpf_map_lookup_elem(&psc_cgroups, &id);
		if (now) {
			*(volatile __u64 *)&now->policy.word = entry->policy.word;
			now->origin = entry->origin;
		}
	} else {
		/* Counted first: readers look only where there are any. */
		level_add(target->level);
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
	__u32 asked[12];		/* the beginning of the request, up to its replies */
	union psc_policy policy;	/* in and out */
	union psc_policy above;
};

static __always_inline void change_ask(struct change *change, const struct psc_request *req)
{
	_Static_assert(__builtin_offsetof(struct psc_request, locked) == sizeof(change->asked),
		       "all of it");
	__builtin_memcpy(change->asked, req, sizeof(change->asked));
}

WORDS(change);

__noinline int change_make_words(change_words *words)
{
	struct change *change = (struct change *)words;

	if (!change)
		return -PSC_E_INVAL;
	return psc_policy_change(&change->policy, (const struct psc_request *)change->asked,
				 &change->above);
}

/* psc_policy_change(). Return: 0 or a negative PSC_E_*. */
static __always_inline int change_make(struct change *change)
{
	return change_make_words((change_words *)change);
}

/* The one writer's part of a change. */
static __always_inline int entry_change(struct state *state, const struct target *target,
					const struct psc_request *req)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	bool exists = entry_read(target->id, &entry);
	struct change change = { .policy = entry.policy };
	struct psc_effective above;
	int err;

	path_read(target, target->level - 1, &above);
	effective_end(&above);
	change.above = above.policy;
	change_ask(&change, req);
	err = change_make(&change);
	if (err || req->op == PSC_OP_INFO)
		return err;
	entry.policy = change.policy;
	/* It could not stick to who is moved elsewhere. */
	if (!psc_sees_moves && psc_policy_locked(&entry.policy))
		return -PSC_E_OPNOTSUPP;
	if (entry.policy.word == PSC_POLICY_NONE.word)
		return exists ? entry_delete(state, target->id, target->level) : 0;
	/* Before anything is locked for nothing. */
	if (!exists && !has_room(state, req->origin))
		return -PSC_E_NOSPC;
	entry.id = target->id;
	entry.origin = req->origin;
	entry.share = 0;
	err = psc_policy_locked(&entry.policy) ? lock_first(state, req->armed) : 0;
	if (!err)
		err = highest_note(state, &entry.policy);
	return err ? err : entry_put(state, target, &entry, exists);
}

static long writer_step(__u32 i, bool *won)
{
	*won = __sync_val_compare_and_swap(&psc_state.writer, 0, 1) == 0;
	return *won;
}

/*
 * One writer at a time, so that a change is one step, of the global policy and of entries.
 * A writer that was preempted makes others give up for the moment.
 */
static __always_inline bool writer_begin(void)
{
	bool won = false;

	bpf_loop(WRITER_TRIES, writer_step, &won, 0);
	return won;
}

static __always_inline void writer_end(void)
{
	__sync_val_compare_and_swap(&psc_state.writer, 1, 0);
}

static __always_inline void target_reply(struct psc_request *req, const struct target *target)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	struct psc_effective effective;

	entry_read(target->id, &entry);
	path_read(target, target->level, &effective);
	effective_end(&effective);
	req->policy.word = entry.policy.word;
	req->origin = entry.origin;
	req->effective.word = effective.policy.word;
	req->cgroup = target->id;
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		req->source[mode] = effective.scope_from[mode];
}

/*
 * Answer a request with PSC_FLAG_CGROUP. What is above is read, and the change made, by the
 * one writer, so that no floor comes above in between. Return: 0 or a negative PSC_E_*.
 */
static __always_inline int cgroup_request(struct state *state, struct psc_request *req)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	struct target target;
	int err = target_of(req, &target);

	if (err)
		return err;
	if (req->op == PSC_OP_INFO) {
		err = psc_request_check(req);
	} else if (writer_begin()) {
		entry_read(target.id, &entry);
		req->before.word = entry.policy.word;
		err = entry_change(state, &target, req);
		writer_end();
	} else {
		err = -PSC_E_AGAIN;
	}
	target_reply(req, &target);
	return err;
}

#endif
