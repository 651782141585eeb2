/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reload in many turns of the loop: what is checked, put in force, and told to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <time.h>

#include "cgroup_tree.h"
#include "fake_backend.h"
#include "log.h"
#include "reload.h"
#include "turn.h"
#include "util.h"

#define CONF "/etc/ptracescope/ptracescope.conf"
#define YAMA "kernel.yama.ptrace_scope = "
#define N 40

struct state {
	struct fake_root conf, tree;
	struct fake_backend fake;
	struct psc_sections sections;
	struct psc_reload reload;
	bool slow;			/* every look at a cgroup takes a turn */
	int lock_err;			/* what first_floor() returns, but -EALREADY at first */
	unsigned int busy;		/* so often */
	unsigned int tries, in_force, done, calls;
};

static int request(void *data, struct psc_request *req)
{
	static const struct timespec turn = { .tv_nsec = 2100000 };
	struct state *s = data;

	if (s->slow && req->flags)
		nanosleep(&turn, NULL);
	return fake_request(&s->fake, req);
}

static int section(void *data, struct psc_section_request *req)
{
	(void)data;
	(void)req;
	return 0;
}

static int first_floor(void *data)
{
	struct state *s = data;

	s->tries++;
	if (s->busy && s->busy--)
		return -EALREADY;
	return s->lock_err;
}

static void in_force(void *data)
{
	((struct state *)data)->in_force++;
}

static void done(void *data, bool called)
{
	struct state *s = data;

	s->done++;
	s->calls += called;
}

static const struct psc_reload_ops ops = {
	.request = request, .first_floor = first_floor, .in_force = in_force, .done = done,
};

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));
	char path[32];

	assert_non_null(s);
	fake_root_new(&s->conf);
	cgroup_tree_new(&s->tree, &s->fake.cgroups);
	for (int i = 0; i < N; i++) {
		snprintf(path, sizeof(path), "c%d.service", i);
		cgroup_make(&s->tree, path);
	}
	s->sections = (struct psc_sections){
		.cgroups = &s->fake.cgroups, .request = request, .section = section, .data = s,
	};
	s->reload = (struct psc_reload){
		.ops = &ops, .data = s, .sections = &s->sections, .root = s->conf.path,
	};
	assert_return_code(sd_event_new(&s->reload.event), 0);
	s->slow = true;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	psc_reload_stop(&s->reload);
	psc_sections_free(&s->sections);
	sd_event_unref(s->reload.event);
	cgroup_tree_free(&s->tree, &s->fake.cgroups);
	fake_root_free(&s->conf);
	free(s->reload.error);
	free(s);
	return 0;
}

static void turn_once(struct state *s)
{
	assert_int_equal(sd_event_prepare(s->reload.event) >= 0, 1);
	if (sd_event_get_state(s->reload.event) == SD_EVENT_ARMED)
		assert_int_equal(sd_event_wait(s->reload.event, 1000000), 1);
	psc_turn_begin();
	assert_return_code(sd_event_dispatch(s->reload.event), 0);
	psc_turn_end();
}

/* Return: how many turns until it is done */
static unsigned int to_the_end(struct state *s)
{
	unsigned int turns = 0;

	while (s->reload.turns && turns++ < 10 * N)
		turn_once(s);
	assert_null(s->reload.turns);
	return turns;
}

static unsigned int with_entry(struct state *s)
{
	return s->fake.n_entries;
}

static void test_turns(void **state)
{
	struct state *s = *state;
	unsigned int number = 0, other = 0, late = 0;
	char *error = NULL;

	fake_root_write(&s->conf, CONF, YAMA "1\n[*.service]\n" YAMA "2\n");
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EAGAIN);
	assert_int_equal(number, 1);
	/* Who comes later may have changed the files. */
	assert_int_equal(psc_reload_call(&s->reload, &other, &error), -EAGAIN);
	assert_int_equal(other, 0);
	for (int i = 0; i < N / 2; i++)
		turn_once(s);
	/* All is checked before anything is in force. */
	assert_int_equal(s->fake.policy.scope[PSC_MODE_ATTACH], 0);
	assert_int_equal(with_entry(s), 0);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EAGAIN);
	assert_true(to_the_end(s) > N);
	assert_int_equal(s->fake.policy.scope[PSC_MODE_ATTACH], 1);
	assert_int_equal(with_entry(s), N);
	assert_int_equal(s->done, 1);
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->in_force, 1);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), 0);
	assert_null(error);

	s->slow = false;
	fake_root_write(&s->conf, CONF, YAMA "1\n");
	assert_int_equal(psc_reload_call(&s->reload, &other, &error), -EAGAIN);
	assert_int_equal(other, 2);
	/* The result of the next one is as good. */
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EAGAIN);
	to_the_end(s);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), 0);
	assert_int_equal(psc_reload_call(&s->reload, &other, &error), 0);
	assert_int_equal(with_entry(s), 0);
	assert_int_equal(psc_reload_call(&s->reload, &late, &error), -EAGAIN);
	to_the_end(s);
	assert_int_equal(psc_reload_call(&s->reload, &late, &error), 0);
	assert_int_equal(s->tries, 0);
}

