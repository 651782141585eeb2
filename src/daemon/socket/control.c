/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all methods, and the connections that call them. */
#include "control.h"
#include "control_call.h"

#include <errno.h>
#include <stdint.h>
#include <sys/resource.h>

#include "interface.h"
#include "log.h"
#include "noise.h"
#include "server.h"
#include "util.h"

#define NEEDED "CAP_SYS_PTRACE in the initial user namespace is needed"

struct psc_control {
	const struct psc_backend *backend;
	struct psc_varlink_service service;
	struct psc_server *server;
	struct psc_noise refusals;
};

static const struct psc_server_limits default_limits = {
	.message_max = 24 * 1024,	/* there is room for the longest position of a list */
	.connections_max = 512,
	.connections_kept = 64,
	.per_account_max = 64,
	.memory_max = 16 * 1024 * 1024,
	.accept_burst = 128,
	.stall_usec = 30ULL * 1000 * 1000,
};

const struct psc_backend *psc_control_backend(const struct psc_varlink_call *call)
{
	const struct psc_control *control = call->service->data;

	return control->backend;
}

int psc_control_change(struct psc_varlink_call *call, struct psc_request *req)
{
	const struct psc_backend *backend = psc_control_backend(call);

	return backend->change(backend->data, req, call->client->change);
}

void psc_control_done(const struct psc_varlink_call *call, const char *what)
{
	psc_notice("%s, by pid %d, uid %u", what, (int)call->client->pid, call->client->uid);
}

void psc_control_refused(const struct psc_varlink_call *call, const char *what)
{
	psc_notice("%s refused to pid %d, uid %u: %s is locked by a floor until reboot",
		   call->method->name, (int)call->client->pid, call->client->uid, what);
}

int psc_control_fail(struct psc_varlink_call *call, int err, const char *what)
{
	return psc_varlink_error(call, PSC_INTERFACE ".Failed",
				 json_pack("{s:i, s:o}", "errno", -err, "message",
					   json_sprintf("%s: %s", what, strerror(-err))));
}

static int authorise(struct psc_varlink_call *call)
{
	struct psc_control *control = call->service->data;
	unsigned int held;

	if (call->client->capable)
		return 1;
	if (psc_noise_pass(&control->refusals, call->client, &held)) {
		if (held)
			psc_notice("%u more refused calls were held back", held);
		psc_notice("%s refused to pid %d, uid %u: " NEEDED, call->method->name,
			   (int)call->client->pid, call->client->uid);
	}
	return psc_varlink_error(call, PSC_INTERFACE ".PermissionDenied",
				 json_pack("{s:s}", "message", NEEDED));
}

static const struct psc_varlink_method methods[] = {
	{ "Get", false, psc_control_get, { { "name", JSON_STRING } } },
	{ "Set", true, psc_control_set, { { "name", JSON_STRING }, { "value", JSON_INTEGER },
				  { "revocable", JSON_TRUE, .optional = true } } },
	{ "Lock", true, psc_control_lock, { { "level", JSON_INTEGER, .optional = true },
				    { "names", JSON_ARRAY, .optional = true } } },
	{ "List", false, psc_control_list },
	{ "Status", false, psc_control_status },
	{ "Metrics", false, psc_control_metrics, { { "openmetrics", JSON_TRUE, .optional = true } } },
	{ "Explain", false, psc_control_explain,
	  { { "tracer", JSON_INTEGER, .optional = true }, { "tracee", JSON_INTEGER },
	    { "mode", JSON_STRING, .optional = true } } },
	{ "LastRefusal", false, psc_control_last_refusal },
	{ "Watch", false, psc_control_watch,
	  { { "mode", JSON_STRING, .optional = true }, { "cgroup", JSON_STRING, .optional = true },
	    { "pid", JSON_INTEGER, .optional = true }, { "uid", JSON_INTEGER, .optional = true } },
	  .streams = true },
	{ "Detach", true, psc_control_detach },
	{ "Reload", true, psc_control_reload },
	{ "CgroupGet", false, psc_control_cgroup_get,
	  { { "cgroup", JSON_STRING }, { "pid", JSON_INTEGER, .optional = true } } },
	{ "CgroupList", false, psc_control_cgroup_list,
	  { { "after", JSON_STRING, .optional = true } } },
	{ "CgroupSet", true, psc_control_cgroup_set,
	  { { "cgroup", JSON_STRING }, { "name", JSON_STRING }, { "value", JSON_INTEGER },
	    { "revocable", JSON_TRUE, .optional = true }, { "lock", JSON_TRUE, .optional = true },
	    { "origin", JSON_STRING, .optional = true },
	    { "sticky", JSON_TRUE, .optional = true } } },
	{ "CgroupRelease", true, psc_control_cgroup_release, { { "pid", JSON_INTEGER } } },
	{ "CgroupLock", true, psc_control_cgroup_lock, { { "cgroup", JSON_STRING } } },
	{ "CgroupUnset", true, psc_control_cgroup_unset,
	  { { "cgroup", JSON_STRING }, { "name", JSON_STRING, .optional = true } } },
};

