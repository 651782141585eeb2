/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "anchor.h"
#include "canary.h"
#include "escape.h"
#include "loader.h"
#include "lock.h"
#include "lockdown.h"
#include "log.h"
#include "loop.h"
#include "outbox.h"
#include "policy.h"
#include "prereq.h"
#include "reporter.h"
#include "sections.h"
#include "util.h"

#define LISTEN_BACKLOG 128

struct daemon {
	struct psc_loader_options options;
	sd_event *event;
	struct psc_kernel *kernel;
	enum psc_loader_outcome outcome;
	struct psc_reporter *reporter;
	struct psc_canary *canary;
	struct psc_cgroups cgroups;
	struct psc_sections sections;
	struct psc_backend backend;
	struct psc_control *control;
	char *config_error;		/* NULL: the configuration is in force */
	bool lockdown;			/* a floor of 3 takes the kernel's lockdown along */
	bool detached;
	int lock_fd;
};

/* One line on what is in force, for systemctl status. */
static void notify_status(struct daemon *d, const char *state)
{
	_cleanup_free_ char *text = NULL;
	union psc_policy policy;

	if (psc_kernel_policy(d->kernel, &policy))
		return;
	if (asprintf(&text, "%sSTATUS=%s: attach %u (%s), traceme %u, read %u; floor %u%s%s", state,
		   psc_canary_failed(d->canary) ? "NOT ENFORCING, see the log" : "Enforcing",
		   policy.scope[PSC_MODE_ATTACH], psc_scope_word(policy.scope[PSC_MODE_ATTACH]),
		   policy.scope[PSC_MODE_TRACEME], policy.scope[PSC_MODE_READ],
		   policy.floor[PSC_MODE_ATTACH],
		   d->config_error ? "; configuration refused: " : "",
		   d->config_error ? d->config_error : "") < 0)
		text = NULL;
	psc_outbox_notify(text ? text : state);
}

/* "No attach" for good can be had without what the kernel lets root do to itself. */
static void lock_kernel_down(struct daemon *d)
{
	union psc_policy policy;

	if (d->lockdown && !psc_kernel_policy(d->kernel, &policy) &&
	    policy.floor[PSC_MODE_ATTACH] == PSC_SCOPE_NO_ATTACH)
		psc_lockdown_raise();
}

/* Every request goes through here. */
static int request(void *data, struct psc_request *req)
{
	struct daemon *d = data;
	bool looked = d->kernel->looked;
	int err = psc_lock_request(d->kernel, d->options.pin_dir, req);

	if (!err && req->op != PSC_OP_INFO)
		lock_kernel_down(d);
	/* The first floor: from now on that is proved again and again. */
	if (d->canary && d->kernel->looked && !looked)
		psc_canary_prove(d->canary);
	return err;
}

/* The same from outside, which shows in the status and is proved. */
static int on_request(void *data, struct psc_request *req)
{
	struct daemon *d = data;
	int err = request(d, req);

	if (!err && req->op != PSC_OP_INFO) {
		notify_status(d, "");
		psc_canary_prove(d->canary);
	}
	return err;
}

/* Of the sections of the configuration, which may raise the first floor, too. */
static int section(void *data, struct psc_section_request *req)
{
	struct daemon *d = data;

	return psc_lock_sections(d->kernel, d->options.pin_dir, req);
}

static int on_peer(void *data, int fd, struct psc_peer *ret)
{
	struct daemon *d = data;

	return psc_kernel_peer(d->kernel, fd, ret);
}

static json_t *proofs_json(const struct daemon *d)
{
	return json_pack("{s:s, s:s, s:s, s:s}",
			 "attach", psc_canary_outcome(d->canary, PSC_PROOF_ATTACH),
			 "traceme", psc_canary_outcome(d->canary, PSC_PROOF_TRACEME),
			 "read", psc_canary_outcome(d->canary, PSC_PROOF_READ),
			 "declarations", psc_canary_outcome(d->canary, PSC_PROOF_DECLARED));
}

/* Indexed by enum psc_anchor_state. */
static const char *const anchors[] = { "none", "set", "alone" };

