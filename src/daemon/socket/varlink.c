/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses calls, checks their parameters and writes replies. */
#include "varlink.h"

#include <errno.h>
#include <string.h>

#include "interface.h"
#include "turn.h"
#include "util.h"

#define SERVICE "org.varlink.service"
#define MARKS_MAX 64

/* What a message may have besides "method" and "parameters". */
enum call_flag { CALL_ONEWAY, CALL_MORE, CALL_UPGRADE, CALL_FLAGS };

static const char *const flag_names[CALL_FLAGS] = {
	[CALL_ONEWAY] = "oneway",
	[CALL_MORE] = "more",
	[CALL_UPGRADE] = "upgrade",
};

static int answer(struct psc_varlink_call *call, json_t *message)
{
	if (!message)
		return -ENOMEM;
	json_decref(call->reply);
	call->reply = message;
	return 0;
}

int psc_varlink_reply(struct psc_varlink_call *call, json_t *parameters)
{
	return parameters ? answer(call, json_pack("{s:o}", "parameters", parameters)) : -ENOMEM;
}

int psc_varlink_error(struct psc_varlink_call *call, const char *error, json_t *parameters)
{
	return parameters ? answer(call, json_pack("{s:s, s:o}", "error", error,
						   "parameters", parameters)) : -ENOMEM;
}

int psc_varlink_invalid(struct psc_varlink_call *call, const char *parameter)
{
	return psc_varlink_error(call, SERVICE ".InvalidParameter",
				 json_pack("{s:s}", "parameter", parameter));
}

static int run_get_info(struct psc_varlink_call *call)
{
	const struct psc_varlink_service *service = call->service;
	json_t *names = json_array();

	json_array_append_new(names, json_string(psc_varlink_introspection.name));
	for (size_t i = 0; i < PSC_VARLINK_INTERFACES_MAX && service->interfaces[i]; i++)
		json_array_append_new(names, json_string(service->interfaces[i]->name));
	return psc_varlink_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:o}",
						 "vendor", service->vendor,
						 "product", service->product,
						 "version", service->version,
						 "url", service->url, "interfaces", names));
}

static const struct psc_varlink_interface *
find_interface(const struct psc_varlink_service *service, const char *name, size_t len)
{
	const struct psc_varlink_interface *found = &psc_varlink_introspection;

	for (size_t i = 0; found; i++) {
		if (strlen(found->name) == len && memcmp(found->name, name, len) == 0)
			return found;
		found = i < PSC_VARLINK_INTERFACES_MAX ? service->interfaces[i] : NULL;
	}
	return NULL;
}

static int run_get_interface_description(struct psc_varlink_call *call)
{
	json_t *name = json_object_get(call->parameters, "interface");
	const struct psc_varlink_interface *interface =
		find_interface(call->service, json_string_value(name), json_string_length(name));

	if (!interface)
		return psc_varlink_error(call, SERVICE ".InterfaceNotFound",
					 json_pack("{s:O}", "interface", name));
	return psc_varlink_reply(call, json_pack("{s:s}", "description", interface->description));
}

static const struct psc_varlink_method introspection_methods[] = {
	{ "GetInfo", .run = run_get_info },
	{ "GetInterfaceDescription", .run = run_get_interface_description,
	  .parameters = { { "interface", JSON_STRING } } },
};

const struct psc_varlink_interface psc_varlink_introspection = {
	.name = SERVICE,
	.description = psc_interface_org_varlink_service,
	.methods = introspection_methods,
	.n_methods = ARRAY_SIZE(introspection_methods),
};

static const struct psc_varlink_parameter *find_parameter(const struct psc_varlink_method *method,
							   const char *name)
{
	for (const struct psc_varlink_parameter *p = method->parameters; p->name; p++)
		if (streq(p->name, name))
			return p;
	return NULL;
}

static bool fits(const struct psc_varlink_parameter *p, const json_t *value)
{
	if (!value || json_is_null(value))
		return p->optional;
	return json_typeof(value) == p->type || (json_is_boolean(value) && p->type == JSON_TRUE);
}

/* The name of a parameter that is unknown, missing or of the wrong type, or NULL. */
static const char *bad_parameter(const struct psc_varlink_method *method, json_t *parameters)
{
	const char *name;
	json_t *value;

	json_object_foreach(parameters, name, value)
		if (!find_parameter(method, name))
			return name;
	for (const struct psc_varlink_parameter *p = method->parameters; p->name; p++)
		if (!fits(p, json_object_get(parameters, p->name)))
			return p->name;
	return NULL;
}

