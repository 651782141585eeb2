/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does "status" and "detach" with the pins, where no daemon listens. */
#include "offline.h"

#include <errno.h>
#include <sys/stat.h>

#include "anchor.h"
#include "call.h"
#include "floors.h"
#include "interface.h"
#include "json.h"
#include "kernel.h"
#include "log.h"
#include "place.h"
#include "spare.h"
#include "unload.h"
#include "util.h"

#define DIR PSC_PIN_DIR

/* What the modules below log, which becomes the command's one message. */
static char said[2048];

static void keep_line(const char *line, size_t len)
{
	size_t have = strlen(said);
	const char *name = "ptracescopectl: ";

	if (len > strlen(name) && strncmp(line, name, strlen(name)) == 0) {
		line += strlen(name);
		len -= strlen(name);
	}
	snprintf(said + have, sizeof(said) - have, "%s%.*s", have ? "; " : "", (int)(len - 1), line);
}

/* The pins while nobody else changes them. */
struct pins {
	int lock_fd;
	struct psc_kernel *kernel;	/* NULL: nothing is pinned there */
	bool staged;			/* but something beside, by a change that broke off */
};

static void close_pins(struct pins *pins)
{
	psc_kernel_close(pins->kernel);
	psc_closep(&pins->lock_fd);
}

#define _cleanup_pins_ __attribute__((cleanup(close_pins)))

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool psc_offline_is_held(void)
{
	_cleanup_close_ int fd = -1;

	if (geteuid())
		return false;
	psc_log_set_sink(keep_line);
	fd = psc_place_lock(DIR, false);
	psc_log_set_sink(NULL);
	return fd == -EWOULDBLOCK;
}

enum psc_cli_exit psc_offline_without_socket(void)
{
	return psc_fail(PSC_EXIT_UNREACHABLE, "ptracescoped runs, but its socket " PSC_SOCKET_PATH
			" is gone; where it does not come back: systemctl restart ptracescoped");
}

/* Is no daemon there, or can it only not be reached? */
static enum psc_cli_exit take_lock(int *ret)
{
	char place[PATH_MAX];

	*ret = -1;
	if (psc_place_path(place, DIR, NULL) || (!exists(place) && !exists(DIR)))
		return PSC_EXIT_DONE;
	psc_log_set_sink(keep_line);
	*ret = psc_place_lock(DIR, exists(DIR));
	psc_log_set_sink(NULL);
	if (*ret >= 0)
		return PSC_EXIT_DONE;
	if (*ret == -EWOULDBLOCK)
		return psc_offline_without_socket();
	return psc_fail(PSC_EXIT_FAILED, "ptracescoped is not running, and its pins cannot be "
			"reached: %s", *said ? said : strerror(-*ret));
}

static enum psc_cli_exit open_pins(int connect_err, struct pins *ret)
{
	char staging[PATH_MAX];
	enum psc_cli_exit code;
	int err;

	*ret = (struct pins){ .lock_fd = -1 };
	if (geteuid())
		return psc_fail(PSC_EXIT_UNREACHABLE, PSC_SOCKET_PATH ": %s; ptracescoped is not "
				"running, or its socket has been removed; whether programs are in "
				"force all the same can only be seen by root (try sudo); start it: "
				"systemctl restart ptracescoped", strerror(-connect_err));
	code = take_lock(&ret->lock_fd);
	if (code != PSC_EXIT_DONE)
		return code;
	psc_log_set_sink(keep_line);
	err = psc_kernel_open(DIR, &ret->kernel);
	psc_log_set_sink(NULL);
	if (err == -ENOENT) {
		ret->staged = !psc_unload_staging(staging, DIR) && exists(staging);
		return PSC_EXIT_DONE;
	}
	return err ? psc_fail(PSC_EXIT_FAILED, "ptracescoped is not running, and what is pinned is "
			      "no complete set of its programs: %s", *said ? said : strerror(-err)) :
		     PSC_EXIT_DONE;
}

/* Where nothing is pinned. */
static enum psc_cli_exit status_without_pins(const struct pins *pins, int connect_err, json_t **ret)
{
	union psc_policy policy;

