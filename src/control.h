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

#define PSC_SOCKET_DIR "/run/ptracescope"
#define PSC_SOCKET_PATH PSC_SOCKET_DIR "/io.ptracescope"

/* All of the configuration is in force, but for some cgroups that are without their sections. */
#define PSC_RELOAD_PARTLY 1

struct psc_backend {
	void *data;

	/* Where cgroups are looked up. */
	const struct psc_cgroups *cgroups;

	/* Run psc_ctl; 0 or the negative PSC_E_* (or what running it failed with). */
	int (*request)(void *data, struct psc_request *req);

	/* What the kernel noted of the task behind an accepted connection;
	 * -ENOENT when it noted nothing. */
	int (*peer)(void *data, int fd, struct psc_peer *ret);

	/* A new object, the reply of io.ptracescope.Status; NULL when out of memory. */
	json_t *(*status)(void *data);

	/* Remove enforcement and end the daemon after the reply; -EACCES under a floor. */
	int (*detach)(void *data);

	/* Read the configuration again and apply it. Return: 0; a negative errno when nothing
	 * has changed; or PSC_RELOAD_PARTLY. In both cases @ret_error is an allocated message,
	 * or NULL when out of memory. */
	int (*reload)(void *data, char **ret_error);
};

struct psc_control;

/* As type Policy of the interface. */
json_t *psc_control_policy(const union psc_policy *policy);

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

/* A reply that is still on its way gets one last try. */
void psc_control_free(struct psc_control *control);

#endif
