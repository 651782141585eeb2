/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proves again and again that accesses are really refused, on children made for the purpose. */
#ifndef PSC_SELFTEST_H
#define PSC_SELFTEST_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "kernel.h"

struct psc_selftest;

/* What is proved: of the modes that they are refused, and that declarations are recorded. */
enum psc_proof {
	PSC_PROOF_ATTACH = PSC_MODE_ATTACH,
	PSC_PROOF_TRACEME = PSC_MODE_TRACEME,
	PSC_PROOF_READ = PSC_MODE_READ,
	PSC_PROOF_DECLARED,		/* PR_SET_PTRACER */
	PSC_PROOFS,
};

/**
 * psc_selftest_new - prepare for proofs; the first one is for psc_selftest_prove()
 * @event: the loop that drives it; SIGCHLD must be blocked
 * @kernel: where the policy is; must outlive the selftest
 * @changed: called whenever the outcome has become another
 *
 * Return: 0 or a negative errno.
 */
int psc_selftest_new(sd_event *event, struct psc_kernel *kernel, void (*changed)(void *data),
		     void *data, struct psc_selftest **ret);

/*
 * Start a proof, or have another one follow that which is under way. To be
 * called after every change of the policy: under a floor it goes on by itself.
 */
void psc_selftest_prove(struct psc_selftest *selftest);

/* The outcome in words: "ok", "pending", or beginning with "failed", "nothing" or "cannot tell". */
const char *psc_selftest_outcome(const struct psc_selftest *selftest, enum psc_proof what);

/* The same as a number, for metrics: 1: proved, 0: failed, -1: neither. */
int psc_selftest_value(const struct psc_selftest *selftest, enum psc_proof what);

/* Did the last proof show that something is not refused? */
bool psc_selftest_failed(const struct psc_selftest *selftest);

void psc_selftest_free(struct psc_selftest *selftest);

#endif
