/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/common/names.c and src/common/util.c: words, pseudo-sysctls, numbers, whole-file reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>

#include "names.h"
#include "util.h"

#define UNWRITTEN 12345U

static const struct {
	const char *text;
	int err;
	unsigned int value;
} scopes[] = {
	{ "0", 0, 0 }, { "1", 0, 1 }, { "2", 0, 2 }, { "3", 0, 3 },
	{ "classic", 0, 0 }, { "restricted", 0, 1 }, { "admin-only", 0, 2 }, { "no-attach", 0, 3 },
	{ "00", -EINVAL }, { "03", -EINVAL },
	{ "4", -ERANGE }, { "10", -ERANGE }, { "4294967295", -ERANGE }, { "4294967296", -ERANGE },
	{ "18446744073709551616", -ERANGE }, { "99999999999999999999999", -ERANGE },
	{ "", -EINVAL }, { " ", -EINVAL }, { " 1", -EINVAL }, { "1 ", -EINVAL }, { "1\n", -EINVAL },
	{ "-1", -EINVAL }, { "-0", -EINVAL }, { "+1", -EINVAL }, { "0x1", -EINVAL },
	{ "1.0", -EINVAL }, { "1e0", -EINVAL }, { "1,2", -EINVAL }, { "\xd9\xa1", -EINVAL },
	{ "Classic", -EINVAL }, { "classi", -EINVAL }, { "classics", -EINVAL },
	{ "restrict", -EINVAL }, { "admin", -EINVAL }, { "admin_only", -EINVAL },
	{ "admin only", -EINVAL }, { "noattach", -EINVAL }, { "no", -EINVAL }, { "none", -EINVAL },
	{ "siblings", -EINVAL },
	{ "no-attach ", -EINVAL }, { "no-attach3", -EINVAL }, { "classic\n", -EINVAL },
	/* Yama's own words are none of ours. */
	{ "disabled", -EINVAL }, { "relational", -EINVAL }, { "capability", -EINVAL },
};

static void test_scope_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		unsigned int value = UNWRITTEN;
		int err = psc_scope_parse(scopes[i].text, &value);

		if (err != scopes[i].err || value != (err ? UNWRITTEN : scopes[i].value))
			fail_msg("'%s' gave %d, %u", scopes[i].text, err, value);
	}
}

static const struct {
	const char *text;
	int err;
	unsigned int value;
} numbers[] = {
	{ "0", 0, 0 }, { "7", 0, 7 }, { "0000000000000000000000000042", 0, 42 },
	{ "4294967295", 0, UINT32_MAX }, { "4294967296", -ERANGE }, { "42949672950", -ERANGE },
	{ "18446744073709551615", -ERANGE }, { "18446744073709551617", -ERANGE },
	{ "340282366920938463463374607431768211457", -ERANGE },
	{ "", -EINVAL }, { "-1", -EINVAL }, { "+1", -EINVAL }, { " 1", -EINVAL }, { "1 ", -EINVAL },
	{ "0x10", -EINVAL }, { "1_000", -EINVAL }, { "12a", -EINVAL }, { "/", -EINVAL },
	{ ":", -EINVAL },
	/* No number at all is worse than one too large, wherever the fault stands. */
	{ "99999999999999999999x", -EINVAL },
};

static void test_parse_u32(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned int value = UNWRITTEN;
		int err = psc_parse_u32(numbers[i].text, &value);

		if (err != numbers[i].err || value != (err ? UNWRITTEN : numbers[i].value))
			fail_msg("'%s' gave %d, %u", numbers[i].text, err, value);
	}
}

