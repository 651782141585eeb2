/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A backend for the socket that keeps its policy in memory, by the real rules of change. */
#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

#include <errno.h>
#include <string.h>

#include "control.h"
#include "ptracescope_policy.h"

struct fake_backend {
	union psc_policy policy;
	int request_err;	/* of the next psc_ctl run that changes something, once */
	int peer_err;
	__u32 capable;
	int detach_err;
	int reload_err;
	const char *reload_message;
	unsigned int detached, reloaded;
};

static int fake_request(void *data, struct psc_request *req)
{
	struct fake_backend *fake = data;
	int err = req->op == PSC_OP_INFO ? 0 : fake->request_err;

	if (req->op != PSC_OP_INFO)
		fake->request_err = 0;
	if (!err)
		err = psc_policy_change(&fake->policy, req, NULL);
	if (!err)
		req->policy = fake->policy;
	return err;
}

static int fake_peer(void *data, int fd, struct psc_peer *ret)
{
	struct fake_backend *fake = data;

	(void)fd;
	if (!fake->peer_err)
		*ret = (struct psc_peer){ .capable = fake->capable };
	return fake->peer_err;
}

static json_t *fake_status(void *data)
{
	struct fake_backend *fake = data;

	return json_pack("{s:b, s:{s:{s:i, s:i}}}", "enforcing", 1, "policy", "attach",
			 "scope", fake->policy.scope[PSC_MODE_ATTACH],
			 "floor", fake->policy.floor[PSC_MODE_ATTACH]);
}

static int fake_detach(void *data)
{
	struct fake_backend *fake = data;

	if (!fake->detach_err)
		fake->detached++;
	return fake->detach_err;
}

static int fake_reload(void *data, char **ret_error)
{
	struct fake_backend *fake = data;

	if (!fake->reload_err)
		fake->reloaded++;
	else if (fake->reload_message)
		*ret_error = strdup(fake->reload_message);
	return fake->reload_err;
}

static inline struct psc_backend fake_backend_ops(struct fake_backend *fake)
{
	return (struct psc_backend){
		.data = fake,
		.request = fake_request,
		.peer = fake_peer,
		.status = fake_status,
		.detach = fake_detach,
		.reload = fake_reload,
	};
}

#endif
