/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an OCI runtime tells its hooks of a container, and what the container asks for by
 * annotations: https://github.com/opencontainers/runtime-spec, runtime.md and config.md.
 */
#ifndef PSC_OCI_H
#define PSC_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli.h"

#define PSC_OCI_ANNOTATIONS "io.ptracescope."
#define PSC_OCI_SCOPE PSC_OCI_ANNOTATIONS "scope"
#define PSC_OCI_LOCK PSC_OCI_ANNOTATIONS "lock"

/* Most bytes of a state: Kubernetes allows 256 KiB of annotations alone. */
#define PSC_OCI_STATE_MAX (1024 * 1024)

struct psc_oci {
	char *id;		/* the container's; any text */
	pid_t pid;		/* its first process, in the runtime's pid namespace */
	bool wanted;		/* it is to get a scope, otherwise the rest is unset */
	bool asked;		/* by an annotation, not by default */
	unsigned int scope;	/* enum psc_scope */
	bool lock;		/* a floor at that scope as well */
};

/**
 * psc_oci_parse - the state that a hook is given on its standard input
 * @text, @len: untrusted
 * @fallback: the scope for a container without an annotation, or NULL
 * @ret: to be freed by psc_oci_free(), whatever is returned: an id may be set even on error
 * @ret_error: on -EINVAL, an allocated line that names the field and what would be right
 *
 * A container that has stopped wants nothing, whatever its annotations say.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int psc_oci_parse(const char *text, size_t len, const unsigned int *fallback, struct psc_oci *ret,
		  char **ret_error);

void psc_oci_free(struct psc_oci *oci);

/**
 * psc_oci_cgroup - the cgroup that a whole container lives in
 * @container, @hook: the cgroups of the container's first process and of the hook, as
 *	/proc/PID/cgroup shows them
 * @id: the container's
 * @ret: an allocation, "/machine.slice/libpod-ID.scope"; unwritten on error
 * @ret_error: on -EINVAL, an allocated line that says why there is none
 *
 * Runtimes may put the first process into a cgroup below the container's own, as crun does
 * ("…/libpod-ID.scope/container"), and others elsewhere below it. So the one nearest to the
 * process that is called after @id counts. It must not hold the hook as well: a container
 * without a cgroup of its own would give its scope to whoever started it.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int psc_oci_cgroup(const char *container, const char *hook, const char *id, char **ret,
		   char **ret_error);

/**
 * psc_oci_hook - "ptracescopectl oci-hook": an OCI createRuntime hook
 *
 * Reads the state from stdin and has the daemon set what the container asks for, or else
 * cli->fallback. What a container asks for and cannot get, keeps it from being started. A
 * default is left out where the daemon refuses it: a user's own runtime has no right to set
 * it, and a floor above may be higher.
 *
 * Return: the exit code. Runtimes may show no more of a hook's failure than that, so messages
 * go to the journal, too.
 */
enum psc_cli_exit psc_oci_hook(const struct psc_cli *cli);

#endif
