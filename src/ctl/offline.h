/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What works on the pins alone: where no daemon listens, programs may be in force all the same. */
#ifndef PSC_OFFLINE_H
#define PSC_OFFLINE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli.h"

/* Root only: does a daemon hold the lock that each has while it runs? */
bool psc_offline_is_held(void);

/* Say so of one that is not to be reached. */
enum psc_cli_exit psc_offline_without_socket(void);

/*
 * Each does a command in the place of a daemon that does not listen.
 * @err: what connecting failed with
 */

/* @ret: as the reply of Status, without what only a daemon knows, and with "daemon" */
enum psc_cli_exit psc_offline_status(const struct psc_cli *cli, int err, json_t **ret);

/* @ret_any: was there anything to detach? */
enum psc_cli_exit psc_offline_detach(const struct psc_cli *cli, int err, bool *ret_any);

#endif
