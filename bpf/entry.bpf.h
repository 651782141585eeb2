/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of psc_ctl that is about cgroups: the entry of one, and how it is changed. */
#ifndef PSC_ENTRY_BPF_H
#define PSC_ENTRY_BPF_H

#include "anchor.bpf.h"
#include "cgroup.bpf.h"
#include "find.bpf.h"
#include "guard.bpf.h"
#include "share.bpf.h"
#include "cgroup_facts.bpf.h"
#include "target.bpf.h"

#define WRITER_TRIES 256
#define ADD_TRIES 8

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

/* What is counted there could be too low by any number of entries: see bpf/recount.bpf.h. */
static __always_inline void level_lock(struct state *state, __u32 level)
{
	barrier_var(level);
	if (level < PSC_CGROUP_LEVELS && state->at_level[level] <= PSC_CGROUPS_MAX)
		__sync_fetch_and_add(&state->at_level[level], PSC_CGROUPS_MAX);
}

static __always_inline void share_give(struct state *state, __u32 share)
{
	if (share)
		__sync_fetch_and_add(&state->shares[(share - 1) & (PSC_SHARES - 1)], -1);
}

/*
 * Take an entry for oneself: with SERIAL_HELD to change it, with 0 to delete it. Only one can.
 * One that is taken, or being made, is deleted by who does that, if its cgroup is gone.
 *
 * Return: the serial that it had; 0 when it cannot be taken.
 */
static __always_inline __u64 entry_take(struct cgroup_entry *entry, __u64 id, __u64 mark)
{
	__u64 serial = *(volatile __u64 *)&entry->serial, taken = mark ? serial | mark : 0;

	read_barrier();
	/* If the element is used for another cgroup by then, it has another serial. */
	if (!serial || serial & SERIAL_MARKS ||
	    *(volatile __u64 *)&entry->id != id ||
	    __sync_val_compare_and_swap(&entry->serial, serial, taken) != serial)
		return 0;
	return serial;
}

/* Return: 0, or -PSC_E_AGAIN when it is still there. */
static __always_inline int entry_delete(struct state *state, __u64 id, __u32 level)
{
	struct cgroup_entry *entry = bpf_map_lookup_elem(&psc_cgroups, &id);
	__u64 serial = entry ? entry_take(entry, id, 0) : 0;
	__u32 share;
	int err;

	if (!serial)
		return 0;
	share = entry->share;
	err = bpf_map_delete_elem(&psc_cgroups, &id);
	if (err) {
		__sync_val_compare_and_swap(&entry->serial, 0, serial);
		return -PSC_E_AGAIN;
	}
	entries_add(state, level, -1);
	share_give(state, share);
	return 0;
}

/* Users choose the names that patterns match: some room is the administrator's. */
static __always_inline bool has_room(const struct state *state, __u32 origin)
{
	return state->entries < (origin == PSC_ORIGIN_CONFIG ? PSC_CGROUPS_MAX / 4 * 3 :
							       PSC_CGROUPS_MAX);
}

/* Change the one that is there. Return: 0, or -PSC_E_AGAIN when somebody else has taken it. */
static __always_inline int entry_write(__u64 id, const struct cgroup_entry *with)
{
	struct cgroup_entry *entry = bpf_map_lookup_elem(&psc_cgroups, &id);
	__u64 serial = entry ? entry_take(entry, id, SERIAL_HELD) : 0;

	if (!serial)
		return -PSC_E_AGAIN;
	*(volatile __u64 *)&entry->policy.word = with->policy.word;
	entry->origin = with->origin;
	__sync_val_compare_and_swap(&entry->serial, serial | SERIAL_HELD, serial);
	return 0;
}

/*
 * Make a new one, which nobody goes by before all of it is there.
 * Return: 0 or a negative PSC_E_*.
 */
