/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to accept: in turns with the calls of everybody, and not while there are no descriptors. */
#include "accept.h"

#include <string.h>

#include "log.h"

#define ACCEPT_RETRY_USEC (1000 * 1000)
#define GIVE_WAY_USEC (5 * 1000)

static int on_resume(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_server *server = data;

	(void)source;
	(void)usec;
	sd_event_source_set_priority(server->accept, SD_EVENT_PRIORITY_NORMAL);
	return sd_event_source_set_enabled(server->accept, SD_EVENT_ON);
}

/* Return: whether on_resume() will be called then. */
static bool resume_in(struct psc_server *server, uint64_t usec)
{
	return sd_event_source_set_time_relative(server->resume, usec) >= 0 &&
	       sd_event_source_set_enabled(server->resume, SD_EVENT_ONESHOT) >= 0;
}

void psc_accept_give_way(struct psc_server *server)
{
	if (resume_in(server, GIVE_WAY_USEC))
		sd_event_source_set_priority(server->accept, PSC_PRIORITY_OF_EVERYBODY);
}

void psc_accept_go_on(struct psc_server *server)
{
	int64_t priority = SD_EVENT_PRIORITY_NORMAL;

	sd_event_source_get_priority(server->accept, &priority);
	if (priority == SD_EVENT_PRIORITY_NORMAL)
		return;
	sd_event_source_set_priority(server->accept, SD_EVENT_PRIORITY_NORMAL);
	sd_event_source_set_enabled(server->resume, SD_EVENT_OFF);
}

void psc_accept_pause(struct psc_server *server, int err)
{
	unsigned int held;

	if (psc_noise_pass(&server->noise, NULL, &held))
		psc_warning("socket: accepting a connection failed: %s; the daemon tries again in a moment",
			    strerror(err));
	psc_accept_go_on(server);
	if (resume_in(server, ACCEPT_RETRY_USEC))
		sd_event_source_set_enabled(server->accept, SD_EVENT_OFF);
}

int psc_accept_prepare(struct psc_server *server)
{
	int err = sd_event_add_time_relative(server->event, &server->resume, CLOCK_MONOTONIC, 0, 0,
					     on_resume, server);

	return err < 0 ? err : sd_event_source_set_enabled(server->resume, SD_EVENT_OFF);
}
