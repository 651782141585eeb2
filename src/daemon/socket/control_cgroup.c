/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of io.ptracescope that are about cgroups. */
#include "control_call.h"

#include <errno.h>

#include "cgroup_json.h"
#include "escape.h"
#include "interface.h"
#include "json.h"
#include "turn.h"
#include "util.h"
#include "walk.h"

/*
 * A call of CgroupList ends after so many cgroups looked at, or when the answer, as it is
 * sent, has so many bytes (and those of the last cgroup).
 */
#define PAGE_VISITS 256
#define PAGE_BYTES (128 * 1024)

static void address(const struct psc_cgroup *cgroup, struct psc_request *req)
{
	req->abi = PSC_ABI;
	req->flags |= PSC_FLAG_CGROUP;
	req->dir_fd = cgroup->fd;
	req->cgroup = cgroup->id;
}

/* Ask about a cgroup. */
static int request(struct psc_varlink_call *call, const struct psc_cgroup *cgroup,
		   struct psc_request *req)
{
	const struct psc_backend *backend = psc_control_backend(call);

	address(cgroup, req);
	return backend->request(backend->data, req);
}

static int change(struct psc_varlink_call *call, const struct psc_cgroup *cgroup,
		  struct psc_request *req)
{
	address(cgroup, req);
	return psc_control_change(call, req);
}

int psc_control_trouble(struct psc_varlink_call *call, int trouble)
{
	json_t *name = json_object_get(call->parameters, "cgroup");

	if (trouble < 0)
		return psc_control_fail(call, trouble, "looking for the cgroup");
	return psc_varlink_error(call, PSC_INTERFACE ".CgroupError",
				 json_pack("{s:O, s:s, s:s}", "cgroup", name,
					   "reason", psc_cgroup_trouble_word(trouble),
					   "message", psc_cgroup_trouble_text(trouble)));
}

static void free_search(void *search)
{
	psc_search_free(search);
}

/* psc_cgroup_find() for a client that may have to wait. */
static int search(struct psc_varlink_call *call, const char *name, struct psc_cgroup *ret)
{
	const struct psc_cgroups *cgroups = psc_control_backend(call)->cgroups;
	struct psc_pending *pending = call->client->pending;
	struct psc_search *search = pending ? pending->data : NULL;
	int err = 0;

	if (!pending)
		return psc_cgroup_find(cgroups, name, ret);
	if (!search)
		err = psc_search_begin(cgroups, name, &search);
	if (err)
		return err;
	*pending = (struct psc_pending){ search, free_search };
	err = psc_search_step(search, ret);
	if (err == -EINPROGRESS)
		return err;
	psc_search_free(search);
	*pending = (struct psc_pending){ 0 };
	return err;
}

/* The parameter "cgroup", and what is in force there. Return: 1, or what answering returned. */
static int find(struct psc_varlink_call *call, struct psc_cgroup *ret, struct psc_request *ret_info)
{
	const char *name = json_string_value(json_object_get(call->parameters, "cgroup"));
	struct psc_request info = { .op = PSC_OP_INFO };
	int err = search(call, name, ret);

	if (err == -EINPROGRESS)
		return err;
	if (err)
		return psc_control_trouble(call, err);
	err = request(call, ret, &info);
	if (psc_cgroup_trouble_of(err))
		return psc_control_trouble(call, psc_cgroup_trouble_of(err));
	if (err)
		return psc_control_fail(call, err, "reading the policy of the cgroup");
	*ret_info = info;
	return 1;
}

static int reply(struct psc_varlink_call *call, const char *path, const struct psc_request *info)
{
	const struct psc_cgroup_subject subject = { path, psc_control_backend(call)->cgroups, NULL };
	json_t *cgroup = psc_cgroup_json(&subject, info);

	return psc_varlink_reply(call, cgroup ? json_pack("{s:o}", "cgroup", cgroup) : NULL);
}

/* Is it about a process in the root cgroup, which may keep what it had elsewhere? */
static bool is_in_root(const struct psc_varlink_call *call)
{
	const char *name = json_string_value(json_object_get(call->parameters, "cgroup"));

	return json_object_get(call->parameters, "pid") && streq(name, "/");
}

/* find() of the root cgroup, which has no settings but the global ones. */
static int find_root(struct psc_varlink_call *call, struct psc_cgroup *ret,
		     struct psc_request *ret_info)
{
	const struct psc_backend *backend = psc_control_backend(call);
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	int err = backend->request(backend->data, &info);

	if (err)
		return psc_control_fail(call, err, "reading the policy");
	ret->path = strdup("/");
	if (!ret->path)
		return -ENOMEM;
	info.effective = info.policy;
	memset(&info.source, 0, sizeof(info.source));
	info.policy = PSC_POLICY_NONE;
	*ret_info = info;
	return 1;
}

