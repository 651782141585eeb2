/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups entries of the journal by names, user and reason, for "ptracescopectl log --grouped". */
#include "log_groups.h"

#include <errno.h>
#include <stdlib.h>

#include "json.h"
#include "show.h"
#include "util.h"

/* What entries of a group have in common. */
static json_t *common_of(const json_t *entry)
{
	const json_t *tracer = json_object_get(entry, "tracer") ?: json_object_get(entry, "process");
	const json_t *tracee = json_object_get(entry, "tracee");

	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*}",
			 "mode", json_incref(json_object_get(entry, "mode")),
			 "reason", json_incref(json_object_get(entry, "reason")),
			 "guard", json_incref(json_object_get(entry, "guard")),
			 "text", json_incref(json_object_get(entry, "text")),
			 "tracer", json_incref(json_object_get(tracer, "command")),
			 "tracee", json_incref(json_object_get(tracee, "command")),
			 "uid", json_incref(json_object_get(tracer, "uid")));
}

/* The clock can have been set back between two entries. */
static int count(json_t *group, json_int_t usec)
{
	const json_t *first = json_object_get(group, "first_us");
	const json_t *last = json_object_get(group, "last_us");
	json_int_t n = json_integer_value(json_object_get(group, "count"));
	int err = json_object_set_new(group, "count", json_integer(n + 1));

	if (!first || usec < json_integer_value(first))
		err |= json_object_set_new(group, "first_us", json_integer(usec));
	if (!last || usec > json_integer_value(last))
		err |= json_object_set_new(group, "last_us", json_integer(usec));
	return err ? -ENOMEM : 0;
}

int psc_log_groups_add(struct psc_log_groups *groups, const json_t *entry)
{
	json_t *common = common_of(entry), *group;
	_cleanup_free_ char *key = psc_json_dump(common, JSON_COMPACT | JSON_SORT_KEYS);
	int err = -ENOMEM;

	if (!groups->groups)
		groups->groups = json_object();
	group = key ? json_object_get(groups->groups, key) : NULL;
	if (key && !group && json_object_size(groups->groups) >= PSC_LOG_GROUPS_MAX) {
		groups->others++;
		err = 0;
	} else if (key && (group || !json_object_set(groups->groups, key, common))) {
		err = count(group ? group : common, psc_show_number(entry, "time_us"));
	}
	json_decref(common);
	return err;
}

static int by_count(const void *a, const void *b)
{
	json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	json_int_t n = psc_show_number(left, "count"), m = psc_show_number(right, "count");

	if (n == m) {	/* the latest first */
		n = psc_show_number(left, "last_us");
		m = psc_show_number(right, "last_us");
	}
	return n < m ? 1 : n > m ? -1 : 0;
}

json_t *psc_log_groups_sorted(const struct psc_log_groups *groups)
{
	const size_t n = json_object_size(groups->groups);
	_cleanup_free_ json_t **all = calloc(n + 1, sizeof(json_t *));
	json_t *array = all ? json_array() : NULL, *group;
	const char *key;
	size_t i = 0;

	if (!array)
		return NULL;
	json_object_foreach(groups->groups, key, group)
		all[i++] = group;
	qsort(all, n, sizeof(json_t *), by_count);
	for (i = 0; i < n; i++) {
		if (json_array_append(array, all[i])) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

void psc_log_groups_free(struct psc_log_groups *groups)
{
	json_decref(groups->groups);
	*groups = (struct psc_log_groups){};
}
