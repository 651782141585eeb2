/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

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