int psc_control_cgroup_get(struct psc_varlink_call *call)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	json_int_t pid = json_integer_value(json_object_get(call->parameters, "pid"));
	struct psc_request info;
	int found = is_in_root(call) ? find_root(call, &cgroup, &info) : find(call, &cgroup, &info);
	int err;
	const struct psc_cgroup_subject subject = { cgroup.path, psc_control_backend(call)->cgroups, NULL };
	json_t *json;

	if (found <= 0 || !json_object_get(call->parameters, "pid"))
		return found <= 0 ? found : reply(call, cgroup.path, &info);
	json = psc_cgroup_json(&subject, &info);
	err = json ? psc_cgroup_process_json(psc_control_backend(call)->cgroups, &cgroup, pid,
					     json) : 0;
	if (!err)
		return psc_varlink_reply(call, json ? json_pack("{s:o}", "cgroup", json) : NULL);
	json_decref(json);
	return psc_control_fail(call, err, err == -PSC_E_2BIG ?
				"the process has thousands of ancestors, or of threads without a leader" :
				"the process in that cgroup");
}

static int cgroup_locked(struct psc_varlink_call *call, const struct psc_name *name,
			 const struct psc_cgroup *cgroup)
{
	struct psc_request info = { .op = PSC_OP_INFO };
	int err = request(call, cgroup, &info);

	if (err)
		return psc_control_fail(call, err, "reading the policy of the cgroup");
	psc_control_refused(call, name->name);
	return psc_varlink_error(call, PSC_INTERFACE ".Locked",
				 json_pack("{s:s, s:i}", "name", name->name, "floor",
					   psc_policy_highest_floor(&info.effective, name->modes)));
}

/* Answer a request that failed. */
static int answer_failure(struct psc_varlink_call *call, const struct psc_name *name,
			  const struct psc_cgroup *cgroup, const struct psc_request *req, int err)
{
	switch (err) {
	case -EINPROGRESS:
		return -EAGAIN;
	case -PSC_E_LOCKED:
		return cgroup_locked(call, name, cgroup);
	case -PSC_E_RANGE:
		return psc_control_out_of_range(call, name, req->want.scope[name->mode]);
	case -PSC_E_NODATA:
		return psc_control_nothing_to_lock(call);
	case -EBUSY:
		return psc_control_fail(call, err, PSC_CONTROL_NO_FLOOR);
	case -PSC_E_NOSPC:
		return psc_control_fail(call, err, "no cgroup can have a setting besides those that have one");
	case -PSC_E_OPNOTSUPP:	/* one that is threaded would have been refused before */
		return psc_control_fail(call, err, "this kernel does not let us see processes "
					"move, so a cgroup can neither be locked nor be sticky");
	default:
		if (psc_cgroup_trouble_of(err))
			return psc_control_trouble(call, psc_cgroup_trouble_of(err));
		return psc_control_fail(call, err, name->name);
	}
}

static void log_change(const struct psc_varlink_call *call, const struct psc_name *name,
		       const char *path, const char *what, const struct psc_request *req)
{
	_cleanup_free_ char *text = NULL, *shown = psc_escape(path, strlen(path), 256);
	char now[PSC_LABEL_SIZE];

	if (name && asprintf(&text, "cgroup \"%s\": %s: %s, now %s", shown ? shown : "?",
			     name->name, what,
			     psc_value_label(name, psc_name_get(name, &req->effective), now)) < 0)
		text = NULL;
	if (!name && asprintf(&text, "cgroup \"%s\": %s", shown ? shown : "?", what) < 0)
		text = NULL;
	psc_control_done(call, text ? text : what);
}

/* "admin" or "runtime"; what the configuration sets is known to itself. */
static bool parse_origin(const json_t *text, __u32 *ret)
{
	if (!json_is_string(text) || streq(json_string_value(text), "admin"))
		*ret = PSC_ORIGIN_ADMIN;
	else if (streq(json_string_value(text), "runtime"))
		*ret = PSC_ORIGIN_RUNTIME;
	else
		return false;
	return true;
}

static bool flag(const struct psc_varlink_call *call, const char *name)
{
	return json_is_true(json_object_get(call->parameters, name));
}

int psc_control_cgroup_set(struct psc_varlink_call *call)
{
	json_int_t value = json_integer_value(json_object_get(call->parameters, "value"));
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	int err, found;
	const struct psc_name *name = psc_control_name(call, &err);
	struct psc_request req, info;
	__u32 origin;

	if (!name)
		return err;
	if (!parse_origin(json_object_get(call->parameters, "origin"), &origin))
		return psc_varlink_invalid(call, "origin");
	if (value < 0 || value > PSC_SCOPE_INHERIT ||
	    !psc_value_fits_name(name, (unsigned int)value, true))
		return psc_control_out_of_range(call, name, value);
	req = psc_name_request(name, (unsigned int)value);
	req.origin = origin;
	if (flag(call, "revocable")) {
		if (!psc_name_may_be_revocable(name, (unsigned int)value) || flag(call, "lock"))
			return psc_varlink_invalid(call, "revocable");
		req.flags = PSC_FLAG_REVOCABLE;
	}
	if (flag(call, "lock"))
		req.lock = req.set;
	if (json_is_boolean(json_object_get(call->parameters, "sticky"))) {
		if (name->floor)
			return psc_varlink_invalid(call, "sticky");
		*(flag(call, "sticky") ? &req.stick : &req.unstick) = req.set;
	}
	found = find(call, &cgroup, &info);
	if (found <= 0)
		return found;
	err = change(call, &cgroup, &req);
	if (err)
		return answer_failure(call, name, &cgroup, &req, err);
	log_change(call, name, cgroup.path, flag(call, "lock") ? "set and locked" : "set", &req);
	return reply(call, cgroup.path, &req);
}

