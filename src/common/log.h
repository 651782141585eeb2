/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for people: to stderr, with a "<N>" priority prefix (sd-daemon(3))
 * when that is not a terminal, so that the journal files them by severity.
 */
#ifndef PSC_LOG_H
#define PSC_LOG_H

#include <stddef.h>
#include <syslog.h>

/* Messages of a lower severity than this (LOG_*) are not written. Default LOG_INFO. */
void psc_log_set_level(int level);
/* Begin every message with "NAME: ", as a command-line tool does; NULL for none. */
void psc_log_set_name(const char *name);
/*
 * From now on send every message to the journal as well, for a program whose stderr nobody may
 * read. With this field, "NAME=value", which must live as long; NULL ends it.
 */
void psc_log_to_journal(const char *field);

/* From now on hand over every line, with its end, instead of writing it to stderr; NULL ends it. */
void psc_log_set_sink(void (*sink)(const char *line, size_t len));

/* Write a line that another process of this program has handed over from its sink. */
void psc_log_line(const char *line, size_t len);

void psc_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Log at LOG_ERR and return err (a negative errno), to say and pass on in one line. */
int psc_log_err(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define psc_debug(...) psc_log(LOG_DEBUG, __VA_ARGS__)
#define psc_info(...) psc_log(LOG_INFO, __VA_ARGS__)
#define psc_notice(...) psc_log(LOG_NOTICE, __VA_ARGS__)
#define psc_warning(...) psc_log(LOG_WARNING, __VA_ARGS__)

#endif
