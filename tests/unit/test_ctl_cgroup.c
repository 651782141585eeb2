/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl cgroup, and the methods behind it, on directories that stand for cgroups. */
#include "command_run.h"

#include "cgroup_tree.h"
#include "floors.h"
#include "names.h"
#include "show.h"

#define NAME(id) .name = &psc_names[PSC_NAME_ID_##id]

static const struct {
	const char *arguments[ARGUMENTS_MAX];
	const char *error;		/* a part of the message, or NULL */
	struct psc_cli cli;
} parse_cases[] = {
	{ { "list" }, .cli = { PSC_CLI_CGROUP_LIST } },
	{ { "list", "--json" }, .cli = { PSC_CLI_CGROUP_LIST, .json = true } },
	{ { "get", "a" }, .cli = { PSC_CLI_CGROUP_GET, .cgroup = "a" } },
	{ { "get", "a", "read_scope" }, .cli = { PSC_CLI_CGROUP_GET, NAME(READ), .cgroup = "a" } },
	{ { "get", "--pid", "7" }, .cli = { PSC_CLI_CGROUP_GET, .pid = 7 } },
	{ { "--pid=7", "get", "floor" }, .cli = { PSC_CLI_CGROUP_GET, NAME(FLOOR), .pid = 7 } },
	{ { "get", "--", "-a" }, .cli = { PSC_CLI_CGROUP_GET, .cgroup = "-a" } },
	{ { "set", "a", "2" }, .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = 2, .cgroup = "a" } },
	{ { "set", "a", "siblings" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = PSC_SCOPE_SIBLINGS, .cgroup = "a" } },
	{ { "set", "a=b", "2" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = 2, .cgroup = "a=b" } },
	{ { "set", "a", "attach_scope", "2" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(ATTACH), .value = 2, .cgroup = "a" } },
	{ { "set", "a", "kernel.ptracescope.attach_scope=2" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(ATTACH), .value = 2, .cgroup = "a" } },
	{ { "set", "a", "cgroup_boundary", "on" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(BOUNDARY), .value = 1, .cgroup = "a" } },
	{ { "set", "--pid", "7", "2", "--lock" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = 2, .pid = 7, .lock = true } },
	{ { "set", "a", "no-attach", "--revocable" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = 3, .cgroup = "a", .revocable = true } },
	{ { "set", "a", "2", "--sticky" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = 2, .cgroup = "a", .sticky = true } },
	{ { "set", "a", "2", "--no-sticky", "--lock" },
	  .cli = { PSC_CLI_CGROUP_SET, NAME(YAMA), .value = 2, .cgroup = "a", .lock = true,
		   .not_sticky = true } },
	{ { "release", "--pid", "7" }, .cli = { PSC_CLI_CGROUP_RELEASE, .pid = 7 } },
	{ { "unset", "a" }, .cli = { PSC_CLI_CGROUP_UNSET, .cgroup = "a" } },
	{ { "unset", "a", "ptrace_scope" },
	  .cli = { PSC_CLI_CGROUP_UNSET, NAME(YAMA), .cgroup = "a" } },
	{ { "lock", "a" },
	  .cli = { PSC_CLI_CGROUP_LOCK, NAME(FLOOR), .cgroup = "a", .present = true } },
	{ { "lock", "a", "2", "-y" },
	  .cli = { PSC_CLI_CGROUP_LOCK, NAME(FLOOR), .value = 2, .cgroup = "a", .yes = true } },

	{ {}, "missing argument after 'cgroup'; usage: cgroup list|get|set|unset|lock|release" },
	{ { "lis" }, "unknown command: cgroup 'lis'; the nearest is 'list'" },
	{ { "unlock", "a" }, "unknown command: cgroup 'unlock'" },
	{ { "list", "a" }, "unexpected argument 'a'; usage: cgroup list" },
	{ { "list", "--pid", "1" }, "--pid does not go with 'list'" },
	{ { "get" }, "missing argument after 'get'; usage: cgroup get CGROUP|--pid PID [NAME]" },
	{ { "get", "a", "b" }, "unknown name 'b'; names are" },
	{ { "get", "a", "floor", "c" }, "unexpected argument 'c'" },
	{ { "get", "--pid", "1", "floor", "c" }, "unexpected argument 'c'" },
	{ { "get", "--pid" }, "missing PID after '--pid'" },
	{ { "get", "--pid", "0" }, "no process id: '0'" },
	{ { "get", "--pid", "-1" }, "no process id: '-1'" },
	{ { "get", "--pid=x" }, "no process id: 'x'" },
	{ { "set", "a" }, "missing argument after 'a'; usage: cgroup set [OPTION]... CGROUP|--pid" },
	{ { "set", "a", "floor" }, "no value for 'floor'; usage: cgroup set [OPTION]... CGROUP|--pid" },
	{ { "set", "a", "4" }, "value '4' is no scope; scopes are 0 (classic), 1 (restricted), "
	  "2 (admin-only), 3 (no-attach), siblings" },
	{ { "set", "a", "cgroup_boundary", "2" },
	  "value '2' does not go there; values are 0 (off), 1 (on)" },
	{ { "set", "a", "b", "2" }, "unknown name 'b'" },
	{ { "set", "a", "2", "--revocable" }, "only a scope of 3 can be --revocable, not '2'" },
	{ { "set", "a", "3", "--revocable", "--lock" }, "--lock does not go with '--revocable'" },
	{ { "get", "a", "--lock" }, "--lock does not go with 'get'; it is for: cgroup set" },
	{ { "lock", "a", "--lock" }, "--lock does not go with 'lock'" },
	{ { "lock", "a", "3", "--revocable" }, "--revocable does not go with 'lock'" },
	{ { "lock", "a", "on" }, "value 'on' is no scope" },
	{ { "unset", "a", "floor" }, "it lasts until reboot, so it cannot be unset: 'floor'" },
	{ { "unset", "a", "floor", "x" }, "unexpected argument 'x'" },
	{ { "set", "a", "2", "--sticky", "--no-sticky" },
	  "--sticky does not go with '--no-sticky'" },
	{ { "set", "a", "floor=2", "--sticky" }, "--sticky is for scopes; this always goes along: "
	  "'kernel.ptracescope.floor'" },
	{ { "get", "a", "--sticky" }, "--sticky does not go with 'get'; it is for: cgroup set" },
	{ { "unset", "a", "--no-sticky" }, "--no-sticky does not go with 'unset'" },
	{ { "release" }, "missing --pid PID with 'release'" },
	{ { "release", "a" }, "missing --pid PID with 'release'" },
	{ { "release", "a", "--pid", "7" }, "unexpected argument 'a'; usage: cgroup release --pid PID" },
};

