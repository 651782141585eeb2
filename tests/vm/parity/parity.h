/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does ptracescoped judge as Yama does? Worlds of processes and threads
 * ("actors") are built by commands, and every operation that a ptrace access
 * check guards is tried between them, once with Yama at a scope and ours at 0,
 * once the other way round. Result and errno must be the same.
 *
 * ops.c        the operations, run inside an actor
 * actor.c      the actors: carry out one command at a time
 * world.c      the controller's side: creates actors, commands them, ends them
 * acts.c       commands that change an actor
 * measure.c    tries the operations in a world
 * generator.c  random worlds
 * scenarios.c, scenarios_cred.c, scenarios_dead.c  named worlds, with the verdict that Yama
 *              promises: relations and declarations, credentials, leaders that are dead
 * scope.c      sets Yama's scope and ours
 * ../progs/parity.c  runs worlds under all scopes, compares, reports as TAP
 */
#ifndef PSC_PARITY_H
#define PSC_PARITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ptracescope.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SCOPES 4

/* No task has this number: it is above what a small machine ever gives out. */
#define NO_SUCH_PID 4194303UL

/* A guard against hangs, many times longer than the slowest command, and how often to look. */
#define HANG_SECONDS 300
#define POLL_US 500

/* ---- ops.c ---- */

enum op {
	/* on a target */
	OP_ATTACH,
	OP_SEIZE,
	OP_VM_READV,
	OP_VM_WRITEV,
	OP_MEM,
	OP_SYSCALL,
	OP_STACK,
	OP_PERSONALITY,
	OP_PIDFD_GETFD,
	OP_PERF_SIGTRAP,
	OP_PERF,
	OP_MAPS,
	OP_ENVIRON,
	OP_AUXV,
	OP_EXE,
	OP_NS_USER,
	OP_NS_MNT,
	OP_KCMP,
	OP_ROBUST_LIST,
	OP_STAT,
	TARGET_OPS,
	/* by an actor alone */
	OP_TRACEME_CHILD = TARGET_OPS,	/* by a forked child */
	OP_TRACEME_USERNS,		/* by a child in a user namespace of its own */
	OP_TRACEME_NOCAPS,		/* by a child without capabilities */
	CHILD_OPS,
	OP_TRACEME = CHILD_OPS,		/* by the actor itself, undone by the tracer */
	OPS,
};

/*
 * What became of an operation: 0, or the errno with the step (open, read, ...)
 * at which it failed in the upper half. Steps count from 0.
 */
typedef int32_t result_t;
#define RESULT(step, err) ((result_t)((step) << 16 | (err)))
#define RESULT_ERRNO(result) ((result) & 0xffff)
#define RESULT_STEP(result) ((result) >> 16)
#define RESULT_NONE ((result_t)-1)	/* not tried: the target's pid is not visible, ... */

struct op_desc {
	const char *name;
	enum psc_mode mode;	/* of the check the kernel makes */
};
extern const struct op_desc op_descs[OPS];

/* What an operation needs to know of its target. */
struct op_target {
	pid_t pid;		/* in the tracer's pid namespace, 0 if it has none there */
	pid_t tid;		/* in that of /proc */
	bool leader;
	int fd;			/* some descriptor open in the target */
	uint64_t buf;		/* address of probe_buffer in the target */
};

#define PROBE_LEN 32
extern char probe_buffer[PROBE_LEN];

/* Fill results[0..TARGET_OPS) by trying all operations on the target. */
void ops_on_target(const struct op_target *target, result_t *results);

/* Fill results[TARGET_OPS..CHILD_OPS). */
void ops_by_children(result_t *results);

/* Detach from a tracee that is stopping or will stop; 0 or a negative errno. */
int ops_detach(pid_t pid);

/* Interrupt a tracee that was seized, then detach from it. */
int ops_interrupt_detach(pid_t pid);

/* ---- actor.c ---- */

