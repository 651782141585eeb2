/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads whole files, parses numbers and occupies the standard descriptors. */
#include "util.h"

#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

int psc_parse_u32(const char *text, unsigned int *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++)
		if (*p < '0' || *p > '9')
			return -EINVAL;
	for (const char *p = text; *p; p++) {
		value = value * 10 + (unsigned int)(*p - '0');
		if (value > UINT32_MAX)
			return -ERANGE;
	}
	*ret = (unsigned int)value;
	return 0;
}

/* Make room for at least one more byte and a NUL. Return: 0 or -ENOMEM. */
static int grow(char **buf, size_t *size, size_t max)
{
	size_t larger = *size ? 2 * *size : 4096;
	char *new;

	if (larger > max + 2)
		larger = max + 2;
	new = realloc(*buf, larger);
	if (!new)
		return -ENOMEM;
	*buf = new;
	*size = larger;
	return 0;
}

int psc_read_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0, size = 0;

	/* One byte more than allowed, to tell "full" from "too large". */
	while (len <= max) {
		ssize_t n;

		if (len + 1 >= size && grow(&buf, &size, max) < 0)
			return -ENOMEM;
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > max)
		return -EFBIG;
	buf[len] = '\0';
	if (!ret_len && memchr(buf, '\0', len))
		return -EBADMSG;
	*ret = TAKE_PTR(buf);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int psc_read_file(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : psc_read_fd(fd, max, ret, ret_len);
}

char *psc_strip(char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len && strchr(blanks, text[len - 1]))
		text[--len] = '\0';
	return text;
}

void psc_occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_FAILURE);
}

bool psc_want_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && !streq(term, "dumb");
}

bool psc_path_is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return strncmp(path, above, len) == 0 && (!path[len] || path[len] == '/');
}

char *psc_text(const char *format, ...)
{
	char *ret = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&ret, format, ap) < 0)
		ret = NULL;
	va_end(ap);
	return ret;
}
