/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics: their formats, the method, "ptracescopectl metrics", and HTTP. */
#include "command_run.h"

#include "http.h"
#include "metrics.h"

static const struct psc_metrics some = {
	.counted = true, .enforcing = true, .configured = true, .cgroups = 3,
	.sticky_floors = 2, .build = 0xabc, .longest_turn_usec = 1234567, .unlogged = 4,
	.stats[PSC_STAT_REFUSED] = 9, .stats[PSC_STAT_SUPPRESSED] = 70, .stats[PSC_STAT_DROPPED] = 8,
	.policy = { .scope = { 1, 2, 0, 1 }, .floor = { 1, 0, 0, 0 } },
	.counts.n[PSC_COUNT_REFUSED(PSC_MODE_ATTACH, PSC_REASON_UNRELATED)] = 5,
	.counts.n[PSC_COUNT_REFUSED(PSC_MODE_READ, PSC_REASON_BOUNDARY)] = 6,
	.counts.n[PSC_COUNT_TAMPER(PSC_GUARD_MAP)] = 7,
	.counts.n[PSC_COUNT_DECLARED] = 11,
	.proofs = { 1, 0, -1, 1 },
};

static bool is_name(const char *text, size_t len)
{
	return len > strlen("ptracescope_") && strncmp(text, "ptracescope_", 12) == 0 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz_") >= len;
}

/*
 * Is every family described before its samples, which follow at once; is each sample a name, labels
 * and a number; is the end there? As both formats have it, but for the names of counters.
 */
static void assert_format(const char *text, bool openmetrics)
{
	_cleanup_free_ char *copy = strdup(text), *family = NULL;
	char *rest = copy, *line;
	bool ended = false, is_counter = false;
	unsigned int samples = 0;

	while ((line = strsep(&rest, "\n"))) {
		size_t len;
		double value;
		char after;

		if (ended) {
			assert_string_equal(line, "");
			assert_null(rest);
			break;
		}
		if (streq(line, "# EOF")) {
			ended = true;
			continue;
		}
		if (strncmp(line, "# HELP ", 7) == 0) {
			len = strcspn(line + 7, " ");
			assert_true(is_name(line + 7, len));
			assert_true(strlen(line + 7 + len) > 10);
			free(family);
			family = strndup(line + 7, len);
			continue;
		}
		assert_non_null(family);
		if (strncmp(line, "# TYPE ", 7) == 0) {
			len = strlen(family);
			assert_int_equal(strncmp(line + 7, family, len), 0);
			is_counter = streq(line + 7 + len, " counter");
			assert_true(is_counter || streq(line + 7 + len, " gauge"));
			assert_int_equal(is_counter && !openmetrics,
					 len > 6 && streq(family + len - 6, "_total"));
			continue;
		}
		len = strcspn(line, "{ ");
		assert_true(is_name(line, len));
		assert_int_equal(strncmp(line, family, strlen(family)), 0);
		assert_int_equal(strncmp(line + strlen(family), is_counter && openmetrics ?
					 "_total" : "", len - strlen(family)), 0);
		if (line[len] == '{') {
			char *end = strstr(line, "\"} ");

			assert_non_null(end);
			line = end + 3;
		} else {
			line += len + 1;
		}
		assert_int_equal(sscanf(line, "%lf%c", &value, &after), 1);
		samples++;
	}
	assert_true(ended);
	assert_true(samples > 30);
}

