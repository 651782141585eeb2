/* SPDX-License-Identifier: GPL-2.0-only OR GPL-2.0-or-later */
/*
 * What psc_explain is asked and tells: all facts of one access, with the verdict. Whoever
 * explains reads this and nothing else, so a pid that is reused cannot mislead him.
 */
#ifndef PTRACESCOPE_EXPLAIN_H
#define PTRACESCOPE_EXPLAIN_H

#include "ptracescope.h"
#include "ptracescope_policy.h"

enum psc_explain_op {
	PSC_EXPLAIN_ACCESS = 0,		/* the facts of an access: struct psc_explanation */
	PSC_EXPLAIN_PATH = 1,		/* the cgroups on the tracee's path: struct psc_found */
	PSC_EXPLAIN_COUNTS = 2,		/* what has been counted: struct psc_counts */
	PSC_EXPLAIN_FTRACE = 3,		/* the value of kernel.ftrace_enabled, without ftrace_lock */
};

/* The context of a psc_explain run, which returns as psc_ctl does. What it tells is in psc_found. */
struct psc_explain_request {
	__u32 abi;			/* in: PSC_ABI; out: that of the programs */
	__u32 op;			/* enum psc_explain_op */
	__u32 mode;			/* enum psc_mode, but for PSC_MODE_BOUNDARY */
	/* A process of the caller's pid namespace in whose own pids are counted; 0: the caller. */
	__u32 viewer;
	__s32 tracer;			/* 0: the viewer; with TRACEME the tracee's parent */
	__s32 tracee;			/* FTRACE: a descriptor of that sysctl */
	__u32 level;			/* PATH: from which level on, the root has 0 */
	__u32 n;			/* out, PATH: how many, FTRACE: the value; in: 0 */
};
_Static_assert(sizeof(struct psc_explain_request) == 32, "ABI");

#define PSC_SIDE_KTHREAD (1U << 0)	/* a thread of the kernel's */
#define PSC_SIDE_EXITING (1U << 1)	/* on its way out, or a zombie */
#define PSC_SIDE_DEAD (1U << 2)		/* has ended: a zombie at most */
#define PSC_SIDE_FILTERED (1U << 3)	/* seccomp, of either kind */
#define PSC_SIDE_NO_NEW_PRIVS (1U << 4)

/* One side, by the credentials that the check goes by. Ids are those of the initial namespaces. */
struct psc_explain_side {
	__u32 pid, tid;
	__u64 start_ns;			/* of the task, CLOCK_BOOTTIME */
	char comm[PSC_COMM_LEN];
	__u32 uid, euid, suid, fsuid;
	__u32 gid, egid, sgid, fsgid;
	__u64 cap_permitted, cap_effective;	/* capabilities */
	__u32 user_ns;			/* its number, as in /proc/PID/ns/user */
	__u32 ns_level;			/* 0: the initial one */
	__u32 ns_owner;			/* uid */
	__u32 is;			/* PSC_SIDE_* */
	__u64 cgroup;			/* id of that of a living thread's domain */
	struct psc_effective effective; /* what holds for it, and the cgroups that it is from */
};

enum psc_declared {
	PSC_DECLARED_NONE = 0,
	PSC_DECLARED_ANYONE = 1,
	PSC_DECLARED_TASK = 2,
	PSC_DECLARED_DEAD = 3,		/* a task that has ended */
};

struct psc_explanation {
	struct psc_explain_side tracer, tracee;
	struct psc_question question;
	__u32 known, holds;		/* PSC_FACT_*: all that the mode asks for */
	__u32 refused, reason;		/* by ptracescope */
	__u32 same_process;
	/* CAP_SYS_PTRACE in the tracee's user namespace: what the kernel itself asks for */
	__u32 capable;
	__u32 dumpable;			/* 0, 1, 2; by the mm's or what has taken its place */
	__u32 dump_capable;		/* that capability in the namespace of what was executed */
	__u32 traced_by;		/* pid, 0: nobody */
	__u32 parent;			/* pid of who would be made its tracer by TRACEME */
	__u32 declared;			/* enum psc_declared */
	__u32 declared_pid;
	__u64 container;		/* the tracee's, as in struct cgroup_facts */
	__u64 carried;	/* one whose locked boundary the tracee carries, 0: none */
	union psc_policy global;
	union psc_policy floors_for_all;	/* floors that apply to every process */
};
_Static_assert(sizeof(struct psc_explanation) <= sizeof(struct psc_found), "it is told there");

/* The counters of psc_stats, summed over processors: enum psc_stat, PSC_COUNT_* */
struct psc_counts {
	__u64 n[PSC_COUNTS];
};
_Static_assert(sizeof(struct psc_counts) <= sizeof(struct psc_found), "they are told there");

#endif
