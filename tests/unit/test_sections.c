/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From sections of the configuration to what cgroups have: read from files, put
 * in force on directories that stand for cgroups, by the real rules of change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "cgroup_tree.h"
#include "fake_backend.h"
#include "log.h"
#include "sections.h"
#include "util.h"

#define CONF "/etc/ptracescope/ptracescope.conf"
#define YAMA "kernel.yama.ptrace_scope = "
#define ATTACH "kernel.ptracescope.attach_scope = "
#define READ "kernel.ptracescope.read_scope = "
#define FLOOR "kernel.ptracescope.floor = "
#define BOUNDARY "kernel.ptracescope.cgroup_boundary = "

struct state {
	struct fake_root conf, tree;
	struct fake_backend fake;
	struct psc_sections sections;
	unsigned int writes;		/* requests that ask for a change */
};

static int request(void *data, struct psc_request *req)
{
	struct state *s = data;

	s->writes += req->op != PSC_OP_INFO && req->op != PSC_OP_WATCH;
	return fake_request(&s->fake, req);
}

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	fake_root_new(&s->conf);
	cgroup_tree_new(&s->tree, &s->fake.cgroups);
	s->fake.policy.scope[PSC_MODE_ATTACH] = s->fake.policy.scope[PSC_MODE_TRACEME] = 1;
	s->sections = (struct psc_sections){
		.cgroups = &s->fake.cgroups, .request = request, .data = s,
	};
	assert_return_code(sd_event_new(&s->sections.event), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	psc_sections_free(&s->sections);
	sd_event_unref(s->sections.event);
	cgroup_tree_free(&s->tree, &s->fake.cgroups);
	fake_root_free(&s->conf);
	free(s);
	return 0;
}

static struct psc_config load(struct state *s, const char *text)
{
	struct psc_config config = {};
	char *error = NULL;

	fake_root_write(&s->conf, CONF, text);
	if (psc_config_load(s->conf.path, &config, &error))
		fail_msg("%s", error);
	return config;
}

static void apply(struct state *s, const char *text, enum psc_plan_kind kind)
{
	struct psc_config config = load(s, text);

	s->writes = 0;
	psc_sections_apply(&s->sections, &config, kind);
}

/* An entry as text: scopes of attach, traceme, read, boundary, "-" for none; floors if any. */
static const char *entry(struct state *s, const char *path)
{
	static char text[2 * PSC_MODE_SLOTS + 2];
	const struct fake_entry *found = fake_entry(&s->fake, cgroup_ino(&s->fake.cgroups, path));
	bool floors = false;

	if (!found)
		return "none";
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int scope = found->policy.scope[mode], floor = found->policy.floor[mode];

		text[mode] = scope == PSC_SCOPE_INHERIT ? '-' : (char)('0' + scope);
		text[PSC_MODE_SLOTS + 1 + mode] = (char)('0' + floor);
		floors |= floor != 0;
	}
	text[PSC_MODE_SLOTS] = floors ? ' ' : '\0';
	return text;
}

static void set(struct state *s, const char *path, __u32 modes, unsigned int value, __u32 origin)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_SET, .modes = modes, .value = value,
		.flags = PSC_FLAG_CGROUP | PSC_FLAG_REVOCABLE, .origin = origin,
	};

	assert_int_equal(psc_cgroup_find(&s->fake.cgroups, path, &cgroup), 0);
	req.dir_fd = cgroup.fd;
	assert_int_equal(fake_request(&s->fake, &req), 0);
}

