/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prerequisites, read from trees of files that are right, wrong and odd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>

#include "fake_root.h"
#include "prereq.h"
#include "util.h"

#define LSM "/sys/kernel/security/lsm"
#define BTF "/sys/kernel/btf/vmlinux"
#define FTRACE "/proc/sys/kernel/ftrace_enabled"
#define LOCKDOWN "/sys/kernel/security/lockdown"
#define YAMA "/proc/sys/kernel/yama/ptrace_scope"
#define STATUS "/proc/self/status"
#define USER_NS "/proc/self/ns/user"
#define MOUNTS "/proc/self/mounts"

#define CAPS(hex) \
	"Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t" hex "\nCapBnd:\t000001ffffffffff\n"

static struct fake_root root;
static struct psc_prereqs table;

/* BTF with one function of this name. */
static void write_btf(const char *function)
{
	struct btf *btf = btf__new_empty();
	const void *raw;
	uint32_t size;
	int id;

	assert_non_null(btf);
	id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	assert_true(id > 0);
	id = btf__add_func_proto(btf, id);
	assert_true(id > 0);
	assert_true(btf__add_func(btf, function, BTF_FUNC_GLOBAL, id) > 0);
	raw = btf__raw_data(btf, &size);
	assert_non_null(raw);
	fake_root_bytes(&root, BTF, raw, size);
	btf__free(btf);
}