enum command {
	CMD_FORK,		/* fd; flags of clone, processes between */
	CMD_THREAD,		/* fd */
	CMD_EXIT_GROUP,
	CMD_EXIT_THREAD,
	CMD_EXEC,
	CMD_REAP,		/* pid */
	CMD_SETUID,		/* real, effective, saved */
	CMD_SETGID,		/* real, effective, saved */
	CMD_CAPS,		/* effective, permitted */
	CMD_PRCTL,		/* option, argument */
	CMD_UNSHARE,		/* flags */
	CMD_SETNS,		/* fd; kind of namespace */
	CMD_SEIZE,		/* pid */
	CMD_DETACH,		/* pid, seized before */
	CMD_UNTRACE,		/* pid, that was sent SIGSTOP */
	CMD_TRACEME,
	CMD_OPS_TARGET,
	CMD_OPS_CHILDREN,
};

struct request {
	uint32_t command;
	uint32_t pad;
	uint64_t arg[3];
	struct op_target target;
};

struct reply {
	int64_t ret;		/* of the system call, a negative errno on error */
	pid_t tgid, tid;	/* as /proc sees them */
	pid_t ns_tid;		/* as the actor sees itself */
	int32_t fd;		/* its command socket */
	uint64_t buf;
	result_t results[CHILD_OPS];
};

/* Descriptor of this very program in every actor. */
#define EXE_FD 3

/* Say hello on a socket and serve commands until told to exit. */
_Noreturn void actor_run(int fd);
/* Before the first world: opens EXE_FD, and keeps everything on one CPU. */
void actors_prepare(void);

/* ---- world.c ---- */

enum actor_state { ACTOR_RUNS, ACTOR_ZOMBIE, ACTOR_GONE };

struct actor {
	enum actor_state state;
	int sock;		/* the controller's end */
	int process;		/* number shared by the threads of a process */
	bool leader;
	bool ns_init;		/* its exit would end its pid namespace */
	bool seized;		/* its tracer got it by PTRACE_SEIZE */
	int tracer;		/* actor that keeps tracing it, or -1 */
	int userns, pidns;	/* numbers within the world, 0 is the initial one */
	pid_t tgid, tid;
	int fd;
	uint64_t buf;
};

#define ACTORS_MAX 48
#define NAMESPACES_MAX 16
#define EXPECTS_MAX 64

/* A verdict that a scenario promises: a letter for each scope, y or n. */
struct expect {
	int tracer, target;	/* target -1: TRACEME by the tracer; op says which */
	enum op op;		/* OPS: all that ask for ATTACH */
	const char *verdicts;
};

struct world {
	struct actor actors[ACTORS_MAX];
	int count;
	int processes;
	struct { int parent, level; } pidns[NAMESPACES_MAX];
	int pidns_count, userns_count;
	bool deaths;		/* a task ended since the last world_settle() */
	struct expect expects[EXPECTS_MAX];
	int expect_count;
	int wrong;		/* commands that did not do what the scenario says */
	bool no_attach;		/* built while scope 3 is in force: nobody gets to trace */
	bool by_cgroup;		/* somebody was moved: ours is set there in place of globally */
	char *log;		/* all commands and their results */
	size_t log_len;
	bool verbose;
};

