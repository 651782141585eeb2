/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, paths and patterns of cgroups, in directories that stand for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "base64.h"
#include "cgroup_tree.h"
#include "names.h"
#include "turn.h"
#include "util.h"
#include "walk.h"

static const char *const tree[] = {
	"init.scope",
	"plain/sub",
	"machine.slice/a-1.scope/inner.service",
	"system.slice/web.service",
	"system.slice/twin.service",
	"system.slice/deep.slice/twin.service",
	"system.slice/deep.slice/only.service",
	"system.slice/_memory.service",
	"system.slice/dev-x\\x2dy.swap",
	"user.slice/user-1000.slice/user@1000.service/app.slice/hidden.service",
};

struct state {
	struct fake_root root;
	struct psc_cgroups cgroups;
};

static int setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	cgroup_tree_new(&s->root, &s->cgroups);
	for (size_t i = 0; i < ARRAY_SIZE(tree); i++)
		cgroup_make(&s->root, tree[i]);
	fake_root_write(&s->root, "/plain/cgroup.procs", "");
	fake_root_link(&s->root, "/plain/link", "sub");
	fake_root_link(&s->root, "/out.slice", "/");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	cgroup_tree_free(&s->root, &s->cgroups);
	free(s);
	return 0;
}

static void test_find(void **state)
{
	static const struct {
		const char *name;	/* '@' stands for the mount point */
		int trouble;
		const char *path;
	} rows[] = {
		{ "plain", 0, "plain" },
		{ "/plain", 0, "plain" },
		{ "//plain///sub/", 0, "plain/sub" },
		{ "@/plain/sub", 0, "plain/sub" },
		{ "@//plain", 0, "plain" },
		{ "system.slice", 0, "system.slice" },
		{ "init.scope", 0, "init.scope" },
		{ "web.service", 0, "system.slice/web.service" },
		{ "/web.service", PSC_CGROUP_ABSENT, NULL },
		{ "@/web.service", PSC_CGROUP_ABSENT, NULL },
		{ "a-1.scope", 0, "machine.slice/a-1.scope" },
		{ "only.service", 0, "system.slice/deep.slice/only.service" },
		{ "user-1000.slice", 0, "user.slice/user-1000.slice" },
		{ "user@1000.service", 0, "user.slice/user-1000.slice/user@1000.service" },
		{ "dev-x\\x2dy.swap", 0, "system.slice/dev-x\\x2dy.swap" },
		{ "memory.service", 0, "system.slice/_memory.service" },
		{ "_memory.service", 0, "system.slice/_memory.service" },
		{ "twin.service", PSC_CGROUP_AMBIGUOUS, NULL },
		{ "system.slice/twin.service", 0, "system.slice/twin.service" },
		/* those of a user's own systemd are named by their path */
		{ "hidden.service", PSC_CGROUP_ABSENT, NULL },
		{ "inner.service", PSC_CGROUP_ABSENT, NULL },
		{ "nothing.service", PSC_CGROUP_ABSENT, NULL },
		{ "nothing", PSC_CGROUP_ABSENT, NULL },
		{ "sub", PSC_CGROUP_ABSENT, NULL },
		{ "web", PSC_CGROUP_ABSENT, NULL },
		{ ".service", PSC_CGROUP_ABSENT, NULL },
		{ "plain/cgroup.procs", PSC_CGROUP_ABSENT, NULL },
		{ "plain/cgroup.procs/x", PSC_CGROUP_ABSENT, NULL },
		{ "plain/link", PSC_CGROUP_ABSENT, NULL },
		{ "out.slice", PSC_CGROUP_ABSENT, NULL },
		{ "out.slice/etc", PSC_CGROUP_ABSENT, NULL },
		{ "", PSC_CGROUP_NAME, NULL },
		{ ".", PSC_CGROUP_NAME, NULL },
		{ "..", PSC_CGROUP_NAME, NULL },
		{ "plain/..", PSC_CGROUP_NAME, NULL },
		{ "/../etc", PSC_CGROUP_NAME, NULL },
		{ "plain/./sub", PSC_CGROUP_NAME, NULL },
		{ "@/../etc", PSC_CGROUP_NAME, NULL },
		{ "...", PSC_CGROUP_ABSENT, NULL },
		{ "/", PSC_CGROUP_ROOT, NULL },
		{ "///", PSC_CGROUP_ROOT, NULL },
		{ "@", PSC_CGROUP_ROOT, NULL },
		{ "@/", PSC_CGROUP_ROOT, NULL },
		{ "-.slice", PSC_CGROUP_ROOT, NULL },
		/* the usual mount point, where this is not it */
		{ "/sys/fs/cgroup", PSC_CGROUP_OUTSIDE, NULL },
		{ "/sys/fs/cgroup/nothing/at/all", PSC_CGROUP_OUTSIDE, NULL },
	};
	struct state *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
		char name[PATH_MAX];
		int got;

		snprintf(name, sizeof(name), "%s%s", *rows[i].name == '@' ? s->root.path : "",
			 rows[i].name + (*rows[i].name == '@'));
		got = psc_cgroup_find(&s->cgroups, name, &cgroup);
		if (got != rows[i].trouble)
			fail_msg("%s: %d instead of %d", rows[i].name, got, rows[i].trouble);
		if (got) {
			assert_null(cgroup.path);
			continue;
		}
		assert_string_equal(cgroup.path, rows[i].path);
		assert_int_equal(cgroup.id, cgroup_ino(&s->cgroups, rows[i].path));
	}
}