static void assert_has(const char *text, const char *line)
{
	_cleanup_free_ char *whole = psc_text("\n%s\n", line);

	if (!strstr(text, whole))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void test_format(void **state)
{
	struct psc_metrics older = some;

	(void)state;
	for (int open = 0; open < 2; open++) {
		_cleanup_free_ char *text = psc_metrics_format(&some, open);

		assert_format(text, open);
		assert_has(text, "ptracescope_refusals_total{mode=\"attach\",reason=\"unrelated\"} 5");
		assert_has(text, "ptracescope_refusals_total{mode=\"read\",reason=\"boundary\"} 6");
		assert_has(text, "ptracescope_refusals_total{mode=\"traceme\",reason=\"dead\"} 0");
		assert_has(text, "ptracescope_suppressed_total 70");
		assert_has(text, "ptracescope_lost_total 8");
		assert_has(text, "ptracescope_tampering_total{guard=\"map\"} 7");
		assert_has(text, "ptracescope_scope{mode=\"traceme\"} 2");
		assert_has(text, "ptracescope_scope{mode=\"boundary\"} 1");
		assert_has(text, "ptracescope_floor{mode=\"attach\"} 1");
		assert_has(text, "ptracescope_cgroup_settings 3");
		assert_has(text, "ptracescope_sticky_floors 2");
		assert_has(text, "ptracescope_declared_tracers 11");
		assert_has(text, "ptracescope_enforcing 1");
		assert_has(text, "ptracescope_selftest_ok{test=\"attach\"} 1");
		assert_has(text, "ptracescope_selftest_ok{test=\"traceme\"} 0");
		assert_null(strstr(text, "test=\"read\""));
		assert_has(text, "ptracescope_longest_turn_seconds 1.234567");
		assert_has(text, "ptracescope_build_info{version=\"" PSC_VERSION
			   "\",build=\"0000000000000abc\"} 1");
		assert_has(text, open ? "# TYPE ptracescope_refusals counter" :
			   "# TYPE ptracescope_suppressed_total counter");
	}
	/* Programs that do not count by reasons. */
	older.counted = false;
	for (int open = 0; open < 2; open++) {
		_cleanup_free_ char *text = psc_metrics_format(&older, open);

		assert_has(text, "ptracescope_refusals_total{mode=\"unknown\",reason=\"unknown\"} 9");
		assert_null(strstr(text, "tampering"));
		assert_null(strstr(text, "declared"));
		assert_non_null(strstr(text, "\n# EOF\n"));
	}
}

static void test_command(void **state)
{
	static const char *const plain[ARGUMENTS_MAX] = { "metrics" };
	static const char *const open[ARGUMENTS_MAX] = { "metrics", "--openmetrics" };
	static const struct run_case broken[] = {
		{ { "metrics" }, 1, "", LINE("the daemon failed: reading the counters: "
					     "Input/output error; see: "
					     "journalctl -u ptracescoped") },
	};
	_cleanup_free_ char *wanted = psc_metrics_format(&some, false);
	_cleanup_free_ char *wanted_open = psc_metrics_format(&some, true);
	struct result result;
	struct service s;

	(void)state;
	service_there(&s);
	s.fake.metrics = some;
	run_against(&s, plain, &result);
	assert_int_equal(result.code, 0);
	assert_int_equal(strncmp(result.out, wanted, sizeof(result.out) - 1), 0);
	run_against(&s, open, &result);
	assert_int_equal(strncmp(result.out, wanted_open, sizeof(result.out) - 1), 0);
	s.fake.metrics_err = -EIO;
	check_runs(&s, broken, ARRAY_SIZE(broken));
	service_stop(&s);
}

static void test_requests(void **state)
{
	static const struct {
		const char *text;
		struct psc_http_request wanted;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", { 200, false, false } },
		{ "GET /metrics HTTP/1.0\n\n", { 200, false, false } },
		{ "GET /metrics?a=b HTTP/1.1\r\n\r\n", { 200, false, false } },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", { 200, true, false } },
		{ "GET /metrics HTTP/1.1\r\naccept: application/openmetrics-text;version=1.0.0,"
		  "text/plain;q=0.5\r\n\r\n", { 200, false, true } },
		{ "GET /metrics HTTP/1.1\r\nX: application/openmetrics-text\r\n\r\n",
		  { 200, false, false } },
		{ "GET / HTTP/1.1\r\n\r\n", { 404, false, false } },
		{ "GET /metrics/x HTTP/1.1\r\n\r\n", { 404, false, false } },
		{ "POST /metrics HTTP/1.1\r\n\r\n", { 405, false, false } },
		{ "get /metrics HTTP/1.1\r\n\r\n", { 405, false, false } },
		{ "GET /metrics\r\n\r\n", { 400, false, false } },
		{ "GET  HTTP/1.1\r\n\r\n", { 404, false, false } },
		{ "GET /metrics HTTP/2\r\n\r\n", { 400, false, false } },
		{ "\r\n\r\n", { 400, false, false } },
		{ " \n\n", { 400, false, false } },
		{ "\x16\x03\x01\n\n", { 400, false, false } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = strdup(cases[i].text);
		struct psc_http_request got = psc_http_parse(text);

		if (got.status != cases[i].wanted.status || got.head != cases[i].wanted.head ||
		    got.openmetrics != cases[i].wanted.openmetrics)
			fail_msg("case %zu: %d %d %d", i, got.status, got.head, got.openmetrics);
	}
}

/* What is sent, as it comes through a socket: in pieces, too long, with a NUL, not to its end. */
static void test_reading(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
	struct psc_http_request got;
	char filler[PSC_HTTP_HEAD_MAX];
	int pair[2];

	(void)state;
	memset(filler, 'x', sizeof(filler));
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
	put(pair[0], request, sizeof(request) - 1);
	assert_int_equal(psc_http_read(pair[1], 1000, &got), 0);
	assert_int_equal(got.status, 200);
	put(pair[0], request, 10);
	assert_int_equal(psc_http_read(pair[1], 1, &got), 0);
	assert_int_equal(got.status, 408);
	put(pair[0], "GET /metrics\0 HTTP/1.1\r\n\r\n", 26);
	assert_int_equal(psc_http_read(pair[1], 1000, &got), 0);
	assert_int_equal(got.status, 400);
	put(pair[0], filler, sizeof(filler));
	assert_int_equal(psc_http_read(pair[1], 1000, &got), 0);
	assert_int_equal(got.status, 431);
	close(pair[0]);
	assert_int_equal(psc_http_read(pair[1], 1000, &got), -ECONNRESET);
	close(pair[1]);
}

static void assert_answer(int status, bool head, const char *body, const char *wanted)
{
	struct psc_http_request request = { status, head, false };
	char text[512];
	int pair[2];
	ssize_t n;

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
	assert_int_equal(psc_http_answer(pair[1], &request, status, body, 1), 0);
	n = recv(pair[0], text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, wanted);
	assert_int_equal(recv(pair[0], text, sizeof(text), 0), 0);
	close(pair[0]);
	close(pair[1]);
}

static void test_answers(void **state)
{
	(void)state;
	assert_answer(200, false, "a 1\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; "
		      "version=0.0.4; charset=utf-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
		      "a 1\n");
	assert_answer(200, true, "a 1\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; "
		      "version=0.0.4; charset=utf-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
	assert_answer(405, false, NULL, "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; "
		      "charset=utf-8\r\nContent-Length: 23\r\nAllow: GET, HEAD\r\n"
		      "Connection: close\r\n\r\n405 Method Not Allowed\n");
	assert_answer(503, false, NULL, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: "
		      "text/plain; charset=utf-8\r\nContent-Length: 24\r\nConnection: close\r\n\r\n"
		      "503 Service Unavailable\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_format),
		TEST(test_command),
		TEST(test_requests),
		TEST(test_reading),
		TEST(test_answers),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
