/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The method Explain of io.ptracescope: what decides an access. */
#include "control_call.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "explain.h"
#include "interface.h"
#include "json.h"
#include "kernel.h"
#include "others.h"
#include "util.h"

/* The policy, or a process, changed while it was looked at. */
#define TRIES 4

/* As many cgroups as are on two paths, and those that the sides have left. */
#define PATHS_MAX (2 * PSC_CGROUP_LEVELS + 2 * PSC_MODE_SLOTS)

struct paths {
	const struct psc_backend *backend;
	const struct psc_explanation *e;
	struct {
		__u64 id;
		char *path;
	} known[PATHS_MAX];
	size_t n;
};

/* The path of a cgroup that a side is in, or of one that it has left, if that is still there. */
static const char *find_path(void *data, __u64 id)
{
	struct paths *paths = data;
	_cleanup_free_ char *left = NULL;
	char *path;

	for (size_t i = 0; i < paths->n; i++)
		if (paths->known[i].id == id)
			return paths->known[i].path;
	if (paths->n == PATHS_MAX || psc_cgroup_path(paths->backend->cgroups, id, &left) ||
	    asprintf(&path, "/%s", left) < 0)
		return NULL;
	paths->known[paths->n].id = id;
	paths->known[paths->n++].path = path;
	return path;
}

/* The root cgroup has no settings of its own. */
static bool find_policy(void *data, __u64 id, union psc_policy *ret)
{
	struct paths *paths = data;
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_CGROUP, .dir_fd = -1, .cgroup = id,
	};
	const char *path = find_path(paths, id);

	if (path && streq(path, "/")) {
		*ret = paths->e->global;
		return true;
	}
	if (!path || paths->backend->request(paths->backend->data, &req))
		return false;
	*ret = req.effective;
	return true;
}

static void paths_free(struct paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->known[i].path);
	paths->n = 0;
}

#define _cleanup_paths_ __attribute__((cleanup(paths_free)))

/* One more cgroup, below @above; NULL for the root. */
static int add_path(struct paths *paths, const char *above, const struct psc_found_cgroup *cgroup)
{
	char *path = NULL;

	if (paths->n == PATHS_MAX)
		return -E2BIG;
	if (!above)		/* the root, whose name is empty */
		path = strdup("/");
	else if (asprintf(&path, "%s/%.*s", streq(above, "/") ? "" : above, PSC_NAME_BYTES - 1,
			  cgroup->name) < 0)
		path = NULL;
	if (!path)
		return -ENOMEM;
	paths->known[paths->n].id = cgroup->id;
	paths->known[paths->n++].path = path;
	return 0;
}

/*
 * Learn the paths of a side's cgroup and of all above it. What cannot be learnt, also as it is
 * another by now, or as pids are others here, is shown by its id.
 */
static void learn_paths(const struct psc_backend *backend, const struct psc_explain_side *side,
			struct paths *paths)
{
	const size_t before = paths->n;
	__u32 level = 0;
	int err = 0;

	for (__u32 n = PSC_FOUND_MAX; n == PSC_FOUND_MAX && !err; level += n) {
		struct psc_explain_request req = {
			.abi = PSC_ABI, .tracee = (__s32)side->tid, .level = level,
		};
		struct psc_found found;

		err = backend->names(backend->data, &req, &found);
		n = err ? 0 : req.n;
		for (__u32 i = 0; i < n && i < PSC_FOUND_MAX && !err; i++)
			err = add_path(paths, level + i ? paths->known[paths->n - 1].path : NULL,
				       &found.cgroups[i]);
	}
	if (!err && paths->n > before && paths->known[paths->n - 1].id == side->cgroup)
		return;
	while (paths->n > before)
		free(paths->known[--paths->n].path);
}

static json_t *path_json(const struct psc_explain_paths *paths, __u64 id)
{
	const char *path = id == PSC_SOURCE_SEVERAL ? "?" : paths->path(paths->data, id);

	return path ? psc_json_text(path) : json_sprintf("id %" PRIu64, (uint64_t)id);
}

