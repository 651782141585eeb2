/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which paths of cgroups the pattern of a section matches. */
#include "cgroup.h"

#include <errno.h>
#include <fnmatch.h>

#include "cgdir.h"
#include "config_file.h"
#include "util.h"

/* Take the mount point off a path that was absolute, as for ptracescopectl. */
static void leave_mount(char *path)
{
	struct psc_cgroups cgroups;
	const char *mount;
	size_t len;

	psc_cgroups_open(&cgroups);
	mount = cgroups.mount + 1;
	len = strlen(mount);
	if (strncmp(path, mount, len) == 0 && (path[len] == '/' || !path[len]))
		memmove(path, path + len + (path[len] == '/'), strlen(path + len) + (path[len] != '/'));
	psc_cgroups_close(&cgroups);
}

char *psc_cgroup_pattern(char *text)
{
	bool is_path = strchr(text, '/'), absolute = *text == '/';

	if (!psc_path_canonical(text))
		return NULL;
	if (absolute)
		leave_mount(text);
	if (!*text || streq(text, "-.slice"))
		return NULL;
	/* Canonical, it is shorter by what stood in front. */
	if (is_path && strchr(text, '/') == NULL) {
		memmove(text + 1, text, strlen(text) + 1);
		*text = '/';
	}
	return text;
}

/* Is it that of a unit, wherever in the slices it is? */
static bool is_unit_pattern(const char *pattern)
{
	return !strchr(pattern, '/');
}

/* The last component of a path all others of which are slices; NULL when they are not. */
static const char *name_in_slices(const char *path)
{
	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1)
		if (!psc_name_ends_in(path, (size_t)(slash - path), ".slice"))
			return NULL;
	return path;
}

bool psc_cgroup_matches_below(const char *pattern, const char *path)
{
	int fit;

	if (is_unit_pattern(pattern)) {
		const char *name = name_in_slices(path);

		return name && psc_name_ends_in(name, strlen(name), ".slice");
	}
	fit = psc_components_fit(pattern, path, FNM_NOESCAPE);
	return fit == PSC_FITS_BELOW || fit < 0;
}

bool psc_cgroup_matches(const char *pattern, const char *path)
{
	if (is_unit_pattern(pattern)) {
		const char *name = name_in_slices(path);

		/* Perhaps with systemd's underscore. */
		return name && (fnmatch(pattern, name, FNM_NOESCAPE) == 0 ||
				(*name == '_' && fnmatch(pattern, name + 1, FNM_NOESCAPE) == 0));
	}
	return psc_components_fit(pattern, path, FNM_NOESCAPE) == PSC_FITS;
}
