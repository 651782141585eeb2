/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts what each user has of the connections, and chooses the one that makes room. */
#include "shares.h"

#include <stdlib.h>

#include "ptracescope.h"

struct psc_share *psc_share_get(struct psc_server *server, uid_t uid)
{
	struct psc_share *account = server->accounts;

	while (account && account->uid != uid)
		account = account->next;
	if (!account) {
		account = calloc(1, sizeof(*account));
		if (!account)
			return NULL;
		account->uid = uid;
		account->next = server->accounts;
		server->accounts = account;
	}
	account->n++;
	return account;
}

void psc_share_put(struct psc_server *server, struct psc_share *account)
{
	struct psc_share **link = &server->accounts;

	if (!account || --account->n)
		return;
	while (*link != account)
		link = &(*link)->next;
	*link = account->next;
	free(account);
}

void psc_share_count(struct psc_connection *c, size_t bytes)
{
	if (c->account) {
		c->account->bytes += bytes - c->bytes;
		c->server->bytes += bytes - c->bytes;
	}
	c->bytes = bytes;
}

/* Is the account that of many uids, which may be many users? Then each of them has its part. */
static bool is_crowd(const struct psc_share *account)
{
	return account->uid >= PSC_CROWD_UIDS;
}

/* The part of a uid in its account: connections, or bytes. */
static size_t part_of(const struct psc_server *server, const struct psc_share *account, uid_t uid,
		      bool bytes)
{
	size_t part = 0;

	for (const struct psc_connection *c = server->connections; c; c = c->next)
		if (c->account == account && c->client.uid == uid)
			part += bytes ? c->bytes : 1;
	return part;
}

/*
 * Does @c make way rather than @victim, who has as many places? By places one that waits for
 * more replies is not idle: of the others first.
 */
static bool goes_first(const struct psc_connection *c, const struct psc_connection *victim, bool bytes)
{
	if (!victim)
		return true;
	if (!bytes && c->streams != victim->streams)
		return victim->streams;
	return c->served < victim->served;
}

/*
 * Of an account the connection that was not answered for longest, and of many uids one of the
 * uid that has most. Who reads a reply byte by byte, or leaves a message unfinished, is not
 * answered meanwhile.
 */
static struct psc_connection *find_idle(const struct psc_server *server,
				    const struct psc_share *account, bool bytes)
{
	struct psc_connection *idle = NULL;
	size_t most = 0;

	for (struct psc_connection *c = server->connections; c; c = c->next) {
		size_t part;

		if (c->account != account || (bytes && !c->bytes))
			continue;
		part = is_crowd(account) ? part_of(server, account, c->client.uid, bytes) : 0;
		if (part < most || (part == most && !goes_first(c, idle, bytes)))
			continue;
		most = part;
		idle = c;
	}
	return idle;
}

struct psc_connection *psc_share_victim(const struct psc_server *server, bool bytes)
{
	struct psc_connection *victim = NULL;
	size_t most = 0;

	for (const struct psc_share *a = server->accounts; a; a = a->next) {
		size_t has = bytes ? a->bytes : a->n;

		most = has > most ? has : most;
	}
	for (const struct psc_share *a = server->accounts; a; a = a->next) {
		struct psc_connection *idle = (bytes ? a->bytes : a->n) == most ?
			find_idle(server, a, bytes) : NULL;

		if (idle && goes_first(idle, victim, bytes))
			victim = idle;
	}
	return victim;
}

struct psc_connection *psc_share_victim_among(const struct psc_server *server,
					      const struct psc_share *share, uid_t uid)
{
	struct psc_connection *victim = is_crowd(share) ? find_idle(server, share, false) : NULL;

	return victim && part_of(server, share, victim->client.uid, false) >
			 part_of(server, share, uid, false) ? victim : NULL;
}
