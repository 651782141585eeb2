/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroups, for people. */
#include <errno.h>
#include <stdbool.h>

#include "names.h"
#include "show.h"
#include "util.h"

/* "1 (restricted)"; "?" where that is no value. */
static const char *label(unsigned int mode, json_int_t value, char buf[PSC_LABEL_SIZE])
{
	return value >= 0 && value < PSC_SCOPE_INHERIT ?
		psc_value_label(psc_name_of_mode(mode), (unsigned int)value, buf) : "?";
}

/* A field of one mode of the entry, or of what is in effect. */
static json_int_t field(const json_t *cgroup, const char *which, unsigned int mode, const char *key)
{
	return psc_show_number(json_object_get(json_object_get(cgroup, which),
					       psc_mode_word(mode)), key);
}

void psc_show_once(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (*in == '\\' && (in[1] == '\\' || in[1] == '"'))
			in++;
		*out++ = *in;
	}
	*out = '\0';
}

char *psc_show_path(const json_t *object, const char *key)
{
	char *text = psc_show_text(object, key);

	if (text)
		psc_show_once(text);
	return text;
}

static bool is_cgroup(const json_t *cgroup)
{
	return json_is_string(json_object_get(cgroup, "path")) &&
	       json_is_object(json_object_get(cgroup, "effective"));
}

/* Is it of a cgroup that the process has left? */
static bool is_left(const json_t *cgroup, unsigned int mode)
{
	return json_is_true(json_object_get(json_object_get(json_object_get(cgroup, "effective"),
							    psc_mode_word(mode)), "left"));
}

/* "here", "global", or the cgroup whose value it is. An allocation. */
static char *source(const json_t *cgroup, unsigned int mode)
{
	const json_t *effective = json_object_get(json_object_get(cgroup, "effective"),
						  psc_mode_word(mode));
	const char *from = json_string_value(json_object_get(effective, "source"));
	const char *path = json_string_value(json_object_get(cgroup, "path"));

	if (from && !*from)
		return strdup("global");
	if (from && streq(from, "?") && is_left(cgroup, mode))
		return strdup("cgroups that it has left");
	if (from && streq(from, path))
		return strdup("here");
	return psc_show_path(effective, "source");
}

static int show_mode(FILE *out, const json_t *cgroup, unsigned int mode)
{
	json_int_t floor = field(cgroup, "effective", mode, "floor");
	_cleanup_free_ char *from = source(cgroup, mode);
	char scope_label[PSC_LABEL_SIZE], floor_label[PSC_LABEL_SIZE];
	bool left = is_left(cgroup, mode);

	if (!from)
		return -ENOMEM;
	fprintf(out, "%14s: %s, %s %s", psc_mode_word(mode),
		label(mode, field(cgroup, "effective", mode, "scope"), scope_label),
		left ? "kept from" : "from", from);
	if (floor > 0)
		fprintf(out, ", until reboot not below %s", label(mode, floor, floor_label));
	fputc('\n', out);
	return 0;
}

int psc_show_cgroup(FILE *out, const json_t *cgroup)
{
	_cleanup_free_ char *path = psc_show_path(cgroup, "path");
	_cleanup_free_ char *origin = psc_show_text(cgroup, "origin");
	int err = 0;

	if (!is_cgroup(cgroup))
		return -EBADMSG;
	if (!path || !origin)
		return -ENOMEM;
	fprintf(out, "%14s: %s\n", "cgroup", path);
	fprintf(out, "%14s: %s\n", "set by",
		json_object_get(cgroup, "entry") ? origin : "nobody, it has no scope of its own");
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS && !err; mode++)
		err = show_mode(out, cgroup, mode);
	return err;
}

/* What the entry says of a mode: "2 (admin-only), locked"; nothing: an empty string. */
static void describe_mode(const json_t *cgroup, unsigned int mode, char *buf, size_t size)
{
	json_int_t scope = field(cgroup, "entry", mode, "scope");
	json_int_t floor = field(cgroup, "entry", mode, "floor");
	char scope_label[PSC_LABEL_SIZE], floor_label[PSC_LABEL_SIZE];

	*buf = '\0';
	if (scope >= 0 && floor > 0 && floor == scope)
		snprintf(buf, size, "%s, locked", label(mode, scope, scope_label));
	else if (scope >= 0 && floor > 0)
		snprintf(buf, size, "%s, locked at %s", label(mode, scope, scope_label),
			 label(mode, floor, floor_label));
	else if (scope >= 0)
		snprintf(buf, size, "%s", label(mode, scope, scope_label));
	else if (floor > 0)
		snprintf(buf, size, "locked at %s", label(mode, floor, floor_label));
	if (json_is_true(json_object_get(json_object_get(json_object_get(cgroup, "entry"),
							 psc_mode_word(mode)), "sticky")))
		strncat(buf, ", sticky", size - strlen(buf) - 1);
}

