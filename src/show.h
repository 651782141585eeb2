/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ptracescopectl prints for people. */
#ifndef PSC_SHOW_H
#define PSC_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Print the reply of io.ptracescope.Status; what is absent or of another type is a "?". */
void psc_show_status(FILE *out, const json_t *status, bool colour);

/* Print the reply of io.ptracescope.List as "name = value"; -EBADMSG when it is none. */
int psc_show_list(FILE *out, const json_t *list);

#endif
