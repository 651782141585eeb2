/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.yama.ptrace_scope of sysctl.d.
 *
 * This follows sysctl.d(5) and systemd-sysctl (systemd's src/sysctl/sysctl.c
 * and src/basic/conf-files.c), with these differences, all on purpose:
 *  - A value that the kernel would refuse, a line without "=" about our key, and a
 *    file that cannot be read, are errors: systemd-sysctl goes on and leaves the
 *    kernel at its default, which here would be a weaker policy than the
 *    administrator wrote down.
 *  - A line with a "-" in front and such a value keeps what earlier lines set;
 *    systemd-sysctl forgets them.
 *  - A file has at most 16 MiB, and braces stand for at most 4096 names.
 *  - The credential sysctl.extra belongs to systemd-sysctl.service, not to us.
 */
#include <errno.h>

#include "config_file.h"
#include "log.h"
#include "util.h"

/* In decreasing precedence. On merged-/usr systems the last two are one; then
 * the file names are the same too, and the first of a name counts. */
static const char *const sysctl_dirs[] = {
	"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d",
	"/lib/sysctl.d", NULL,
};

/* systemd-sysctl has no bound; files of this size are somebody's mistake. */
#define SYSCTL_BYTES_MAX (16 * 1024 * 1024)

/* Where users of ptracescoped may look for what only its own files can set. */
#define OWN_KEYS "kernel/ptracescope/"

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

/* Return: 1 when this key is ours or a glob that matches it, 0 when not, or a negative errno. */
static int concerns_us(const char *key)
{
	return is_glob(key) ? psc_conf_glob(key, PSC_SYSCTL_KEY) : streq(key, PSC_SYSCTL_KEY);
}

/* Keys that somebody has written for us, and that nobody takes. */
static void warn_of_key(const char *path, unsigned int line, const char *key)
{
	char quoted[PSC_QUOTE_SIZE];

	if (strncmp(key, OWN_KEYS, strlen(OWN_KEYS)) == 0)
		psc_warning("%s:%u: 'kernel.ptracescope.%s' is ignored: it is no setting of the "
			    "kernel; it must be in /etc/ptracescope/ptracescope.conf", path, line,
			    psc_conf_quote(quoted, key + strlen(OWN_KEYS)));
	else if (!is_glob(key) && strchr(key, '{') && psc_conf_glob(key, PSC_SYSCTL_KEY) == 1)
		psc_warning("%s:%u: '%s' is ignored: systemd-sysctl expands braces only in keys that "
			    "have '*', '?' or '[', too", path, line, psc_conf_quote(quoted, key));
}

static int too_many(struct psc_conf *conf, const char *path, unsigned int line, int err)
{
	if (err != -E2BIG)
		return err;
	return psc_conf_fail(conf, err, "%s:%u: the braces of the key stand for more names than can "
			     "be looked at; write the names on lines of their own", path, line);
}

/* See proc_get_long() in the kernel's kernel/sysctl.c. Octal and hexadecimal are fine. */
int psc_conf_kernel_scope(const char *text, unsigned int *ret, bool *ret_more)
{
	const char *digits;
	unsigned long number;
	char *end;
	int base;

	/* isspace() of the kernel has 0xa0, too. */
	text += strspn(text, " \t\r\n\v\f\xa0");
	digits = *text == '-' ? text + 1 : text;
	/* Not base 0: with that, strtoul() of C23 takes "0b1", which the kernel does not. */
	base = *digits != '0' ? 10 : digits[1] == 'x' || digits[1] == 'X' ? 16 : 8;
	if (*digits < '0' || *digits > '9')
		return -EINVAL;
	number = strtoul(digits, &end, base);
	if (end - text > 20 || (*end && *end != ' ' && *end != '\t' && *end != '\n'))
		return -EINVAL;
	if (number > PSC_SCOPE_MAX || (digits != text && number))
		return -ERANGE;
	*ret = (unsigned int)number;
	*ret_more = *end;
	return 0;
}

/* A bad value; on an optional line it is only warned of. Return: 0 or -ENOMEM. */
static int bad_kernel_scope(struct psc_conf *conf, const char *path, unsigned int line,
			    const char *value, bool optional)
{
	_cleanup_free_ char *message = NULL;
	char quoted[PSC_QUOTE_SIZE];
	unsigned int scope;
	bool word = psc_scope_parse(value, &scope) == 0;

	if (asprintf(&message, "%s:%u: '%s' is no value for " PSC_NAME_YAMA ": it must be a number "
		     "from 0 to %d%s", path, line, psc_conf_quote(quoted, value), PSC_SCOPE_MAX,
		     word ? "; words are not valid in sysctl.d, the kernel takes none" : "") < 0)
		return -ENOMEM;
	if (!optional)
		return psc_conf_fail(conf, -EINVAL, "%s", message);
	psc_warning("%s; the line is ignored because of its '-'", message);
	return 0;
}

