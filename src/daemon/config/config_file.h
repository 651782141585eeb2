/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parsers of configuration files share: lines, files, directories of them. */
#ifndef PSC_CONFIG_FILE_H
#define PSC_CONFIG_FILE_H

#include <stddef.h>

#include "config.h"

/* A configuration that is being read. */
struct psc_conf {
	const char *root;		/* prefix of every path */
	const struct psc_config_draft *draft;	/* or NULL */
	struct psc_config config;	/* what has been merged so far */
	struct psc_config strictest;	/* of everything that could be read: psc_config_strictest() */
	char *bad_cmdline;		/* what is wrong on the kernel command line */

	int err;			/* of the first error */
	unsigned int errors;
	char *error;			/* their messages, one a line */
};

/*
 * Note an error, so that the other lines and files are looked at, too.
 * Return: 0, or -ENOMEM, which ends it all, as everywhere below.
 */
int psc_conf_fail(struct psc_conf *conf, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* All messages, taken out of @conf, and how many there were beyond. */
char *psc_conf_errors(struct psc_conf *conf);

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

/* How files of one kind are read. */
struct psc_conf_kind {
	/* @text may be written to. */
	int (*parse)(struct psc_conf *conf, void *data, const char *path, char *text, size_t len);
	void *data;
	size_t max;			/* bytes in a file */
	/* Files of ours: nothing else may be in their place, nor a link to nowhere. */
	bool ours;
};

/* Parse this file, if there is one. */
int psc_conf_file(struct psc_conf *conf, const char *path, const struct psc_conf_kind *kind);

/*
 * Parse the files of these directories in the order of their names, each name once.
 * @dirs: in decreasing precedence, NULL at the end
 */
int psc_conf_dirs(struct psc_conf *conf, const char *const *dirs,
		  const struct psc_conf_kind *kind);

/*
 * A later assignment wins over all earlier ones of what it covers.
 * @section: NULL for the whole system
 */
int psc_conf_assign(struct psc_conf *conf, struct psc_section *section,
		    const struct psc_name *name, unsigned int value, const char *path,
		    unsigned int line);

/* An assignment that may turn out to have no effect: only note how strict it is. */
int psc_conf_note(struct psc_conf *conf, const struct psc_section *section,
		  const struct psc_name *name, unsigned int value, const char *path,
		  unsigned int line);

/* Put what was noted into the order in which the stricter wins. */
void psc_conf_strictest(struct psc_config *config);

/* kernel.yama.ptrace_scope of the kernel command line. */
int psc_conf_cmdline(struct psc_conf *conf);
/* When everything has been read: is what was wrong there overruled by a file? */
int psc_conf_cmdline_done(struct psc_conf *conf);

/* kernel.yama.ptrace_scope of sysctl.d. */
int psc_conf_sysctl(struct psc_conf *conf);

/* PSC_NAME_YAMA below /proc/sys. */
#define PSC_SYSCTL_KEY "kernel/yama/ptrace_scope"

/*
 * A scope as the kernel takes it when it is written to /proc/sys.
 * @ret_more: there is text behind it, which the kernel ignores
 * Return: 0, -EINVAL, or -ERANGE for a number that is none.
 */
int psc_conf_kernel_scope(const char *text, unsigned int *ret, bool *ret_more);

/* Does a key of sysctl.d match this path? Return: 1, 0, -E2BIG for too many braces, -ENOMEM. */
int psc_conf_glob(const char *pattern, const char *path);

enum psc_fit { PSC_FITS_NOT, PSC_FITS, PSC_FITS_BELOW };

/**
 * psc_components_fit - compare a path's components with a pattern's, one by one
 * @flags: of fnmatch(3), for each component
 *
 * No glob reaches over a slash, not even a bracket expression with one in it, as in the kernel
 * side.
 *
 * Return: enum psc_fit, PSC_FITS_BELOW where the path is one above; or -ENOMEM.
 */
int psc_components_fit(const char *pattern, const char *path, int flags);

#endif
