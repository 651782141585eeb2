/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the methods of io.ptracescope share, and those about cgroups. */
#ifndef PSC_CONTROL_CALL_H
#define PSC_CONTROL_CALL_H

#include "control.h"
#include "names.h"
#include "varlink.h"

const struct psc_backend *psc_control_backend(const struct psc_varlink_call *call);

/* Log what happened, and at whose wish. */
void psc_control_done(const struct psc_varlink_call *call, const char *what);

/* Log what a floor has refused, and to whom. */
void psc_control_refused(const struct psc_varlink_call *call, const char *what);

/* Answer with the error NothingToLock. */
int psc_control_nothing_to_lock(struct psc_varlink_call *call);

/* Answer with the error Failed: @what failed with @err, a negative errno. */
int psc_control_fail(struct psc_varlink_call *call, int err, const char *what);

/* What a request for the first floor fails with when something stands against it. */
#define PSC_CONTROL_NO_FLOOR "there can be no floor now, see its log"

/* The parameter "name"; NULL when there is none such, which is answered: *ret_err. */
const struct psc_name *psc_control_name(struct psc_varlink_call *call, int *ret_err);

/* Answer with the error OutOfRange. */
int psc_control_out_of_range(struct psc_varlink_call *call, const struct psc_name *name,
			     json_int_t value);

/* A string, escaped where it is no UTF-8, as paths of files and cgroups may be. */
json_t *psc_control_text(const char *text);

int psc_control_cgroup_get(struct psc_varlink_call *call);
int psc_control_cgroup_list(struct psc_varlink_call *call);
int psc_control_cgroup_lock(struct psc_varlink_call *call);
int psc_control_cgroup_set(struct psc_varlink_call *call);
int psc_control_cgroup_unset(struct psc_varlink_call *call);

#endif