	if (!psc_anchor_policy(&policy)) {
		*ret = json_pack("{s:b, s:o, s:s, s:s}", "enforcing", psc_ftrace_enabled(),
				 "policy", psc_json_policy(&policy), "anchor", "alone",
				 "daemon", "not running");
		return *ret ? PSC_EXIT_DONE : psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	}
	if (pins->staged)
		return psc_fail(PSC_EXIT_FAILED, "ptracescoped is not running, and a detach has "
				"broken off: some of its programs may still be in force; finish it "
				"by \"ptracescopectl detach\", or start the daemon");
	return psc_fail(PSC_EXIT_UNREACHABLE, PSC_SOCKET_PATH ": %s; ptracescoped is not running, and "
			"none of its programs is in force; start it: systemctl restart ptracescoped",
			strerror(-connect_err));
}

static json_t *status_json(struct psc_kernel *kernel, const struct psc_request *info,
			   const __u64 stats[PSC_STATS])
{
	json_t *status = psc_json_status(kernel, info, stats, psc_ftrace_enabled());

	if (!status)
		return NULL;
	psc_json_set(status, "daemon", json_string("not running"));
	if (info->locked)
		psc_json_set(status, "cgroup_floors", psc_floors_find(kernel));
	return status;
}

enum psc_cli_exit psc_offline_status(const struct psc_cli *cli, int connect_err, json_t **ret)
{
	_cleanup_pins_ struct pins pins;
	enum psc_cli_exit code = open_pins(connect_err, &pins);
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	__u64 stats[PSC_STATS];
	int err;

	(void)cli;
	if (code != PSC_EXIT_DONE)
		return code;
	if (!pins.kernel)
		return status_without_pins(&pins, connect_err, ret);
	err = psc_kernel_request(pins.kernel, &info) ?: psc_kernel_stats(pins.kernel, stats);
	/* Under a floor no map of the policy is open, so that a daemon may start meanwhile: to
	 * look at many cgroups takes long. */
	if (!err && info.locked)
		close(TAKE_FD(pins.lock_fd));
	*ret = err ? NULL : status_json(pins.kernel, &info, stats);
	return *ret ? PSC_EXIT_DONE :
		psc_fail(PSC_EXIT_FAILED, "ptracescoped is not running, and reading what is in force "
			 "failed: %s", strerror(err ? -err : ENOMEM));
}

static enum psc_cli_exit refuse_detach(struct psc_kernel *kernel)
{
	union psc_policy policy = {};
	json_t *global = psc_kernel_policy(kernel, &policy) ? NULL : psc_json_policy(&policy);
	json_t *floors = psc_floors_find(kernel);
	_cleanup_free_ char *reason = psc_floors_reason(global, floors);

	json_decref(global);
	json_decref(floors);
	return psc_fail(PSC_EXIT_REFUSED, "%s", reason ? reason : strerror(ENOMEM));
}

static enum psc_cli_exit detach_without_pins(const struct pins *pins)
{
	char staging[PATH_MAX];
	union psc_policy policy;
	int err = 0;

	if (!psc_anchor_policy(&policy))
		return psc_fail(PSC_EXIT_REFUSED, "a floor holds until reboot, without pins, by programs "
				"on the root cgroup; to be rid of it: systemctl disable "
				"ptracescoped, and reboot");
	if (pins->staged)
		err = psc_unload_staging(staging, DIR) ?: psc_unload_set(staging);
	return err ? psc_fail(PSC_EXIT_FAILED, "%s: %s", staging, strerror(-err)) : PSC_EXIT_DONE;
}

static enum psc_cli_exit detach_set(struct psc_kernel *kernel)
{
	int err;

	psc_log_set_sink(keep_line);
	err = psc_unload(DIR, kernel);
	psc_log_set_sink(NULL);
	if (err == -EACCES)
		return refuse_detach(kernel);
	return err ? psc_fail(PSC_EXIT_FAILED, "detaching failed: %s", *said ? said : strerror(-err)) :
		     PSC_EXIT_DONE;
}

enum psc_cli_exit psc_offline_detach(const struct psc_cli *cli, int connect_err, bool *ret_any)
{
	_cleanup_pins_ struct pins pins;
	enum psc_cli_exit code = open_pins(connect_err, &pins);

	(void)cli;
	*ret_any = pins.kernel || pins.staged;
	if (code != PSC_EXIT_DONE)
		return code;
	code = pins.kernel ? detach_set(pins.kernel) : detach_without_pins(&pins);
	if (code != PSC_EXIT_DONE)
		return code;
	psc_spare_clear(DIR);
	psc_place_remove(DIR);
	return PSC_EXIT_DONE;
}
