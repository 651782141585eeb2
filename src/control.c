/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"
#include "control_call.h"

#include <errno.h>
#include <sys/resource.h>

#include "escape.h"
#include "interface.h"
#include "log.h"
#include "names.h"
#include "ratelimit.h"
#include "server.h"
#include "util.h"

#define NEEDED "CAP_SYS_PTRACE in the initial user namespace is needed"

struct psc_control {
	const struct psc_backend *backend;
	struct psc_varlink_service service;
	struct psc_server *server;
	struct psc_ratelimit refusals;
};

static const struct psc_server_limits default_limits = {
	.message_max = 64 * 1024,
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
	if (psc_ratelimit_pass(&control->refusals, &held)) {
		if (held)
			psc_notice("%u more refused calls were held back", held);
		psc_notice("%s refused to pid %d, uid %u: " NEEDED, call->method->name,
			   (int)call->client->pid, call->client->uid);
	}
	return psc_varlink_error(call, PSC_INTERFACE ".PermissionDenied",
				 json_pack("{s:s}", "message", NEEDED));
}

static int get_policy(const struct psc_varlink_call *call, union psc_policy *ret)
{
	const struct psc_backend *backend = psc_control_backend(call);
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	int err = backend->request(backend->data, &req);

	if (!err)
		*ret = req.policy;
	return err;
}

/* @name NULL: what a floor forbids altogether; the first name that has one is told. */
static int locked(struct psc_varlink_call *call, const struct psc_name *name)
{
	union psc_policy policy;
	int err = get_policy(call, &policy);

	if (err)
		return psc_control_fail(call, err, "reading the policy");
	psc_control_refused(call, name ? name->name : "enforcement");
	name = name ?: psc_name_with_floor(&policy);
	if (!name)
		return psc_varlink_error(call, PSC_INTERFACE ".CgroupLocked", json_object());
	return psc_varlink_error(call, PSC_INTERFACE ".Locked",
				 json_pack("{s:s, s:i}", "name", name->name,
					   "floor",
					   psc_policy_highest_floor(&policy, name->modes)));
}

const struct psc_name *psc_control_name(struct psc_varlink_call *call, int *ret_err)
{
	json_t *text = json_object_get(call->parameters, "name");
	const struct psc_name *name = psc_name_find(json_string_value(text));

	if (!name)
		*ret_err = psc_varlink_error(call, PSC_INTERFACE ".UnknownName",
					     json_pack("{s:O}", "name", text));
	return name;
}

static int run_get(struct psc_varlink_call *call)
{
	int err;
	const struct psc_name *name = psc_control_name(call, &err);
	union psc_policy policy;

	if (!name)
		return err;
	err = get_policy(call, &policy);
	if (err)
		return psc_control_fail(call, err, "reading the policy");
	return psc_varlink_reply(call, json_pack("{s:i}", "value", psc_name_get(name, &policy)));
}

int psc_control_out_of_range(struct psc_varlink_call *call, const struct psc_name *name,
			     json_int_t value)
{
	return psc_varlink_error(call, PSC_INTERFACE ".OutOfRange",
				 json_pack("{s:s, s:I, s:i, s:i}", "name", name->name,
					   "value", value, "minimum", PSC_SCOPE_CLASSIC,
					   "maximum", name->max));
}

/* Have a request carried out that writes a value to @name. */
static int set(struct psc_varlink_call *call, const struct psc_name *name, struct psc_request req)
{
	const struct psc_backend *backend = psc_control_backend(call);
	unsigned int old, now;
	char what[128];
	int err = backend->request(backend->data, &req);

	switch (err) {
	case 0:
		break;
	case -PSC_E_LOCKED:
		return locked(call, name);
	case -PSC_E_RANGE:
		return psc_control_out_of_range(call, name, req.want.scope[name->mode]);
	case -EBUSY:
		return psc_control_fail(call, err, PSC_CONTROL_NO_FLOOR);
	default:
		return psc_control_fail(call, err, name->name);
	}
	old = psc_name_get(name, &req.before);
	now = psc_name_get(name, &req.policy);
	snprintf(what, sizeof(what), "%s: %u -> %u (%s)", name->name, old, now,
		 psc_value_word(name, now));
	psc_control_done(call, what);
	return psc_varlink_reply(call, json_pack("{s:i}", "value", now));
}

static int run_set(struct psc_varlink_call *call)
{
	json_int_t value = json_integer_value(json_object_get(call->parameters, "value"));
	int err;
	const struct psc_name *name = psc_control_name(call, &err);
	struct psc_request req;

	if (!name)
		return err;
	if (value < PSC_SCOPE_CLASSIC || value > name->max)
		return psc_control_out_of_range(call, name, value);
	req = psc_name_request(name, (unsigned int)value);
	if (json_is_true(json_object_get(call->parameters, "revocable"))) {
		if (!psc_name_may_be_revocable(name, (unsigned int)value))
			return psc_varlink_invalid(call, "revocable");
		req.flags = PSC_FLAG_REVOCABLE;
	}
	return set(call, name, req);
}

json_t *psc_control_policy(const union psc_policy *policy)
{
	json_t *object = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		json_object_set_new(object, psc_mode_word(mode),
				    json_pack("{s:i, s:i}", "scope", policy->scope[mode],
					      "floor", policy->floor[mode]));
	return object;
}

int psc_control_nothing_to_lock(struct psc_varlink_call *call)
{
	return psc_varlink_error(call, PSC_INTERFACE ".NothingToLock", json_object());
}

