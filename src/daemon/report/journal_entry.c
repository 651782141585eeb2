/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the message and the fields of a journal entry from an event of the kernel side. */
#include "journal_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "escape.h"
#include "log.h"
#include "names.h"
#include "outbox.h"
#include "threads.h"
#include "util.h"

#define SHOWN_COMM (4 * PSC_COMM_LEN)	/* all of it, should every byte be escaped */
#define SHOWN_CMDLINE 256
#define SHOWN_PATH 1024

/* include/linux/ptrace.h of the kernel: PTRACE_MODE_*, by bit */
static const char *const access_words[] = { "read", "attach", "noaudit", "fscreds", "realcreds" };

static void clearp(struct psc_journal_entry *entry)
{
	psc_journal_clear(entry);
}

#define _cleanup_entry_ __attribute__((cleanup(clearp)))

void psc_journal_clear(struct psc_journal_entry *entry)
{
	for (size_t i = 0; i < entry->n; i++)
		free(entry->fields[i]);
	entry->n = 0;
}

const char *psc_journal_get(const struct psc_journal_entry *entry, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < entry->n; i++)
		if (strncmp(entry->fields[i], name, len) == 0 && entry->fields[i][len] == '=')
			return entry->fields[i] + len + 1;
	return NULL;
}

int psc_journal_add(struct psc_journal_entry *entry, char *field)
{
	if (!field)
		return -ENOMEM;
	if (entry->n == PSC_JOURNAL_FIELDS_MAX) {
		free(field);
		return -E2BIG;
	}
	entry->fields[entry->n++] = field;
	return 0;
}

/* Append one field, "NAME=value" after formatting. */
static int __attribute__((format(printf, 2, 3)))
add(struct psc_journal_entry *entry, const char *format, ...)
{
	va_list ap;
	char *field;
	int n;

	va_start(ap, format);
	n = vasprintf(&field, format, ap);
	va_end(ap);
	return psc_journal_add(entry, n < 0 ? NULL : field);
}

/* At most @size bytes of a file; returns how many, or a negative errno. */
static ssize_t read_at(int dir_fd, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/*
 * starttime, field 22 of /proc/PID/stat (proc(5)), in clock ticks since boot.
 * Field 2, the name in parentheses, may itself hold blanks and parentheses, but
 * nothing after it does: count from the last one.
 */
static int read_start(int dir_fd, const char *name, uint64_t *ret)
{
	char buf[2048], *field, *end;
	ssize_t len = read_at(dir_fd, name, buf, sizeof(buf) - 1);

	if (len < 0)
		return (int)len;
	buf[len] = '\0';
	field = strrchr(buf, ')');
	for (int i = 2; field && i < 22; i++) {
		field = strchr(field, ' ');
		if (field)
			field++;
	}
	if (!field || *field < '0' || *field > '9')
		return -EBADMSG;
	errno = 0;
	*ret = strtoull(field, &end, 10);
	return errno || *end != ' ' ? -EBADMSG : 0;
}

/* What the kernel shows as starttime: nsec_to_clock_t(), rounded down. */
static uint64_t ns_to_ticks(uint64_t ns)
{
	const uint64_t second = 1000000000;
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);

	return ns / second * ticks + ns % second * ticks / second;
}

/*
 * /proc/PID of the very task in the event. The pid may belong to somebody else
 * by now, so the start time is compared; and as the directory stays that of one
 * process, what is then read through it cannot become another's.
 * Returns a file descriptor or a negative errno; -ESRCH when the task is gone.
 */
static int open_party(const char *proc, const struct psc_party *party)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	uint64_t start = 0;
	int err;

	if (snprintf(path, sizeof(path), "%s/%" PRIu32, proc, party->pid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "task/%" PRIu32 "/stat", party->tid);
	err = read_start(fd, path, &start);
	if (err)
		return err;
	return start == ns_to_ticks(party->start_ns) ? TAKE_FD(fd) : -ESRCH;
}

