/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a key of sysctl.d match a path? As glob(3) with GLOB_BRACE, which systemd-sysctl runs
 * below /proc/sys: braces are expanded first, then every component is matched by itself.
 */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>

#include "config_file.h"
#include "util.h"

/* Patterns that braces may stand for. glob(3) has no bound and would run for hours. */
#define ALTERNATIVES_MAX 4096

int psc_components_fit(const char *pattern, const char *path, int flags)
{
	_cleanup_free_ char *patterns = strdup(pattern), *parts = strdup(path);
	char *save[2], *glob, *part;

	if (!patterns || !parts)
		return -ENOMEM;
	glob = strtok_r(patterns, "/", &save[0]);
	part = strtok_r(parts, "/", &save[1]);
	while (glob && part && fnmatch(glob, part, flags) == 0) {
		glob = strtok_r(NULL, "/", &save[0]);
		part = strtok_r(NULL, "/", &save[1]);
	}
	return part ? PSC_FITS_NOT : glob ? PSC_FITS_BELOW : PSC_FITS;
}

/* Return: 1, 0, -ENOMEM. */
static int components_match(const char *pattern, const char *path)
{
	int fit = psc_components_fit(pattern, path, FNM_PERIOD);

	return fit < 0 ? fit : fit == PSC_FITS;
}

/* The ',' or '}' that ends the alternative that begins at @text; NULL for none. */
static const char *alternative_end(const char *text)
{
	size_t depth = 0;

	for (; *text; text++) {
		if (*text == '\\') {
			if (!*++text)
				return NULL;
		} else if (*text == '{') {
			depth++;
		} else if (*text == '}') {
			if (!depth--)
				return text;
		} else if (*text == ',' && !depth) {
			return text;
		}
	}
	return NULL;
}

static const char *find_brace(const char *text)
{
	for (; *text && *text != '{'; text++)
		if (*text == '\\' && text[1])
			text++;
	return *text ? text : NULL;
}

/* Behind the '}' that belongs to the '{' at @open; NULL when there is none. */
static const char *behind_brace(const char *open)
{
	const char *end = open;

	do
		end = alternative_end(end + 1);
	while (end && *end != '}');
	return end ? end + 1 : NULL;
}

/* @left: how many patterns may still be made. Return: 1, 0, -E2BIG, -ENOMEM. */
static int expanded_match(const char *pattern, const char *path, unsigned int *left)
{
	const char *open = find_brace(pattern), *rest = open ? behind_brace(open) : NULL;

	if (!rest)
		return components_match(pattern, path);
	for (const char *from = open + 1, *end; from < rest; from = end + 1) {
		_cleanup_free_ char *one = NULL;
		int err;

		if (!*left)
			return -E2BIG;
		--*left;
		end = alternative_end(from);
		if (asprintf(&one, "%.*s%.*s%s", (int)(open - pattern), pattern,
			     (int)(end - from), from, rest) < 0)
			return -ENOMEM;
		err = expanded_match(one, path, left);
		if (err)
			return err;
	}
	return 0;
}

int psc_conf_glob(const char *pattern, const char *path)
{
	unsigned int left = ALTERNATIVES_MAX;
	int err;

	if (!find_brace(pattern))
		return components_match(pattern, path);
	if (strlen(pattern) > PATH_MAX)
		return -E2BIG;
	err = expanded_match(pattern, path, &left);
	/* glob(3) then takes the braces as they are, which a set may match: "[{]". */
	return err ? err : components_match(pattern, path);
}
