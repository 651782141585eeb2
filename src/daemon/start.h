/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start of the daemon, until the policy is in force. */
#ifndef PSC_START_H
#define PSC_START_H

#include "state.h"

/**
 * psc_start_lock - make sure that this is the only daemon, and that it can enforce
 *
 * Return: 0, with d->lock_fd; after a message -EBUSY when another daemon runs, -EOPNOTSUPP when a
 * prerequisite is missing, -EPROTO under a floor whose pins have gone, or another negative errno.
 */
int psc_start_lock(struct psc_daemon *d);

/**
 * psc_start_enforce - load or adopt the programs, and apply the global part of the configuration
 * @ret: the configuration, for its sections; free with psc_config_free()
 * @ret_loaded: whether its sections replace those in force
 *
 * Return: 0, with d->kernel and d->outcome, or a negative errno after a message.
 */
int psc_start_enforce(struct psc_daemon *d, struct psc_config *ret, bool *ret_loaded);

#endif
