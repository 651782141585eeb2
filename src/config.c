/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and merging of the configuration files.
 *
 * sysctl.d follows sysctl.d(5) and systemd-sysctl (systemd's src/sysctl/sysctl.c
 * and src/basic/conf-files.c), with these differences, all on purpose:
 *  - A value that the kernel would refuse, and a file that cannot be read, are
 *    errors: systemd-sysctl goes on and leaves the kernel at its default, which
 *    here would be a weaker policy than the administrator wrote down.
 *  - A line with a "-" in front and such a value keeps what earlier lines set;
 *    systemd-sysctl forgets them.
 *  - The credential sysctl.extra belongs to systemd-sysctl.service, not to us.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "log.h"
#include "util.h"

#define CONF_SUFFIX ".conf"
#define CONF_BYTES_MAX (1024 * 1024)

/* In decreasing precedence. On merged-/usr systems the last two are one; then
 * the file names are the same too, and the first of a name counts. */
static const char *const sysctl_dirs[] = {
	"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d",
	"/lib/sysctl.d", NULL,
};

/* PSC_NAME_YAMA below /proc/sys, as normalize_key() spells keys. */
#define SYSCTL_KEY "kernel/yama/ptrace_scope"

static const char *const own_dirs[] = { "/etc/ptracescope/conf.d", NULL };
static const char own_file[] = "/etc/ptracescope/ptracescope.conf";

struct loader {
	const char *root;
	struct psc_config config;	/* what has been merged so far */
	char *error;
};

static int __attribute__((format(printf, 3, 4)))
fail(struct loader *loader, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&loader->error, format, ap) < 0)
		loader->error = NULL;
	va_end(ap);
	return err;
}

static int unreadable(struct loader *loader, int err, const char *path)
{
	return fail(loader, err, "%s: cannot be read, so it is not known what it sets: %s", path,
		    strerror(-err));
}

#define QUOTE_SIZE 128

/* Text of a file as it may appear in a message: one line, short, plain ASCII. */
static const char *quote(char buf[QUOTE_SIZE], const char *text)
{
	size_t len = 0;

	for (; *text && len < QUOTE_SIZE - sizeof("\\xNN..."); text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c <= '~')
			buf[len++] = *text;
		else
			len += (size_t)sprintf(buf + len, "\\x%02x", c);
	}
	strcpy(buf + len, *text ? "..." : "");
	return buf;
}

/*
 * A later assignment wins over all earlier ones of what it covers. Whoever
 * applies the settings goes by the order of psc_names[], the broader first, so
 * earlier narrower ones must not be left behind.
 */
static int assign(struct loader *loader, const struct psc_name *name, unsigned int value,
		  const char *path, unsigned int line)
{
	struct psc_setting *settings = loader->config.settings;
	char *source;

	if (asprintf(&source, "%s:%u", path, line) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < PSC_NAMES; i++) {
		if (psc_names[i].op != name->op || (psc_names[i].modes & ~name->modes))
			continue;
		free(settings[i].source);
		settings[i] = (struct psc_setting){ 0 };
	}
	settings[name - psc_names] = (struct psc_setting){ true, value, source };
	return 0;
}

/* Lines that say something, with white space and comments removed. */
struct lines {
	char *next, *end;
	unsigned int number;		/* of the line returned last */
	unsigned int newlines;		/* seen so far */
};

/*
 * As in systemd's read_line(), CR and NUL end a line too. They do not count as
 * one, so that the numbers are those that an editor shows.
 */
static char *next_line(struct lines *lines)
{
	while (lines->next < lines->end) {
		char *line = lines->next;
		char *stop = line + strcspn(line, "\r\n");

		lines->number = lines->newlines + 1;
		lines->newlines += *stop == '\n';
		lines->next = stop + 1;
		*stop = '\0';
		line = psc_strip(line);
		if (*line && *line != '#' && *line != ';')
			return line;
	}
	return NULL;
}

/*
 * Read a configuration file whole; *ret is NULL when there is none, which
 * includes a link to /dev/null and one to nowhere: both mask a file, and an
 * image under a root need not have a /dev/null.
 */
static int read_conf(struct loader *loader, const char *path, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *full = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	*ret = NULL;
	*ret_len = 0;
	if (asprintf(&full, "%s%s", loader->root, path) < 0)
		return -ENOMEM;
	/* O_NONBLOCK: a FIFO must not make us wait for a writer. */
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return unreadable(loader, -errno, path);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	if (!S_ISREG(st.st_mode))
		return fail(loader, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
			    "%s: is no regular file; remove it, or link it to /dev/null", path);

	err = psc_read_fd(fd, CONF_BYTES_MAX, ret, ret_len);
	if (err == -EFBIG)
		return fail(loader, err, "%s: is larger than %d bytes", path, CONF_BYTES_MAX);
	if (err)
		return unreadable(loader, err, path);
	return 0;
}