/* A line without "=": an exclusion from globs, or a mistake if it is about our key. */
static int parse_sysctl_bare(struct psc_conf *conf, struct sysctl_table *table, const char *path,
			     unsigned int line, char *key, bool minus)
{
	char *word_end = key + strcspn(key, " \t:");
	bool alone = !*word_end;
	int ours;

	*word_end = '\0';
	normalize_key(key);
	if (minus && alone) {
		ours = concerns_us(key);
		return ours <= 0 ? too_many(conf, path, line, ours) :
		       put_option(table, key, NULL, false, path, line);
	}
	if (!streq(key, PSC_SYSCTL_KEY))
		return 0;
	if (minus)
		return psc_conf_fail(conf, -EINVAL, "%s:%u: write -" PSC_NAME_YAMA " = VALUE; or, to "
				     "keep globs away from the key, -" PSC_NAME_YAMA " alone, as a "
				     "comment needs a line of its own", path, line);
	return psc_conf_fail(conf, -EINVAL, "%s:%u: '=' is missing; write " PSC_NAME_YAMA
			     " = VALUE, with a VALUE from 0 to %d", path, line, PSC_SCOPE_MAX);
}

static int parse_sysctl_line(struct psc_conf *conf, struct sysctl_table *table, const char *path,
			     unsigned int line, char *text)
{
	bool minus = *text == '-', more;
	char *key = text + minus;
	char *value = strchr(key, '=');
	unsigned int scope;
	int ours, err;

	if (!value)
		return parse_sysctl_bare(conf, table, path, line, psc_strip(key), minus);

	*value++ = '\0';
	key = normalize_key(psc_strip(key));
	value = psc_strip(value);
	ours = concerns_us(key);
	if (ours <= 0) {
		warn_of_key(path, line, key);
		return too_many(conf, path, line, ours);
	}
	if (psc_conf_kernel_scope(value, &scope, &more) == 0) {
		err = psc_conf_note(conf, NULL, psc_name_find(PSC_NAME_YAMA), scope, path, line);
		return err ? err : put_option(table, key, value, minus, path, line);
	}
	/* The value of a glob is looked at when it takes effect: it may be meant
	 * for other keys, and never reach ours. */
	if (!is_glob(key)) {
		err = bad_kernel_scope(conf, path, line, value, minus);
		if (err || !minus || find_option(table, key))
			return err;
		value = NULL;	/* an explicit line all the same: no glob applies */
	}
	return put_option(table, key, value, minus, path, line);
}

static int parse_sysctl(struct psc_conf *conf, void *data, const char *path, char *text, size_t len)
{
	struct psc_lines lines = { .next = text, .end = text + len };
	int err = 0;

	for (char *line; !err && (line = psc_next_line(&lines));)
		err = parse_sysctl_line(conf, data, path, lines.number, line);
	return err;
}

static int apply_option(struct psc_conf *conf, const struct sysctl_option *option)
{
	unsigned int scope;
	bool more;

	if (!option->value)
		return 0;
	if (psc_conf_kernel_scope(option->value, &scope, &more) != 0)
		return bad_kernel_scope(conf, option->path, option->line, option->value,
					option->optional);
	if (more)
		psc_warning("%s:%u: everything after the first number is ignored, as the kernel "
			    "does; a comment needs a line of its own",
			    option->path, option->line);
	return psc_conf_assign(conf, NULL, psc_name_find(PSC_NAME_YAMA), scope, option->path,
			       option->line);
}

int psc_conf_sysctl(struct psc_conf *conf)
{
	_cleanup_table_ struct sysctl_table table = { 0 };
	const struct psc_conf_kind kind = {
		.parse = parse_sysctl, .data = &table, .max = SYSCTL_BYTES_MAX,
	};
	const struct sysctl_option *option;
	int err = psc_conf_dirs(conf, sysctl_dirs, &kind);

	if (err)
		return err;
	option = find_option(&table, PSC_SYSCTL_KEY);
	if (option)
		return apply_option(conf, option);
	for (size_t i = 0; i < table.n && !err; i++)
		err = apply_option(conf, &table.options[i]);
	return err;
}
