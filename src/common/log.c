/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes messages to standard error, or hands them to a sink. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "ptracescope.h"

static int max_level = LOG_INFO;
static const char *log_name;
static const char *journal_field;
static void (*log_sink)(const char *line, size_t len);

void psc_log_set_level(int level)
{
	max_level = level;
}

void psc_log_set_name(const char *name)
{
	log_name = name;
}

void psc_log_to_journal(const char *field)
{
	journal_field = field;
}

void psc_log_set_sink(void (*sink)(const char *line, size_t len))
{
	log_sink = sink;
}

void psc_log_line(const char *line, size_t len)
{
	if (log_sink)
		log_sink(line, len);
	else
		fwrite(line, 1, len, stderr);
}

/* Whole lines, so that those of several processes do not mix. */
static void write_line(char *line, size_t len)
{
	line[len] = '\n';
	psc_log_line(line, len + 1);
	line[len] = '\0';
}

/* What only the unit sees of bpffs is told by the name that all others know. */
static void name_bpffs(char *line)
{
	static const char seen[] = PSC_BPFFS_BOUND, known[] = PSC_BPFFS;

	for (char *at = line; (at = strstr(at, seen));) {
		at = mempcpy(at, known, strlen(known));
		memmove(at, at + strlen(seen) - strlen(known),
			strlen(at + strlen(seen) - strlen(known)) + 1);
	}
}

static void __attribute__((format(printf, 2, 0)))
log_va(int level, const char *format, va_list ap)
{
	int saved_errno = errno;

	if (level > max_level)
		return;

	char line[2048];
	int n = 0;

	if (log_name)
		n = snprintf(line, sizeof(line), "%s: ", log_name);
	else if (!isatty(STDERR_FILENO))
		n = snprintf(line, sizeof(line), "<%d>", level);

	vsnprintf(line + n, sizeof(line) - 1 - n, format, ap);
	name_bpffs(line);
	write_line(line, strlen(line));
	if (journal_field)
		sd_journal_send("MESSAGE=%s", line, "PRIORITY=%d", level, "SYSLOG_IDENTIFIER=%s",
				program_invocation_short_name, "%s", journal_field, NULL);
	errno = saved_errno;
}

void psc_log(int level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_va(level, format, ap);
	va_end(ap);
}

int psc_log_err(int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_va(LOG_ERR, format, ap);
	va_end(ap);
	return err;
}
