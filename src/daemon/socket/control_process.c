/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The method of io.ptracescope that is about a process. */
#include <stdio.h>

#include "control_call.h"

/* It may go on without what it keeps of cgroups that it has left. */
int psc_control_cgroup_release(struct psc_varlink_call *call)
{
	const struct psc_backend *backend = psc_control_backend(call);
	json_int_t pid = json_integer_value(json_object_get(call->parameters, "pid"));
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_RELEASE };
	char text[64];
	int err;

	if (pid <= 0 || pid > INT32_MAX)
		return psc_varlink_invalid(call, "pid");
	req.probe[0] = (__s32)pid;
	err = backend->request(backend->data, &req);
	snprintf(text, sizeof(text), "process %d", req.probe[0]);
	if (err)
		return psc_control_fail(call, err, text);
	snprintf(text, sizeof(text), "process %d: released from what it kept of cgroups",
		 req.probe[0]);
	psc_control_done(call, text);
	return psc_varlink_reply(call, json_object());
}
