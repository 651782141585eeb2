/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/* Reasons of verdicts, what the guards refuse, events, and how many events there may be. */
#ifndef PTRACESCOPE_EVENT_H
#define PTRACESCOPE_EVENT_H

#include "ptracescope.h"

/*
 * Why a verdict is what it is; also what an event carries. A row is a reason: its name, 1 if it
 * refuses, its word in the journal and in JSON, its text. The words are for machines and stay as
 * they are; new reasons are added at the end.
 */
#define PSC_REASON_TABLE(REASON) \
	REASON(SCOPE_CLASSIC, 0, "scope-classic", "scope 0 asks for nothing") \
	REASON(TRACEME_FREE, 0, "traceme-free", "scope 1 leaves PTRACE_TRACEME free") \
	REASON(ANCESTOR, 0, "ancestor", "the tracer is an ancestor of the tracee") \
	REASON(EXCEPTION, 0, "exception", \
	       "the tracer is tracing already, or the tracee declared it") \
	REASON(CAPABLE, 0, "capable", "the tracer has CAP_SYS_PTRACE") \
	REASON(DEAD, 1, "dead", "the tracee is dead") \
	REASON(UNRELATED, 1, "unrelated", "the tracer is no ancestor, was not declared with " \
	       "PR_SET_PTRACER, and lacks CAP_SYS_PTRACE") \
	REASON(NOT_CAPABLE, 1, "not-capable", "the tracer lacks CAP_SYS_PTRACE") \
	REASON(NO_ATTACH, 1, "no-attach", "nobody may attach") \
	REASON(UNDECIDED, 1, "undecided", "the facts did not suffice") \
	REASON(SIBLING, 0, "sibling", "both are in the same cgroup of scope \"siblings\"") \
	REASON(BOUNDARY, 1, "boundary", "the tracer is outside the tracee's container and lacks " \
	       "CAP_SYS_PTRACE in the initial user namespace")

enum psc_reason {
#define PSC_REASON_ID(id, refuses, word, text) PSC_REASON_##id,
	PSC_REASON_TABLE(PSC_REASON_ID)
#undef PSC_REASON_ID
	PSC_REASONS
};

/*
 * What the guards refuse. A row is the name, the word in the journal and in metrics, and the text
 * behind "refused to let PROCESS". New rows are added at the end.
 */
#define PSC_GUARD_TABLE(GUARD) \
	GUARD(LOAD, "load", "load a BPF program that could overrule the verdicts") \
	GUARD(PROG, "prog", "get hold of a BPF program that uses the policy") \
	GUARD(MAP, "map", "open a map of the policy") \
	GUARD(UNLINK, "unlink", "remove a pin") \
	GUARD(RMDIR, "rmdir", "remove the directory of the pins") \
	GUARD(RENAME, "rename", "rename or replace a pin") \
	GUARD(UMOUNT, "umount", "unmount what carries the pins") \
	GUARD(SYSCTL, "sysctl", "turn BPF LSM programs off") \
	GUARD(MOUNT, "mount", "mount over the pins") \
	GUARD(MOVE, "move", "move what carries the pins") \
	GUARD(REMOUNT, "remount", "remount what carries the pins") \
	GUARD(ATTR, "attributes", "change the owner or mode of the pins")

enum psc_guard {
#define PSC_GUARD_ID(id, word, text) PSC_GUARD_##id,
	PSC_GUARD_TABLE(PSC_GUARD_ID)
#undef PSC_GUARD_ID
	PSC_GUARDS
};

/*
 * Behind the counters of enum psc_stat in psc_stats, and told by psc_explain: refusals by mode and reason, without those
 * of the daemon's own tests; refused tampering by guard; processes that have declared a tracer.
 * A set that was loaded before these came has no room for them.
 */
#define PSC_COUNT_REFUSED(mode, reason) (PSC_STATS + (mode) * PSC_REASONS + (reason))
#define PSC_COUNT_TAMPER(guard) (PSC_COUNT_REFUSED(PSC_MODES, 0) + (guard))
#define PSC_COUNT_DECLARED PSC_COUNT_TAMPER(PSC_GUARDS)
#define PSC_COUNTS (PSC_COUNT_DECLARED + 1)

/*
 * In the place of a mode: an event about somebody who tried to get at the programs
 * under a floor. Not one of enum psc_mode, as it has no scope.
 */
#define PSC_EVENT_TAMPER 16

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

#endif