/* Directories of *.conf files */

struct conf_file {
	char *path;			/* without the root */
	const char *name;		/* its last component */
	size_t dir;			/* the lower, the higher its precedence */
};

struct conf_list {
	struct conf_file *files;
	size_t n;
};

static void free_list(struct conf_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->files[i].path);
	free(list->files);
}

#define _cleanup_list_ __attribute__((cleanup(free_list)))

/* Hidden files do not count, even with the right ending. */
static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	size_t suffix = strlen(CONF_SUFFIX);

	return entry->d_name[0] != '.' && len > suffix &&
	       streq(entry->d_name + len - suffix, CONF_SUFFIX);
}

static int add_file(struct conf_list *list, const char *dir, const char *name, size_t dir_index)
{
	struct conf_file *files = reallocarray(list->files, list->n + 1, sizeof(*files));
	char *path;

	if (!files)
		return -ENOMEM;
	list->files = files;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	files[list->n++] = (struct conf_file){ path, path + strlen(dir) + 1, dir_index };
	return 0;
}

static int add_dir(struct loader *loader, struct conf_list *list, const char *dir, size_t dir_index)
{
	_cleanup_free_ struct dirent **entries = NULL;
	_cleanup_free_ char *full = NULL;
	int n, err = 0;

	if (asprintf(&full, "%s%s", loader->root, dir) < 0)
		return -ENOMEM;
	n = scandir(full, &entries, is_conf, NULL);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0)
		return unreadable(loader, -errno, dir);
	for (int i = 0; i < n; i++) {
		if (!err)
			err = add_file(list, dir, entries[i]->d_name, dir_index);
		free(entries[i]);
	}
	return err;
}

static int compare_files(const void *a, const void *b)
{
	const struct conf_file *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->dir > y->dir) - (x->dir < y->dir);
}

typedef int (*parse_fn)(struct loader *loader, void *data, const char *path, char *text,
			size_t len);

static int load_file(struct loader *loader, const char *path, parse_fn parse, void *data)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err = read_conf(loader, path, &text, &len);

	return err || !text ? err : parse(loader, data, path, text, len);
}

/* Parse the files of these directories in the order of their names, each name once. */
static int load_dirs(struct loader *loader, const char *const *dirs, parse_fn parse, void *data)
{
	_cleanup_list_ struct conf_list list = { 0 };
	int err = 0;

	for (size_t i = 0; dirs[i] && !err; i++)
		err = add_dir(loader, &list, dirs[i], i);
	if (err || !list.n)
		return err;

	qsort(list.files, list.n, sizeof(*list.files), compare_files);
	for (size_t i = 0; i < list.n && !err; i++)
		if (!i || !streq(list.files[i].name, list.files[i - 1].name))
			err = load_file(loader, list.files[i].path, parse, data);
	return err;
}

/* sysctl.d */

/* A line of sysctl.d that names or matches our key. */
struct sysctl_option {
	char *key;			/* normalized, possibly a glob */
	char *value;			/* NULL: only keeps globs away from the key */
	bool optional;			/* "-": that it cannot be set is no failure */
	char *path;
	unsigned int line;
};

/* In the order in which they take effect, no key twice. */
struct sysctl_table {
	struct sysctl_option *options;
	size_t n;
};

static void free_option(struct sysctl_option *option)
{
	free(option->key);
	free(option->value);
	free(option->path);
}

static void free_table(struct sysctl_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free_option(&table->options[i]);
	free(table->options);
}

#define _cleanup_table_ __attribute__((cleanup(free_table)))

static struct sysctl_option *find_option(const struct sysctl_table *table, const char *key)
{
	for (size_t i = 0; i < table->n; i++)
		if (streq(table->options[i].key, key))
			return &table->options[i];
	return NULL;
}

