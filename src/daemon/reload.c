/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the configuration's files to what is in force. */
#include "reload.h"

#include <errno.h>

#include "control.h"
#include "kernel.h"
#include "log.h"
#include "outbox.h"
#include "turn.h"
#include "util.h"

/* While a reload is under way, half of the time is everybody's. */
#define REST_USEC 2000

#define UNMATCHED_SHOWN 20

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

int psc_reload_refuse(struct psc_reload *reload, int err, char *error, const char *instead)
{
	char *rest = error, *line;

	free(reload->error);
	reload->error = first_line(error ? error : psc_ctl_error(err));
	reload->partly = false;
	line = strsep(&rest, "\n");
	psc_log(LOG_ERR, "configuration refused, %s: %s",
		instead, line ? line : psc_ctl_error(err));
	while ((line = strsep(&rest, "\n")))
		psc_log(LOG_ERR, "configuration: %s", line);
	free(error);
	return err;
}

/* The global part is in force. */
static void in_force(struct psc_reload *reload, bool lockdown)
{
	free(reload->error);
	reload->error = NULL;
	reload->lockdown = lockdown;
	reload->ops->in_force(reload->data);
}

static int make_plan(struct psc_reload *reload, struct psc_config *config, enum psc_plan_kind kind,
		     struct psc_plan *ret, char **ret_error)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	int err = reload->ops->request(reload->data, &info);

	return err ? err : psc_plan_make(config, kind, info.policy, ret, ret_error);
}

int psc_reload_start_with(struct psc_reload *reload, struct psc_config *config)
{
	struct psc_plan plan;
	char *error = NULL;
	int err = make_plan(reload, config, PSC_PLAN_RAISE, &plan, &error);

	/* One step: refused, it has changed nothing. */
	if (!err && plan.any)
		err = reload->ops->request(reload->data, &plan.request);
	if (err)
		return psc_reload_refuse(reload, err, error, PSC_RELOAD_STAYS);
	in_force(reload, config->lockdown);
	/* What a reload would refuse is refused as well: what is below a floor. */
	err = make_plan(reload, config, PSC_PLAN_RELOAD, &plan, &error);
	if (err)
		psc_reload_refuse(reload, err, error, PSC_RELOAD_STAYS);
	return 0;
}

const char *psc_reload_outcome(struct psc_reload *reload)
{
	unsigned int n = reload->sections->left_out;

	if (reload->error || !n)
		return reload->error ? reload->error : "ok";
	snprintf(reload->outcome, sizeof(reload->outcome), "ok, but %u cgroup%s in subtrees that "
		 "are left to users lack%s the settings of their sections; see the log", n,
		 n == 1 ? "" : "s", n == 1 ? "s" : "");
	return reload->outcome;
}

/* @refused: of psc_sections_apply(). Return: 0 or PSC_RELOAD_PARTLY */
static int judge_sections(struct psc_reload *reload, int refused)
{
	if (!refused)
		return 0;
	free(reload->error);
	reload->partly = true;
	if (refused < 0)
		reload->error = strdup("applied, except for cgroups that could not be looked at; "
				       "see: journalctl -u ptracescoped");
	else if (asprintf(&reload->error, "applied, except for %d cgroups; see: journalctl -u "
			  "ptracescoped", refused) < 0)
		reload->error = NULL;
	return PSC_RELOAD_PARTLY;
}

void psc_reload_start_sections(struct psc_reload *reload, struct psc_config *config)
{
	int refused = psc_sections_apply(reload->sections, config, PSC_PLAN_RAISE);

	/* Where the configuration itself is wrong, that comes first. */
	if (!reload->error)
		judge_sections(reload, refused);
}

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

/* Before anything is applied: can all of it be, its sections too? */
static int begin_check(struct psc_reload *reload, char **ret_error)
{
	int err = psc_config_load(reload->root, &reload->config, ret_error);

	if (!err)
		err = make_plan(reload, &reload->config, PSC_PLAN_RELOAD, &reload->plan, ret_error);
	if (err)
		return err;
	reload->stage = PSC_RELOAD_CHECKS;
	reload->pass = psc_sections_begin_check(reload->sections, &reload->config,
						&reload->plan.floors);
	return reload->pass ? 0 : -ENOMEM;
}

/* @ret_locks: is there a floor in it? */
static int end_check(struct psc_reload *reload, int err, bool *ret_locks, char **ret_error)
{
	psc_sections_end_check(TAKE_PTR(reload->pass), ret_locks, ret_error);
	/* The policy may have changed since the plan was made. */
	if (!err)
		err = make_plan(reload, &reload->config, PSC_PLAN_RELOAD, &reload->plan, ret_error);
	*ret_locks = *ret_locks || psc_request_locks(&reload->plan.request);
	return err;
}

static int refuse(struct psc_reload *reload, int err, char *error)
{
	return psc_reload_refuse(reload, err, error, PSC_RELOAD_STAYS);
}

static int refuse_floor(struct psc_reload *reload, int err)
{
	char *error;

	if (asprintf(&error, "cannot set the first floor: %s; journalctl -u ptracescoped names "
		     "what conflicts with it",
		     psc_ctl_error(err)) < 0)
		error = NULL;
	return refuse(reload, err, error);
}

