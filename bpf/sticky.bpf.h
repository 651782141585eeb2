/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scopes of cgroups that stick to who leaves them (psc_sticky): how long an element stays,
 * and what is read of it.
 *
 * An element counts the tasks that refer to it, and has a bit while its cgroup is there and has
 * such a scope. These and some of its id are in one word: whoever changes that at an element
 * that is another's by now changes nothing. What has neither is deleted by who took the last.
 */
#ifndef PSC_STICKY_BPF_H
#define PSC_STICKY_BPF_H

#include "cgroup.bpf.h"

#define USERS_BITS 24
#define USERS_THERE (1U << 23)		/* the cgroup is there, and has something that sticks */
#define USERS_ONE 1U
#define USERS_ALL ((1U << USERS_BITS) - 1)
#define USERS_TRIES (1 << 16)		/* others change it meanwhile */

struct users_walk {
	__u64 id;
	__u64 take, give;	/* bits to be cleared, and to be added then */
	__u64 now;		/* the bits afterwards, or USERS_GONE */
};

#define USERS_GONE (~0ULL)

static long users_step(__u32 i, struct users_walk *walk)
{
	struct sticky *sticky = bpf_map_lookup_elem(&psc_sticky, &walk->id);
	__u64 old, new;

	if (!sticky)
		return 1;
	old = *(volatile __u64 *)&sticky->users;
	if ((old ^ walk->id << USERS_BITS) >> USERS_BITS || !(old & USERS_ALL))
		return 1;
	new = (old & ~walk->take) + walk->give;
	if (__sync_val_compare_and_swap(&sticky->users, old, new) != old)
		return 0;
	walk->now = new & USERS_ALL;
	return 1;
}

/* Return: are there any users left? Negative: there were none before, so it is unchanged. */
GLOBAL int users_change(one_word *id, __u64 take, __u64 give)
{
	struct users_walk walk = { .take = take, .give = give, .now = USERS_GONE };

	if (!id)
		return -ENOENT;
	walk.id = (*id)[0];
	bpf_loop(USERS_TRIES, users_step, &walk, 0);
	return walk.now == USERS_GONE ? -ENOENT : walk.now != 0;
}

GLOBAL int sticky_delete(one_word *id)
{
	struct state *state = &psc_state;
	__u64 key = id ? (*id)[0] : 0;
	int err = bpf_map_delete_elem(&psc_sticky, &key);

	if (!err)
		__sync_fetch_and_add(&state->sticky, -1);
	return 0;
}

/* One more task refers to it. Return: whether it is there. */
static __always_inline bool sticky_get(__u64 id)
{
	one_word key = { id };

	return users_change(&key, 0, USERS_ONE) >= 0;
}

static __always_inline void sticky_put(__u64 id)
{
	one_word key = { id };

	if (id && users_change(&key, 0, -(__u64)USERS_ONE) == 0)
		sticky_delete(&key);
}

/* The cgroup has nothing that sticks any more, or is no more. */
static __always_inline void sticky_end(__u64 id)
{
	one_word key = { id };

	if (users_change(&key, USERS_THERE, 0) == 0)
		sticky_delete(&key);
}

/* There will be something that sticks. Return: 0 or a negative PSC_E_*. */
static __always_inline int sticky_begin(struct state *state, __u64 id, __u64 level)
{
	struct sticky sticky = {
		.policy = PSC_POLICY_NONE, .users = id << USERS_BITS | USERS_THERE, .level = level,
	};
	one_word key = { id };
	int err;

	if (users_change(&key, USERS_THERE, USERS_THERE) >= 0)
		return 0;
	/* Counted first: others look only where there are any. */
	__sync_fetch_and_add(&state->sticky, 1);
	err = bpf_map_update_elem(&psc_sticky, &id, &sticky, BPF_NOEXIST);
	if (!err)
		return 0;
	__sync_fetch_and_add(&state->sticky, -1);
	return err == -EEXIST ? -PSC_E_AGAIN : -PSC_E_NOSPC;
}

WORDS(sticky);

/* A consistent copy. Return: is there one that says something? */
GLOBAL int sticky_read_words(sticky_words *words, __u64 id)
{
	struct sticky *ret = (struct sticky *)words, *sticky;

	if (!ret || !id)
		return false;
	sticky = bpf_map_lookup_elem(&psc_sticky, &id);
	if (!sticky)
		return false;
	ret->policy = policy_read(&sticky->policy);
	ret->level = *(volatile __u64 *)&sticky->level;
	read_barrier();
	ret->users = *(volatile __u64 *)&sticky->users;
	return !((ret->users ^ id << USERS_BITS) >> USERS_BITS) &&
	       ret->policy.word != PSC_POLICY_NONE.word;
}

static __always_inline bool sticky_read(__u64 id, struct sticky *ret)
{
	return sticky_read_words((sticky_words *)ret, id);
}

/* Say what sticks, where sticky_begin() has been: one writer at a time. */
static __always_inline void sticky_say(__u64 id, const union psc_policy *policy)
{
	struct sticky *sticky = bpf_map_lookup_elem(&psc_sticky, &id);

	if (sticky)
		*(volatile __u64 *)&sticky->policy.word = policy->word;
}

