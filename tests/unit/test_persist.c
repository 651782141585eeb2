/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --persist: whole runs of the commands, and the replacement of the file. */
#include "command_run.h"

#include <sys/file.h>
#include <sys/stat.h>

#include "cgroup_tree.h"
#include "config.h"
#include "dropin.h"
#include "dropin_words.h"
#include "fake_root.h"
#include "names.h"
#include "persist.h"


static struct fake_root root;

static char *content(const char *name)
{
	char path[PATH_MAX], *text = NULL;

	fake_root_path(&root, name, path);
	return psc_read_file(path, 1 << 20, &text, NULL) ? NULL : text;
}

static void expect_file(const char *wanted)
{
	_cleanup_free_ char *text = content(PSC_DROPIN_PATH);

	if (!wanted)
		assert_null(text);
	else
		assert_string_equal(text ? text : "(none)", wanted);
	assert_null(content(PSC_DROPIN_DIR "/." PSC_DROPIN_NAME ".new"));
}

static int set_up(void **state)
{
	(void)state;
	fake_root_new(&root);
	fake_root_write(&root, "/etc/passwd", "");
	psc_persist_root = root.path;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_root_free(&root);
	return 0;
}

#define KEPT "kept in " PSC_DROPIN_PATH "\n"
#define LATER "cgroups of this name that are made before the next boot get it after: " \
	"ptracescopectl reload\n"
#define UNCHANGED "; nothing changed"