/* Everything as it should be; bpffs cannot be faked by files and is missing. */
static int setup(void **state)
{
	(void)state;
	fake_root_new(&root);
	fake_root_write(&root, STATUS, CAPS("000001ffffffffff"));
	fake_root_link(&root, USER_NS, "user:[4026531837]");
	fake_root_write(&root, LSM, "lockdown,capability,landlock,yama,apparmor,bpf");
	fake_root_write(&root, LOCKDOWN, "[none] integrity confidentiality\n");
	fake_root_write(&root, FTRACE, "1\n");
	fake_root_write(&root, YAMA, "1\n");
	fake_root_write(&root, MOUNTS, "proc /proc proc rw 0 0\n"
				       "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
	fake_root_write(&root, "/sys/fs/bpf/x", "");
	write_btf("bpf_lsm_ptrace_access_check");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	psc_prereq_free(&table);
	fake_root_free(&root);
	return 0;
}

/* Check, and return the row of this name. */
static const struct psc_prereq *check(const char *what)
{
	psc_prereq_free(&table);
	assert_true(psc_prereq_check(root.path, &table) >= 0);
	for (size_t i = 0; i < table.n; i++)
		if (streq(table.rows[i].what, what))
			return &table.rows[i];
	fail_msg("no row \"%s\"", what);
	return NULL;
}

static void expect(const char *what, enum psc_prereq_state state, const char *found)
{
	const struct psc_prereq *row = check(what);

	assert_int_equal(row->state, state);
	assert_string_equal(row->found, found);
	if (state == PSC_PREREQ_MISSING)
		assert_non_null(row->remedy);
	if (state == PSC_PREREQ_OK || state == PSC_PREREQ_INFO)
		assert_null(row->remedy);
}

static void test_lsm_listed(void **state)
{
	static const struct {
		const char *list;
		bool listed;
	} rows[] = {
		{ "bpf", true },
		{ "bpf\n", true },
		{ "lockdown,bpf", true },
		{ "lockdown,bpf\n", true },
		{ "bpf,lockdown", true },
		{ "a,bpf,c", true },
		{ ",bpf,", true },
		{ "", false },
		{ "\n", false },
		{ ",", false },
		{ "bpfx", false },
		{ "notbpf", false },
		{ "bp", false },
		{ "bpfx,notbpf", false },
		{ "BPF", false },
		{ "capability bpf", false },
		{ "capability\nbpf", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (psc_lsm_listed(rows[i].list, "bpf") != rows[i].listed)
			fail_msg("\"%s\"", rows[i].list);
}

static void test_boot_line(void **state)
{
	static const struct {
		const char *present, *line;
	} rows[] = {
		{ "lockdown,capability,yama", "lsm=lockdown,yama,bpf" },
		{ "lockdown,capability,landlock,yama,apparmor\n",
		  "lsm=lockdown,landlock,yama,apparmor,bpf" },
		{ "capability,ima,evm", "lsm=ima,evm,bpf" },
		{ "capability", "lsm=bpf" },
		{ "", "lsm=bpf" },
		{ "\n", "lsm=bpf" },
		{ "bpf", "lsm=bpf" },
		{ "bpf,yama", "lsm=bpf,yama" },
		{ "bpf,capability", "lsm=bpf" },
		{ "yama,bpf,bpf,apparmor", "lsm=yama,bpf,apparmor" },
		{ "bpfx,notbpf,capabilityx", "lsm=bpfx,notbpf,capabilityx,bpf" },
		{ ",,yama,,", "lsm=yama,bpf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *line = psc_lsm_boot_line(rows[i].present);

		assert_non_null(line);
		assert_string_equal(line, rows[i].line);
		free(line);
	}
}

static void test_all_there(void **state)
{
	(void)state;
	expect("privileges", PSC_PREREQ_OK, "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE");
	expect("setting floors", PSC_PREREQ_OK, "CAP_NET_ADMIN");
	expect("kernel BTF", PSC_PREREQ_OK, BTF);
	expect("BPF LSM built in", PSC_PREREQ_OK, "has bpf_lsm_ptrace_access_check");
	expect("bpf in the LSM list", PSC_PREREQ_OK,
	       "lockdown,capability,landlock,yama,apparmor,bpf");
	expect("ftrace", PSC_PREREQ_OK, "kernel.ftrace_enabled = 1");
	expect("kernel lockdown", PSC_PREREQ_OK, "[none] integrity confidentiality");
	expect("Yama", PSC_PREREQ_INFO, "active, at 1; the stricter of the two decides");
	expect("cgroup2", PSC_PREREQ_INFO, "/sys/fs/cgroup");
	expect("BPF file system", PSC_PREREQ_MISSING, "not mounted at /sys/fs/bpf");
	assert_string_equal(check("BPF file system")->remedy, "mount -t bpf -o mode=0700 bpf /sys/fs/bpf");
	/* The kernel itself is not asked on behalf of a tree of files. */
	assert_int_equal(table.n, 10);
	psc_prereq_free(&table);
	assert_int_equal(psc_prereq_check(root.path, &table), 1);
}

static void test_nothing_there(void **state)
{
	struct fake_root empty;
	struct psc_prereqs prereqs;
	enum psc_prereq_state states[] = {
		PSC_PREREQ_UNKNOWN,	/* privileges */
		PSC_PREREQ_MISSING,	/* kernel BTF */
		PSC_PREREQ_UNKNOWN,	/* BPF LSM built in */
		PSC_PREREQ_UNKNOWN,	/* bpf in the LSM list */
		PSC_PREREQ_OK,		/* ftrace */
		PSC_PREREQ_MISSING,	/* BPF file system */
		PSC_PREREQ_OK,		/* kernel lockdown */
		PSC_PREREQ_INFO,	/* Yama */
		PSC_PREREQ_UNKNOWN,	/* cgroup2 */
	};

	(void)state;
	fake_root_new(&empty);
	assert_int_equal(psc_prereq_check(empty.path, &prereqs), 2);
	assert_int_equal(prereqs.n, ARRAY_SIZE(states));
	for (size_t i = 0; i < prereqs.n; i++)
		assert_int_equal(prereqs.rows[i].state, states[i]);
	assert_non_null(strstr(prereqs.rows[3].remedy, "mount -t securityfs securityfs "));
	psc_prereq_free(&prereqs);
	fake_root_free(&empty);
}

static void test_privileges(void **state)
{
	static const struct {
		const char *status;
		enum psc_prereq_state state;
		const char *found;
	} rows[] = {
		/* exactly the three: bits 39, 38, 19 */
		{ CAPS("000000c000080000"), PSC_PREREQ_OK,
		  "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE" },
		/* CAP_SYS_ADMIN (21) stands for two of them */
		{ CAPS("0000000000280000"), PSC_PREREQ_OK,
		  "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE" },
		{ CAPS("0000000000200000"), PSC_PREREQ_MISSING, "lacks CAP_SYS_PTRACE" },
		{ CAPS("000000c000000000"), PSC_PREREQ_MISSING, "lacks CAP_SYS_PTRACE" },
		{ CAPS("0000008000080000"), PSC_PREREQ_MISSING, "lacks CAP_PERFMON" },
		{ CAPS("0000004000080000"), PSC_PREREQ_MISSING, "lacks CAP_BPF" },
		{ CAPS("0000000000000000"), PSC_PREREQ_MISSING,
		  "lacks CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE" },
		{ CAPS(""), PSC_PREREQ_UNKNOWN, "/proc/self/status: Bad message" },
		{ CAPS("zzz"), PSC_PREREQ_UNKNOWN, "/proc/self/status: Bad message" },
		{ "XCapEff:\t000001ffffffffff\n", PSC_PREREQ_UNKNOWN,
		  "/proc/self/status: Bad message" },
	};
	static const char *const others[] = {
		"user:[4026531836]", "user:[40265318370]", "user:[4026532]", "x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_root_write(&root, STATUS, rows[i].status);
		expect("privileges", rows[i].state, rows[i].found);
		if (rows[i].state == PSC_PREREQ_MISSING)
			expect("setting floors", PSC_PREREQ_UNKNOWN,
			       "cannot be told without the privileges");
	}
	fake_root_write(&root, STATUS, CAPS("000001ffffffffff"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		fake_root_remove(&root, USER_NS);
		fake_root_link(&root, USER_NS, others[i]);
		expect("privileges", PSC_PREREQ_MISSING, "not in the initial user namespace");
	}
	fake_root_remove(&root, USER_NS);
	assert_int_equal(check("privileges")->state, PSC_PREREQ_OK);

	/* CAP_NET_ADMIN (12) is for floors only. */
	expect("setting floors", PSC_PREREQ_OK, "CAP_NET_ADMIN");
	fake_root_write(&root, STATUS, CAPS("000000c000080000"));
	expect("setting floors", PSC_PREREQ_INFO, "not possible: lacks CAP_NET_ADMIN");
	fake_root_write(&root, STATUS, CAPS("000000c000081000"));
	expect("setting floors", PSC_PREREQ_OK, "CAP_NET_ADMIN");
}

static void test_btf(void **state)
{
	(void)state;
	write_btf("bpf_lsm_ptrace_access_checkx");
	expect("BPF LSM built in", PSC_PREREQ_MISSING, "no bpf_lsm_ptrace_access_check");
	assert_non_null(strstr(check("BPF LSM built in")->remedy, "CONFIG_BPF_LSM=y"));
	fake_root_write(&root, BTF, "no BTF at all, but long enough to be taken for a header");
	assert_int_equal(check("BPF LSM built in")->state, PSC_PREREQ_UNKNOWN);
	fake_root_remove(&root, BTF);
	expect("kernel BTF", PSC_PREREQ_MISSING, BTF ": No such file or directory");
	assert_non_null(strstr(check("kernel BTF")->remedy, "CONFIG_DEBUG_INFO_BTF=y"));
	assert_int_equal(check("BPF LSM built in")->state, PSC_PREREQ_UNKNOWN);
}

static void test_lsm_row(void **state)
{
	static const struct {
		const char *list, *remedy;
	} rows[] = {
		{ "lockdown,capability,landlock,yama,apparmor\n",
		  "boot with: lsm=lockdown,landlock,yama,apparmor,bpf\n" },
		{ "capability,bpfx", "boot with: lsm=bpfx,bpf\n" },
		{ "capability,notbpf", "boot with: lsm=notbpf,bpf\n" },
		{ "", "boot with: lsm=bpf\n" },
		{ "capability,\033[2Jevil", "boot with an lsm= parameter that ends in ,bpf" },
	};
	char long_list[5000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct psc_prereq *row;

		fake_root_write(&root, LSM, rows[i].list);
		row = check("bpf in the LSM list");
		assert_int_equal(row->state, PSC_PREREQ_MISSING);
		assert_int_equal(strncmp(row->remedy, rows[i].remedy, strlen(rows[i].remedy)), 0);
		assert_null(strchr(row->found, '\033'));
	}
	fake_root_write(&root, LSM, "yama,bpf\n");
	expect("bpf in the LSM list", PSC_PREREQ_OK, "yama,bpf");

	memset(long_list, 'x', sizeof(long_list));
	fake_root_bytes(&root, LSM, long_list, sizeof(long_list));
	assert_int_equal(check("bpf in the LSM list")->state, PSC_PREREQ_MISSING);
	assert_true(strlen(check("bpf in the LSM list")->found) < 500);
	memcpy(long_list + sizeof(long_list) - 4, ",bpf", 4);
	fake_root_bytes(&root, LSM, long_list, sizeof(long_list));
	assert_int_equal(check("bpf in the LSM list")->state, PSC_PREREQ_OK);

	fake_root_bytes(&root, LSM, "yama\0,bpf", 9);
	assert_int_equal(check("bpf in the LSM list")->state, PSC_PREREQ_UNKNOWN);
}

static void test_too_large(void **state)
{
	size_t size = 1 << 20;
	char *much = malloc(size);

	(void)state;
	assert_non_null(much);
	memset(much, ',', size);
	fake_root_bytes(&root, LSM, much, size);
	expect("bpf in the LSM list", PSC_PREREQ_UNKNOWN, LSM ": File too large");
	fake_root_bytes(&root, STATUS, much, size);
	expect("privileges", PSC_PREREQ_UNKNOWN, "/proc/self/status: File too large");
	free(much);
}

static void test_switches(void **state)
{
	(void)state;
	fake_root_write(&root, FTRACE, "0\n");
	expect("ftrace", PSC_PREREQ_MISSING, "kernel.ftrace_enabled = 0");
	assert_non_null(strstr(check("ftrace")->remedy, "sysctl -w kernel.ftrace_enabled=1\n"));
	fake_root_remove(&root, FTRACE);
	assert_int_equal(check("ftrace")->state, PSC_PREREQ_OK);

	fake_root_write(&root, LOCKDOWN, "none [integrity] confidentiality\n");
	assert_int_equal(check("kernel lockdown")->state, PSC_PREREQ_OK);
	fake_root_write(&root, LOCKDOWN, "none integrity [confidentiality]\n");
	assert_int_equal(check("kernel lockdown")->state, PSC_PREREQ_MISSING);
	fake_root_remove(&root, LOCKDOWN);
	expect("kernel lockdown", PSC_PREREQ_OK, "none");

	fake_root_remove(&root, YAMA);
	expect("Yama", PSC_PREREQ_INFO, "not active");

	fake_root_write(&root, MOUNTS, "cgroup2x /a xcgroup2 rw 0 0\n");
	expect("cgroup2", PSC_PREREQ_INFO, "not mounted");
	fake_root_write(&root, MOUNTS, "none /a\\040b\033 cgroup2 rw 0 0\n");
	expect("cgroup2", PSC_PREREQ_INFO, "/a b\\x1b");
}

static char *print(const struct psc_prereqs *prereqs, bool colour)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	psc_prereq_print(prereqs, out, colour);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_print(void **state)
{
	char a[] = "found", b[] = "lockdown,capability";
	char remedy[] = "boot with: lsm=lockdown,bpf\nreboot";
	const struct psc_prereqs prereqs = {
		.n = 4,
		.rows = {
			{ "short", PSC_PREREQ_OK, a, NULL },
			{ "bpf in the LSM list", PSC_PREREQ_MISSING, b, remedy },
			{ "x", PSC_PREREQ_UNKNOWN, a, NULL },
			{ "y", PSC_PREREQ_INFO, a, NULL },
		},
	};
	char *text = print(&prereqs, false);

	(void)state;
	assert_string_equal(text,
			    "ok       short                found\n"
			    "MISSING  bpf in the LSM list  lockdown,capability\n"
			    "         boot with: lsm=lockdown,bpf\n"
			    "         reboot\n"
			    "unknown  x                    found\n"
			    "info     y                    found\n");
	free(text);
	text = print(&prereqs, true);
	assert_non_null(strstr(text, "\033[1;31mMISSING\033[0m  bpf in the LSM list  lockdown"));
	assert_non_null(strstr(text, "info     y                    found\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lsm_listed),
		cmocka_unit_test(test_boot_line),
		cmocka_unit_test_setup_teardown(test_all_there, setup, teardown),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test_setup_teardown(test_privileges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_btf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lsm_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_switches, setup, teardown),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("prereq", tests, NULL, NULL);
}