static void test_words(void **state)
{
	(void)state;
	for (unsigned int scope = 0; scope <= PSC_SCOPE_MAX; scope++) {
		unsigned int back = UNWRITTEN;

		assert_int_equal(psc_scope_parse(psc_scope_word(scope), &back), 0);
		assert_int_equal(back, scope);
	}
	/* Of cgroups only: it can be shown, and is not taken as a global scope. */
	assert_string_equal(psc_scope_word(PSC_SCOPE_SIBLINGS), "siblings");
	assert_null(psc_scope_word(PSC_SCOPE_SIBLINGS + 1));
	assert_null(psc_scope_word(PSC_SCOPE_INHERIT));
	assert_null(psc_scope_word(UINT_MAX));

	assert_string_equal(psc_mode_word(PSC_MODE_ATTACH), "attach");
	assert_string_equal(psc_mode_word(PSC_MODE_TRACEME), "traceme");
	assert_string_equal(psc_mode_word(PSC_MODE_READ), "read");
	assert_string_equal(psc_mode_word(PSC_MODE_BOUNDARY), "boundary");
	assert_null(psc_mode_word(PSC_MODE_SLOTS));
	assert_null(psc_mode_word(UINT_MAX));

	/* Every reason has a text of its own, and anything else has one too. */
	for (unsigned int a = 0; a <= PSC_REASON_BOUNDARY; a++) {
		assert_string_not_equal(psc_reason_text(a), psc_reason_text(UINT_MAX));
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(psc_reason_text(a), psc_reason_text(b));
	}
	assert_string_equal(psc_reason_text(PSC_REASON_BOUNDARY + 1), psc_reason_text(UINT_MAX));
}

static const struct {
	const char *name;
	bool floor;
	__u32 modes;
	unsigned int reads;	/* of the policy below */
} names[] = {
	{ "kernel.yama.ptrace_scope", false, 3, 1 },
	{ "kernel.ptracescope.attach_scope", false, 1, 1 },
	{ "kernel.ptracescope.traceme_scope", false, 2, 2 },
	{ "kernel.ptracescope.read_scope", false, 4, 3 },
	{ "kernel.ptracescope.cgroup_boundary", false, 8, 9 },
	{ "kernel.ptracescope.floor", true, 3, 0 },
};

static void test_names(void **state)
{
	static const char *const unknown[] = {
		"", "kernel", "kernel.yama", "kernel.yama.ptrace_scop", "kernel.yama.ptrace_scope2",
		"kernel.yama.ptrace_scope ", " kernel.yama.ptrace_scope",
		"kernel/yama/ptrace_scope", "Kernel.yama.ptrace_scope", "kernel.ptracescope",
		"kernel.ptracescope.", "floor",
		"kernel.ptracescope.traceme_floor",
	};
	const union psc_policy policy = { .scope = { 1, 2, 3, 9 }, .floor = { 0, 2, 3, 9 } };
	(void)state;

	assert_int_equal(ARRAY_SIZE(names), PSC_NAMES);
	for (size_t i = 0; i < PSC_NAMES; i++) {
		const struct psc_name *found = psc_name_find(names[i].name);
		struct psc_request req;

		assert_ptr_equal(found, &psc_names[i]);
		assert_int_equal(psc_name_get(found, &policy), names[i].reads);
		req = psc_name_request(found, 2);
		assert_int_equal(req.abi, PSC_ABI);
		assert_int_equal(req.op, PSC_OP_CHANGE);
		assert_int_equal(req.set, names[i].floor ? 0 : names[i].modes);
		assert_int_equal(req.raise, names[i].floor ? names[i].modes : 0);
		assert_int_equal(req.lock | req.unset | req.value, 0);
		assert_int_equal(names[i].floor ? req.want.floor[0] : req.want.scope[0], 2);
		assert_int_equal(req.flags, 0);
		assert_int_equal(req.origin, 0);
		assert_int_equal(req.dir_fd, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_null(psc_name_find(unknown[i]));
}

/* What applying a configuration in this order relies on. */
static void test_names_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < PSC_NAMES; i++) {
		for (size_t j = 0; j < i; j++) {
			bool covered = !(psc_names[j].modes & ~psc_names[i].modes);

			/* The broader before the narrower, floors after scopes. */
			if (psc_names[i].floor == psc_names[j].floor)
				assert_false(covered);
			assert_false(psc_names[j].floor && !psc_names[i].floor);
		}
	}
}