static bool same(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parse_cases); i++) {
		const char *arguments[ARGUMENTS_MAX + 1] = { "cgroup" };
		const struct psc_cli *wanted = &parse_cases[i].cli;
		_cleanup_free_ char *error = NULL;
		struct psc_cli cli = {};
		int err;

		memcpy(arguments + 1, parse_cases[i].arguments, sizeof(*arguments) *
		       (ARGUMENTS_MAX - 1));
		err = parse(arguments, &cli, &error);
		if (parse_cases[i].error) {
			assert_int_equal(err, -EINVAL);
			if (!strstr(error, parse_cases[i].error))
				fail_msg("expected '%s' in '%s'", parse_cases[i].error, error);
			continue;
		}
		if (err)
			fail_msg("row %zu: %s", i, error);
		assert_int_equal(cli.command, wanted->command);
		assert_ptr_equal(cli.name, wanted->name);
		assert_int_equal(cli.value, wanted->value);
		assert_true(same(cli.cgroup, wanted->cgroup));
		assert_int_equal(cli.pid, wanted->pid);
		assert_int_equal(cli.present, wanted->present);
		assert_int_equal(cli.revocable, wanted->revocable);
		assert_int_equal(cli.lock, wanted->lock);
		assert_int_equal(cli.sticky, wanted->sticky);
		assert_int_equal(cli.not_sticky, wanted->not_sticky);
		assert_int_equal(cli.json, wanted->json);
	}
	for (const char *const *o = (const char *const []){ "--lock", "--pid=1", NULL }; *o; o++) {
		const char *arguments[] = { "get", *o, NULL };
		_cleanup_free_ char *error = NULL;
		struct psc_cli cli;

		assert_int_equal(parse(arguments, &cli, &error), -EINVAL);
		assert_memory_equal(error, *o, 5);
		assert_non_null(strstr(error, " does not go with 'get'; it is for: "));
	}
	for (size_t len = 16640; len <= 16641; len++) {
		_cleanup_free_ char *name = malloc(len + 1), *error = NULL;
		const char *arguments[] = { "cgroup", "get", NULL, NULL };
		struct psc_cli cli;

		assert_non_null(name);
		memset(name, 'a', len);
		name[len] = '\0';
		arguments[2] = name;
		assert_int_equal(parse(arguments, &cli, &error), len == 16640 ? 0 : -EINVAL);
		assert_true(!error || strstr(error, "too long for a cgroup: 'aaa"));
	}
}

