/* SPDX-License-Identifier: GPL-2.0-or-later */
/* psc_config_load() over trees of configuration files below a directory of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "config.h"
#include "pattern.h"
#include "plan.h"
#include "ptracescope_policy.h"
#include "util.h"

#define YAMA "kernel.yama.ptrace_scope"
#define ATTACH "kernel.ptracescope.attach_scope"
#define TRACEME "kernel.ptracescope.traceme_scope"
#define READ "kernel.ptracescope.read_scope"
#define BOUNDARY "kernel.ptracescope.cgroup_boundary"
#define FLOOR "kernel.ptracescope.floor"
#define OWN "/etc/ptracescope/ptracescope.conf"
#define OWN_D "/etc/ptracescope/conf.d"

struct tree {
	char root[64];
	const char *what;	/* the row of a table, for messages */
	struct psc_config config;
	char *error;
	int err;
	char *log;		/* what the load wrote to stderr */
};

static char *full_path(const struct tree *tree, const char *path)
{
	char *full;

	assert_true(asprintf(&full, "%s%s", tree->root, path) > 0);
	return full;
}

static void make_parents(char *full)
{
	for (char *p = strchr(full + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
}

static void put_bytes(struct tree *tree, const char *path, const void *content, size_t len)
{
	_cleanup_free_ char *full = full_path(tree, path);
	_cleanup_close_ int fd = -1;

	make_parents(full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), (ssize_t)len);
}

static void put(struct tree *tree, const char *path, const char *content)
{
	put_bytes(tree, path, content, strlen(content));
}

static void put_link(struct tree *tree, const char *path, const char *target)
{
	_cleanup_free_ char *full = full_path(tree, path);

	make_parents(full);
	assert_int_equal(symlink(target, full), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void forget_load(struct tree *tree)
{
	psc_config_free(&tree->config);
	free(tree->error);
	tree->error = NULL;
	free(tree->log);
	tree->log = NULL;
}

static void remove_tree(struct tree *tree)
{
	forget_load(tree);
	assert_int_equal(nftw(tree->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_tree(struct tree *tree)
{
	*tree = (struct tree){ .root = "/tmp/psc-test-config.XXXXXX", .what = "" };
	assert_non_null(mkdtemp(tree->root));
	assert_int_equal(chmod(tree->root, 0755), 0);
}

static int setup(void **state)
{
	struct tree *tree = malloc(sizeof(*tree));

	assert_non_null(tree);
	make_tree(tree);
	*state = tree;
	return 0;
}

static int teardown(void **state)
{
	remove_tree(*state);
	free(*state);
	return 0;
}

/* Load with stderr going to a file, since warnings are part of what is promised. */
static void load(struct tree *tree)
{
	_cleanup_fclose_ FILE *log = tmpfile();
	_cleanup_close_ int saved = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(log);
	assert_true(saved >= 0);
	forget_load(tree);
	fflush(stderr);
	assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
	tree->err = psc_config_load(tree->root, &tree->config, &tree->error);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	rewind(log);
	tree->log = calloc(1, 8192);
	assert_non_null(tree->log);
	len = fread(tree->log, 1, 8191, log);
	tree->log[len] = '\0';
}

static void load_ok(struct tree *tree)
{
	load(tree);
	if (tree->err)
		fail_msg("%s: refused: %s", tree->what, tree->error);
	assert_null(tree->error);
}

/* Every part must be in the message; the parts end with NULL. */
static void load_error(struct tree *tree, int err, ...)
{
	const char *part;
	va_list ap;

	load(tree);
	if (!tree->err)
		fail_msg("%s: accepted", tree->what);
	assert_non_null(tree->error);
	assert_int_equal(tree->err, err);
	va_start(ap, err);
	while ((part = va_arg(ap, const char *)))
		if (!strstr(tree->error, part))
			fail_msg("%s: no \"%s\" in: %s", tree->what, part, tree->error);
	va_end(ap);
	assert_null(strchr(tree->error, '\n'));
	assert_null(strstr(tree->error, tree->root));
	/* What gets out of a refused configuration is never final. */
	for (size_t i = 0; i < PSC_NAMES; i++)
		assert_true(tree->config.settings[i].revocable ||
			    !tree->config.settings[i].present);
}

static const struct psc_setting *setting(const struct tree *tree, const char *name)
{
	const struct psc_name *found = psc_name_find(name);

	assert_non_null(found);
	return &tree->config.settings[found - psc_names];
}

static void expect(const struct tree *tree, const char *name, unsigned int value,
		   const char *source)
{
	const struct psc_setting *got = setting(tree, name);

	if (!got->present)
		fail_msg("%s: %s is not set", tree->what, name);
	if (got->value != value || !streq(got->source, source))
		fail_msg("%s: %s is %u, from %s, instead of %u, from %s", tree->what, name,
			 got->value, got->source, value, source);
}

static void expect_unset(const struct tree *tree, const char *name)
{
	const struct psc_setting *got = setting(tree, name);

	if (got->present)
		fail_msg("%s: %s is %u, from %s", tree->what, name, got->value, got->source);
	assert_null(got->source);
}

/* What the settings make of a policy, applied in the order of psc_names[]. */
static union psc_policy applied(const struct tree *tree)
{
	union psc_policy policy = {};
	struct psc_plan plan;
	char *error = NULL;

	if (psc_plan_make(&tree->config, PSC_PLAN_FIRST, policy, &plan, &error))
		fail_msg("%s: no plan: %s", tree->what, error);
	assert_int_equal(psc_policy_change(&policy, &plan.request, NULL), 0);
	return policy;
}

static void test_nothing(void **state)
{
	struct tree *tree = *state;

	load_ok(tree);
	for (size_t i = 0; i < PSC_NAMES; i++)
		expect_unset(tree, psc_names[i].name);
	assert_string_equal(tree->log, "");

	/* Empty directories, and a file where a directory is looked for. */
	put(tree, "/etc/sysctl.d/README", YAMA " = 9\n");
	put(tree, "/usr/lib/sysctl.d", YAMA " = 9\n");
	put(tree, "/etc/ptracescope/conf.d/README", "junk\n");
	load_ok(tree);
	for (size_t i = 0; i < PSC_NAMES; i++)
		expect_unset(tree, psc_names[i].name);
}

enum { UNSET = -1, BAD = -2 };

static const struct {
	const char *text;
	int value;		/* or UNSET, or BAD */
	unsigned int line;	/* of the setting or the error */
	const char *message;	/* in the error or in a warning */
} sysctl_lines[] = {
	/* assignments */
	{ YAMA " = 0\n", 0, 1 },
	{ YAMA " = 1\n", 1, 1 },
	{ YAMA " = 2\n", 2, 1 },
	{ YAMA " = 3\n", 3, 1 },
	{ YAMA "=2", 2, 1 },
	{ "  \t" YAMA "\t=\t2  \n", 2, 1 },
	{ "kernel/yama/ptrace_scope=2\n", 2, 1 },
	{ "kernel.yama/ptrace_scope=2\n", UNSET },
	{ "kernel/yama.ptrace_scope=2\n", UNSET },
	{ "/kernel/yama/ptrace_scope=2\n", 2, 1 },
	{ "kernel//yama/./ptrace_scope/=2\n", 2, 1 },
	{ "kernel..yama.ptrace_scope=2\n", 2, 1 },
	{ "kernel/../kernel/yama/ptrace_scope=2\n", UNSET },
	{ "-" YAMA " = 2\n", 2, 1 },
	{ "- " YAMA " = 2\n", 2, 1 },
	{ "--" YAMA " = 2\n", UNSET },
	{ YAMA " = 1\n" YAMA " = 2\n", 2, 2 },
	{ YAMA " = 2\n" YAMA " = 1\n", 1, 2 },
	/* as the kernel reads numbers */
	{ YAMA " = 0x2\n", 2, 1 },
	{ YAMA " = 02\n", 2, 1 },
	{ YAMA " = -0\n", 0, 1 },
	{ YAMA " = 00000000000000000002\n", 2, 1 },
	{ YAMA " = 000000000000000000002\n", BAD, 1 },
	{ YAMA " = 2 # a comment\n", 2, 1, "a comment needs a line of its own" },
	{ YAMA " = 2\t3\n", 2, 1, "everything after the first number is ignored" },
	{ YAMA " = 2#\n", BAD, 1, "'2#'" },
	{ YAMA " = 4\n", BAD, 1, "'4' is no value for " YAMA ": it must be a number from 0 to 3" },
	{ YAMA " = 08\n", BAD, 1 },
	{ YAMA " = 0b1\n", BAD, 1 },
	{ YAMA " = -1\n", BAD, 1, "'-1'" },
	{ YAMA " = +1\n", BAD, 1, "'+1'" },
	{ YAMA " = 1.\n", BAD, 1 },
	{ YAMA " = 1 \\\n2\n", 1, 1, "everything after" },
	{ YAMA " = \\\n2\n", BAD, 1, "'\\'" },
	{ YAMA " =\n", BAD, 1, "''" },
	{ YAMA " = = 1\n", BAD, 1, "'= 1'" },
	{ YAMA " = 4294967297\n", BAD, 1 },
	{ YAMA " = 18446744073709551617\n", BAD, 1 },
	{ YAMA " = 99999999999999999999999999999\n", BAD, 1 },
	{ YAMA " = \"1\"\n", BAD, 1 },
	{ YAMA " = restricted\n", BAD, 1, "words are not valid in sysctl.d" },
	{ YAMA " = \xc3\xa9\x1b[31m\n", BAD, 1, "'\\xc3\\xa9\\x1b[31m'" },
	{ YAMA " = 9\n" YAMA " = 1\n", BAD, 1 },
	{ "\n\n# x\n; y\n  # z\n" YAMA " = 7\n", BAD, 6 },
	/* comments, other keys, malformed lines */
	{ "", UNSET },
	{ "\n \n\t\n", UNSET },
	{ "#" YAMA " = 9\n;" YAMA " = 9\n  # " YAMA " 9", UNSET },
	{ "kernel.yama.ptrace_scope2 = 9\n", UNSET },
	{ "kernel.yama.ptrace_scop = 9\n", UNSET },
	{ "kernel.yama.ptrace_scope.x = 9\n", UNSET },
	{ "Kernel.yama.ptrace_scope = 9\n", UNSET },
	{ "kernel.yama = 9\n", UNSET },
	{ FLOOR " = 9\n", UNSET, 0, ":1: '" FLOOR "' is ignored" },
	{ "# x\n-kernel/ptracescope/read_scope = 1\n", UNSET, 0, ":2: '" READ "' is ignored: it is no "
	  "setting of the kernel; it must be in " OWN },
	{ "= 1\n=\n-\n-=\n.\n/=/\n[section]\nwhat is this\n", UNSET },
	{ "-kernel\nkernel.yama\n: " YAMA "\n", UNSET },
	/* no "=" */
	{ YAMA " 2\n", BAD, 1, "'=' is missing; write " YAMA " = VALUE" },
	{ YAMA ": 2\n", BAD, 1, "'=' is missing" },
	{ YAMA "\n", BAD, 1, "'=' is missing" },
	{ "kernel/yama/ptrace_scope\t2\n", BAD, 1, "'=' is missing" },
	{ "-" YAMA " 2\n", BAD, 1, "write -" YAMA " = VALUE; or, to keep globs away" },
	{ "-" YAMA " # no\n", BAD, 1, "-" YAMA " alone, as a comment needs a line of its own" },
	/* white space that systemd leaves, and what the kernel makes of it */
	{ YAMA " = \v2\n", 2, 1 },
	{ YAMA " = \xa0\f2\n", 2, 1 },
	{ YAMA " = 2\v\n", BAD, 1, "'2\\x0b'" },
	{ YAMA " = 2\f\n", BAD, 1, "'2\\x0c'" },
	{ "\v" YAMA " = 2\n", UNSET },
	{ YAMA "\f = 2\n", UNSET },
	/* the "-" prefix */
	{ "-" YAMA " = 9\n", UNSET, 0, "'9' is no value" },
	{ YAMA " = 2\n-" YAMA " = 9\n", 2, 1, ":2: '9' is no value" },
	{ "-" YAMA " = no-attach\n" YAMA " = 2\n", 2, 2, "words are not valid" },
	{ "-" YAMA " = 9\n" YAMA " = 9\n", BAD, 2 },
	/* globs */
	{ "kernel.yama.* = 2\n", 2, 1 },
	{ "kernel/yama/* = 2\n", 2, 1 },
	{ "kernel/*/ptrace_scope = 2\n", 2, 1 },
	{ "kernel.*.ptrace_scope = 2\n", 2, 1 },
	{ "*/*/* = 2\n", 2, 1 },
	{ "kernel.yam[ab].ptrace?scope = 2\n", 2, 1 },
	{ "kernel.yam[!a].ptrace_scope = 2\n", UNSET },
	{ "kernel.* = 2\n", UNSET },
	{ "* = 2\n", UNSET },
	{ "kernel.*scope = 2\n", UNSET },
	{ "kernel/*/ptrace.scope = 2\n", UNSET },
	{ "kernel.yam[a.ptrace_scope = 2\n", UNSET },
	/* A separator ends a component, within brackets, too. */
	{ "kernel.yama.ptrace[_.]scope = 2\n", UNSET },
	{ "kernel/yama/ptrace[_/]scope = 2\n", UNSET },
	{ "kernel/yama/ptrace[_.]scope = 2\n", 2, 1 },
	{ "kernel/yama/ptrac\\e_scop? = 2\n", 2, 1 },
	/* braces */
	{ "kernel.{yama,x}.ptrace_scop? = 2\n", 2, 1 },
	{ "kernel.{x,yama}.ptrace_scop? = 2\n", 2, 1 },
	{ "kernel.{x,y{a,b}ma,y{b,a}ma}.ptrace_scop? = 2\n", 2, 1 },
	{ "kernel/yam{a/ptrace_scop?,b} = 2\n", 2, 1 },
	{ "{kernel/yama,x}/ptrace{,_scop?} = 2\n", 2, 1 },
	{ "kernel.yama.ptrace_scop?{} = 2\n", 2, 1 },
	{ "kernel.yama.ptrace_sc[{o}]p? = 2\n", 2, 1 },
	{ "kernel.yama.ptrace_scop[{e] = 2\n", 2, 1 },
	{ "kernel.{x,y}.ptrace_scop? = 2\n", UNSET },
	{ "kernel.{yama.ptrace_scop? = 2\n", UNSET },
	{ "kernel.\\{yama,x}.ptrace_scop? = 2\n", UNSET },
	{ "kernel.{yama,x}.ptrace_scope = 2\n", UNSET, 0, "expands braces only in keys that have '*', "
	  "'?' or '[', too" },
	{ "kernel.{x,y}.ptrace_scope = 2\n", UNSET },
	{ "-kernel.{yama,x}.ptrace_scop?\nkernel.yama.* = 2\n", 2, 2 },
	{ "kernel.{yama,x}.ptrace_scop? = 9\n", BAD, 1, "'9' is no value" },
	{ "net.*.*.rp_filter = on\n", UNSET },
	{ "-kernel.yama.* = 2\n", 2, 1 },
	{ "kernel.yama.* = 9\n", BAD, 1, "'9' is no value" },
	{ "-kernel.yama.* = 9\n", UNSET, 0, "'9' is no value" },
	{ "kernel.yama.* = 2\n-kernel.*.ptrace_scope = 9\n", 2, 1, ":2: '9' is no value" },
	{ "kernel.yama.* = 1\nkernel.*.ptrace_scope = 2\n", 2, 2 },
	{ "kernel.yama.* = 1\nkernel.*.ptrace_scope = 2\nkernel.yama.* = 0\n", 0, 3 },
	/* a repetition keeps the place of the first */
	{ "kernel.yama.* = 1\nkernel.*.ptrace_scope = 2\nkernel.yama.* = 1\n", 2, 2 },
	{ "kernel.yama.* = 1\nkernel.*.ptrace_scope = 2\nkernel/yama/* = 0\n", 0, 3 },
	{ "kernel.yama.* 9\n", UNSET },
	/* an explicit assignment anywhere beats any glob, good or bad */
	{ YAMA " = 1\nkernel.yama.* = 2\n", 1, 1 },
	{ "kernel.yama.* = 2\n" YAMA " = 1\n", 1, 2 },
	{ YAMA " = 1\nkernel.yama.* = 9\n", 1, 1 },
	{ "-" YAMA " = 9\nkernel.yama.* = 2\n", UNSET, 0, "'9' is no value" },
	/* exclusion */
	{ "-" YAMA "\nkernel.yama.* = 2\n", UNSET },
	{ "kernel.yama.* = 9\n-kernel/yama/ptrace_scope\n", UNSET },
	{ "-" YAMA "\n" YAMA " = 1\n", 1, 2 },
	{ YAMA " = 1\n-" YAMA "\n", UNSET },
	{ "-kernel.yama.*\nkernel.*.ptrace_scope = 2\n", 2, 2 },
	{ "kernel.yama.* = 2\n-kernel.yama.*\n", UNSET },
	/* line ends */
	{ "# x\r\n" YAMA " = 2\r\n", 2, 2 },
	{ "# x\r\n\r\n" YAMA " = x\r\n", BAD, 3, "'x'" },
	{ "# x\r" YAMA " = 2\r", 2, 1 },
	{ "\xef\xbb\xbf" YAMA " = 2\n", UNSET },
};

static void test_sysctl_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sysctl_lines); i++) {
		const char *message = sysctl_lines[i].message ? sysctl_lines[i].message : "";
		char where[64];
		struct tree tree;

		make_tree(&tree);
		tree.what = sysctl_lines[i].text;
		put(&tree, "/etc/sysctl.d/10-ptrace.conf", sysctl_lines[i].text);
		snprintf(where, sizeof(where), "/etc/sysctl.d/10-ptrace.conf:%u",
			 sysctl_lines[i].line);
		if (sysctl_lines[i].value == BAD) {
			load_error(&tree, -EINVAL, where, message, NULL);
		} else {
			load_ok(&tree);
			if (sysctl_lines[i].value == UNSET)
				expect_unset(&tree, YAMA);
			else
				expect(&tree, YAMA, (unsigned int)sysctl_lines[i].value, where);
			if (!*message != !*tree.log || !strstr(tree.log, message))
				fail_msg("%s: logged: %s", tree.what, tree.log);
		}
		remove_tree(&tree);
	}
}

static void test_nul_bytes(void **state)
{
	static const char ends_line[] = YAMA " = 2\0" YAMA " = 1\n#\0" YAMA " 3";
	struct tree *tree = *state;

	/* In sysctl.d it ends a line, as for systemd-sysctl. */
	put_bytes(tree, "/etc/sysctl.d/a.conf", ends_line, sizeof(ends_line) - 1);
	load_error(tree, -EINVAL, "/etc/sysctl.d/a.conf:2: '=' is missing", NULL);
	put_bytes(tree, "/etc/sysctl.d/a.conf", ends_line, sizeof(YAMA " = 2\0" YAMA " = 1") - 1);
	load_ok(tree);
	expect(tree, YAMA, 1, "/etc/sysctl.d/a.conf:1");
	put_bytes(tree, "/etc/sysctl.d/a.conf", "\0\0\0\0", 4);
	load_ok(tree);
	expect_unset(tree, YAMA);

	put_bytes(tree, OWN, "\0\0\0\0", 4);
	load_error(tree, -EINVAL, OWN ": has a NUL byte", NULL);
}

static void test_sysctl_order(void **state)
{
	static const char *const dirs[] = { "/lib", "/usr/lib", "/usr/local/lib", "/run", "/etc" };
	struct tree *tree = *state;
	char path[64], source[128], text[64];

	/* A file of a name replaces those of the same name in lesser directories. */
	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/sysctl.d/50-x.conf", dirs[i]);
		snprintf(text, sizeof(text), YAMA " = %u\n", i % 4);
		snprintf(source, sizeof(source), "%s:1", path);
		put(tree, path, text);
		load_ok(tree);
		expect(tree, YAMA, i % 4, source);
	}
	/* The order is that of the names, bytewise, whatever the directory. */
	put(tree, "/usr/lib/sysctl.d/60-y.conf", YAMA " = 3\n");
	load_ok(tree);
	expect(tree, YAMA, 3, "/usr/lib/sysctl.d/60-y.conf:1");
	put(tree, "/lib/sysctl.d/a.conf", YAMA " = 2\n");
	put(tree, "/etc/sysctl.d/Z.conf", YAMA " = 1\n");
	load_ok(tree);
	expect(tree, YAMA, 2, "/lib/sysctl.d/a.conf:1");
	/* An explicit assignment in any file beats a glob in any. */
	put(tree, "/etc/sysctl.d/z.conf", "kernel.yama.* = 0\n");
	load_ok(tree);
	expect(tree, YAMA, 2, "/lib/sysctl.d/a.conf:1");
	/* A replaced file is not looked at. */
	put(tree, "/usr/lib/sysctl.d/50-x.conf", YAMA " = 9\n");
	load_ok(tree);
	put(tree, "/usr/lib/sysctl.d/70-x.conf", YAMA " = 9\n");
	load_error(tree, -EINVAL, "/usr/lib/sysctl.d/70-x.conf:1: '9'", NULL);
}

static void test_sysctl_names(void **state)
{
	static const char *const others[] = {
		"x.conf~", "x.conf.dpkg-old", "x", "conf", "xconf", ".conf", ".x.conf", "x.CONF",
		"x.conf.d/y.conf",
	};
	struct tree *tree = *state;
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(path, sizeof(path), "/etc/sysctl.d/%s", others[i]);
		put(tree, path, YAMA " = 9\n");
	}
	put(tree, "/etc/sysctl.conf", YAMA " = 9\n");
	load_ok(tree);
	expect_unset(tree, YAMA);

	/* As on Debian: sysctl.conf counts where it is linked to. */
	put(tree, "/etc/sysctl.conf", YAMA " = 2\n");
	put_link(tree, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
	load_ok(tree);
	expect(tree, YAMA, 2, "/etc/sysctl.d/99-sysctl.conf:1");
}

static void test_usr_merge(void **state)
{
	struct tree *tree = *state;

	put(tree, "/usr/lib/sysctl.d/a.conf", YAMA " = 1\n");
	put(tree, "/usr/lib/sysctl.d/b.conf", YAMA " = 2\n");
	put_link(tree, "/lib", "usr/lib");
	load_ok(tree);
	expect(tree, YAMA, 2, "/usr/lib/sysctl.d/b.conf:1");
	/* A replacement hides both ways to the file. */
	put(tree, "/run/sysctl.d/b.conf", "");
	load_ok(tree);
	expect(tree, YAMA, 1, "/usr/lib/sysctl.d/a.conf:1");
}

static void test_masking(void **state)
{
	static const char *const targets[] = { "/dev/null", "../../dev/null", "nowhere" };
	struct tree *tree = *state;
	_cleanup_free_ char *mask = full_path(tree, "/etc/sysctl.d/x.conf");

	put(tree, "/usr/lib/sysctl.d/x.conf", YAMA " = 2\n");
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		put_link(tree, "/etc/sysctl.d/x.conf", targets[i]);
		load_ok(tree);
		expect_unset(tree, YAMA);
		assert_int_equal(unlink(mask), 0);
	}
	put(tree, "/etc/sysctl.d/x.conf", "");
	load_ok(tree);
	expect_unset(tree, YAMA);
	assert_int_equal(unlink(mask), 0);
	load_ok(tree);
	expect(tree, YAMA, 2, "/usr/lib/sysctl.d/x.conf:1");

	put_link(tree, OWN, "/dev/null");
	load_ok(tree);
	expect(tree, YAMA, 2, "/usr/lib/sysctl.d/x.conf:1");
}

static void test_large_files(void **state)
{
	const size_t max = 16 * 1024 * 1024, own_max = 1024 * 1024;
	struct tree *tree = *state;
	_cleanup_free_ char *text = malloc(max + 1);

	assert_non_null(text);
	/* One line of the greatest length, then our key without a newline. */
	memset(text, 'x', max + 1);
	memcpy(text + max - strlen("\n" YAMA "=2"), "\n" YAMA "=2", strlen("\n" YAMA "=2"));
	put_bytes(tree, "/etc/sysctl.d/x.conf", text, max);
	load_ok(tree);
	expect(tree, YAMA, 2, "/etc/sysctl.d/x.conf:2");
	put_bytes(tree, "/etc/sysctl.d/x.conf", text, max + 1);
	load_error(tree, -EFBIG, "/etc/sysctl.d/x.conf: is larger than 16777216 bytes", NULL);
	put_bytes(tree, "/etc/sysctl.d/x.conf", text + max - 64, 64);
	put_bytes(tree, OWN, text, own_max + 1);
	load_error(tree, -EFBIG, OWN ": is larger than 1048576 bytes", NULL);
	expect(tree, ATTACH, 2, "/etc/sysctl.d/x.conf:2");
	put(tree, OWN, "");

	/* A long value is cut in the message; a long glob does no harm. */
	memcpy(text, YAMA "=", strlen(YAMA "="));
	text[max] = '\0';
	put(tree, "/etc/sysctl.d/x.conf", text);
	load_error(tree, -EINVAL, "/etc/sysctl.d/x.conf:1: 'xxxx", "x...' is no value", NULL);
	assert_true(strlen(tree->error) < 512);
	memset(text, '*', max - 2);
	memcpy(text + max - 2, "=9", 2);
	put(tree, "/etc/sysctl.d/x.conf", text);
	load_ok(tree);
	/* Nor do braces without end, whatever glob(3) would make of them. */
	memset(text, 'x', max - 2);
	for (size_t i = 0; i < 3000; i += 5)
		memcpy(text + i, "{a,b}", 5);
	text[2999] = '?';
	put_bytes(tree, "/etc/sysctl.d/x.conf", text, 3000);
	load_ok(tree);
	memcpy(text + 3000, "=2", 3);
	put(tree, "/etc/sysctl.d/x.conf", text);
	load_error(tree, -E2BIG, "/etc/sysctl.d/x.conf:1: the braces of the key stand for more", NULL);
	memset(text, 'x', max - 2);
	memcpy(text, "{a,b}?", 6);
	memcpy(text + max - 2, "=2", 3);
	put(tree, "/etc/sysctl.d/x.conf", text);
	load_error(tree, -E2BIG, "/etc/sysctl.d/x.conf:1: the braces", NULL);
	memset(text, '[', max - 2);
	put(tree, "/etc/sysctl.d/x.conf", text);
	load_ok(tree);
	expect_unset(tree, YAMA);
}

static void make_fifo(struct tree *tree, const char *path)
{
	_cleanup_free_ char *full = full_path(tree, path);

	make_parents(full);
	assert_int_equal(mkfifo(full, 0644), 0);
}

static void test_irregular_files(void **state)
{
	static const char *const paths[] = {
		"/usr/lib/sysctl.d/x.conf", OWN, OWN_D "/x.conf",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct tree tree;
		char inside[128];

		make_tree(&tree);
		make_fifo(&tree, paths[i]);
		load_error(&tree, -EINVAL, paths[i], "is no regular file", NULL);
		remove_tree(&tree);

		make_tree(&tree);
		put_link(&tree, paths[i], "/dev/zero");
		load_error(&tree, -EINVAL, paths[i], "is no regular file", NULL);
		remove_tree(&tree);

		make_tree(&tree);
		snprintf(inside, sizeof(inside), "%s/y", paths[i]);
		put(&tree, inside, YAMA " = 1\n");
		load_error(&tree, -EISDIR, paths[i], "is no regular file", NULL);
		remove_tree(&tree);

		make_tree(&tree);
		put_link(&tree, paths[i], strrchr(paths[i], '/') + 1);
		load_error(&tree, -ELOOP, paths[i], "cannot be read, so it is not known", NULL);
		remove_tree(&tree);
	}
}

/* Without privileges, whoever runs the test. */
static void load_as_nobody(struct tree *tree, const char *what)
{
	uid_t uid = geteuid();

	if (uid == 0)
		assert_int_equal(seteuid(65534), 0);
	load_error(tree, -EACCES, what, "cannot be read, so it is not known what it sets", NULL);
	if (uid == 0)
		assert_int_equal(seteuid(0), 0);
}

static void test_unreadable(void **state)
{
	struct tree *tree = *state;
	_cleanup_free_ char *file = full_path(tree, "/etc/sysctl.d/x.conf");
	_cleanup_free_ char *dir = full_path(tree, "/etc/sysctl.d");

	put(tree, "/etc/sysctl.d/x.conf", YAMA " = 2\n");
	assert_int_equal(chmod(file, 0), 0);
	load_as_nobody(tree, "/etc/sysctl.d/x.conf: ");
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(chmod(dir, 0), 0);
	load_as_nobody(tree, "/etc/sysctl.d: ");
	assert_int_equal(chmod(dir, 0755), 0);
	load_ok(tree);
	expect(tree, YAMA, 2, "/etc/sysctl.d/x.conf:1");
}

static const struct {
	const char *text;
	const char *name;	/* NULL: refused */
	unsigned int value, line;
	const char *message;
} own_lines[] = {
	{ YAMA " = 2\n", YAMA, 2, 1 },
	{ YAMA "=admin-only", YAMA, 2, 1 },
	{ "\t" ATTACH "\t=\tclassic\t\n", ATTACH, 0, 1 },
	{ "# x\n; y\n\n" TRACEME " = no-attach\r\n", TRACEME, 3, 4 },
	{ READ " = 1\n", READ, 1, 1 },
	{ FLOOR " = restricted\n", FLOOR, 1, 1 },
	{ FLOOR " = 0\n", FLOOR, 0, 1 },
	{ "kernel.yama.ptrace_scop = 1\n", NULL, 0, 1, "unknown name 'kernel.yama.ptrace_scop'; "
	  "known are " YAMA ", " ATTACH ", " TRACEME ", " READ ", "
	  BOUNDARY ", " FLOOR },
	{ "kernel/yama/ptrace_scope = 1\n", NULL, 0, 1, "unknown name" },
	{ "-" YAMA " = 1\n", NULL, 0, 1, "unknown name '-" YAMA "'" },
	{ "kernel.yama.* = 1\n", NULL, 0, 1, "unknown name" },
	{ " = 1\n", NULL, 0, 1, "unknown name ''" },
	{ "\xef\xbb\xbf" YAMA " = 2\n", NULL, 0, 1, "unknown name '\\xef\\xbb\\xbfkernel" },
	{ "\n" YAMA "\n", NULL, 0, 2, "'=' is missing in '" YAMA "'; write NAME = VALUE" },
	{ YAMA " 2\n", NULL, 0, 1, "'=' is missing" },
	{ "-" YAMA "\n", NULL, 0, 1, "'=' is missing" },
	{ YAMA " = siblings\n", NULL, 0, 1, "'siblings' is no value for " YAMA "; it must be one of "
	  "0 (classic), 1 (restricted), 2 (admin-only), 3 (no-attach); that one is for cgroups, in a "
	  "section" },
	{ BOUNDARY " = on\n", BOUNDARY, 1, 1 },
	{ BOUNDARY " = 0\n", BOUNDARY, 0, 1 },
	{ BOUNDARY " = 2\n", NULL, 0, 1, "'2' is no value for " BOUNDARY "; it must be one of "
	  "0 (off), 1 (on)" },

	{ "lockdown = on\n", NULL, 0, 1, "'on' is no value for lockdown; it must be integrity or none" },
	{ "lockdown\n", NULL, 0, 1, "'=' is missing in 'lockdown'" },
	{ "lockdown = none\n\nlockdown = integrity\n", NULL, 0, 3, "lockdown has been set in line 1 "
	  "already; remove one of the two" },
	{ YAMA " = 1\nlockdown = integrity\n", YAMA, 1, 1 },

	/* sections */
	{ "[a]\nlockdown = none\n", NULL, 0, 2, "lockdown is the whole system's; put it before the "
	  "first section" },
	{ "sticky = yes\n", NULL, 0, 1, "sticky is for cgroups; put it into a section" },
	{ "[a]\nsticky = 1\n", NULL, 0, 2, "'1' is no value for sticky; it must be yes or no" },
	{ "[a]\nsticky = no\n\nsticky = yes\n", NULL, 0, 4, "sticky has been set in line 2 "
	  "already; remove one of the two" },
	{ YAMA " = 1\n[a.service]\nsticky = no\n[b.service]\nsticky = yes\n" YAMA " = 2\n", YAMA, 1, 1 },
	{ YAMA " = 1\n[a.service]\n" YAMA " = 2\n", YAMA, 1, 1 },
	{ "[\n", NULL, 0, 1, "']' is missing at the end of '['; write [CGROUP]" },
	{ "[a\n", NULL, 0, 1, "']' is missing" },
	{ "[a] b\n", NULL, 0, 1, "']' is missing" },
	{ "[]\n", NULL, 0, 1, "'[]' is for no cgroup; it takes the name of a unit, or a path below "
	  "the root cgroup without '.' and '..'" },
	{ "[/]\n", NULL, 0, 1, "'[/]' is for no cgroup" },
	{ "[-.slice]\n", NULL, 0, 1, "'[-.slice]' is for no cgroup" },
	{ "[a/../b]\n", NULL, 0, 1, "'[a/../b]' is for no cgroup" },
	{ "[./a]\n", NULL, 0, 1, "is for no cgroup" },
	{ "[a]\n" YAMA "\n", NULL, 0, 2, "'=' is missing" },
	{ "[a]\nscope = 1\n", NULL, 0, 2, "unknown name 'scope'" },
	{ "[a]\n" YAMA " = 1\n" YAMA " = 1\n", NULL, 0, 3, "has been set in line 2 already" },
	{ "[a]\n" YAMA " = 4\n", NULL, 0, 2, "it must be one of 0 (classic), 1 (restricted), "
	  "2 (admin-only), 3 (no-attach), siblings" },
	{ "[a]\n" BOUNDARY " = siblings\n", NULL, 0, 2, "it must be one of 0 (off), 1 (on)" },
	{ YAMA " = 4\n", NULL, 0, 1, "'4' is no value for " YAMA "; it must be one of "
	  "0 (classic), 1 (restricted), 2 (admin-only), 3 (no-attach)" },
	{ YAMA " = Classic\n", NULL, 0, 1, "'Classic' is no value" },
	{ YAMA " = none\n", NULL, 0, 1, "'none' is no value" },
	{ YAMA " = -1\n", NULL, 0, 1, "'-1' is no value" },
	{ YAMA " = 0x1\n", NULL, 0, 1, "'0x1' is no value" },
	{ YAMA " = 01\n", NULL, 0, 1, "'01' is no value" },
	{ BOUNDARY " = 00\n", NULL, 0, 1, "'00' is no value" },
	{ YAMA " = 2\v\n", NULL, 0, 1, "'2\\x0b' is no value" },
	{ YAMA " =\n", NULL, 0, 1, "'' is no value" },
	{ YAMA " = 1 # why\n", NULL, 0, 1, "a comment needs a line of its own" },
	{ YAMA " = 1\n\n" YAMA " = 1\n", NULL, 0, 3, YAMA " has been set in line 1 already" },
};

static void test_own_lines(void **state)
{
	static const char *const paths[] = { OWN, OWN_D "/x.conf" };
	(void)state;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(own_lines); i++) {
		const char *path = paths[i % 2];
		size_t row = i / 2;
		struct tree tree;
		char where[64];

		make_tree(&tree);
		tree.what = own_lines[row].text;
		put(&tree, path, own_lines[row].text);
		snprintf(where, sizeof(where), "%s:%u", path, own_lines[row].line);
		if (own_lines[row].name) {
			load_ok(&tree);
			expect(&tree, own_lines[row].name, own_lines[row].value, where);
			for (size_t j = 0; j < PSC_NAMES; j++)
				if (!streq(psc_names[j].name, own_lines[row].name))
					expect_unset(&tree, psc_names[j].name);
		} else {
			load_error(&tree, -EINVAL, where, own_lines[row].message, NULL);
		}
		assert_string_equal(tree.log, "");
		remove_tree(&tree);
	}
}

