/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All maps. Those marked "frozen" are closed to user space right after their
 * creation (BPF_MAP_FREEZE): from then on only these programs write them.
 */
#ifndef PSC_MAPS_BPF_H
#define PSC_MAPS_BPF_H

#include "unit.bpf.h"

#include "ptracescope.h"
#include "ptracescope_state.h"

/*
 * Everything here is defined in maps.bpf.c and declared in the other units, which the linker
 * puts together.
 */
#ifdef PSC_DEFINE_MAPS
#define MAP
#define DEFINED
#define STATE_SECTION SEC(".data.psc_state")
#else
#define MAP extern
#define DEFINED extern
#define STATE_SECTION
#endif

/* What was stored before what we have read is visible to what we read from here on. */
static __always_inline void read_barrier(void)
{
	__u64 word = 0;

	__sync_val_compare_and_swap(&word, 0, 1);
}

/*
 * The policy in force, and what there is besides it. A variable, which costs no look-up,
 * and in a section, and so a map, of its own. Frozen; lives as long as the pins do. The
 * policy is written by psc_ctl alone.
 */
DEFINED struct state psc_state STATE_SECTION;

/*
 * Policies of cgroups, by the cgroup's id: 64 bits, of which the kernel gives no value
 * twice. Frozen; written by psc_ctl, psc_cg_mkdir, and psc_cg_rmdir when a cgroup goes. The
 * policy changes in place, in one store: while the kernel puts one element into the place of
 * another, a look-up may find neither. An element that is deleted may be used again at once,
 * while somebody still reads it, and its words are written in any order. So each use has a
 * serial, which is there while all else is that of one cgroup: entry_read().
 */
struct cgroup_entry {
	union psc_policy policy;
	__u64 id;
	__u64 serial;		/* 0: is being deleted; or with one of these: */
	__u32 origin;		/* enum psc_origin */
	__u32 share;		/* whose share it is of, share_take(); 0: nobody's */
};

#define SERIAL_BEING_MADE (1ULL << 63)
#define SERIAL_HELD (1ULL << 62)	/* is being changed: it is deleted afterwards */
#define SERIAL_MARKS (SERIAL_BEING_MADE | SERIAL_HELD)

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PSC_CGROUPS_MAX);
	__type(key, __u64);
	__type(value, struct cgroup_entry);
} psc_cgroups SEC(".maps");

/*
 * Sections of the configuration, for cgroups that are made: two halves, of which one is in
 * force. Frozen; written by psc_sections.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * PSC_SECTIONS_MAX);
	__type(key, __u32);
	__type(value, struct psc_pattern);
} psc_patterns SEC(".maps");

/* What psc_find and psc_explain tell, and nobody goes by. Frozen; written by these. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct psc_found);
} psc_found SEC(".maps");

/*
 * What a task keeps of cgroups wherever it goes, by the task's address: their floors, and
 * references to those whose scopes stick. Looked up for the thread-group leader; the other
 * threads have it in case they become it by exec. Frozen; written by psc_cg_attach,
 * psc_task_alloc, psc_task_new, psc_task_gone, psc_task_free and psc_ctl. Sized by the loader.
 */
struct carried {
	union psc_policy floors;	/* no scopes */
	__u64 container;	/* id of the cgroup whose boundary is locked, or 0 */
	__u64 left[PSC_LEFT];	/* ids of cgroups in psc_sticky, or 0: they count outside of them */
	union psc_policy scopes;	/* scopes of more of them, as they were when it left; 0: none */
};

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PSC_RELATIONS_MIN);
	__type(key, __u64);
	__type(value, struct carried);
} psc_carried SEC(".maps");

/*
 * More of them, for moves, which cannot be refused, while the kernel has no memory at hand.
 * This one is allocated beforehand. Nobody is in both.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PSC_RESERVE_MAX);
	__type(key, __u64);
	__type(value, struct carried);
} psc_reserve SEC(".maps");

/*
 * The scopes of cgroups that stick to who leaves them, by the cgroup's id, so that they are
 * changed here for all of those. An element stays while the cgroup is there with such a scope,
 * or a task refers to it: bpf/sticky.bpf.h. Frozen; written by psc_ctl, psc_cg_mkdir,
 * psc_cg_rmdir and by those who write psc_carried. Sized by the loader.
 */
struct sticky {
	union psc_policy policy;	/* PSC_SCOPE_INHERIT for the modes that do not stick */
	__u64 users;
	__u64 level;		/* of the cgroup */
};

MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PSC_CGROUPS_MAX);
	__type(key, __u64);
	__type(value, struct sticky);
} psc_sticky SEC(".maps");