static json_t *on_status(void *data)
{
	struct daemon *d = data;
	union psc_policy policy;
	__u64 stats[PSC_STATS];
	char build[17];
	unsigned int stuck;
	json_t *status;
	pid_t stuck_on;
	int yama = psc_yama_scope();
	const char *lockdown = psc_lockdown_level();
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	if (psc_kernel_policy(d->kernel, &policy) || psc_kernel_stats(d->kernel, stats))
		return NULL;
	snprintf(build, sizeof(build), "%016llx", d->kernel->build);
	status = json_pack("{s:b, s:i, s:s, s:b, s:o, s:I, s:I, s:I, s:s, s:s, s:s, s:i}",
			   "enforcing", psc_ftrace_enabled() && !psc_canary_failed(d->canary),
			   "abi", PSC_ABI, "build", build,
			   "adopted", d->outcome == PSC_ADOPTED, "policy", psc_control_policy(&policy),
			   "refused", (json_int_t)(stats[PSC_STAT_REFUSED] -
						   psc_canary_refusals(d->canary)),
			   "suppressed", (json_int_t)stats[PSC_STAT_SUPPRESSED],
			   "dropped", (json_int_t)stats[PSC_STAT_DROPPED],
			   "proof", psc_canary_outcome(d->canary, PSC_PROOF_ATTACH),
			   "configuration", d->config_error ? d->config_error : "ok",
			   "version", PSC_VERSION, "pid", (int)getpid());
	if (status)
		json_object_set_new(status, "proofs", proofs_json(d));
	stuck = psc_reporter_stuck(d->reporter, &stuck_on);
	if (status && stuck)
		json_object_set_new(status, "stuck", json_pack("{s:i, s:i}", "readers", stuck,
							       "pid", (int)stuck_on));
	if (status)
		json_object_update_new(status, json_pack("{s:I, s:I}", "longest_turn_us",
							 (json_int_t)psc_loop_longest(), "unlogged",
							 (json_int_t)psc_outbox_lost()));
	if (status && yama >= 0)
		json_object_set_new(status, "yama", json_integer(yama));
	if (status && lockdown)
		json_object_set_new(status, "lockdown", json_string(lockdown));
	if (status && !psc_kernel_request(d->kernel, &info) && info.locked) {
		json_object_set_new(status, "vouched", json_boolean(d->kernel->looked));
		json_object_set_new(status, "anchor", json_string(anchors[info.anchor % 3]));
	}
	if (status && stats[PSC_STAT_MISSED])
		json_object_set_new(status, "missed", json_integer((json_int_t)stats[PSC_STAT_MISSED]));
	if (status && stats[PSC_STAT_SPARED])
		json_object_set_new(status, "spared", json_integer((json_int_t)stats[PSC_STAT_SPARED]));
	if (status && d->kernel->kept)
		json_object_set_new(status, "kept", json_string(d->kernel->kept));
	return status;
}

