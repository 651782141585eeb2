/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of io.ptracescope that are about cgroups. */
#include "control_call.h"

#include <errno.h>

#include "escape.h"
#include "interface.h"
#include "json.h"
#include "util.h"

/*
 * A call of CgroupList ends after so many cgroups looked at, or when the answer, as it is
 * sent, has so many bytes (and those of the last cgroup): whoever calls it again and again takes no more of the daemon's time and memory
 * than with other methods.
 */
#define PAGE_VISITS 256
#define PAGE_BYTES (128 * 1024)

static int request(struct psc_varlink_call *call, const struct psc_cgroup *cgroup,
		   struct psc_request *req)
{
	const struct psc_backend *backend = psc_control_backend(call);

	req->abi = PSC_ABI;
	req->flags |= PSC_FLAG_CGROUP;
	req->dir_fd = cgroup->fd;
	req->cgroup = cgroup->id;
	return backend->request(backend->data, req);
}

/* Answer with the error CgroupError: @trouble as psc_cgroup_find() returns it. */
static int answer_trouble(struct psc_varlink_call *call, int trouble)
{
	json_t *name = json_object_get(call->parameters, "cgroup");

	if (trouble < 0)
		return psc_control_fail(call, trouble, "looking for the cgroup");
	return psc_varlink_error(call, PSC_INTERFACE ".CgroupError",
				 json_pack("{s:O, s:s, s:s}", "cgroup", name,
					   "reason", psc_cgroup_trouble_word(trouble),
					   "message", psc_cgroup_trouble_text(trouble)));
}

/* The parameter "cgroup", and what is in force there. Return: 1, or what answering returned. */
static int find(struct psc_varlink_call *call, struct psc_cgroup *ret, struct psc_request *ret_info)
{
	const char *name = json_string_value(json_object_get(call->parameters, "cgroup"));
	struct psc_request info = { .op = PSC_OP_INFO };
	int err = psc_cgroup_find(psc_control_backend(call)->cgroups, name, ret);

	if (err)
		return answer_trouble(call, err);
	err = request(call, ret, &info);
	if (psc_cgroup_trouble_of(err))
		return answer_trouble(call, psc_cgroup_trouble_of(err));
	if (err)
		return psc_control_fail(call, err, "reading the policy of the cgroup");
	*ret_info = info;
	return 1;
}

/* What the cgroup itself says; NULL where it has no entry. */
static json_t *entry_json(const struct psc_request *info)
{
	json_t *entry = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int scope = info->policy.scope[mode];

		json_object_set_new(entry, psc_mode_word(mode),
				    json_pack("{s:o*, s:i}", "scope",
					      scope == PSC_SCOPE_INHERIT ? NULL :
					      json_integer(scope), "floor",
					      info->policy.floor[mode]));
	}
	return entry;
}

/* Where the effective value comes from: the path of a cgroup, or "" for the global policy. */
static json_t *source_json(const struct psc_cgroups *cgroups, const char *path, __u64 id)
{
	_cleanup_free_ char *above = NULL;

	if (!id)
		return json_string("");
	return psc_cgroup_above(cgroups, path, id, &above) ? json_string("?") :
							    psc_control_text(above);
}

static json_t *effective_json(const struct psc_cgroups *cgroups, const char *path,
			      const struct psc_request *info)
{
	json_t *effective = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		json_object_set_new(effective, psc_mode_word(mode),
				    json_pack("{s:i, s:i, s:o}",
					      "scope", info->effective.scope[mode],
					      "floor", info->effective.floor[mode],
					      "source", source_json(cgroups, path,
								    info->source[mode])));
	return effective;
}

/* As type Cgroup of the interface; NULL when out of memory. */
static json_t *cgroup_json(const struct psc_cgroups *cgroups, const char *path,
			   const struct psc_request *info)
{
	bool any = psc_entry_exists(&info->policy);

	return json_pack("{s:o, s:I, s:s*, s:o*, s:o}", "path", psc_control_text(path),
			 "id", (json_int_t)info->cgroup,
			 "origin", any ? psc_origin_word(info->origin) : NULL,
			 "entry", any ? entry_json(info) : NULL,
			 "effective", effective_json(cgroups, path, info));
}

static int reply(struct psc_varlink_call *call, const char *path, const struct psc_request *info)
{
	json_t *cgroup = cgroup_json(psc_control_backend(call)->cgroups, path, info);

	return psc_varlink_reply(call, cgroup ? json_pack("{s:o}", "cgroup", cgroup) : NULL);
}

int psc_control_cgroup_get(struct psc_varlink_call *call)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	struct psc_request info;
	int found = find(call, &cgroup, &info);

	return found <= 0 ? found : reply(call, cgroup.path, &info);
}

