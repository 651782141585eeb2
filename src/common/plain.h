/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of the kernel's own file systems, and not what somebody has mounted over them. */
#ifndef PSC_PLAIN_H
#define PSC_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/**
 * psc_plain_open - open a file of /sys
 * @parts: the names on the way to it, NULL at the end
 * @flags: of open(2), for the last one
 *
 * No mount is over it, over /sys or in between, nor is a symbolic link on the way.
 *
 * Return: a descriptor; -EUCLEAN if there is one; or another negative errno.
 */
int psc_plain_open_sys(const char *const *parts, int flags);

/* The same of /proc, which must be that of the caller's pid namespace. */
int psc_plain_open_proc(const char *const *parts, int flags);

/*
 * A file in the root of securityfs. That file itself may be mounted over itself, as systemd does
 * for ReadWritePaths=. Return: as above, and -EUCLEAN also where securityfs is not mounted.
 */
int psc_plain_open_security(const char *name, int flags);

/* Is a name in an open directory a regular file of it, with nothing mounted over it? */
bool psc_plain_is_file(int dir_fd, const char *name);

#endif
