/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * What the BPF programs and user space agree on: scopes, access modes, the
 * policy word, requests to psc_ctl, events, limits. Builds alone in both worlds.
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
 * pins. Tests build sets of another one.
 */
#ifndef PSC_ABI
#define PSC_ABI 4
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
	/* No opinion: the next cgroup above decides, in the end the global scope. */
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
	 * again.
	 */
	PSC_OP_GUARD = 2,
	PSC_OP_COUNT = 16,		/* fill in the counters, and what has been proved */
	/*
	 * Prove something by two processes: note what probe[0] is refused on probe[1], or on
	 * a child of its own by TRACEME, and whether a declaration of probe[1] is recorded.
	 * What was noted before is forgotten. Both 0: note nothing any more.
	 */
	PSC_OP_PROBE = 17,
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

/* Entries are possible down to this depth below the root cgroup. */
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
	PSC_STATS = 5,
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
	union psc_policy want;		/* CHANGE: the scopes to set, the floors at least */
	__u32 value;			/* GUARD, WATCH: 1 or 0 */
	__u32 flags;			/* PSC_FLAG_* */
	__s32 dir_fd;			/* GUARD: the directory of pins; PSC_FLAG_CGROUP; else 0 */
	__u32 origin;			/* enum psc_origin, with PSC_FLAG_CGROUP; out: the entry's */
	__u32 locked;			/* out: is there a floor, global or of any cgroup, since boot? */
	__u32 entries;			/* out: how many cgroups have an entry */
	__u32 stuck;			/* out: to how many tasks floors of cgroups stick */
	/* out: are moves of tasks between cgroups seen? Without, floors of cgroups are
	 * refused, as they could not go along */
	__u32 sees_moves;
	__u64 build;			/* out: build id of the loaded programs */
	/* out: the policy before the operation and after it; with PSC_FLAG_CGROUP the entry
	 * of that cgroup, with PSC_SCOPE_INHERIT where it has no opinion */
	union psc_policy before;
	union psc_policy policy;
	/* out, with PSC_FLAG_CGROUP: */
	union psc_policy effective;	/* the scopes and floors that hold for processes there */
	__u64 cgroup;			/* in, out: its id */
	/* for each mode, the id of the cgroup whose scope, or else floor, is the
	 * effective one; 0 for the global policy */
	__u64 source[PSC_MODE_SLOTS];
	/* out, GUARD: a number that stands for the arming, and for no other. In, CHANGE:
	 * the same, if the request raises the first floor; it fails if the guards have
	 * been disarmed since. Else ignored. */
	__u64 armed;
	__u32 hooks[PSC_HOOKS_MAX];	/* GUARD: BTF ids of those functions, 0 for none */
	__u64 stats[PSC_STATS];		/* out, COUNT: the counters, summed over processors */
	__s32 probe[2];			/* PROBE: process ids as the caller sees them */
	/* out, COUNT: PSC_MODE_BIT()s of what they were refused, PSC_PROVED_DECLARED */
	__u32 proved;
	/* in, with armed: how many references the map psc_state has with an anchor, 0: there
	 * is none; out: enum psc_anchor_state */
	__u32 anchor;
};
_Static_assert(sizeof(struct psc_request) == 392, "ABI");

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

/*
 * A section of the configuration, as it is matched to cgroups that are made. A component of
 * the pattern is the bytes of a name, up to a NUL; a line feed, which is in no name, makes
 * the byte behind it one of PSC_PATTERN_STAR, PSC_PATTERN_ANY, or the number of a set of
 * bytes plus 1.
 */
#define PSC_SECTIONS_MAX 256
#define PSC_PATTERN_BYTES 512
#define PSC_PATTERN_SETS 8
#define PSC_PATTERN_SPECIAL '\n'
#define PSC_PATTERN_STAR '*'
#define PSC_PATTERN_ANY '?'

#define PSC_SCOPE_NOT_FINAL 0x83

struct psc_pattern {
	__u8 text[PSC_PATTERN_BYTES];
	__u64 sets[PSC_PATTERN_SETS][4];
	/* Where the components begin in the text. */
	__u16 starts[PSC_CGROUP_LEVELS];
	/* How many there are. 0: a unit, with two: its name, and one for all above it. */
	__u32 components;
	__u32 pad;
	/*
	 * PSC_SCOPE_INHERIT where nothing is set, in the floors, too; PSC_SCOPE_NOT_FINAL
	 * for a 3 that can be taken back.
	 */
	union psc_policy policy;
};
_Static_assert(sizeof(struct psc_pattern) == 912, "ABI");

/* In all, the matching of one new cgroup goes over so many bytes of names, and no more. */
#define PSC_MATCH_STEPS 65536