static struct fake_root tree;

static void service_with_tree(struct service *s, const char *const *paths)
{
	service_there(s);
	cgroup_tree_new(&tree, &s->fake.cgroups);
	for (; *paths; paths++)
		cgroup_make(&tree, *paths);
	s->fake.policy.scope[PSC_MODE_ATTACH] = s->fake.policy.scope[PSC_MODE_TRACEME] = 1;
}

static void service_end(struct service *s)
{
	service_stop(s);
	cgroup_tree_free(&tree, &s->fake.cgroups);
}

/* One after another. */
static void test_runs(void **state)
{
	static const char *const paths[] = {
		"user.slice/dev.scope", "system.slice/web.service/x", "odd\\x2d\"'", NULL,
	};
	static const struct run_case cases[] = {
		{ { "cgroup", "list" }, 0, "no cgroup has a scope of its own\n", "" },
		{ { "cgroup", "list", "--json" }, 0, "[]\n", "" },
		{ { "cgroup", "get", "web.service" }, 0,
		  "        cgroup: system.slice/web.service\n"
		  "        set by: nobody, it has no scope of its own\n"
		  "        attach: 1 (restricted), from global\n"
		  "       traceme: 1 (restricted), from global\n"
		  "          read: 0 (classic), from global\n"
		  "      boundary: 0 (off), from global\n", "" },
		{ { "cgroup", "set", "system.slice", "siblings" }, 0,
		  "system.slice: kernel.yama.ptrace_scope = siblings\n", "" },
		{ { "cgroup", "get", "web.service", "ptrace_scope" }, 0, "siblings\n", "" },
		{ { "cgroup", "set", "web.service", "read_scope", "2" }, 0,
		  "system.slice/web.service: kernel.ptracescope.read_scope = 2\n", "" },
		{ { "cgroup", "set", "dev.scope", "0", "--json" }, 0, NULL, "" },
		{ { "cgroup", "get", "dev.scope", "floor", "--json" }, 0,
		  "{\"name\": \"kernel.ptracescope.floor\", \"value\": 0}\n", "" },
		{ { "cgroup", "list" }, 0,
		  "CGROUP         ATTACH           FROM          SET HERE\n"
		  "system.slice   siblings         here          siblings; by admin\n"
		  "  web.service  siblings         system.slice  read: 2 (admin-only); by admin\n"
		  "user.slice\n"
		  "  dev.scope    0 (classic)      here          0 (classic); by admin\n", "" },
		/* no terminal, no question */
		{ { "cgroup", "lock", "web.service" }, 0,
		  "locked until reboot: attach siblings, traceme siblings, read 2 (admin-only)\n"
		  "not locked: boundary 0 (off)\n", "" },
		{ { "cgroup", "set", "web.service", "2", "--lock" }, 0,
		  "system.slice/web.service: kernel.yama.ptrace_scope = 2\n", "" },
		{ { "cgroup", "set", "web.service", "siblings" }, 3, "",
		  LINE("kernel.yama.ptrace_scope: locked at 2 (admin-only) until reboot") },
		{ { "cgroup", "set", "system.slice/web.service/x", "1" }, 3, "",
		  LINE("kernel.yama.ptrace_scope: locked at 2 (admin-only) until reboot") },
		{ { "cgroup", "unset", "web.service" }, 3, "",
		  LINE("kernel.yama.ptrace_scope: locked at 2 (admin-only) until reboot") },
		{ { "cgroup", "unset", "web.service", "read_scope" }, 3, "",
		  LINE("kernel.ptracescope.read_scope: locked at 2 (admin-only) until reboot") },
		{ { "cgroup", "set", "dev.scope", "cgroup_boundary", "on", "--lock" }, 0,
		  "user.slice/dev.scope: kernel.ptracescope.cgroup_boundary = 1\n", "" },
		{ { "cgroup", "set", "dev.scope", "cgroup_boundary", "off" }, 3, "",
		  LINE("kernel.ptracescope.cgroup_boundary: locked at 1 (on) until reboot") },
		{ { "cgroup", "set", "dev.scope", "3" }, 0,
		  "user.slice/dev.scope: kernel.yama.ptrace_scope = 3\n", "" },
		{ { "cgroup", "get", "dev.scope" }, 0,
		  "        cgroup: user.slice/dev.scope\n"
		  "        set by: admin\n"
		  "        attach: 3 (no-attach), from here, until reboot not below 3 (no-attach)\n"
		  "       traceme: 3 (no-attach), from here, until reboot not below 3 (no-attach)\n"
		  "          read: 0 (classic), from global\n"
		  "      boundary: 1 (on), from here, until reboot not below 1 (on)\n", "" },
		{ { "cgroup", "list" }, 0,
		  "CGROUP         ATTACH           FROM  SET HERE\n"
		  "system.slice   siblings         here  siblings; by admin\n"
		  "  web.service  2 (admin-only)   here  2 (admin-only), locked; read: "
		  "2 (admin-only), locked; by admin\n"
		  "user.slice\n"
		  "  dev.scope    3 (no-attach)    here  3 (no-attach), locked; boundary: 1 (on), "
		  "locked; by admin\n", "" },
		{ { "cgroup", "set", "user.slice", "1", "--sticky" }, 0,
		  "user.slice: kernel.yama.ptrace_scope = 1\n", "" },
		{ { "cgroup", "set", "user.slice", "2" }, 0,
		  "user.slice: kernel.yama.ptrace_scope = 2\n", "" },
		{ { "cgroup", "list" }, 0,
		  "CGROUP         ATTACH           FROM  SET HERE\n"
		  "system.slice   siblings         here  siblings; by admin\n"
		  "  web.service  2 (admin-only)   here  2 (admin-only), locked; read: "
		  "2 (admin-only), locked; by admin\n"
		  "user.slice     2 (admin-only)   here  2 (admin-only), sticky; by admin\n"
		  "  dev.scope    3 (no-attach)    here  3 (no-attach), locked; boundary: 1 (on), "
		  "locked; by admin\n", "" },
		{ { "cgroup", "set", "user.slice", "2", "--no-sticky" }, 0,
		  "user.slice: kernel.yama.ptrace_scope = 2\n", "" },
		{ { "cgroup", "release", "--pid", "1" }, 1, "",
		  LINE("the daemon failed: process 1: Invalid argument; see: journalctl -u "
		       "ptracescoped") },
		{ { "cgroup", "set", "odd\\x2d\"'", "2" }, 0,
		  "odd\\x2d\"': kernel.yama.ptrace_scope = 2\n", "" },
		{ { "cgroup", "get", "no.service" }, 1, "",
		  LINE("cgroup 'no.service': there is no such cgroup; a unit has one while it runs, "
		       "and its name has a suffix, such as .service (systemd-cgls lists them); a "
		       "section of ptracescope.conf(5) is for when it starts") },
		{ { "cgroup", "get", "\xff" }, 2, "",
		  LINE("the name of the cgroup is not UTF-8, so it has no place in a call; take "
		       "one above it, or a section of ptracescope.conf(5)") },
		{ { "cgroup", "get", "a\033b" }, 1, "",
		  LINE("cgroup 'a\\x1bb': there is no such cgroup; a unit has one while it runs, "
		       "and its name has a suffix, such as .service (systemd-cgls lists them); a "
		       "section of ptracescope.conf(5) is for when it starts") },
		{ { "cgroup", "get", "--pid", "4194305" }, 1, "",
		  LINE("there is no process 4194305") },
	};
	static const struct run_case floors[] = {
		{ { "detach" }, 3, "",
		  LINE("a floor keeps the programs in force until reboot: cgroup "
		       "system.slice/web.service: attach 2 (admin-only), traceme 2 (admin-only), "
		       "read 2 (admin-only); cgroup user.slice/dev.scope: attach 3 (no-attach), "
		       "traceme 3 (no-attach), boundary 1 (on); to be rid of it: systemctl disable "
		       "ptracescoped, and reboot") },
	};
	struct service s;

	(void)state;
	service_with_tree(&s, paths);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct result result;

		run_against(&s, cases[i].arguments, &result);
		assert_string_equal(result.err, cases[i].err);
		if (cases[i].out)
			assert_string_equal(result.out, cases[i].out);
		assert_int_equal(result.code, cases[i].code);
	}
	s.fake.detach_err = -EACCES;
	check_runs(&s, floors, ARRAY_SIZE(floors));
	service_end(&s);
}

