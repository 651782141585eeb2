/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl log": its command line, times as users write them, and groups. */
#include "command_run.h"

#include "log_groups.h"
#include "when.h"

#define NOW 1764172800	/* 2025-11-26 16:00:00 UTC */
#define DAY 86400
#define MIDNIGHT (NOW - 16 * 3600)

static void test_times(void **state)
{
	static const struct { const char *text; long long wanted; } cases[] = {
		{ "now", NOW }, { "today", MIDNIGHT }, { "yesterday", MIDNIGHT - DAY },
		{ "tomorrow", MIDNIGHT + DAY }, { "@0", 0 }, { "@1764172800", NOW },
		{ "-1h", NOW - 3600 }, { "+1h", NOW + 3600 }, { "-90s", NOW - 90 },
		{ "-1h30min", NOW - 5400 }, { "-1d 12h", NOW - 129600 }, { "-2 weeks", NOW - 14 * DAY },
		{ "5 minutes ago", NOW - 300 }, { "1day ago", NOW - DAY },
		{ "2025-11-26", MIDNIGHT }, { "2025-11-26 16:00", NOW },
		{ "2025-11-26 16:00:01", NOW + 1 }, { "16:00", NOW }, { "9:05:07", MIDNIGHT + 32707 },
		{ "2024-02-29", 1709164800 }, { "1970-01-01", 0 }, { "2025-11-26T16:00:01", NOW + 1 },
		{ "2025-11-26T16:00:00Z", NOW }, { "2025-11-26 16:00 UTC", NOW },
		{ "2025-11-26 UTC", MIDNIGHT }, { "-1month", NOW - 2629800 },
		{ "-1y 1M", NOW - 31557600 - 2629800 },
	};
	static const char *const bad[] = {
		"", " ", "-", "+", "-h", "-1", "-1x", "-1h-1h", "1h", "ago", " ago", "-1 ago",
		"Today", "now ", "noon", "@", "@x", "@1 ", "@-1", "@9999999999999", "2025", "2025-11",
		"2025-13-01", "2025-00-01", "2025-02-29", "2025-11-31", "2025-11-26T", "Z", " UTC", "UTC",
		"16:00 UTC",
		"2025-11-26 ", "2025-11-26 24:00", "2025-11-26 16:60", "2025-11-26 16:00:60",
		"2025-11-26 16", "2025-11-26 16:0", "25-11-26", "16", "16:", "16:000", "1969-12-31",
		"-99999999999h", "-999999999w", "-60000d",
	};

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t got = 1;

		if (psc_when_parse(cases[i].text, NOW, &got) ||
		    got != (uint64_t)cases[i].wanted * 1000000)
			fail_msg("'%s': %llu", cases[i].text, (unsigned long long)got);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t got = 7;

		if (psc_when_parse(bad[i], NOW, &got) != -EINVAL || got != 7)
			fail_msg("'%s' is taken for %llu", bad[i], (unsigned long long)got);
	}
}

/* An hour that is there twice, or not at all, is no error. */
static void test_summer_time(void **state)
{
	uint64_t got;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_int_equal(psc_when_parse("2025-07-01 12:00", NOW, &got), 0);
	assert_int_equal(got / 1000000, 1751364000);
	assert_int_equal(psc_when_parse("2025-10-26 02:30", NOW, &got), 0);
	assert_int_equal(psc_when_parse("2025-03-30 02:30", NOW, &got), 0);
	assert_int_equal(psc_when_parse("2025-07-01 12:00 UTC", NOW, &got), 0);
	assert_int_equal(got / 1000000, 1751371200);
	setenv("TZ", "UTC", 1);
	tzset();
}