static int on_end(sd_event_source *source, void *data)
{
	(void)data;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_detach(void *data)
{
	struct daemon *d = data;
	int err = psc_loader_remove(&d->options, d->kernel);

	if (err)
		return err;
	psc_lock_clear(d->options.pin_dir);
	d->detached = true;
	psc_notice("detached: these programs no longer restrict ptrace");
	/* In the loop's next turn, when the reply has been written. */
	err = sd_event_add_defer(d->event, NULL, on_end, d);
	return err < 0 ? err : 0;
}

/* For the status: the first of several lines. NULL when out of memory. */
static char *first_line(const char *text)
{
	size_t len = strcspn(text, "\n"), more = 0;
	char *line;

	for (const char *c = text + len; *c; c++)
		more += *c == '\n';
	if (!more)
		return strdup(text);
	return asprintf(&line, "%.*s (and %zu more, see the log)", (int)len, text, more) < 0 ?
		NULL : line;
}

/*
 * Remember why the configuration is not in force, and say so. Takes over @error, which has a
 * line for everything that is wrong. @instead: what is in force
 */
static int refuse_config(struct daemon *d, int err, char *error, const char *instead)
{
	char *rest = error;

	free(d->config_error);
	d->config_error = first_line(error ? error : strerror(-err));
	psc_log(LOG_ERR, "configuration refused, %s: %s", instead,
		d->config_error ? d->config_error : strerror(-err));
	if (error && strchr(error, '\n'))
		for (char *line; (line = strsep(&rest, "\n"));)
			psc_log(LOG_ERR, "configuration: %s", line);
	free(error);
	return err;
}

static const char what_was_stays[] = "what was in force stays";

/* And the sections for cgroups. Return: 0, or PSC_RELOAD_PARTLY when some are not in force. */
static int apply_sections(struct daemon *d, struct psc_config *config, enum psc_plan_kind kind)
{
	int refused = psc_sections_apply(&d->sections, config, kind);

	/* Where the configuration itself is wrong, that comes first. */
	if (!refused || (kind != PSC_PLAN_RELOAD && d->config_error))
		return refused ? PSC_RELOAD_PARTLY : 0;
	free(d->config_error);
	if (refused < 0)
		d->config_error = strdup("the rest of it is in force, but not all cgroups could "
					 "be looked at");
	else if (asprintf(&d->config_error, "the rest of it is in force, but %d cgroups are without "
			  "what their sections set; the log names the first", refused) < 0)
		d->config_error = NULL;
	return PSC_RELOAD_PARTLY;
}

/* Before anything of a reload is applied: can all of it be, its floors and sections too? */
static int check_reload(struct daemon *d, struct psc_config *config,
			const struct psc_plan *plan, char **ret_error)
{
	bool locks;
	int err = psc_sections_check(&d->sections, config, &plan->floors, &locks, ret_error);

	if (err || (!locks && !psc_request_locks(&plan->request)))
		return err;
	err = psc_lock_try(d->kernel, d->options.pin_dir);
	if (err && asprintf(ret_error, "there can be no floor now: %s; the log says more",
			    strerror(-err)) < 0)
		*ret_error = NULL;
	return err;
}

/*
 * Put what a configuration sets globally in force, as @kind says; at a reload only
 * if its sections can be, too. Needs the kernel side.
 */
static int apply_config(struct daemon *d, struct psc_config *config, enum psc_plan_kind kind)
{
	union psc_policy policy;
	struct psc_plan plan;
	char *error = NULL;
	int err = psc_kernel_policy(d->kernel, &policy);

	if (!err)
		err = psc_plan_make(config, kind, policy, &plan, &error);
	if (!err && kind == PSC_PLAN_RELOAD)
		err = check_reload(d, config, &plan, &error);
	/* One step: refused, it has changed nothing. */
	if (!err && plan.any)
		err = request(d, &plan.request);
	if (err)
		return refuse_config(d, err, error, what_was_stays);
	free(d->config_error);
	d->config_error = NULL;
	d->lockdown = config->lockdown;
	lock_kernel_down(d);
	return 0;
}

#define UNMATCHED_SHOWN 20

/* A typo in a section's name is no error: the cgroup may come later. */
static void tell_unmatched(const struct psc_config *config)
{
	unsigned int n = 0;

	for (size_t s = 0; s < config->n_sections; s++)
		if (!config->sections[s].matched && n++ < UNMATCHED_SHOWN)
			psc_notice("%s: the section matches no cgroup now",
				   config->sections[s].source);
	if (n > UNMATCHED_SHOWN)
		psc_notice("%u more sections match no cgroup now", n - UNMATCHED_SHOWN);
}

static int on_reload(void *data, char **ret_error)
{
	struct daemon *d = data;
	struct psc_config config;
	char *error = NULL;
	int err = psc_config_load("", &config, &error);

	if (err) {
		refuse_config(d, err, error, what_was_stays);
	} else {
		err = apply_config(d, &config, PSC_PLAN_RELOAD);
		if (!err)
			err = apply_sections(d, &config, PSC_PLAN_RELOAD);
	}
	psc_config_free(&config);
	if (err && ret_error && d->config_error)
		*ret_error = strdup(d->config_error);
	if (!err)
		tell_unmatched(&d->sections.config);
	if (!err && !ret_error)		/* who called is told in the log already */
		psc_info("configuration reloaded");
	notify_status(d, "");
	psc_canary_prove(d->canary);
	return err;
}

static const struct psc_backend backend_ops = {
	.request = on_request,
	.peer = on_peer,
	.status = on_status,
	.detach = on_detach,
	.reload = on_reload,
};

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *data)
{
	(void)source;
	(void)si;
	psc_outbox_notify("RELOADING=1");
	on_reload(data, NULL);
	psc_outbox_notify("READY=1");
	return 0;
}

/*
 * Pins that have gone under a floor do not come back. What the floor is made of enforces it
 * until reboot, and lets no second set be loaded.
 */
