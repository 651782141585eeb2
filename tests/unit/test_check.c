/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --check says of a configuration, beside what a reload of the same would do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "cgroup_tree.h"
#include "check.h"
#include "fake_backend.h"
#include "plan.h"
#include "sections.h"
#include "util.h"

#define CONF "/etc/ptracescope/ptracescope.conf"
#define YAMA "kernel.yama.ptrace_scope = "
#define FLOOR "kernel.ptracescope.floor = "

struct state {
	struct fake_root conf, tree;
	struct fake_backend fake;
	unsigned int writes;
	char *out, *log;
};

static int request(void *data, struct psc_request *req)
{
	struct state *s = data;

	s->writes += req->op != PSC_OP_INFO;
	return fake_request(&s->fake, req);
}

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	fake_root_new(&s->conf);
	cgroup_tree_new(&s->tree, &s->fake.cgroups);
	s->fake.policy.scope[PSC_MODE_ATTACH] = s->fake.policy.scope[PSC_MODE_TRACEME] = 1;
	cgroup_make(&s->tree, "system.slice/app.service");
	cgroup_make(&s->tree, "system.slice/web.service/sub");
	cgroup_make(&s->tree, "plain");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	cgroup_tree_free(&s->tree, &s->fake.cgroups);
	fake_root_free(&s->conf);
	free(s->out);
	free(s->log);
	free(s);
	return 0;
}

static char *contents(FILE *file)
{
	char *text = calloc(1, 65536);

	assert_non_null(text);
	rewind(file);
	assert_true(fread(text, 1, 65535, file) < 65535);
	return text;
}

/* As who may not know what is in force. */
static bool unseen;

/* Check, with what it prints and what it logs in @s. */
static int check_seeing(struct state *s, const char *conf, bool policy, bool cgroups)
{
	_cleanup_fclose_ FILE *out = tmpfile(), *log = tmpfile();
	_cleanup_close_ int saved = dup(STDERR_FILENO);
	struct psc_check check = {
		.root = s->conf.path, .cgroups = &s->fake.cgroups, .asked = &s->fake.cgroups, .out = out,
		.request = cgroups ? request : NULL, .data = s,
		.policy = policy ? &s->fake.policy : NULL, .unseen = unseen,
	};
	int err;

	assert_true(out && log && saved >= 0);
	fake_root_write(&s->conf, CONF, conf);
	fflush(stderr);
	assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
	err = psc_check_config(&check);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	free(s->out);
	free(s->log);
	s->out = contents(out);
	s->log = contents(log);
	assert_int_equal(s->writes, 0);
	return err;
}

static int check(struct state *s, const char *conf, bool in_force)
{
	return check_seeing(s, conf, in_force, in_force);
}

static void has(const char *what, const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("%s: no \"%s\" in: %s", what, wanted, text);
}

static const struct {
	const char *what, *conf;
	unsigned int floor;		/* of everybody, in force */
	int err;
	const char *out, *log;		/* parts of them */
} rows[] = {
	{ "nothing", "", 0, 0, "configuration: ok; a reload changes nothing\n", "" },
	{ "what is so already", YAMA "1\n", 0, 0, "; a reload changes nothing\n", "" },
	{ "a change", YAMA "2\n", 0, 0, "  kernel.ptracescope.attach_scope     1 (restricted)   "
	  "2 (admin-only)   " CONF ":1\n", "" },
	{ "its summary", YAMA "2\n", 0, 0, "; a reload changes global settings\n", "" },
	{ "the summary with sections", YAMA "2\n[app.service]\n" YAMA "3\n", 0, 0, "; a reload "
	  "changes global settings and the settings of 1 cgroup\n", "" },
	{ "what stays", YAMA "2\n", 0, 0, "  kernel.ptracescope.read_scope       0 (classic)      "
	  "unchanged        not configured\n", "" },
	{ "below a floor", YAMA "1\n", 2, -EACCES, "", CONF ":1: kernel.yama.ptrace_scope = 1: locked "
	  "at 2 (admin-only) until reboot" },
	{ "a section", "[app.service]\n" YAMA "2\n", 0, 0, "  [app.service]  matches 1 cgroup  (" CONF
	  ":1)\n      system.slice/app.service\n\nconfiguration: ok; a reload changes the settings of "
	  "1 cgroup\n", "" },
	{ "a section with several", "[system.slice/*]\n" YAMA "2\n", 0, 0, "matches 2 cgroups", "" },
	{ "a section with none", "\n[web.scope]\n" YAMA "2\n", 0, 0, "  [web.scope]  matches no cgroup "
	  "now  (" CONF ":2)\n", CONF ":2: the section matches no cgroup now" },
	{ "a name without its suffix", "[app]\n" YAMA "2\n", 0, 0, "  [app]  matches no cgroup now; "
	  "names of units have a suffix", "" },
	{ "a name without, that has one", "[plain]\n" YAMA "2\n", 0, 0, "matches 1 cgroup  (", "" },
	{ "a section below a floor in force", "[app.service]\n" YAMA "1\n", 2, -EACCES, "matches 1",
	  CONF ":2: kernel.yama.ptrace_scope = 1 for the cgroup 'system.slice/app.service': locked at "
	  "2 (admin-only) until reboot" },
	{ "a section below the floor beside it", FLOOR "2\n[app.service]\n" YAMA "1\n", 0, -EACCES, "",
	  CONF ":3: kernel.yama.ptrace_scope = 1 for the cgroup" },
	{ "a section below the floor further up", "[system.slice]\n" FLOOR "2\n[web.service]\n" YAMA "1\n",
	  0, -EACCES, "", CONF ":4: " },
	{ "a section that matches nothing below a floor", FLOOR "2\n[x.service]\n" YAMA "1\n", 0, 0,
	  "matches no cgroup", "" },
	{ "a first floor", FLOOR "2\n", 0, 0, "  kernel.ptracescope.floor            0 (classic)      "
	  "2 (admin-only)   " CONF ":1\n", "sets the first floor since boot" },
	{ "all that is wrong", "x\ny\n", 0, -EINVAL, "", CONF ":2: '=' is missing in 'y'" },
};