/* The rest of a long list is a number. */
static void test_many_floors(void **state)
{
	json_t *floors = json_array();
	char *text = NULL, *reason;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (unsigned int i = 0; i < 23; i++)
		json_array_append_new(floors, json_pack("{s:o, s:{s:i}}", "path",
							json_sprintf("c%02u", i), "floor", "read", 2));
	assert_non_null(out);
	psc_floors_show(out, floors);
	fclose(out);
	assert_non_null(strstr(text, "cgroup floors: c00: read 2 (admin-only)\n"));
	assert_non_null(strstr(text, "c19: read 2 (admin-only)\n              : and 3 more: "));
	assert_null(strstr(text, "c20"));
	reason = psc_floors_reason(NULL, floors);
	assert_non_null(reason);
	assert_non_null(strstr(reason, "cgroup c19: read 2 (admin-only); and of 3 more cgroups; "));
	free(reason);
	reason = psc_floors_reason(NULL, NULL);
	assert_non_null(strstr(reason, "until reboot: of a cgroup that is gone"));
	free(reason);
	free(text);
	json_decref(floors);
}

/* What psc_ctl may refuse a cgroup with. */
static void test_refusals(void **state)
{
	static const char *const paths[] = { "a", NULL };
	static const char *const set_a[ARGUMENTS_MAX] = { "cgroup", "set", "a", "2" };
	static const struct { int err, code; const char *message; } rows[] = {
		{ -PSC_E_OPNOTSUPP, 1, "the daemon failed: this kernel does not let us see "
		  "processes move, so a cgroup can neither be locked nor be sticky: "
		  "Operation not supported; ptracescopectl doctor tells what this system lacks" },
		{ -PSC_E_NOSPC, 1, "the daemon failed: no cgroup can have a setting besides "
		  "those that have one: No space left on device; unset what other cgroups do not "
		  "need: ptracescopectl cgroup list" },
		{ -PSC_E_NODEV, 1, "cgroup 'a': it is being removed" },
		{ -PSC_E_NAMETOOLONG, 1,
		  "cgroup 'a': it is too many levels below the root cgroup" },
		{ -PSC_E_AGAIN, 0, NULL },	/* it asks again, and all is well */
	};
	struct service s;

	(void)state;
	service_with_tree(&s, paths);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256];
		struct result result;

		s.fake.request_err = rows[i].err;
		run_against(&s, set_a, &result);
		snprintf(line, sizeof(line), LINE("%s"), rows[i].message ?: "");
		assert_string_equal(result.err, rows[i].message ? line : "");
		assert_int_equal(result.code, rows[i].code);
	}
	psc_cgroups_close(&s.fake.cgroups);
	for (int list = 0; list < 2; list++) {
		static const char *const list_all[ARGUMENTS_MAX] = { "cgroup", "list" };
		struct result result;

		run_against(&s, list ? list_all : set_a, &result);
		assert_string_equal(result.err, LINE("no cgroup2 hierarchy is mounted on "
				    "/sys/fs/cgroup or /sys/fs/cgroup/unified"));
		assert_int_equal(result.code, 1);
	}
	service_end(&s);
}

