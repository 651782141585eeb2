/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon's unit sees elsewhere is logged by the name that all others know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log.h"
#include "util.h"

static char logged[4096];

static void sink(const char *line, size_t len)
{
	assert_true(len < sizeof(logged));
	memcpy(logged, line, len);
	logged[len] = '\0';
}

static void test_names(void **state)
{
	static const struct {
		const char *said, *wanted;
	} rows[] = {
		{ "nothing of it", "nothing of it\n" },
		{ "/sys/fs/bpf/ptracescope: no", "/sys/fs/bpf/ptracescope: no\n" },
		{ "/run/ptracescope/bpf/ptracescope: no", "/sys/fs/bpf/ptracescope: no\n" },
		{ "chmod 0700 /run/ptracescope/bpf && rm -r /run/ptracescope/bpf/x",
		  "chmod 0700 /sys/fs/bpf && rm -r /sys/fs/bpf/x\n" },
		{ "/run/ptracescope/io.ptracescope", "/run/ptracescope/io.ptracescope\n" },
	};

	(void)state;
	psc_log_set_name("x");
	psc_log_set_sink(sink);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		psc_log(LOG_ERR, "%s", rows[i].said);
		assert_string_equal(logged + strlen("x: "), rows[i].wanted);
	}
	psc_log_set_sink(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
