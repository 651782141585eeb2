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
#include <sys/mman.h>

#include "cgroup_tree.h"
#include "fake_backend.h"
#include "log.h"
#include "pattern.h"
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
	unsigned int looks;		/* that ask about a cgroup */
	unsigned int tries;		/* for a floor, while something stands against it */
	bool busy;
	union psc_policy next[8];	/* sections given to the kernel side */
	bool next_locks;
	unsigned int tries_to_lock, published;
};

static int request(void *data, struct psc_request *req)
{
	struct state *s = data;

	s->looks += req->op == PSC_OP_INFO && req->flags;
	s->writes += req->op != PSC_OP_INFO;
	if (s->busy && psc_request_locks(req)) {
		s->tries++;
		return -EBUSY;
	}
	return fake_request(&s->fake, req);
}

/* As the kernel side does: a set is in force when it is whole, with a floor when one can be. */
static int section(void *data, struct psc_section_request *req)
{
	struct state *s = data;

	if (req->op == PSC_SECTIONS_PUT) {
		s->next_locks |= psc_pattern_locks(&req->pattern.policy);
		s->next[req->index] = req->pattern.policy;
		return 0;
	}
	s->tries_to_lock += s->next_locks;
	if (s->busy && s->next_locks) {
		s->next_locks = false;
		return -EBUSY;
	}
	s->next_locks = false;
	s->published = req->index;
	return 0;
}

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	fake_root_new(&s->conf);
	cgroup_tree_new(&s->tree, &s->fake.cgroups);
	s->fake.policy.scope[PSC_MODE_ATTACH] = s->fake.policy.scope[PSC_MODE_TRACEME] = 1;
	s->sections = (struct psc_sections){
		.cgroups = &s->fake.cgroups, .request = request, .section = section,
		.data = s,
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
static const char *policy_text(const union psc_policy *policy)
{
	static char text[2 * PSC_MODE_SLOTS + 2];
	bool floors = false;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int scope = policy->scope[mode], floor = policy->floor[mode];

		text[mode] = scope == PSC_SCOPE_INHERIT ? '-' : (char)('0' + scope);
		text[PSC_MODE_SLOTS + 1 + mode] = (char)('0' + floor);
		floors |= floor != 0;
	}
	text[PSC_MODE_SLOTS] = floors ? ' ' : '\0';
	return text;
}

static const char *entry(struct state *s, const char *path)
{
	const struct fake_entry *found = fake_entry(&s->fake, cgroup_ino(&s->fake.cgroups, path));

	return found ? policy_text(&found->policy) : "none";
}

/* The same of what the kernel side gives to one that is made. */
static const char *made_entry(struct state *s, const char *path)
{
	const union psc_policy none = { .word = ~0ULL };
	union psc_policy said = none, made;

	assert_int_equal(s->published, s->sections.config.n_sections);
	for (unsigned int i = 0; i < s->published; i++) {
		if (!psc_cgroup_matches(s->sections.config.sections[i].pattern, path))
			continue;
		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
			if (s->next[i].scope[mode] != PSC_SCOPE_INHERIT)
				said.scope[mode] = s->next[i].scope[mode];
			if (s->next[i].floor[mode] != PSC_SCOPE_INHERIT)
				said.floor[mode] = s->next[i].floor[mode];
		}
	}
	made = psc_policy_made(&said, &none, &s->fake.policy, true);
	return psc_entry_exists(&made) ? policy_text(&made) : "none";
}

static void set(struct state *s, const char *path, __u32 modes, unsigned int value, __u32 origin)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = modes, .want = PSC_WANT(value),
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
		assert_string_equal(made_entry(s, "x.slice/a.service"), rows[i].entry);
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