/* In several parts; and names that are no text. */
static void test_long_list(void **state)
{
	static const char *const paths[] = { "x\xff/y", NULL };
	static const char *const list[ARGUMENTS_MAX] = { "cgroup", "list" };
	const unsigned int n = 1000;
	struct result result;
	unsigned int lines = 0;
	char path[32];
	struct service s;

	(void)state;
	service_with_tree(&s, paths);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), i > 1 ? "c%u.scope" : i ? "x\xff" : "x\xff/y", i);
		cgroup_make(&tree, path);
		s.fake.entries[s.fake.n_entries++] = (struct fake_entry){
			.id = cgroup_ino(&s.fake.cgroups, path), .origin = PSC_ORIGIN_RUNTIME,
			.policy = { .scope = { 2, 2, 255, 255 } },
		};
	}
	run_against(&s, list, &result);
	assert_int_equal(result.code, 0);
	for (const char *c = result.out; (c = strchr(c, '\n')); c++)
		lines++;
	/* The buffer of this test is smaller than the list. */
	assert_true(lines > 40);
	assert_null(strchr(result.out, '\xff'));
	assert_non_null(strstr(result.out, "\nc10.scope   2 (admin-only)   here  2 (admin-only); "
			       "by runtime\n"));
	service_end(&s);
}

