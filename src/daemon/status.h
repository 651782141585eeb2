/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the daemon, for its clients. */
#ifndef PSC_STATUS_H
#define PSC_STATUS_H

#include <jansson.h>

#include "state.h"

/* The reply of the method Status, see src/common/interface.c; NULL: out of memory, or no policy. */
json_t *psc_status(struct psc_daemon *d);

/* The figures of the method Metrics. Return: 0 or a negative errno. */
int psc_status_metrics(const struct psc_daemon *d, struct psc_metrics *ret);

#endif
