/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts the messages that each account has provoked. */
#include "noise.h"

#include "ptracescope.h"

#define NOBODY ((uid_t)-1)	/* is no uid */

static void window_begin(struct psc_noise *noise, time_t now)
{
	noise->begin = now + !now;
	noise->logged = 0;
	noise->held = 0;
	noise->n = 0;
}

/* The burst, halved after each PSC_NOISE_STEP of all accounts together in this window. */
static unsigned int share_of(const struct psc_noise *noise, unsigned int burst)
{
	for (unsigned int i = 0; i < noise->logged / PSC_NOISE_STEP && burst > 1; i++)
		burst /= 2;
	return burst;
}

/* The place of a client who still has a share. NULL: none. */
static struct psc_noise_place *place_of(struct psc_noise *noise, uid_t account, uid_t uid)
{
	bool crowd = account >= PSC_CROWD_UIDS && account != NOBODY;
	struct psc_noise_place *own = NULL;
	unsigned int logged = 0;

	for (unsigned int i = 0; i < noise->n; i++) {
		struct psc_noise_place *place = &noise->places[i];

		if (place->account != account)
			continue;
		logged += place->logged;
		if (place->uid == uid)
			own = place;
	}
	if (logged >= share_of(noise, crowd ? PSC_NOISE_CROWD_BURST : PSC_NOISE_BURST) ||
	    (own && own->logged >= share_of(noise, PSC_NOISE_BURST)))
		return NULL;
	if (!own && noise->n < PSC_NOISE_PLACES) {
		own = &noise->places[noise->n++];
		*own = (struct psc_noise_place){ .account = account, .uid = uid };
	}
	return own;
}

bool psc_noise_pass_at(struct psc_noise *noise, time_t now, const struct psc_client *client,
		       unsigned int *ret_held)
{
	uid_t account = client ? client->account : NOBODY;
	struct psc_noise_place *place;

	*ret_held = 0;
	if (!noise->begin || now - noise->begin >= PSC_NOISE_WINDOW) {
		*ret_held = noise->held;
		window_begin(noise, now);
	}
	/* One account may have uids without end, so it has one place, where it is one user's. */
	place = place_of(noise, account, account < PSC_CROWD_UIDS || !client ? account : client->uid);
	if (!place) {
		noise->held++;
		return false;
	}
	place->logged++;
	noise->logged++;
	return true;
}

bool psc_noise_pass(struct psc_noise *noise, const struct psc_client *client,
		    unsigned int *ret_held)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return psc_noise_pass_at(noise, now.tv_sec, client, ret_held);
}
