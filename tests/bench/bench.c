// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a ptrace check costs, printed as lines of tab-separated words:
 *
 *	cost SYSTEM DECLARED STATE ROW VALUE
 *	fact NAME VALUE
 *
 * bench PLAN CROWD
 *	product		in a guest without Yama: bare, empty programs, ours
 *	yama		in a guest with Yama
 *	guard		the main rows, bare and ours, for "make check"
 *	floor		the main rows, ours without a floor and with one
 *	daemon		what the daemon takes
 *	native		on a real machine: nothing there is left changed
 *
 * CROWD processes live meanwhile; as many of them as a level says have declared a
 * tracer. Values are in units of CLOCK_MONOTONIC_RAW: nanoseconds, and in a guest that
 * counts instructions, instructions.
 */
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "ptracescope.h"
#include "util.h"

/* A young guest shows higher figures. */
#define GUEST_SETTLES_S 8

static const unsigned int levels[] = { 1000, 10000, 100000 };
/* Yama walks its list at every declaration, too: to build one this long is out of proportion. */
#define YAMA_MAX 10000

void bench_die(const char *format, ...)
{
	va_list ap;
	int err = errno;

	fflush(stdout);
	fputs("bench: ", stderr);
	errno = err;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

double bench_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void bench_print_fact(const char *name, double value)
{
	printf("fact\t%s\t%.0f\n", name, value);
	fflush(stdout);
}

static const char *const system_words[] = {
	[BENCH_BARE] = "bare",
	[BENCH_EMPTY] = "empty",
	[BENCH_YAMA] = "yama",
	[BENCH_OURS] = "ours",
};

/* @state: what else is special about it, "-" for nothing */
static void measure_rows(enum bench_system system, unsigned int declared, const char *state,
			 bool main_only)
{
	for (size_t i = 0; i < bench_n_rows; i++) {
		const struct bench_row *row = &bench_rows[i];

		if ((row->declares && system != BENCH_YAMA && system != BENCH_OURS) ||
		    (main_only && !row->main))
			continue;
		/* Under a floor no scope falls. */
		if (streq(state, "floor") && row->scope == 0)
			continue;
		bench_set_scope(system, row->scope);
		printf("cost\t%s\t%u\t%s\t%s\t%.0f\n", system_words[system], declared, state,
		       row->name, bench_measure(row, system));
		fflush(stdout);
	}
	bench_set_scope(system, PSC_SCOPE_RESTRICTED);
}

/* With no other declaration than the one that a row is about. */
static void measure_alone(enum bench_system system, bool main_only)
{
	bench_crowd_declare(1);
	measure_rows(system, 0, "-", main_only);
}

static void measure_levels(enum bench_system system, unsigned int crowd)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels) && levels[i] <= crowd; i++) {
		bench_crowd_declare(levels[i]);
		measure_rows(system, levels[i], "-", false);
	}
}

/* @entries at that depth; 0 for one at every depth down to it */
static void measure_cgroups_at(unsigned int entries, unsigned int depth, unsigned int declared,
			       bool main_only)
{
	unsigned int n = entries ? entries : 1;
	char state[40];

	if (entries)
		snprintf(state, sizeof(state), "cgroups-%u-depth-%u", entries, depth);
	else
		snprintf(state, sizeof(state), "cgroups-every-depth-%u", depth);
	bench_cgroups_make(n, depth, !entries);
	measure_rows(BENCH_OURS, declared, state, main_only);
	bench_cgroups_remove(n, depth);
}

static void measure_cgroups(unsigned int declared)
{
	static const unsigned int depths[] = { 1, 4, 16 };

	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		measure_cgroups_at(1, depths[i], declared, false);
		measure_cgroups_at(10000, depths[i], declared, false);
	}
	measure_cgroups_at(0, 16, declared, false);
	/* Of the entries that are gone some traces are left in what a check looks at. */
	measure_rows(BENCH_OURS, declared, "cgroups-gone", false);
}

static void measure_empty(bool main_only)
{
	int err = bench_empty_attach();

	if (err)
		bench_die("BPF LSM programs cannot be attached here: %s", strerror(-err));
	measure_rows(BENCH_EMPTY, 0, "-", main_only);
	bench_empty_detach();
}

