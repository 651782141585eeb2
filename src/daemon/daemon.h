/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running daemon: ties the kernel side, the socket and the reports to one event loop. */
#ifndef PSC_DAEMON_H
#define PSC_DAEMON_H

#include "config.h"
#include "control.h"

/**
 * psc_daemon_run - put enforcement in force and serve until told to end
 * @relations_max: room for declared tracers, 0 for the default
 *
 * Return: 0 after SIGTERM, SIGINT or a detach; a negative errno, after a
 * message, when it could not begin; -EOPNOTSUPP when a prerequisite is missing.
 */
int psc_daemon_run(unsigned int relations_max);

#endif