/* Every scope in force there becomes its floor. */
int psc_control_cgroup_lock(struct psc_varlink_call *call)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	struct psc_request info, req = { .op = PSC_OP_CHANGE, .lock = PSC_MODES_ALL };
	int err, found = find(call, &cgroup, &info);

	if (found <= 0)
		return found;
	/* What was said before was said by the same. */
	req.origin = psc_entry_exists(&info.policy) ? info.origin : PSC_ORIGIN_ADMIN;
	err = change(call, &cgroup, &req);
	if (err)
		return answer_failure(call, psc_name_find(PSC_NAME_FLOOR), &cgroup, &req, err);
	log_change(call, psc_name_find(PSC_NAME_FLOOR), cgroup.path, "locked", &req);
	return reply(call, cgroup.path, &req);
}

int psc_control_cgroup_unset(struct psc_varlink_call *call)
{
	bool named = json_is_string(json_object_get(call->parameters, "name"));
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	struct psc_request info, req = psc_request_unset(PSC_MODES_ALL);
	const struct psc_name *name = NULL;
	int err = 0, found;

	if (named) {
		name = psc_control_name(call, &err);
		if (!name)
			return err;
		/* A floor does not go. */
		if (name->floor)
			return psc_varlink_invalid(call, "name");
		req.unset = name->modes;
	}
	found = find(call, &cgroup, &info);
	if (found <= 0)
		return found;
	/* The remaining entry keeps its origin. */
	req.origin = info.origin;
	err = change(call, &cgroup, &req);
	if (err)
		return answer_failure(call, name ?: psc_name_with_floor(&info.policy) ?: psc_names,
				      &cgroup, &req, err);
	log_change(call, name, cgroup.path, "unset", &req);
	return reply(call, cgroup.path, &req);
}

static int answer_unmounted(struct psc_varlink_call *call)
{
	return psc_varlink_error(call, PSC_INTERFACE ".CgroupError",
				 json_pack("{s:s, s:s, s:s}", "cgroup", "", "reason",
					   psc_cgroup_trouble_word(PSC_CGROUP_UNMOUNTED),
					   "message",
					   psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED)));
}

/*
 * One page of the list: until enough cgroups have been looked at, or the answer is long enough,
 * or others should have their turn. Return: the walk's position; or NULL at the end, and *ret_err
 */
static char *fill_page(struct psc_varlink_call *call, struct psc_walk *walk, json_t *found,
		       int *ret_err)
{
	struct psc_cgroup_subject subject = { .cgroups = walk->cgroups, .walk = walk };
	struct psc_cgroup cgroup;
	unsigned int visits = 0;
	size_t bytes = 0;
	int err = 0, more = 1;
	char *position;

	while (visits++ < PAGE_VISITS && bytes < PAGE_BYTES && !psc_turn_spent() &&
	       (more = psc_walk_next(walk, &cgroup)) > 0) {
		struct psc_request info = { .op = PSC_OP_INFO };
		json_t *json;

		err = request(call, &cgroup, &info);
		/* Gone meanwhile, or one that cannot have an entry. */
		if (psc_cgroup_trouble_of(err) || (!err && !psc_entry_exists(&info.policy)))
			continue;
		subject.path = cgroup.path;
		json = err ? NULL : psc_cgroup_json(&subject, &info);
		/* In JSON a byte of a path may take six. */
		bytes += psc_json_size(json, JSON_COMPACT);
		if (!err && json_array_append_new(found, json))
			err = -ENOMEM;
		if (err)
			break;
	}
	err = psc_cgroup_trouble_of(err) ? 0 : err;
	if (!err && more < 0 && more != -EINPROGRESS)
		err = more;
	*ret_err = err;
	if (err || !more)
		return NULL;
	position = psc_walk_position(walk);
	*ret_err = position ? 0 : -ENOMEM;
	return position;
}

int psc_control_cgroup_list(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	const char *after = json_string_value(json_object_get(call->parameters, "after"));
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	_cleanup_free_ char *next = NULL;
	json_t *found = json_array();
	struct psc_walk walk;
	int err;

	if (backend->cgroups->root_fd < 0) {
		json_decref(found);
		return answer_unmounted(call);
	}
	psc_walk_begin(&walk, backend->cgroups, false);
	err = after ? psc_walk_resume(&walk, after) : 0;
	if (!err)
		err = backend->request(backend->data, &info);
	if (!err && info.entries)
		next = fill_page(call, &walk, found, &err);
	psc_walk_end(&walk);
	if (!err)
		return psc_varlink_reply(call, json_pack("{s:o, s:i, s:s*}", "cgroups", found,
							 "entries", info.entries, "next", next));
	json_decref(found);
	return err == -EINVAL ? psc_varlink_invalid(call, "after") :
				psc_control_fail(call, err, "listing cgroups");
}
