/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the OCI hook makes of a state, and which cgroup it takes for the container's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oci.h"
#include "ptracescope.h"
#include "util.h"

#define STATE(status, rest) \
	"{\"ociVersion\":\"1.0\",\"id\":\"abc\",\"status\":\"" status "\"" rest "}"
#define ASKING(annotations) STATE("created", ",\"pid\":7,\"annotations\":{" annotations "}")
#define SCOPE(text) "\"io.ptracescope.scope\":\"" text "\""
#define LOCK(text) "\"io.ptracescope.lock\":\"" text "\""

struct parse_case {
	const char *state;
	const char *error;	/* its message, from the beginning; NULL for success */
	bool wanted;
	unsigned int scope;
	bool lock;
	bool fallback;		/* with the default scope 2 */
	bool by_default;	/* which is then not what the container asks for */
};

/* As crun 1.21 and runc 1.1 write it for podman, and podman itself when a container has stopped. */
#define CRUN "{\"ociVersion\":\"1.0\",\"id\":\"abc\",\"pid\":552,\"root\":\"/merged\"," \
	"\"bundle\":\"/userdata\",\"status\":\"created\",\"annotations\":{\"foo\":\"bar\"," \
	"\"io.container.manager\":\"libpod\"," SCOPE("2") "," \
	"\"org.opencontainers.image.stopSignal\":\"15\"}}"
#define RUNC "{\"ociVersion\":\"1.0.2-dev\",\"id\":\"abc\",\"status\":\"creating\",\"pid\":553," \
	"\"bundle\":\"/run/abc\",\"annotations\":{" SCOPE("2") "}}"
#define PODMAN_STOPPED "{\"ociVersion\":\"1.2.0\",\"id\":\"abc\",\"status\":\"stopped\"," \
	"\"bundle\":\"/userdata\",\"annotations\":{" SCOPE("2") "}}"

