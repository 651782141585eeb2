/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a configuration file line by line, and collects its errors. */
#include "config_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "escape.h"
#include "util.h"

#define CONF_SUFFIX ".conf"

/* Messages that are kept; how many more there were is said. */
#define ERRORS_MAX 32

/* On one line: names of files may be anything; what the files say is quoted already. */
static char *one_line(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			return psc_escape(text, strlen(text), 4 * strlen(text) + 4);
	return strdup(text);
}

int psc_conf_fail(struct psc_conf *conf, int err, const char *format, ...)
{
	_cleanup_free_ char *message = NULL, *line = NULL, *before = conf->error;
	va_list ap;
	int n;

	if (!conf->err)
		conf->err = err;
	if (conf->errors++ >= ERRORS_MAX) {
		before = NULL;
		return 0;
	}
	va_start(ap, format);
	n = vasprintf(&message, format, ap);
	va_end(ap);
	conf->error = NULL;
	line = n < 0 ? NULL : one_line(message);
	if (n < 0 || !line)
		return -ENOMEM;
	n = asprintf(&conf->error, "%s%s%s", before ? before : "", before ? "\n" : "", line);
	return n < 0 ? -ENOMEM : 0;
}

char *psc_conf_errors(struct psc_conf *conf)
{
	char *more = NULL;

	if (conf->errors <= ERRORS_MAX || !conf->error ||
	    asprintf(&more, "%s\nand %u more errors", conf->error, conf->errors - ERRORS_MAX) < 0)
		return conf->error;
	free(conf->error);
	return more;
}

static int unreadable(struct psc_conf *conf, int err, const char *path)
{
	/* The daemon is root without CAP_DAC_OVERRIDE. */
	return psc_conf_fail(conf, err, "%s: cannot be read, so it is not known what it sets: %s%s",
			     path, strerror(-err), err == -EACCES && geteuid() == 0 ?
			     "; let root own it, with the right to read it" : "");
}

const char *psc_conf_quote(char buf[PSC_QUOTE_SIZE], const char *text)
{
	size_t len = 0;

	for (; *text && len < PSC_QUOTE_SIZE - sizeof("\\xNN..."); text++) {
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
 * As in systemd's read_line(), CR and NUL end a line too. They do not count as
 * one, so that the numbers are those that an editor shows.
 */
char *psc_next_line(struct psc_lines *lines)
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

/* The link at @full leads nowhere. Is it a mask? An image under a root need not have a /dev/null. */
static bool is_mask(const char *full)
{
	char target[sizeof("/dev/null")] = "";

	return readlink(full, target, sizeof(target)) == sizeof(target) - 1 &&
	       memcmp(target, "/dev/null", sizeof(target) - 1) == 0;
}

/* There is no such file; but there may be a link. */
static int absent(struct psc_conf *conf, const char *full, const char *path, bool ours)
{
	struct stat st;

	if (!ours || lstat(full, &st) < 0 || !S_ISLNK(st.st_mode) || is_mask(full))
		return 0;
	return psc_conf_fail(conf, -ENOENT, "%s: is a link to a file that does not exist, so it is "
			     "not known what it sets; remove it, or link it to /dev/null", path);
}

/*
 * Read a configuration file whole; *ret is NULL when there is none. For files that are not
 * ours that includes a link to nowhere, which masks a file as one to /dev/null does.
 */
static int read_conf(struct psc_conf *conf, const char *path, const struct psc_conf_kind *kind,
		     char **ret, size_t *ret_len)
{
	_cleanup_free_ char *full = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	*ret = NULL;
	*ret_len = 0;
	if (asprintf(&full, "%s%s", conf->root, path) < 0)
		return -ENOMEM;
	/* O_NONBLOCK: a FIFO must not make us wait for a writer. */
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return absent(conf, full, path, kind->ours);
	if (fd < 0 || fstat(fd, &st) < 0)
		return unreadable(conf, -errno, path);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	if (!S_ISREG(st.st_mode))
		return psc_conf_fail(conf, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
				     "%s: is no regular file; remove it, or link it to /dev/null",
				     path);

	err = psc_read_fd(fd, kind->max, ret, ret_len);
	if (err == -EFBIG)
		return psc_conf_fail(conf, err, "%s: is larger than %zu bytes", path, kind->max);
	if (err)
		return unreadable(conf, err, path);
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

/* There is no such directory. What is there in its place? */
static int no_dir(struct psc_conf *conf, const char *full, const char *dir, bool ours)
{
	struct stat st;

	if (!ours || lstat(full, &st) < 0 || is_mask(full))
		return 0;
	return psc_conf_fail(conf, -ENOTDIR, "%s: is no directory, so it is not known what its "
			     "files set; remove it, or make a directory of it", dir);
}

/* The name of the draft, if it belongs into this directory; NULL otherwise. */
static const char *draft_in(const struct psc_conf *conf, const char *dir)
{
	const char *path = conf->draft ? conf->draft->path : "";
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

static int add_dir(struct psc_conf *conf, struct conf_list *list, const char *dir,
		   size_t dir_index, bool ours)
{
	const char *draft = draft_in(conf, dir);
	_cleanup_free_ struct dirent **entries = NULL;
	_cleanup_free_ char *full = NULL;
	int n, err = 0;

	if (asprintf(&full, "%s%s", conf->root, dir) < 0)
		return -ENOMEM;
	n = scandir(full, &entries, is_conf, NULL);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		err = no_dir(conf, full, dir, ours);
	else if (n < 0)
		return unreadable(conf, -errno, dir);
	for (int i = 0; i < n; i++) {
		if (!err && !(draft && streq(entries[i]->d_name, draft)))
			err = add_file(list, dir, entries[i]->d_name, dir_index);
		free(entries[i]);
	}
	return err || !draft || !conf->draft->text ? err : add_file(list, dir, draft, dir_index);
}

static int compare_files(const void *a, const void *b)
{
	const struct conf_file *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->dir > y->dir) - (x->dir < y->dir);
}

int psc_conf_file(struct psc_conf *conf, const char *path, const struct psc_conf_kind *kind)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err;

	if (conf->draft && streq(path, conf->draft->path)) {
		text = strdup(conf->draft->text);
		return text ? kind->parse(conf, kind->data, path, text, strlen(text)) : -ENOMEM;
	}
	err = read_conf(conf, path, kind, &text, &len);
	return err || !text ? err : kind->parse(conf, kind->data, path, text, len);
}

int psc_conf_dirs(struct psc_conf *conf, const char *const *dirs,
		  const struct psc_conf_kind *kind)
{
	_cleanup_list_ struct conf_list list = { 0 };
	int err = 0;

	for (size_t i = 0; dirs[i] && !err; i++)
		err = add_dir(conf, &list, dirs[i], i, kind->ours);
	if (err || !list.n)
		return err;

	qsort(list.files, list.n, sizeof(*list.files), compare_files);
	for (size_t i = 0; i < list.n && !err; i++)
		if (!i || !streq(list.files[i].name, list.files[i - 1].name))
			err = psc_conf_file(conf, list.files[i].path, kind);
	return err;
}