static int require_no_anchor(const char *dir)
{
	char path[PATH_MAX];
	union psc_policy p;

	snprintf(path, sizeof(path), "%s/%s", dir, psc_pins[PSC_PIN_CTL].name);
	if (access(path, F_OK) == 0 || psc_anchor_policy(&p))
		return 0;
	return psc_log_err(-EPROTO, "there is a floor of another ptracescoped, whose pins are not in %s: "
			   "they have gone, or are in another bpffs. Programs on the root cgroup "
			   "enforce for every process until reboot: attach %u, traceme %u, read %u, "
			   "floors %u, %u, %u. Nobody can change that, refusals are not reported, and "
			   "no daemon can start: reboot", dir, p.scope[PSC_MODE_ATTACH],
			   p.scope[PSC_MODE_TRACEME], p.scope[PSC_MODE_READ],
			   p.floor[PSC_MODE_ATTACH], p.floor[PSC_MODE_TRACEME],
			   p.floor[PSC_MODE_READ]);
}

/* One daemon at a time. Locked is a directory, so that this works while /run is full. */
static int lock(struct daemon *d)
{
	static const char dir[] = "/sys/fs/bpf";
	int err, held;

	d->lock_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = d->lock_fd < 0 ? -errno : 0;
	held = err == -ENOENT ? require_no_anchor(d->options.pin_dir) : 0;
	if (held)
		return held;
	if (err)
		return psc_log_err(err, "%s: %s%s", dir, strerror(-err), err == -EACCES ?
				   "; ptracescoped has to be started by root" : "");
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ?
		psc_log_err(-EBUSY, "another ptracescoped is running (%s is locked)", dir) :
		psc_log_err(-errno, "locking %s: %s", dir, strerror(errno));
}

static int make_socket_dir(void)
{
	if ((mkdir(PSC_SOCKET_DIR, 0755) < 0 && errno != EEXIST) ||
	    chmod(PSC_SOCKET_DIR, 0755) < 0)
		return psc_log_err(-errno, "%s: %s", PSC_SOCKET_DIR, strerror(errno));
	return 0;
}

/*
 * The socket gets its name when it is ready to be used, in one rename that also
 * replaces one that a killed daemon left.
 */
static int open_socket(struct daemon *d)
{
	static const struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = PSC_SOCKET_PATH ".new",
	};
	struct psc_backend *backend = &d->backend;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return psc_log_err(-errno, "socket: %s", strerror(errno));
	if ((unlink(address.sun_path) < 0 && errno != ENOENT) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path, 0666) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return psc_log_err(-errno, "%s: %s", address.sun_path, strerror(errno));
	err = psc_kernel_mark_listener(d->kernel, fd);
	if (err)
		return psc_log_err(err, "marking the socket failed: %s", strerror(-err));
	if (rename(address.sun_path, PSC_SOCKET_PATH) < 0)
		return psc_log_err(-errno, "%s: %s", PSC_SOCKET_PATH, strerror(errno));

	*backend = backend_ops;
	backend->data = d;
	backend->cgroups = &d->cgroups;
	err = psc_control_new(d->event, fd, backend, &d->control);
	if (err)
		return psc_log_err(err, "serving the socket failed: %s", strerror(-err));
	TAKE_FD(fd);
	return 0;
}

static int setup_signals(struct daemon *d)
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
	return err < 0 ? psc_log_err(err, "event loop: %s", strerror(-err)) : 0;
}

/*
 * Name everything that is missing, and nothing else, so that `systemctl status` shows it.
 * Return: -EOPNOTSUPP, 0 when nothing is, or another errno.
 */
static int explain_prereqs(void)
{
	struct psc_prereqs prereqs = {};
	int missing = psc_prereq_check("", &prereqs);
	const struct psc_prereq *first;

	if (missing > 0) {
		psc_log(LOG_ERR, "this system cannot enforce ptrace_scope yet; all prerequisites: "
			"ptracescoped --check");
		psc_prereq_tell_missing(&prereqs);
		first = psc_prereq_first_missing(&prereqs);
		sd_notifyf(0, "STATUS=Cannot enforce: %s: %s\nERRNO=%d", first->what, first->found,
			   EOPNOTSUPP);
	}
	psc_prereq_free(&prereqs);
	return missing > 0 ? -EOPNOTSUPP : missing;
}

/* What would not make loading fail, but be without effect, is to be seen before. */
static int require_prereqs(void)
{
	struct psc_prereqs prereqs = {};
	int missing = psc_prereq_glance("", &prereqs);

	psc_prereq_free(&prereqs);
	return missing > 0 ? explain_prereqs() : missing;
}

/*
 * A part of the configuration is wrong at a start. A first one has put the strictest value that
 * any readable line gives into force; of the sections, those remain that are stricter than that.
 */
static void start_with_bad_config(struct daemon *d, int err, char *error,
				  struct psc_config *config)
{
	union psc_policy policy;