/* What is refused at once, after the check, or by what stands against a floor, changes nothing. */
static void test_refused(void **state)
{
	static const struct { const char *text; int lock_err, err; const char *error; } rows[] = {
		{ "nonsense\n", 0, -EINVAL, CONF },
		{ "[c7.service]\n" YAMA "1\n", 0, -EACCES, "c7.service" },
		{ YAMA "2\n[c1.service]\nkernel.ptracescope.floor = 2\n", -EBUSY, -EBUSY,
		  "cannot set the first floor" },
	};
	struct state *s = *state;
	unsigned int number = 0;
	char *error = NULL;

	s->slow = false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int err;

		number = 0;
		error = NULL;

		s->fake.policy.scope[PSC_MODE_ATTACH] = s->fake.policy.floor[PSC_MODE_ATTACH] =
			i == 1 ? 2 : 0;
		s->lock_err = rows[i].lock_err;
		fake_root_write(&s->conf, CONF, rows[i].text);
		err = psc_reload_call(&s->reload, &number, &error);
		to_the_end(s);
		if (err == -EAGAIN)
			err = psc_reload_call(&s->reload, &number, &error);
		assert_int_equal(err, rows[i].err);
		assert_non_null(error);
		assert_non_null(strstr(error, rows[i].error));
		free(error);
		assert_non_null(s->reload.error);
		assert_int_equal(with_entry(s), 0);
		assert_int_equal(s->in_force, 0);
		assert_int_equal(s->done, i + 1);
	}
	assert_int_equal(s->tries, 1);

	number = 0;
	error = NULL;
	/* The kernel side's "somebody else is at it" is an answer, too. */
	s->fake.request_err = -EAGAIN;
	fake_root_write(&s->conf, CONF, YAMA "1\n");
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EAGAIN);
	to_the_end(s);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EBUSY);
	assert_non_null(strstr(error, "its state was written by another program"));
	free(error);
}

static void wait_for_floor(struct state *s, unsigned int *number)
{
	char *error = NULL;
	int tries = 0;

	*number = 0;
	assert_int_equal(psc_reload_call(&s->reload, number, &error), -EAGAIN);
	while (s->reload.stage != PSC_RELOAD_WAITS && tries++ < 10 * N)
		turn_once(s);
	assert_int_equal(s->reload.stage, PSC_RELOAD_WAITS);
	assert_return_code(sd_event_run(s->reload.event, 0), 0);
}

/* What has a floor in it waits for there to be one, with nothing in force. */
static void test_first_floor(void **state)
{
	struct state *s = *state;
	unsigned int number;
	char *error = NULL;

	s->slow = false;
	s->lock_err = -EINPROGRESS;
	s->busy = 3;			/* somebody else's is on its way */
	fake_root_write(&s->conf, CONF, YAMA "2\n[*.service]\nkernel.ptracescope.floor = 2\n");
	wait_for_floor(s, &number);
	assert_int_equal(s->tries, 4);
	assert_int_equal(s->in_force, 0);
	psc_reload_looked(&s->reload, -EBUSY);
	assert_null(s->reload.turns);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EBUSY);
	assert_non_null(strstr(error, "cannot set the first floor"));
	free(error);
	assert_int_equal(s->fake.policy.scope[PSC_MODE_ATTACH], 0);
	assert_int_equal(s->done, 1);

	/* The rest of it follows at once, or is refused as another has been first. */
	wait_for_floor(s, &number);
	s->fake.request_err = -EACCES;
	psc_reload_armed(&s->reload);
	assert_int_equal(s->done, 1);
	psc_reload_looked(&s->reload, 0);
	assert_int_equal(s->done, 2);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EACCES);
	free(error);
	assert_int_equal(with_entry(s), 0);
	wait_for_floor(s, &number);
	/* What the configuration sets is compared with what is in force now. */
	s->fake.policy.scope[PSC_MODE_ATTACH] = 2;
	psc_reload_armed(&s->reload);
	assert_int_equal(s->fake.policy.scope[PSC_MODE_ATTACH], 2);
	assert_int_equal(s->fake.policy.scope[PSC_MODE_TRACEME], 2);
	assert_int_equal(s->in_force, 1);
	psc_reload_looked(&s->reload, 0);
	to_the_end(s);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), 0);
	assert_int_equal(with_entry(s), N);

	/* The daemon may end meanwhile. */
	wait_for_floor(s, &number);
	psc_reload_stop(&s->reload);
}

/* A signal while one is under way means another one. */
static void test_signals(void **state)
{
	struct state *s = *state;
	unsigned int number = 0;
	char *error = NULL;

	fake_root_write(&s->conf, CONF, YAMA "1\n[*.service]\n" YAMA "2\n");
	psc_reload_signal(&s->reload);
	turn_once(s);
	s->slow = false;
	fake_root_write(&s->conf, CONF, YAMA "2\n");
	psc_reload_signal(&s->reload);
	psc_reload_signal(&s->reload);
	assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EAGAIN);
	to_the_end(s);
	assert_int_equal(s->done, 2);
	assert_int_equal(s->calls, 0);
	assert_int_equal(s->fake.policy.scope[PSC_MODE_ATTACH], 2);
	assert_int_equal(with_entry(s), 0);
}

/* The daemon may end in the middle of the check, or of what is put in force. */
static void test_stop(void **state)
{
	struct state *s = *state;
	unsigned int number = 0;
	char *error = NULL;

	fake_root_write(&s->conf, CONF, YAMA "1\n[*.service]\n" YAMA "2\n");
	for (unsigned int turns = 3; turns < 2 * N; turns += N) {
		number = 0;
		assert_int_equal(psc_reload_call(&s->reload, &number, &error), -EAGAIN);
		for (unsigned int i = 0; i < turns; i++)
			turn_once(s);
		assert_non_null(s->reload.turns);
		psc_reload_stop(&s->reload);
	}
	assert_true(with_entry(s) > 0 && with_entry(s) < N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_floor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
