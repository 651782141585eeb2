/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parsers of configuration files share: lines, files, directories of them. */
#ifndef PSC_CONFIG_FILE_H
#define PSC_CONFIG_FILE_H

#include <stddef.h>

#include "config.h"

/* A configuration that is being read. */
struct psc_conf {
	const char *root;		/* prefix of every path */
	struct psc_config config;	/* what has been merged so far */
	char *error;			/* an allocation, NULL when memory ran out */
};

/* Set the error, and return @err. */
int psc_conf_fail(struct psc_conf *conf, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define PSC_QUOTE_SIZE 128

/* Text of a file as it may appear in a message: one line, short, plain ASCII. */
const char *psc_conf_quote(char buf[PSC_QUOTE_SIZE], const char *text);

/* The text of a file, to be cut into lines. */
struct psc_lines {
	char *next, *end;
	unsigned int number;		/* of the line returned last */
	unsigned int newlines;		/* seen so far */
};

/* The next line that says something, without white space and comments; NULL at the end. */
char *psc_next_line(struct psc_lines *lines);

/* Parse one file; @text may be written to. Return: 0 or a negative errno, with the error set. */
typedef int (*psc_conf_parse_fn)(struct psc_conf *conf, void *data, const char *path, char *text,
				 size_t len);

/* Parse this file, if there is one. */
int psc_conf_file(struct psc_conf *conf, const char *path, psc_conf_parse_fn parse, void *data);

/*
 * Parse the files of these directories in the order of their names, each name once.
 * @dirs: in decreasing precedence, NULL at the end
 */
int psc_conf_dirs(struct psc_conf *conf, const char *const *dirs, psc_conf_parse_fn parse,
		  void *data);

/* A later assignment wins over all earlier ones of what it covers. */
int psc_conf_assign(struct psc_setting settings[PSC_NAMES], const struct psc_name *name,
		    unsigned int value, const char *path, unsigned int line);

/* kernel.yama.ptrace_scope of sysctl.d. */
int psc_conf_sysctl(struct psc_conf *conf);

#endif
