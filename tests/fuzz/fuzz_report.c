/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events from the ring buffer, and what /proc says of the processes in them: after the event,
 * of which a first byte above 0 makes a good one, the texts of both processes' stat, cmdline
 * and cgroup, with a byte 0xff between them.
 */
#include "fuzz.h"

#include <errno.h>

#include "cgroup.h"
#include "fake_root.h"
#include "journal_entry.h"
#include "log.h"
#include "names.h"
#include "util.h"

#define TRACER 1240
#define TRACEE 1234
#define END 0xff

static const char *const files[] = {
	"/1240/task/1240/stat", "/1240/cmdline", "/1240/cgroup",
	"/1234/task/1234/stat", "/1234/cmdline", "/1234/cgroup",
};

static struct fake_root proc;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	psc_log_set_level(-1);
	fake_root_new(&proc);
	return 0;
}

/* Whatever it is about, it is one line, and says which of the three kinds it is. */
static void check_report(const struct psc_journal_entry *report)
{
	const char *message = psc_journal_get(report, "MESSAGE");
	const char *id = psc_journal_get(report, "MESSAGE_ID");

	CHECK(report->n && report->n <= PSC_JOURNAL_FIELDS_MAX);
	CHECK(message && !strchr(message, '\n'));
	check_printable(message);
	CHECK(id && (strcmp(id, PSC_MESSAGE_ID_REFUSED) == 0 ||
		     strcmp(id, PSC_MESSAGE_ID_TAMPER) == 0));
	for (size_t i = 0; i < report->n; i++) {
		const size_t len = strcspn(report->fields[i], "=");

		CHECK(report->fields[i][len] == '=' && len && len <= 64);
		CHECK(strspn(report->fields[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == len);
		check_printable(report->fields[i]);
		for (size_t j = 0; j < i; j++)
			CHECK(strncmp(report->fields[i], report->fields[j], len + 1) != 0);
	}
}

static void try_cgroup_of(unsigned int pid)
{
	char *path = NULL;
	int err = psc_cgroup_of_pid(proc.path, pid, &path);

	CHECK(err <= 0 && !err == !!path);
	if (path)
		CHECK(path[0] == '/' && !strchr(path, '\n'));
	free(path);
}

static void try_format(const void *event, size_t size, const char *where, bool good)
{
	struct psc_journal_entry report = {};
	int err = psc_journal_format(event, size, where, &report);

	CHECK(err == 0 || err == -EBADMSG);
	CHECK(!good || !err);
	if (!err)
		check_report(&report);
	psc_journal_clear(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const bool good = take_byte(&in) != 0;
	struct psc_event event = {};
	size_t len = in.size < sizeof(event) ? in.size : sizeof(event);
	void *copy;

	if (len)
		memcpy(&event, in.data, len);
	in.data += len;
	in.size -= len;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t n;
		char *text = take_until(&in, END, &n);

		fake_root_bytes(&proc, files[i], text, n);
		free(text);
	}
	if (good) {
		len = sizeof(event);
		event.size = sizeof(event);
		event.mode = event.mode % 4 == 3 ? PSC_EVENT_TAMPER : event.mode % 4;
		event.tracer.pid = event.tracer.tid = TRACER;
		event.tracee.pid = event.tracee.tid = TRACEE;
	}
	/* On the heap, where an overrun is seen. */
	copy = malloc(len);
	if (len)
		memcpy(copy, &event, len);
	try_format(copy, len, proc.path, good);
	try_format(copy, len, NULL, good);
	free(copy);
	try_cgroup_of(TRACER);
	try_cgroup_of(TRACEE);
	return 0;
}
