/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes a set of programs out of force. */
#ifndef PSC_UNLOAD_H
#define PSC_UNLOAD_H

#include <limits.h>

#include "kernel.h"

/*
 * Where a set is assembled before it takes its place in one rename, and taken apart after it.
 * Return: 0 or -ENAMETOOLONG.
 */
int psc_unload_staging(char path[PATH_MAX], const char *dir);

/* Unlink every pin in @dir, and @dir. Not being there is fine. Return: 0 or a negative errno. */
int psc_unload_set(const char *dir);

/* May what is in force be taken away? Return: 0, -EACCES under a floor, or another errno. */
int psc_unload_allowed(struct psc_kernel *kernel);

/* With ftrace off nothing can be attached or @done. Return: -EOPNOTSUPP, after a message. */
int psc_unload_without_ftrace(const char *done);

/**
 * psc_unload - end enforcement
 * @pin_dir: where the pins of @kernel are
 *
 * Return: 0; -EACCES under a floor; -EOPNOTSUPP, after a message, while ftrace is off;
 * or what removing the pins failed with.
 */
int psc_unload(const char *pin_dir, struct psc_kernel *kernel);

#endif