static bool same_value(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

/*
 * The last assignment of a key counts and takes its place in the order, except
 * that a repetition of the very same one leaves the first where it is. That
 * shows only with several globs; systemd-sysctl does so.
 */
static int put_option(struct sysctl_table *table, const char *key, const char *value,
		      bool optional, const char *path, unsigned int line)
{
	struct sysctl_option *old = find_option(table, key), *options;
	struct sysctl_option new = { .optional = optional, .line = line };

	if (old && same_value(old->value, value)) {
		old->optional = old->optional || optional;
		return 0;
	}
	if (old) {
		free_option(old);
		table->n--;
		memmove(old, old + 1, (size_t)(table->options + table->n - old) * sizeof(*old));
	}

	options = reallocarray(table->options, table->n + 1, sizeof(*options));
	if (!options)
		return -ENOMEM;
	table->options = options;
	new.key = strdup(key);
	new.value = value ? strdup(value) : NULL;
	new.path = strdup(path);
	options[table->n++] = new;
	return new.key && !new.value == !value && new.path ? 0 : -ENOMEM;
}

/*
 * The path below /proc/sys that a key means. The first separator decides: a
 * slash, and it is a path already; a dot, and dots and slashes change places.
 */
static char *normalize_key(char *key)
{
	char *sep = strpbrk(key, "/."), *out = key, *save;

	if (sep && *sep == '.')
		for (; sep; sep = strpbrk(sep + 1, "/."))
			*sep = *sep == '.' ? '/' : '.';

	/* Empty components and "." ones mean nothing. ".." is never resolved:
	 * systemd-sysctl refuses to write through it. */
	for (char *part = strtok_r(key, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		size_t len = strlen(part);

		if (streq(part, "."))
			continue;
		if (out != key)
			*out++ = '/';
		memmove(out, part, len);
		out += len;
	}
	*out = '\0';
	return key;
}

static bool is_glob(const char *key)
{
	return strpbrk(key, "*?[");
}

static bool concerns_us(const char *key)
{
	return is_glob(key) ? fnmatch(key, SYSCTL_KEY, FNM_PATHNAME) == 0 : streq(key, SYSCTL_KEY);
}

/*
 * A scope as the kernel takes it when it is written to /proc/sys: see
 * proc_get_long() in kernel/sysctl.c. Octal and hexadecimal are fine, words are
 * not, and what follows after white space is ignored ("1 # comment").
 */
static int parse_kernel_scope(const char *text, unsigned int *ret, bool *ret_more)
{
	const char *digits = *text == '-' ? text + 1 : text;
	unsigned long number;
	char *end;

	if (*digits < '0' || *digits > '9')
		return -EINVAL;
	number = strtoul(digits, &end, 0);
	if (end - text > 20 || (*end && *end != ' ' && *end != '\t'))
		return -EINVAL;
	if (number > PSC_SCOPE_MAX || (digits != text && number))
		return -ERANGE;
	*ret = (unsigned int)number;
	*ret_more = *end;
	return 0;
}

/* A bad value; on an optional line it is only warned of. Return: 0 or -EINVAL. */
static int bad_kernel_scope(struct loader *loader, const char *path, unsigned int line,
			    const char *value, bool optional)
{
	_cleanup_free_ char *message = NULL;
	char quoted[QUOTE_SIZE];
	unsigned int scope;
	bool word = psc_scope_parse(value, &scope) == 0;

	if (asprintf(&message, "%s:%u: '%s' is no value for " PSC_NAME_YAMA ": it must be a number "
		     "from 0 to %d%s", path, line, quote(quoted, value), PSC_SCOPE_MAX,
		     word ? "; words are not valid in sysctl.d, the kernel takes none" : "") < 0)
		return -ENOMEM;
	if (!optional)
		return fail(loader, -EINVAL, "%s", message);
	psc_warning("%s; the line is ignored because of its '-'", message);
	return 0;
}

/* A line without "=": an exclusion from globs, or a mistake if it is about our key. */
static int parse_sysctl_bare(struct loader *loader, struct sysctl_table *table, const char *path,
			     unsigned int line, char *key, bool minus)
{
	char *word_end = key + strcspn(key, " \t:");
	bool alone = !*word_end;

	*word_end = '\0';
	normalize_key(key);
	if (minus && alone)
		return concerns_us(key) ? put_option(table, key, NULL, false, path, line) : 0;
	if (!streq(key, SYSCTL_KEY))
		return 0;
	return fail(loader, -EINVAL, "%s:%u: '=' is missing; write " PSC_NAME_YAMA
		    " = VALUE, with a VALUE from 0 to %d", path, line, PSC_SCOPE_MAX);
}

static int parse_sysctl_line(struct loader *loader, struct sysctl_table *table, const char *path,
			     unsigned int line, char *text)
{
	bool minus = *text == '-', more;
	char *key = text + minus;
	char *value = strchr(key, '=');
	unsigned int scope;

	if (!value)
		return parse_sysctl_bare(loader, table, path, line, psc_strip(key), minus);

	*value++ = '\0';
	key = normalize_key(psc_strip(key));
	value = psc_strip(value);
	if (!concerns_us(key))
		return 0;
	/* The value of a glob is looked at when it takes effect: it may be meant
	 * for other keys, and never reach ours. */
	if (!is_glob(key) && parse_kernel_scope(value, &scope, &more) != 0) {
		int err = bad_kernel_scope(loader, path, line, value, minus);

		if (err || find_option(table, key))
			return err;
		value = NULL;	/* an explicit line all the same: no glob applies */
	}
	return put_option(table, key, value, minus, path, line);
}

static int parse_sysctl(struct loader *loader, void *data, const char *path, char *text, size_t len)
{
	struct lines lines = { .next = text, .end = text + len };
	int err = 0;

	for (char *line; !err && (line = next_line(&lines));)
		err = parse_sysctl_line(loader, data, path, lines.number, line);
	return err;
}

static int apply_option(struct loader *loader, const struct sysctl_option *option)
{
	unsigned int scope;
	bool more;

	if (!option->value)
		return 0;
	if (parse_kernel_scope(option->value, &scope, &more) != 0)
		return bad_kernel_scope(loader, option->path, option->line, option->value,
					option->optional);
	if (more)
		psc_warning("%s:%u: everything after the first number is ignored, as the kernel "
			    "does; a comment needs a line of its own",
			    option->path, option->line);
	return assign(loader, psc_name_find(PSC_NAME_YAMA), scope, option->path, option->line);
}

static int load_sysctl(struct loader *loader)
{
	_cleanup_table_ struct sysctl_table table = { 0 };
	const struct sysctl_option *option;
	int err = load_dirs(loader, sysctl_dirs, parse_sysctl, &table);

	if (err)
		return err;
	option = find_option(&table, SYSCTL_KEY);
	if (option)
		return apply_option(loader, option);
	for (size_t i = 0; i < table.n && !err; i++)
		err = apply_option(loader, &table.options[i]);
	return err;
}

/* Our own files */

static void list_names(char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < PSC_NAMES && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
					psc_names[i].name);
}

static void list_scopes(char *buf, size_t size)
{
	size_t len = 0;

	for (unsigned int i = 0; i <= PSC_SCOPE_MAX && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%u (%s)", i ? ", " : "", i,
					psc_scope_word(i));
}

/* @seen: the lines of the assignments in this file, indexed like psc_names[] */
static int parse_own_line(struct loader *loader, unsigned int seen[PSC_NAMES], const char *path,
			  unsigned int line, char *text)
{
	char quoted[QUOTE_SIZE], all[512], *value = strchr(text, '=');
	const struct psc_name *name;
	unsigned int scope, *first;

	if (*text == '[')
		return fail(loader, -EINVAL, "%s:%u: sections like '%s' are not supported; "
			    "every line is NAME = VALUE", path, line, quote(quoted, text));
	if (!value)
		return fail(loader, -EINVAL, "%s:%u: '=' is missing in '%s'; write NAME = VALUE",
			    path, line, quote(quoted, text));
	*value++ = '\0';
	text = psc_strip(text);
	value = psc_strip(value);

	name = psc_name_find(text);
	if (!name) {
		list_names(all, sizeof(all));
		return fail(loader, -EINVAL, "%s:%u: unknown name '%s'; known are %s", path, line,
			    quote(quoted, text), all);
	}
	first = &seen[name - psc_names];
	if (*first)
		return fail(loader, -EINVAL, "%s:%u: %s has been set in line %u already; "
			    "remove one of the two", path, line, name->name, *first);
	*first = line;
	if (psc_scope_parse(value, &scope) != 0) {
		list_scopes(all, sizeof(all));
		return fail(loader, -EINVAL, "%s:%u: '%s' is no value for %s; it must be one of "
			    "%s%s", path, line, quote(quoted, value), name->name, all,
			    strpbrk(value, "#;") ? "; a comment needs a line of its own" : "");
	}
	return assign(loader, name, scope, path, line);
}

static int parse_own(struct loader *loader, void *data __attribute__((unused)), const char *path,
		     char *text, size_t len)
{
	struct lines lines = { .next = text, .end = text + len };
	unsigned int seen[PSC_NAMES] = { 0 };
	int err = 0;

	/* A crash while it was written leaves a file of zeros. */
	if (memchr(text, '\0', len))
		return fail(loader, -EINVAL, "%s: has a NUL byte in it, so it is damaged; "
			    "write it anew", path);
	for (char *line; !err && (line = next_line(&lines));)
		err = parse_own_line(loader, seen, path, lines.number, line);
	return err;
}

int psc_config_load(const char *root, struct psc_config *ret, char **ret_error)
{
	struct loader loader = { .root = root };
	int err = load_sysctl(&loader);

	if (!err)
		err = load_file(&loader, own_file, parse_own, NULL);
	if (!err)
		err = load_dirs(&loader, own_dirs, parse_own, NULL);
	if (err) {
		psc_config_free(&loader.config);
		*ret_error = loader.error;
		return err;
	}
	*ret = loader.config;
	return 0;
}

void psc_config_free(struct psc_config *config)
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		free(config->settings[i].source);
	*config = (struct psc_config){ 0 };
}
