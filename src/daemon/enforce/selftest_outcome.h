/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proof of enforcement shows, which proofs are made, and what is logged about them. */
#ifndef PSC_SELFTEST_OUTCOME_H
#define PSC_SELFTEST_OUTCOME_H

#include "selftest.h"

enum psc_outcome {
	PSC_OUTCOME_PENDING,
	PSC_OUTCOME_NOTHING,
	PSC_OUTCOME_SIBLINGS,
	PSC_OUTCOME_OTHER_MODULE,
	PSC_OUTCOME_NO_ANSWER,
	PSC_OUTCOME_FAILED,
	PSC_OUTCOME_FAILED_DECLARED,
	PSC_OUTCOME_PROVED,
};

const char *psc_outcome_text(enum psc_outcome outcome);

bool psc_outcome_failed(enum psc_outcome outcome);

/*
 * Log that an outcome has changed, if an administrator wants to know. @scope: in force for what
 * was tried; @first: whether no other proof has failed in the same way.
 */
void psc_outcome_log(struct psc_kernel *kernel, enum psc_proof what, enum psc_outcome old,
		     enum psc_outcome outcome, unsigned int scope, bool first);

/* Of an access that must be refused. @result: its errno; @noted: whether we refused it. */
enum psc_outcome psc_outcome_of(__u8 result, bool noted);

/**
 * psc_outcome_plan - what must be tried
 * @scope: in force for the daemon's own processes, by mode
 * @outcomes: PSC_OUTCOME_PENDING for what must be tried, for the others what is known already
 *
 * Return: whether there is anything to prove.
 */
bool psc_outcome_plan(const __u8 *scope, enum psc_outcome outcomes[PSC_PROOFS]);

#endif