/* The command line, with blanks between the arguments; NULL when there is none. */
static char *read_cmdline(int dir_fd)
{
	char buf[SHOWN_CMDLINE + 1];	/* one more than is shown, so that the cut is seen */
	ssize_t len = read_at(dir_fd, "cmdline", buf, sizeof(buf));

	while (len > 0 && buf[len - 1] == '\0')
		len--;
	if (len <= 0)
		return NULL;
	for (ssize_t i = 0; i < len; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	return psc_escape(buf, (size_t)len, SHOWN_CMDLINE);
}

/* The path in the cgroup2 hierarchy: the line "0::PATH" (cgroups(7)); NULL for none. */
static char *read_cgroup(int dir_fd)
{
	_cleanup_free_ char *name = NULL;
	char buf[8192], *rest = buf, *line;
	ssize_t len = -1;

	if (psc_threads_file(dir_fd, "cgroup", &name) == 0)
		len = read_at(dir_fd, name, buf, sizeof(buf) - 1);
	if (len < 0)
		return NULL;
	buf[len] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, "0::", 3) == 0)
			return psc_escape(line + 3, strlen(line + 3), SHOWN_PATH);
	return NULL;
}

/*
 * The fields of one side, their names prefixed with @role; @ret_shown is what
 * the message calls it. What comes from /proc is left out when it cannot be had.
 */
static int add_party(struct psc_journal_entry *entry, const char *role,
		     const struct psc_party *party,
		     const char *proc, char **ret_shown)
{
	_cleanup_free_ char *comm = psc_escape(party->comm, strnlen(party->comm, PSC_COMM_LEN),
					       SHOWN_COMM);
	_cleanup_free_ char *cmdline = NULL, *cgroup = NULL;
	_cleanup_close_ int fd = proc ? open_party(proc, party) : -1;
	int err;

	if (!comm)
		return -ENOMEM;
	if (fd >= 0) {
		cmdline = read_cmdline(fd);
		cgroup = read_cgroup(fd);
	}
	err = add(entry, "PTRACESCOPE_%s_PID=%" PRIu32, role, party->pid) ?:
	      add(entry, "PTRACESCOPE_%s_TID=%" PRIu32, role, party->tid) ?:
	      add(entry, "PTRACESCOPE_%s_UID=%" PRIu32, role, party->uid) ?:
	      add(entry, "PTRACESCOPE_%s_COMM=%s", role, comm) ?:
	      add(entry, "PTRACESCOPE_%s_CGROUP_ID=%" PRIu64, role, (uint64_t)party->cgroup);
	if (!err && cmdline)
		err = add(entry, "PTRACESCOPE_%s_CMDLINE=%s", role, cmdline);
	if (!err && cgroup)
		err = add(entry, "PTRACESCOPE_%s_CGROUP=%s", role, cgroup);
	if (!err)
		*ret_shown = cmdline ? TAKE_PTR(cmdline) : TAKE_PTR(comm);
	return err;
}

/* "attach,realcreds"; bits that have no word are shown as a number. */
static int add_access(struct psc_journal_entry *entry, uint32_t access)
{
	char words[128] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(access_words); i++) {
		if (!(access & (1U << i)))
			continue;
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? "," : "",
				      access_words[i]);
		access &= ~(1U << i);
	}
	if (access)
		snprintf(words + n, sizeof(words) - n, "%s%#" PRIx32, n ? "," : "", access);
	return add(entry, "PTRACESCOPE_ACCESS_MODE=%s", words);
}

/* The fields about the check itself. */
static int add_check(struct psc_journal_entry *entry, const struct psc_event *event,
		     const char *scope)
{
	int err = add(entry, "MESSAGE_ID=" PSC_MESSAGE_ID_REFUSED) ?:
		  add(entry, "PRIORITY=%d", LOG_NOTICE) ?:
		  add(entry, "PTRACESCOPE_OPERATION=%s", psc_mode_word(event->mode)) ?:
		  add(entry, "PTRACESCOPE_SCOPE=%u", event->scope) ?:
		  add(entry, "PTRACESCOPE_SCOPE_NAME=%s", scope) ?:
		  add(entry, "PTRACESCOPE_REASON=%s", psc_reason_word(event->reason)) ?:
		  add(entry, "PTRACESCOPE_REASON_TEXT=%s", psc_reason_text(event->reason));

	/* PTRACE_TRACEME is no access check and has no such mode. */
	if (!err && event->mode != PSC_MODE_TRACEME)
		err = add_access(entry, event->access);
	return err;
}

