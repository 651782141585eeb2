/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cgroup and what is in force there, as type Cgroup of the interface. */
#include "cgroup_json.h"

#include <errno.h>
#include <stdint.h>

#include "json.h"
#include "names.h"
#include "util.h"

/* What the cgroup itself says; NULL where it has no entry. */
static json_t *entry_json(const struct psc_request *info)
{
	json_t *entry = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int scope = info->policy.scope[mode];

		json_object_set_new(entry, psc_mode_word(mode),
				    json_pack("{s:o*, s:i, s:o*}", "scope",
					      scope == PSC_SCOPE_INHERIT ? NULL :
					      json_integer(scope), "floor",
					      info->policy.floor[mode], "sticky",
					      info->sticky & PSC_MODE_BIT(mode) ? json_true() :
										   NULL));
	}
	return entry;
}

static char *path_above(const struct psc_cgroup_subject *subject, __u64 id)
{
	char *above;

	if (!subject->walk)
		return psc_cgroup_above(subject->cgroups, subject->path, id, &above) ? NULL : above;
	return strndup(subject->path, psc_walk_above(subject->walk, id));
}

/* Where the effective value comes from: the path of a cgroup, or "" for the global policy. */
static json_t *source_json(const struct psc_cgroup_subject *subject, __u64 id)
{
	_cleanup_free_ char *above = id ? path_above(subject, id) : NULL;

	if (!id)
		return json_string("");
	return above && *above ? psc_json_text(above) : json_string("?");
}

/* The same of one that the process has left, which may be no more. */
static json_t *left_json(const struct psc_cgroups *cgroups, __u64 id)
{
	_cleanup_free_ char *path = NULL;

	return id == PSC_SOURCE_SEVERAL || psc_cgroup_path(cgroups, id, &path) ? json_string("?") :
									     psc_json_text(path);
}

int psc_cgroup_process_json(const struct psc_cgroups *cgroups, const struct psc_cgroup *cgroup,
			    json_int_t pid, json_t *json)
{
	json_t *effective = json_object_get(json, "effective");
	const struct psc_cgroup_subject subject = { .path = cgroup->path, .cgroups = cgroups };
	struct psc_find_request process;
	int err = pid > 0 && pid <= INT32_MAX ?
		psc_cgroup_process(cgroups, cgroup, (unsigned int)pid, &process) : -ESRCH;

	for (unsigned int mode = 0; !err && mode < PSC_MODE_SLOTS; mode++) {
		bool left = process.left & PSC_MODE_BIT(mode);
		__u64 id = process.source[mode];

		json_object_set_new(effective, psc_mode_word(mode),
				    json_pack("{s:i, s:i, s:o, s:b}",
					      "scope", process.effective.scope[mode],
					      "floor", process.effective.floor[mode],
					      "source", left ? left_json(cgroups, id) :
							source_json(&subject, id),
					      "left", left));
	}
	return err;
}

static json_t *effective_json(const struct psc_cgroup_subject *subject, const struct psc_request *info)
{
	json_t *effective = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		json_object_set_new(effective, psc_mode_word(mode),
				    json_pack("{s:i, s:i, s:o}",
					      "scope", info->effective.scope[mode],
					      "floor", info->effective.floor[mode],
					      "source", source_json(subject,
								    info->source[mode])));
	return effective;
}

json_t *psc_cgroup_json(const struct psc_cgroup_subject *subject, const struct psc_request *info)
{
	bool any = psc_entry_exists(&info->policy);

	return json_pack("{s:o, s:I, s:s*, s:o*, s:o}", "path", psc_json_text(subject->path),
			 "id", (json_int_t)info->cgroup,
			 "origin", any ? psc_origin_word(info->origin) : NULL,
			 "entry", any ? entry_json(info) : NULL,
			 "effective", effective_json(subject, info));
}
