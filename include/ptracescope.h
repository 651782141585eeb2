/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * What the BPF programs and user space agree on: scopes, access modes, the policy word, requests
 * to psc_ctl, limits; and, by the headers at the end, the other requests and events.
 */
#ifndef PTRACESCOPE_H
#define PTRACESCOPE_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/*
 * Raised whenever a struct or a constant in this file changes its meaning, or the set of
 * pins, but for a pin that a set may be without (psc_pins). Tests build sets of another one.
 */
#ifndef PSC_ABI
#define PSC_ABI 6
#endif

/* Yama's values of kernel.yama.ptrace_scope, with our words for them. */
enum psc_scope {
	PSC_SCOPE_CLASSIC = 0,		/* no further restriction */
	PSC_SCOPE_RESTRICTED = 1,	/* ancestors, exceptions, CAP_SYS_PTRACE */
	PSC_SCOPE_ADMIN_ONLY = 2,	/* CAP_SYS_PTRACE */
	PSC_SCOPE_NO_ATTACH = 3,	/* nobody */
	PSC_SCOPE_MAX = PSC_SCOPE_NO_ATTACH,

	/*
	 * Of cgroups only. Between classic and restricted (psc_scope_rank()): as
	 * restricted, but processes that have their scope from the same cgroup count
	 * as related.
	 */
	PSC_SCOPE_SIBLINGS = 4,
	/* No scope: the next cgroup above decides, in the end the global scope. */
	PSC_SCOPE_INHERIT = 255,
};

enum psc_mode {
	PSC_MODE_ATTACH = 0,		/* PTRACE_MODE_ATTACH checks */
	PSC_MODE_TRACEME = 1,		/* ptrace(PTRACE_TRACEME) */
	PSC_MODE_READ = 2,		/* PTRACE_MODE_READ checks */
	PSC_MODES = 3,

	/*
	 * Not an access mode, but kept, changed and locked like the scope of one, with
	 * the values 0 and 1: are cgroups boundaries? At 1 who attaches (ATTACH) from
	 * outside the tracee's container needs CAP_SYS_PTRACE in the initial user
	 * namespace, whatever the scope. The container is the cgroup that sets this to
	 * 1; with the global value, the root of the tracee's cgroup namespace.
	 */
	PSC_MODE_BOUNDARY = 3,
	PSC_MODE_SLOTS = 4,		/* what the policy word holds */
};

#define PSC_MODE_BIT(mode) (1U << (mode))
/* What kernel.yama.ptrace_scope governs. */
#define PSC_MODES_YAMA (PSC_MODE_BIT(PSC_MODE_ATTACH) | PSC_MODE_BIT(PSC_MODE_TRACEME))
#define PSC_MODES_ALL (PSC_MODE_BIT(PSC_MODE_SLOTS) - 1)

/*
 * The policy: a scope and a floor for each access mode, floor <= scope. It is
 * one 64-bit word, so that a change of several modes is one compare-and-swap
 * and a reader never sees half of it.
 */
union psc_policy {
	struct {
		__u8 scope[PSC_MODE_SLOTS];
		__u8 floor[PSC_MODE_SLOTS];
	};
	__u64 word;
};
_Static_assert(sizeof(union psc_policy) == 8, "the policy is swapped as one word");

enum psc_op {
	PSC_OP_INFO = 0,		/* only fill in the reply */
	PSC_OP_CHANGE = 1,		/* set, raise, lock and unset: all of it or nothing */
	/*
	 * Say what the guards protect; refused under a floor. With the value 1 they
	 * are armed besides: in force as if there were a floor, so that one can look
	 * whether everything is in order and then raise it. With 0 they are disarmed
	 * again. With 2 the answer is 0 if they are armed for this by the number @armed, and
	 * the map psc_state has @anchor references, EAGAIN if it has another number of them;
	 * @hooks are told then, and the numbers of elements in psc_state put right.
	 */
	PSC_OP_GUARD = 2,
	PSC_OP_COUNT = 16,		/* fill in the counters, and what has been proved */
	/*
	 * Prove something by two processes: note what probe[0] is refused on probe[1], or on
	 * a child of its own by TRACEME, and whether a declaration of probe[1] is recorded.
	 * What was noted before is forgotten. Both 0: note nothing any more.
	 */
	PSC_OP_PROBE = 17,
	/* Take from the process @probe[0] what it keeps of cgroups that it has left; no floors. */
	PSC_OP_RELEASE = 18,
};

/* CHANGE: a scope of 3 that is set does not raise the floor along with it. */
#define PSC_FLAG_REVOCABLE (1U << 0)
/*
 * INFO, CHANGE: of the cgroup that has the id @cgroup, or if that is 0 whose directory
 * (cgroup2) dir_fd is, not the global policy. The root cgroup has none of its own: EINVAL.
 */
