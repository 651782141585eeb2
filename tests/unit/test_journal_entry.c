/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports of refusals, from events and a fake /proc with hostile names in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "escape.h"
#include "fake_root.h"
#include "journal_entry.h"
#include "util.h"

#define TRACER 1240
#define TRACER_START 70123
#define TRACEE 1234
#define TRACEE_START 70001

static struct fake_root proc;
static struct psc_event event;
static struct psc_journal_entry report;

/* The latest start in the tick that /proc shows as @ticks. */
static uint64_t ticks_to_ns(uint64_t ticks)
{
	uint64_t tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	return ticks * tick + tick - 1;
}

static void write_pid(unsigned int pid, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/%u/%s", pid, name);
	fake_root_write(&proc, path, text);
}

static void write_stat(unsigned int pid, unsigned int tid, const char *comm, const char *start)
{
	char name[64], text[512];

	snprintf(name, sizeof(name), "task/%u/stat", tid);
	snprintf(text, sizeof(text),
		 "%u (%s) S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %s 8192 200 1844674\n",
		 tid, comm, start);
	write_pid(pid, name, text);
}

static void write_cmdline(unsigned int pid, const char *bytes, size_t len)
{
	char path[64];

	snprintf(path, sizeof(path), "/%u/cmdline", pid);
	fake_root_bytes(&proc, path, bytes, len);
}