/* psc_effective_raise() and psc_scopes_add(), which the verifier looks at once. */
GLOBAL int effective_raise(psc_effective_words *effective, __u64 word, __u64 from)
{
	union psc_policy scopes = { .word = word };

	if (effective)
		psc_effective_raise((struct psc_effective *)effective, &scopes, from);
	return 0;
}

GLOBAL __u64 scopes_sum(__u64 word, __u64 more_word)
{
	union psc_policy scopes = { .word = word }, more = { .word = more_word };

	psc_scopes_add(&scopes, &more);
	return scopes.word;
}

/* Is it the cgroup of this id, or below? */
static __always_inline bool is_within(struct cgroup *cgroup, __u64 id, __u64 level)
{
	return level <= (__u32)BPF_CORE_READ(cgroup, level) && ancestor_id((__u64)cgroup, level) == id;
}

/* What sticks of the cgroups up a path, where a task that leaves them is to have it. */
struct sticky_walk {
	__u64 cgroup;		/* the one at the lower end, */
	__u64 level;		/* the deepest level still to be looked at */
	__u64 to;		/* where it goes; 0: that is not known */
	__u64 into;		/* then: does it go elsewhere at all? */
	__u64 left[PSC_LEFT];
	union psc_policy scopes;
};

WORDS(sticky_walk);

static __always_inline void sticky_note(struct sticky_walk *walk, __u64 id,
					const union psc_policy *policy)
{
	if (walk->left[0] == id || walk->left[1] == id)
		return;
	if (!walk->left[0])
		walk->left[0] = id;
	else if (!walk->left[1])
		walk->left[1] = id;
	else if (walk->to || walk->into)
		walk->scopes.word = scopes_sum(walk->scopes.word, policy->word);
}

GLOBAL int sticky_look_words(sticky_walk_words *words, __u64 level)
{
	struct sticky_walk *walk = (struct sticky_walk *)words;
	struct sticky sticky = {};
	__u64 id;

	if (!walk)
		return 0;
	id = ancestor_id(walk->cgroup, level);
	if (sticky_read(id, &sticky) &&
	    !(walk->to && is_within((struct cgroup *)walk->to, id, sticky.level)))
		sticky_note(walk, id, &sticky.policy);
	return 0;
}

static long sticky_step(__u32 i, struct sticky_walk *walk)
{
	__u64 level = psc_state.next_level[walk->level % PSC_CGROUP_LEVELS];

	if (!level)
		return 1;
	walk->level = level - 1;
	if (psc_state.at_level[level % PSC_CGROUP_LEVELS])
		sticky_look_words((sticky_walk_words *)walk, level);
	return 0;
}

GLOBAL int sticky_walk_up(sticky_walk_words *words)
{
	struct sticky_walk *ret = (struct sticky_walk *)words, walk;
	struct cgroup *cgroup;

	if (!ret)
		return 0;
	walk = *ret;
	cgroup = (struct cgroup *)walk.cgroup;
	walk.level = BPF_CORE_READ(cgroup, level);
	if (walk.level >= PSC_CGROUP_LEVELS)
		walk.level = PSC_CGROUP_LEVELS - 1;
	bpf_loop(PSC_CGROUP_LEVELS, sticky_step, &walk, 0);
	*ret = walk;
	return 0;
}

typedef __u64 containers[PSC_LEFT];	/* ids */

/* Return: is the cgroup a boundary? */
static __always_inline bool left_add_one(psc_effective_words *effective, __u64 id,
					 struct cgroup *cgroup)
{
	struct sticky sticky = {};

	if (!sticky_read(id, &sticky) || is_within(cgroup, id, sticky.level))
		return false;
	effective_raise(effective, sticky.policy.word, id);
	return sticky.policy.scope[PSC_MODE_BOUNDARY] == 1;
}

/**
 * left_add_words - what a process keeps of the cgroups that it has left
 * @ret: the containers whose boundaries these are, or NULL
 * @leader: address of the process's leader
 * @address: of the cgroup that it is in, the one by which @words were gathered
 */
GLOBAL int left_add_words(psc_effective_words *words, containers *ret, __u64 leader,
			      __u64 address)
{
	struct cgroup *cgroup = (struct cgroup *)address;
	struct carried *carried = carried_find(leader);
	union psc_policy scopes;

	if (!words || !carried)
		return 0;
	for (int i = 0; i < PSC_LEFT; i++) {
		__u64 id = *(volatile __u64 *)&carried->left[i];

		if (left_add_one(words, id, cgroup) && ret)
			(*ret)[i] = id;
	}
	scopes = policy_read(&carried->scopes);
	if (!scopes.word)
		return 0;
	effective_raise(words, scopes.word, PSC_SOURCE_SEVERAL);
	if (scopes.scope[PSC_MODE_BOUNDARY] && ret)
		(*ret)[0] = PSC_SOURCE_SEVERAL;	/* nobody is inside */
	return 0;
}

#endif