/* The same as a reload asks itself before it begins. */
static int reload(struct state *s)
{
	struct psc_sections sections = {
		.cgroups = &s->fake.cgroups, .request = request, .data = s,
	};
	_cleanup_free_ char *error = NULL;
	struct psc_config config;
	struct psc_plan plan;
	bool locks;
	int err = psc_config_load(s->conf.path, &config, &error);

	if (!err)
		err = psc_plan_make(&config, PSC_PLAN_RELOAD, s->fake.policy, &plan, &error);
	if (!err)
		err = psc_sections_check(&sections, &config, &plan.floors, &locks, &error);
	psc_config_free(&config);
	return err;
}

static void test_rows(void **state)
{
	struct state *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		union psc_policy *policy = &s->fake.policy;
		int err;

		memset(policy, 0, sizeof(*policy));
		for (unsigned int mode = PSC_MODE_ATTACH; mode <= PSC_MODE_TRACEME; mode++) {
			policy->floor[mode] = (__u8)rows[i].floor;
			policy->scope[mode] = rows[i].floor ? (__u8)rows[i].floor : 1;
		}
		err = check(s, rows[i].conf, true);
		if (err != rows[i].err)
			fail_msg("%s: %d: %s", rows[i].what, err, s->log);
		has(rows[i].what, s->out, rows[i].out);
		has(rows[i].what, s->log, rows[i].log);
		if (!strstr(s->out, "configuration: ok") == !err)
			fail_msg("%s: %s", rows[i].what, s->out);
		if (reload(s) != err)
			fail_msg("%s: a reload says %d", rows[i].what, reload(s));
	}
}

/* Whether something is in force cannot be told. */
static void test_unseen(void **state)
{
	struct state *s = *state;

	unseen = true;
	assert_int_equal(check(s, YAMA "2\n", false), 0);
	unseen = false;
	has("", s->out, "  kernel.ptracescope.attach_scope     unknown          2 (admin-only)  ");
	has("", s->out, "configuration: ok; not compared with what is in force\n");
}

/* Nothing is in force: as before a first start. */
static void test_first(void **state)
{
	struct state *s = *state;

	assert_int_equal(check(s, "[app.service]\n" YAMA "2\n", false), 0);
	has("", s->out, "AFTER A START");
	has("", s->out, "  kernel.ptracescope.attach_scope     -                1 (restricted)   "
	    "not configured\n");
	has("", s->out, "matches 1 cgroup  (");
	has("", s->out, "configuration: ok; nothing is in force now that it could be compared with\n");
	/* A start leaves out what a reload refuses. */
	assert_int_equal(check(s, FLOOR "2\n[app.service]\n" YAMA "1\n", false), -EACCES);
}

/* Who cannot ask what cgroups have is not told that they would change. */
static void test_stranger(void **state)
{
	struct state *s = *state;

	s->fake.policy.scope[PSC_MODE_ATTACH] = s->fake.policy.scope[PSC_MODE_TRACEME] = 1;
	assert_int_equal(check_seeing(s, "[app.service]\n" YAMA "2\n", true, false), 0);
	has("", s->out, "; a reload changes no global settings; what it changes of cgroups is for "
	    "root to see\n");
	assert_int_equal(check_seeing(s, YAMA "2\n[app.service]\n" YAMA "2\n", true, false), 0);
	has("", s->out, "; a reload changes global settings; what it changes of cgroups is for root "
	    "to see\n");
}

/* What earlier sections have set, a reload takes back. */
static void test_taken_back(void **state)
{
	struct state *s = *state;
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(2),
		.flags = PSC_FLAG_CGROUP, .origin = PSC_ORIGIN_CONFIG,
	};

	assert_int_equal(psc_cgroup_find(&s->fake.cgroups, "plain", &cgroup), 0);
	req.dir_fd = cgroup.fd;
	assert_int_equal(fake_request(&s->fake, &req), 0);
	assert_int_equal(check(s, "", true), 0);
	has("", s->out, "; a reload changes the settings of 1 cgroup\n");
	assert_int_equal(check(s, "[/plain]\n" YAMA "2\n", true), 0);
	has("", s->out, "; a reload changes nothing\n");
	/* That it is in force already does not make it fit a floor. */
	assert_int_equal(check(s, FLOOR "3\n[/plain]\n" YAMA "2\n", true), -EACCES);
	assert_int_equal(reload(s), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unseen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stranger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