static void test_usage(void **state)
{
	static const struct { const char *arguments[ARGUMENTS_MAX], *error; } cases[] = {
		{ { "log", "x" }, "unexpected argument 'x'; usage: log" },
		{ { "log", "--since" }, "missing TIME after '--since'" },
		{ { "log", "--until", "noon" }, "no time: 'noon'; write yesterday, -1h" },
		{ { "log", "--since", "-1h", "--until", "-2h" }, "--since is later than --until" },
		{ { "list", "--grouped" }, "--grouped does not go with 'list'; it is for: log" },
	};
	static const char *const good[ARGUMENTS_MAX] = { "log", "--since=@5", "--until", "@6",
							 "--grouped" };
	static const char *const none[ARGUMENTS_MAX] = { "log" };
	struct psc_cli cli;
	char *error = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_usage_error(cases[i].arguments, cases[i].error);
	assert_int_equal(parse(good, &cli, &error), 0);
	assert_int_equal(cli.since, 5000000);
	assert_int_equal(cli.until, 6000000);
	assert_true(cli.grouped);
	assert_int_equal(parse(none, &cli, &error), 0);
	assert_int_equal(cli.since, 0);
	assert_true(cli.until == UINT64_MAX);
}

static json_t *entry(json_int_t usec, const char *tracer, json_int_t uid)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:{s:s, s:I}, s:{s:s}, s:s}", "time_us", usec,
			 "mode", "attach", "reason", "unrelated", "text", "no ancestor",
			 "tracer", "command", tracer, "uid", uid, "tracee", "command", "sleep",
			 "message", "each has another");
}

static void add(struct psc_log_groups *groups, json_t *json)
{
	assert_non_null(json);
	assert_int_equal(psc_log_groups_add(groups, json), 0);
	json_decref(json);
}

static json_int_t number(const json_t *group, const char *key)
{
	return json_integer_value(json_object_get(group, key));
}

/* By names, user and reason; the most frequent first; the clock may have been set back. */
static void test_groups(void **state)
{
	struct psc_log_groups groups = {};
	const json_t *first;
	json_t *all;

	(void)state;
	all = psc_log_groups_sorted(&groups);
	assert_int_equal(json_array_size(all), 0);
	json_decref(all);
	add(&groups, entry(1, "gdb", 1000));
	add(&groups, entry(5, "peek", 1000));
	add(&groups, entry(9, "peek", 1000));
	add(&groups, entry(3, "peek", 1000));
	add(&groups, entry(7, "peek", 1001));
	add(&groups, json_pack("{s:i, s:s, s:{s:s, s:i}, s:s}", "time_us", 2, "guard", "unlink",
			       "process", "command", "rm", "uid", 0, "message", "refused"));
	all = psc_log_groups_sorted(&groups);
	assert_int_equal(json_array_size(all), 4);
	first = json_array_get(all, 0);
	assert_string_equal(json_string_value(json_object_get(first, "tracer")), "peek");
	assert_string_equal(json_string_value(json_object_get(first, "tracee")), "sleep");
	assert_int_equal(number(first, "count"), 3);
	assert_int_equal(number(first, "first_us"), 3);
	assert_int_equal(number(first, "last_us"), 9);
	assert_int_equal(number(json_array_get(all, 1), "uid"), 1001);	/* the latest */
	assert_int_equal(number(json_array_get(all, 3), "last_us"), 1);
	json_decref(all);
	psc_log_groups_free(&groups);
}

/* Users choose the names. The groups there are go on counting when no new one is made. */
static void test_many_groups(void **state)
{
	struct psc_log_groups groups = {};
	char name[16];
	json_t *all;

	(void)state;
	for (int i = 0; i < PSC_LOG_GROUPS_MAX + 1000; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		add(&groups, entry(i, name, 1000));
	}
	add(&groups, entry(1, "x7", 1000));
	assert_int_equal(groups.others, 1000);
	all = psc_log_groups_sorted(&groups);
	assert_int_equal(json_array_size(all), PSC_LOG_GROUPS_MAX);
	assert_int_equal(number(json_array_get(all, 0), "count"), 2);
	json_decref(all);
	psc_log_groups_free(&groups);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_times),
		TEST(test_summer_time),
		TEST(test_usage),
		TEST(test_groups),
		TEST(test_many_groups),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
