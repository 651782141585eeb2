/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edits the file in which --persist keeps settings, line by line. */
#include "dropin.h"

#include <errno.h>
#include <stdint.h>

#include "cgroup.h"
#include "util.h"

static const char header[] =
	"# Written by ptracescopectl: settings that somebody has made with --persist.\n"
	"# \"ptracescopectl unset NAME --persist\" and \"ptracescopectl cgroup unset CGROUP --persist\"\n"
	"# remove them. Lines that you change or add yourself are kept.\n";

enum kind { BLANK, COMMENT, SECTION, SETTING, STICKY, OTHER };

struct line {
	char *text;
	enum kind kind;
	size_t section;
	const struct psc_name *name;	/* SETTING */
	const char *value;
	const struct psc_name *instead;	/* the name to write in place of it */
	bool gone;
};

/* The first one is the part before all sections, for the whole system. */
struct section {
	bool meant;		/* the change is about it */
	bool sticky;
	bool touched;		/* lost a setting */
};

struct file {
	char *text;
	struct line *lines;
	size_t n;
	struct section *sections;
	size_t n_sections;
};

static void free_file(struct file *file)
{
	free(file->text);
	free(file->lines);
	free(file->sections);
}

/* The name of the unit that a pattern is for, wherever it is in the slices; NULL for none. */
static const char *unit_of(const char *pattern)
{
	const char *name = pattern + strspn(pattern, "/");

	for (const char *slash; (slash = strchr(name, '/')); name = slash + 1)
		if (slash - name < 6 || memcmp(slash - 6, ".slice", 6) != 0)
			return NULL;
	/* systemd's underscore. */
	return psc_cgroup_is_unit(name) ? name + (*name == '_') : NULL;
}

/* Are two patterns, neither of which has to be a glob, for the same cgroup? */
static bool is_same(const char *a, const char *b)
{
	const char *unit_a = unit_of(a), *unit_b = unit_of(b);

	if (strchr(a, '/') && strchr(b, '/'))
		return streq(a, b);
	return unit_a && unit_b ? streq(unit_a, unit_b) : streq(a, b);
}

/* Is the section that begins with this line for that cgroup? */
static bool begins(const char *text, const char *pattern)
{
	size_t len = strlen(text);
	_cleanup_free_ char *copy = text[len - 1] == ']' ? strndup(text + 1, len - 2) : NULL;
	char *mine = copy ? psc_cgroup_pattern(psc_strip(copy)) : NULL;

	return mine && pattern && is_same(mine, pattern);
}

static int add_section(struct file *file, bool meant)
{
	struct section *sections = reallocarray(file->sections, file->n_sections + 1,
						sizeof(*sections));

	if (!sections)
		return -ENOMEM;
	file->sections = sections;
	sections[file->n_sections++] = (struct section){ .meant = meant };
	return 0;
}

/* What is it? As the daemon reads it. */
static int read_line(struct file *file, struct line *line, const struct psc_dropin_change *change)
{
	const char *equals = strchr(line->text, '=');
	_cleanup_free_ char *copy = equals ? strndup(line->text, (size_t)(equals - line->text)) : NULL;
	const char *word = copy ? psc_strip(copy) : "";

	line->kind = OTHER;
	if (!*line->text)
		line->kind = BLANK;
	else if (strchr("#;", *line->text))
		line->kind = COMMENT;
	else if (*line->text == '[')
		line->kind = SECTION;
	else if (equals && (line->name = psc_name_find(word)))
		line->kind = SETTING;
	else if (equals && streq(word, "sticky"))
		line->kind = STICKY;
	if (line->kind == SECTION && add_section(file, begins(line->text, change->pattern)))
		return -ENOMEM;
	line->section = file->n_sections - 1;
	if (line->kind == SETTING)
		line->value = equals + 1 + strspn(equals + 1, " \t");
	if (line->kind == STICKY && strstr(equals, "yes"))
		file->sections[line->section].sticky = true;
	return 0;
}

