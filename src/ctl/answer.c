/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks the types and ranges of what a reply of the daemon holds. */
#include "answer.h"

#include <stdint.h>

#include "names.h"
#include "util.h"

enum kind {
	FLAG,
	COUNT,		/* a number that is not negative */
	SCOPE,		/* of Yama */
	TEXT,
	ANCHOR,
};

struct field {
	const char *name;
	enum kind kind;
};

static const struct field status_fields[] = {
	{ "enforcing", FLAG }, { "adopted", FLAG }, { "vouched", FLAG }, { "abi", COUNT },
	{ "refused", COUNT }, { "suppressed", COUNT }, { "dropped", COUNT }, { "unlogged", COUNT },
	{ "longest_turn_us", COUNT }, { "missed", COUNT }, { "spared", COUNT }, { "shed", COUNT }, { "pid", COUNT },
	{ "yama", SCOPE }, { "build", TEXT }, { "kept", TEXT }, { "lockdown", TEXT },
	{ "proof", TEXT }, { "configuration", TEXT }, { "version", TEXT }, { "anchor", ANCHOR },
	{ "busiest_turn", TEXT },
};

static const struct field proofs_fields[] = {
	{ "attach", TEXT }, { "traceme", TEXT }, { "read", TEXT }, { "declarations", TEXT },
};

static const struct field stuck_fields[] = { { "readers", COUNT }, { "pid", COUNT } };

static bool is_count(const json_t *value, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= max;
}

static bool is_one_of(const json_t *value, const char *const *words, size_t n)
{
	for (size_t i = 0; json_is_string(value) && i < n; i++)
		if (streq(json_string_value(value), words[i]))
			return true;
	return false;
}

static bool fits(const json_t *value, enum kind kind)
{
	static const char *const anchors[] = { "none", "set", "alone" };

	switch (kind) {
	case FLAG:
		return json_is_boolean(value);
	case COUNT:
		return is_count(value, INT64_MAX);
	case SCOPE:
		return is_count(value, PSC_SCOPE_MAX);
	case TEXT:
		return json_is_string(value);
	case ANCHOR:
		return is_one_of(value, anchors, ARRAY_SIZE(anchors));
	}
	return false;
}

/* Are those of the fields that are there of their kind? */
static bool all_fit(const json_t *object, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(object, fields[i].name);

		if (value && !json_is_null(value) && !fits(value, fields[i].kind))
			return false;
	}
	return true;
}

static bool is_value(const struct psc_name *name, const json_t *value, bool cgroup)
{
	return is_count(value, UINT8_MAX) &&
	       psc_value_fits_name(name, (unsigned int)json_integer_value(value), cgroup);
}

/* A scope and a floor for every mode; of a cgroup's entry scopes may be absent. */
static bool are_settings(const json_t *object, bool need_scope, bool need_source)
{
	static const struct field flags[] = { { "sticky", FLAG }, { "left", FLAG } };

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const json_t *pair = json_object_get(object, psc_mode_word(mode));
		const json_t *scope = json_object_get(pair, "scope");
		const struct psc_name *name = psc_name_of_mode((enum psc_mode)mode);

		if ((need_scope || scope) && !is_value(name, scope, true))
			return false;
		if (!is_value(name, json_object_get(pair, "floor"), true))
			return false;
		if (need_source && !json_is_string(json_object_get(pair, "source")))
			return false;
		if (!all_fit(pair, flags, ARRAY_SIZE(flags)))
			return false;
	}
	return true;
}

bool psc_is_policy(const json_t *policy)
{
	return are_settings(policy, true, false);
}

bool psc_is_status(const json_t *status)
{
	const json_t *proofs = json_object_get(status, "proofs");
	const json_t *stuck = json_object_get(status, "stuck");

	return json_is_boolean(json_object_get(status, "enforcing")) &&
	       psc_is_policy(json_object_get(status, "policy")) &&
	       all_fit(status, status_fields, ARRAY_SIZE(status_fields)) &&
	       (!proofs || (json_is_object(proofs) &&
			    all_fit(proofs, proofs_fields, ARRAY_SIZE(proofs_fields)))) &&
	       (!stuck || json_is_null(stuck) ||
		(json_is_object(stuck) && all_fit(stuck, stuck_fields, ARRAY_SIZE(stuck_fields))));
}

bool psc_is_list(const json_t *values)
{
	if (!json_is_array(values))
		return false;
	for (size_t i = 0; i < json_array_size(values); i++) {
		const json_t *row = json_array_get(values, i), *value = json_object_get(row, "value");
		const char *text = json_string_value(json_object_get(row, "name"));
		const struct psc_name *name = text ? psc_name_find(text) : NULL;

		/* A newer daemon may have more names. */
		if (!text || !is_count(value, UINT8_MAX) || (name && !is_value(name, value, false)))
			return false;
	}
	return true;
}

bool psc_is_cgroup(const json_t *cgroup)
{
	const json_t *entry = json_object_get(cgroup, "entry");
	const json_t *origin = json_object_get(cgroup, "origin");
	const json_t *id = json_object_get(cgroup, "id");

	return json_is_string(json_object_get(cgroup, "path")) &&
	       are_settings(json_object_get(cgroup, "effective"), true, true) &&
	       (!id || is_count(id, INT64_MAX)) &&
	       (!origin || json_is_null(origin) || json_is_string(origin)) &&
	       (!entry || json_is_null(entry) || are_settings(entry, false, false));
}

bool psc_is_cgroups(const json_t *cgroups)
{
	if (!json_is_array(cgroups))
		return false;
	for (size_t i = 0; i < json_array_size(cgroups); i++)
		if (!psc_is_cgroup(json_array_get(cgroups, i)))
			return false;
	return true;
}
