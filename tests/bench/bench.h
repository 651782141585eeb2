/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the measuring program share. */
#ifndef PSC_BENCH_H
#define PSC_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Give up: a measurement that is not what it says is worse than none. */
void __attribute__((noreturn, format(printf, 1, 2))) bench_die(const char *format, ...);

/* Nanoseconds of a clock that only runs forward; in a guest that counts, instructions. */
double bench_clock(void);

/* --- rows.c: what is measured --- */

/* Who is asked for leave while a row runs. */
enum bench_system {
	BENCH_BARE,	/* nobody */
	BENCH_EMPTY,	/* LSM programs that do nothing, on the hooks that ours are on */
	BENCH_YAMA,
	BENCH_OURS,
};

struct bench_row {
	const char *name;
	unsigned int times;		/* calls in a batch */
	unsigned int scope;		/* to be in force, of BENCH_YAMA and BENCH_OURS */
	bool declares;			/* needs PR_SET_PTRACER: there is none on a bare kernel */
	bool refused;			/* by whoever enforces */
	bool main;			/* measured by the guard of "make check" as well */
	void (*setup)(void);		/* in a process of its own, as root */
	void (*once)(void);
};

extern const struct bench_row bench_rows[];
extern const size_t bench_n_rows;

/* Make ready what a row needs, in the process that it is measured in. */
void bench_row_begin(const struct bench_row *row, enum bench_system system, pid_t declarer);

/* --- measure.c: how --- */

#define BENCH_BATCHES 9
#define BENCH_REPORTING_S 1	/* what the daemon needs at most for a burst of events */

/*
 * Take the least of the batches, not their median: what else the machine does in the middle
 * of some of them does not count then.
 */
extern bool bench_least;

/**
 * bench_measure - the cost of one call
 * @row: what to do
 * @system: who is in force, which decides what is to be expected
 *
 * In a process of its own that leads a session and is gone afterwards with all it
 * started; executed anew, so that what it costs to fork it does not depend on what has
 * happened here. The median of several batches, or with bench_least the least.
 *
 * Return: in units of bench_clock().
 */
double bench_measure(const struct bench_row *row, enum bench_system system);

/* What that process does: "bench row INDEX SYSTEM PIPE DECLARER LEAST". */
int bench_row_main(char **arguments);

/* --- crowd.c: processes that declare tracers --- */

/*
 * Start @n processes, and one more, that do nothing. They share one memory, so that many fit
 * in. @ends_with_us: whatever we end of
 */
void bench_crowd_start(unsigned int n, bool ends_with_us);

/* Have as many of them declare a tracer, each another one, that @n have. @n > 0 */
void bench_crowd_declare(unsigned int n);

/* The one that declares first; it names the caller. */
pid_t bench_crowd_first(void);

void bench_crowd_stop(void);

/* --- cgroups.c: cgroups with policies --- */

/*
 * Make @n cgroups with an entry each, @depth levels below the root; what is measured lives
 * in one. @every: those above them have one, too.
 */
void bench_cgroups_make(unsigned int n, unsigned int depth, bool every);
void bench_cgroups_remove(unsigned int n, unsigned int depth);
/* Move the caller there. */
void bench_cgroup_enter(void);

/* --- product.c: the empty programs, the daemon and the programs in force --- */

/* Attach the empty programs, or take them away. -errno when the kernel does not let us. */
int bench_empty_attach(void);
void bench_empty_detach(void);

/* Run the daemon until it says that it is ready; what it took, in units of bench_clock(). */
double bench_daemon_start(void);
void bench_daemon_kill(void);

/* Set what Yama or the programs in force have for kernel.yama.ptrace_scope. */
void bench_set_scope(enum bench_system system, unsigned int scope);
/* A request to the programs in force. Return: 0 or a negative errno. */
struct psc_request;
int bench_request(struct psc_request *req);
/* Raise the floor to the scope in force: until reboot. */
void bench_raise_floor(void);
/* End enforcement. */
void bench_detach(void);

/* Print what a running daemon and the programs in force take, and what asking it costs. */
void bench_facts(void);

/* One line of results. */
void bench_print_fact(const char *name, double value);

#endif
