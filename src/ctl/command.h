/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out what the command line of ptracescopectl asks for. */
#ifndef PSC_COMMAND_H
#define PSC_COMMAND_H

#include "cli.h"

/* To be called first: standard output is buffered, and a closed pipe is an error at the end. */
void psc_command_begin(void);

/**
 * psc_command_run - do it, print the result to stdout, messages to stderr
 *
 * Return: the exit code. What could not be written to stdout is a failure.
 */
enum psc_cli_exit psc_command_run(const struct psc_cli *cli);

/*
 * What was to be printed is, or that is a failure. Return: the exit code; not at all if nobody
 * reads what is printed, as SIGPIPE ends the process then.
 */
enum psc_cli_exit psc_command_end(enum psc_cli_exit code);

enum psc_cli_exit psc_command_explain(const struct psc_cli *cli);
enum psc_cli_exit psc_command_log(const struct psc_cli *cli);
enum psc_cli_exit psc_command_metrics(const struct psc_cli *cli);
enum psc_cli_exit psc_command_watch(const struct psc_cli *cli);
enum psc_cli_exit psc_command_assert(const struct psc_cli *cli);

enum psc_cli_exit psc_command_unset(const struct psc_cli *cli);

/* "cgroup ..." */
enum psc_cli_exit psc_command_cgroup_list(const struct psc_cli *cli);
enum psc_cli_exit psc_command_cgroup_get(const struct psc_cli *cli);
enum psc_cli_exit psc_command_cgroup_set(const struct psc_cli *cli);
enum psc_cli_exit psc_command_cgroup_unset(const struct psc_cli *cli);
enum psc_cli_exit psc_command_cgroup_lock(const struct psc_cli *cli);
enum psc_cli_exit psc_command_cgroup_release(const struct psc_cli *cli);

#endif