static int run_method(struct psc_varlink_call *call, const struct psc_varlink_interface *interface)
{
	const char *bad;

	if (call->method->privileged) {
		int allowed = interface->authorise(call);

		if (allowed <= 0)
			return allowed;
	}
	bad = bad_parameter(call->method, call->parameters);
	if (bad)
		return psc_varlink_invalid(call, bad);
	if (call->method->streams && !call->more)
		return psc_varlink_error(call, SERVICE ".ExpectedMore", json_object());
	psc_turn_does(call->method->name);
	return call->method->run(call);
}

/* @name is "INTERFACE.Method"; the interface ends at the last dot. */
static int dispatch(struct psc_varlink_call *call, json_t *name)
{
	const char *text = json_string_value(name), *dot = strrchr(text, '.');
	const struct psc_varlink_interface *interface = NULL;

	if (dot) {
		interface = find_interface(call->service, text, (size_t)(dot - text));
		if (!interface)
			return psc_varlink_error(call, SERVICE ".InterfaceNotFound",
						 json_pack("{s:s%}", "interface", text,
							   (size_t)(dot - text)));
		for (size_t i = 0; i < interface->n_methods && !call->method; i++)
			if (streq(dot + 1, interface->methods[i].name))
				call->method = &interface->methods[i];
	}
	if (!call->method)
		return psc_varlink_error(call, SERVICE ".MethodNotFound",
					 json_pack("{s:O}", "method", name));
	return run_method(call, interface);
}

/*
 * Check the envelope, fill in call->parameters (borrowed) and the flags.
 * Return: the name of the field that is not as it should be, or NULL.
 */
static const char *open_envelope(json_t *message, struct psc_varlink_call *call,
				 bool flags[CALL_FLAGS])
{
	const char *bad = NULL, *name;
	json_t *value;

	/* All of it is looked at: whether a refusal may be sent depends on "oneway". */
	json_object_foreach(message, name, value) {
		unsigned int flag = 0;

		if (streq(name, "method") && json_is_string(value))
			continue;
		if (streq(name, "parameters") && (json_is_object(value) || json_is_null(value))) {
			if (json_is_object(value))
				call->parameters = value;
			continue;
		}
		while (flag < CALL_FLAGS && !streq(name, flag_names[flag]))
			flag++;
		if (flag < CALL_FLAGS && json_is_boolean(value))
			flags[flag] = json_is_true(value);
		else
			bad = name;
	}
	if (bad)
		return bad;
	if (!json_object_get(message, "method"))
		return "method";
	if (flags[CALL_UPGRADE])	/* there is no other protocol to change to */
		return "upgrade";
	if (flags[CALL_ONEWAY] && flags[CALL_MORE])
		return "more";
	return NULL;
}

/*
 * To parse thousands of values takes long, and no call has more than a few. Strings are looked
 * through only.
 */
static bool has_few_values(const char *message, size_t len)
{
	unsigned int marks = 0;
	bool quoted = false;

	for (size_t i = 0; i < len && marks <= MARKS_MAX; i++) {
		if (message[i] == '"')
			quoted = !quoted;
		else if (quoted && message[i] == '\\')
			i++;
		else if (!quoted)
			marks += message[i] == ',' || message[i] == '[' || message[i] == '{';
	}
	return marks <= MARKS_MAX;
}

int psc_varlink_handle(const struct psc_varlink_service *service, const struct psc_client *client,
		       const char *message, size_t len, json_t **ret_reply)
{
	struct psc_varlink_call call = { .service = service, .client = client };
	json_t *root = has_few_values(message, len) ?
		json_loadb(message, len, JSON_REJECT_DUPLICATES, NULL) : NULL, *none;
	bool flags[CALL_FLAGS] = {};
	const char *bad;
	int err;

	*ret_reply = NULL;
	none = json_object();
	if (!none) {
		json_decref(root);
		return -ENOMEM;
	}
	call.parameters = none;

	if (!json_is_object(root)) {
		err = psc_varlink_invalid(&call, "message");
		err = err ? err : -EBADMSG;
	} else {
		bad = open_envelope(root, &call, flags);
		call.more = flags[CALL_MORE];
		err = bad ? psc_varlink_invalid(&call, bad) :
			    dispatch(&call, json_object_get(root, "method"));
	}
	if (err == PSC_VARLINK_CONTINUES &&
	    json_object_set_new(call.reply, "continues", json_true()))
		err = -ENOMEM;
	if ((err < 0 && err != -EBADMSG) || flags[CALL_ONEWAY]) {
		json_decref(call.reply);
		call.reply = NULL;
	}
	*ret_reply = call.reply;
	json_decref(none);
	json_decref(root);
	return err;
}
