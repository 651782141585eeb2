/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to the first floor in a process of its own, while the daemon serves everybody: a child
 * arms the guards and looks around, the daemon then makes the request, and the child clears up.
 */
#ifndef PSC_FIRST_H
#define PSC_FIRST_H

#include <systemd/sd-event.h>

#include "lock.h"

/* Its name, see proc_pid_comm(5). */
#define PSC_FIRST_NAME "psc-first-floor"

/* Who wants a floor. */
struct psc_first_user {
	/* There is an arming: what is requested now by psc_lock_request_armed() may raise it. */
	void (*armed)(void *data);

	/* At the end. @err: 0 when armed() was called, or the negative errno of what failed. */
	void (*ended)(void *data, int err);
};

struct psc_first {
	sd_event *event;
	struct psc_kernel *kernel;
	const char *dir;		/* of the pins */
	int lock_fd;			/* that locks out other daemons: a child must not have it */

	/* The one that is under way. */
	pid_t pid;			/* 0: none */
	int fd;				/* the socket between the two */
	sd_event_source *child, *input;
	bool armed;			/* and the request has been made */
	const struct psc_first_user *user;
	void *data;
};

/* Return: 0; -EALREADY: one is under way; or another negative errno. */
int psc_first_begin(struct psc_first *first, const struct psc_first_user *user, void *data);

/*
 * Before a daemon starts: wait for the child of one that was killed. Killed as well, it ends after
 * the call that it is in, and by that may have armed the guards. Where it does not end, the daemon
 * starts all the same, after a warning.
 */
void psc_first_await(const char *dir);

/* The daemon ends: give up what is under way, without another call. */
void psc_first_stop(struct psc_first *first);

#endif