/* Which modes stick, after one configuration and after the next; and that of new cgroups. */
static void test_sticky(void **state)
{
	static const struct {
		__u32 origin;
		const char *before, *after;
		__u32 stuck, sticks;
	} rows[] = {
		{ PSC_ORIGIN_CONFIG, YAMA "2\nsticky = yes\n", YAMA "2\n", 3, 0 },
		{ PSC_ORIGIN_CONFIG, YAMA "2\n", YAMA "2\nsticky = yes\n", 0, 3 },
		{ PSC_ORIGIN_CONFIG, ATTACH "2\n" BOUNDARY "on\nsticky = yes\n",
		  YAMA "2\nsticky = yes\n", 9, 3 },
		{ PSC_ORIGIN_CONFIG, "sticky = yes\n[*.service]\n" YAMA "2\n", "", 0, 0 },
		{ PSC_ORIGIN_CONFIG, FLOOR "1\nsticky = yes\n", FLOOR "1\n", 0, 0 },
		/* an administrator's stays, a container's is none */
		{ PSC_ORIGIN_ADMIN, YAMA "2\nsticky = yes\n", YAMA "2\n", 3, 3 },
		{ PSC_ORIGIN_RUNTIME, YAMA "2\nsticky = yes\n", YAMA "2\n", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
		struct psc_cgroup cgroup;
		char text[256];
		struct state *s;

		assert_int_equal(setup(state), 0);
		s = *state;
		cgroup_make(&s->tree, "a.service");
		if (rows[i].origin != PSC_ORIGIN_CONFIG)
			set(s, "a.service", 3, 1, rows[i].origin);
		assert_int_equal(psc_cgroup_find(&s->fake.cgroups, "a.service", &cgroup), 0);
		info.flags = PSC_FLAG_CGROUP;
		info.dir_fd = cgroup.fd;
		for (int step = 0; step < 2; step++) {
			__u32 wanted = step ? rows[i].sticks : rows[i].stuck;

			snprintf(text, sizeof(text), "[a.service]\n%s",
				 step ? rows[i].after : rows[i].before);
			apply(s, text, PSC_PLAN_RELOAD);
			assert_int_equal(request(s, &info), 0);
			if (info.sticky != wanted)
				fail_msg("row %zu, %d: %u", i, step, info.sticky);
			apply(s, text, PSC_PLAN_RELOAD);
			assert_int_equal(s->writes, 0);
		}
		psc_cgroup_free(&cgroup);
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
	assert_int_equal(s->published, 0);
}

static void test_check(void **state)
{
	struct state *s = *state;
	const union psc_policy none = {};
	struct psc_config config;
	char *error = NULL;
	bool locks;

	cgroup_make(&s->tree, "x.slice/a.service");
	apply(s, "[x.slice]\n" FLOOR "2\n", PSC_PLAN_RAISE);

	config = load(s, "[x.slice]\n" YAMA "2\n[a.service]\n" READ "1\n\n" YAMA "siblings\n");
	s->writes = 0;
	assert_int_equal(psc_sections_check(&s->sections, &config, &none, &locks, &error), -EACCES);
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
	assert_int_equal(psc_sections_check(&s->sections, &config, &none, &locks, &error), 0);
	assert_null(error);
	assert_false(locks);
	psc_config_free(&config);
}

/* Floors of the same configuration, which are not there yet. */
static void test_check_foresees(void **state)
{
#define FOR(path, value, floor) " for the cgroup '" path "': locked at " floor " until reboot"
	static const struct {
		const char *text;
		unsigned int global;	/* a floor that there will be */
		const char *error;
		bool locks;
	} rows[] = {
		{ "[x.slice]\n" YAMA "2\n" FLOOR "2\n[a.service]\n" YAMA "1\n", 0,
		  CONF ":5: " YAMA "1" FOR("x.slice/y.slice/a.service", , "2 (admin-only)"), true },
		/* in whatever order they are written */
		{ "[a.service]\n" YAMA "1\n[x.slice]\n" YAMA "3\n", 0,
		  CONF ":2: " YAMA "1" FOR("x.slice/y.slice/a.service", , "3 (no-attach)"), true },
		{ "[a.service]\n" YAMA "0\n", 1,
		  CONF ":2: " YAMA "0" FOR("x.slice/y.slice/a.service", , "1 (restricted)"), false },
		{ "[x.slice]\n" BOUNDARY "1\n" FLOOR "1\n[a.service]\n" BOUNDARY "0\n", 0, NULL,
		  true },
		{ "[x.slice]\n" FLOOR "2\n[a.service]\n" YAMA "2\n" FLOOR "1\n", 0, NULL, true },
		/* only below */
		{ "[x.slice]\n" FLOOR "2\n[z.service]\n" YAMA "0\n", 0, NULL, true },
		{ "[a.service]\n" YAMA "3\n" FLOOR "2\n", 0, NULL, true },
		{ "[*.service]\n" YAMA "2\n", 2, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const union psc_policy floors = {
			.floor = { [PSC_MODE_ATTACH] = (__u8)rows[i].global },
		};
		struct psc_config config;
		char *error = NULL;
		struct state *s;
		bool locks;

		assert_int_equal(setup(state), 0);
		s = *state;
		cgroup_make(&s->tree, "x.slice/y.slice/a.service");
		cgroup_make(&s->tree, "z.service");
		config = load(s, rows[i].text);
		assert_int_equal(psc_sections_check(&s->sections, &config, &floors, &locks, &error),
				 rows[i].error ? -EACCES : 0);
		if (rows[i].error)
			assert_string_equal(error, rows[i].error);
		else
			assert_null(error);
		assert_int_equal(locks, rows[i].locks);
		assert_int_equal(s->writes, 0);
		/* And that is what happens. */
		s->fake.policy.floor[PSC_MODE_ATTACH] = (__u8)rows[i].global;
		assert_int_equal(psc_sections_apply(&s->sections, &config, PSC_PLAN_RELOAD),
				 rows[i].error != NULL);
		free(error);
		assert_int_equal(teardown(state), 0);
	}
#undef FOR
}

/* Where cgroups cannot be locked. */
static void test_blind(void **state)
{
	static const struct { const char *text, *entry, *line; } rows[] = {
		{ YAMA "3\n", "33--", YAMA "3" },
		{ YAMA "1\n" FLOOR "2\n", "22--", FLOOR "2" },
		{ YAMA "2\n" FLOOR "1\n", "22--", NULL },
		{ FLOOR "2\n", "22--", FLOOR "2" },
		{ YAMA "2\n" BOUNDARY "on\n", "22-1", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const union psc_policy none = {};
		struct psc_config config;
		char *error = NULL, text[256];
		struct state *s;
		bool locks;
		int err;

		assert_int_equal(setup(state), 0);
		s = *state;
		s->fake.blind = true;
		cgroup_make(&s->tree, "a.service");
		snprintf(text, sizeof(text), "[a.service]\n%s", rows[i].text);
		config = load(s, text);
		err = psc_sections_check(&s->sections, &config, &none, &locks, &error);
		/* A floor, whatever it is, is an error where it would be reported. */
		if (strstr(text, FLOOR) || rows[i].line) {
			assert_int_equal(err, -EOPNOTSUPP);
			assert_non_null(strstr(error, " for the cgroup 'a.service': it cannot be "
					       "locked, as this kernel does not let us see "
					       "processes move"));
			if (rows[i].line)
				assert_non_null(strstr(error, rows[i].line));
		} else {
			assert_int_equal(err, 0);
		}
		free(error);
		/* At a start what can be had is. */
		assert_int_equal(psc_sections_apply(&s->sections, &config, PSC_PLAN_RAISE), 0);
		assert_string_equal(entry(s, "a.service"), rows[i].entry);
		apply(s, text, PSC_PLAN_RAISE);
		assert_int_equal(s->writes, 0);
		assert_int_equal(teardown(state), 0);
	}
}

/* Nothing is asked about cgroups below which no section reaches. */
static void test_pruned(void **state)
{
	struct state *s = *state;
	const struct { const char *text; unsigned int looks; } rows[] = {
		{ "[a.service]\n" YAMA "2\n", 0 },
		{ "[user.slice/*]\n" YAMA "2\n", 1 },
		{ "[user.slice/u@*.service/*/*]\n" YAMA "2\n", 1 },
		{ "[deep.service]\n" YAMA "2\n", 0 },
	};

	cgroup_make(&s->tree, "user.slice/u@1.service/x/deep.service");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct psc_config config = load(s, rows[i].text);

		s->looks = 0;
		psc_sections_apply(&s->sections, &config, PSC_PLAN_RAISE);
		assert_int_equal(s->looks, rows[i].looks);
	}
}

/* What is logged while this does its work. */
static void capture(void (*work)(struct state *s), struct state *s, char *ret, size_t size)
{
	int old = dup(STDERR_FILENO), file = memfd_create("log", MFD_CLOEXEC);
	ssize_t n;

	assert_return_code(dup2(file, STDERR_FILENO), 0);
	psc_log_set_level(LOG_NOTICE);
	work(s);
	psc_log_set_level(LOG_CRIT);
	assert_return_code(dup2(old, STDERR_FILENO), 0);
	n = pread(file, ret, size - 1, 0);
	assert_return_code(n, 0);
	ret[n] = '\0';
	close(old);
	close(file);
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text++;
		n++;
	}
	return n;
}

/* PARENT/0 and so on, or what is below each of them */
static void make_cgroups(struct state *s, const char *parent, int n, const char *below)
{
	char path[64];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%d%s", parent, i, below);
		cgroup_make(&s->tree, path);
	}
}

static void make_many(struct state *s)
{
	apply(s, "[u.slice]\n" FLOOR "2\n[u.slice/*]\n" YAMA "0\n", PSC_PLAN_RAISE);
}

static void end_quiet(struct state *s)
{
	assert_return_code(sd_event_source_set_time(s->sections.quiet, 0), 0);
	assert_true(sd_event_run(s->sections.event, UINT64_MAX) > 0);
}

/* Who makes cgroups by the hundred does not fill the log. */
static void test_messages(void **state)
{
	struct state *s = *state;
	char log[16384];

	make_cgroups(s, "u.slice", 100, "");
	capture(make_many, s, log, sizeof(log));
	assert_int_equal(count(log, "locked at 2 (admin-only)"), 10);
	assert_int_equal(count(log, "\n"), 10);
	capture(end_quiet, s, log, sizeof(log));
	assert_int_equal(count(log, "90 more messages about cgroups were left out\n"), 1);
	assert_null(s->sections.quiet);
	capture(make_many, s, log, sizeof(log));
	assert_int_equal(count(log, "\n"), 10);
}

static void lock_many(struct state *s)
{
	apply(s, "[u.slice/*]\n" FLOOR "2\n", PSC_PLAN_RAISE);
}

/* What stands against a first floor is looked for once, not for every cgroup. */
static void test_no_floor(void **state)
{
	struct state *s = *state;
	char log[16384];

	make_cgroups(s, "u.slice", 20, "");
	s->busy = true;
	capture(lock_many, s, log, sizeof(log));
	assert_int_equal(s->tries_to_lock, 1);
	assert_int_equal(s->tries, 0);
	assert_int_equal(count(log, "Device or resource busy"), 1 + 10);
	assert_int_equal(s->fake.n_entries, 0);
	s->busy = false;
	capture(lock_many, s, log, sizeof(log));
	assert_int_equal(s->fake.n_entries, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_wins),
		cmocka_unit_test(test_entries_of_others),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_check_foresees),
		cmocka_unit_test(test_blind),
		cmocka_unit_test_setup_teardown(test_pruned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_without_sections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_floor, setup, teardown),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("sections", tests, NULL, NULL);
}