static int locked(struct psc_varlink_call *call, const struct psc_name *name,
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
	case -PSC_E_LOCKED:
		return locked(call, name, cgroup);
	case -PSC_E_RANGE:
		return psc_control_out_of_range(call, name, req->want.scope[name->mode]);
	case -PSC_E_NODATA:
		return psc_control_nothing_to_lock(call);
	case -EBUSY:
		return psc_control_fail(call, err, PSC_CONTROL_NO_FLOOR);
	case -PSC_E_NOSPC:
		return psc_control_fail(call, err, "no room for the entry of one more cgroup");
	case -PSC_E_OPNOTSUPP:	/* one that is threaded would have been refused before */
		return psc_control_fail(call, err, "this kernel does not let us see processes "
					"move, so a cgroup cannot be locked");
	default:
		if (psc_cgroup_trouble_of(err))
			return answer_trouble(call, psc_cgroup_trouble_of(err));
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
	found = find(call, &cgroup, &info);
	if (found <= 0)
		return found;
	err = request(call, &cgroup, &req);
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
	err = request(call, &cgroup, &req);
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
	/* What is left was said by whom it was said before. */
	req.origin = info.origin;
	err = request(call, &cgroup, &req);
	if (err)
		return answer_failure(call, name ?: psc_name_with_floor(&info.policy) ?: psc_names,
				      &cgroup, &req, err);
	log_change(call, name, cgroup.path, "unset", &req);
	return reply(call, cgroup.path, &req);
}

/* One page of the list. */
struct page {
	struct psc_varlink_call *call;
	json_t *found;
	unsigned int visits;
	size_t bytes;
	char *last;			/* where it ended; NULL: at the end of all */
};

static int visit(void *data, const struct psc_cgroup *cgroup)
{
	struct psc_request info = { .op = PSC_OP_INFO };
	struct page *page = data;
	int err = request(page->call, cgroup, &info);

	/* Gone meanwhile, or one that cannot have an entry. */
	if (err && !psc_cgroup_trouble_of(err))
		return err;
	if (!err && psc_entry_exists(&info.policy)) {
		json_t *json = cgroup_json(psc_control_backend(page->call)->cgroups, cgroup->path,
					   &info);

		/* In JSON a byte of a path may take six. */
		page->bytes += psc_json_size(json, JSON_COMPACT);
		if (json_array_append_new(page->found, json))
			return -ENOMEM;
	}
	if (++page->visits < PAGE_VISITS && page->bytes < PAGE_BYTES)
		return 0;
	page->last = strdup(cgroup->path);
	return page->last ? 1 : -ENOMEM;
}

/* A path as a position in the list, which is a string of JSON whatever is in the path. */
static json_t *position_json(const char *path)
{
	size_t len = strlen(path);
	_cleanup_free_ char *hex = malloc(2 * len + 1);

	if (!hex)
		return NULL;
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)path[i]);
	return json_stringn(hex, 2 * len);
}

static int parse_position(const char *hex, char **ret)
{
	size_t len = strlen(hex) / 2;
	_cleanup_free_ char *path = calloc(1, len + 1);

	if (!path)
		return -ENOMEM;
	/* Looked at once, however long it is: anybody may send it. */
	if (strspn(hex, "0123456789abcdef") != 2 * len || hex[2 * len])
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		path[i] = (char)strtoul(digits, NULL, 16);
		if (!path[i])
			return -EINVAL;
	}
	*ret = TAKE_PTR(path);
	return 0;
}

int psc_control_cgroup_list(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	const char *position = json_string_value(json_object_get(call->parameters, "after"));
	_cleanup_free_ char *after = NULL;
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	struct page page = { .call = call };
	json_t *answer;
	int err;

	if (backend->cgroups->root_fd < 0)
		return psc_varlink_error(call, PSC_INTERFACE ".CgroupError",
					 json_pack("{s:s, s:s, s:s}", "cgroup", "", "reason",
						   psc_cgroup_trouble_word(PSC_CGROUP_UNMOUNTED),
						   "message",
						   psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED)));
	err = position ? parse_position(position, &after) : 0;
	if (err)
		return err == -EINVAL ? psc_varlink_invalid(call, "after") : err;
	err = backend->request(backend->data, &info);
	page.found = json_array();
	if (!err && info.entries)
		err = psc_cgroup_walk(backend->cgroups, after, visit, &page);
	if (err < 0) {
		json_decref(page.found);
		return psc_control_fail(call, err, "listing cgroups");
	}
	answer = json_pack("{s:o, s:i, s:o*}", "cgroups", page.found, "entries", info.entries,
			   "next", page.last ? position_json(page.last) : NULL);
	free(page.last);
	return psc_varlink_reply(call, answer);
}