static void expect_applied(const struct tree *tree, int attach, int traceme, int read_scope)
{
	union psc_policy policy = applied(tree);

	assert_int_equal(policy.scope[PSC_MODE_ATTACH], attach);
	assert_int_equal(policy.scope[PSC_MODE_TRACEME], traceme);
	assert_int_equal(policy.scope[PSC_MODE_READ], read_scope);
}

static void test_merge(void **state)
{
	struct tree *tree = *state;

	put(tree, "/etc/sysctl.d/10-ptrace.conf", YAMA " = 2\n");
	put(tree, OWN, ATTACH " = 1\n" READ " = 1\n" FLOOR " = 2\n");
	load_ok(tree);
	expect(tree, YAMA, 2, "/etc/sysctl.d/10-ptrace.conf:1");
	expect(tree, ATTACH, 1, OWN ":1");
	expect(tree, READ, 1, OWN ":2");
	expect(tree, FLOOR, 2, OWN ":3");
	expect_applied(tree, 2, 2, 1);

	/* The later, broader one wins over the narrower; others are left alone. */
	put(tree, OWN_D "/50-a.conf", YAMA " = 0\n");
	load_ok(tree);
	expect(tree, YAMA, 0, OWN_D "/50-a.conf:1");
	expect_unset(tree, ATTACH);
	expect(tree, READ, 1, OWN ":2");
	expect(tree, FLOOR, 2, OWN ":3");
	expect_applied(tree, 2, 2, 1);

	/* conf.d by name; the last floor counts, also when it is lower. */
	put(tree, OWN_D "/60-b.conf", TRACEME " = 3\n" FLOOR " = 1\n");
	put(tree, OWN_D "/40-c.conf", TRACEME " = 1\n" FLOOR " = 3\n");
	load_ok(tree);
	expect(tree, TRACEME, 3, OWN_D "/60-b.conf:1");
	expect(tree, FLOOR, 1, OWN_D "/60-b.conf:2");
	expect_applied(tree, 1, 3, 1);

	/* Within one file as well. */
	put(tree, OWN_D "/70-d.conf", ATTACH " = 3\n" YAMA " = 1\n" TRACEME " = 2\n");
	load_ok(tree);
	expect_unset(tree, ATTACH);
	expect_applied(tree, 1, 2, 1);

	/* What is final, as nothing stands against it: the narrower one is not locked by the broader. */
	put(tree, OWN_D "/70-d.conf", YAMA " = 3\n" TRACEME " = 2\n");
	load_ok(tree);
	expect_applied(tree, 3, 2, 1);
	put(tree, OWN_D "/70-d.conf", YAMA " = 3\n" TRACEME " = 2\n" ATTACH " = 1\n");
	load_ok(tree);
	expect_applied(tree, 1, 2, 1);
	put(tree, OWN_D "/70-d.conf", ATTACH " = 3\n" YAMA " = 1\n" TRACEME " = 2\n");

	/* sysctl.d comes first, whatever its file is called. */
	put(tree, "/etc/sysctl.d/99-zz.conf", YAMA " = 3\n");
	load_ok(tree);
	expect(tree, YAMA, 1, OWN_D "/70-d.conf:2");

	/* One bad line anywhere refuses everything. */
	put(tree, OWN_D "/00-e.conf", "\nbad\n");
	load_error(tree, -EINVAL, OWN_D "/00-e.conf:2: ", NULL);
}

