/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hook itself: reads the state and has the daemon set the scope. */
#include "oci.h"

#include <errno.h>

#include "call.h"
#include "cgroup.h"
#include "escape.h"
#include "log.h"
#include "util.h"

/* An id as people know it from lists of containers. */
#define SHOWN_ID 12

static enum psc_cli_exit set_scope(const struct psc_cli *cli, const struct psc_oci *oci,
				   const char *cgroup)
{
	json_t *parameters, *reply = NULL;
	enum psc_cli_exit code;

	parameters = json_pack("{s:s, s:s, s:i, s:s}", "cgroup", cgroup, "name", PSC_NAME_YAMA,
			       "value", (int)oci->scope, "origin", "runtime");
	/* Only a lock makes anything final, where the administrator lets containers have one. */
	if (oci->lock && cli->allow_lock)
		json_object_set_new(parameters, "lock", json_true());
	else if (oci->scope == PSC_SCOPE_NO_ATTACH)
		json_object_set_new(parameters, "revocable", json_true());
	code = psc_call(cli, PSC_METHOD("CgroupSet"), parameters, &reply);
	json_decref(reply);
	if (code != PSC_EXIT_REFUSED || oci->asked)
		return code;
	psc_notice("the default scope is not applied: the container has the scope of the cgroup "
		   "above it");
	return PSC_EXIT_DONE;
}

/* Both cgroups are looked up before anything is set: the process waits for us. */
static enum psc_cli_exit apply(const struct psc_cli *cli, const struct psc_oci *oci)
{
	_cleanup_free_ char *container = NULL, *hook = NULL, *cgroup = NULL, *error = NULL;
	int err = psc_cgroup_of_pid("/proc", (unsigned int)oci->pid, &container);

	if (!err)
		err = psc_cgroup_of_pid("/proc", (unsigned int)getpid(), &hook);
	if (err == -EXDEV)
		return psc_fail(PSC_EXIT_FAILED, "its cgroup cannot be seen from here; the runtime "
				"must run in the host's cgroup namespace");
	if (err)
		return psc_fail(PSC_EXIT_FAILED, "the cgroup of its process %d: %s", (int)oci->pid,
				err == -ENODEV ? "none in cgroup2" : strerror(-err));
	err = psc_oci_cgroup(container, hook, oci->id, &cgroup, &error);
	if (err)
		return psc_fail(PSC_EXIT_FAILED, "%s", error ? error : strerror(-err));
	if (oci->lock && !cli->allow_lock)
		psc_notice("annotation " PSC_OCI_LOCK " is ignored, as the hook runs without "
			   "--allow-lock: the scope can be changed");
	return set_scope(cli, oci, cgroup);
}

/* All messages tell of this container from now on. */
static int name_container(const struct psc_oci *oci, char **ret_name, char **ret_field)
{
	_cleanup_free_ char *shown = psc_escape(oci->id, strlen(oci->id) > SHOWN_ID ? SHOWN_ID :
						strlen(oci->id), 4 * SHOWN_ID);

	if (!shown || asprintf(ret_name, "ptracescopectl: container %s", shown) < 0)
		return -ENOMEM;
	/* As podman and docker call it in what they write to the journal. */
	if (asprintf(ret_field, "CONTAINER_ID_FULL=%s", oci->id) < 0)
		return -ENOMEM;
	psc_log_set_name(*ret_name);
	psc_log_to_journal(*ret_field);
	return 0;
}

enum psc_cli_exit psc_oci_hook(const struct psc_cli *cli)
{
	_cleanup_free_ char *text = NULL, *error = NULL, *name = NULL, *field = NULL;
	enum psc_cli_exit code = PSC_EXIT_DONE;
	struct psc_oci oci = {};
	size_t len;
	int err;

	psc_log_to_journal("PTRACESCOPE_COMMAND=oci-hook");
	err = psc_read_fd(STDIN_FILENO, PSC_OCI_STATE_MAX, &text, &len);
	if (err)
		return psc_fail(PSC_EXIT_FAILED, "standard input: %s", strerror(-err));
	err = psc_oci_parse(text, len, cli->has_fallback ? &cli->fallback : NULL, &oci, &error);
	if (oci.id && name_container(&oci, &name, &field))
		err = -ENOMEM;
	if (err)
		code = psc_fail(err == -ENOMEM ? PSC_EXIT_FAILED : PSC_EXIT_USAGE, "%s",
				error ? error : strerror(-err));
	else if (oci.wanted)
		code = apply(cli, &oci);
	psc_log_set_name("ptracescopectl");
	psc_log_to_journal(NULL);
	psc_oci_free(&oci);
	return code;
}
