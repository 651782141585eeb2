/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket at its place, where it is made anew when somebody has removed it. */
#ifndef PSC_SOCKET_H
#define PSC_SOCKET_H

#include <sys/types.h>

#include "control.h"
#include "kernel.h"

struct psc_socket {
	sd_event *event;
	struct psc_kernel *kernel;	/* which notes who connects */
	struct psc_backend backend;
	struct psc_control *control;
	sd_event_source *watch;
	dev_t dev;			/* of the socket's name */
	ino_t ino;
};

/*
 * Serve PSC_SOCKET_PATH; the first three members are set, and it stays where it is in memory.
 * When the socket is gone later and cannot be made anew, the event loop ends with an error, so
 * that a service manager starts the daemon again.
 *
 * Return: 0 or a negative errno, after a message.
 */
int psc_socket_open(struct psc_socket *socket);

void psc_socket_close(struct psc_socket *socket);

#endif