static const struct parse_case parse_cases[] = {
	{ CRUN, NULL, true, 2 },
	{ RUNC, NULL, true, 2 },
	{ PODMAN_STOPPED },
	{ PODMAN_STOPPED, .fallback = true },

	{ ASKING(SCOPE("0")), NULL, true, PSC_SCOPE_CLASSIC },
	{ ASKING(SCOPE("classic")), NULL, true, PSC_SCOPE_CLASSIC },
	{ ASKING(SCOPE("1")), NULL, true, PSC_SCOPE_RESTRICTED },
	{ ASKING(SCOPE("restricted")), NULL, true, PSC_SCOPE_RESTRICTED },
	{ ASKING(SCOPE("siblings")), NULL, true, PSC_SCOPE_SIBLINGS },
	{ ASKING(SCOPE("admin-only")), NULL, true, PSC_SCOPE_ADMIN_ONLY },
	{ ASKING(SCOPE("3")), NULL, true, PSC_SCOPE_NO_ATTACH },
	{ ASKING(SCOPE("no-attach")), NULL, true, PSC_SCOPE_NO_ATTACH },
	{ ASKING(SCOPE("3") "," LOCK("true")), NULL, true, 3, true },
	{ ASKING(LOCK("true") "," SCOPE("1")), NULL, true, 1, true },
	{ ASKING(SCOPE("1") "," LOCK("false")), NULL, true, 1 },
	{ ASKING(LOCK("false")) },

	/* those who ask for nothing */
	{ ASKING("") },
	{ ASKING("\"io.ptracescope\":\"x\",\"io.ptracescopes.scope\":\"9\",\"scope\":\"9\"") },
	{ STATE("created", ",\"pid\":7") },
	{ STATE("created", ",\"pid\":7,\"annotations\":null") },
	{ STATE("creating", ",\"pid\":7"), NULL, true, 2, .fallback = true, .by_default = true },
	{ ASKING(SCOPE("0")), NULL, true, 0, .fallback = true },
	{ ASKING(LOCK("true")), NULL, true, 2, true, .fallback = true },
	{ ASKING(SCOPE("inherit")), .fallback = true },
	{ ASKING(SCOPE("inherit")) },

	/* bad annotations */
	{ ASKING(SCOPE("4")), "annotation io.ptracescope.scope=\"4\": no scope; scopes are 0 (classic)" },
	{ ASKING(SCOPE("")), "annotation io.ptracescope.scope=\"\": no scope" },
	{ ASKING(SCOPE("no")), "annotation io.ptracescope.scope=\"no\": no scope" },
	{ ASKING(SCOPE("no-attach ")), "annotation io.ptracescope.scope=\"no-attach \": no scope" },
	{ ASKING(SCOPE("No-Attach")), "annotation io.ptracescope.scope=\"No-Attach\": no scope" },
	{ ASKING(SCOPE("-1")), "annotation io.ptracescope.scope=\"-1\": no scope" },
	{ ASKING(SCOPE("255")), "annotation io.ptracescope.scope=\"255\": no scope" },
	{ ASKING(SCOPE("4294967296")), "annotation io.ptracescope.scope=\"4294967296\": no scope" },
	{ ASKING(SCOPE("9")), "annotation io.ptracescope.scope=\"9\": no scope", .fallback = true },
	{ ASKING(SCOPE("\\u001b[31m\\n")),
	  "annotation io.ptracescope.scope=\"\\x1b[31m\\x0a\": no scope" },
	{ ASKING("\"io.ptracescope.scope\":2"),
	  "annotation io.ptracescope.scope=\"(no string)\": no scope" },
	{ ASKING("\"io.ptracescope.scope\":null"),
	  "annotation io.ptracescope.scope=\"(no string)\": no scope" },
	{ ASKING(SCOPE("1") "," LOCK("yes")),
	  "annotation io.ptracescope.lock=\"yes\": must be true or false" },
	{ ASKING(SCOPE("1") ",\"io.ptracescope.lock\":true"),
	  "annotation io.ptracescope.lock=\"(no string)\": must be true or false" },
	{ ASKING(LOCK("true")), "annotation io.ptracescope.lock=\"true\": there is no scope to lock" },
	{ ASKING(LOCK("true") "," SCOPE("inherit")),
	  "annotation io.ptracescope.lock=\"true\": there is no scope to lock", .fallback = true },
	{ ASKING("\"io.ptracescope.scop\":\"2\""),
	  "annotation io.ptracescope.scop=\"2\": unknown; there are io.ptracescope.scope and" },
	{ ASKING(SCOPE("1") "," SCOPE("0")), "standard input: no OCI state: no JSON in line 1" },

	/* no state */
	{ "", "standard input: no OCI state: no JSON in line" },
	{ "{", "standard input: no OCI state: no JSON in line" },
	{ "[]", "standard input: no OCI state: \"ociVersion\" is no string" },
	{ "{}", "standard input: no OCI state: \"ociVersion\" is no string" },
	{ "{\"ociVersion\":1}", "standard input: no OCI state: \"ociVersion\" is no string" },
	{ "{\"ociVersion\":\"1.0\"}", "OCI state: \"id\" is no text" },
	{ "{\"ociVersion\":\"1.0\",\"id\":\"\"}", "OCI state: \"id\" is no text" },
	{ "{\"ociVersion\":\"1.0\",\"id\":5}", "OCI state: \"id\" is no text" },
	{ "{\"ociVersion\":\"1.0\",\"id\":\"a\"}", "OCI state: \"status\" is no string" },
	{ STATE("running", ",\"pid\":7"), "OCI state: \"status\" is neither creating nor created" },
	{ STATE("", ",\"pid\":7"), "OCI state: \"status\" is neither creating nor created" },
	{ STATE("created", ""), "OCI state: \"pid\" is no process" },
	{ STATE("created", ",\"pid\":\"7\""), "OCI state: \"pid\" is no process" },
	{ STATE("created", ",\"pid\":7.0"), "OCI state: \"pid\" is no process" },
	{ STATE("created", ",\"pid\":0"), "OCI state: \"pid\" is no process" },
	{ STATE("created", ",\"pid\":-1"), "OCI state: \"pid\" is no process" },
	{ STATE("created", ",\"pid\":2147483648"), "OCI state: \"pid\" is no process" },
	{ STATE("created", ",\"pid\":7,\"annotations\":[]"), "OCI state: \"annotations\" is no object" },
	{ STATE("created", ",\"pid\":7") "x", "standard input: no OCI state: no JSON in line 1" },
};

static void test_parse(void **state)
{
	const unsigned int fallback = 2;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		_cleanup_free_ char *error = NULL;
		struct psc_oci oci = {};
		int err = psc_oci_parse(c->state, strlen(c->state), c->fallback ? &fallback : NULL,
					&oci, &error);

		if (err != (c->error ? -EINVAL : 0))
			fail_msg("%s: %d, %s", c->state, err, error ? error : "");
		if (c->error && strncmp(error, c->error, strlen(c->error)) != 0)
			fail_msg("%s: \"%s\"", c->state, error);
		if (c->error) {
			assert_null(strchr(error, '\n'));
			psc_oci_free(&oci);
			continue;
		}
		if (oci.wanted != c->wanted || (c->wanted && oci.scope != c->scope) ||
		    oci.lock != c->lock || oci.asked != (c->wanted && !c->by_default))
			fail_msg("%s: %d %u %d", c->state, oci.wanted, oci.scope, oci.lock);
		assert_string_equal(oci.id, "abc");
		psc_oci_free(&oci);
	}
}

