/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The method Watch of io.ptracescope: a stream of refusals. */
#include "control_call.h"

#include <errno.h>
#include <limits.h>

#include "interface.h"
#include "turn.h"
#include "util.h"

#define REPLY_REFUSALS 16	/* in one reply, which is made in one turn of the loop */

/* Of a call: first the cgroup is looked for, if there is one, and then it watches. */
struct watching {
	struct psc_search *search;
	struct psc_watch *watch;
};

static void watching_free(void *data)
{
	struct watching *watching = data;

	psc_search_free(watching->search);
	psc_watch_free(watching->watch);
	free(watching);
}

static bool watching_is_due(void *data)
{
	const struct watching *watching = data;

	return !watching->watch || psc_watch_is_due(watching->watch);
}

/* All but the cgroup. Return: the name of a parameter that is wrong, or NULL. */
static const char *parse_filter(const struct psc_varlink_call *call, struct psc_watch_filter *ret)
{
	const json_t *mode = json_object_get(call->parameters, "mode");
	const json_t *pid = json_object_get(call->parameters, "pid");
	const json_t *uid = json_object_get(call->parameters, "uid");

	*ret = (struct psc_watch_filter){
		.all = call->client->capable, .own = call->client->uid, .mode = -1,
		.by_uid = json_is_integer(uid), .uid = (uid_t)json_integer_value(uid),
		.pid = (__u32)json_integer_value(pid),
	};
	if (json_is_string(mode))
		ret->mode = psc_mode_parse(json_string_value(mode));
	if (json_is_string(mode) && ret->mode < 0)
		return "mode";
	if (json_is_integer(pid) && (json_integer_value(pid) <= 0 ||
				     json_integer_value(pid) > INT_MAX))
		return "pid";
	if (ret->by_uid && (json_integer_value(uid) < 0 || json_integer_value(uid) >= UINT_MAX))
		return "uid";
	return NULL;
}

/* Refusals from the queue, not more than one turn has time for. Return: NULL when out of memory. */
static json_t *take_refusals(struct psc_watch *watch)
{
	enum psc_watch_taken taken = PSC_WATCH_TAKEN;
	json_t *refusals = json_array();
	struct psc_refusal refusal;

	for (bool first = true; taken != PSC_WATCH_EMPTY && (first || !psc_turn_spent()) &&
	     json_array_size(refusals) < REPLY_REFUSALS; first = false) {
		taken = psc_watch_take(watch, &refusal);
		if (taken == PSC_WATCH_TAKEN &&
		    json_array_append_new(refusals, psc_control_refusal_json(&refusal))) {
			json_decref(refusals);
			return NULL;
		}
	}
	return refusals;
}

static int reply(struct psc_varlink_call *call, json_t *refusals, __u64 lost, __u64 suppressed)
{
	int err = psc_varlink_reply(call, json_pack("{s:o, s:o*, s:o*}", "refusals", refusals,
						    "lost", lost ? json_integer((json_int_t)lost) :
						    NULL, "suppressed", suppressed ?
						    json_integer((json_int_t)suppressed) : NULL));

	return err ? err : PSC_VARLINK_CONTINUES;
}

/* What has happened since the last reply. */
static int go_on(struct psc_varlink_call *call, struct psc_watch *watch)
{
	__u64 lost, suppressed;
	json_t *refusals;

	if (!psc_watch_is_due(watch))
		return -EAGAIN;
	refusals = take_refusals(watch);
	if (!refusals)
		return -ENOMEM;
	psc_watch_take_counts(watch, &lost, &suppressed);
	if (json_array_size(refusals) || lost || suppressed)
		return reply(call, refusals, lost, suppressed);
	json_decref(refusals);
	return psc_watch_is_due(watch) ? -EINPROGRESS : -EAGAIN;
}

/* Return: 0 with the cgroup's path in the filter, or NULL there; else as answering does. */
static int find_cgroup(struct psc_varlink_call *call, struct watching *watching,
		       struct psc_watch_filter *filter, bool *ret_answered)
{
	const struct psc_cgroups *cgroups = psc_control_backend(call)->cgroups;
	const char *name = json_string_value(json_object_get(call->parameters, "cgroup"));
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	int err;

	*ret_answered = false;
	if (!name)
		return 0;
	err = watching->search ? 0 : psc_search_begin(cgroups, name, &watching->search);
	if (!err)
		err = psc_search_step(watching->search, &cgroup);
	if (err == -EINPROGRESS)
		return err;
	psc_search_free(TAKE_PTR(watching->search));
	if (err) {
		*ret_answered = true;
		return psc_control_trouble(call, err);
	}
	filter->cgroup = TAKE_PTR(cgroup.path);
	return 0;
}

int psc_control_watch(struct psc_varlink_call *call)
{
	struct psc_watchers *watchers = psc_control_backend(call)->watchers;
	struct psc_pending *pending = call->client->pending;
	struct watching *watching = pending ? pending->data : NULL;
	struct psc_watch_filter filter;
	const char *bad;
	bool answered;
	int err;

	if (!pending)
		return psc_control_fail(call, -EOPNOTSUPP, "watching");
	if (watching && watching->watch)
		return go_on(call, watching->watch);
	bad = parse_filter(call, &filter);
	if (bad)
		return psc_varlink_invalid(call, bad);
	if (!watching) {
		watching = calloc(1, sizeof(*watching));
		if (!watching)
			return -ENOMEM;
		*pending = (struct psc_pending){ watching, watching_free, watching_is_due };
	}
	err = find_cgroup(call, watching, &filter, &answered);
	if (err || answered)
		return err;
	watching->watch = psc_watch_new(watchers, &filter);
	if (!watching->watch) {
		free(filter.cgroup);
		return -ENOMEM;
	}
	/* So that who calls knows that it begins. */
	return reply(call, json_array(), 0, 0);
}