#define BAD_LINE "nonsense\n"

/* Files with errors, and the strictest of what can be read: attach, traceme, read, boundary. */
static const struct {
	const char *what;
	struct { const char *path, *text; } files[4];	/* NULL for a text: a directory */
	int policy[4];
	const char *errors;
} wrong[] = {
	{ "nothing is readable", { { OWN, BAD_LINE } }, { 1, 1, 0, 0 }, OWN ":1: '=' is missing" },
	{ "a wrong line of a foreign file", {
		{ "/etc/sysctl.d/99-admin.conf", YAMA " = 2\n" },
		{ "/etc/sysctl.d/10-x.conf", YAMA " = 5\n" } }, { 2, 2, 0, 0 },
	  "/etc/sysctl.d/10-x.conf:1: '5'" },
	{ "a bare key", {
		{ "/etc/sysctl.d/99-admin.conf", YAMA " = 2\n" },
		{ "/etc/sysctl.d/10-x.conf", YAMA "\n" } }, { 2, 2, 0, 0 },
	  "/etc/sysctl.d/10-x.conf:1: '=' is missing" },
	{ "a directory", {
		{ "/etc/sysctl.d/99-admin.conf", YAMA " = 2\n" },
		{ "/etc/sysctl.d/50-b.conf", NULL } }, { 2, 2, 0, 0 }, "50-b.conf: is no regular file" },
	{ "a directory of ours", {
		{ "/etc/sysctl.d/99-admin.conf", YAMA " = 2\n" },
		{ OWN_D "/x.conf", NULL } }, { 2, 2, 0, 0 }, OWN_D "/x.conf: is no regular file" },
	{ "no less than the default", {
		{ OWN, YAMA " = 0\n" READ " = 0\n" BAD_LINE } }, { 1, 1, 0, 0 }, OWN ":3: " },
	{ "a typo", { { OWN, YAMA " = adminonly\n" } }, { 1, 1, 0, 0 }, "'adminonly' is no value" },
	{ "an earlier line", {
		{ OWN, YAMA " = 3\n" BAD_LINE }, { OWN_D "/a.conf", YAMA " = 0\n" } },
	  { 3, 3, 0, 0 }, OWN ":2: " },
	{ "a later one, which is the wrong one", {
		{ OWN, ATTACH " = 1\n" TRACEME " = 2\n" ATTACH " = 3\n" } }, { 3, 2, 0, 0 },
	  OWN ":3: " ATTACH " has been set in line 1" },
	{ "each mode by itself", {
		{ OWN, READ " = 2\n" BOUNDARY " = on\n" TRACEME " = 2\n" BAD_LINE },
		{ OWN_D "/a.conf", READ " = 1\n" BOUNDARY " = off\n" YAMA " = 1\n" } },
	  { 1, 2, 2, 1 }, OWN ":4: " },
	{ "a floor counts as a scope", { { OWN, FLOOR " = 2\n" BAD_LINE } }, { 2, 2, 0, 0 }, OWN ":2: " },
	{ "a repetition in one file, and globs", {
		{ "/etc/sysctl.d/a.conf", "kernel.yama.* = 2\n" YAMA " = 1\n" YAMA " = 0\n" },
		{ OWN, BAD_LINE } }, { 2, 2, 0, 0 }, OWN ":1: " },
	{ "what is for cgroups is not for all", {
		{ OWN, "[a]\n" YAMA " = 3\n[b\n" YAMA " = 2\n" } }, { 1, 1, 0, 0 }, OWN ":3: ']' is" },
	{ "all errors are told", {
		{ "/etc/sysctl.d/a.conf", YAMA " = 8\n" YAMA "\n" },
		{ "/etc/sysctl.d/b.conf", NULL },
		{ OWN, "x\n[\ny = 1\nlockdown = x\n" YAMA " = x\n" },
		{ OWN_D "/a.conf", YAMA " = 9\n" } }, { 1, 1, 0, 0 },
	  "/etc/sysctl.d/a.conf:1: '8' is no value for " YAMA ": it must be a number from 0 to 3\n"
	  "/etc/sysctl.d/a.conf:2: '=' is missing; write " YAMA " = VALUE, with a VALUE from 0 to 3\n"
	  "/etc/sysctl.d/b.conf: is no regular file; remove it, or link it to /dev/null\n"
	  OWN ":1: '=' is missing in 'x'; write NAME = VALUE\n"
	  OWN ":2: ']' is missing at the end of '['; write [CGROUP]\n"
	  OWN ":3: unknown name 'y'" },
	/* the kernel command line */
	{ "a value on the command line", {
		{ "/proc/cmdline", "quiet sysctl." YAMA "=2\n" }, { OWN, BAD_LINE } },
	  { 2, 2, 0, 0 }, OWN ":1: " },
	{ "a bad one", { { "/proc/cmdline", "sysctl." YAMA "=2 sysctl." YAMA "=admin\n" } },
	  { 2, 2, 0, 0 }, "/proc/cmdline:1: 'admin' is no value for sysctl." YAMA },
};