/* As type EffectivePolicy. */
static json_t *effective_json(const struct psc_explain_paths *paths,
			     const struct psc_explain_side *side)
{
	const struct psc_effective *effective = &side->effective;
	json_t *policy = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		__u64 from = effective->scope_from[mode];

		json_object_set_new(policy, psc_mode_word(mode),
				    json_pack("{s:i, s:i, s:o, s:o*}",
					      "scope", effective->policy.scope[mode],
					      "floor", effective->policy.floor[mode],
					      "source", from ? path_json(paths, from) :
							       json_string(""),
					      "left", psc_explain_has_left(side, from, paths) ?
						      json_true() : NULL));
	}
	return policy;
}

static json_t *side_json(const struct psc_explain_paths *paths, const struct psc_explain_side *s)
{
	char comm[PSC_COMM_LEN + 1] = "";

	memcpy(comm, s->comm, PSC_COMM_LEN);
	return json_pack("{s:i, s:i, s:o, s:I, s:[I,I,I,I], s:[I,I,I,I], s:o, s:o, s:I, s:i, s:o, "
			 "s:b, s:b, s:o}",
			 "pid", (int)s->pid, "tid", (int)s->tid, "command", psc_json_text(comm),
			 "started_ns", (json_int_t)s->start_ns,
			 "uids", (json_int_t)s->uid, (json_int_t)s->euid, (json_int_t)s->suid,
			 (json_int_t)s->fsuid,
			 "gids", (json_int_t)s->gid, (json_int_t)s->egid, (json_int_t)s->sgid,
			 (json_int_t)s->fsgid,
			 "permitted", json_sprintf("%#" PRIx64, (uint64_t)s->cap_permitted),
			 "effective", json_sprintf("%#" PRIx64, (uint64_t)s->cap_effective),
			 "user_namespace", (json_int_t)s->user_ns,
			 "user_namespace_level", (int)s->ns_level,
			 "cgroup", path_json(paths, s->cgroup),
			 "seccomp", !!(s->is & PSC_SIDE_FILTERED),
			 "no_new_privs", !!(s->is & PSC_SIDE_NO_NEW_PRIVS),
			 "policy", effective_json(paths, s));
}

static json_t *step_json(const struct psc_explanation *e, enum psc_step step,
			 enum psc_step_result result, const struct psc_explain_paths *paths)
{
	_cleanup_free_ char *text = psc_explain_step_text(e, step, paths);
	unsigned int number = psc_step_number(step);

	return text ? json_pack("{s:o*, s:s, s:s, s:o}",
				"number", number ? json_integer(number) : NULL,
				"name", psc_step_word(step), "result", psc_step_result_word(result),
				"text", psc_json_text(text)) : NULL;
}

/* The steps that were asked; or those that were not, and would refuse as well. */
static json_t *steps_json(const struct psc_explanation *e, const struct psc_explain_verdict *verdict,
			  bool others, const struct psc_explain_paths *paths)
{
	json_t *steps = json_array();

	for (enum psc_step step = 0; step < PSC_STEPS; step++) {
		enum psc_step_result result = verdict->results[step];

		if (others && psc_explain_refuses_too(e, verdict, step))
			result = PSC_STEP_REFUSED;
		else if (others || result == PSC_STEP_NOT_ASKED)
			continue;
		if (json_array_append_new(steps, step_json(e, step, result, paths))) {
			json_decref(steps);
			return NULL;
		}
	}
	return steps;
}