static void test_unmounted(void **state)
{
	static const struct psc_cgroups none = { -1, "/sys/fs/cgroup" };
	struct psc_cgroup cgroup;

	(void)state;
	assert_int_equal(psc_cgroup_find(&none, "a", &cgroup), PSC_CGROUP_UNMOUNTED);
	assert_int_equal(psc_cgroup_walk(&none, NULL, NULL), 0);
}

static void test_troubles(void **state)
{
	(void)state;
	for (enum psc_cgroup_trouble a = 0; a < PSC_CGROUP_TROUBLES; a++) {
		for (enum psc_cgroup_trouble b = 0; b < a; b++) {
			assert_string_not_equal(psc_cgroup_trouble_word(a),
						psc_cgroup_trouble_word(b));
			assert_string_not_equal(psc_cgroup_trouble_text(a),
						psc_cgroup_trouble_text(b));
		}
	}
	assert_int_equal(psc_cgroup_trouble_of(-PSC_E_NODEV), PSC_CGROUP_REMOVED);
	assert_int_equal(psc_cgroup_trouble_of(-PSC_E_OPNOTSUPP), PSC_CGROUP_THREADED);
	assert_int_equal(psc_cgroup_trouble_of(-PSC_E_NAMETOOLONG), PSC_CGROUP_DEEP);
	assert_int_equal(psc_cgroup_trouble_of(-PSC_E_LOCKED), PSC_CGROUP_FINE);
	assert_int_equal(psc_cgroup_trouble_of(0), PSC_CGROUP_FINE);
}

static void test_above(void **state)
{
	static const char path[] = "system.slice/deep.slice/only.service";
	static const char *const found[] = { path, "system.slice/deep.slice", "system.slice" };
	struct state *s = *state;
	char *above;

	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		assert_int_equal(psc_cgroup_above(&s->cgroups, path,
						  cgroup_ino(&s->cgroups, found[i]), &above), 0);
		assert_string_equal(above, found[i]);
		free(above);
	}
	assert_int_equal(psc_cgroup_above(&s->cgroups, path, cgroup_ino(&s->cgroups, "plain"),
					  &above), -ENOENT);
}

/* What a walk came by, with spaces between. */
struct visits {
	char text[4096];
	unsigned int left;	/* until it has seen enough */
};

static int visit(void *data, const struct psc_cgroup *cgroup)
{
	struct visits *visits = data;
	struct stat st;

	assert_return_code(fstat(cgroup->fd, &st), errno);
	assert_int_equal(st.st_ino, cgroup->id);
	strcat(visits->text, cgroup->path);
	strcat(visits->text, " ");
	return --visits->left ? 0 : 7;
}

static void test_walk(void **state)
{
	static const char all[] =
		"init.scope machine.slice machine.slice/a-1.scope "
		"machine.slice/a-1.scope/inner.service plain plain/sub system.slice "
		"system.slice/_memory.service "
		"system.slice/deep.slice system.slice/deep.slice/only.service "
		"system.slice/deep.slice/twin.service system.slice/dev-x\\x2dy.swap "
		"system.slice/twin.service system.slice/web.service user.slice "
		"user.slice/user-1000.slice user.slice/user-1000.slice/user@1000.service "
		"user.slice/user-1000.slice/user@1000.service/app.slice "
		"user.slice/user-1000.slice/user@1000.service/app.slice/hidden.service ";
	struct visits visits = { .left = 1000 };
	struct state *s = *state;

	assert_int_equal(psc_cgroup_walk(&s->cgroups, visit, &visits), 0);
	assert_string_equal(visits.text, all);
	visits = (struct visits){ .left = 2 };
	assert_int_equal(psc_cgroup_walk(&s->cgroups, visit, &visits), 7);
	assert_string_equal(visits.text, "init.scope machine.slice ");
}