static void test_strictest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct psc_config config = {};
		union psc_policy policy = {};
		struct psc_plan plan;
		struct tree tree;
		char *error = NULL;

		make_tree(&tree);
		for (size_t j = 0; j < ARRAY_SIZE(wrong[i].files) && wrong[i].files[j].path; j++) {
			_cleanup_free_ char *full = full_path(&tree, wrong[i].files[j].path);

			make_parents(full);
			if (wrong[i].files[j].text)
				put(&tree, wrong[i].files[j].path, wrong[i].files[j].text);
			else
				assert_int_equal(mkdir(full, 0755), 0);
		}
		if (!psc_plan_first(tree.root, &config, &plan, &error))
			fail_msg("%s: accepted", wrong[i].what);
		if (!strstr(error, wrong[i].errors))
			fail_msg("%s: %s", wrong[i].what, error);
		assert_int_equal(psc_policy_change(&policy, &plan.request, NULL), 0);
		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
			if (policy.scope[mode] != wrong[i].policy[mode] || policy.floor[mode])
				fail_msg("%s: mode %u: %u, floor %u", wrong[i].what, mode,
					 policy.scope[mode], policy.floor[mode]);
		psc_config_free(&config);
		free(error);
		remove_tree(&tree);
	}
}

/* What a cgroup gets of sections beside an error; 255: nothing. */
static const struct {
	const char *text, *cgroup;
	unsigned int global;
	int attach, traceme, boundary;
} wrong_sections[] = {
	{ "[a]\n" YAMA " = 2\n", "a", 1, 2, 2, 255 },
	{ "[a]\n" YAMA " = 2\n", "a", 2, 255, 255, 255 },
	{ "[a]\n" YAMA " = 0\n", "a", 1, 255, 255, 255 },
	{ "[a]\n" YAMA " = siblings\n", "a", 1, 255, 255, 255 },
	{ "[a]\n" YAMA " = siblings\n", "a", 0, 4, 4, 255 },
	{ "[a]\n" YAMA " = 3\n", "a", 1, 3, 3, 255 },
	{ "[a]\n" YAMA " = 3\n[*]\n" YAMA " = 2\n", "a", 1, 3, 3, 255 },
	{ "[*]\n" YAMA " = 2\n[a]\n" YAMA " = 1\n" TRACEME " = 3\n", "a", 1, 2, 3, 255 },
	{ "[a]\n" ATTACH " = 3\n" BOUNDARY " = 1\n[a]\n" YAMA " = 2\n" BOUNDARY " = off\n",
	  "a", 1, 3, 2, 1 },
	{ "[a]\n" "kernel.ptracescope.floor = 2\n", "a", 1, 2, 2, 255 },
	{ "[a\n" YAMA " = 3\n", "a", 1, 255, 255, 255 },
};