static void plan_product(unsigned int crowd)
{
	measure_rows(BENCH_BARE, 0, "-", false);
	measure_empty(false);
	bench_print_fact("daemon-start", bench_daemon_start());
	bench_facts();
	measure_alone(BENCH_OURS, false);
	measure_levels(BENCH_OURS, crowd);
	bench_daemon_kill();
	measure_rows(BENCH_OURS, crowd, "no-reader", false);
	bench_print_fact("daemon-adopts", bench_daemon_start());
	measure_cgroups(crowd);
	bench_raise_floor();
	measure_rows(BENCH_OURS, crowd, "floor", false);
}

/*
 * Nothing but the checks may count: a reader of events would work in the middle of the rows
 * whose checks are refused, and of those after them.
 */
static void plan_guard(unsigned int crowd)
{
	bench_least = true;
	measure_rows(BENCH_BARE, 0, "-", true);
	measure_empty(true);
	bench_print_fact("daemon-start", bench_daemon_start());
	bench_daemon_kill();
	measure_alone(BENCH_OURS, true);
	bench_crowd_declare(crowd);
	measure_rows(BENCH_OURS, crowd, "-", true);
	measure_cgroups_at(1, 4, crowd, true);
	measure_rows(BENCH_OURS, crowd, "cgroups-gone", true);
}

/* What a floor adds: the anchor, whose programs are asked besides the pinned ones. */
static void plan_floor(unsigned int crowd)
{
	measure_rows(BENCH_BARE, 0, "-", true);
	bench_print_fact("daemon-start", bench_daemon_start());
	measure_alone(BENCH_OURS, true);
	bench_raise_floor();
	bench_daemon_kill();
	measure_rows(BENCH_OURS, crowd, "floor", true);
}

static void plan_yama(unsigned int crowd)
{
	measure_alone(BENCH_YAMA, false);
	measure_levels(BENCH_YAMA, crowd < YAMA_MAX ? crowd : YAMA_MAX);
}

static void plan_native(unsigned int crowd)
{
	bool yama = access("/proc/sys/kernel/yama", F_OK) == 0;

	if (access(PSC_PIN_DIR, F_OK) == 0)
		bench_die("ptracescoped is in force here: ptracescopectl detach comes first");
	if (yama)
		bench_die("Yama is active here: boot with an lsm= list that has bpf and not yama");
	measure_empty(false);
	measure_rows(BENCH_BARE, 0, "-", false);
	bench_print_fact("daemon-start", bench_daemon_start());
	bench_facts();
	measure_alone(BENCH_OURS, false);
	measure_levels(BENCH_OURS, crowd);
	bench_detach();
}

/* Only the daemon. */
static void plan_daemon(unsigned int crowd)
{
	(void)crowd;
	bench_print_fact("daemon-start", bench_daemon_start());
	bench_facts();
}

static const struct plan {
	const char *name;
	void (*run)(unsigned int crowd);
	unsigned int settle_s;
} plans[] = {
	{ "product", plan_product, GUEST_SETTLES_S },
	{ "yama", plan_yama, GUEST_SETTLES_S },
	{ "guard", plan_guard, GUEST_SETTLES_S },
	{ "floor", plan_floor, GUEST_SETTLES_S },
	{ "daemon", plan_daemon, GUEST_SETTLES_S },
	{ "native", plan_native, 0 },
};

int main(int argc, char **argv)
{
	const struct plan *plan = NULL;
	unsigned int crowd;

	if (argc == 7 && streq(argv[1], "row"))
		return bench_row_main(argv + 2);
	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(plans); i++)
		if (streq(argv[1], plans[i].name))
			plan = &plans[i];
	if (!plan || psc_parse_u32(argv[2], &crowd)) {
		fputs("usage: bench product|yama|guard|floor|daemon|native CROWD\n", stderr);
		return EXIT_FAILURE;
	}
	if (geteuid() != 0)
		bench_die("only root attaches programs and acts for other users");
	/* What is orphaned is to be no child of init, of which we know nothing. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		bench_die("PR_SET_CHILD_SUBREAPER: %m");
	/* A guest is switched off sooner than such a crowd has ended: Linux 6.1 takes minutes. */
	bench_crowd_start(crowd, !plan->settle_s);
	sleep(plan->settle_s);
	plan->run(crowd);
	if (!plan->settle_s)
		bench_crowd_stop();
	return EXIT_SUCCESS;
}
