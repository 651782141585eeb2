/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start: one daemon at a time, the prerequisites, and the first policy. */
#include "start.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "anchor.h"
#include "log.h"
#include "place.h"
#include "plan.h"
#include "prereq.h"
#include "util.h"

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

/* Check first what loading would not detect. */
static int require_prereqs(void)
{
	struct psc_prereqs prereqs = {};
	int missing = psc_prereq_check_fast("", &prereqs);

	psc_prereq_free(&prereqs);
	return missing > 0 ? explain_prereqs() : missing;
}

/* The lock is on a directory of bpffs, so that it can be had while /run is full. */
int psc_start_lock(struct psc_daemon *d)
{
	const char *dir = d->options.pin_dir;
	int err = require_no_anchor(dir);

	/* Without bpffs, or without privileges, there is no use in going on. */
	if (!err && access(dir, F_OK) < 0)
		err = require_prereqs();
	if (err)
		return err;
	d->lock_fd = psc_place_lock(dir, true);
	if (d->lock_fd >= 0) {
		psc_first_await(dir);
		return 0;
	}
	if (d->lock_fd == -EACCES || d->lock_fd == -EPERM)
		psc_log(LOG_ERR, "the daemon needs privileges: run it as root, or through sudo");
	return d->lock_fd == -EWOULDBLOCK ?
		psc_log_err(-EBUSY, "another ptracescoped is running (%s" PSC_PLACE_SUFFIX
			    " is locked)", dir) : d->lock_fd;
}

/*
 * A part of the configuration is wrong at a start. A first one has put the strictest value that
 * any readable line gives into force; of the sections, those remain that are stricter than that.
 */
static void start_with_bad_config(struct psc_daemon *d, int err, char *error,
				  struct psc_config *config)
{
	union psc_policy policy;

	psc_reload_refuse(&d->reload, err, error, d->outcome != PSC_LOADED ? PSC_RELOAD_STAYS :
		      "the strictest value that any of its readable lines gives is in force until "
		      "it is mended");
	if (psc_kernel_policy(d->kernel, &policy))
		psc_config_free(config);
	else
		psc_config_keep_stricter(config, &policy);
}

/* Enforcement comes first: after a wrong configuration, too, at least the default is in force. */
int psc_start_enforce(struct psc_daemon *d, struct psc_config *ret, bool *ret_loaded)
{
	struct psc_config config = {};
	struct psc_plan plan;
	char *error = NULL;
	int err, config_err = psc_plan_first("", &config, &plan, &error);
	bool first = access(d->options.pin_dir, F_OK) < 0;

	/* They follow when there is something to guard. */
	psc_plan_without_floors(&plan);
	err = psc_loader_start(&d->options, &plan.request, plan.any, &d->kernel);
	if (err < 0 && first && explain_prereqs() == -EOPNOTSUPP)
		err = -EOPNOTSUPP;
	if (err >= 0) {
		d->outcome = (enum psc_loader_outcome)err;
		err = 0;
		/* A child would have them as well, and stand against a floor. */
		psc_kernel_close_policy_maps(d->kernel);
		if (config_err)
			start_with_bad_config(d, config_err, TAKE_PTR(error), &config);
		else	/* what is refused now is shown by status, and no reason to end */
			psc_reload_start_with(&d->reload, &config);
	}
	*ret_loaded = !config_err || d->outcome == PSC_LOADED;
	*ret = config;
	free(error);
	return err;
}
