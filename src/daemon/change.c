/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the policy from outside, of which the first floor is set in the background. */
#include "change.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"

/* A change from outside that sets the first floor. */
struct change {
	struct psc_daemon *daemon;
	struct psc_request req;
	int err;
	bool ended, forgotten;		/* forgotten: who asked for it has gone */
};

static void forget_change(void *data)
{
	struct change *change = data;

	if (change->ended || !change->daemon->first.pid)
		free(change);
	else
		change->forgotten = true;
}

static void on_armed_change(void *data)
{
	struct change *change = data;

	change->err = psc_daemon_request(change->daemon, &change->req);
}

static void on_change_ended(void *data, int err)
{
	struct change *change = data;
	struct psc_daemon *d = change->daemon;

	if (err)
		change->err = err;
	change->ended = true;
	if (change->forgotten && !change->err)
		psc_notice("the client that requested the first floor has disconnected; the floor is set");
	if (change->forgotten)
		free(change);
	psc_control_wake(d->socket.control);
}

static int begin_change(struct psc_daemon *d, const struct psc_request *asked,
			struct psc_pending *pending)
{
	static const struct psc_first_user user = {
		.armed = on_armed_change, .ended = on_change_ended,
	};
	struct change *change = calloc(1, sizeof(*change));
	int err;

	if (!change)
		return -ENOMEM;
	*change = (struct change){ .daemon = d, .req = *asked };
	err = psc_first_begin(&d->first, &user, change);
	if (err) {
		free(change);
		return err == -EALREADY ? -EINPROGRESS : err;
	}
	*pending = (struct psc_pending){ change, forget_change };
	return -EINPROGRESS;
}

int psc_change(struct psc_daemon *d, struct psc_request *req, struct psc_pending *pending)
{
	const struct psc_request asked = *req;
	struct change *change = pending->data;
	int err;

	if (!change) {
		err = psc_daemon_request(d, req);
		return err == -PSC_E_CANCELED ? begin_change(d, &asked, pending) : err;
	}
	if (!change->ended)
		return -EINPROGRESS;
	*req = change->req;
	err = change->err;
	free(change);
	*pending = (struct psc_pending){ 0 };
	return err;
}
