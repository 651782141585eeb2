/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of cgroups, and the tree. Lines of the input: "+PATH" makes a directory, "=PATTERN"
 * compares the two matchers of patterns, by fnmatch(3) and by what the kernel side goes by,
 * with every cgroup there; all else is a name to be found.
 */
#include "fuzz.h"

#include <errno.h>

#include "cgroup_tree.h"
#include "pattern.h"
#include "util.h"

static struct fake_root root;
static struct psc_cgroups cgroups;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	cgroup_tree_new(&root, &cgroups);
	return 0;
}

/* As glob_step() of bpf/pattern.bpf.h, by recursion. */
static bool component_matches(const struct psc_pattern *pattern, const __u8 *text, const __u8 *name)
{
	if (*text != PSC_PATTERN_SPECIAL)
		return *text == *name && (!*text || component_matches(pattern, text + 1, name + 1));
	if (text[1] == PSC_PATTERN_STAR)
		return component_matches(pattern, text + 2, name) ||
		       (*name && component_matches(pattern, text, name + 1));
	if (!*name || (text[1] != PSC_PATTERN_ANY &&
		       !(pattern->sets[text[1] - 1][*name / 64] >> *name % 64 & 1)))
		return false;
	return component_matches(pattern, text + 2, name + 1);
}

/* As section_step() and what it calls. */
static bool compiled_matches(const struct psc_pattern *pattern, const char *path)
{
	const bool unit = !pattern->components;
	char *copy = strdup(path), *rest = NULL, *names[PSC_CGROUP_LEVELS];
	unsigned int n = 0;
	bool matches = true;

	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
		names[n++] = name;
	if (!unit && n != pattern->components)
		matches = false;
	for (unsigned int i = 0; matches && i < n; i++) {
		const unsigned int at = !unit ? i : i == n - 1 ? 0 : 1;
		const __u8 *text = pattern->text + pattern->starts[at];

		matches = component_matches(pattern, text, (const __u8 *)names[i]) ||
			  (unit && !at && names[i][0] == '_' &&
			   component_matches(pattern, text, (const __u8 *)names[i] + 1));
	}
	free(copy);
	return matches;
}

struct comparison {
	const char *pattern;
	const struct psc_pattern *compiled;
};

static int compare(void *data, const struct psc_cgroup *cgroup)
{
	const struct comparison *with = data;
	const bool matches = psc_cgroup_matches(with->pattern, cgroup->path);

	CHECK(matches == compiled_matches(with->compiled, cgroup->path));
	for (char *above = strdup(cgroup->path), *end; above; ) {
		end = strrchr(above, '/');
		if (end)
			*end = '\0';
		if (end && matches)
			CHECK(psc_cgroup_matches_below(with->pattern, above));
		if (!end) {
			free(above);
			above = NULL;
		}
	}
	return 0;
}

static void try_pattern(char *text)
{
	struct psc_pattern compiled;
	struct comparison with = { psc_cgroup_pattern(text), &compiled };

	/* Stars without an end take fnmatch(3) without an end, too. */
	if (!with.pattern || strlen(with.pattern) > 48 ||
	    psc_pattern_compile(with.pattern, &compiled))
		return;
	CHECK(psc_cgroup_walk(&cgroups, compare, &with) == 0);
}

static void try_name(const char *name)
{
	struct psc_cgroup cgroup = { .fd = -1 }, again = { .fd = -1 };
	int err = psc_cgroup_find(&cgroups, name, &cgroup);

	CHECK(err <= 0 || err < PSC_CGROUP_TROUBLES);
	if (err)
		return;
	/* It is below the root, and its path is its name. */
	CHECK(cgroup.path && *cgroup.path && cgroup.path[0] != '/');
	CHECK(!strstr(cgroup.path, "//"));
	CHECK(cgroup.id == cgroup_ino(&cgroups, cgroup.path));
	if (strchr(cgroup.path, '/')) {
		CHECK(psc_cgroup_find(&cgroups, cgroup.path, &again) == 0);
		CHECK(again.id == cgroup.id);
		psc_cgroup_free(&again);
	}
	psc_cgroup_free(&cgroup);
}

static int is_ordered(void *data, const struct psc_cgroup *cgroup)
{
	unsigned int *n = data;

	++*n;
	CHECK(cgroup->path && cgroup->id == cgroup_ino(&cgroups, cgroup->path));
	return 0;
}

/* Names as a kernel lets them be: no line feed, and nothing that leads elsewhere. */
static bool make(char *path)
{
	char *rest = NULL, made[PATH_MAX] = "";
	unsigned int levels = 0;

	for (char *name = strtok_r(path, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > 40 ||
		    ++levels > 8)
			return false;
		strcat(strcat(made, *made ? "/" : ""), name);
		(void)mkdirat(cgroups.root_fd, made, 0700);
	}
	return true;
}

static void clear(void)
{
	const char *path = root.path;

	CHECK(nftw(path, fake_root_rm, 16, FTW_DEPTH | FTW_PHYS) == 0);
	CHECK(mkdir(path, 0700) == 0);
	close(cgroups.root_fd);
	cgroups.root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(cgroups.root_fd >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size < 1024 ? size : 1024 };
	unsigned int n = 0;

	for (int i = 0; i < 24 && in.size; i++) {
		char *line = take_until(&in, '\n', NULL);

		if (*line == '+')
			make(line + 1);
		else if (*line == '=')
			try_pattern(line + 1);
		else
			try_name(line);
		free(line);
	}
	CHECK(psc_cgroup_walk(&cgroups, is_ordered, &n) == 0);
	if (n)
		clear();
	return 0;
}