static void test_strip(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" }, { " ", "" }, { " \t\r\n", "" }, { "\va\f", "\va\f" }, { "a", "a" }, { "  a", "a" },
		{ "a\r\n", "a" }, { "\ta b\t", "a b" }, { "\xc2\xa0", "\xc2\xa0" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[32];

		strcpy(text, rows[i][0]);
		assert_string_equal(psc_strip(text), rows[i][1]);
	}
}

static char file[] = "/tmp/psc-test-names.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

static void write_file(const void *content, size_t len)
{
	_cleanup_close_ int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), (ssize_t)len);
}

static void test_read_file(void **state)
{
	char *text = NULL;
	size_t len = UNWRITTEN;
	(void)state;

	write_file("hello\n", 6);
	assert_int_equal(psc_read_file(file, 6, &text, NULL), 0);
	assert_string_equal(text, "hello\n");
	free(text);
	assert_int_equal(psc_read_file(file, 100, &text, &len), 0);
	assert_int_equal(len, 6);
	assert_string_equal(text, "hello\n");
	free(text);

	/* Errors leave the results alone. */
	text = file;
	len = UNWRITTEN;
	assert_int_equal(psc_read_file(file, 5, &text, &len), -EFBIG);
	assert_int_equal(psc_read_file(file, 0, &text, &len), -EFBIG);
	assert_int_equal(psc_read_file("/tmp", 100, &text, &len), -EISDIR);
	assert_int_equal(psc_read_file("/nonexistent/x", 100, &text, &len), -ENOENT);
	write_file("a\0b", 3);
	assert_int_equal(psc_read_file(file, 100, &text, NULL), -EBADMSG);
	assert_ptr_equal(text, file);
	assert_int_equal(len, UNWRITTEN);

	assert_int_equal(psc_read_file(file, 3, &text, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	write_file("", 0);
	assert_int_equal(psc_read_file(file, 0, &text, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	free(text);
	/* A file whose size is not known beforehand. */
	assert_int_equal(psc_read_file("/proc/self/status", 65536, &text, NULL), 0);
	assert_int_equal(strncmp(text, "Name:", 5), 0);
	free(text);
}

static void test_read_fd(void **state)
{
	char *text = NULL;
	int fds[2];
	(void)state;

	/* In pieces, and from where it stands. */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "one", 3), 3);
	assert_int_equal(write(fds[1], "two", 3), 3);
	close(fds[1]);
	assert_int_equal(psc_read_fd(fds[0], 6, &text, NULL), 0);
	assert_string_equal(text, "onetwo");
	free(text);
	assert_int_equal(psc_read_fd(fds[0], 6, &text, NULL), 0);
	assert_string_equal(text, "");
	free(text);
	close(fds[0]);
	assert_int_equal(psc_read_fd(-1, 6, &text, NULL), -EBADF);
}

static void cleanup_frees(int *ret_fd, char **ret_text)
{
	_cleanup_close_ int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int taken = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int never = -1;
	_cleanup_free_ char *text = strdup("taken");
	_cleanup_free_ char *freed = strdup("freed");

	assert_true(closed >= 0 && taken >= 0 && never < 0);
	assert_non_null(freed);
	ret_fd[0] = closed;
	ret_fd[1] = TAKE_FD(taken);
	assert_int_equal(taken, -1);
	*ret_text = TAKE_PTR(text);
	assert_null(text);
}

static void test_cleanup(void **state)
{
	char *text;
	int fds[2];
	(void)state;

	cleanup_frees(fds, &text);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	close(fds[1]);
	assert_string_equal(text, "taken");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scope_parse),
		cmocka_unit_test(test_parse_u32),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_order),
		cmocka_unit_test(test_strip),
		cmocka_unit_test_setup_teardown(test_read_file, make_file, remove_file),
		cmocka_unit_test(test_read_fd),
		cmocka_unit_test(test_cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