/* Every state cut short is refused, and nothing is read beyond its end. */
static void test_parse_cut(void **state)
{
	static const char text[] = CRUN;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		_cleanup_free_ char *copy = malloc(len + !len), *error = NULL;
		struct psc_oci oci;

		memcpy(copy, text, len);
		assert_int_equal(psc_oci_parse(copy, len, NULL, &oci, &error), -EINVAL);
		psc_oci_free(&oci);
	}
}

#define OTHER "/system.slice/podman.service"
#define MACHINE "/machine.slice/libpod-abc.scope"
#define NONE "it has no cgroup of its own"
#define UNSEEN "its cgroup cannot be seen from here"

static const struct {
	const char *container, *hook, *id;
	const char *cgroup;	/* or else: */
	const char *error;
} cgroup_cases[] = {
	{ MACHINE "/container", OTHER, "abc", MACHINE },
	{ MACHINE, OTHER, "abc", MACHINE },
	{ MACHINE "/container/deeper", OTHER, "abc", MACHINE },
	{ MACHINE "/container", "/", "abc", MACHINE },
	{ "/libpod_parent/libpod-abc", OTHER, "abc", "/libpod_parent/libpod-abc" },
	{ OTHER "/libpod-payload-abc", OTHER "/runtime", "abc", OTHER "/libpod-payload-abc" },
	{ "/kubepods.slice/kubepods-pod1.slice/crio-abc.scope/container", OTHER, "abc",
	  "/kubepods.slice/kubepods-pod1.slice/crio-abc.scope" },
	{ "/kubepods/burstable/pod1/abc", OTHER, "abc", "/kubepods/burstable/pod1/abc" },
	{ "/abc", OTHER, "abc", "/abc" },
	{ "/abc.scope", OTHER, "abc", "/abc.scope" },
	/* The one nearest to the process, should there be several. */
	{ "/a-abc/b/c-abc/d", OTHER, "abc", "/a-abc/b/c-abc" },

	/* a name of another form: the cgroup of the process itself */
	{ "/machine.slice/box.scope", OTHER, "abc", "/machine.slice/box.scope" },
	{ "/x/xabc", OTHER, "abc", "/x/xabc" },
	{ "/x-abc.slice/y", OTHER, "abc", "/x-abc.slice/y" },
	{ "/x-abc.scope.d/y", OTHER, "abc", "/x-abc.scope.d/y" },
	{ "/x/bc", OTHER, "abc", "/x/bc" },
	{ "/x/.scope", OTHER, "abc", "/x/.scope" },
	{ "/machine.slice/x", OTHER, "machine", "/machine.slice/x" },
	{ "/..x/y", OTHER, "abc", "/..x/y" },

	/* not the container's own */
	{ OTHER, OTHER, "abc", NULL, NONE },
	{ OTHER, OTHER "/runtime", "abc", NULL, NONE },
	{ "/", OTHER, "abc", NULL, NONE },
	{ "/", "/", "abc", NULL, NONE },
	{ "/user.slice/session-3.scope", "/user.slice/session-3.scope", "3", NULL, NONE },
	{ "/user.slice/session-3.scope/x", "/user.slice/session-3.scope/y", "3", NULL, NONE },
	{ "/a", "/ab", "x", "/a" },
	{ "/..", OTHER, "abc", NULL, UNSEEN },
	{ "/../libpod-abc.scope", OTHER, "abc", NULL, UNSEEN },
	{ "", OTHER, "abc", NULL, UNSEEN },
	{ "abc", OTHER, "abc", NULL, UNSEEN },
};

static void test_cgroup(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_cases); i++) {
		_cleanup_free_ char *error = NULL, *cgroup = NULL;
		int err = psc_oci_cgroup(cgroup_cases[i].container, cgroup_cases[i].hook,
					 cgroup_cases[i].id, &cgroup, &error);

		if (err != (cgroup_cases[i].error ? -EINVAL : 0))
			fail_msg("%s: %d, %s", cgroup_cases[i].container, err, error ? error : "");
		if (cgroup_cases[i].error) {
			assert_ptr_equal(strstr(error, cgroup_cases[i].error), error);
			assert_null(cgroup);
		} else {
			assert_string_equal(cgroup, cgroup_cases[i].cgroup);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_cut),
		cmocka_unit_test(test_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