/* The walk's position behind a path, which need not be there. */
static void position_of(const char *path, unsigned int marks, char *ret)
{
	unsigned char bytes[4096] = { (unsigned char)marks };
	size_t head = 1 + marks * sizeof(struct psc_mark);
	char *text;

	memcpy(bytes + head, path, strlen(path));
	text = psc_base64_encode(bytes, head + strlen(path));
	strcpy(ret, text);
	free(text);
}

static unsigned int names_in(const char *path)
{
	unsigned int n = *path != 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* Every pause, a new walk goes on where the last one was. Return: what psc_walk_next() ended with */
static int walk_with_pauses(const struct psc_cgroups *cgroups, char *position,
			    struct visits *visits)
{
	struct psc_cgroup cgroup;
	struct psc_walk walk;
	int got;

	do {
		char *next;

		psc_walk_begin(&walk, cgroups, false);
		if (*position)
			assert_int_equal(psc_walk_resume(&walk, position), 0);
		got = psc_walk_next(&walk, &cgroup);
		if (got > 0) {
			visit(visits, &cgroup);
			assert_int_equal(psc_walk_above(&walk, cgroup.id), strlen(cgroup.path));
			next = psc_walk_position(&walk);
			strcpy(position, next);
			free(next);
		}
		psc_walk_end(&walk);
	} while (got > 0);
	return got;
}

static int skip_slice(void *data, const struct psc_cgroup *cgroup)
{
	visit(data, cgroup);
	return streq(cgroup->path, "system.slice") ? PSC_CGROUP_SKIP : 0;
}

static void test_positions(void **state)
{
	/* Where to go on, and which then comes first. */
	static const char *const after[][2] = {
		{ "", "init.scope" },
		{ "init.scope", "machine.slice " },
		{ "machine.slice", "machine.slice/a-1.scope " },
		{ "machine.slice/a-1.scope/inner.service", "plain " },
		/* that are not there, or not any more */
		{ "a", "init.scope" },
		{ "init.scope/x/y", "machine.slice " },
		{ "machine.slice/a-1", "machine.slice/a-1.scope " },
		{ "machine.slice/a-2.scope", "plain " },
		{ "machine.slic", "machine.slice " },
		{ "machine.slicf", "plain " },
		{ "system.slice/web.servicf", "user.slice " },
	};
	static const char *const wrong[] = {
		"", "A", "AA", "AAAA", "AQ", "AR", "AWE", "QQ", "_w", "Ag", "=", "AQ==", "\xff",
	};
	static const char *const wrong_paths[] = { "/a", "a/", "a//b", "a/../b", ".", "a/." };
	char position[8192] = "";
	struct visits visits = { .left = 1000 }, all = { .left = 1000 };
	struct state *s = *state;
	struct psc_walk walk;

	assert_int_equal(psc_cgroup_walk(&s->cgroups, visit, &all), 0);
	assert_int_equal(walk_with_pauses(&s->cgroups, position, &visits), 0);
	assert_string_equal(visits.text, all.text);
	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		visits = (struct visits){ .left = 1000 };
		position_of(after[i][0], names_in(after[i][0]) + !*after[i][0], position);
		assert_int_equal(walk_with_pauses(&s->cgroups, position, &visits), 0);
		assert_string_equal(visits.text, strstr(all.text, after[i][1]));
	}
	visits = (struct visits){ .left = 1000 };
	assert_int_equal(psc_cgroup_walk(&s->cgroups, skip_slice, &visits), 0);
	assert_null(strstr(visits.text, "system.slice/"));
	assert_non_null(strstr(visits.text, "plain/sub system.slice user.slice "));

	psc_walk_begin(&walk, &s->cgroups, false);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(psc_walk_resume(&walk, wrong[i]), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(wrong_paths); i++) {
		position_of(wrong_paths[i], names_in(wrong_paths[i]), position);
		assert_int_equal(psc_walk_resume(&walk, position), -EINVAL);
	}
	/* no more than there is, and no less */
	position_of("", 2, position);
	assert_int_equal(psc_walk_resume(&walk, position), -EINVAL);
	position_of("a/b", 1, position);
	assert_int_equal(psc_walk_resume(&walk, position), -EINVAL);
	position_of("a/b", 4, position);
	assert_int_equal(psc_walk_resume(&walk, position), -EINVAL);
	psc_walk_end(&walk);
}

