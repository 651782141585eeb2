/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random worlds. The same seed and number always give the same commands. */
#include <linux/capability.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "parity.h"

#define ACTORS_WANTED 16	/* no more are created than that */
#define RUNNING_MIN 4		/* nobody exits when so few are left */
#define ALICE 1000
#define BOB 1001
#define ALL_CAPS (~0ULL)
#define ONE_CAP(cap) (1ULL << (cap))

struct generator {
	struct world *w;
	uint64_t state;
	struct pair *pairs;
	int count, max;
};

/* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators") */
uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned int roll(struct generator *g, unsigned int sides)
{
	return (unsigned int)(random_next(&g->state) % sides);
}

static bool chance(struct generator *g, unsigned int percent)
{
	return roll(g, 100) < percent;
}

/* Some actor that runs, or with @dead_too a zombie. */
static int pick(struct generator *g, bool dead_too)
{
	for (;;) {
		int actor = (int)roll(g, (unsigned int)g->w->count);
		enum actor_state state = g->w->actors[actor].state;

		if (state == ACTOR_RUNS || (dead_too && state == ACTOR_ZOMBIE))
			return actor;
	}
}

static int running(const struct world *w)
{
	int count = 0;

	for (int i = 0; i < w->count; i++)
		count += w->actors[i].state == ACTOR_RUNS;
	return count;
}

/* A relation that is worth a look is compared for certain, if there is room. */
static void remember(struct generator *g, int tracer, int target)
{
	if (g->count < g->max / 2 && tracer != target)
		g->pairs[g->count++] = (struct pair){ tracer, target };
}

static void become_user(struct generator *g, int actor)
{
	world_setuid(g->w, actor, chance(g, 85) ? ALICE : BOB);
	if (chance(g, 85))
		world_prctl(g->w, actor, PR_SET_DUMPABLE, 1);
}

static void gen_fork(struct generator *g)
{
	int parent = pick(g, false), actor;
	unsigned int flags = 0;

	if (g->w->count >= ACTORS_WANTED)
		return;
	if (chance(g, 10))
		flags |= CLONE_NEWUSER;
	if (chance(g, 10) && g->w->pidns_count < NAMESPACES_MAX)
		flags |= CLONE_NEWPID;
	actor = world_fork(g->w, parent, flags, chance(g, 20) ? 1 + roll(g, 3) : 0);
	if (actor < 0)
		return;
	if (chance(g, 50))
		become_user(g, actor);
	remember(g, parent, actor);
}

static void gen_thread(struct generator *g)
{
	if (g->w->count < ACTORS_WANTED)
		world_thread(g->w, pick(g, false));
}

/* A traced task that dies stays until its tracer waits, which it does not. */
static bool may_die(const struct world *w, int actor)
{
	int process = w->actors[actor].process;

	if (running(w) - world_threads(w, process) < RUNNING_MIN || world_is_traced(w, process))
		return false;
	for (int i = 0; i < w->count; i++)
		if (w->actors[i].process == process && w->actors[i].ns_init)
			return false;
	return true;
}

static void gen_exit(struct generator *g)
{
	int actor = pick(g, false);
	bool reap = chance(g, 50);

	if (may_die(g->w, actor))
		world_exit(g->w, actor, reap);
}

static void gen_exit_thread(struct generator *g)
{
	int actor = pick(g, false);

	if (may_die(g->w, actor))
		world_exit_thread(g->w, actor);
}

static void gen_exec(struct generator *g)
{
	int actor = pick(g, false), process = g->w->actors[actor].process;

	if (!world_is_traced(g->w, process) || world_threads(g->w, process) == 1)
		world_exec(g->w, actor);
}

static void gen_setuid(struct generator *g)
{
	int actor = pick(g, false);

	if (chance(g, 20))
		world_setuid(g->w, actor, 0);
	else
		become_user(g, actor);
}

static void gen_caps(struct generator *g)
{
	static const struct {
		uint64_t effective, permitted;
	} sets[] = {
		{ 0, 0 },
		{ 0, ALL_CAPS },
		{ ALL_CAPS, ALL_CAPS },
		{ ONE_CAP(CAP_SYS_PTRACE), ALL_CAPS },
		{ ONE_CAP(CAP_SYS_PTRACE), ONE_CAP(CAP_SYS_PTRACE) },
		{ ~ONE_CAP(CAP_SYS_PTRACE), ALL_CAPS },
		{ ~ONE_CAP(CAP_SYS_PTRACE), ~ONE_CAP(CAP_SYS_PTRACE) },
		{ 0, ONE_CAP(CAP_SYS_PTRACE) },
	};
	unsigned int set = roll(g, ARRAY_SIZE(sets));
	int actor = pick(g, false);

	/* Keep capabilities across a change of user now and then. */
	if (chance(g, 30)) {
		world_prctl(g->w, actor, PR_SET_KEEPCAPS, 1);
		become_user(g, actor);
	}
	world_caps(g->w, actor, sets[set].effective, sets[set].permitted);
}

