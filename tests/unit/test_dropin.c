/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of the file that --persist writes: each change of it, and patterns for each cgroup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "config.h"
#include "dropin.h"
#include "dropin_words.h"
#include "fake_root.h"
#include "names.h"
#include "util.h"


struct edit_case {
	const char *before;
	struct psc_dropin_change change;
	const char *after;
};

static const struct edit_case edits[] = {
	/* global settings, in the order of a list */
	{ NULL, { NAME(0), .value = 2 }, HEADER "\n" SCOPE " = admin-only\n" },
	{ HEADER "\n" SCOPE " = admin-only\n", { NAME(0), .value = 1 },
	  HEADER "\n" SCOPE " = restricted\n" },
	{ HEADER "\n" READ " = classic\n", { NAME(1), .value = 2 },
	  HEADER "\n" ATTACH " = admin-only\n" READ " = classic\n" },
	{ HEADER "\n" SCOPE " = restricted\n" READ " = classic\n", { NAME(2), .value = 2 },
	  HEADER "\n" SCOPE " = restricted\n" TRACEME " = admin-only\n" READ " = classic\n" },
	{ HEADER "\n" SCOPE " = restricted\n", { NAME(5), .value = 1 },
	  HEADER "\n" SCOPE " = restricted\n" FLOOR " = restricted\n" },
	{ HEADER "\n" FLOOR " = restricted\n", { NAME(4), .value = 1 },
	  HEADER "\n" BOUNDARY " = on\n" FLOOR " = restricted\n" },
	/* what it covers goes, and a broader one that stands behind does not override it */
	{ ATTACH " = 0\n" TRACEME " = 1\n" READ " = 1\n", { NAME(0), .value = 2 },
	  SCOPE " = admin-only\n" READ " = 1\n" },
	{ READ " = 1\n; also\n", { NAME(3), .value = 2 }, READ " = admin-only\n; also\n" },
	{ TRACEME " = 1\n" SCOPE " = 0\n", { NAME(1), .value = 2 },
	  TRACEME " = 1\n" SCOPE " = 0\n" ATTACH " = admin-only\n" },
	/* lines of others stay */
	{ "# mine\n" SCOPE "=1\n; also\n\n\n\n[a.service]\n  " READ " = 1  \nnonsense\n",
	  { NAME(0), .value = 2 },
	  "# mine\n" SCOPE " = admin-only\n; also\n\n[a.service]\n" READ " = 1\nnonsense\n" },
	{ "# mine\n\n[a.service]\n" READ " = 1\n", { NAME(0), .value = 2 },
	  "# mine\n" SCOPE " = admin-only\n\n[a.service]\n" READ " = 1\n" },
	{ SCOPE " = 1\r\n" READ " = 1\r" FLOOR " = 1", { NAME(3), .value = 0 },
	  SCOPE " = 1\n\n" READ " = classic\n" FLOOR " = 1\n" },
	/* twice, which the daemon refuses, becomes once */
	{ SCOPE " = 1\n" SCOPE " = 7\n", { NAME(0), .value = 2 }, SCOPE " = admin-only\n" },

	/* sections */
	{ HEADER "\n" SCOPE " = admin-only\n", { "a.service", NAME(0), .value = PSC_SCOPE_SIBLINGS },
	  HEADER "\n" SCOPE " = admin-only\n\n[a.service]\n" SCOPE " = siblings\n" },
	{ HEADER "\n[a.service]\n" SCOPE " = siblings\n", { "a.service", NAME(3), .value = 1 },
	  HEADER "\n[a.service]\n" SCOPE " = siblings\n" READ " = restricted\n" },
	{ HEADER "\n[a.service]\n" SCOPE " = siblings\n", { NAME(0), .value = 2 },
	  HEADER "\n" SCOPE " = admin-only\n\n[a.service]\n" SCOPE " = siblings\n" },
	{ "[a.service]\n" SCOPE " = 1\n\n[b.service]\n" SCOPE " = 1\n",
	  { "a.service", NAME(0), .value = 2 },
	  "[a.service]\n" SCOPE " = admin-only\n\n[b.service]\n" SCOPE " = 1\n" },
	/* the same cgroup by another name */
	{ "[a.service]\n" SCOPE " = 1\n", { "system.slice/a.service", NAME(0), .value = 2 },
	  "[a.service]\n" SCOPE " = admin-only\n" },
	{ "[system.slice/a.service]\n" SCOPE " = 1\n", { "a.service", NAME(0), .value = 2 },
	  "[system.slice/a.service]\n" SCOPE " = admin-only\n" },
	{ "[/a.slice]\n" SCOPE " = 1\n", { "a.slice", .remove = true }, NULL },
	{ "[system.slice/_memory.service]\n" SCOPE " = 1\n", { "memory.service", .remove = true },
	  NULL },
	{ "[x/a.service]\n" SCOPE " = 1\n", { "a.service", NAME(0), .value = 2 },
	  "[x/a.service]\n" SCOPE " = 1\n\n[a.service]\n" SCOPE " = admin-only\n" },
	{ "[y.slice/a.service]\n" SCOPE " = 1\n", { "x.slice/a.service", NAME(0), .value = 2 },
	  "[y.slice/a.service]\n" SCOPE " = 1\n\n[x.slice/a.service]\n" SCOPE " = admin-only\n" },
	{ "[*.service]\n" SCOPE " = 1\n", { "a.service", NAME(0), .value = 2 },
	  "[*.service]\n" SCOPE " = 1\n\n[a.service]\n" SCOPE " = admin-only\n" },
	/* what is sticky is so as a section; it stays so until it is told */
	{ NULL, { "/a", NAME(0), .value = 2, .sticky = true },
	  HEADER "\n[/a]\n" SCOPE " = admin-only\nsticky = yes\n" },
	{ "[/a]\nsticky = yes\n" SCOPE " = 2\n", { "/a", NAME(0), .value = 1 },
	  "[/a]\nsticky = yes\n" SCOPE " = restricted\n" },
	{ "[/a]\nsticky = yes\n" SCOPE " = 2\n", { "/a", NAME(3), .value = 1 },
	  "[/a]\nsticky = yes\n" SCOPE " = 2\n\n[/a]\n" READ " = restricted\n" },
	{ "[/a]\nsticky = yes\n" SCOPE " = 2\n" READ " = 1\n",
	  { "/a", NAME(0), .value = 1, .not_sticky = true },
	  "[/a]\nsticky = yes\n" READ " = 1\n\n[/a]\n" SCOPE " = restricted\n" },
	{ "[/a]\nsticky = yes\n" SCOPE " = 2\n", { "/a", NAME(0), .value = 1, .not_sticky = true },
	  "\n[/a]\n" SCOPE " = restricted\n" },
	{ "[/a]\n" SCOPE " = 2\n", { "/a", NAME(0), .value = 2, .sticky = true },
	  "\n[/a]\n" SCOPE " = admin-only\nsticky = yes\n" },
	{ "[/a]\nsticky = yes\n" SCOPE " = 2\n", { "/a", NAME(5), .value = 2 },
	  "[/a]\nsticky = yes\n" SCOPE " = 2\n" FLOOR " = admin-only\n" },

	/* removing */
	{ HEADER "\n" SCOPE " = admin-only\n", { NAME(0), .remove = true }, NULL },
	{ NULL, { NAME(0), .remove = true }, NULL },
	{ HEADER "\n" SCOPE " = 2\n" READ " = 1\n", { NAME(0), .remove = true },
	  HEADER "\n" READ " = 1\n" },
	{ HEADER "# mine\n" SCOPE " = 2\n", { NAME(0), .remove = true }, HEADER "# mine\n" },
	{ ATTACH " = 2\n" READ " = 1\n", { NAME(0), .remove = true }, READ " = 1\n" },
	{ SCOPE " = 2\n", { NAME(1), .remove = true }, TRACEME " = 2\n" },
	{ SCOPE " = 2\n" TRACEME " = 1\n", { NAME(1), .remove = true }, TRACEME " = 1\n" },
	{ SCOPE " = 2\n" FLOOR " = 2\n", { NAME(0), .remove = true }, FLOOR " = 2\n" },
	{ SCOPE " = 2\n" FLOOR " = 2\n", { NAME(5), .remove = true }, SCOPE " = 2\n" },
	{ SCOPE " = 2\n\n[a.service]\n" SCOPE " = 1\nsticky = yes\n# of a\n\n[b.service]\n" SCOPE " = 1\n",
	  { "a.service", NAME(0), .remove = true },
	  SCOPE " = 2\n\n[b.service]\n" SCOPE " = 1\n" },
	{ "[a.service]\n" SCOPE " = 1\n" READ " = 1\n\n[a.service]\n" READ " = 0\n",
	  { "a.service", NAME(3), .remove = true }, "[a.service]\n" SCOPE " = 1\n" },
	{ HEADER "\n[a.service]\n" SCOPE " = 1\n", { "a.service", .remove = true }, NULL },
	{ HEADER "\n[a.service]\n" SCOPE " = 1\n", { "b.service", .remove = true },
	  HEADER "\n[a.service]\n" SCOPE " = 1\n" },
};