static void test_base64(void **state)
{
	unsigned char bytes[70], *back;
	size_t len;

	(void)state;
	for (size_t n = 0; n < sizeof(bytes); n++) {
		char *text;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 167 + n * 31 + 0xfb);
		text = psc_base64_encode(bytes, n);
		assert_int_equal(strlen(text), (4 * n + 2) / 3);
		assert_int_equal(psc_base64_decode(text, &back, &len), 0);
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
		free(back);
		free(text);
	}
}

static uint64_t clock_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A turn that lasts is over, and the next one goes on; nothing is missed. */
static void test_turns(void **state)
{
	static const struct timespec long_time = { .tv_nsec = 3000000 };
	struct visits visits = { .left = 1000 }, all = { .left = 1000 };
	unsigned int pauses = 0;
	struct state *s = *state;
	struct psc_cgroup cgroup;
	struct psc_walk walk;
	const char *what;
	uint64_t begin;
	bool spent;
	int got;

	assert_int_equal(psc_cgroup_walk(&s->cgroups, visit, &all), 0);
	assert_false(psc_turn_spent());
	psc_walk_begin(&walk, &s->cgroups, false);
	do {
		begin = clock_usec();
		psc_turn_begin();
		psc_turn_does("a test");
		spent = psc_turn_spent();
		/* Else somebody else had the processor. */
		if (clock_usec() - begin < 2000)
			assert_false(spent);
		nanosleep(&long_time, NULL);
		assert_true(psc_turn_spent());
		while ((got = psc_walk_next(&walk, &cgroup)) > 0)
			visit(&visits, &cgroup);
		psc_turn_end();
		pauses += got == -EINPROGRESS;
	} while (got == -EINPROGRESS);
	assert_int_equal(got, 0);
	psc_walk_end(&walk);
	assert_true(pauses > 2);
	assert_string_equal(visits.text, all.text);
	assert_true(psc_turn_longest(&what) >= 3000);
	assert_string_equal(what, "a test");
}

/* No deeper than there can be entries, and one step at a time all the same. */
static void test_walk_depth(void **state)
{
	char path[2 * PSC_CGROUP_LEVELS + 16] = "x";
	struct visits visits = { .left = 1000 }, pauses = { .left = 1000 };
	char position[8192] = "";
	struct fake_root root;
	struct psc_cgroups cgroups;

	(void)state;
	cgroup_tree_new(&root, &cgroups);
	for (int i = 0; i < PSC_CGROUP_LEVELS + 4; i++)
		strcat(path, "/x");
	cgroup_make(&root, path);
	assert_int_equal(psc_cgroup_walk(&cgroups, visit, &visits), 0);
	assert_int_equal(visits.left, 1000 - (PSC_CGROUP_LEVELS - 1));
	assert_int_equal(walk_with_pauses(&cgroups, position, &pauses), 0);
	assert_string_equal(pauses.text, visits.text);
	cgroup_tree_free(&root, &cgroups);
}

