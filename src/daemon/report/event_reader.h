/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes refusals from the ring buffer to the journal without ever waiting for them. */
#ifndef PSC_EVENT_READER_H
#define PSC_EVENT_READER_H

#include <systemd/sd-event.h>

#include "kernel.h"

struct psc_event_reader;

/**
 * psc_event_reader_new - report refusals from now on
 * @event: the loop that drives it; SIGCHLD must be blocked
 * @kernel: where they come from; must outlive the reader
 *
 * Return: 0 or a negative errno.
 */
int psc_event_reader_new(sd_event *event, struct psc_kernel *kernel, struct psc_event_reader **ret);

struct psc_listener {
	/* Of each event that is reported. */
	void (*event)(void *data, const struct psc_event *event);
	/* Of how many were not reported one by one, when that is reported. */
	void (*suppressed)(void *data, __u64 n);
	void *data;
};

/* Also tell somebody. @listener must outlive the reader. */
void psc_event_reader_listen(struct psc_event_reader *reader, const struct psc_listener *listener);

/*
 * How many children are stuck in what they read of a process, though they were killed, and the
 * id of one such process, 0 for none.
 */
unsigned int psc_event_reader_stuck(const struct psc_event_reader *reader, pid_t *ret_pid);

void psc_event_reader_free(struct psc_event_reader *reader);

#endif