#define N_LONG 1000		/* more than one answer holds */
#define LONG_ANSWER (1024 * 1024)

static char *call(struct service *s, const char *message, char text[LONG_ANSWER])
{
	int fd = open_client(s);
	size_t len = 0;

	put_message(fd, message);
	/* More than a socket holds comes in pieces. */
	while (!len || text[len - 1]) {
		ssize_t n;

		spin(s);
		n = recv(fd, text + len, LONG_ANSWER - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
	}
	close(fd);
	return text;
}

/* All pages together are all of it, each once, in order. */
static void test_pages(void **state)
{
	static char text[LONG_ANSWER];
	char message[512] = OURS("CgroupList", ""), last[64] = "";
	unsigned int found = 0, pages = 0;
	struct service s;
	bool more = true;

	(void)state;
	service_start(&s, &limits);
	cgroup_tree_new(&tree, &s.fake.cgroups);
	for (unsigned int i = 0; i < N_LONG; i++) {
		char path[32];

		snprintf(path, sizeof(path), "s%u.slice/c%u", i % 3, i);
		cgroup_make(&tree, path);
		s.fake.entries[s.fake.n_entries++] = (struct fake_entry){
			.id = cgroup_ino(&s.fake.cgroups, path),
			.policy = { .scope = { 2, 2, 255, 255 } },
		};
	}
	for (; more; pages++) {
		json_t *reply = json_loads(call(&s, message, text), 0, NULL);
		json_t *parameters = json_object_get(reply, "parameters");
		json_t *cgroup, *next = json_object_get(parameters, "next");
		size_t i;

		assert_int_equal(json_integer_value(json_object_get(parameters, "entries")), N_LONG);
		json_array_foreach(json_object_get(parameters, "cgroups"), i, cgroup) {
			const char *path = json_string_value(json_object_get(cgroup, "path"));

			assert_true(strcmp(path, last) > 0);
			snprintf(last, sizeof(last), "%s", path);
			found++;
		}
		more = next;
		if (more)
			snprintf(message, sizeof(message), OURS("CgroupList", "\"after\":\"%s\""),
				 json_string_value(next));
		json_decref(reply);
	}
	assert_int_equal(found, N_LONG);
	assert_true(pages > 1);
	service_end(&s);
}

#define SET_A(value) \
	OURS("CgroupSet", "\"cgroup\":\"a\",\"name\":" YAMA ",\"value\":" value)

static void test_calls(void **state)
{
	static const struct { const char *call, *part; } rows[] = {
		{ SET_A("4"),
		  "\"origin\":\"admin\"" },
		{ SET_A("2,\"origin\":\"runtime\""),
		  "\"origin\":\"runtime\"" },
		{ OURS("CgroupGet", "\"cgroup\":\"a\""),
		  "\"entry\":{\"attach\":{\"scope\":2,\"floor\":0},"
		  "\"traceme\":{\"scope\":2,\"floor\":0},"
		  "\"read\":{\"floor\":0},\"boundary\":{\"floor\":0}}" },
		{ SET_A("2,\"sticky\":true"), "\"attach\":{\"scope\":2,\"floor\":0,\"sticky\":true}" },
		{ SET_A("2"), "\"attach\":{\"scope\":2,\"floor\":0,\"sticky\":true}" },
		{ SET_A("2,\"sticky\":false"), "\"attach\":{\"scope\":2,\"floor\":0}" },
		{ SET_A("2,\"sticky\":1"), "\"parameter\":\"sticky\"" },
		{ OURS("CgroupSet", "\"cgroup\":\"a\",\"name\":\"kernel.ptracescope.floor\","
		       "\"value\":2,\"sticky\":true"), "\"parameter\":\"sticky\"" },
		{ OURS("CgroupGet", "\"cgroup\":\"a\",\"pid\":1"), "Failed" },
		{ OURS("CgroupGet", "\"cgroup\":\"a\",\"pid\":\"1\""), "\"parameter\":\"pid\"" },
		{ OURS("CgroupRelease", "\"pid\":0"), "\"parameter\":\"pid\"" },
		{ OURS("CgroupRelease", "\"pid\":4294967296"), "\"parameter\":\"pid\"" },
		{ OURS("CgroupRelease", ""), "\"parameter\":\"pid\"" },
		{ OURS("CgroupGet", "\"cgroup\":\"a/b\""),
		  "\"effective\":{\"attach\":{\"scope\":2,\"floor\":0,\"source\":\"a\"}" },
		{ SET_A("2,\"origin\":\"config\""),
		  "InvalidParameter\",\"parameters\":{\"parameter\":\"origin\"" },
		{ SET_A("5"), "OutOfRange" },
		{ SET_A("-1"), "OutOfRange" },
		{ SET_A("4294967298"),
		  "OutOfRange" },
		{ SET_A("255"), "OutOfRange" },
		{ OURS("CgroupSet", "\"cgroup\":\"a\",\"name\":"
		       "\"kernel.ptracescope.cgroup_boundary\",\"value\":4"), "\"maximum\":1" },
		{ OURS("CgroupSet", "\"cgroup\":\"a\",\"name\":\"read_scope\",\"value\":1"),
		  "UnknownName" },
		{ SET_A("2,\"revocable\":true"),
		  "\"parameter\":\"revocable\"" },
		{ SET_A("3,\"revocable\":true,\"lock\":true"),
		  "\"parameter\":\"revocable\"" },
		{ OURS("CgroupGet", "\"cgroup\":\"\\u0000\""), "InvalidParameter" },
		{ OURS("CgroupGet", "\"cgroup\":5"), "\"parameter\":\"cgroup\"" },
		{ OURS("CgroupGet", ""), "\"parameter\":\"cgroup\"" },
		{ OURS("CgroupGet", "\"cgroup\":\"/\""), "\"reason\":\"root\"" },
		{ OURS("CgroupUnset", "\"cgroup\":\"c\""), "\"reason\":\"absent\"" },
		{ OURS("CgroupList", "\"after\":\"6\""), "\"parameter\":\"after\"" },
		{ OURS("CgroupList", "\"after\":\"z=\""), "\"parameter\":\"after\"" },
		{ OURS("CgroupList", "\"after\":\"00\""), "\"parameter\":\"after\"" },
		{ OURS("CgroupList", "\"after\":\"61\""), "\"parameter\":\"after\"" },
		/* behind "zz" */
		{ OURS("CgroupList", "\"after\":\"AQAAAAAAAAAAAAAAAAAAAAB6eg\""),
		  "\"cgroups\":[]" },
		{ OURS("CgroupUnset", "\"cgroup\":\"a\""), "\"path\":\"a\"" },
		{ OURS("CgroupList", ""), "\"entries\":0" },
	};
	static char text[LONG_ANSWER];
	struct service s;

	(void)state;
	service_start(&s, &limits);
	cgroup_tree_new(&tree, &s.fake.cgroups);
	cgroup_make(&tree, "a/b");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strstr(call(&s, rows[i].call, text), rows[i].part))
			fail_msg("%s:\n no %s in %s", rows[i].call, rows[i].part, text);
	/* Reading is free, writing is not. */
	s.fake.capable = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool writes = strstr(rows[i].call, "CgroupSet") ||
			      strstr(rows[i].call, "CgroupUnset") ||
			      strstr(rows[i].call, "CgroupRelease");

		call(&s, rows[i].call, text);
		assert_int_equal(strstr(text, "PermissionDenied") != NULL, writes);
	}
	assert_int_equal(s.fake.n_entries, 0);
	service_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_parse),
		TEST(test_runs),
		TEST(test_many_floors),
		TEST(test_refusals),
		TEST(test_long_list),
		TEST(test_pages),
		TEST(test_calls),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("ctl_cgroup", tests, make_directory, remove_directory);
}