static void test_of_pid(void **state)
{
	static const struct { const char *text, *path; int err; } rows[] = {
		{ "0::/\n", "/", 0 },
		{ "0::/system.slice/web.service\n", "/system.slice/web.service", 0 },
		{ "12:memory:/a\n1:name=systemd:/b\n0::/c\n", "/c", 0 },
		{ "1:name=0::/b:/b\n", NULL, -ENODEV },
		{ "1:name=systemd:/b\n", NULL, -ENODEV },
		{ "0::/a b (deleted)\n", "/a b (deleted)", 0 },
		{ "0::/../x\n", "/../x", 0 },
		{ "", NULL, -ENODEV },
	};
	struct fake_root root;
	char *path = NULL;

	(void)state;
	fake_root_new(&root);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_root_write(&root, "/7/cgroup", rows[i].text);
		assert_int_equal(psc_cgroup_of_pid(root.path, 7, &path), rows[i].err);
		if (!rows[i].err) {
			assert_string_equal(path, rows[i].path);
			free(path);
		}
	}
	assert_int_equal(psc_cgroup_of_pid(root.path, 8, &path), -ESRCH);
	/* A leader that has ended before another thread stays where it was. */
	fake_root_write(&root, "/7/stat", "7 (a) b) Z 1 1");
	fake_root_write(&root, "/7/cgroup", "0::/old (deleted)\n");
	fake_root_write(&root, "/7/task/7/stat", "7 (a) b) Z 1 1");
	fake_root_write(&root, "/7/task/7/cgroup", "0::/old (deleted)\n");
	fake_root_write(&root, "/7/task/9/stat", "9 (a) b) S 1 1");
	fake_root_write(&root, "/7/task/9/cgroup", "0::/new\n");
	assert_int_equal(psc_cgroup_of_pid(root.path, 7, &path), 0);
	assert_string_equal(path, "/new");
	free(path);
	fake_root_write(&root, "/7/stat", "7 (a) Z b) S 1 1");
	assert_int_equal(psc_cgroup_of_pid(root.path, 7, &path), 0);
	assert_string_equal(path, "/old (deleted)");
	free(path);
	/* In another cgroup namespace than the first one. */
	fake_root_write(&root, "/self/ns/cgroup", "");
	assert_int_equal(psc_cgroup_of_pid(root.path, 7, &path), -EXDEV);
	fake_root_free(&root);
}

static void test_patterns(void **state)
{
	static const struct { const char *pattern, *yes, *no; } rows[] = {
		/* the name of a unit: in slices and nowhere else */
		{ "web.service", "x.slice/web.service", "x.slice/web.service/web.service" },
		{ "web.service", "web.service", "plain/web.service" },
		{ "web.service", "a.slice/a-b.slice/web.service", "system.slice/webXservice" },
		{ "user-1000.slice", "user.slice/user-1000.slice",
		  "user.slice/user-1000.slice/user@1000.service" },
		{ "docker-*.scope", "x.slice/docker-0.scope", "x.slice/docker-0.scope/x" },
		{ "*", "anything", "plain/sub" },
		{ "*.service", "system.slice/.service", "system.slice/a.servicex" },
		{ "memory.service", "system.slice/_memory.service", "system.slice/__memory.service" },
		/* paths: a component each, from the root */
		{ "/plain", "plain", "a.slice/plain" },
		{ "plain/", "plain", "plain/sub" },
		{ "plain/sub", "plain/sub", "x/plain/sub" },
		{ "/plain//sub/", "plain/sub", "plain" },
		{ "machine.slice/*", "machine.slice/a", "machine.slice/a/b" },
		{ "machine.slice/*", "machine.slice/.a", "machine.slice" },
		{ "*/*", "a/b", "a/b/c" },
		{ "system.slice/docker-*.scope", "system.slice/docker-1.scope",
		  "system.slice/x/docker-1.scope" },
		{ "a/[0-9]?", "a/1x", "a/x1" },
		{ "a/[!x]", "a/y", "a/x" },
		/* one that does not end within its component is none */
		{ "a/[b/c]", "a/[b/c]", "a/b" },
		{ "[a/b]*", "[a/b]x", "a" },
		/* a backslash is one of systemd's names */
		{ "dev-x\\x2dy.swap", "a.slice/dev-x\\x2dy.swap", "a.slice/dev-xx2dy.swap" },
		{ "a/\\*", "a/\\b", "a/*" },
	};
	/* Where there is no need to look. */
	static const struct { const char *pattern, *path; } nowhere[] = {
		{ "web.service", "a.service" },
		{ "web.service", "a.slice/b.service" },
		{ "web.service", "a.service/b.slice" },
		{ "*", "plain" },
		{ "a/b", "a/b" },
		{ "/plain", "plain" },
		{ "a/b", "x" },
		{ "a/*/c", "x/b" },
		{ "a/*", "a/b" },
		{ "a/b*/c", "a/x" },
	};
	static const struct {
		const char *below, *pattern;
	} absolute[] = {
		{ "/system.slice/app.service", "system.slice/app.service" }, { "/app", "/app" },
		{ "//a/*/", "a/*" }, { "", NULL }, { "/", NULL }, { "/../a", NULL }, { "/-.slice", NULL },
	};
	static const char *const none[] = {
		"", "/", "//", "-.slice", ".", "..", "a/..", "./a", "a/./b", "../a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[64], above[64];
		const char *pattern;

		strcpy(text, rows[i].pattern);
		pattern = psc_cgroup_pattern(text);
		assert_ptr_equal(pattern, text);
		if (!psc_cgroup_matches(pattern, rows[i].yes))
			fail_msg("%s does not match %s", rows[i].pattern, rows[i].yes);
		/* What matches is found by going down from above. */
		snprintf(above, sizeof(above), "%s", rows[i].yes);
		for (char *slash; (slash = strrchr(above, '/'));) {
			*slash = '\0';
			if (!psc_cgroup_matches_below(pattern, above))
				fail_msg("nothing below %s matches %s", above, rows[i].pattern);
		}
		if (psc_cgroup_matches(pattern, rows[i].no))
			fail_msg("%s matches %s", rows[i].pattern, rows[i].no);
	}
	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++)
		if (psc_cgroup_matches_below(nowhere[i].pattern, nowhere[i].path))
			fail_msg("%s could match below %s", nowhere[i].pattern, nowhere[i].path);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		char text[64];

		strcpy(text, none[i]);
		assert_null(psc_cgroup_pattern(text));
	}
	for (size_t i = 0; i < ARRAY_SIZE(absolute); i++) {
		struct psc_cgroups cgroups;
		char text[128];
		const char *pattern;

		psc_cgroups_open(&cgroups);
		snprintf(text, sizeof(text), "%s%s", cgroups.mount, absolute[i].below);
		psc_cgroups_close(&cgroups);
		pattern = psc_cgroup_pattern(text);
		if (!pattern != !absolute[i].pattern)
			fail_msg("%s", absolute[i].below);
		if (pattern)
			assert_string_equal(pattern, absolute[i].pattern);
	}
}

