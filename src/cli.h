/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of ptracescopectl. */
#ifndef PSC_CLI_H
#define PSC_CLI_H

#include <stdbool.h>

#include "names.h"

/* What struct sockaddr_un has room for, the NUL included. */
#define PSC_CLI_SOCKET_MAX 108

enum psc_cli_exit {
	PSC_EXIT_DONE = 0,
	PSC_EXIT_FAILED = 1,
	PSC_EXIT_USAGE = 2,
	PSC_EXIT_REFUSED = 3,		/* permission denied, or locked */
	PSC_EXIT_UNREACHABLE = 4,	/* no daemon, or no answer */
	PSC_EXIT_PARTLY = 5,		/* reload: some cgroups are without their sections */
};

enum psc_cli_command {
	PSC_CLI_GET,
	PSC_CLI_SET,
	PSC_CLI_LOCK,
	PSC_CLI_LIST,
	PSC_CLI_STATUS,
	PSC_CLI_DETACH,
	PSC_CLI_RELOAD,
	PSC_CLI_DOCTOR,
	PSC_CLI_CGROUP_LIST,
	PSC_CLI_CGROUP_GET,
	PSC_CLI_CGROUP_SET,
	PSC_CLI_CGROUP_UNSET,
	PSC_CLI_CGROUP_LOCK,
	PSC_CLI_OCI_HOOK,
	PSC_CLI_HELP,
	PSC_CLI_VERSION,
};

struct psc_cli {
	enum psc_cli_command command;
	const struct psc_name *name;	/* get, set, lock; of a cgroup NULL for all */
	unsigned int value;		/* set, lock */
	const char *cgroup;		/* NULL: the one of pid */
	unsigned int pid;
	bool present;			/* lock: at the scope in force, not at the value */
	unsigned int names;		/* lock: a bit for each of psc_names[]; 0 for all */
	bool revocable;			/* set */
	bool lock;			/* cgroup set */
	bool has_fallback;		/* oci-hook */
	unsigned int fallback;
	bool allow_lock;		/* oci-hook */
	const char *socket;
	bool json;
	bool yes;
};

extern const char psc_cli_help[];

/**
 * psc_cli_parse - what the arguments ask for
 * @ret: refers to @argv; unwritten on error
 * @ret_error: on -EINVAL, an allocated line that says what is wrong
 *
 * Options may come before and after the command, "--" ends them. --help and
 * --version are obeyed at once, whatever follows.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int psc_cli_parse(int argc, char *const *argv, struct psc_cli *ret, char **ret_error);

/* The rest of "cgroup ...": @n words after it. As psc_cli_parse(). */
int psc_cli_parse_cgroup(int n, char *const *words, struct psc_cli *cli, char **ret_error);

/* "BEFORE 'ARGUMENT'AFTER" as the error; the argument may be anything. Return: -EINVAL, -ENOMEM. */
int psc_cli_usage(char **ret_error, const char *before, const char *argument, const char *after);

/* No such name. Return: likewise. */
int psc_cli_unknown_name(const char *name, char **ret_error);

/* A value of @name, of a cgroup or not. Return: 0, or likewise. */
int psc_cli_value(const struct psc_name *name, const char *text, bool cgroup, unsigned int *ret,
		  char **ret_error);

/**
 * psc_cli_final - does this setting last until the next boot?
 *
 * Asks psc_policy_change(), so it cannot differ from what the kernel side does.
 */
bool psc_cli_final(const struct psc_name *name, unsigned int value, bool revocable);

#endif