	refuse_config(d, err, error, d->outcome != PSC_LOADED ? what_was_stays :
		      "the strictest value that any of its readable lines gives is in force until "
		      "it is mended");
	if (psc_kernel_policy(d->kernel, &policy))
		psc_config_free(config);
	else
		psc_config_keep_stricter(config, &policy);
}

/*
 * Enforcement first, whatever the configuration is: a bad one must not leave the system with
 * less than the default.
 * @ret: the configuration, for its sections
 * @ret_loaded: are they to take the place of those in force?
 */
static int enforce(struct daemon *d, struct psc_config *ret, bool *ret_loaded)
{
	struct psc_config config = {};
	struct psc_plan plan;
	char *error = NULL;
	int err, config_err = psc_plan_first("", &config, &plan, &error);
	bool first = access(d->options.pin_dir, F_OK) < 0;

	err = require_no_anchor(d->options.pin_dir);
	if (!err && first)
		err = require_prereqs();
	if (!err) {
		/* They follow when there is something to guard. */
		psc_plan_without_floors(&plan);
		err = psc_loader_start(&d->options, &plan.request, plan.any, &d->kernel);
		if (err < 0 && first && explain_prereqs() == -EOPNOTSUPP)
			err = -EOPNOTSUPP;
	}
	if (err >= 0) {
		d->outcome = (enum psc_loader_outcome)err;
		err = 0;
		/* A child would have them as well, and stand against a floor. */
		psc_kernel_close_secrets(d->kernel);
		if (config_err)
			start_with_bad_config(d, config_err, TAKE_PTR(error), &config);
		else	/* what is refused now is shown by status, and no reason to end */
			apply_config(d, &config, PSC_PLAN_RAISE);
	}
	*ret_loaded = !config_err || d->outcome == PSC_LOADED;
	*ret = config;
	free(error);
	return err;
}

static void on_proof(void *data)
{
	notify_status(data, "");
}

static int start(struct daemon *d)
{
	static const char *const outcomes[] = {
		[PSC_LOADED] = "programs loaded and attached",
		[PSC_ADOPTED] = "programs in force adopted",
		[PSC_UPGRADED] = "programs of another build replaced",
	};
	struct psc_config config = {};
	bool loaded = false;
	int err = setup_signals(d);

	if (!err)
		err = lock(d);
	if (!err && psc_lock_prepare())
		psc_warning("/proc/1/root: %s, so no floor can be set", strerror(errno));
	if (!err)
		err = enforce(d, &config, &loaded);
	if (!err)	/* From here on no directory is looked up, see cgroup.h. */
		d->cgroups.kernel = d->kernel;
	if (!err)
		err = psc_reporter_new(d->event, d->kernel, &d->reporter);
	if (!err && loaded) {
		d->sections.event = d->event;
		apply_sections(d, &config, PSC_PLAN_RAISE);
	}
	psc_config_free(&config);
	if (!err)
		err = psc_canary_new(d->event, d->kernel, d->reporter, on_proof, d, &d->canary);
	if (!err)
		err = make_socket_dir();
	if (!err)
		err = open_socket(d);
	if (err)
		return err;
	psc_info("%s, build %016llx", outcomes[d->outcome], d->kernel->build);
	notify_status(d, "READY=1\n");
	psc_canary_prove(d->canary);
	return 0;
}

int psc_daemon_run(unsigned int relations_max)
{
	struct daemon d = {
		.options = { .pin_dir = PSC_PIN_DIR, .relations_max = relations_max },
		.lock_fd = -1,
	};
	int err;

	psc_cgroups_open(&d.cgroups);
	d.sections = (struct psc_sections){ .cgroups = &d.cgroups, .request = request,
					  .section = section, .data = &d };
	err = start(&d);
	if (!err) {
		psc_ctl_hurry();
		err = psc_loop_run(d.event);
		psc_outbox_notify("STOPPING=1");
		if (!d.detached)
			psc_notice("the daemon stops; the programs stay in force, until "
				   "`ptracescopectl detach` or a reboot");
	}
	psc_control_free(d.control);
	psc_canary_free(d.canary);
	psc_reporter_free(d.reporter);
	psc_outbox_close();
	psc_sections_free(&d.sections);
	psc_cgroups_close(&d.cgroups);
	sd_event_unref(d.event);
	psc_kernel_close(d.kernel);
	free(d.config_error);
	psc_closep(&d.lock_fd);
	return err;
}
