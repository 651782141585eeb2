/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to accept: in turns with the calls of everybody, and not while there are no descriptors. */
#ifndef PSC_ACCEPT_H
#define PSC_ACCEPT_H

#include "shares.h"

/* Return: 0 or a negative errno. */
int psc_accept_prepare(struct psc_server *server);

/*
 * Somebody has been accepted. Next comes a call of everybody, until psc_accept_go_on(); or for
 * 5 ms what is more urgent than these, so that nothing keeps administrators out.
 */
void psc_accept_give_way(struct psc_server *server);
void psc_accept_go_on(struct psc_server *server);

/* Accepting failed with @err, for want of descriptors or memory: try again in a second. */
void psc_accept_pause(struct psc_server *server, int err);

#endif
