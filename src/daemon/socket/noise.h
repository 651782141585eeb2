/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps what clients provoke from filling the log, and one user's from hiding another's. */
#ifndef PSC_NOISE_H
#define PSC_NOISE_H

#include <stdbool.h>
#include <time.h>

#include "varlink.h"

/*
 * Messages in a window: of an account PSC_NOISE_BURST. One of many uids (psc_account_of()) has
 * PSC_NOISE_CROWD_BURST, of which none of its uids gets more than PSC_NOISE_BURST. After each
 * PSC_NOISE_STEP of all accounts together their bursts are halved, down to 1, as those of reports
 * are. When all places are taken, who has none is not logged.
 */
#define PSC_NOISE_WINDOW 60	/* seconds */
#define PSC_NOISE_BURST 10
#define PSC_NOISE_CROWD_BURST 20
#define PSC_NOISE_STEP 100
#define PSC_NOISE_PLACES 256

struct psc_noise {
	time_t begin;			/* of the window, CLOCK_MONOTONIC; 0: none yet */
	unsigned int logged, held;	/* in this window */
	unsigned int n;			/* places taken in this window */
	struct psc_noise_place {
		uid_t account;
		uid_t uid;		/* in an account of many uids, else that of the account */
		unsigned int logged;
	} places[PSC_NOISE_PLACES];
};

/**
 * psc_noise_pass - may one more message be logged?
 * @client: who provoked it; NULL for nobody in particular, who has a share as well
 * @ret_held: how many were held back in the window before; 0 but for the first message of a
 *	window
 */
bool psc_noise_pass(struct psc_noise *noise, const struct psc_client *client,
		    unsigned int *ret_held);

/* The same at that time. */
bool psc_noise_pass_at(struct psc_noise *noise, time_t now, const struct psc_client *client,
		       unsigned int *ret_held);

#endif
