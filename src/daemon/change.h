/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the policy that clients of the socket ask for. */
#ifndef PSC_CHANGE_H
#define PSC_CHANGE_H

#include "state.h"

/**
 * psc_change - make a change, or go on with it
 * @pending: where a change that sets the first floor is kept between two calls
 *
 * Return: as psc_daemon_request(); -EINPROGRESS: call again after psc_control_wake().
 */
int psc_change(struct psc_daemon *d, struct psc_request *req, struct psc_pending *pending);

#endif
