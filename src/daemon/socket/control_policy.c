/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of io.ptracescope for the global policy and the daemon itself. */
#include "control_call.h"

#include <errno.h>
#include <stdint.h>

#include "escape.h"
#include "interface.h"
#include "json.h"
#include "log.h"
#include "util.h"

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
static int policy_locked(struct psc_varlink_call *call, const struct psc_name *name)
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

int psc_control_get(struct psc_varlink_call *call)
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
	unsigned int old, now;
	char what[128];
	int err = psc_control_change(call, &req);

	switch (err) {
	case 0:
		break;
	case -EINPROGRESS:
		return -EAGAIN;
	case -PSC_E_LOCKED:
		return policy_locked(call, name);
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

int psc_control_set(struct psc_varlink_call *call)
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
int psc_control_lock(struct psc_varlink_call *call)
{
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
	err = psc_control_change(call, &req);
	if (err == -EINPROGRESS)
		return -EAGAIN;
	if (err == -PSC_E_LOCKED)
		return policy_locked(call, name);
	if (err == -PSC_E_NODATA || (!err && json_is_integer(text) && !level))
		return psc_control_nothing_to_lock(call);
	if (err)
		return psc_control_fail(call, err, err == -EBUSY ? PSC_CONTROL_NO_FLOOR : "locking");
	log_lock(call, &req);
	return psc_varlink_reply(call, json_pack("{s:o, s:o}", "before",
						 psc_json_policy(&req.before), "policy",
						 psc_json_policy(&req.policy)));
}

int psc_control_list(struct psc_varlink_call *call)
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

int psc_control_status(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	json_t *status = backend->status(backend->data);

	return status ? psc_varlink_reply(call, status) :
			psc_control_fail(call, -EIO, "reading the state");
}

int psc_control_metrics(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	const bool open = json_is_true(json_object_get(call->parameters, "openmetrics"));
	struct psc_metrics metrics = {};
	_cleanup_free_ char *text = NULL;
	int err = backend->metrics(backend->data, &metrics);

	if (err)
		return psc_control_fail(call, err, "reading the counters");
	text = psc_metrics_format(&metrics, open);
	return psc_varlink_reply(call, text ? json_pack("{s:s}", "text", text) : NULL);
}

int psc_control_detach(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	int err = backend->detach(backend->data);

	if (err == -EINPROGRESS)
		return -EAGAIN;
	if (err == -PSC_E_LOCKED)
		return policy_locked(call, NULL);
	if (err)
		return psc_control_fail(call, err, "detaching");
	psc_control_done(call, "detached");
	return psc_varlink_reply(call, json_object());
}

int psc_control_reload(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	struct psc_pending *pending = call->client->pending;
	unsigned int number = pending ? (unsigned int)(uintptr_t)pending->data : 0;
	_cleanup_free_ char *message = NULL;
	int err = backend->reload(backend->data, &number, &message);
	const char *reason = err < 0 ? strerror(-err) : "see the daemon's log";

	if (err == -EAGAIN && pending)
		pending->data = (void *)(uintptr_t)number;
	if (err == -EAGAIN)
		return err;
	if (err)
		return psc_varlink_error(call, err == PSC_RELOAD_PARTLY ?
					 PSC_INTERFACE ".PartlyApplied" :
					 PSC_INTERFACE ".ConfigurationError",
					 json_pack("{s:o}", "message",
						   psc_json_text(message ? message : reason)));
	psc_control_done(call, "configuration reloaded");
	return psc_varlink_reply(call, json_object());
}
