/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon says, without ever waiting for who is to hear it: lines on stderr, entries
 * for the journal, notifications of the service manager. What cannot be sent at once waits in
 * a queue for each of them; what finds no room there is counted.
 */
#ifndef PSC_OUTBOX_H
#define PSC_OUTBOX_H

#include <stddef.h>
#include <systemd/sd-event.h>

#include "ptracescope.h"

/**
 * psc_outbox_open - from now on nothing that is logged waits
 * @event: the loop that sends what is in the queues
 *
 * Return: 0 or a negative errno.
 */
int psc_outbox_open(sd_event *event);

/* One last try to send what is left, of a second at most; what is logged then waits again. */
void psc_outbox_close(void);

/*
 * A journal entry: "NAME=value" strings. Return: 0 when it is on its way; -ENOTCONN where
 * there is no journal, -ENOBUFS when its queue is full, or another negative errno.
 */
int psc_outbox_journal(char *const *fields, size_t n);

/* To the service manager, as sd_notify(3); nothing where there is none. */
void psc_outbox_notify(const char *text);

/* How many messages have been lost so far. */
__u64 psc_outbox_lost(void);

#endif