static void test_global_runs(void **state)
{
	static const struct run_case cases[] = {
		{ { "set", "2", "--persist" }, 0, SCOPE " = 2\n" KEPT, "" },
		{ { "set", "read=1", "--persist" }, 0, READ " = 1\n" KEPT, "" },
		{ { "set", "read=1", "--persist", "--json" }, 0,
		  "{\"name\": \"" READ "\", \"value\": 1}\n", "" },
		{ { "set", "boundary=on" }, 0, BOUNDARY " = 1\n", "" },
	};
	static const struct run_case removals[] = {
		{ { "unset", "read_scope", "--persist" }, 0,
		  READ ": removed from " PSC_DROPIN_PATH "; from the next boot on 0 (classic)\n", "" },
		{ { "unset", "read_scope", "--persist" }, 0,
		  READ ": not in " PSC_DROPIN_PATH "; from the next boot on 0 (classic)\n", "" },
		{ { "unset", "ptrace_scope", "--persist", "--json" }, 0,
		  "{\"name\": \"" SCOPE "\", \"removed\": true, \"next\": 1}\n", "" },
	};
	struct service s;
	struct stat st;
	char path[PATH_MAX];

	(void)state;
	service_there(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	assert_int_equal(s.fake.policy.scope[PSC_MODE_ATTACH], 2);
	expect_file(HEADER "\n" SCOPE " = admin-only\n" READ " = restricted\n");
	fake_root_path(&root, PSC_DROPIN_PATH, path);
	assert_return_code(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	check_runs(&s, removals, ARRAY_SIZE(removals));
	expect_file(NULL);
	assert_int_equal(s.fake.policy.scope[PSC_MODE_ATTACH], 2);
	service_stop(&s);
}

static void test_lock_runs(void **state)
{
	static const struct run_case cases[] = {
		{ { "lock", "--persist" }, 1, "",
		  LINE("the scope of attach or traceme is 0 (classic), so there is no floor that "
		       "--persist can keep; nothing changed; set one first, or do without "
		       "--persist") },
		{ { "lock", "1", "--persist" }, 0,
		  "locked until reboot: attach 1 (restricted), traceme 1 (restricted)\n"
		  "raised: attach 0 (classic) -> 1 (restricted)\n"
		  "raised: traceme 0 (classic) -> 1 (restricted)\n"
		  "not locked: read 0 (classic), boundary 0 (off)\n" KEPT, "" },
		{ { "set", "read=1" }, 0, READ " = 1\n", "" },
		{ { "set", "attach=2" }, 0, ATTACH " = 2\n", "" },
		{ { "lock", "--persist" }, 0,
		  "locked until reboot: attach 2 (admin-only), traceme 1 (restricted), "
		  "read 1 (restricted)\nnot locked: boundary 0 (off)\n" KEPT
		  "not kept: attach 2 (admin-only), read 1 (restricted); the configuration has one "
		  "floor, for attach and traceme\n", "" },
		{ { "lock", "traceme", "attach", "--persist" }, 0,
		  "locked until reboot: attach 2 (admin-only), traceme 1 (restricted), "
		  "read 1 (restricted)\nnot locked: boundary 0 (off)\n" KEPT
		  "not kept: attach 2 (admin-only), read 1 (restricted); the configuration has one "
		  "floor, for attach and traceme\n", "" },
	};
	struct service s;

	(void)state;
	service_there(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	expect_file(HEADER "\n" FLOOR " = restricted\n");
	service_stop(&s);
}

/* The policy stays, and so does the file, if the daemon refuses or does not answer. */
static void test_daemon_refuses(void **state)
{
	static const struct run_case refused[] = {
		{ { "set", "1", "--persist" }, 3, "",
		  LINE(SCOPE ": locked at 2 (admin-only) until reboot") },
	};
	struct service s;
	struct result result;

	(void)state;
	service_there(&s);
	s.fake.policy = (union psc_policy){ .scope = { 2, 2 }, .floor = { 2, 2 } };
	check_runs(&s, refused, ARRAY_SIZE(refused));
	expect_file(NULL);
	s.fake.capable = 0;
	run_against(&s, (const char *const[]){ "set", "3", "--persist", NULL }, &result);
	assert_int_equal(result.code, 3);
	expect_file(NULL);
	service_stop(&s);
	unlink(socket_path);
	run_against(NULL, (const char *const[]){ "set", "3", "--persist", NULL }, &result);
	assert_int_equal(result.code, 4);
	expect_file(NULL);
}

/* One run that fails before the policy changes. */
static void expect_failure(struct service *s, int code, const char *message,
			   const char *const *arguments)
{
	struct result result;
	const union psc_policy before = s->fake.policy;

	run_against(s, arguments, &result);
	if (!strstr(result.err, message))
		fail_msg("expected '%s' in '%s'", message, result.err);
	assert_string_equal(result.out, "");
	assert_int_equal(result.code, code);
	assert_true(before.word == s->fake.policy.word);
	assert_null(content(PSC_DROPIN_DIR "/." PSC_DROPIN_NAME ".new"));
}

static const char *const set_2[] = { "set", "2", "--persist", NULL };

static void test_bad_places(void **state)
{
	char path[PATH_MAX];
	struct service s;

	(void)state;
	service_there(&s);
	fake_root_link(&root, PSC_DROPIN_PATH, "/dev/null");
	expect_failure(&s, 1, PSC_DROPIN_PATH " is a symbolic link, and is not replaced" UNCHANGED
		       "; remove it", set_2);
	fake_root_remove(&root, PSC_DROPIN_PATH);
	fake_root_path(&root, PSC_DROPIN_PATH, path);
	assert_return_code(mkdir(path, 0700), 0);
	expect_failure(&s, 1, PSC_DROPIN_PATH " is no regular file, and is not replaced", set_2);
	assert_return_code(rmdir(path), 0);
	fake_root_bytes(&root, PSC_DROPIN_PATH, "\0\0", 2);
	expect_failure(&s, 1, PSC_DROPIN_PATH " has a NUL byte in it, so it is damaged" UNCHANGED,
		       set_2);
	fake_root_remove(&root, PSC_DROPIN_PATH);
	/* A leftover of a run that was killed is in nobody's way, a link there is not followed. */
	fake_root_write(&root, PSC_DROPIN_DIR "/." PSC_DROPIN_NAME ".new", "left over");
	check_runs(&s, &(struct run_case){ { "set", "1", "--persist" }, 0, SCOPE " = 1\n" KEPT, "" }, 1);
	expect_file(HEADER "\n" SCOPE " = restricted\n");
	fake_root_link(&root, PSC_DROPIN_DIR "/." PSC_DROPIN_NAME ".new", "/dev/null");
	run_against(&s, set_2, &(struct result){});
	assert_int_equal(s.fake.policy.scope[PSC_MODE_ATTACH], 1);
	service_stop(&s);
}

static void test_bad_configuration(void **state)
{
	struct service s;

	(void)state;
	service_there(&s);
	fake_root_write(&root, PSC_DROPIN_DIR "/10-other.conf", "nonsense\nmore\n");
	expect_failure(&s, 1, "ptracescopectl: configuration: " PSC_DROPIN_DIR "/10-other.conf:2: '='",
		       set_2);
	expect_failure(&s, 1, PSC_DROPIN_PATH " is not written, because the daemon would refuse the "
		       "configuration with it: " PSC_DROPIN_DIR "/10-other.conf:1: '=' is missing",
		       set_2);
	fake_root_remove(&root, PSC_DROPIN_DIR "/10-other.conf");

	/* A wrong line of the file itself; one that is replaced does not matter. */
	fake_root_write(&root, PSC_DROPIN_PATH, SCOPE " = 7\n");
	expect_failure(&s, 1, PSC_DROPIN_PATH ":1: '7' is no value for " SCOPE,
		       (const char *const[]){ "set", "read=1", "--persist", NULL });
	check_runs(&s, &(struct run_case){ { "set", "2", "--persist" }, 0, SCOPE " = 2\n" KEPT, "" }, 1);
	expect_file(SCOPE " = admin-only\n");

	/* It would not last. */
	fake_root_write(&root, PSC_DROPIN_DIR "/60-later.conf", ATTACH " = 0\n");
	expect_failure(&s, 1, PSC_DROPIN_DIR "/60-later.conf:1 sets " ATTACH " to 0, and is read after "
		       PSC_DROPIN_PATH UNCHANGED, (const char *const[]){ "set", "3", "--persist", NULL });
	fake_root_write(&root, PSC_DROPIN_DIR "/60-later.conf", "[a.service]\n" READ " = 1\n"
			SCOPE " = 1\n");
	/* Neither would a section below a floor of the system. */
	expect_failure(&s, 1, PSC_DROPIN_DIR "/60-later.conf:3: " SCOPE " = 1 for the cgroup "
		       "'a.service': locked at 2", (const char *const[]){ "lock", "2", "--persist", NULL });
	expect_file(SCOPE " = admin-only\n");
	service_stop(&s);
}

/* The file of another run is waited for: the lock is its own, whatever becomes of the name. */
static void test_two_at_once(void **state)
{
	char new[PATH_MAX], path[PATH_MAX];
	struct psc_persist first = PSC_PERSIST_NONE;
	struct psc_dropin_change change = { NAME(3), .value = 1 };
	struct service s;
	int null, out, err, pipe_fd, fd;
	pid_t pid;

	(void)state;
	fake_root_path(&root, PSC_DROPIN_DIR "/." PSC_DROPIN_NAME ".new", new);
	fake_root_path(&root, PSC_DROPIN_PATH, path);
	service_there(&s);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	out = memfd_create("out", MFD_CLOEXEC);
	err = memfd_create("err", MFD_CLOEXEC);
	assert_int_equal(psc_persist_prepare(&first, &change, 1), PSC_EXIT_DONE);
	fd = open(new, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	close(fd);
	pid = run_child((const char *const[]){ "--socket", socket_path, "set", "2", "--persist", NULL },
			null, out, err, &pipe_fd);
	/* The child has a copy of what holds the lock; it lets go of it with the first of its own. */
	assert_int_equal(psc_persist_commit(&first), PSC_EXIT_DONE);
	psc_persist_end(&first);
	serve_until_ended(&s, pipe_fd);
	assert_int_equal(exit_code(pid), 0);
	expect_file(HEADER "\n" SCOPE " = admin-only\n" READ " = restricted\n");
	close(null);
	close(out);
	close(err);
	service_stop(&s);
}

/* Between the change of the policy and the rename, what could go wrong is told. */
static void test_commit_fails(void **state)
{
	char path[PATH_MAX];
	struct psc_persist persist = PSC_PERSIST_NONE;
	struct psc_dropin_change change = { NAME(3), .value = 1 };

	(void)state;
	assert_int_equal(psc_persist_prepare(&persist, &change, 1), PSC_EXIT_DONE);
	fake_root_path(&root, PSC_DROPIN_PATH, path);
	assert_return_code(mkdir(path, 0700), 0);
	assert_int_equal(psc_persist_commit(&persist), PSC_EXIT_FAILED);
	psc_persist_end(&persist);
	assert_null(content(PSC_DROPIN_DIR "/." PSC_DROPIN_NAME ".new"));
	assert_return_code(rmdir(path), 0);
}

/* --- cgroups --- */

static struct fake_root cgroups_root;

static void service_with_cgroups(struct service *s)
{
	service_there(s);
	cgroup_tree_new(&cgroups_root, &s->fake.cgroups);
	cgroup_make(&cgroups_root, "system.slice/a.service");
	cgroup_make(&cgroups_root, "plain/b*");
	cgroup_make(&cgroups_root, "plain/c\rd");
}

static void test_cgroup_runs(void **state)
{
	static const struct run_case sets[] = {
		{ { "cgroup", "set", "a.service", "2", "--persist" }, 0,
		  "system.slice/a.service: " SCOPE " = 2\n" KEPT LATER, "" },
		{ { "cgroup", "set", "system.slice/a.service", "read=1", "--persist" }, 0,
		  "system.slice/a.service: " READ " = 1\n" KEPT LATER, "" },
		{ { "cgroup", "set", "plain/b*", "siblings", "--persist", "--sticky" }, 0,
		  "plain/b*: " SCOPE " = siblings\n" KEPT LATER, "" },
		{ { "cgroup", "set", "gone.service", "2", "--persist" }, 1, "",
		  LINE("cgroup 'gone.service': there is no such cgroup; a unit has one while it runs, and "
		       "its name has a suffix, such as .service (systemd-cgls lists them); a section "
		       "of ptracescope.conf(5) is for when it starts") },
		{ { "cgroup", "set", "plain/c\rd", "2", "--persist" }, 1, "",
		  LINE("cgroup 'plain/c\\x0dd': no section of ptracescope.conf(5) can be for this name, "
		       "so --persist cannot keep its settings; nothing changed") },
		{ { "cgroup", "lock", "x\xff", "--persist" }, 2, "",
		  LINE("the name of the cgroup is not UTF-8, so it has no place in a call; take one "
		       "above it, or a section of ptracescope.conf(5)") },
	};
	static const struct run_case unsets[] = {
		{ { "cgroup", "unset", "plain/b*", "--persist" }, 0,
		  "plain/b*: " SCOPE " = 0\nremoved from " PSC_DROPIN_PATH "\n", "" },
		{ { "cgroup", "unset", "a.service", "read", "--persist" }, 0,
		  "system.slice/a.service: " READ " = 0\nremoved from " PSC_DROPIN_PATH "\n", "" },
		{ { "cgroup", "unset", "gone.service", "--persist" }, 0,
		  "there is no such cgroup now\nnot in " PSC_DROPIN_PATH "\n", "" },
	};
	struct service s;

	(void)state;
	service_with_cgroups(&s);
	check_runs(&s, sets, ARRAY_SIZE(sets));
	expect_file(HEADER "\n[a.service]\n" SCOPE " = admin-only\n" READ " = restricted\n"
		    "\n[plain/b[*]]\n" SCOPE " = siblings\nsticky = yes\n");
	check_runs(&s, unsets, ARRAY_SIZE(unsets));
	expect_file(HEADER "\n[a.service]\n" SCOPE " = admin-only\n");
	cgroup_tree_free(&cgroups_root, &s.fake.cgroups);
	s.fake.cgroups.root_fd = -1;
	service_stop(&s);
}

static void test_cgroup_locks(void **state)
{
	static const struct run_case cases[] = {
		{ { "cgroup", "set", "a.service", "2", "--lock", "--persist" }, 0,
		  "system.slice/a.service: " SCOPE " = 2\n" KEPT LATER, "" },
		{ { "cgroup", "lock", "plain/b*", "1", "--persist" }, 0,
		  "plain/b*: " FLOOR " = 1\n" KEPT LATER, "" },
		{ { "cgroup", "lock", "a.service", "--persist" }, 0,
		  "locked until reboot: attach 2 (admin-only), traceme 2 (admin-only)\n"
		  "not locked: read 0 (classic), boundary 0 (off)\n" KEPT LATER, "" },
		{ { "cgroup", "unset", "plain/b*", "floor", "--persist" }, 0,
		  "the floor stays until reboot\nremoved from " PSC_DROPIN_PATH "\n", "" },
	};
	static const struct run_case unset = {
		{ "cgroup", "unset", "a.service", "--persist" }, 0,
		"the setting stays until reboot, because the cgroup has a floor\n"
		"removed from " PSC_DROPIN_PATH "\n", "",
	};
	struct service s;

	(void)state;
	service_with_cgroups(&s);
	check_runs(&s, cases, ARRAY_SIZE(cases));
	expect_file(HEADER "\n[a.service]\n" SCOPE " = admin-only\n" FLOOR " = admin-only\n");
	check_runs(&s, &unset, 1);
	expect_file(NULL);
	cgroup_tree_free(&cgroups_root, &s.fake.cgroups);
	s.fake.cgroups.root_fd = -1;
	service_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_global_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lock_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_daemon_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_configuration, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_commit_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cgroup_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cgroup_locks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