static __always_inline int entry_make(__u64 id, struct cgroup_entry *with)
{
	__u64 serial = next_serial();
	struct cgroup_entry *entry;
	int err;

	/* Before the first floor it may have been written: see bpf/recount.bpf.h. */
	if (!serial || serial & SERIAL_MARKS)
		return -PSC_E_AGAIN;
	with->serial = serial | SERIAL_BEING_MADE;
	err = bpf_map_update_elem(&psc_cgroups, &id, with, BPF_NOEXIST);
	entry = err ? NULL : bpf_map_lookup_elem(&psc_cgroups, &id);
	if (entry)
		__sync_val_compare_and_swap(&entry->serial, serial | SERIAL_BEING_MADE, serial);
	return err ? -PSC_E_NOSPC : 0;
}

/*
 * Put an entry into its place. The cgroup may be removed meanwhile: either
 * psc_cg_rmdir finds the entry, or we find that the cgroup is no longer online.
 */
static __always_inline int entry_put(struct state *state, const struct target *target,
				     struct cgroup_entry *entry, bool replace)
{
	__u64 id = target->id;
	int err = 0;

	/* Never taken back: readers look only at what entries may speak of, and where. */
	__sync_fetch_and_or(&state->modes_used.word, psc_policy_modes_used(&entry->policy).word);
	level_add(target->level);
	if (psc_policy_locked(&entry->policy))
		level_lock(state, target->level);
	if (replace) {
		err = entry_write(id, entry);
	} else {
		/* Counted first: readers look only where there are any. */
		entries_add(state, target->level, 1);
		err = entry_make(id, entry);
		if (err)
			entries_add(state, target->level, -1);
	}
	if (!online_cgroup(target->kn)) {
		entry_delete(state, id, target->level);
		return -PSC_E_NODEV;
	}
	return err;
}

/*
 * A new entry by a section takes one of the share of the subtree that its cgroup is in, also
 * at a reload, which finds all the cgroups that somebody has made before.
 * Return: 0 or -PSC_E_NOSPC.
 */
static __always_inline int entry_share(struct cgroup_entry *entry, const struct target *target,
				       const struct psc_request *req)
{
	int share;

	entry->share = 0;
	if (req->origin != PSC_ORIGIN_CONFIG)
		return 0;
	share = share_take(target->cgroup, target->level);
	if (share < 0)
		return -PSC_E_NOSPC;
	entry->share = share;
	return 0;
}

struct change {
	__u32 asked[14];		/* the beginning of the request, up to its replies */
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

GLOBAL int change_make_words(change_words *words)
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

/*
 * What of an entry sticks, before it is put. A cgroup that is removed
 * meanwhile has it taken away by psc_cg_rmdir or, when entry_put() finds that, by us.
 */
GLOBAL int sticky_prepare(one_word *id, __u64 level, __u64 sticky)
{
	if (!id || sticky == PSC_POLICY_NONE.word)
		return 0;
	if (!psc_sees_moves)
		return -PSC_E_OPNOTSUPP;
	return sticky_begin(&psc_state, (*id)[0], level);
}

/* And when it was put, or was not. @before: what stuck until then */
GLOBAL int sticky_finish(one_word *id, __u64 before, __u64 sticky, __u32 failed)
{
	union psc_policy policy = { .word = sticky };

	if (!id || (before == PSC_POLICY_NONE.word && sticky == before))
		return 0;
	if (!failed)
		sticky_say((*id)[0], &policy);
	else if (before != PSC_POLICY_NONE.word && failed != PSC_E_NODEV)
		return 0;	/* what stuck before does so still */
	if (failed || sticky == PSC_POLICY_NONE.word)
		sticky_end((*id)[0]);
	return 0;
}

/* What sticks of a cgroup's entry, and of which modes that is something. */
GLOBAL __u64 sticky_of(one_word *id)
{
	struct sticky sticky = {};

	return id && psc_state.sticky && sticky_read((*id)[0], &sticky) ? sticky.policy.word :
									  PSC_POLICY_NONE.word;
}

GLOBAL int sticky_modes(one_word *id)
{
	union psc_policy sticky = { .word = sticky_of(id) };
	__u32 modes = 0;

	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (sticky.scope[mode] != PSC_SCOPE_INHERIT)
			modes |= PSC_MODE_BIT(mode);
	return modes;
}

/* psc_policy_sticky() */
GLOBAL __u64 sticky_after(one_word *policy, __u64 before, __u32 stick, __u32 unstick)
{
	union psc_policy now = { .word = before }, entry = PSC_POLICY_NONE;

	if (policy)
		entry.word = (*policy)[0];
	return psc_policy_sticky(&entry, &now, stick, unstick).word;
}

/* Put an entry into its place, and what of it sticks. */
static __always_inline int entry_put_sticky(struct state *state, const struct target *target,
					    struct cgroup_entry *entry, bool replace,
					    const struct psc_request *req)
{
	one_word id = { target->id }, said = { entry->policy.word };
	__u64 before = sticky_of(&id);
	__u64 sticky = sticky_after(&said, before, req->stick, req->unstick);
	int err = sticky_prepare(&id, target->level, sticky);

	if (err)
		return err;
	err = entry_put(state, target, entry, replace);
	sticky_finish(&id, before, sticky, -err);
	return err;
}

/*
 * What a request makes of the policy of an entry, whose stack is free again afterwards.
 * @ret: what it is; in and out
 * Return: 0 or a negative PSC_E_*.
 */
static __always_inline int entry_policy(const struct target *target, const struct psc_request *req,
					union psc_policy *ret)
{
	struct change change = { .policy = *ret };
	struct psc_effective above;
	int err;