/* All that the entry says, and who said it: an allocation. */
static char *describe(const json_t *cgroup)
{
	_cleanup_free_ char *origin = psc_show_text(cgroup, "origin"), *text = NULL;
	char said[PSC_MODE_SLOTS][96];
	size_t len;
	FILE *out;

	if (!origin)
		return NULL;
	out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		describe_mode(cgroup, mode, said[mode], sizeof(said[mode]));
	/* The usual case, kernel.yama.ptrace_scope, goes without saying. */
	if (*said[PSC_MODE_ATTACH] && streq(said[PSC_MODE_ATTACH], said[PSC_MODE_TRACEME])) {
		fprintf(out, "%s; ", said[PSC_MODE_ATTACH]);
		*said[PSC_MODE_ATTACH] = *said[PSC_MODE_TRACEME] = '\0';
	}
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (*said[mode])
			fprintf(out, "%s: %s; ", psc_mode_word(mode), said[mode]);
	fprintf(out, "by %s", origin);
	return fclose(out) ? NULL : TAKE_PTR(text);
}

/* How many components of @path are those of @before, too; *ret_len is their length. */
static unsigned int common(const char *path, const char *before, size_t *ret_len)
{
	unsigned int n = 0;

	*ret_len = 0;
	for (;;) {
		size_t len = strcspn(path + *ret_len, "/");

		if (!len || len != strcspn(before + *ret_len, "/") ||
		    memcmp(path + *ret_len, before + *ret_len, len) != 0)
			return n;
		n++;
		*ret_len += len;
		if (!path[*ret_len])
			return n;
		if (!before[(*ret_len)++])
			return n;
	}
}

/* The list as it is printed: parents that are not in it have lines without values. */
struct tree {
	FILE *out;
	bool measure;			/* print nothing, find out the widths */
	int name_width, from_width;
	const char *before;
};

static void name_column(struct tree *tree, unsigned int level, const char *name, size_t len)
{
	int width = (int)(2 * level) + (int)len;

	if (width > tree->name_width)
		tree->name_width = width;
	if (!tree->measure)
		fprintf(tree->out, "%*s%.*s", (int)(2 * level), "", (int)len, name);
}

static int tree_row(struct tree *tree, const json_t *cgroup)
{
	_cleanup_free_ char *path = psc_show_path(cgroup, "path"), *from = NULL, *said = NULL;
	json_int_t scope = field(cgroup, "effective", PSC_MODE_ATTACH, "scope");
	char scope_label[PSC_LABEL_SIZE];
	const char *name, *slash;
	unsigned int level;
	size_t len;

	if (!path)
		return -ENOMEM;
	level = common(path, tree->before, &len);
	name = path + len;
	for (; (slash = strchr(name, '/')); name = slash + 1) {
		name_column(tree, level++, name, (size_t)(slash - name));
		if (!tree->measure)
			fputc('\n', tree->out);
	}
	name_column(tree, level, name, strlen(name));
	from = source(cgroup, PSC_MODE_ATTACH);
	said = describe(cgroup);
	if (!from || !said)
		return -ENOMEM;
	if ((int)strlen(from) > tree->from_width)
		tree->from_width = (int)strlen(from);
	if (!tree->measure)
		fprintf(tree->out, "%*s  %-15s  %-*s  %s\n",
			tree->name_width - (int)(2 * level) - (int)strlen(name), "",
			label(PSC_MODE_ATTACH, scope, scope_label), tree->from_width, from, said);
	return 0;
}

static int tree_pass(struct tree *tree, const json_t *cgroups)
{
	_cleanup_free_ char *before = strdup("");
	json_t *cgroup;
	size_t i;
	int err = 0;

	json_array_foreach(cgroups, i, cgroup) {
		if (!before)
			return -ENOMEM;
		if (!is_cgroup(cgroup))
			return -EBADMSG;
		tree->before = before;
		err = tree_row(tree, cgroup);
		if (err)
			return err;
		free(before);
		before = psc_show_path(cgroup, "path");
	}
	return 0;
}

int psc_show_cgroups(FILE *out, const json_t *cgroups)
{
	struct tree tree = {
		.out = out, .measure = true,
		.name_width = (int)strlen("CGROUP"), .from_width = (int)strlen("FROM"),
	};
	int err;

	if (!json_array_size(cgroups)) {
		fputs("no cgroup has a scope of its own\n", out);
		return 0;
	}
	err = tree_pass(&tree, cgroups);
	if (err)
		return err;
	tree.measure = false;
	fprintf(out, "%-*s  %-15s  %-*s  %s\n", tree.name_width, "CGROUP", "ATTACH",
		tree.from_width, "FROM", "SET HERE");
	return tree_pass(&tree, cgroups);
}

static const unsigned char *path_of(const void *cgroup)
{
	return (const void *)json_string_value(json_object_get(*(json_t *const *)cgroup, "path"));
}

/* Parents first, and siblings by name. */
static int by_path(const void *a, const void *b)
{
	const unsigned char *left = path_of(a), *right = path_of(b);

	while (*left && *left == *right) {
		left++;
		right++;
	}
	return (*left == '/' ? 1 : *left) - (*right == '/' ? 1 : *right);
}

json_t *psc_show_by_path(json_t *all)
{
	size_t n = json_array_size(all), i;
	_cleanup_free_ json_t **cgroups = calloc(n + 1, sizeof(*cgroups));
	json_t *sorted = json_array(), *cgroup;

	if (!cgroups || !sorted) {
		json_decref(sorted);
		return all;
	}
	json_array_foreach(all, i, cgroup)
		cgroups[i] = cgroup;
	qsort(cgroups, n, sizeof(*cgroups), by_path);
	for (i = 0; i < n; i++)
		json_array_append(sorted, cgroups[i]);
	json_decref(all);
	return sorted;
}