enum psc_sections_op {
	PSC_SECTIONS_PUT = 0,		/* the section number @index of the next set */
	PSC_SECTIONS_COMMIT = 1,	/* that set, of @index sections, is in force from now on */
};

/*
 * The context of a psc_sections run, which returns as psc_ctl does. A set with a floor in it
 * is refused as the first floor is, if there has been none.
 */
struct psc_section_request {
	__u32 abi;			/* in: PSC_ABI; out: that of the programs */
	__u32 op;			/* enum psc_sections_op */
	__u32 index;
	__u32 anchor;			/* in: as in struct psc_request, as is the next */
	__u64 armed;
	struct psc_pattern pattern;
};
_Static_assert(sizeof(struct psc_section_request) == 936, "ABI");

/*
 * The context of a psc_find run, which tells names and ids of cgroups. It reads the kernel's
 * own lists: no directory is looked up, and nothing is waited for.
 */
#define PSC_NAME_BYTES 256
#define PSC_FOUND_MAX 32

enum psc_find_op {
	PSC_FIND_CHILD = 0,		/* the one with that name: its id */
	PSC_FIND_CHILDREN = 1,		/* up to PSC_FOUND_MAX, in psc_found */
};

struct psc_find_request {
	__u32 abi;			/* in: PSC_ABI; out: that of the programs */
	__u32 op;			/* enum psc_find_op */
	__u64 parent;			/* in: an id, 0: the root cgroup */
	__u64 id;			/* out, CHILD. CHILDREN: the last one that was looked at, */
	__u64 serial;			/* and its number, from which the next call goes on; 0 */
	__u32 hash;			/* in, CHILD: kernfs's, of the name */
	__u32 n;			/* in: 0; out, CHILDREN: how many */
	__u32 more;			/* in: 0; out, CHILDREN: are there more? */
	__u32 pad;
	char name[PSC_NAME_BYTES];	/* in, CHILD */
};
_Static_assert(sizeof(struct psc_find_request) == 304, "ABI");

struct psc_found_cgroup {
	__u64 id;
	char name[PSC_NAME_BYTES];
};

struct psc_found {
	struct psc_found_cgroup cgroups[PSC_FOUND_MAX];
};

/* Why a verdict fell as it did; also what an event carries. */
enum psc_reason {
	PSC_REASON_SCOPE_CLASSIC = 0,	/* allowed: nothing is asked at scope 0 */
	PSC_REASON_TRACEME_FREE = 1,	/* allowed: TRACEME is free at scope 1 */
	PSC_REASON_ANCESTOR = 2,	/* allowed: the tracer is an ancestor */
	PSC_REASON_EXCEPTION = 3,	/* allowed: already tracing, or PR_SET_PTRACER */
	PSC_REASON_CAPABLE = 4,		/* allowed: CAP_SYS_PTRACE */
	PSC_REASON_DEAD = 5,		/* refused: the tracee is dead */
	PSC_REASON_UNRELATED = 6,	/* refused: neither relation nor capability */
	PSC_REASON_NOT_CAPABLE = 7,	/* refused: scope 2 without the capability */
	PSC_REASON_NO_ATTACH = 8,	/* refused: scope 3 */
	PSC_REASON_UNDECIDED = 9,	/* refused: the facts did not suffice */
	PSC_REASON_SIBLING = 10,	/* allowed: related by their cgroup's scope "siblings" */
	PSC_REASON_BOUNDARY = 11,	/* refused: from outside the tracee's container */
};

/*
 * In the place of a mode: an event about somebody who tried to get at the programs
 * under a floor. Not one of enum psc_mode, as it has no scope.
 */
#define PSC_EVENT_TAMPER 16

/* Which guard refused that. */
enum psc_guard {
	PSC_GUARD_LOAD = 0,		/* loading a program that decides a guarded function */
	PSC_GUARD_PROG = 1,		/* opening a program, or loading one that uses our maps */
	PSC_GUARD_MAP = 2,		/* opening a map */
	PSC_GUARD_UNLINK = 3,
	PSC_GUARD_RMDIR = 4,
	PSC_GUARD_RENAME = 5,
	PSC_GUARD_UMOUNT = 6,
	PSC_GUARD_SYSCTL = 7,		/* writing kernel.ftrace_enabled */
	PSC_GUARD_MOUNT = 8,		/* mounting over the pins, or over what leads to them */
	PSC_GUARD_MOVE = 9,		/* moving a mount that carries the pins, pivot_root */
	PSC_GUARD_REMOUNT = 10,		/* remounting that of the pins */
	PSC_GUARD_ATTR = 11,		/* owner and mode of the pins and their directory */
};

#define PSC_COMM_LEN 16