	path_read(target, target->level - 1, &above);
	effective_end(&above);
	change.above = above.policy;
	change_ask(&change, req);
	err = change_make(&change);
	*ret = change.policy;
	return err;
}

/* The one writer's part of a change. */
static __always_inline int entry_change(struct state *state, const struct target *target,
					const struct psc_request *req)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	bool exists = entry_read(target->id, &entry);
	int err = entry_policy(target, req, &entry.policy);

	if (err || req->op == PSC_OP_INFO)
		return err;
	/* It could not stick to who is moved elsewhere. */
	if (!psc_sees_moves && psc_policy_locked(&entry.policy))
		return -PSC_E_OPNOTSUPP;
	if (entry.policy.word == PSC_POLICY_NONE.word) {
		one_word id = { target->id };

		err = exists ? entry_delete(state, target->id, target->level) : 0;
		if (!err)
			sticky_finish(&id, 0, entry.policy.word, 0);
		return err;
	}
	entry.id = target->id;
	entry.origin = req->origin;
	/* Before anything is locked for nothing. */
	if (!exists && (!has_room(state, req->origin) || entry_share(&entry, target, req)))
		return -PSC_E_NOSPC;
	err = psc_policy_locked(&entry.policy) ? lock_first(state, req->armed, req->anchor) : 0;
	if (!err)
		err = highest_note(state, &entry.policy);
	if (!err)
		err = entry_put_sticky(state, target, &entry, exists, req);
	/* Of a cgroup that has gone meanwhile it is given back with the entry. */
	if (err && err != -PSC_E_NODEV && !exists)
		share_give(state, entry.share);
	return err;
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
static __always_inline bool writer_trylock(void)
{
	bool won = false;

	bpf_loop(WRITER_TRIES, writer_step, &won, 0);
	return won;
}

static __always_inline void writer_unlock(void)
{
	__sync_val_compare_and_swap(&psc_state.writer, 1, 0);
}

static __always_inline void target_reply(struct psc_request *req, const struct target *target)
{
	struct cgroup_entry entry = { .policy = PSC_POLICY_NONE };
	struct psc_effective effective;
	one_word id;

	entry_read(target->id, &entry);
	path_read(target, target->level, &effective);
	effective_end(&effective);
	req->policy.word = entry.policy.word;
	req->origin = entry.origin;
	req->effective.word = effective.policy.word;
	req->cgroup = target->id;
	id[0] = target->id;
	req->sticky = sticky_modes(&id);
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
	} else if (writer_trylock()) {
		entry_read(target.id, &entry);
		req->before.word = entry.policy.word;
		err = entry_change(state, &target, req);
		writer_unlock();
	} else {
		err = -PSC_E_AGAIN;
	}
	target_reply(req, &target);
	return err;
}

#endif