static void test_values(void **state)
{
	static const struct {
		const char *name, *text;
		bool cgroup;
		int err;
		unsigned int value;
	} rows[] = {
		{ "ptrace_scope", "0", true, 0, 0 },
		{ "ptrace_scope", "3", true, 0, 3 },
		{ "ptrace_scope", "siblings", true, 0, PSC_SCOPE_SIBLINGS },
		{ "ptrace_scope", "siblings", false, -ERANGE, 0 },
		{ "ptrace_scope", "4", true, -ERANGE, 0 },
		{ "ptrace_scope", "255", true, -ERANGE, 0 },
		{ "ptrace_scope", "sibling", true, -EINVAL, 0 },
		{ "ptrace_scope", "on", true, -EINVAL, 0 },
		{ "floor", "siblings", true, 0, PSC_SCOPE_SIBLINGS },
		{ "cgroup_boundary", "0", true, 0, 0 },
		{ "cgroup_boundary", "1", false, 0, 1 },
		{ "cgroup_boundary", "on", true, 0, 1 },
		{ "cgroup_boundary", "off", false, 0, 0 },
		{ "cgroup_boundary", "2", true, -ERANGE, 0 },
		{ "cgroup_boundary", "siblings", true, -ERANGE, 0 },
		{ "cgroup_boundary", "classic", true, -EINVAL, 0 },
		{ "cgroup_boundary", "", true, -EINVAL, 0 },
	};
	char buf[PSC_VALUES_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct psc_name *name = psc_name_find_short(rows[i].name);
		unsigned int value = 77;

		assert_non_null(name);
		assert_int_equal(psc_value_parse(name, rows[i].text, rows[i].cgroup, &value),
				 rows[i].err);
		assert_int_equal(value, rows[i].err ? 77 : rows[i].value);
		/* What is shown can be read again. */
		if (rows[i].err)
			continue;
		assert_int_equal(psc_value_parse(name, psc_value_text(value), true, &value), 0);
		assert_int_equal(value, rows[i].value);
		assert_int_equal(psc_value_parse(name, psc_value_word(name, value), true,
						 &value), 0);
		assert_int_equal(value, rows[i].value);
	}
	assert_string_equal(psc_value_list(&psc_names[0], true, buf),
			    "0 (classic), 1 (restricted), 2 (admin-only), 3 (no-attach), siblings");
	assert_null(psc_name_find_short("yama.ptrace_scope"));
	assert_null(psc_name_find_short(""));
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		assert_int_equal(psc_name_of_mode(mode)->mode, mode);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test(test_unmounted),
		cmocka_unit_test(test_troubles),
		cmocka_unit_test_setup_teardown(test_above, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_positions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_walk_depth),
		cmocka_unit_test(test_of_pid),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
