/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the methods of io.ptracescope share, and those about cgroups. */
#ifndef PSC_CONTROL_CALL_H
#define PSC_CONTROL_CALL_H

#include "control.h"
#include "names.h"
#include "varlink.h"

const struct psc_backend *psc_control_backend(const struct psc_varlink_call *call);

/*
 * A request that changes something. Return: as psc_backend.change(); at -EINPROGRESS the method
 * returns -EAGAIN.
 */
int psc_control_change(struct psc_varlink_call *call, struct psc_request *req);

/* Log what happened, and at whose wish. */
void psc_control_done(const struct psc_varlink_call *call, const char *what);

/* Log what a floor has refused, and to whom. */
void psc_control_refused(const struct psc_varlink_call *call, const char *what);

/* Answer with the error NothingToLock. */
int psc_control_nothing_to_lock(struct psc_varlink_call *call);

/* Answer with the error Failed: @what failed with @err, a negative errno. */
int psc_control_fail(struct psc_varlink_call *call, int err, const char *what);

/* What a request for the first floor fails with when something stands against it. */
#define PSC_CONTROL_NO_FLOOR \
	"cannot set the first floor: a BPF program or another process conflicts with it"

/* The parameter "name"; NULL when there is none such, which is answered: *ret_err. */
const struct psc_name *psc_control_name(struct psc_varlink_call *call, int *ret_err);

/* Answer with the error OutOfRange. */
int psc_control_out_of_range(struct psc_varlink_call *call, const struct psc_name *name,
			     json_int_t value);

/* Answer with the error CgroupError: @trouble as psc_cgroup_find() returns it. */
int psc_control_trouble(struct psc_varlink_call *call, int trouble);

/* As type Refusal; NULL when out of memory. */
json_t *psc_control_refusal_json(const struct psc_refusal *refusal);

/* The methods, for the table in control.c. */
int psc_control_get(struct psc_varlink_call *call);
int psc_control_set(struct psc_varlink_call *call);
int psc_control_lock(struct psc_varlink_call *call);
int psc_control_list(struct psc_varlink_call *call);
int psc_control_status(struct psc_varlink_call *call);
int psc_control_metrics(struct psc_varlink_call *call);
int psc_control_detach(struct psc_varlink_call *call);
int psc_control_reload(struct psc_varlink_call *call);
int psc_control_watch(struct psc_varlink_call *call);
int psc_control_last_refusal(struct psc_varlink_call *call);
int psc_control_explain(struct psc_varlink_call *call);
int psc_control_cgroup_get(struct psc_varlink_call *call);
int psc_control_cgroup_list(struct psc_varlink_call *call);
int psc_control_cgroup_lock(struct psc_varlink_call *call);
int psc_control_cgroup_release(struct psc_varlink_call *call);
int psc_control_cgroup_set(struct psc_varlink_call *call);
int psc_control_cgroup_unset(struct psc_varlink_call *call);

#endif
