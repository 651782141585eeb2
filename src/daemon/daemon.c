/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the parts of the daemon in order, answers for their state, and stops them. */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "change.h"
#include "lockdown.h"
#include "log.h"
#include "loop.h"
#include "nowait.h"
#include "outbox.h"
#include "place.h"
#include "spare.h"
#include "start.h"
#include "state.h"
#include "status.h"
#include "turn.h"
#include "unload.h"
#include "util.h"

/* With `lockdown = integrity`, a floor of 3 also raises kernel lockdown. */
static void lock_kernel_down(const struct psc_daemon *d, const union psc_policy *policy)
{
	if (d->reload.lockdown && policy->floor[PSC_MODE_ATTACH] == PSC_SCOPE_NO_ATTACH)
		psc_lockdown_raise();
}

/* Is the policy in the reply of a request that of all processes, and changed? */
static bool has_changed_all(const struct psc_request *req)
{
	return req->op == PSC_OP_CHANGE && !(req->flags & PSC_FLAG_CGROUP);
}

/*
 * Every request goes through here. In the loop the first floor has a process of its own: struct
 * psc_first_user.
 */
static int request(void *data, struct psc_request *req)
{
	struct psc_daemon *d = data;
	int err = d->first.event ? psc_lock_request_armed(d->kernel, req) :
				   psc_lock_request(d->kernel, d->options.pin_dir, req);

	if (!err && has_changed_all(req))
		lock_kernel_down(d, &req->policy);
	return err;
}

int psc_daemon_request(struct psc_daemon *d, struct psc_request *req)
{
	int err = request(d, req);

	if (!err && has_changed_all(req))
		psc_daemon_notify(d, "", &req->policy);
	if (!err && req->op != PSC_OP_INFO)
		psc_selftest_prove(d->selftest);
	return err;
}

static int on_request(void *data, struct psc_request *req)
{
	return psc_daemon_request(data, req);
}

static int on_change(void *data, struct psc_request *req, struct psc_pending *pending)
{
	return psc_change(data, req, pending);
}

static json_t *on_status(void *data)
{
	return psc_status(data);
}

static int on_metrics(void *data, struct psc_metrics *ret)
{
	return psc_status_metrics(data, ret);
}

/* Of the sections of the configuration, which may raise the first floor, too. */
static int section(void *data, struct psc_section_request *req)
{
	struct psc_daemon *d = data;

	return d->first.event ? psc_lock_sections_armed(d->kernel, req) :
				psc_lock_sections(d->kernel, d->options.pin_dir, req);
}

static int on_peer(void *data, int fd, struct psc_peer *ret)
{
	struct psc_daemon *d = data;

	return psc_kernel_peer(d->kernel, fd, ret);
}

static int on_end(sd_event_source *source, void *data)
{
	(void)data;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_detach(void *data)
{
	struct psc_daemon *d = data;
	int err;

	if (d->first.pid)	/* its guards are armed */
		return -EINPROGRESS;
	err = psc_unload(d->options.pin_dir, d->kernel);
	if (err)
		return err;
	psc_spare_clear(d->options.pin_dir);
	psc_place_remove(d->options.pin_dir);
	d->detached = true;
	psc_reload_stop(&d->reload);
	psc_notice("detached: these programs no longer restrict ptrace");
	/* In the loop's next turn, when the reply has been written. */
	err = sd_event_add_defer(d->event, NULL, on_end, d);
	return err < 0 ? err : 0;
}

static int on_reload(void *data, unsigned int *number, char **ret_error)
{
	struct psc_daemon *d = data;

	return psc_reload_call(&d->reload, number, ret_error);
}

static void on_armed_reload(void *data)
{
	struct psc_daemon *d = data;

	psc_reload_armed(&d->reload);
}

static void on_reload_looked(void *data, int err)
{
	struct psc_daemon *d = data;

	psc_reload_looked(&d->reload, err);
	psc_control_wake(d->socket.control);
}

static int reload_first_floor(void *data)
{
	static const struct psc_first_user user = { on_armed_reload, on_reload_looked };
	struct psc_daemon *d = data;
	int locked = psc_kernel_locked(d->kernel);

	if (locked)
		return locked < 0 ? locked : 0;
	return psc_first_begin(&d->first, &user, d) ?: -EINPROGRESS;
}

static void reload_in_force(void *data)
{
	struct psc_daemon *d = data;
	union psc_policy policy;

	if (!psc_kernel_policy(d->kernel, &policy))
		lock_kernel_down(d, &policy);
}

static void reload_done(void *data, bool called)
{
	struct psc_daemon *d = data;

	psc_daemon_notify(d, "", NULL);
	psc_selftest_prove(d->selftest);
	if (called)
		psc_control_wake(d->socket.control);
}

static void on_event(void *data, const struct psc_event *event)
{
	struct psc_daemon *d = data;

	psc_recent_add(&d->recent, event);
	if (psc_watchers_tell(&d->watchers, event))
		psc_control_wake(d->socket.control);
}

static void on_suppressed(void *data, __u64 n)
{
	struct psc_daemon *d = data;

	if (psc_watchers_tell_suppressed(&d->watchers, n))
		psc_control_wake(d->socket.control);
}

static int on_explain(void *data, struct psc_explain_request *req, struct psc_explanation *ret)
{
	struct psc_daemon *d = data;

	return psc_kernel_explain(d->kernel, req, ret) ?:
		(psc_kernel_ftrace(d->kernel) ? 0 : -ESHUTDOWN);
}

static int on_names(void *data, struct psc_explain_request *req, struct psc_found *ret)
{
	struct psc_daemon *d = data;

	return psc_kernel_names(d->kernel, req, ret);
}

static const struct psc_reload_ops reload_ops = {
	.request = request,
	.first_floor = reload_first_floor,
	.in_force = reload_in_force,
	.done = reload_done,
};

static const struct psc_backend backend_ops = {
	.request = on_request,
	.change = on_change,
	.peer = on_peer,
	.explain = on_explain,
	.names = on_names,
	.status = on_status,
	.metrics = on_metrics,
	.detach = on_detach,
	.reload = on_reload,
};

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	struct psc_daemon *d = data;

	(void)source;
	(void)si;
	psc_turn_does("reload");
	psc_reload_signal(&d->reload);
	return 0;
}