static int read_file(struct file *file, const char *text, const struct psc_dropin_change *change)
{
	char *rest, *part;
	size_t lines = 1;
	int err = add_section(file, !change->pattern);

	file->text = strdup(text);
	for (const char *c = text; *c; c++)
		lines += strchr("\r\n", *c) != NULL;
	file->lines = calloc(lines, sizeof(*file->lines));
	if (err || !file->text || !file->lines)
		return -ENOMEM;
	rest = file->text;
	while (!err && (part = strsep(&rest, "\r\n"))) {
		file->lines[file->n].text = psc_strip(part);
		err = read_line(file, &file->lines[file->n++], change);
	}
	return err;
}

static bool is_setting(const struct file *file, size_t i, size_t section)
{
	const struct line *line = &file->lines[i];

	return line->kind == SETTING && line->section == section && !line->gone;
}

static bool has_settings(const struct file *file, size_t section)
{
	for (size_t i = 0; i < file->n; i++)
		if (is_setting(file, i, section))
			return true;
	return false;
}

/* The line of a section that is for this name; NULL for none. */
static struct line *line_of(struct file *file, size_t section, const struct psc_name *name)
{
	for (size_t i = 0; i < file->n; i++)
		if (is_setting(file, i, section) && file->lines[i].name == name)
			return &file->lines[i];
	return NULL;
}

static void take_line(struct file *file, struct line *line)
{
	line->gone = true;
	file->sections[line->section].touched = true;
}

/* Take out what the file says about a name, or about all; of a broader name the rest stays. */
static void take_out(struct file *file, const struct psc_name *name)
{
	for (size_t i = 0; i < file->n; i++) {
		struct line *line = &file->lines[i];
		__u32 rest;

		if (line->kind != SETTING || !file->sections[line->section].meant)
			continue;
		if (!name || psc_name_covers(name, line->name)) {
			take_line(file, line);
			continue;
		}
		rest = line->name->modes & ~name->modes;
		if (line->name->floor || name->floor || rest == line->name->modes)
			continue;
		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
			if (rest & PSC_MODE_BIT(mode))
				line->instead = psc_name_of_mode((enum psc_mode)mode);
		if (line_of(file, line->section, line->instead))
			take_line(file, line);
	}
}

/* What is set takes the place of what it covers. Return: was any of that sticky? */
static bool replace(struct file *file, const struct psc_name *name)
{
	bool sticky = false;

	for (size_t i = 0; i < file->n; i++) {
		struct line *line = &file->lines[i];

		if (line->kind != SETTING || !file->sections[line->section].meant ||
		    !psc_name_covers(name, line->name))
			continue;
		sticky |= file->sections[line->section].sticky;
		take_line(file, line);
	}
	return sticky;
}

/* Sections that have lost their last setting, but not @kept. */
static void drop_empty(struct file *file, size_t kept)
{
	for (size_t s = 1; s < file->n_sections; s++) {
		if (!file->sections[s].touched || s == kept || has_settings(file, s))
			continue;
		for (size_t i = 0; i < file->n; i++)
			if (file->lines[i].section == s)
				file->lines[i].gone = true;
	}
}

/*
 * Before which line a new one belongs: where the one was that it replaces, or in the order of a
 * list, but behind the broader names, which would override it; or at the end of the section.
 */
static size_t place_for(const struct file *file, size_t section, const struct psc_name *name)
{
	size_t replaced = SIZE_MAX, behind = 0, first = file->n, end = 0;

	for (size_t i = 0; i < file->n; i++) {
		const struct line *line = &file->lines[i];

		if (line->section == section && line->gone && line->name == name &&
		    replaced == SIZE_MAX)
			replaced = i;
		if (is_setting(file, i, section)) {
			if (line->name < name)
				behind = i + 1;
			if (first == file->n)
				first = i;
		} else if (line->section == section && line->kind != BLANK && first == file->n) {
			end = i + 1;
		}
	}
	if (replaced != SIZE_MAX && replaced >= behind)
		return replaced;
	return behind ? behind : first < file->n ? first : end;
}

/* One of the lines that every file begins with. */
static bool is_ours(const struct line *line)
{
	return line->kind == COMMENT && strstr(header, line->text);
}

