/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proof of enforcement shows, which proofs are made, and what is logged about them. */
#include "selftest_outcome.h"

#include <errno.h>

#include "kernel.h"
#include "log.h"
#include "nowait.h"
#include "ptracescope_policy.h"
#include "yama.h"

static const char *const outcome_texts[] = {
	[PSC_OUTCOME_PENDING] = "pending",
	[PSC_OUTCOME_NOTHING] = "nothing to prove at this scope",
	[PSC_OUTCOME_SIBLINGS] = "nothing to prove, the daemon's own cgroup has scope siblings",
	[PSC_OUTCOME_OTHER_MODULE] = "cannot tell: Yama or another security module refuses first",
	[PSC_OUTCOME_NO_ANSWER] = "cannot tell: the attempt could not be made",
	[PSC_OUTCOME_FAILED] = "failed: an access that must be refused was not",
	[PSC_OUTCOME_FAILED_DECLARED] = "failed: PR_SET_PTRACER has no effect",
	[PSC_OUTCOME_PROVED] = "ok",
};

static const char *const tried_texts[] = {
	[PSC_PROOF_ATTACH] = "be attached to",
	[PSC_PROOF_TRACEME] = "have itself traced",
	[PSC_PROOF_READ] = "be read",
};

const char *psc_outcome_text(enum psc_outcome outcome)
{
	return outcome_texts[outcome];
}

bool psc_outcome_failed(enum psc_outcome outcome)
{
	return outcome == PSC_OUTCOME_FAILED || outcome == PSC_OUTCOME_FAILED_DECLARED;
}

void psc_outcome_log(struct psc_kernel *kernel, enum psc_proof what, enum psc_outcome old,
		     enum psc_outcome outcome, unsigned int scope, bool first)
{
	const char *text = outcome_texts[outcome];
	const char *ftrace = !psc_outcome_failed(outcome) || psc_kernel_ftrace(kernel) ? "" :
		"; kernel.ftrace_enabled is 0: sysctl kernel.ftrace_enabled=1";

	if (outcome == PSC_OUTCOME_FAILED && first)
		psc_log(LOG_CRIT, "ENFORCEMENT DOES NOT WORK: a test child of the daemon could %s "
				  "although scope %u is in force%s", tried_texts[what],
			scope, *ftrace ? ftrace :
			"; another BPF program may overrule the verdict: bpftool prog list; to "
			"load the programs anew: ptracescopectl detach, and start the daemon");
	else if (outcome == PSC_OUTCOME_FAILED_DECLARED)
		psc_log(LOG_ERR, "PR_SET_PTRACER has no effect: what a test child of the daemon "
				 "declared was not recorded%s", *ftrace ? ftrace :
			"; another BPF program may answer task_prctl first, see: bpftool prog list");
	else if (old == PSC_OUTCOME_FAILED_DECLARED)
		psc_notice("PR_SET_PTRACER was found to have no effect before; now: %s", text);
	else if (old == PSC_OUTCOME_FAILED && what == PSC_PROOF_ATTACH)
		psc_notice("enforcement was found not to work before; now: %s", text);
	else if (outcome == PSC_OUTCOME_NO_ANSWER && what == PSC_PROOF_ATTACH)
		psc_warning("enforcement has not been tested: %s; the daemon tries again in a "
			    "moment", text);
}

enum psc_outcome psc_outcome_of(__u8 result, bool noted)
{
	switch (result) {
	case 0:
		return PSC_OUTCOME_FAILED;
	case EPERM:
		return noted ? PSC_OUTCOME_PROVED : PSC_OUTCOME_OTHER_MODULE;
	case EACCES:	/* SELinux and Smack */
		return PSC_OUTCOME_OTHER_MODULE;
	}
	return PSC_OUTCOME_NO_ANSWER;
}

/* Would Yama refuse as well, and before us? Then a try would show nothing but fill its log. */
static bool yama_refuses(__u32 scope)
{
	int yama = psc_yama_scope();

	return yama >= PSC_SCOPE_ADMIN_ONLY ||
		(yama == PSC_SCOPE_RESTRICTED && scope == PSC_SCOPE_RESTRICTED);
}

bool psc_outcome_plan(const __u8 *scope, enum psc_outcome outcomes[PSC_PROOFS])
{
	bool any = false;

	for (int what = 0; what < PSC_PROOFS; what++)
		outcomes[what] = PSC_OUTCOME_PENDING;
	for (int mode = 0; mode <= PSC_PROOF_READ; mode++) {
		if (scope[mode] == PSC_SCOPE_CLASSIC ||
		    (mode == PSC_PROOF_TRACEME && psc_scope_rank(scope[mode]) <
						  psc_scope_rank(PSC_SCOPE_ADMIN_ONLY)))
			outcomes[mode] = PSC_OUTCOME_NOTHING;
		else if (scope[mode] == PSC_SCOPE_SIBLINGS)
			outcomes[mode] = PSC_OUTCOME_SIBLINGS;
		else if (mode != PSC_PROOF_READ && yama_refuses(scope[mode]))
			outcomes[mode] = PSC_OUTCOME_OTHER_MODULE;
		any = any || outcomes[mode] != PSC_OUTCOME_NOTHING;
	}
	/* Where all is open nobody needs to declare anything. */
	if (!any)
		outcomes[PSC_PROOF_DECLARED] = PSC_OUTCOME_NOTHING;
	return any;
}
