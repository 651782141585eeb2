/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of the kernel that matter to a floor, found among the kernel's types. */
#ifndef PSC_HOOKS_H
#define PSC_HOOKS_H

#include <stdbool.h>

#include "ptracescope.h"

/* How many functions psc_hooks_find() looks for, PSC_HOOKS_MAX at most. */
unsigned int psc_hooks_count(void);

/*
 * The BTF ids of the functions that no program of others may decide under a floor.
 * Return: 0 or a negative errno, after a message.
 */
int psc_hooks_find(__u32 ids[PSC_HOOKS_MAX]);

/*
 * Has the kernel the sysctl kernel.ftrace_enabled? What /proc shows can be anybody's.
 * Return: 0 or a negative errno, after a message.
 */
int psc_hooks_has_ftrace(bool *ret);

#endif