void world_begin(struct world *w, bool verbose, bool no_attach);
/* Kill and reap all that the world created. */
void world_end(struct world *w);
/* A line of the world's log. */
void world_note(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* New actors; -1 if the kernel refused. @between processes without a command
 * socket come between parent and child. @parent -1 is the controller. */
int world_fork(struct world *w, int parent, unsigned int clone_flags, unsigned int between);
int world_thread(struct world *w, int actor);
/* What follows changes an actor; returns the system call's result or -errno. */
long world_exec(struct world *w, int actor);
void world_exit(struct world *w, int actor, bool reap);
void world_exit_thread(struct world *w, int actor);
long world_setuid(struct world *w, int actor, uid_t uid);
long world_caps(struct world *w, int actor, uint64_t effective, uint64_t permitted);
long world_prctl(struct world *w, int actor, int option, unsigned long arg);
/* PR_SET_PTRACER naming an actor by its pid in the caller's namespace, with @high above that. */
long world_declare(struct world *w, int actor, int tracer, uint32_t high);
/* The same by the number that @tracer has in the initial namespace. */
long world_declare_outer(struct world *w, int actor, int tracer);
long world_unshare_user(struct world *w, int actor);
long world_setns_user(struct world *w, int actor, int other);
long world_seize(struct world *w, int actor, int target);
long world_detach(struct world *w, int actor, int target);
/* Move the process to the cgroup of scope_cgroup(). */
long world_move(struct world *w, int actor);
long world_traceme(struct world *w, int actor);
/* Make the next fork in the initial pid namespace get this number; it must be free. */
void world_next_pid(struct world *w, pid_t pid);
/* A traced task that dies stays a zombie until its tracer waits, which ours do not. */
bool world_is_traced(const struct world *w, int process);
int world_threads(const struct world *w, int process);
/* The number of an actor in the pid namespace of another, 0 if it has none there. */
pid_t world_pid_seen(const struct world *w, int by, int actor);
/* Send a command, with a descriptor unless @fd is -1, and wait for the answer. */
long world_call(struct world *w, int actor, const struct request *req, int fd,
		struct reply *reply);
/* The same for a command of numbers only; returns the result. */
long world_command(struct world *w, int actor, enum command command, uint64_t arg0,
		   uint64_t arg1, uint64_t arg2);
/* Note a command with its result and hand that back. */
long world_noted(struct world *w, long ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Write the maps of the user namespace that a process has just got. */
void world_map_users(pid_t pid);
/* A number from /proc/TID/status, -1 if there is no such task. */
pid_t world_status_pid(pid_t tid, const char *key);
/* The running actor with that tid (or in that process), or -1. */
int world_actor_by_tid(const struct world *w, pid_t tid, bool any_thread);
/* Is an actor's parent an actor or the controller? Only these can let go of a tracee. */
bool world_parent_obeys(const struct world *w, int actor);

/* ---- measure.c ---- */

/* Wait until the kernel has freed every task that ended. Leaves both scopes at 0. */
void world_settle(struct world *w);
/* Try all operations; results has room for OPS, of which the ones not tried are RESULT_NONE. */
void world_measure(struct world *w, int tracer, int target, result_t *results);
void world_measure_traceme(struct world *w, int actor, result_t *results);

/* Report an error of the test itself, with the world's log, and end the run. */
_Noreturn void bail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- generator.c ---- */

struct pair {
	int tracer, target;	/* target -1: TRACEME by the tracer */
};

uint64_t random_next(uint64_t *state);
/* Build world number @number of @seed and choose pairs to compare; returns their number. */
int generate(struct world *w, uint64_t seed, unsigned int number, struct pair *pairs, int max);

/* ---- scenarios.c, scenarios_cred.c, scenarios_dead.c ---- */

struct scenario {
	const char *name;
	void (*build)(struct world *w);
};
extern const struct scenario scenarios[];
extern const unsigned int scenario_count;
extern const struct scenario cred_scenarios[];
extern const unsigned int cred_scenario_count;
extern const struct scenario dead_scenarios[];
extern const unsigned int dead_scenario_count;

/* ---- scope.c ---- */

enum side { YAMA, OURS, SIDES };
extern const char *const side_names[SIDES];

/* Open both; @pin_dir NULL compares Yama with itself. Bails out on error. */
void scope_open(const char *pin_dir);
/* Set the scope of one side, and bail out unless it took effect. */
void set_scope(enum side side, unsigned int scope);
/* From now on ours is that of PARITY_CGROUP, with a global 0; or of everybody again. */
#define PARITY_CGROUP "/sys/fs/cgroup/parity"
void scope_by_cgroup(bool by_cgroup);

#endif
