/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections, and the shares that users have of their number and memory. */
#ifndef PSC_SHARES_H
#define PSC_SHARES_H

#include "inbox.h"
#include "noise.h"
#include "server.h"

/* Of a user without CAP_SYS_PTRACE, or of many such users: see psc_account_of(). */
struct psc_share {
	struct psc_share *next;
	uid_t uid;
	unsigned int n;			/* connections */
	size_t bytes;			/* in their buffers */
};

struct psc_connection {
	struct psc_server *server;
	struct psc_share *account;	/* NULL: a capable one's */
	size_t bytes;			/* in its buffers, as they were counted */
	uint64_t served;		/* the turn of its last answer, or of its beginning */
	struct psc_connection *next, **link;	/* link: the pointer that points here */
	struct psc_client client;
	int fd;
	sd_event_source *io;
	sd_event_source *stall;		/* made when first needed */

	struct psc_inbox in;
	char *out;			/* a reply that is being written, or NULL */
	size_t out_start, out_end;
	struct psc_pending pending, change;	/* of the first message, which then stays in the buffer */
	bool waits;			/* for psc_server_wake() */
	bool streams;			/* its call is answered by more than one reply */
	bool last;			/* end after this reply */
	bool moved;			/* something was read or written in this step */
};

struct psc_server {
	sd_event *event;
	int listen_fd;
	sd_event_source *accept;
	sd_event_source *resume;	/* armed while accepting waits or is off */
	struct psc_server_limits limits;
	const struct psc_server_ops *ops;
	void *data;
	struct psc_connection *connections;
	unsigned int n_connections;
	struct psc_share *accounts;	/* those that have a connection */
	size_t bytes;			/* of all accounts */
	uint64_t turn;			/* a number for each answer */
	bool ends;			/* with the process */
	struct psc_noise noise;
};

/* The share of an account for one more connection; NULL when out of memory. */
struct psc_share *psc_share_get(struct psc_server *server, uid_t account);

/* @share: NULL is ignored. It ends with its last connection. */
void psc_share_put(struct psc_server *server, struct psc_share *share);

/* Count what the buffers of a connection hold now. */
void psc_share_count(struct psc_connection *c, size_t bytes);

/* The connection to end for another: of the share that has most, by @bytes or by connections. */
struct psc_connection *psc_share_victim(const struct psc_server *server, bool bytes);

/*
 * In a share of many uids, the connection to end for one of @uid; NULL if no other uid has more
 * connections.
 */
struct psc_connection *psc_share_victim_among(const struct psc_server *server,
					      const struct psc_share *share, uid_t uid);

#endif