#define PSC_FLAG_CGROUP (1U << 1)

/* Who gave a cgroup its entry: for lists, and for a reload of the configuration. */
enum psc_origin {
	PSC_ORIGIN_ADMIN = 0,
	PSC_ORIGIN_CONFIG = 1,
	PSC_ORIGIN_RUNTIME = 2,		/* a container runtime, through the OCI hook */
};

/* The levels of cgroups that can have entries, with the root cgroup as the first. */
#define PSC_CGROUP_LEVELS 64
/* Room for entries. */
#define PSC_CGROUPS_MAX 131072

/*
 * New cgroups that root does not make have entries by sections while there are fewer than
 * PSC_SHARED_MAX, one subtree that is left to others PSC_SHARE_MAX at most.
 */
#define PSC_SHARED_MAX (PSC_CGROUPS_MAX / 2)
#define PSC_SHARE_MAX (PSC_SHARED_MAX / 8)
#define PSC_SHARES 4096

/* Indexes of psc_stats, a per-CPU array of __u64. */
enum psc_stat {
	PSC_STAT_REFUSED = 0,		/* refusals, NOAUDIT ones and tampering included */
	PSC_STAT_SUPPRESSED = 1,	/* events beyond the burst of their account, or of all */
	PSC_STAT_DROPPED = 2,		/* events that found the ring buffer full */
	PSC_STAT_MISSED = 3,		/* new cgroups for whose sections there was no room */
	PSC_STAT_SPARED = 4,		/* new cgroups whose sections took too long to match */
	PSC_STAT_SHED = 5,		/* tasks that left a cgroup without what sticks: no memory */
	PSC_STATS = 6,
};

/* Room for the functions that no BPF program of others may decide under a floor. */
#define PSC_HOOKS_MAX 48

/*
 * The context of a psc_ctl run: request in, reply out. The return value of the
 * run is 0 or one of the negative errnos below.
 */
#define PSC_E_INVAL 22	/* EINVAL: unknown operation, modes, flags or ABI */
#define PSC_E_SRCH 3	/* ESRCH: PROBE: there is no such process */
#define PSC_E_RANGE 34	/* ERANGE: the value is no scope */
#define PSC_E_PERM 1	/* EPERM: the caller lacks CAP_SYS_PTRACE in the initial user namespace */
#define PSC_E_LOCKED 13	/* EACCES: below the floor, which holds until reboot */
#define PSC_E_AGAIN 11	/* EAGAIN: somebody else changed the policy all the time */
#define PSC_E_BADF 9	/* EBADF: dir_fd is no directory of the cgroup2 hierarchy */
#define PSC_E_NOENT 2	/* ENOENT: psc_find: there is no cgroup of that name */
#define PSC_E_NODEV 19	/* ENODEV: the cgroup is being removed */
#define PSC_E_NOSPC 28	/* ENOSPC: PSC_CGROUPS_MAX entries are there */
#define PSC_E_NAMETOOLONG 36	/* ENAMETOOLONG: deeper than PSC_CGROUP_LEVELS */
#define PSC_E_OPNOTSUPP 95	/* EOPNOTSUPP: a threaded cgroup (its domain decides), or a floor of
				 * a cgroup where moves cannot be watched */
#define PSC_E_2BIG 7	/* E2BIG: psc_find, psc_explain: the process takes too long */
#define PSC_E_INPROGRESS 115	/* EINPROGRESS: psc_find: the cgroup is being made */
#define PSC_E_NODATA 61	/* ENODATA: nothing to lock, as all scopes that should be are 0 */
#define PSC_E_CANCELED 125	/* ECANCELED: a first floor, and the guards were not armed all the time */

/*
 * One request is one step: other requests come before all of it or after all of it, and
 * one that is refused changes nothing. Of a mode, CHANGE does in this order:
 *
 *	unset	its scope is taken away, so that the cgroup above decides (cgroups only)
 *	set	its scope becomes want.scope; a 3 locks itself, but see PSC_FLAG_REVOCABLE
 *	raise	its floor becomes want.floor where it is lower, and its scope goes with it
 *	lock	the scope that is then in force becomes its floor
 *
 * and of a cgroup's modes besides, as far as it has a scope for them then,
 *
 *	stick	who leaves the cgroup keeps the scope; until unstick, or unset
 *	unstick	no longer, and those who have left do not keep it, either
 *
 * A scope below the floor is refused, and so is unset where the mode has a floor. "raise"
 * is refused if all floors are higher already, "lock" if all scopes are 0.
 */
