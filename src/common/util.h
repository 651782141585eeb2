/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cleanup attributes, whole-file reads and strict numbers. */
#ifndef PSC_UTIL_H
#define PSC_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void psc_freep(void *p)
{
	free(*(void **)p);
}

static inline void psc_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void psc_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_ __attribute__((cleanup(psc_freep)))
#define _cleanup_close_ __attribute__((cleanup(psc_closep)))
#define _cleanup_fclose_ __attribute__((cleanup(psc_fclosep)))

/* Hand a resource over: the variable with the cleanup attribute lets go of it. */
#define TAKE_PTR(p) __extension__({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
#define TAKE_FD(fd) __extension__({ int taken_ = (fd); (fd) = -1; taken_; })

static inline int streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/**
 * psc_parse_u32 - a decimal number and nothing else
 * @text: digits only: no sign, no blanks, no trailing characters
 * @ret: the number, unwritten on error
 *
 * Return: 0, -EINVAL when @text is no number, -ERANGE when it exceeds 32 bits.
 */
int psc_parse_u32(const char *text, unsigned int *ret);

/**
 * psc_read_file - a small file as a string
 * @path: also a file of /proc or /sys, whose size is not known beforehand
 * @max: most bytes to accept
 * @ret: a NUL-terminated allocation, unwritten on error
 * @ret_len: its length without the NUL; may be NULL (then NUL bytes inside are
 *	an error, -EBADMSG)
 *
 * Return: 0 or a negative errno; -EFBIG when the file is larger than @max.
 */
int psc_read_file(const char *path, size_t max, char **ret, size_t *ret_len);

/* The same from an open file, read from where it stands to its end. */
int psc_read_fd(int fd, size_t max, char **ret, size_t *ret_len);

/*
 * With a standard descriptor closed, the next file or socket opened would get
 * its number, and what is printed would go there. Open /dev/null for the wrong
 * direction instead, so that it fails. Ends the process when even that fails.
 */
void psc_occupy_standard_descriptors(void);

/* Remove white space at both ends, in place; returns the new beginning. */
char *psc_strip(char *text);

/* Is standard output a terminal that wants colour? no-color.org, and TERM=dumb. */
bool psc_want_colour(void);

/* Is @path the directory @above, or below it? Without a look at the file system. */
bool psc_path_is_below(const char *path, const char *above);

/* asprintf() by its result: an allocation, NULL when out of memory. */
char *psc_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