static void write_setting(FILE *out, const struct psc_dropin_change *change)
{
	fprintf(out, "%s = %s\n", change->name->name, psc_value_word(change->name, change->value));
}

/* The text, with single empty lines in between; the new setting comes before line @at. */
static void write_file(FILE *out, const struct file *file, const struct psc_dropin_change *change,
		       size_t at, bool *ret_any)
{
	bool blank = false, begun = false;

	for (size_t i = 0; i <= file->n; i++) {
		const struct line *line = &file->lines[i];

		if (i == at && !change->remove) {
			if (begun && (blank || (i && is_ours(&file->lines[i - 1]))))
				fputc('\n', out);
			write_setting(out, change);
			blank = false;
			begun = *ret_any = true;
		}
		if (i == file->n || line->gone)
			continue;
		if (line->kind == BLANK || (line->kind == SECTION && begun))
			blank = true;
		if (line->kind == BLANK)
			continue;
		if (blank && begun)
			fputc('\n', out);
		if (line->instead)
			fprintf(out, "%s = %s\n", line->instead->name, line->value);
		else
			fprintf(out, "%s\n", line->text);
		*ret_any |= !is_ours(line);
		blank = false;
		begun = true;
	}
}

static void write_section(FILE *out, const struct psc_dropin_change *change, bool sticky)
{
	fprintf(out, "\n[%s]\n", change->pattern);
	write_setting(out, change);
	if (sticky)
		fputs("sticky = yes\n", out);
}

/* Make the change, and write it. Return: is there anything in the file? */
static bool change_file(FILE *out, struct file *file, const struct psc_dropin_change *change)
{
	size_t last = file->n_sections, at = SIZE_MAX;
	bool sticky = change->sticky, any = false;

	if (change->remove) {
		take_out(file, change->name);
		drop_empty(file, 0);
		write_file(out, file, change, at, &any);
		return any;
	}
	sticky |= replace(file, change->name) && !change->not_sticky;
	while (last && !file->sections[last - 1].meant)
		last--;
	/* "sticky" is for a whole section; floors always go along. */
	if (last > 1 && !change->name->floor && file->sections[last - 1].sticky != sticky)
		last = 0;
	drop_empty(file, last ? last - 1 : 0);
	if (last)
		at = place_for(file, last - 1, change->name);
	write_file(out, file, change, at, &any);
	if (!last)
		write_section(out, change, sticky && !change->name->floor);
	return true;
}

int psc_dropin_change(const char *text, const struct psc_dropin_change *change, char **ret)
{
	__attribute__((cleanup(free_file))) struct file file = {};
	char *new = NULL;
	size_t len;
	FILE *out;
	bool any;
	int err = read_file(&file, text ? text : header, change);

	if (err)
		return err;
	out = open_memstream(&new, &len);
	if (!out)
		return -ENOMEM;
	any = change_file(out, &file, change);
	if (fclose(out)) {
		free(new);
		return -ENOMEM;
	}
	if (!any) {
		free(new);
		new = NULL;
	}
	*ret = new;
	return 0;
}

/* So that it is no glob, and no white space is at an end. */
static char *escape_glob(const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (const char *c = path; *c; c++)
		fprintf(out, strchr("*?[", *c) || (strchr(" \t", *c) && (c == path || !c[1])) ?
			"[%c]" : "%c", *c);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

int psc_dropin_pattern(const char *cgroup, char **ret, char **ret_path)
{
	bool is_name = !strchr(cgroup, '/') && !psc_cgroup_is_unit(cgroup);
	_cleanup_free_ char *text = psc_text("%s%s", is_name ? "/" : "", cgroup);
	char *path = text ? psc_cgroup_pattern(text) : NULL;

	if (!text)
		return -ENOMEM;
	/* A line of the file ends there. */
	if (!path || strpbrk(path, "\r\n"))
		return -EINVAL;
	*ret = escape_glob(path);
	*ret_path = strdup(path + (*path == '/'));
	if (*ret && *ret_path)
		return 0;
	free(*ret);
	free(*ret_path);
	return -ENOMEM;
}