struct psc_request {
	__u32 abi;			/* in: PSC_ABI; out: that of the programs */
	__u32 op;			/* enum psc_op */
	__u32 set;			/* CHANGE: PSC_MODE_BIT()s of the modes for each verb */
	__u32 raise;
	__u32 lock;
	__u32 unset;
	__u32 stick;
	__u32 unstick;
	union psc_policy want;		/* CHANGE: the scopes to set, the floors at least */
	__u32 value;			/* GUARD: 0 to 2 */
	__u32 flags;			/* PSC_FLAG_* */
	__s32 dir_fd;			/* GUARD: the directory of pins; PSC_FLAG_CGROUP; else 0 */
	__u32 origin;			/* enum psc_origin, with PSC_FLAG_CGROUP; out: the entry's */
	__u32 locked;			/* out: is there a floor, global or of any cgroup, since boot? */
	__u32 entries;			/* out: how many cgroups have an entry */
	__u32 carried;			/* out: to how many tasks floors of cgroups stick */
	/* out: are moves of tasks between cgroups seen? Without, floors of cgroups are
	 * refused, as they could not go along */
	__u32 sees_moves;
	__u64 build;			/* out: build id of the loaded programs */
	/* out: the policy before the operation and after it; with PSC_FLAG_CGROUP the entry
	 * of that cgroup, with PSC_SCOPE_INHERIT where it has no scope */
	union psc_policy before;
	union psc_policy policy;
	/* out, with PSC_FLAG_CGROUP: */
	union psc_policy effective;	/* the scopes and floors that hold for processes there */
	__u64 cgroup;			/* in, out: its id */
	/* for each mode, the id of the cgroup whose scope, or else floor, is the
	 * effective one; 0 for the global policy */
	__u64 source[PSC_MODE_SLOTS];
	/* out, GUARD: a number that stands for the arming, and for no other; under a floor
	 * always: the one that the first floor came with. In, CHANGE: the same, if the
	 * request raises the first floor. It fails if the guards have been disarmed since,
	 * also if there is a floor by then, which is another's. 0: none. */
	__u64 armed;
	__u32 hooks[PSC_HOOKS_MAX];	/* GUARD: BTF ids of those functions, 0 for none; out with 2 */
	__u64 stats[PSC_STATS];		/* out, COUNT: the counters, summed over processors */
	__s32 probe[2];			/* PROBE, RELEASE: process ids as the caller sees them */
	/* out, COUNT: PSC_MODE_BIT()s of what they were refused, PSC_PROVED_DECLARED */
	__u32 proved;
	/* in, with armed: how many references the map psc_state has with an anchor, 0: there
	 * is none; a first floor fails (EAGAIN) while it has another number. Out: enum
	 * psc_anchor_state */
	__u32 anchor;
	__u32 sticky;			/* out, with PSC_FLAG_CGROUP: of which modes its scope sticks */
	__u32 pad;
};
_Static_assert(sizeof(struct psc_request) == 416, "ABI");

/* In the place of the id of a cgroup: several that the process has left. */
#define PSC_SOURCE_SEVERAL (~0ULL)

#define PSC_PROVED_DECLARED (1U << 8)

/* The same scope, or floor, for every mode of a request. */
#define PSC_WANT(value) ((union psc_policy){ \
	.scope = { (value), (value), (value), (value) }, \
	.floor = { (value), (value), (value), (value) } })

/* What holds a floor besides the pins: the programs psc_a_* on the root cgroup. */
enum psc_anchor_state {
	PSC_ANCHOR_NONE = 0,
	PSC_ANCHOR_SET = 1,
	PSC_ANCHOR_ALONE = 2,		/* pins have gone: the highest floor ever binds everybody */
};

/*
 * Without pins there is no psc_ctl to ask. The anchor answers BPF_MAP_GET_FD_BY_ID of this id,
 * plus a mode, with an error of PSC_ANCHOR_ERRNO plus 16 times the scope plus the floor.
 */
#define PSC_ANCHOR_ID 0xf0706300U
#define PSC_ANCHOR_ERRNO 2048

#define PSC_BPFFS "/sys/fs/bpf"
#define PSC_PIN_DIR PSC_BPFFS "/ptracescope"
/* The unit has it here to be written: its ProtectKernelTunables= makes PSC_BPFFS read-only. */
#define PSC_BPFFS_BOUND "/run/ptracescope/bpf"

/*
 * The tables of tasks are sized by kernel.threads-max, within these: docs/design.md,
 * "What tables have room for".
 */
#define PSC_RELATIONS_MIN 32768
#define PSC_RELATIONS_MAX 4194304	/* PID_MAX_LIMIT */
#define PSC_RESERVE_MAX 4096

/* So many cgroups that it has left a task refers to; with more it keeps values. */
#define PSC_LEFT 2

#include "ptracescope_cgroup.h"
#include "ptracescope_event.h"
#include "ptracescope_look.h"

#endif