/* One side of a refused access. Ids are those of the initial namespaces. */
struct psc_party {
	__u32 pid;			/* thread-group id */
	__u32 tid;
	__u32 uid;			/* real uid */
	__u32 pad;
	__u64 start_ns;			/* start of the task, CLOCK_BOOTTIME */
	__u64 cgroup;			/* cgroup2 id */
	char comm[PSC_COMM_LEN];
};
_Static_assert(sizeof(struct psc_party) == 48, "ABI");

/* A refusal, as it comes through the ring buffer. */
struct psc_event {
	__u32 size;			/* of this struct */
	__u8 mode;			/* enum psc_mode, or PSC_EVENT_TAMPER */
	__u8 scope;			/* enum psc_scope that was in force; of tampering 0 */
	__u8 reason;			/* enum psc_reason; of tampering enum psc_guard */
	__u8 pad;
	__u32 access;			/* PTRACE_MODE_* bits of the check, 0 where it has none */
	__u32 account;			/* whose share of the reports it took, psc_account_of() */
	struct psc_party tracer;	/* of tampering: who did it */
	struct psc_party tracee;	/* of tampering: zeroes */
};
_Static_assert(sizeof(struct psc_event) == 112, "ABI");

/*
 * How many events of refused accesses reach the ring buffer in a window; the rest is
 * counted. An account has PSC_EVENT_BURST. One of many uids (psc_account_of()) has
 * PSC_EVENT_CROWD_BURST, of which none of its uids gets more than PSC_EVENT_BURST.
 * After each PSC_EVENT_STEP of all accounts together their bursts are halved, down to 1.
 * So whoever is beside those who make events all the time keeps a share of his own.
 * Refused tampering has one burst of its own.
 */
#define PSC_EVENT_BURST 20
#define PSC_EVENT_CROWD_BURST 40
#define PSC_EVENT_STEP 100
#define PSC_EVENT_WINDOW_NS (5ULL * 1000 * 1000 * 1000)
#define PSC_EVENT_RING_BYTES (64 * 1024)

/*
 * Uids from here on are given out in blocks to users (subuid(5)), to containers and to
 * directories of a network, and one user may have a whole block: its uids are one account.
 */
#define PSC_CROWD_UIDS 65536
#define PSC_CROWD_SHIFT 16

/* Who answers for what is done by a uid: itself, or its block. */
static inline __attribute__((always_inline)) __u32 psc_account_of(__u32 uid)
{
	return uid < PSC_CROWD_UIDS ? uid : PSC_CROWD_UIDS + (uid >> PSC_CROWD_SHIFT);
}

/* psc_peers: what is known of the task that connected to the daemon's socket. */
struct psc_peer {
	__u32 capable;			/* CAP_SYS_PTRACE in the initial user namespace */
	__u32 uid;
	__u32 pid;			/* thread-group id */
	__u32 account;			/* psc_account_of() of it, or of who owns its user namespace */
};

/* The maps that decide verdicts, what the guards go by, and what reports depend on. */
enum psc_policy_map {
	PSC_MAP_STATE,
	PSC_MAP_GUARDED,
	PSC_MAP_CGROUPS,
	PSC_MAP_PATTERNS,
	PSC_MAP_STUCK,
	PSC_MAP_RESERVE,
	PSC_MAP_RELATIONS,
	PSC_MAP_TRACERS,
	PSC_MAP_SERIAL,
	PSC_MAP_WINDOW,
	PSC_MAP_STATS,
	PSC_POLICY_MAPS,
};

/*
 * What psc_scan writes of programs, ours included: one for each of the policy's maps
 * that one uses, and one if it could overrule ours.
 */
struct psc_found_prog {
	__u32 id;
	__u32 map;			/* enum psc_policy_map, or PSC_POLICY_MAPS */
	__u64 refs;			/* references to it, such as links and descriptors */
	char name[PSC_COMM_LEN];
};

#define PSC_FOUND_PINNED (1U << 0)	/* it has a pin where the guards look after it */
/* And of all of them: */
#define PSC_FOUND_CHANGING (1U << 1)	/* somebody removes or renames what leads to the pins */
#define PSC_FOUND_SWITCHING (1U << 2)	/* somebody is in the middle of kernel.ftrace_enabled */

/* What psc_scan_maps writes of each of the policy's maps. */
struct psc_found_map {
	__u32 index;			/* enum psc_policy_map */
	__u32 is;			/* PSC_FOUND_* */
	__u64 refs;			/* references of every kind */
	__u64 users;			/* of these: descriptors and pins */
};

#define PSC_PIN_DIR "/sys/fs/bpf/ptracescope"

/*
 * The tables of tasks are sized by kernel.threads-max, within these: docs/design.md,
 * "What tables have room for".
 */
#define PSC_RELATIONS_MIN 32768
#define PSC_RELATIONS_MAX 4194304	/* PID_MAX_LIMIT */
#define PSC_RESERVE_MAX 4096

#endif