static void test_later_wins(void **state)
{
	static const struct { const char *text, *entry; } rows[] = {
		{ "[a.service]\n" YAMA "2\n", "22--" },
		{ "[a.service]\n" YAMA "siblings\n" READ "1\n" BOUNDARY "on\n", "4411" },
		{ "[a.service]\n" ATTACH "2\n", "2---" },
		{ "[a.service]\n" YAMA "1\n" ATTACH "2\n", "21--" },
		{ "[a.service]\n" ATTACH "2\n" YAMA "1\n", "11--" },
		{ "[a.service]\n" YAMA "1\n[*.service]\n" YAMA "2\n", "22--" },
		{ "[*.service]\n" YAMA "2\n[a.service]\n" YAMA "1\n", "11--" },
		{ "[*.service]\n" YAMA "2\n[a.service]\n" READ "1\n", "221-" },
		{ "[*.service]\n" YAMA "2\n[a.service]\n" ATTACH "1\n", "12--" },
		/* narrower before, broader after */
		{ "[*.service]\n" ATTACH "2\n[a.service]\n" YAMA "1\n", "11--" },
		{ "[b.service]\n" YAMA "2\n", "none" },
		{ "[a.service]\n", "none" },
		{ YAMA "2\n", "none" },
		{ "[a.service]\n" YAMA "3\n", "33-- 3300" },
		{ "[a.service]\n" FLOOR "2\n", "---- 2200" },
		{ "[a.service]\n" YAMA "2\n" FLOOR "1\n", "22-- 1100" },
		{ "[a.service]\n" YAMA "1\n" FLOOR "2\n", "22-- 2200" },
		{ "[a.service]\n" YAMA "3\n" ATTACH "1\n", "13-- 0300" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct state *s;

		assert_int_equal(setup(state), 0);
		s = *state;
		cgroup_make(&s->tree, "x.slice/a.service");
		apply(s, rows[i].text, PSC_PLAN_RAISE);
		if (!streq(entry(s, "x.slice/a.service"), rows[i].entry))
			fail_msg("%s: %s instead of %s", rows[i].text,
				 entry(s, "x.slice/a.service"), rows[i].entry);
		assert_int_equal(s->fake.watched, strchr(rows[i].text, '[') != NULL);
		/* Once there, nothing is asked for again. */
		apply(s, rows[i].text, PSC_PLAN_RAISE);
		assert_int_equal(s->writes, 0);
		assert_int_equal(teardown(state), 0);
	}
}

/* What an entry becomes under a section, after an adoption and at a reload. */
static void test_entries_of_others(void **state)
{
	static const struct {
		__u32 modes;
		unsigned int value;
		__u32 origin;
		const char *text, *raised, *reloaded;
	} rows[] = {
		{ 3, 2, PSC_ORIGIN_ADMIN, YAMA "1\n", "22--", "11--" },
		{ 3, 1, PSC_ORIGIN_ADMIN, YAMA "2\n", "22--", "22--" },
		{ 3, 1, PSC_ORIGIN_ADMIN, YAMA "siblings\n", "11--", "44--" },
		{ 3, PSC_SCOPE_SIBLINGS, PSC_ORIGIN_ADMIN, YAMA "0\n", "44--", "00--" },
		{ 3, PSC_SCOPE_SIBLINGS, PSC_ORIGIN_ADMIN, YAMA "1\n", "11--", "11--" },
		{ 1, 2, PSC_ORIGIN_ADMIN, YAMA "1\n", "21--", "11--" },
		{ 8, 1, PSC_ORIGIN_ADMIN, BOUNDARY "0\n", "---1", "---0" },
		{ 4, 1, PSC_ORIGIN_ADMIN, YAMA "1\n", "111-", "111-" },
		/* nothing is taken back that the configuration has not set */
		{ 4, 1, PSC_ORIGIN_ADMIN, "", "--1-", "--1-" },
		{ 4, 1, PSC_ORIGIN_RUNTIME, "", "--1-", "--1-" },
		{ 4, 1, PSC_ORIGIN_CONFIG, "", "--1-", "none" },
		{ 4, 1, PSC_ORIGIN_CONFIG, YAMA "1\n", "111-", "11--" },
		/* a container's own wish */
		{ 3, 0, PSC_ORIGIN_RUNTIME, YAMA "2\n", "00--", "00--" },
		{ 3, 2, PSC_ORIGIN_RUNTIME, YAMA "1\n" READ "1\n", "221-", "221-" },
		{ 3, 0, PSC_ORIGIN_RUNTIME, FLOOR "1\n", "11-- 1100", "11-- 1100" },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		enum psc_plan_kind kind = i % 2 ? PSC_PLAN_RELOAD : PSC_PLAN_RAISE;
		const char *wanted = i % 2 ? rows[i / 2].reloaded : rows[i / 2].raised;
		char text[256];
		struct state *s;

		assert_int_equal(setup(state), 0);
		s = *state;
		cgroup_make(&s->tree, "a.service");
		set(s, "a.service", rows[i / 2].modes, rows[i / 2].value, rows[i / 2].origin);
		snprintf(text, sizeof(text), "[other]\n[a.service]\n%s", rows[i / 2].text);
		apply(s, text, kind);
		if (!streq(entry(s, "a.service"), wanted))
			fail_msg("row %zu, %s: %s instead of %s", i / 2,
				 i % 2 ? "reload" : "raise", entry(s, "a.service"), wanted);
		if (s->fake.n_entries)
			assert_int_equal(s->fake.entries[0].origin, rows[i / 2].origin);
		apply(s, text, kind);
		assert_int_equal(s->writes, 0);
		assert_int_equal(teardown(state), 0);
	}
}

static void test_reload_without_sections(void **state)
{
	struct state *s = *state;

	cgroup_make(&s->tree, "a.service");
	cgroup_make(&s->tree, "b.service");
	apply(s, "[a.service]\n" YAMA "2\n", PSC_PLAN_RAISE);
	set(s, "b.service", 1, 0, PSC_ORIGIN_ADMIN);
	apply(s, "", PSC_PLAN_RELOAD);
	assert_string_equal(entry(s, "a.service"), "none");
	assert_string_equal(entry(s, "b.service"), "0---");
	assert_int_equal(s->fake.watched, 0);
}

static void test_check(void **state)
{
	struct state *s = *state;
	struct psc_config config;
	char *error = NULL;

	cgroup_make(&s->tree, "x.slice/a.service");
	apply(s, "[x.slice]\n" FLOOR "2\n", PSC_PLAN_RAISE);

	config = load(s, "[x.slice]\n" YAMA "2\n[a.service]\n" READ "1\n\n" YAMA "siblings\n");
	s->writes = 0;
	assert_int_equal(psc_sections_check(&s->sections, &config, &error), -EACCES);
	assert_string_equal(error, CONF ":6: kernel.yama.ptrace_scope = siblings for the cgroup "
			    "'x.slice/a.service': locked at 2 (admin-only) until reboot");
	assert_int_equal(s->writes, 0);
	free(error);
	error = NULL;
	/* Put in force all the same, as at a start, that setting is left out. */
	psc_sections_apply(&s->sections, &config, PSC_PLAN_RAISE);
	assert_string_equal(entry(s, "x.slice/a.service"), "--1-");
	assert_string_equal(entry(s, "x.slice"), "22-- 2200");

	config = load(s, "[a.service]\n" YAMA "2\n");
	assert_int_equal(psc_sections_check(&s->sections, &config, &error), 0);
	assert_null(error);
	psc_config_free(&config);
}

static void made(struct state *s, const char *path, __u64 id)
{
	struct psc_cgroup_event event = {
		.size = sizeof(event), .mode = PSC_EVENT_CGROUP, .cgroup = id,
	};

	memcpy(event.path, path, strnlen(path, sizeof(event.path) - 1));
	psc_sections_made(&s->sections, &event);
}

static void test_made(void **state)
{
	struct state *s = *state;
	__u64 id;

	apply(s, "[a.service]\n" YAMA "2\n[x.slice/*]\n" YAMA "0\n", PSC_PLAN_RAISE);
	cgroup_make(&s->tree, "x.slice/b");
	cgroup_make(&s->tree, "a.service");
	id = cgroup_ino(&s->fake.cgroups, "x.slice/b");
	made(s, "/x.slice", cgroup_ino(&s->fake.cgroups, "x.slice"));
	assert_string_equal(entry(s, "x.slice"), "none");
	made(s, "/x.slice/b", id + 1);		/* another one, meanwhile removed */
	made(s, "/x.slice/c", id);		/* not there */
	made(s, "/../x.slice/b", id);
	made(s, "", id);
	assert_string_equal(entry(s, "x.slice/b"), "none");
	made(s, "/x.slice/b", id);
	assert_string_equal(entry(s, "x.slice/b"), "00--");
	/* What has been set since is not lowered. */
	set(s, "x.slice/b", 3, 2, PSC_ORIGIN_ADMIN);
	made(s, "/x.slice/b", id);
	assert_string_equal(entry(s, "x.slice/b"), "22--");
}

static void test_lost(void **state)
{
	struct state *s = *state;
	char path[PSC_CGROUP_PATH_MAX + 64] = "x.slice/";

	apply(s, "[a.service]\n" YAMA "2\n[x.slice/*/*]\n" YAMA "0\n", PSC_PLAN_RAISE);
	cgroup_make(&s->tree, "a.service");
	psc_sections_lost(&s->sections);
	psc_sections_lost(&s->sections);
	/* Not at once: it may happen all the time. */
	assert_string_equal(entry(s, "a.service"), "none");
	while (streq(entry(s, "a.service"), "none"))
		assert_return_code(sd_event_run(s->sections.event, UINT64_MAX), 0);
	assert_string_equal(entry(s, "a.service"), "22--");

	/* A path that the event does not have room for. */
	memset(path + 8, 'y', 250);
	path[258] = '/';
	memset(path + 259, 'z', 255);
	cgroup_make(&s->tree, path);
	assert_true(strlen(path) >= PSC_CGROUP_PATH_MAX);
	made(s, path, cgroup_ino(&s->fake.cgroups, path));
	while (streq(entry(s, path), "none"))
		assert_return_code(sd_event_run(s->sections.event, UINT64_MAX), 0);
	assert_string_equal(entry(s, path), "00--");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_wins),
		cmocka_unit_test(test_entries_of_others),
		cmocka_unit_test_setup_teardown(test_reload_without_sections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("sections", tests, NULL, NULL);
}