static void gen_dumpable(struct generator *g)
{
	int actor = pick(g, false);

	world_prctl(g->w, actor, PR_SET_DUMPABLE, chance(g, 70));
}

static void gen_subreaper(struct generator *g)
{
	int actor = pick(g, false);

	world_prctl(g->w, actor, PR_SET_CHILD_SUBREAPER, chance(g, 80));
}

static void gen_declare(struct generator *g)
{
	static const unsigned long values[] = {
		0, 0, PR_SET_PTRACER_ANY, PR_SET_PTRACER_ANY, 0xffffffffUL, 0x5ffffffffUL,
		NO_SUCH_PID, 0x100000000UL, 0xfffffffeUL, ~1UL, 0x8000000000000000UL, 1,
	};
	int actor = pick(g, false), tracer = pick(g, true);
	unsigned int value = roll(g, ARRAY_SIZE(values));

	if (chance(g, 25)) {
		world_prctl(g->w, actor, PR_SET_PTRACER, values[value]);
		return;
	}
	world_declare(g->w, actor, tracer, chance(g, 10) ? 7 : 0);
	remember(g, tracer, actor);
}

static void gen_userns(struct generator *g)
{
	int actor = pick(g, false), other = pick(g, false);

	if (chance(g, 65))
		world_unshare_user(g->w, actor);
	else
		world_setns_user(g->w, actor, other);
}

static void gen_seize(struct generator *g)
{
	int tracer = pick(g, false), target = pick(g, false);

	if (world_pid_seen(g->w, tracer, target) &&
	    world_seize(g->w, tracer, target) == 0)
		remember(g, tracer, target);
}

static void gen_detach(struct generator *g)
{
	for (int i = 0; i < g->w->count; i++) {
		const struct actor *a = &g->w->actors[i];

		if (a->state == ACTOR_RUNS && a->tracer >= 0 && a->seized && chance(g, 50)) {
			world_detach(g->w, a->tracer, i);
			return;
		}
	}
}

static void gen_traceme(struct generator *g)
{
	int actor = pick(g, false);

	if (g->w->actors[actor].tracer < 0)
		world_traceme(g->w, actor);
}

/* The number of a dead tracer goes to somebody else. */
static void gen_reuse(struct generator *g)
{
	struct world *w = g->w;
	int tracee = pick(g, false), tracer, heir, parent = pick(g, false);
	pid_t pid;

	if (w->count + 2 > ACTORS_WANTED || w->actors[tracee].pidns || w->actors[parent].pidns)
		return;
	tracer = world_fork(w, -1, 0, 0);
	if (tracer < 0)
		return;
	world_declare(w, tracee, tracer, 0);
	pid = w->actors[tracer].tgid;
	world_exit(w, tracer, true);
	world_next_pid(w, pid);
	heir = world_fork(w, parent, 0, 0);
	if (heir < 0)
		return;
	become_user(g, heir);
	remember(g, heir, tracee);
}

static const struct {
	unsigned int weight;
	void (*step)(struct generator *g);
} steps[] = {
	{ 22, gen_fork },
	{ 10, gen_thread },
	{ 6, gen_exit },
	{ 5, gen_exit_thread },
	{ 8, gen_exec },
	{ 8, gen_setuid },
	{ 9, gen_caps },
	{ 6, gen_dumpable },
	{ 3, gen_subreaper },
	{ 24, gen_declare },
	{ 7, gen_userns },
	{ 9, gen_seize },
	{ 3, gen_detach },
	{ 4, gen_traceme },
	{ 2, gen_reuse },
};

static void gen_step(struct generator *g)
{
	unsigned int total = 0, n;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		total += steps[i].weight;
	n = roll(g, total);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (n < steps[i].weight) {
			steps[i].step(g);
			return;
		}
		n -= steps[i].weight;
	}
}

int generate(struct world *w, uint64_t seed, unsigned int number, struct pair *pairs, int max)
{
	struct generator g = { .w = w, .pairs = pairs, .max = max };
	unsigned int users, count;
	int kept = 0;

	/* Worlds of one seed are independent, so that one can be replayed alone. */
	g.state = seed;
	g.state = random_next(&g.state) + number;
	world_fork(w, -1, 0, 0);
	for (users = 3 + roll(&g, 3); users; users--) {
		int actor = world_fork(w, chance(&g, 60) ? 0 : pick(&g, false), 0, 0);

		if (actor >= 0)
			become_user(&g, actor);
	}
	for (count = 14 + roll(&g, 20); count; count--)
		gen_step(&g);

	/* Those remembered may be dead by now. */
	for (int i = 0; i < g.count; i++)
		if (w->actors[pairs[i].tracer].state == ACTOR_RUNS &&
		    w->actors[pairs[i].target].state != ACTOR_GONE)
			pairs[kept++] = pairs[i];
	g.count = kept;
	while (g.count < max) {
		int tracer = pick(&g, false);
		int target = g.count >= max - 3 ? -1 : pick(&g, true);

		pairs[g.count++] = (struct pair){ tracer, target };
	}
	return g.count;
}