/* "gdb -p 1234" was refused to attach to "sleep 60". */
static int setup(void **state)
{
	(void)state;
	fake_root_new(&proc);
	write_stat(TRACER, TRACER, "gdb", "70123");
	write_cmdline(TRACER, "gdb\0-p\0" "1234\0", 12);
	write_pid(TRACER, "cgroup", "0::/user.slice/user-1000.slice/session-1.scope\n");
	write_stat(TRACEE, TRACEE, "sleep", "70001");
	write_cmdline(TRACEE, "sleep\0" "60\0", 9);
	write_pid(TRACEE, "cgroup",
		  "2:cpu:/x\n1:name=systemd:/0::/y\n0::/system.slice/a:b.service\n");

	event = (struct psc_event){
		.size = sizeof(event),
		.mode = PSC_MODE_ATTACH,
		.scope = PSC_SCOPE_RESTRICTED,
		.reason = PSC_REASON_UNRELATED,
		.access = 0x02 | 0x10,
		.tracer = { TRACER, TRACER, 1000, 0, ticks_to_ns(TRACER_START), 77, "gdb" },
		.tracee = { TRACEE, TRACEE, 1001, 0, ticks_to_ns(TRACEE_START), 78, "sleep" },
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	psc_journal_clear(&report);
	fake_root_free(&proc);
	return 0;
}

static void format_report(void)
{
	psc_journal_clear(&report);
	assert_int_equal(psc_journal_format(&event, sizeof(event), proc.path, &report), 0);
}

/* The field has this value; NULL: is not there. */
static void expect(const char *name, const char *value)
{
	const char *found = psc_journal_get(&report, name);

	if (!value) {
		assert_null(found);
		return;
	}
	if (!found)
		fail_msg("no %s", name);
	assert_string_equal(found, value);
}

static void test_whole_entry(void **state)
{
	(void)state;
	format_report();
	expect("MESSAGE", "refused attach of \"sleep 60\"[1234] by \"gdb -p 1234\"[1240] "
			  "(uid 1000, scope 1 restricted): the tracer is no ancestor, was not "
			  "declared with PR_SET_PTRACER, and lacks CAP_SYS_PTRACE");
	expect("MESSAGE_ID", PSC_MESSAGE_ID_REFUSED);
	expect("PRIORITY", "5");
	expect("PTRACESCOPE_OPERATION", "attach");
	expect("PTRACESCOPE_SCOPE", "1");
	expect("PTRACESCOPE_SCOPE_NAME", "restricted");
	expect("PTRACESCOPE_REASON", "unrelated");
	expect("PTRACESCOPE_REASON_TEXT", "the tracer is no ancestor, was not declared with "
					  "PR_SET_PTRACER, and lacks CAP_SYS_PTRACE");
	expect("PTRACESCOPE_ACCESS_MODE", "attach,realcreds");
	expect("PTRACESCOPE_TRACER_PID", "1240");
	expect("PTRACESCOPE_TRACER_TID", "1240");
	expect("PTRACESCOPE_TRACER_UID", "1000");
	expect("PTRACESCOPE_TRACER_COMM", "gdb");
	expect("PTRACESCOPE_TRACER_CMDLINE", "gdb -p 1234");
	expect("PTRACESCOPE_TRACER_CGROUP", "/user.slice/user-1000.slice/session-1.scope");
	expect("PTRACESCOPE_TRACER_CGROUP_ID", "77");
	expect("PTRACESCOPE_TRACEE_PID", "1234");
	expect("PTRACESCOPE_TRACEE_TID", "1234");
	expect("PTRACESCOPE_TRACEE_UID", "1001");
	expect("PTRACESCOPE_TRACEE_COMM", "sleep");
	expect("PTRACESCOPE_TRACEE_CMDLINE", "sleep 60");
	expect("PTRACESCOPE_TRACEE_CGROUP", "/system.slice/a:b.service");
	expect("PTRACESCOPE_TRACEE_CGROUP_ID", "78");
	assert_int_equal(report.n, 23);

	psc_journal_clear(&report);
	assert_int_equal(psc_journal_format(&event, sizeof(event), NULL, &report), 0);
	expect("MESSAGE", "refused attach of \"sleep\"[1234] by \"gdb\"[1240] "
			  "(uid 1000, scope 1 restricted): the tracer is no ancestor, was not "
			  "declared with PR_SET_PTRACER, and lacks CAP_SYS_PTRACE");
	expect("PTRACESCOPE_TRACER_CMDLINE", NULL);
	expect("PTRACESCOPE_TRACEE_CGROUP", NULL);
}

/* What is in /proc now is another's: nothing of it is told. */
static void expect_fallback(void)
{
	format_report();
	expect("PTRACESCOPE_TRACER_COMM", "gdb");
	expect("PTRACESCOPE_TRACER_CGROUP_ID", "77");
	expect("PTRACESCOPE_TRACER_CMDLINE", NULL);
	expect("PTRACESCOPE_TRACER_CGROUP", NULL);
	expect("PTRACESCOPE_TRACEE_CMDLINE", "sleep 60");
	assert_non_null(strstr(psc_journal_get(&report, "MESSAGE"), " by \"gdb\"[1240] "));
}

static void test_reused_pid(void **state)
{
	static const char *const starts[] = {
		"70122", "70124", "0", "", "x", "-70123", "+70123", "70123x", "0x111eb",
		"18446744073709551616", "18446744073709621739",	/* 2^64, 2^64 + 70123 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		write_stat(TRACER, TRACER, "gdb", starts[i]);
		expect_fallback();
	}
	write_pid(TRACER, "task/1240/stat", "");
	expect_fallback();
	write_pid(TRACER, "task/1240/stat", "1240 (gdb) S 1 2 3");
	expect_fallback();
	write_pid(TRACER, "task/1240/stat",
		  "1240 gdb S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 70123 1\n");
	expect_fallback();
	write_stat(TRACER, TRACER, "gdb", "70123");
	format_report();
	expect("PTRACESCOPE_TRACER_CMDLINE", "gdb -p 1234");
	/* no such process, no such thread */
	event.tracer.tid = 4321;
	expect_fallback();
	event.tracer.tid = TRACER;
	event.tracer.pid = 4321;
	format_report();
	expect("PTRACESCOPE_TRACER_CMDLINE", NULL);
}

static void test_start_of_tick(void **state)
{
	uint64_t tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	(void)state;
	event.tracer.start_ns = TRACER_START * tick;
	format_report();
	expect("PTRACESCOPE_TRACER_CMDLINE", "gdb -p 1234");
	event.tracer.start_ns--;
	expect_fallback();
	event.tracer.start_ns = (TRACER_START + 1) * tick;
	expect_fallback();
	event.tracer.start_ns = UINT64_MAX;
	expect_fallback();
}

/* The thread that acted is compared, not the leader. */
static void test_thread(void **state)
{
	(void)state;
	event.tracer.tid = 1241;
	event.tracer.start_ns = ticks_to_ns(70200);
	write_stat(TRACER, 1241, "worker", "70200");
	format_report();
	expect("PTRACESCOPE_TRACER_TID", "1241");
	expect("PTRACESCOPE_TRACER_CMDLINE", "gdb -p 1234");
}

static void test_stat_names(void **state)
{
	static const char *const names[] = {
		"a b", ")", "(", "((", "))", ") S 1 2 3", "a) R 9 (b", "x\ny", "", " ", ") 70122 ",
		") S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1 (",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		write_stat(TRACER, TRACER, names[i], "70123");
		format_report();
		expect("PTRACESCOPE_TRACER_CMDLINE", "gdb -p 1234");
		write_stat(TRACER, TRACER, names[i], "70122");
		expect_fallback();
	}
}

/* Every field is one printable line, and starts with a name of ours. */
static void expect_printable(void)
{
	for (size_t i = 0; i < report.n; i++) {
		const char *field = report.fields[i];

		assert_true(!strncmp(field, "MESSAGE", 7) || !strncmp(field, "PRIORITY=", 9) ||
			    !strncmp(field, "PTRACESCOPE_", 12));
		for (; *field; field++)
			assert_true((unsigned char)*field >= 0x20 && *field != 0x7f);
	}
}

static void test_hostile(void **state)
{
	static const char cmdline[] = "a\nPRIORITY=0\nb\"]\0\033[2J\x9b\0\xe2\x80\xae" "c\\\xff";

	(void)state;
	memcpy(event.tracer.comm, "\"\n\033]0;x\007\\\xc3\x28yyyyy", PSC_COMM_LEN);	/* no NUL */
	write_cmdline(TRACEE, cmdline, sizeof(cmdline));
	write_cmdline(TRACER, "", 0);
	write_pid(TRACER, "cgroup", "0::/a\033[1m\"\xc2\x9b" "b\\x2d\n0::/second\n");
	format_report();
	expect_printable();
	expect("PTRACESCOPE_TRACER_COMM", "\\\"\\x0a\\x1b]0;x\\x07\\\\\\xc3(yyyyy");
	expect("PTRACESCOPE_TRACER_CMDLINE", NULL);
	expect("PTRACESCOPE_TRACER_CGROUP", "/a\\x1b[1m\\\"\\xc2\\x9bb\\\\x2d");
	expect("PTRACESCOPE_TRACEE_CMDLINE",
	       "a\\x0aPRIORITY=0\\x0ab\\\"] \\x1b[2J\\x9b \\xe2\\x80\\xaec\\\\\\xff");
	assert_non_null(strstr(psc_journal_get(&report, "MESSAGE"), "] by \"\\\"\\x0a"));
}

static void test_long_cmdline(void **state)
{
	char bytes[1000];
	const char *shown;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	write_cmdline(TRACEE, bytes, 256);
	format_report();
	shown = psc_journal_get(&report, "PTRACESCOPE_TRACEE_CMDLINE");
	assert_int_equal(strspn(shown, "x"), 256);
	assert_int_equal(strlen(shown), 256);

	write_cmdline(TRACEE, bytes, 257);
	format_report();
	shown = psc_journal_get(&report, "PTRACESCOPE_TRACEE_CMDLINE");
	assert_int_equal(strspn(shown, "x"), 253);
	assert_string_equal(shown + 253, "…");

	memset(bytes, '\n', sizeof(bytes));
	write_cmdline(TRACEE, bytes, sizeof(bytes));
	format_report();
	shown = psc_journal_get(&report, "PTRACESCOPE_TRACEE_CMDLINE");
	assert_int_equal(strlen(shown), 63 * 4 + 3);
	assert_string_equal(shown + 62 * 4, "\\x0a…");
	expect_printable();

	/* Only NUL bytes: nothing to show. */
	memset(bytes, 0, sizeof(bytes));
	write_cmdline(TRACEE, bytes, sizeof(bytes));
	format_report();
	expect("PTRACESCOPE_TRACEE_CMDLINE", NULL);
}

static void test_cgroup(void **state)
{
	static const struct {
		const char *content, *path;
	} rows[] = {
		{ "0::/\n", "/" },
		{ "0::/a b:c\n", "/a b:c" },
		{ "0::/unterminated", "/unterminated" },
		{ "0::/gone (deleted)\n", "/gone (deleted)" },
		{ "3:cpu,cpuacct:/x\n0::/y\n", "/y" },
		{ "10::/x\n", NULL },
		{ "1:name=0::/x\n", NULL },
		{ "", NULL },
		{ "\n\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_pid(TRACER, "cgroup", rows[i].content);
		format_report();
		expect("PTRACESCOPE_TRACER_CGROUP", rows[i].path);
		expect("PTRACESCOPE_TRACER_CGROUP_ID", "77");
	}
}

static void test_access_modes(void **state)
{
	static const struct {
		uint32_t access;
		const char *words;
	} rows[] = {
		{ 0, "" },
		{ 0x01, "read" },
		{ 0x0a, "attach,fscreds" },
		{ 0x1f, "read,attach,noaudit,fscreds,realcreds" },
		{ 0x31, "read,realcreds,0x20" },
		{ 0x80000000, "0x80000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		event.access = rows[i].access;
		format_report();
		expect("PTRACESCOPE_ACCESS_MODE", rows[i].words);
	}
	event.mode = PSC_MODE_TRACEME;
	event.scope = PSC_SCOPE_ADMIN_ONLY;
	event.reason = PSC_REASON_NOT_CAPABLE;
	format_report();
	expect("PTRACESCOPE_ACCESS_MODE", NULL);
	expect("PTRACESCOPE_OPERATION", "traceme");
	expect("PTRACESCOPE_SCOPE_NAME", "admin-only");
	expect("PTRACESCOPE_REASON", "not-capable");
	event.mode = PSC_MODE_READ;
	event.scope = PSC_SCOPE_NO_ATTACH;
	event.reason = PSC_REASON_NO_ATTACH;
	format_report();
	expect("PTRACESCOPE_OPERATION", "read");
	expect("PTRACESCOPE_REASON", "no-attach");
	event.scope = PSC_SCOPE_SIBLINGS;
	event.reason = PSC_REASON_BOUNDARY;
	format_report();
	expect("PTRACESCOPE_SCOPE_NAME", "siblings");
	expect("PTRACESCOPE_REASON", "boundary");
	event.scope = 5;
	event.reason = 200;
	format_report();
	expect("PTRACESCOPE_SCOPE", "5");
	expect("PTRACESCOPE_SCOPE_NAME", "unknown");
	expect("PTRACESCOPE_REASON", "unknown");
	expect("PTRACESCOPE_REASON_TEXT", "unknown reason");
}

/* "rm /sys/fs/…" was refused to remove a pin. */
static void tamper(unsigned int guard)
{
	event.mode = PSC_EVENT_TAMPER;
	event.scope = 0;
	event.reason = (__u8)guard;
	event.access = 0;
	event.tracee = (struct psc_party){ 0 };
}

static void test_tamper(void **state)
{
	(void)state;
	tamper(PSC_GUARD_UMOUNT);
	event.tracer.uid = 0;
	memcpy(event.tracer.comm, "umount", sizeof("umount"));
	write_cmdline(TRACER, "umount\0-l\0/sys", 15);
	format_report();
	expect("MESSAGE", "refused to let \"umount -l /sys\"[1240] (uid 0) unmount what carries "
			  "the pins: locked until reboot");
	expect("MESSAGE_ID", PSC_MESSAGE_ID_TAMPER);
	expect("PRIORITY", "4");
	expect("PTRACESCOPE_GUARD", "umount");
	expect("PTRACESCOPE_PROCESS_PID", "1240");
	expect("PTRACESCOPE_PROCESS_TID", "1240");
	expect("PTRACESCOPE_PROCESS_UID", "0");
	expect("PTRACESCOPE_PROCESS_COMM", "umount");
	expect("PTRACESCOPE_PROCESS_CMDLINE", "umount -l /sys");
	expect("PTRACESCOPE_PROCESS_CGROUP", "/user.slice/user-1000.slice/session-1.scope");
	expect("PTRACESCOPE_PROCESS_CGROUP_ID", "77");
	/* Nothing of a tracee, a scope or an access mode. */
	assert_int_equal(report.n, 11);

	/* Gone already, or not waited for: what the event itself says. */
	write_stat(TRACER, TRACER, "umount", "70124");
	format_report();
	expect("PTRACESCOPE_PROCESS_CMDLINE", NULL);
	expect("MESSAGE", "refused to let \"umount\"[1240] (uid 0) unmount what carries the pins: "
			  "locked until reboot");

	write_stat(TRACER, TRACER, "umount", "70123");
	write_cmdline(TRACER, "a\nPRIORITY=0\"\033[2J", 17);
	format_report();
	expect_printable();
	expect("PTRACESCOPE_PROCESS_CMDLINE", "a\\x0aPRIORITY=0\\\"\\x1b[2J");
}

static void test_guards(void **state)
{
	static const struct {
		unsigned int guard;
		const char *word, *text;
	} rows[] = {
		{ PSC_GUARD_LOAD, "load", "load a BPF program that could overrule the verdicts" },
		{ PSC_GUARD_PROG, "prog", "get hold of a BPF program that uses the policy" },
		{ PSC_GUARD_MAP, "map", "open a map of the policy" },
		{ PSC_GUARD_UNLINK, "unlink", "remove a pin" },
		{ PSC_GUARD_RMDIR, "rmdir", "remove the directory of the pins" },
		{ PSC_GUARD_RENAME, "rename", "rename or replace a pin" },
		{ PSC_GUARD_UMOUNT, "umount", "unmount what carries the pins" },
		{ PSC_GUARD_SYSCTL, "sysctl", "turn BPF LSM programs off" },
		{ PSC_GUARD_MOUNT, "mount", "mount over the pins" },
		{ PSC_GUARD_MOVE, "move", "move what carries the pins" },
		{ PSC_GUARD_REMOUNT, "remount", "remount what carries the pins" },
		{ PSC_GUARD_ATTR, "attributes", "change the owner or mode of the pins" },
		{ PSC_GUARD_ATTR + 1, "unknown", "do what a guard prevents" },
		{ 255, "unknown", "do what a guard prevents" },
	};
	char message[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tamper(rows[i].guard);
		format_report();
		expect("PTRACESCOPE_GUARD", rows[i].word);
		snprintf(message, sizeof(message),
			 "refused to let \"gdb -p 1234\"[1240] (uid 1000) "
			 "%s: locked until reboot", rows[i].text);
		expect("MESSAGE", message);
	}
}

static void test_no_event(void **state)
{
	char shifted[sizeof(event) + 1];

	(void)state;
	for (size_t size = 0; size < sizeof(event); size++)
		assert_int_equal(psc_journal_format(&event, size, proc.path, &report), -EBADMSG);
	assert_int_equal(psc_journal_format(&event, sizeof(event) + 1, proc.path, &report),
			 -EBADMSG);
	event.size--;
	assert_int_equal(psc_journal_format(&event, sizeof(event), proc.path, &report), -EBADMSG);
	event.size++;
	for (unsigned int mode = PSC_MODES; mode <= UINT8_MAX; mode++) {
		if (mode == PSC_EVENT_TAMPER)
			continue;
		event.mode = (__u8)mode;
		assert_int_equal(psc_journal_format(&event, sizeof(event), proc.path, &report),
				 -EBADMSG);
	}
	assert_int_equal(report.n, 0);
	event.mode = PSC_MODE_ATTACH;
	memcpy(shifted + 1, &event, sizeof(event));
	assert_int_equal(psc_journal_format(shifted + 1, sizeof(event), proc.path, &report), 0);
}

static void test_suppressed(void **state)
{
	static const struct {
		uint64_t suppressed, dropped;
		const char *message, *all, *lost;
	} rows[] = {
		{ 1, 0, "1 refusal was not reported one by one", "1", "0" },
		{ 12, 0, "12 refusals were not reported one by one", "12", "0" },
		{ 10, 2, "12 refusals were not reported one by one "
			 "(2 of them lost because the event buffer was full)", "12", "2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		psc_journal_clear(&report);
		assert_int_equal(psc_journal_format_suppressed(rows[i].suppressed, rows[i].dropped,
							      &report), 0);
		expect("MESSAGE", rows[i].message);
		expect("MESSAGE_ID", PSC_MESSAGE_ID_SUPPRESSED);
		expect("PTRACESCOPE_SUPPRESSED", rows[i].all);
		expect("PTRACESCOPE_LOST", rows[i].lost);
	}
	psc_journal_clear(&report);
}

/* What @say writes to stderr; a pipe holds far more than one line. */
static void capture(void (*say)(void), char *text, size_t size)
{
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t len;

	assert_true(saved >= 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	say();
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	len = read(fds[0], text, size - 1);
	assert_true(len >= 0);
	text[len] = '\0';
	close(fds[0]);
}

static void say_event(void)
{
	assert_int_equal(psc_journal_format(&event, sizeof(event), "/proc", &report), 0);
	psc_journal_emit(&report);
	psc_journal_clear(&report);
}

static void say_suppressed(void)
{
	psc_journal_suppressed(3, 1);
}

static void say_none_suppressed(void)
{
	psc_journal_suppressed(0, 0);
}

static void test_stderr(void **state)
{
	static const char refusal[] =
		"<5>refused attach of \"sleep\"[4194305] by \"gdb\"[4194306] (uid 1000, scope 1 "
		"restricted): the tracer is no ancestor, was not declared with PR_SET_PTRACER, "
		"and lacks CAP_SYS_PTRACE\n";
	char text[4096];

	(void)state;
	/* No process has a pid above PID_MAX_LIMIT. */
	event.tracee.pid = event.tracee.tid = 4194305;
	event.tracer.pid = event.tracer.tid = 4194306;
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	capture(say_event, text, sizeof(text));
	assert_string_equal(text, refusal);
	/* A journal, but it is not what stderr is. */
	assert_int_equal(setenv("JOURNAL_STREAM", "0:0", 1), 0);
	capture(say_event, text, sizeof(text));
	assert_string_equal(text, refusal);
	capture(say_suppressed, text, sizeof(text));
	assert_string_equal(text, "<5>4 refusals were not reported one by one "
				  "(1 of them lost because the event buffer was full)\n");
	capture(say_none_suppressed, text, sizeof(text));
	assert_string_equal(text, "");
	/* As severe without a journal as in it. */
	tamper(PSC_GUARD_UNLINK);
	capture(say_event, text, sizeof(text));
	assert_string_equal(text, "<4>refused to let \"gdb\"[4194306] (uid 1000) remove a pin: "
				  "locked until reboot\n");
}

static void test_escape(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *escaped;
	} rows[] = {
		{ "", 10, "" },
		{ "plain ~", 10, "plain ~" },
		{ "\"\\", 10, "\\\"\\\\" },
		{ "\t\r\n\x7f", 99, "\\x09\\x0d\\x0a\\x7f" },
		{ "äß€😀", 99, "äß€😀" },
		{ "\xc3", 99, "\\xc3" },			/* cut short */
		{ "\xe2\x82", 99, "\\xe2\\x82" },
		{ "\xf0\x9f\x98", 99, "\\xf0\\x9f\\x98" },
		{ "\xc3\x28", 99, "\\xc3(" },			/* no continuation */
		{ "\x80\xbf", 99, "\\x80\\xbf" },		/* nothing but */
		{ "\xc0\x80\xc1\xbf", 99, "\\xc0\\x80\\xc1\\xbf" },	/* overlong */
		{ "\xe0\x80\xaf", 99, "\\xe0\\x80\\xaf" },
		{ "\xf0\x80\x80\xaf", 99, "\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", 99, "\\xed\\xa0\\x80" },	/* surrogate */
		{ "\xf4\x90\x80\x80", 99, "\\xf4\\x90\\x80\\x80" },	/* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80\xff\xfe", 99, "\\xf5\\x80\\x80\\x80\\xff\\xfe" },
		{ "\xf4\x8f\xbf\xbd", 99, "\xf4\x8f\xbf\xbd" },	/* U+10FFFD */
		{ "\xc2\x9b", 99, "\\xc2\\x9b" },		/* C1 CSI */
		{ "\xc2\xa0", 99, "\xc2\xa0" },			/* its neighbour */
		{ "\xe2\x80\xae", 99, "\\xe2\\x80\\xae" },	/* right-to-left override */
		{ "\xef\xbb\xbf", 99, "\\xef\\xbb\\xbf" },	/* byte order mark */
		{ "abcde", 5, "abcde" },
		{ "abcdef", 5, "ab…" },
		{ "abcdef", 3, "…" },
		{ "\n\n", 8, "\\x0a\\x0a" },
		{ "\n\n", 7, "\\x0a…" },
		{ "\n\n", 6, "…" },
		{ "€€€", 9, "€€€" },
		{ "€€€", 8, "€…" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *escaped = psc_escape(rows[i].text, strlen(rows[i].text), rows[i].max);

		assert_non_null(escaped);
		assert_string_equal(escaped, rows[i].escaped);
		free(escaped);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test_setup_teardown(test_whole_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reused_pid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_of_tick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stat_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_cmdline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cgroup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_access_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tamper, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_event, setup, teardown),
		cmocka_unit_test(test_suppressed),
		cmocka_unit_test_setup_teardown(test_stderr, setup, teardown),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