static void test_strictest_sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong_sections); i++) {
		unsigned int global = wrong_sections[i].global;
		const union psc_policy policy = { .scope = { global, global } };
		struct psc_setting settings[PSC_NAMES];
		int got[PSC_MODE_SLOTS] = { 255, 255, 255, 255 };
		struct tree tree;

		make_tree(&tree);
		tree.what = wrong_sections[i].text;
		put(&tree, OWN, BAD_LINE);
		put(&tree, OWN_D "/x.conf", wrong_sections[i].text);
		load(&tree);
		assert_true(tree.err);
		psc_config_keep_stricter(&tree.config, &policy);
		psc_config_for_cgroup(&tree.config, wrong_sections[i].cgroup, settings);
		for (size_t j = 0; j < PSC_NAMES; j++) {
			assert_true(settings[j].present == settings[j].revocable);
			if (settings[j].present)
				got[psc_names[j].mode] = (int)settings[j].value;
		}
		if (got[PSC_MODE_ATTACH] != wrong_sections[i].attach ||
		    got[PSC_MODE_TRACEME] != wrong_sections[i].traceme ||
		    got[PSC_MODE_BOUNDARY] != wrong_sections[i].boundary)
			fail_msg("%s: %d, %d, %d", tree.what, got[0], got[1], got[3]);
		remove_tree(&tree);
	}
}

