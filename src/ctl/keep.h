/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --persist adds to the commands that change settings. */
#ifndef PSC_KEEP_H
#define PSC_KEEP_H

#include <jansson.h>

#include "cli.h"
#include "persist.h"

/*
 * Before the policy changes: have the file ready. Without --persist they do nothing.
 * Return: PSC_EXIT_DONE, or the exit code after a message.
 */

/* "set" and "cgroup set", and "cgroup lock" with a level. */
enum psc_cli_exit psc_keep_setting(const struct psc_cli *cli, struct psc_persist *persist);

/* "cgroup unset". */
enum psc_cli_exit psc_keep_unset(const struct psc_cli *cli, struct psc_persist *persist);

/*
 * "lock" and "cgroup lock". The configuration has one floor for attach and traceme.
 * @ret_floor: the floor that is kept
 */
enum psc_cli_exit psc_keep_lock(const struct psc_cli *cli, struct psc_persist *persist,
				unsigned int *ret_floor);

/*
 * After that: put the file into its place if @code is PSC_EXIT_DONE, and say so. Without --persist,
 * say on a terminal that the setting does not last.
 * Return: @code, or that of the failure.
 */
enum psc_cli_exit psc_keep_end(const struct psc_cli *cli, struct psc_persist *persist,
			       enum psc_cli_exit code);

/* The same after a lock; @policy: what is in force then, as psc_is_policy(). */
enum psc_cli_exit psc_keep_lock_end(const struct psc_cli *cli, struct psc_persist *persist,
				    unsigned int floor, const json_t *policy);

/* The name or path of the cgroup that the command is about; NULL after a message. An allocation. */
char *psc_command_cgroup_name(const struct psc_cli *cli, enum psc_cli_exit *ret_code);

#endif