/* The global part is one step: refused, it has changed nothing. */
static int begin_apply(struct psc_reload *reload)
{
	int err = reload->plan.any ?
		reload->ops->request(reload->data, &reload->plan.request) : 0;

	if (err)
		return err;
	in_force(reload, reload->config.lockdown);
	reload->stage = PSC_RELOAD_APPLIES;
	reload->pass = psc_sections_begin_apply(reload->sections, &reload->config,
						PSC_PLAN_RELOAD);
	return reload->pass ? 0 : judge_sections(reload, -1);
}

/* Return: -EINPROGRESS, or what the reload ended with. So do the next ones. */
static int apply(struct psc_reload *reload)
{
	char *error = NULL;
	/* The policy may have changed since there was a plan. */
	int err = make_plan(reload, &reload->config, PSC_PLAN_RELOAD, &reload->plan, &error);

	if (!err)
		err = begin_apply(reload);
	if (err < 0)
		return refuse(reload, err, error);
	return err ? err : -EINPROGRESS;
}

static int wait_for_floor(struct psc_reload *reload)
{
	int err = reload->ops->first_floor(reload->data);

	if (!err)
		return apply(reload);
	if (err == -EINPROGRESS)
		reload->stage = PSC_RELOAD_WAITS;
	return err == -EINPROGRESS || err == -EALREADY ? -EINPROGRESS : refuse_floor(reload, err);
}

/* @err: of the pass */
static int decide(struct psc_reload *reload, int err)
{
	char *error = NULL;
	bool locks;

	err = end_check(reload, err, &locks, &error);
	if (err)
		return refuse(reload, err, error);
	return locks ? wait_for_floor(reload) : apply(reload);
}

static int step(struct psc_reload *reload)
{
	int err;

	if (!reload->pass)	/* somebody else's floor was to be waited for */
		return wait_for_floor(reload);
	err = psc_pass_step(reload->pass);
	if (err == -EINPROGRESS)
		return err;
	if (reload->stage == PSC_RELOAD_CHECKS)
		return decide(reload, err);
	err = judge_sections(reload, psc_sections_end_apply(TAKE_PTR(reload->pass), err));
	if (!err)
		tell_unmatched(&reload->sections->config);
	return err;
}

static int begin(struct psc_reload *reload);

static void end(struct psc_reload *reload, int result)
{
	bool signalled = reload->signalled, again = reload->again;

	reload->turns = sd_event_source_disable_unref(reload->turns);
	psc_config_free(&reload->config);
	reload->result = result == -EAGAIN ? -EBUSY : result;	/* which says to ask again */
	if (!result && !reload->called)		/* who called is told in the log already */
		psc_info("configuration reloaded");
	reload->ops->done(reload->data, reload->called);
	reload->signalled = reload->again = false;
	if (again)
		psc_reload_signal(reload);
	else if (signalled)
		psc_outbox_notify("READY=1");
}

/* @err: of step() */
static int go_on(struct psc_reload *reload, int err)
{
	if (err != -EINPROGRESS) {
		end(reload, err);
		return 0;
	}
	if (reload->stage == PSC_RELOAD_WAITS)
		return 0;
	err = sd_event_source_set_time_relative(reload->turns, REST_USEC);
	return err < 0 ? err : sd_event_source_set_enabled(reload->turns, SD_EVENT_ONESHOT);
}

static int on_turn(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	psc_turn_does("reload");
	return go_on(data, step(data));
}

void psc_reload_armed(struct psc_reload *reload)
{
	reload->result = apply(reload);
}

void psc_reload_looked(struct psc_reload *reload, int err)
{
	go_on(reload, err ? refuse_floor(reload, err) : reload->result);
}

/* Return: 0 when it is under way, or what it ended with */
static int begin(struct psc_reload *reload)
{
	char *error = NULL;
	int err;

	reload->number++;
	reload->called = false;
	reload->config = (struct psc_config){ 0 };
	err = begin_check(reload, &error);
	if (!err) {
		err = sd_event_add_time_relative(reload->event, &reload->turns, CLOCK_MONOTONIC, 0,
						 1, on_turn, reload);
		if (err < 0) {
			bool locks;

			psc_sections_end_check(TAKE_PTR(reload->pass), &locks, &error);
		}
	}
	if (err >= 0)
		return 0;
	psc_reload_refuse(reload, err, error, PSC_RELOAD_STAYS);
	return err;
}

int psc_reload_call(struct psc_reload *reload, unsigned int *number, char **ret_error)
{
	int err = 0;

	if (reload->turns && *number != reload->number)
		return -EAGAIN;		/* what is under way may have read the files before */
	if (!*number) {
		err = begin(reload);
		*number = reload->number;
		reload->called = true;
		if (err)
			end(reload, err);
	}
	if (reload->turns)
		return -EAGAIN;
	if (reload->result && reload->error)
		*ret_error = strdup(reload->error);
	return reload->result;
}

void psc_reload_signal(struct psc_reload *reload)
{
	int err;

	psc_outbox_notify("RELOADING=1");
	if (reload->turns) {
		reload->again = true;
		return;
	}
	err = begin(reload);
	reload->signalled = true;
	if (err)
		end(reload, err);
}

void psc_reload_stop(struct psc_reload *reload)
{
	char *error = NULL;
	bool locks;

	reload->turns = sd_event_source_disable_unref(reload->turns);
	if (reload->pass && reload->stage == PSC_RELOAD_APPLIES)
		psc_sections_end_apply(TAKE_PTR(reload->pass), 0);
	else if (reload->pass)
		psc_sections_end_check(TAKE_PTR(reload->pass), &locks, &error);
	free(error);
	psc_config_free(&reload->config);
}
