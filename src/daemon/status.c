/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the daemon in the words of `status`, of metrics, and of the service manager. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "nowait.h"
#include "outbox.h"
#include "turn.h"
#include "util.h"

/* One line on what is in force, for systemctl status. */
void psc_daemon_notify(struct psc_daemon *d, const char *state, const union psc_policy *policy)
{
	_cleanup_free_ char *text = NULL;
	union psc_policy asked;

	if (!policy && psc_kernel_policy(d->kernel, &asked))
		return;
	policy = policy ? policy : &asked;
	if (asprintf(&text, "%sSTATUS=%s: attach %u (%s), traceme %u, read %u; floor %u%s%s", state,
		     psc_selftest_failed(d->selftest) ? "NOT ENFORCING, see the log" : "Enforcing",
		     policy->scope[PSC_MODE_ATTACH], psc_scope_word(policy->scope[PSC_MODE_ATTACH]),
		     policy->scope[PSC_MODE_TRACEME], policy->scope[PSC_MODE_READ],
		     policy->floor[PSC_MODE_ATTACH],
		     !d->reload.error ? "" :
		     d->reload.partly ? "; configuration " : "; configuration refused: ",
		     d->reload.error ? d->reload.error : "") < 0)
		text = NULL;
	psc_outbox_notify(text ? text : state);
}

static bool is_enforcing(const struct psc_daemon *d)
{
	return psc_kernel_ftrace(d->kernel) && !psc_selftest_failed(d->selftest);
}

static json_t *proofs_json(const struct psc_daemon *d)
{
	return json_pack("{s:s, s:s, s:s, s:s}",
			 "attach", psc_selftest_outcome(d->selftest, PSC_PROOF_ATTACH),
			 "traceme", psc_selftest_outcome(d->selftest, PSC_PROOF_TRACEME),
			 "read", psc_selftest_outcome(d->selftest, PSC_PROOF_READ),
			 "declarations", psc_selftest_outcome(d->selftest, PSC_PROOF_DECLARED));
}

/* Members that are there in an unusual state only. */
static void add_unusual(json_t *status, const struct psc_daemon *d, const __u64 *stats)
{
	unsigned int stuck;
	pid_t stuck_on;

	stuck = psc_event_reader_stuck(d->events, &stuck_on);
	if (stuck)
		psc_json_set(status, "stuck", json_pack("{s:i, s:i}", "readers", stuck,
					       "pid", (int)stuck_on));
	if (stats[PSC_STAT_MISSED])
		psc_json_set_count(status, "missed", stats[PSC_STAT_MISSED]);
	if (stats[PSC_STAT_SPARED])
		psc_json_set_count(status, "spared", stats[PSC_STAT_SPARED]);
	if (stats[PSC_STAT_SHED])
		psc_json_set_count(status, "shed", stats[PSC_STAT_SHED]);
	if (d->kernel->kept)
		psc_json_set(status, "kept", json_string(d->kernel->kept));
}

json_t *psc_status(struct psc_daemon *d)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	__u64 stats[PSC_STATS];
	const char *busiest;
	json_t *status;

	if (psc_kernel_request(d->kernel, &info) || psc_kernel_stats(d->kernel, stats))
		return NULL;
	status = psc_json_status(d->kernel, &info, stats, is_enforcing(d));
	if (!status)
		return NULL;
	psc_json_set(status, "adopted", json_boolean(d->outcome == PSC_ADOPTED));
	psc_json_set(status, "proof",
		     json_string(psc_selftest_outcome(d->selftest, PSC_PROOF_ATTACH)));
	psc_json_set(status, "configuration", json_string(psc_reload_outcome(&d->reload)));
	psc_json_set(status, "version", json_string(PSC_VERSION));
	psc_json_set_count(status, "pid", (__u64)getpid());
	psc_json_set(status, "proofs", proofs_json(d));
	psc_json_set_count(status, "longest_turn_us", psc_turn_longest(&busiest));
	psc_json_set(status, "busiest_turn", json_string(busiest));
	psc_json_set_count(status, "unlogged", psc_outbox_lost());
	if (info.locked)
		psc_json_set(status, "vouched", json_boolean(d->kernel->looked));
	add_unusual(status, d, stats);
	return status;
}

int psc_status_metrics(const struct psc_daemon *d, struct psc_metrics *ret)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	const char *busiest;
	pid_t pid;
	int err = psc_kernel_request(d->kernel, &info) ?: psc_kernel_stats(d->kernel, ret->stats);

	if (err)
		return err;
	err = psc_kernel_counts(d->kernel, &ret->counts);
	if (err && err != -EOPNOTSUPP)
		return err;
	ret->counted = !err;
	ret->enforcing = is_enforcing(d);
	ret->configured = !d->reload.error;
	ret->policy = info.policy;
	ret->cgroups = info.entries;
	ret->sticky_floors = info.carried;
	ret->build = d->kernel->build;
	for (unsigned int i = 0; i < PSC_METRICS_PROOFS; i++)
		ret->proofs[i] = psc_selftest_value(d->selftest, (enum psc_proof)i);
	ret->longest_turn_usec = psc_turn_longest(&busiest);
	ret->unlogged = psc_outbox_lost();
	ret->stuck_readers = psc_event_reader_stuck(d->events, &pid);
	return 0;
}