static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		_cleanup_free_ char *after = NULL;

		assert_int_equal(psc_dropin_change(edits[i].before, &edits[i].change, &after), 0);
		if (!after != !edits[i].after || (after && !streq(after, edits[i].after)))
			fail_msg("row %zu: '%s', wanted '%s'", i, after ? after : "(none)",
				 edits[i].after ? edits[i].after : "(none)");
	}
}

static const struct {
	const char *cgroup, *pattern, *path;	/* without a pattern: there is none */
} patterns[] = {
	{ "nginx.service", "nginx.service", "nginx.service" },
	{ "system.slice/nginx.service", "system.slice/nginx.service", "system.slice/nginx.service" },
	{ "/machine.slice/", "/machine.slice", "machine.slice" },
	{ "plain", "/plain", "plain" },
	{ "//a//b", "a/b", "a/b" },
	{ "dev-x\\x2dy.mount", "dev-x\\x2dy.mount", "dev-x\\x2dy.mount" },
	{ "a/*?[b]", "a/[*][?][[]b]", "a/*?[b]" },
	{ "a/]", "a/]", "a/]" },
	{ "a/ b ", "a/ b[ ]", "a/ b " },
	{ "\ta.service", "[\t]a.service", "\ta.service" },
	{ "a/#=;\033", "a/#=;\033", "a/#=;\033" },
	{ "a/b\rc" }, { "a/b\nc" }, { "/" }, { "." }, { "a/.." }, { "-.slice" },
};

