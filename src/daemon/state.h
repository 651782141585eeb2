/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the daemon, and what the files of this directory do with it. */
#ifndef PSC_STATE_H
#define PSC_STATE_H

#include "event_reader.h"
#include "first.h"
#include "loader.h"
#include "reload.h"
#include "selftest.h"
#include "socket.h"

struct psc_daemon {
	struct psc_loader_options options;
	sd_event *event;
	struct psc_kernel *kernel;
	enum psc_loader_outcome outcome;
	struct psc_event_reader *events;
	struct psc_selftest *selftest;
	struct psc_cgroups cgroups;
	struct psc_sections sections;
	struct psc_socket socket;
	struct psc_listener listener;
	struct psc_recent recent;
	struct psc_watchers watchers;
	struct psc_reload reload;
	struct psc_first first;
	bool detached;
	int lock_fd;
};

/*
 * Tell the service manager what is in force. @state: further assignments, each with a newline.
 * @policy: the global one, NULL: ask the kernel side.
 */
void psc_daemon_notify(struct psc_daemon *d, const char *state, const union psc_policy *policy);

/**
 * psc_daemon_request - run a request from outside, which shows in the status and is proved
 *
 * Return: as psc_lock_request(), or -PSC_E_CANCELED when it would set the first floor.
 */
int psc_daemon_request(struct psc_daemon *d, struct psc_request *req);

#endif