static const struct psc_varlink_interface interface = {
	.name = PSC_INTERFACE,
	.description = psc_interface_io_ptracescope,
	.methods = methods,
	.n_methods = ARRAY_SIZE(methods),
	.authorise = authorise,
};

/* Of a peer that the kernel has not noted nothing is known but its uid. */
static void on_know(void *data, int fd, struct psc_client *client)
{
	const struct psc_control *control = data;
	struct psc_peer peer;

	client->account = psc_account_of(client->uid);
	if (control->backend->peer(control->backend->data, fd, &peer))
		return;
	client->capable = peer.capable;
	client->account = peer.account;
}

static int on_message(void *data, const struct psc_client *client, const char *message, size_t len,
		      json_t **ret_reply)
{
	const struct psc_control *control = data;

	return psc_varlink_handle(&control->service, client, message, len, ret_reply);
}

/* Connections must not use up the descriptors that the daemon itself needs. */
static void fit_descriptors(struct psc_server_limits *limits)
{
	struct rlimit nofile;

	if (getrlimit(RLIMIT_NOFILE, &nofile) < 0 || nofile.rlim_cur / 2 >= limits->connections_max)
		return;
	limits->connections_max = (unsigned int)(nofile.rlim_cur / 2);
	if (limits->connections_kept > limits->connections_max / 2)
		limits->connections_kept = limits->connections_max / 2;
}

int psc_control_new_limited(sd_event *event, int listen_fd, const struct psc_backend *backend,
			    const struct psc_server_limits *limits, struct psc_control **ret)
{
	static const struct psc_server_ops ops = { .know = on_know, .handle = on_message };
	struct psc_control *control = calloc(1, sizeof(*control));
	int err;

	if (!control)
		return -ENOMEM;
	control->backend = backend;
	control->service = (struct psc_varlink_service){
		.vendor = "ptracescope",
		.product = "ptracescoped",
		.version = PSC_VERSION,
		.url = "",
		.interfaces = { &interface },
		.data = control,
	};
	err = psc_server_new(event, listen_fd, limits, &ops, control, &control->server);
	if (err < 0) {
		free(control);
		return err;
	}
	*ret = control;
	return 0;
}

int psc_control_new(sd_event *event, int listen_fd, const struct psc_backend *backend,
		    struct psc_control **ret)
{
	struct psc_server_limits limits = default_limits;

	fit_descriptors(&limits);
	return psc_control_new_limited(event, listen_fd, backend, &limits, ret);
}

void psc_control_wake(struct psc_control *control)
{
	psc_server_wake(control->server);
}

void psc_control_free(struct psc_control *control)
{
	if (!control)
		return;
	psc_server_free(control->server);
	free(control);
}