/* What of a cgroup's settings sticks, beside an error, too. */
static void test_sticky(void **state)
{
	static const struct { const char *text; bool sticky; } rows[] = {
		{ "[a]\n" YAMA " = 2\n", false },
		{ "[a]\n" YAMA " = 2\nsticky = yes\n", true },
		{ "[a]\nsticky = no\n" YAMA " = 2\n", false },
		{ "[a]\nsticky = yes\n[*]\n" YAMA " = 2\n", false },
		{ "[*]\n" YAMA " = 1\nsticky = yes\n[a]\n" YAMA " = 2\n", false },
		{ "[*]\n" YAMA " = 1\n[a]\n" YAMA " = 2\nsticky = yes\n", true },
		{ "[a]\n" YAMA " = 2\nsticky = yes\nsticky = x\n", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct psc_setting settings[PSC_NAMES];
		struct tree tree;

		make_tree(&tree);
		tree.what = rows[i].text;
		put(&tree, OWN, rows[i].text);
		load(&tree);
		psc_config_for_cgroup(&tree.config, "a", settings);
		if ((psc_settings_sticky(settings) & 1) != rows[i].sticky)
			fail_msg("%s", rows[i].text);
		remove_tree(&tree);
	}
}

/* What a section's name becomes, and whether there is a hint. */
static void test_section_names(void **state)
{
	static const struct {
		const char *name, *pattern;
		bool hint;
	} rows[] = {
		{ "app.service", "app.service", false },
		{ "app", "app", true },
		{ "/app", "/app", false },
		{ "app*", "app*", false },
		{ "machine.slice/*", "machine.slice/*", false },
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];

		snprintf(text, sizeof(text), "\n[%s]\n" YAMA " = 1\n", rows[i].name);
		put(tree, OWN, text);
		load_ok(tree);
		assert_int_equal(tree->config.n_sections, 1);
		assert_string_equal(tree->config.sections[0].pattern, rows[i].pattern);
		assert_string_equal(tree->config.sections[0].source, OWN ":2");
		if (!strstr(tree->log, OWN ":2: the section is for cgroups called just that") ==
		    rows[i].hint)
			fail_msg("%s: %s", rows[i].name, tree->log);
	}
}

