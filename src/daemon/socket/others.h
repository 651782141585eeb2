/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else may refuse an access: security modules that cannot be asked, and seccomp. */
#ifndef PSC_OTHERS_H
#define PSC_OTHERS_H

#include <jansson.h>

#include "ptracescope_explain.h"

/**
 * psc_others - those that are there
 * @root: "", or a directory that stands for / (tests)
 *
 * Of processes it reads /proc/PID/attr, by pid: whoever calls it makes sure afterwards that the
 * processes are still the same.
 *
 * Return: an array of type Other of io.ptracescope; NULL when out of memory.
 */
json_t *psc_others(const char *root, const struct psc_explanation *e);

#endif