/* Ours: what is asked, every fact, and the verdict by itself. */
static json_t *scope_json(const struct psc_explanation *e, const struct psc_explain_paths *paths)
{
	static const char *const declared[] = {
		[PSC_DECLARED_NONE] = "nobody",
		[PSC_DECLARED_ANYONE] = "anybody",
		[PSC_DECLARED_TASK] = "process",
		[PSC_DECLARED_DEAD] = "ended",
	};
	struct psc_verdict verdict = psc_explain_scope(e);
	json_t *facts = json_object();

	for (unsigned int i = 0; i < PSC_FACTS; i++)
		if (e->known & 1U << i)
			json_object_set_new(facts, psc_explain_fact_word(i),
					    json_boolean(e->holds & 1U << i));
	return json_pack("{s:s, s:s, s:i, s:i, s:b, s:o*, s:o, s:s*, s:o*}",
			 "verdict", verdict.refused ? "refused" : "allowed",
			 "reason", psc_reason_word(verdict.reason),
			 "scope", (int)e->question.scope, "traceme_scope", (int)e->question.traceme,
			 "boundary", e->question.boundary != 0,
			 "container", e->container ? path_json(paths, e->container) : NULL,
			 "facts", facts,
			 "declared", e->declared < ARRAY_SIZE(declared) &&
				     e->question.mode != PSC_MODE_TRACEME ?
				     declared[e->declared] : NULL,
			 "declared_pid", e->declared == PSC_DECLARED_TASK ?
				     json_integer(e->declared_pid) : NULL);
}

static json_t *remedies_json(const struct psc_explanation *e, const struct psc_explain_request *req,
			     const struct psc_explain_paths *paths)
{
	struct psc_remedies remedies;
	json_t *array = json_array();

	if (psc_explain_remedies(e, req->tracer, req->tracee, paths, &remedies)) {
		json_decref(array);
		return NULL;
	}
	for (size_t i = 0; i < remedies.n; i++)
		json_array_append_new(array, json_pack("{s:s, s:o, s:s*}", "kind",
						       remedies.items[i].is_call ? "call" : "command",
						       "text", psc_json_text(remedies.items[i].text),
						       "note", remedies.items[i].note));
	psc_remedies_free(&remedies);
	return array;
}

static json_t *explanation_json(const struct psc_explanation *e,
				const struct psc_explain_request *req, json_t *others,
				const struct psc_explain_paths *paths)
{
	struct psc_explain_verdict verdict = psc_explain_judge(e);
	_cleanup_free_ char *text = psc_explain_step_text(e, verdict.decides, paths);

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "verdict", verdict.refused ? "refused" : "allowed",
			 "mode", psc_mode_word(req->mode),
			 "check", verdict.check_refused ? "refused" : "allowed",
			 "decides", psc_step_word(verdict.decides),
			 "reason", text ? psc_json_text(text) : NULL,
			 "tracer", side_json(paths, &e->tracer),
			 "tracee", side_json(paths, &e->tracee),
			 "steps", steps_json(e, &verdict, false, paths),
			 "refusing_too", steps_json(e, &verdict, true, paths),
			 "ptracescope", scope_json(e, paths),
			 "others", others,
			 "remedies", remedies_json(e, req, paths));
}

static int reply_unknown(struct psc_varlink_call *call, __u32 mode, const char *why)
{
	return psc_varlink_reply(call, json_pack("{s:s, s:s, s:s}", "verdict", "unknown",
						 "mode", psc_mode_word(mode), "reason", why));
}

static int reply_failure(struct psc_varlink_call *call, __u32 mode, int err)
{
	switch (err) {
	case -PSC_E_SRCH:
		return reply_unknown(call, mode, "there is no such process");
	case -PSC_E_2BIG:
		return reply_unknown(call, mode, "a process has thousands of ancestors, or of "
				     "threads and no leader, which takes too long to look at");
	case -EAGAIN:
		return reply_unknown(call, mode, "a process ended, or the policy changed, while it "
				     "was looked at; ask again");
	case -ESHUTDOWN:
		return reply_unknown(call, mode, "kernel.ftrace_enabled is 0: the programs are "
				     "without effect");
	case -EOPNOTSUPP:
		return reply_unknown(call, mode, "the programs in force are of an older version, "
				     "which cannot tell; see \"kept\" in the status");
	default:
		return psc_control_fail(call, err, "asking the kernel side");
	}
}

/* One look at the facts that fits together. Return: 0 or a negative errno. */
static int look(const struct psc_backend *backend, const struct psc_explain_request *asked,
		struct psc_explanation *ret)
{
	for (int i = 0; i < TRIES; i++) {
		struct psc_explain_request req = *asked;
		int err = backend->explain(backend->data, &req, ret);

		if (err || psc_explain_fits(ret))
			return err;
	}
	return -EAGAIN;
}