static void test_many_errors(void **state)
{
	struct tree *tree = *state;
	char text[5000] = "";
	size_t lines = 1;

	for (size_t i = 0; i < 100; i++)
		strcat(text, BAD_LINE);
	put(tree, OWN, text);
	load(tree);
	assert_int_equal(tree->err, -EINVAL);
	for (const char *c = tree->error; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 33);
	assert_non_null(strstr(tree->error, "\nand 68 more errors"));
}

static const struct {
	const char *cmdline;
	int value;		/* or UNSET */
} command_lines[] = {
	{ "quiet sysctl." YAMA "=2 x\n", 2 },
	{ "sysctl." YAMA "=2", 2 },
	{ "sysctl/kernel/yama/ptrace_scope=2", 2 },
	{ "sysctl.kernel/yama.ptrace_scope=0x2", 2 },
	{ "\"sysctl." YAMA "=2 x\"", 2 },
	{ "sysctl." YAMA "=\"2\"", 2 },
	{ "a=\"x sysctl." YAMA "=2\"", UNSET },
	{ "sysctl." YAMA "=2 sysctl." YAMA "=1", 1 },
	{ "sysctl." YAMA "=1 -- sysctl." YAMA "=2", 1 },
	{ "sysctl.kernel.yama.* =2 sysctl." YAMA "x=2 xsysctl." YAMA "=2", UNSET },
	{ YAMA "=2 sysctl.kernel.yama.ptrace-scope=2", UNSET },
	{ "", UNSET },
	{ "=\n\"\"= \"", UNSET },
};

