/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tries the operations in a world, once the kernel has forgotten those who died in it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parity.h"

#define CANARY_UID 4242

void world_measure(struct world *w, int tracer, int target, result_t *results)
{
	const struct actor *a = &w->actors[target];
	struct request req = {
		.command = CMD_OPS_TARGET,
		.target = {
			.pid = world_pid_seen(w, tracer, target),
			.tid = a->tid,
			.leader = a->leader,
			.fd = a->fd,
			.buf = a->buf,
		},
	};
	struct reply reply;

	world_call(w, tracer, &req, -1, &reply);
	for (int op = 0; op < OPS; op++)
		results[op] = op < TARGET_OPS ? reply.results[op] : RESULT_NONE;
}

static void undo_traceme(struct world *w, int actor)
{
	struct actor *a = &w->actors[actor];
	pid_t tracer_tid = world_status_pid(a->tid, "TracerPid");
	int tracer = world_actor_by_tid(w, tracer_tid, false);
	long ret;

	if (syscall(SYS_tgkill, a->tgid, a->tid, SIGSTOP))
		bail("stopping actor %d: %s", actor, strerror(errno));
	if (tracer_tid == getpid())
		ret = ops_detach(a->tid);
	else if (tracer >= 0)
		ret = world_command(w, tracer, CMD_UNTRACE,
				    (uint64_t)world_pid_seen(w, tracer, actor), 0, 0);
	else
		ret = -ESRCH;
	if (ret < 0)
		bail("undoing PTRACE_TRACEME of actor %d: %s", actor, strerror((int)-ret));
}

void world_measure_traceme(struct world *w, int actor, result_t *results)
{
	struct request req = { .command = CMD_OPS_CHILDREN };
	struct reply reply;
	long ret;

	for (int op = 0; op < OPS; op++)
		results[op] = RESULT_NONE;
	world_call(w, actor, &req, -1, &reply);
	for (int op = TARGET_OPS; op < CHILD_OPS; op++)
		results[op] = reply.results[op];
	if (!world_parent_obeys(w, actor))
		return;
	ret = world_command(w, actor, CMD_TRACEME, 0, 0, 0);
	results[OP_TRACEME] = ret < 0 ? RESULT(0, (int)-ret) : 0;
	if (ret >= 0)
		undo_traceme(w, actor);
}

/*
 * A declaration ends when the kernel frees the task that was named, which is
 * some time after its end (an RCU grace period and a callback). Tasks are freed
 * in the order of their end as all run on one CPU. So let one more thread die,
 * and see when Yama forgets that this one was named.
 */
static void await_canary(struct world *w)
{
	int first = w->count, tracer, thread, tracee;
	result_t results[OPS];
	bool forgotten = false;

	tracer = world_fork(w, -1, 0, 0);
	tracee = world_fork(w, -1, 0, 0);
	if (tracer < 0 || tracee < 0 || world_setuid(w, tracer, CANARY_UID) ||
	    world_setuid(w, tracee, CANARY_UID) || world_prctl(w, tracee, PR_SET_DUMPABLE, 1))
		bail("cannot prepare the canary");
	thread = world_thread(w, tracer);
	if (thread < 0 || world_declare(w, tracee, thread, 0))
		bail("cannot declare the canary");
	world_measure(w, tracer, tracee, results);
	if (results[OP_PERSONALITY])
		bail("the canary is not accepted: %s",
		     strerror(RESULT_ERRNO(results[OP_PERSONALITY])));
	world_exit_thread(w, thread);
	for (long us = 0; !forgotten && us < HANG_SECONDS * 1000000L; us += POLL_US) {
		world_measure(w, tracer, tracee, results);
		forgotten = results[OP_PERSONALITY] != 0;
		if (!forgotten)
			usleep(POLL_US);
	}
	if (!forgotten)
		bail("a thread that ended is not forgotten as tracer");
	world_exit(w, tracer, true);
	world_exit(w, tracee, true);
	for (int i = first; i < w->count; i++)
		close(w->actors[i].sock);
	w->count = first;
}

/*
 * Twice: a task runs for a moment after it can be seen to have ended, so the
 * first canary may overtake it; it cannot while we slept waiting for the first.
 */
void world_settle(struct world *w)
{
	size_t log_len = w->log_len;
	int processes = w->processes;
	bool verbose = w->verbose;

	/* At scope 3 nothing depends on it, and Yama could not be asked. */
	if (!w->deaths || w->no_attach)
		return;
	set_scope(OURS, 0);
	set_scope(YAMA, 1);
	w->verbose = false;
	await_canary(w);
	await_canary(w);
	w->verbose = verbose;
	w->processes = processes;
	w->log_len = log_len;
	if (w->log)
		w->log[log_len] = '\0';
	set_scope(YAMA, 0);
	w->deaths = false;
}