/* A copy, as nothing says that the ring buffer's bytes are aligned for it. */
static int event_parse(const void *bytes, size_t size, struct psc_event *ret)
{
	if (size != sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, bytes, sizeof(*ret));
	return ret->size == sizeof(*ret) &&
	       (ret->mode < PSC_MODES || ret->mode == PSC_EVENT_TAMPER) ? 0 : -EBADMSG;
}

/* The entry for a refused access. */
static int add_refusal(struct psc_journal_entry *entry, const struct psc_event *event,
		       const char *proc)
{
	_cleanup_free_ char *tracer = NULL, *tracee = NULL;
	const char *scope = psc_scope_word(event->scope) ?: "unknown";

	return add_check(entry, event, scope) ?:
	       add_party(entry, "TRACER", &event->tracer, proc, &tracer) ?:
	       add_party(entry, "TRACEE", &event->tracee, proc, &tracee) ?:
	       add(entry, "MESSAGE=refused %s of \"%s\"[%" PRIu32 "] by \"%s\"[%" PRIu32
		   "] (uid %" PRIu32 ", scope %u %s): %s", psc_mode_word(event->mode), tracee,
		   event->tracee.pid, tracer, event->tracer.pid, event->tracer.uid, event->scope,
		   scope, psc_reason_text(event->reason));
}

/* The entry for what a guard refused. */
static int add_tamper(struct psc_journal_entry *entry, const struct psc_event *event,
		      const char *proc)
{
	_cleanup_free_ char *process = NULL;

	return add(entry, "MESSAGE_ID=" PSC_MESSAGE_ID_TAMPER) ?:
	       add(entry, "PRIORITY=%d", LOG_WARNING) ?:
	       add(entry, "PTRACESCOPE_GUARD=%s", psc_guard_word(event->reason)) ?:
	       add_party(entry, "PROCESS", &event->tracer, proc, &process) ?:
	       add(entry, "MESSAGE=refused to let \"%s\"[%" PRIu32 "] (uid %" PRIu32
		   ") %s: locked until reboot", process, event->tracer.pid, event->tracer.uid,
		   psc_guard_text(event->reason));
}

int psc_journal_format(const void *bytes, size_t size, const char *proc,
		       struct psc_journal_entry *ret)
{
	_cleanup_entry_ struct psc_journal_entry entry = { 0 };
	struct psc_event event;
	int err;

	err = event_parse(bytes, size, &event);
	if (err)
		return err;
	if (event.mode == PSC_EVENT_TAMPER)
		err = add_tamper(&entry, &event, proc);
	else
		err = add_refusal(&entry, &event, proc);
	if (err)
		return err;
	*ret = entry;
	entry.n = 0;
	return 0;
}

int psc_journal_format_suppressed(__u64 suppressed, __u64 dropped, struct psc_journal_entry *ret)
{
	_cleanup_entry_ struct psc_journal_entry entry = { 0 };
	uint64_t lost = dropped, all = suppressed + lost;
	char why[96] = "";
	int err;

	if (lost)
		snprintf(why, sizeof(why),
			 " (%" PRIu64 " of them lost because the event buffer was full)", lost);
	err = add(&entry, "MESSAGE=%" PRIu64 " refusal%s not reported one by one%s", all,
		  all == 1 ? " was" : "s were", why) ?:
	      add(&entry, "MESSAGE_ID=" PSC_MESSAGE_ID_SUPPRESSED) ?:
	      add(&entry, "PRIORITY=%d", LOG_NOTICE) ?:
	      add(&entry, "PTRACESCOPE_SUPPRESSED=%" PRIu64, all) ?:
	      add(&entry, "PTRACESCOPE_LOST=%" PRIu64, lost);
	if (err)
		return err;
	*ret = entry;
	entry.n = 0;
	return 0;
}

void psc_journal_emit(const struct psc_journal_entry *entry)
{
	const char *priority = psc_journal_get(entry, "PRIORITY");

	if (psc_outbox_journal(entry->fields, entry->n))
		psc_log(priority ? atoi(priority) : LOG_NOTICE, "%s",
			psc_journal_get(entry, "MESSAGE"));
}

void psc_journal_suppressed(__u64 suppressed, __u64 dropped)
{
	_cleanup_entry_ struct psc_journal_entry entry = { 0 };

	if (suppressed + dropped && !psc_journal_format_suppressed(suppressed, dropped, &entry))
		psc_journal_emit(&entry);
}