static void log_lock(const struct psc_varlink_call *call, const struct psc_request *req)
{
	char text[256] = "floors:";
	size_t len = strlen(text);

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s %u -> %u",
					mode ? "," : "", psc_mode_word(mode),
					req->before.floor[mode], req->policy.floor[mode]);
	psc_control_done(call, text);
}

/* The modes of these names, or of all without any. Return: whether all are names of scopes. */
static bool modes_to_lock(const json_t *names, __u32 *ret)
{
	size_t n = json_is_array(names) ? json_array_size(names) : 0;

	*ret = n ? 0 : PSC_MODES_ALL;
	if (json_is_array(names) && (!n || n > PSC_NAMES))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(names, i));
		const struct psc_name *name = text ? psc_name_find(text) : NULL;

		if (!name || name->floor)
			return false;
		*ret |= name->modes;
	}
	return true;
}

/* Every scope in force becomes the floor; or a floor for attaching and TRACEME. */
static int run_lock(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	const struct psc_name *name = psc_name_find(PSC_NAME_FLOOR);
	json_t *text = json_object_get(call->parameters, "level");
	json_int_t level = json_integer_value(text);
	json_t *names = json_object_get(call->parameters, "names");
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_CHANGE };
	int err;

	if (json_is_integer(text) && (level < 0 || level > PSC_SCOPE_MAX))
		return psc_control_out_of_range(call, name, level);
	if (!modes_to_lock(names, &req.lock) || (json_is_integer(text) && json_is_array(names)))
		return psc_varlink_invalid(call, "names");
	if (json_is_integer(text))
		req = psc_name_request(name, (unsigned int)level);
	err = backend->request(backend->data, &req);
	if (err == -PSC_E_LOCKED)
		return locked(call, name);
	if (err == -PSC_E_NODATA || (!err && json_is_integer(text) && !level))
		return psc_control_nothing_to_lock(call);
	if (err)
		return psc_control_fail(call, err, err == -EBUSY ? PSC_CONTROL_NO_FLOOR : "locking");
	log_lock(call, &req);
	return psc_varlink_reply(call, json_pack("{s:o, s:o}", "before",
						 psc_control_policy(&req.before), "policy",
						 psc_control_policy(&req.policy)));
}

static int run_list(struct psc_varlink_call *call)
{
	union psc_policy policy;
	int err = get_policy(call, &policy);
	json_t *values;

	if (err)
		return psc_control_fail(call, err, "reading the policy");
	values = json_array();
	for (size_t i = 0; i < PSC_NAMES; i++) {
		unsigned int value = psc_name_get(&psc_names[i], &policy);

		if (json_array_append_new(values, json_pack("{s:s, s:i}", "name", psc_names[i].name,
							    "value", value))) {
			json_decref(values);
			return -ENOMEM;
		}
	}
	return psc_varlink_reply(call, json_pack("{s:o}", "values", values));
}

static int run_status(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	json_t *status = backend->status(backend->data);

	return status ? psc_varlink_reply(call, status) :
			psc_control_fail(call, -EIO, "reading the state");
}

static int run_detach(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	int err = backend->detach(backend->data);

	if (err == -PSC_E_LOCKED)
		return locked(call, NULL);
	if (err)
		return psc_control_fail(call, err, "detaching");
	psc_control_done(call, "detached");
	return psc_varlink_reply(call, json_object());
}

json_t *psc_control_text(const char *text)
{
	json_t *string = json_string(text);
	_cleanup_free_ char *escaped = NULL;

	if (string)
		return string;
	escaped = psc_escape(text, strlen(text), 6 * strlen(text) + 3);
	return escaped ? json_string(escaped) : NULL;
}

static int run_reload(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	_cleanup_free_ char *message = NULL;
	int err = backend->reload(backend->data, &message);
	const char *reason = err < 0 ? strerror(-err) : "see the daemon's log";

	if (err)
		return psc_varlink_error(call, err == PSC_RELOAD_PARTLY ?
					 PSC_INTERFACE ".PartlyApplied" :
					 PSC_INTERFACE ".ConfigurationError",
					 json_pack("{s:o}", "message",
						   psc_control_text(message ? message : reason)));
	psc_control_done(call, "configuration reloaded");
	return psc_varlink_reply(call, json_object());
}

static const struct psc_varlink_method methods[] = {
	{ "Get", false, run_get, { { "name", JSON_STRING } } },
	{ "Set", true, run_set, { { "name", JSON_STRING }, { "value", JSON_INTEGER },
				  { "revocable", JSON_TRUE, .optional = true } } },
	{ "Lock", true, run_lock, { { "level", JSON_INTEGER, .optional = true },
				    { "names", JSON_ARRAY, .optional = true } } },
	{ "List", false, run_list },
	{ "Status", false, run_status },
	{ "Detach", true, run_detach },
	{ "Reload", true, run_reload },
	{ "CgroupGet", false, psc_control_cgroup_get, { { "cgroup", JSON_STRING } } },
	{ "CgroupList", false, psc_control_cgroup_list,
	  { { "after", JSON_STRING, .optional = true } } },
	{ "CgroupSet", true, psc_control_cgroup_set,
	  { { "cgroup", JSON_STRING }, { "name", JSON_STRING }, { "value", JSON_INTEGER },
	    { "revocable", JSON_TRUE, .optional = true }, { "lock", JSON_TRUE, .optional = true },
	    { "origin", JSON_STRING, .optional = true } } },
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

void psc_control_free(struct psc_control *control)
{
	if (!control)
		return;
	psc_server_free(control->server);
	free(control);
}
