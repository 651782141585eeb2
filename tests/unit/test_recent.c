/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The refusals of late: whose is told to whom, and who pushes out whom. */
#include "command_run.h"

#include <sys/stat.h>

#include "explanations.h"
#include "recent.h"

static struct psc_event refused(__u32 tracer, __u32 tracee, __u32 pid)
{
	return (struct psc_event){
		.size = sizeof(struct psc_event), .mode = PSC_MODE_ATTACH, .scope = 1,
		.reason = PSC_REASON_UNRELATED,
		.tracer = { .pid = pid, .tid = pid, .uid = tracer, .start_ns = 5, .comm = "gdb" },
		.tracee = { .pid = 9, .tid = 9, .uid = tracee, .start_ns = 6, .comm = "sl\n" },
	};
}

static void add(struct psc_recent *recent, __u32 tracer, __u32 tracee, __u32 pid)
{
	struct psc_event event = refused(tracer, tracee, pid);

	psc_recent_add(recent, &event);
}

static void assert_last(const struct psc_recent *recent, bool all, uid_t uid, int pid)
{
	const struct psc_refusal *last = psc_recent_last(recent, all, uid);

	assert_int_equal(last ? (int)last->event.tracer.pid : -1, pid);
}

static void test_concerns(void **state)
{
	static struct psc_recent recent;
	struct psc_event tamper = refused(1000, 1000, 99);

	(void)state;
	assert_last(&recent, true, 0, -1);
	add(&recent, 1000, 1001, 1);
	add(&recent, 1001, 1002, 2);
	add(&recent, 0, 1003, 3);
	assert_last(&recent, false, 1000, 1);
	assert_last(&recent, false, 1001, 2);
	assert_last(&recent, false, 1002, 2);
	assert_last(&recent, false, 1003, 3);
	assert_last(&recent, false, 1004, -1);
	assert_last(&recent, true, 1004, 3);
	add(&recent, 1000, 1001, 4);	/* in the place of the first */
	assert_last(&recent, false, 1000, 4);
	assert_last(&recent, true, 0, 4);
	tamper.mode = PSC_EVENT_TAMPER;
	psc_recent_add(&recent, &tamper);
	assert_last(&recent, true, 0, 4);
	assert_false(psc_refusal_concerns(&tamper, 1000));
}

/* Users of a directory are one account: none pushes out what another was refused. */
static void test_directory(void **state)
{
	static struct psc_recent recent;

	(void)state;
	add(&recent, 200001, 200001, 1);
	for (__u32 i = 0; i < 2000; i++)
		add(&recent, 200002, 200002, 2);
	assert_last(&recent, false, 200001, 1);
	assert_last(&recent, false, 200002, 2);
	assert_last(&recent, true, 0, 2);
}

/* Whoever is refused all the time, with all uids of a block, pushes out none of other accounts. */
static void test_flood(void **state)
{
	static struct psc_recent recent;

	(void)state;
	add(&recent, 1000, 1000, 1);
	for (__u32 i = 0; i < 2000; i++)
		add(&recent, 100000 + i, 1001, 2);
	assert_last(&recent, false, 1000, 1);
	assert_last(&recent, false, 100000, -1);
	assert_last(&recent, false, 101999, 2);
	/* The oldest makes way. */
	for (__u32 i = 0; i < PSC_RECENT_MAX - 1; i++)
		add(&recent, 2000 + i, 1001, 3);
	assert_last(&recent, false, 1000, -1);
	assert_last(&recent, false, 2000, 3);
	assert_last(&recent, false, 2000 + PSC_RECENT_MAX - 2, 3);
}

/* Pids in refusals are those of the initial pid namespace, which need not be ours. */
static bool has_initial_pids(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == 0xeffffffcU;
}

static const char *const last[] = { "explain", "--last", NULL };
static const char *const last_json[] = { "explain", "--last", "--json", NULL };

static void test_command(void **state)
{
	struct psc_event event = refused(getuid(), getuid(), 8);
	struct service s;
	struct result result;

	(void)state;
	service_there(&s);
	run_against(&s, last, &result);
	assert_int_equal(result.code, PSC_EXIT_FAILED);
	assert_string_equal(result.err, LINE("nothing of yours has been refused since the daemon "
					     "started"));
	/* Both sides are others by now: what is explained has other starts. */
	psc_recent_add(&s.fake.recent, &event);
	run_against(&s, last, &result);
	assert_int_equal(result.code, PSC_EXIT_NOT_ALLOWED);
	assert_non_null(strstr(result.out, ": refused attach of 9 (sl\\x0a) by 8 (gdb), uid "));
	assert_non_null(strstr(result.out, has_initial_pids() ?
			       "\nThe tracee has ended, or cannot be asked about.\n" :
			       "\nThese are pids of the initial pid namespace; how it would be now can "
			       "be asked there.\n"));
	service_stop(&s);
}

/* How it would be now, and for whom. */
static void test_now(void **state)
{
	struct psc_event event = refused(getuid(), getuid(), 8);
	struct service s;
	struct result result;

	(void)state;
	if (!has_initial_pids())
		skip();
	service_there(&s);
	psc_recent_add(&s.fake.recent, &event);
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 1);
	s.fake.explanation.tracer.tid = 8;
	s.fake.explanation.tracer.start_ns = 5;
	s.fake.explanation.tracee.tid = 9;
	s.fake.explanation.tracee.start_ns = 6;
	run_against(&s, last, &result);
	assert_int_equal(result.code, PSC_EXIT_NOT_ALLOWED);
	assert_non_null(strstr(result.out, "\n\nNow, for the same tracer:\nrefused: 8 (gdb) would "));
	run_against(&s, last_json, &result);
	assert_non_null(strstr(result.out, "\"now_tracer\": \"same\""));
	s.fake.explanation.tracer.start_ns++;
	s.fake.explanation.question.scope = 0;
	s.fake.explanation.tracer.effective.policy.scope[PSC_MODE_ATTACH] = 0;
	s.fake.explanation.tracee.effective.policy.scope[PSC_MODE_ATTACH] = 0;
	run_against(&s, last, &result);
	assert_int_equal(result.code, PSC_EXIT_NOT_ALLOWED);
	assert_non_null(strstr(result.out, "\n\n8 (gdb) has ended. Now, for a new child of your shell "
			       "(uid 1000):\nallowed: 8 (gdb) would "));
	run_against(&s, last_json, &result);
	assert_non_null(strstr(result.out, "\"now_tracer\": \"new\""));
	/* What may not be asked is left out, without a word on stderr. */
	s.fake.capable = 0;
	s.fake.account = getuid();
	s.fake.explanation.tracee.uid = getuid() + 1;
	run_against(&s, last, &result);
	assert_int_equal(result.code, PSC_EXIT_NOT_ALLOWED);
	assert_string_equal(result.err, "");
	assert_non_null(strstr(result.out, "\nThe tracee has ended, or cannot be asked about.\n"));
	service_stop(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_concerns),
		TEST(test_directory),
		TEST(test_flood),
		TEST(test_command),
		TEST(test_now),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("recent", tests, make_directory, remove_directory);
}
