/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket: a Varlink service (io.ptracescope, org.varlink.service) over
 * which the state is read and changed. What it may do to the world is in
 * struct psc_backend and nowhere else.
 */
#ifndef PSC_CONTROL_H
#define PSC_CONTROL_H

#include <jansson.h>
#include <systemd/sd-event.h>

#include "cgroup.h"
#include "metrics.h"
#include "ptracescope_explain.h"
#include "recent.h"
#include "varlink.h"
#include "watch.h"

/* All of the configuration is in force, but for some cgroups that are without their sections. */
#define PSC_RELOAD_PARTLY 1

struct psc_backend {
	void *data;

	/* What was refused of late, and who is told of it as it happens. */
	const struct psc_recent *recent;
	struct psc_watchers *watchers;

	/* Where cgroups are looked up. */
	const struct psc_cgroups *cgroups;

	/* Run psc_ctl; 0 or the negative PSC_E_* (or what running it failed with). */
	int (*request)(void *data, struct psc_request *req);

	/* The same for a request that changes something. -EINPROGRESS: it sets the first floor;
	 * run the call again with the same @pending after psc_control_wake(). */
	int (*change)(void *data, struct psc_request *req, struct psc_pending *pending);

	/* What the kernel noted of the task behind an accepted connection;
	 * -ENOENT when it noted nothing. */
	int (*peer)(void *data, int fd, struct psc_peer *ret);

	/* Run psc_explain: the facts of an access, or the cgroups on a process's path.
	 * Return: as request(); -ESHUTDOWN: ftrace is off, so that no access is refused. */
	int (*explain)(void *data, struct psc_explain_request *req, struct psc_explanation *ret);
	int (*names)(void *data, struct psc_explain_request *req, struct psc_found *ret);

	/* A new object, the reply of io.ptracescope.Status; NULL when out of memory. */
	json_t *(*status)(void *data);

	/* What Metrics tells of; 0 or a negative errno. */
	int (*metrics)(void *data, struct psc_metrics *ret);

	/* Remove enforcement and end the daemon after the reply; -EACCES under a floor;
	 * -EINPROGRESS: run the call again after psc_control_wake(). */
	int (*detach)(void *data);

	/* Read the configuration again and apply it, as psc_reload_call(): -EAGAIN until
	 * psc_control_wake(); 0; a negative errno when nothing has changed; or
	 * PSC_RELOAD_PARTLY. In both cases @ret_error is an allocated message, or NULL when
	 * out of memory. */
	int (*reload)(void *data, unsigned int *number, char **ret_error);
};

struct psc_control;

/**
 * psc_control_new - serve on a listening socket
 * @event: the loop that drives it
 * @listen_fd: a listening AF_UNIX stream socket, taken over on success
 * @backend: must outlive the service
 *
 * Return: 0 or a negative errno.
 */
int psc_control_new(sd_event *event, int listen_fd, const struct psc_backend *backend,
		    struct psc_control **ret);

/* The same with other limits than the usual ones, for tests. */
struct psc_server_limits;
int psc_control_new_limited(sd_event *event, int listen_fd, const struct psc_backend *backend,
			    const struct psc_server_limits *limits, struct psc_control **ret);

/* Run the calls again that wait and are due. */
void psc_control_wake(struct psc_control *control);

/* A reply that is still on its way gets one last try. */
void psc_control_free(struct psc_control *control);

#endif