/* A section with it is for this cgroup, and for no other. */
static void check_pattern(const char *pattern, const char *path)
{
	struct fake_root root;
	_cleanup_free_ char *text = NULL, *error = NULL;
	struct psc_dropin_change change = { pattern, NAME(3), .value = 1 };
	struct psc_setting settings[PSC_NAMES];
	struct psc_config config;

	fake_root_new(&root);
	assert_int_equal(psc_dropin_change(NULL, &change, &text), 0);
	fake_root_write(&root, PSC_DROPIN_PATH, text);
	if (psc_config_load(root.path, &config, &error))
		fail_msg("%s", error);
	assert_int_equal(config.n_sections, 1);
	assert_true(psc_config_for_cgroup(&config, path, settings));
	assert_int_equal(settings[3].value, 1);
	assert_false(psc_config_for_cgroup(&config, "a/xyz", settings));
	psc_config_free(&config);
	fake_root_free(&root);
}

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		_cleanup_free_ char *pattern = NULL, *path = NULL;
		int err = psc_dropin_pattern(patterns[i].cgroup, &pattern, &path);

		assert_int_equal(err, patterns[i].pattern ? 0 : -EINVAL);
		if (err)
			continue;
		assert_string_equal(pattern, patterns[i].pattern);
		assert_string_equal(path, patterns[i].path);
		check_pattern(pattern, path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