static bool is_same(const struct psc_explain_side *a, const struct psc_explain_side *b)
{
	return a->tid == b->tid && a->start_ns == b->start_ns;
}

/* Everybody may ask about his own. */
static bool may_ask(const struct psc_client *client, const struct psc_explanation *e)
{
	return client->capable || (e->tracer.uid == client->uid && e->tracee.uid == client->uid);
}

/* Whose question it is not, by the pids that the caller knows. */
static int reply_denied(struct psc_varlink_call *call, const struct psc_explain_request *req,
			const struct psc_explanation *e)
{
	char text[128];

	if (e->tracee.uid != call->client->uid)
		snprintf(text, sizeof(text), "process %d belongs to another user", req->tracee);
	else if (req->tracer)
		snprintf(text, sizeof(text), "process %d belongs to another user", req->tracer);
	else if (req->mode == PSC_MODE_TRACEME)
		snprintf(text, sizeof(text), "the parent of process %d, which would be made its tracer, "
			 "belongs to another user", req->tracee);
	else
		snprintf(text, sizeof(text), "the caller has another real user ID");
	return psc_varlink_error(call, PSC_INTERFACE ".PermissionDenied",
				 json_pack("{s:s}", "message", text));
}

static int explain(struct psc_varlink_call *call, const struct psc_explain_request *req)
{
	const struct psc_backend *backend = psc_control_backend(call);
	struct psc_explanation e, again;
	_cleanup_paths_ struct paths known = { .backend = backend, .e = &e };
	const struct psc_explain_paths paths = {
		.data = &known, .path = find_path, .policy = find_policy,
	};
	json_t *others;
	int err = look(backend, req, &e);

	if (err)
		return reply_failure(call, req->mode, err);
	if (!may_ask(call->client, &e))
		return reply_denied(call, req, &e);
	learn_paths(backend, &e.tracer, &known);
	if (e.tracee.cgroup != e.tracer.cgroup)
		learn_paths(backend, &e.tracee, &known);
	others = psc_others("", &e);
	/* What was read by pid was about them, if they are still the same. */
	err = look(backend, req, &again);
	if (!err && (!is_same(&e.tracer, &again.tracer) || !is_same(&e.tracee, &again.tracee)))
		err = -EAGAIN;
	if (!err)
		return psc_varlink_reply(call, explanation_json(&e, req, others, &paths));
	json_decref(others);
	return reply_failure(call, req->mode, err == -PSC_E_SRCH ? -EAGAIN : err);
}

static bool parse_mode(const json_t *text, __u32 *ret)
{
	int mode = json_is_string(text) ? psc_mode_parse(json_string_value(text)) : PSC_MODE_ATTACH;

	*ret = (__u32)mode;
	return mode >= 0;
}

/* A pid; optional ones are 0 where they are absent. */
static bool parse_pid(const json_t *number, bool optional, __s32 *ret)
{
	json_int_t value = json_integer_value(number);

	*ret = (__s32)value;
	return json_is_integer(number) ? value > 0 && value <= INT_MAX : optional;
}

int psc_control_explain(struct psc_varlink_call *call)
{
	struct psc_explain_request req = { .abi = PSC_ABI };

	if (!parse_mode(json_object_get(call->parameters, "mode"), &req.mode))
		return psc_varlink_invalid(call, "mode");
	if (!parse_pid(json_object_get(call->parameters, "tracee"), false, &req.tracee))
		return psc_varlink_invalid(call, "tracee");
	if (!parse_pid(json_object_get(call->parameters, "tracer"), true, &req.tracer))
		return psc_varlink_invalid(call, "tracer");
	/* One that is in none of our pid namespaces has no pid here. */
	if (call->client->pid <= 0)
		return reply_unknown(call, req.mode, "the caller has no pid in the daemon's pid "
				     "namespace");
	req.viewer = (__u32)call->client->pid;
	return explain(call, &req);
}
