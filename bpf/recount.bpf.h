/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a floor goes by in the tables, set right before the first one comes: whoever was root
 * before could write all of it. A number that is too low would be taken for "there is none", one
 * that is too high for "there is no room", and an entry with a mark for one that is being changed.
 */
#ifndef PSC_RECOUNT_BPF_H
#define PSC_RECOUNT_BPF_H

#include "find.bpf.h"
#include "maps.bpf.h"

/* As many may come while they are counted, and a number is still left as it is. */
#define COUNT_SLACK 4096

/*
 * Of a cgroup that is no more, or has not come yet: it would take the room or the place of
 * another. All others must be found by their id and changeable. Only psc_cg_mkdir makes
 * one now, and takes a mark away that is gone already.
 */
static long entry_mend_step(struct bpf_map *map, const __u64 *key, struct cgroup_entry *entry,
			    __u32 *kept)
{
	__u64 id = *key, serial = *(volatile __u64 *)&entry->serial;

	/* Twice, as the kernel's tree of ids may change while it is read. */
	if (!cgroup_by_id(id) && !cgroup_by_id(id)) {
		bpf_map_delete_elem(&psc_cgroups, &id);
		return 0;
	}
	entry->id = id;
	if (!serial || serial & SERIAL_MARKS)
		*(volatile __u64 *)&entry->serial = next_serial();
	if (entry->share)
		__sync_fetch_and_add(&psc_state.shares[(entry->share - 1) & (PSC_SHARES - 1)], 1);
	(*kept)++;
	return 0;
}

static long share_mend_step(__u32 i, void *data)
{
	if (i >= PSC_SHARES)
		return 1;
	psc_state.shares[i] = 0;
	return 0;
}

/* Nobody carries a floor, nor a locked boundary, of which the first one stays. */
static long carried_mend_step(struct bpf_map *map, const void *key, struct carried *carried,
			      void *data)
{
	carried->floors.word = 0;
	carried->container = 0;
	return 0;
}

/* Above all numbers that there are: none was given in less than a nanosecond. */
static __always_inline void serial_mend(void)
{
	__u64 *last = bpf_map_lookup_elem(&psc_serial, &(__u32){ 0 });

	if (last)
		*(volatile __u64 *)last = bpf_ktime_get_boot_ns();
}

/*
 * An element is counted before it is there, and until it is not: a number that is true is not
 * lower than what is seen. While elements come and go more may be seen, and then the number
 * gets too high, which costs some room and time.
 */
static __always_inline void counter_mend(__u32 *counter, __u32 seen)
{
	__u32 now = *(volatile __u32 *)counter;

	if (now < seen || now - seen > COUNT_SLACK)
		__sync_fetch_and_add(counter, seen - now);
}

/*
 * Of the levels of cgroups: not up the path, nor as if there had been a floor. Numbers that
 * are too low do no harm, as a floor adds more than there can be entries.
 */
static long level_mend_step(__u32 i, void *data)
{
	if (i >= PSC_CGROUP_LEVELS)
		return 1;
	if (psc_state.next_level[i] > i)
		psc_state.next_level[i] = i;
	if (psc_state.at_level[i] > PSC_CGROUPS_MAX)
		psc_state.at_level[i] = 0;
	return 0;
}

/* Before there is a floor, with the guards armed, and as the one writer. */
static __always_inline void recount(struct state *state)
{
	__u32 entries = 0, carried, reserved;

	serial_mend();
	bpf_loop(PSC_SHARES, share_mend_step, NULL, 0);
	bpf_for_each_map_elem(&psc_cgroups, entry_mend_step, &entries, 0);
	carried = bpf_for_each_map_elem(&psc_carried, carried_mend_step, NULL, 0);
	reserved = bpf_for_each_map_elem(&psc_reserve, carried_mend_step, NULL, 0);
	bpf_loop(PSC_CGROUP_LEVELS, level_mend_step, NULL, 0);
	counter_mend(&state->entries, entries);
	counter_mend(&state->reserved, reserved);
	counter_mend(&state->carried, carried + reserved);
}

#endif
