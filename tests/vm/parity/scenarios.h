/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words in which scenarios are told. */
#ifndef PSC_PARITY_SCENARIOS_H
#define PSC_PARITY_SCENARIOS_H

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "parity.h"

#define ALICE 1000
#define BOB 1001
#define ALL_CAPS (~0ULL)
#define ONE_CAP(cap) (1ULL << (cap))
#define PTRACE_CAP ONE_CAP(CAP_SYS_PTRACE)
/* perf_event_open() does not ask about ptrace who has CAP_PERFMON and CAP_KILL. */
#define OTHER_CAPS (~(PTRACE_CAP | ONE_CAP(CAP_KILL)))
/* Files in /proc/PID are readable for their owner only. */
#define PROC_CAP ONE_CAP(CAP_DAC_READ_SEARCH)

/* Verdicts for scopes 0 to 3. */
#define ALWAYS "yyyn"		/* scope 3 refuses everyone */
#define RELATED "yynn"		/* allowed by relation or exception */
#define STRANGER "ynnn"
#define NEVER "nnnn"		/* the rest of the kernel refuses at scope 0, too */

static inline void expect_op(struct world *w, int tracer, int target, enum op op,
			     const char *verdicts)
{
	if (w->expect_count == EXPECTS_MAX)
		bail("more than %d expectations", EXPECTS_MAX);
	w->expects[w->expect_count++] = (struct expect){ tracer, target, op, verdicts };
}

/* The verdict on all that asks for ATTACH. */
static inline void expect(struct world *w, int tracer, int target, const char *verdicts)
{
	expect_op(w, tracer, target, OPS, verdicts);
}

/* A command must end so; @err 0 for success. */
static inline void must(struct world *w, long ret, int err)
{
	if (ret == -err || (err == 0 && ret > 0))
		return;
	world_note(w, "that was to be %s", err ? strerrorname_np(err) : "done");
	w->wrong++;
}

/* PTRACE_SEIZE, which scope 3 refuses. */
static inline void must_seize(struct world *w, int tracer, int target)
{
	must(w, world_seize(w, tracer, target), w->no_attach ? EPERM : 0);
}

static inline void drop_to(struct world *w, int actor, uid_t uid)
{
	must(w, world_setuid(w, actor, uid), 0);
	must(w, world_prctl(w, actor, PR_SET_DUMPABLE, 1), 0);
}

static inline int fork_ok(struct world *w, int parent, unsigned int flags, unsigned int between)
{
	int actor = world_fork(w, parent, flags, between);

	if (actor < 0)
		bail("fork failed");
	return actor;
}

static inline int child_of(struct world *w, int parent)
{
	return fork_ok(w, parent, 0, 0);
}

static inline int thread_of(struct world *w, int actor)
{
	int thread = world_thread(w, actor);

	if (thread < 0)
		bail("thread failed");
	return thread;
}

static inline int root(struct world *w)
{
	return fork_ok(w, -1, 0, 0);
}

/* An ordinary user's process; two of them are strangers to each other. */
static inline int user(struct world *w)
{
	int actor = root(w);

	drop_to(w, actor, ALICE);
	return actor;
}

static inline void declare(struct world *w, int tracee, int tracer)
{
	must(w, world_declare(w, tracee, tracer, 0), 0);
}

#endif