static int open_socket(struct psc_daemon *d)
{
	struct psc_socket *sock = &d->socket;

	sock->event = d->event;
	sock->kernel = d->kernel;
	sock->backend = backend_ops;
	sock->backend.data = d;
	sock->backend.cgroups = &d->cgroups;
	sock->backend.recent = &d->recent;
	sock->backend.watchers = &d->watchers;
	return psc_socket_open(sock);
}

static int setup_signals(struct psc_daemon *d)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);

	err = sd_event_new(&d->event);
	if (err >= 0)	/* without a handler they end the loop */
		err = sd_event_add_signal(d->event, NULL, SIGTERM, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_signal(d->event, NULL, SIGINT, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_signal(d->event, NULL, SIGHUP, on_sighup, d);
	if (err >= 0)
		err = psc_outbox_open(d->event);
	return err < 0 ? psc_log_err(err, "setting up the event loop failed: %s",
				     strerror(-err)) : 0;
}

static void on_proof(void *data)
{
	psc_daemon_notify(data, "", NULL);
}

static int start(struct psc_daemon *d)
{
	static const char *const outcomes[] = {
		[PSC_LOADED] = "programs loaded and attached",
		[PSC_ADOPTED] = "programs in force adopted",
		[PSC_UPGRADED] = "programs of another build replaced",
	};
	struct psc_config config = {};
	bool loaded = false;
	int err = setup_signals(d);

	d->reload.event = d->event;
	if (!err)
		err = psc_start_lock(d);
	if (!err && psc_lock_prepare())
		psc_warning("/proc/1/root: %s; no floor can be set, as this requires a look at the "
			    "mounts of pid 1, with CAP_SYS_PTRACE; start the daemon by its unit",
			    strerror(errno));
	if (!err)
		err = psc_start_enforce(d, &config, &loaded);
	if (!err)	/* From here on no directory is looked up, see cgroup.h. */
		d->cgroups.kernel = d->kernel;
	if (!err)
		err = psc_event_reader_new(d->event, d->kernel, &d->events);
	if (!err)
		psc_event_reader_listen(d->events, &d->listener);
	if (!err && loaded) {
		d->sections.event = d->event;
		psc_reload_start_sections(&d->reload, &config);
	}
	psc_config_free(&config);
	if (!err)
		err = psc_selftest_new(d->event, d->kernel, on_proof, d, &d->selftest);
	if (!err)
		err = open_socket(d);
	if (err)
		return err;
	psc_info("%s, build %016llx", outcomes[d->outcome], d->kernel->build);
	psc_daemon_notify(d, "READY=1\n", NULL);
	psc_selftest_prove(d->selftest);
	return 0;
}

int psc_daemon_run(unsigned int relations_max)
{
	struct psc_daemon d = {
		.options = { .pin_dir = psc_place_pins(), .relations_max = relations_max },
		.lock_fd = -1,
	};
	int err;

	psc_cgroups_open(&d.cgroups);
	d.listener = (struct psc_listener){ on_event, on_suppressed, &d };
	d.watchers.cgroups = &d.cgroups;
	d.sections = (struct psc_sections){ .cgroups = &d.cgroups, .request = request,
					  .section = section, .data = &d };
	d.reload = (struct psc_reload){
		.ops = &reload_ops, .data = &d, .sections = &d.sections, .root = "",
	};
	err = start(&d);
	if (!err) {
		d.first = (struct psc_first){
			.event = d.event, .kernel = d.kernel, .dir = d.options.pin_dir,
			.lock_fd = d.lock_fd,
		};
		psc_ctl_hurry(true);
		err = psc_loop_run(d.event);
		psc_outbox_notify("STOPPING=1");
		if (!d.detached)
			psc_notice("the daemon stops; the programs stay in force, until "
				   "`ptracescopectl detach` or a reboot");
	}
	psc_first_stop(&d.first);
	psc_reload_stop(&d.reload);
	psc_socket_close(&d.socket);
	psc_selftest_free(d.selftest);
	psc_event_reader_free(d.events);
	psc_outbox_close();
	psc_sections_free(&d.sections);
	psc_cgroups_close(&d.cgroups);
	sd_event_unref(d.event);
	psc_kernel_close(d.kernel);
	free(d.reload.error);
	psc_closep(&d.lock_fd);
	return err;
}