/*
 * PR_SET_PTRACER: what a tracee declared. Keys are thread-group leaders and
 * tracers are tasks, by their address, as in Yama's list: a task_struct is
 * neither moved nor reused before psc_task_gone has seen it.
 */
struct relation {
	__u64 tracer;		/* task, 0 for PR_SET_PTRACER_ANY */
	__u64 tracer_id;	/* the tracer's id in psc_tracers then */
	__u64 sum;		/* of all this and the tracee: relation_sum() */
	__u64 tracee_start;	/* start of the leader, which stays the same while it is one */
};

/*
 * Frozen; written by psc_prctl, psc_task_gone and psc_task_free. Sized by the loader. Not
 * preallocated, so that tables nobody uses cost only their buckets.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PSC_RELATIONS_MIN);
	__type(key, __u64);
	__type(value, struct relation);
} psc_relations SEC(".maps");

/*
 * Tasks that were named as a tracer, while they live: task address -> a number
 * never given twice. A relation whose number is no longer found here has lost
 * its tracer, even if another task lives at the same address now. This makes
 * the death of a tracer one deletion, however many tracees had named it.
 * Frozen; written by psc_prctl, psc_task_gone and psc_task_free.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PSC_RELATIONS_MIN);
	__type(key, __u64);
	__type(value, __u64);
} psc_tracers SEC(".maps");

/* The last serial given to an entry or a tracer. Frozen; written by who makes those. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} psc_serial SEC(".maps");

static __always_inline __u64 next_serial(void)
{
	__u64 *last = bpf_map_lookup_elem(&psc_serial, &(__u32){ 0 });

	return last ? __sync_fetch_and_add(last, 1) + 1 : 0;
}

/*
 * What the guards protect besides maps and programs, and when they were armed.
 * Frozen; written by psc_ctl. In a map of the policy's and not in constants of the
 * programs: those are in a map as well, which can be written through an iterator.
 */
struct guarded {
	__u64 dir;		/* struct dentry: the directory of pins */
	__u64 mount;		/* struct mount: its mount in the initial mount namespace */
	__u64 armed;		/* a number of its own each time, 0: not */
	__u64 last;		/* the one given last */
	__u32 hooks[PSC_HOOKS_MAX];	/* BTF ids, 0 for none */
};

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guarded);
} psc_guarded SEC(".maps");

/*
 * The windows of the event rate limit: {number of the window, events in it}. Frozen, and
 * one of the policy's maps, as who writes it silences reports. Written for whoever has
 * something refused. An array with a place for each account, so that none can be taken:
 * of uids below PSC_CROWD_UIDS each has one. Blocks above share theirs with those whose
 * number is the same in its low bits, and so do, within the burst of their block, the
 * uids in them with those of the same hash.
 */
#define WINDOW_CROWDS 4096
#define WINDOW_CROWD_UIDS 4096
enum window_index {
	WINDOW_UID = 0,
	WINDOW_CROWD = WINDOW_UID + PSC_CROWD_UIDS,
	WINDOW_CROWD_UID = WINDOW_CROWD + WINDOW_CROWDS,
	WINDOW_ALL = WINDOW_CROWD_UID + WINDOW_CROWD_UIDS,
	WINDOW_TAMPER,
	WINDOWS,
};

struct event_window {
	__u32 number;
	__u32 events;
};

MAP struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WINDOWS);
	__type(key, __u32);
	__type(value, struct event_window);
} psc_window SEC(".maps");

/* Refusals for the daemon to report: struct psc_event. Best effort, no policy. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PSC_EVENT_RING_BYTES);
} psc_events SEC(".maps");

/* Counters, enum psc_stat and PSC_COUNT_*. Frozen, one of the policy's maps; psc_ctl tells what is in it. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PSC_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} psc_stats SEC(".maps");

/*
 * The daemon's listening socket, marked by the daemon. Not frozen: whoever
 * marks a socket of his own learns about his own visitors only.
 */
MAP struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} psc_listeners SEC(".maps");

/* Who connected to a marked socket, on the accepted side. Frozen; written by psc_connect. */
MAP struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct psc_peer);
} psc_peers SEC(".maps");

/* Where uids of blocks have their windows; random, set by the loader. */
DEFINED const volatile __u64 psc_salt;

/* How many elements psc_reserve has room for. Set by the loader. */
DEFINED const volatile __u32 psc_reserve_size;

/*
 * Is psc_cg_attach attached? Set by the loader. In a frozen map of constants, so that the
 * verifier has decided by it what psc_ctl does: writing it later changes nothing.
 */
DEFINED const volatile __u32 psc_sees_moves;

#endif
