/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as users write them, in the common forms of systemd.time(7). */
#ifndef PSC_WHEN_H
#define PSC_WHEN_H

#include <stdint.h>
#include <time.h>

/**
 * psc_when_parse - a moment, in local time
 * @text: "now", "today", "yesterday", "tomorrow"; "2026-11-25", "10:00", or both, with ":SS"
 *	or not, and a date with " UTC" or not; "2026-11-25T10:00:00Z"; "-1h", "+30min",
 *	"1d 12h ago"; "@" and seconds since 1970
 * @now: the present
 * @ret_usec: since 1970; unwritten on error
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int psc_when_parse(const char *text, time_t now, uint64_t *ret_usec);

#endif