static void test_command_line(void **state)
{
	struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(command_lines); i++) {
		tree->what = command_lines[i].cmdline;
		put(tree, "/proc/cmdline", command_lines[i].cmdline);
		load_ok(tree);
		if (command_lines[i].value == UNSET)
			expect_unset(tree, YAMA);
		else
			expect(tree, YAMA, (unsigned int)command_lines[i].value, "/proc/cmdline:1");
	}
	/* Files come later, whatever they are called. */
	put(tree, "/proc/cmdline", "sysctl." YAMA "=2");
	put(tree, "/usr/lib/sysctl.d/00-x.conf", YAMA " = 1\n");
	load_ok(tree);
	expect(tree, YAMA, 1, "/usr/lib/sysctl.d/00-x.conf:1");
	/* What is wrong there can be mended before the next boot. */
	put(tree, "/proc/cmdline", "sysctl." YAMA "=5 sysctl." YAMA);
	load_ok(tree);
	expect(tree, YAMA, 1, "/usr/lib/sysctl.d/00-x.conf:1");
	assert_non_null(strstr(tree->log, "/proc/cmdline:1: '5' is no value"));
	put(tree, "/usr/lib/sysctl.d/00-x.conf", "-" YAMA "\n");
	load_error(tree, -EINVAL, "/proc/cmdline:1: '5'", "set " YAMA " in a file", NULL);
}

/* Of our own files, what cannot be read is not the same as what is not there. */
static void test_own_absent(void **state)
{
	struct tree *tree = *state;
	_cleanup_free_ char *own = full_path(tree, OWN), *own_d = full_path(tree, OWN_D);

	put(tree, OWN_D, YAMA " = 2\n");
	load_error(tree, -ENOTDIR, OWN_D ": is no directory", NULL);
	assert_int_equal(unlink(own_d), 0);
	put_link(tree, OWN_D, "nowhere");
	load_error(tree, -ENOTDIR, OWN_D ": is no directory", NULL);
	assert_int_equal(unlink(own_d), 0);
	put_link(tree, OWN_D, "/dev/null");
	put_link(tree, OWN, "/dev/null");
	load_ok(tree);
	assert_int_equal(unlink(own_d), 0);
	assert_int_equal(unlink(own), 0);
	put_link(tree, OWN, "nowhere");
	load_error(tree, -ENOENT, OWN ": is a link to a file that does not exist", NULL);
	assert_int_equal(unlink(own), 0);
	put_link(tree, OWN_D "/x.conf", "/nowhere/at/all");
	load_error(tree, -ENOENT, OWN_D "/x.conf: is a link to a file", NULL);
}

static uint64_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33);
}

/* Damage a text in up to four places; it stays in a buffer of @size bytes. */
static size_t mutate(char *text, size_t len, size_t size)
{
	static const char bytes[] = "\0\n\r\t =-.#;/*?[]\\:0123x\x80\xff";

	for (uint32_t n = next_random() % 5; n; n--) {
		size_t at = len ? next_random() % len : 0;
		char byte = bytes[next_random() % (sizeof(bytes) - 1)];

		switch (next_random() % 4) {
		case 0:
			if (len)
				text[at] = byte;
			break;
		case 1:
			if (len < size) {
				memmove(text + at + 1, text + at, len - at);
				text[at] = byte;
				len++;
			}
			break;
		case 2:
			len = at;
			break;
		default:
			if (2 * (len - at) < size - at) {
				memcpy(text + len, text + at, len - at);
				len += len - at;
			}
		}
	}
	return len;
}

static void test_mutations(void **state)
{
	static const char *const texts[][2] = {
		{ "/etc/sysctl.d/a.conf", "# x\n-" YAMA " = 1\nkernel/yama/* = 2\r\n-" YAMA "\n" },
		{ "/run/sysctl.d/b.conf", YAMA " = 0x2 # y\nnet.*.x = 1\nkernel.*.ptrace_scope=3" },
		{ OWN, "# x\n" YAMA " = admin-only\n" FLOOR " = 1\n\n; z\n" ATTACH " = 1\n" },
		{ OWN_D "/c.conf", READ "=restricted\n" TRACEME "=0\n" },
	};
	unsigned int accepted = 0, rounds = 2000;
	struct tree *tree = *state;

	random_state = 20240611;
	print_message("seed %llu\n", (unsigned long long)random_state);
	for (unsigned int i = 0; i < rounds; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
			char text[1024];
			size_t len = strlen(texts[j][1]);

			memcpy(text, texts[j][1], len);
			if (next_random() % 4 == 0)
				len = mutate(text, len, sizeof(text));
			put_bytes(tree, texts[j][0], text, len);
		}
		load(tree);
		accepted += !tree->err;
		if (tree->err) {
			assert_int_equal(tree->err, -EINVAL);
			assert_non_null(tree->error);
			assert_int_equal(tree->error[0], '/');
			for (const char *p = tree->error; *p; p++)
				assert_true((*p >= ' ' && *p <= '~') || *p == '\n');
			for (size_t j = 0; j < PSC_NAMES; j++)
				assert_true(tree->config.settings[j].revocable ||
					    !tree->config.settings[j].present);
			continue;
		}
		for (size_t j = 0; j < PSC_NAMES; j++) {
			const struct psc_setting *s = &tree->config.settings[j];

			assert_true(s->present == !!s->source);
			assert_true(s->value <= PSC_SCOPE_MAX);
		}
	}
	/* Both outcomes have been seen, so the mutations are of the right strength. */
	print_message("%u of %u accepted\n", accepted, rounds);
	assert_true(accepted > rounds / 10 && accepted < rounds - rounds / 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		cmocka_unit_test(test_sysctl_lines),
		TEST(test_nul_bytes),
		TEST(test_sysctl_order),
		TEST(test_sysctl_names),
		TEST(test_usr_merge),
		TEST(test_masking),
		TEST(test_large_files),
		cmocka_unit_test(test_irregular_files),
		TEST(test_unreadable),
		cmocka_unit_test(test_own_lines),
		TEST(test_merge),
		cmocka_unit_test(test_strictest),
		cmocka_unit_test(test_strictest_sections),
		cmocka_unit_test(test_sticky),
		TEST(test_section_names),
		TEST(test_many_errors),
		TEST(test_command_line),
		TEST(test_own_absent),
		TEST(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
