/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns a policy and untrusted text into JSON. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "lockdown.h"
#include "names.h"
#include "util.h"
#include "yama.h"

#define DEL '\x7f'
#define DEL_ESCAPED "\\u007f"

static size_t count_dels(const char *text)
{
	size_t n = 0;

	for (text = strchr(text, DEL); text; text = strchr(text + 1, DEL))
		n++;
	return n;
}

char *psc_json_dump(const json_t *json, size_t flags)
{
	_cleanup_free_ char *text = json ? json_dumps(json, flags) : NULL;
	size_t extra = text ? count_dels(text) * (strlen(DEL_ESCAPED) - 1) : 0;
	char *whole, *to;

	if (!extra)
		return TAKE_PTR(text);
	whole = to = malloc(strlen(text) + extra + 1);
	if (!whole)
		return NULL;
	/* It is nowhere but in strings. */
	for (const char *from = text; *from; from++)
		if (*from == DEL)
			to = stpcpy(to, DEL_ESCAPED);
		else
			*to++ = *from;
	*to = '\0';
	return whole;
}

size_t psc_json_size(const json_t *json, size_t flags)
{
	_cleanup_free_ char *text = psc_json_dump(json, flags);

	return text ? strlen(text) : 0;
}

json_t *psc_json_text(const char *text)
{
	json_t *string = json_string(text);
	_cleanup_free_ char *escaped = NULL;

	if (string)
		return string;
	escaped = psc_escape(text, strlen(text), 6 * strlen(text) + 3);
	return escaped ? json_string(escaped) : NULL;
}

json_t *psc_json_policy(const union psc_policy *policy)
{
	json_t *object = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		json_object_set_new(object, psc_mode_word(mode),
				    json_pack("{s:i, s:i}", "scope", policy->scope[mode],
					      "floor", policy->floor[mode]));
	return object;
}

void psc_json_set(json_t *object, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(object, name, value);
}

void psc_json_set_count(json_t *object, const char *name, __u64 n)
{
	psc_json_set(object, name, json_integer((json_int_t)n));
}

json_t *psc_json_status(const struct psc_kernel *kernel, const struct psc_request *info,
			const __u64 stats[PSC_STATS], bool enforcing)
{
	/* Indexed by enum psc_anchor_state. */
	static const char *const anchors[] = { "none", "set", "alone" };
	const char *lockdown = psc_lockdown_level();
	int yama = psc_yama_scope();
	char build[17];
	json_t *status;

	snprintf(build, sizeof(build), "%016llx", kernel->build);
	status = json_pack("{s:b, s:i, s:s, s:o}", "enforcing", enforcing,
			   "abi", PSC_ABI, "build", build,
			   "policy", psc_json_policy(&info->policy));
	if (!status)
		return NULL;
	psc_json_set_count(status, "refused", stats[PSC_STAT_REFUSED]);
	psc_json_set_count(status, "suppressed", stats[PSC_STAT_SUPPRESSED]);
	psc_json_set_count(status, "dropped", stats[PSC_STAT_DROPPED]);
	if (yama >= 0)
		psc_json_set_count(status, "yama", (__u64)yama);
	if (lockdown)
		psc_json_set(status, "lockdown", json_string(lockdown));
	if (info->locked)
		psc_json_set(status, "anchor", json_string(anchors[info->anchor % 3]));
	return status;
}
