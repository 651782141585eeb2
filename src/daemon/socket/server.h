/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections on a listening socket: NUL-terminated messages in, replies out,
 * in order, within limits, so that no client can starve another; capable ones go first.
 * When all places are taken, a new client gets that of the account that has most: its
 * connection on which nothing has been answered for longest, of those that wait for more
 * replies ("more") only if it has no others.
 */
#ifndef PSC_SERVER_H
#define PSC_SERVER_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "varlink.h"

/*
 * Calls of clients without CAP_SYS_PTRACE have a lower priority than calls of clients with it and
 * than the daemon's own work. With accepting they take turns.
 */
#define PSC_PRIORITY_OF_EVERYBODY (SD_EVENT_PRIORITY_NORMAL + 10)

struct psc_server_limits {
	size_t message_max;		/* bytes of a message, without its NUL */
	unsigned int connections_max;	/* all together */
	unsigned int connections_kept;	/* of these, only for capable clients */
	unsigned int per_account_max;	/* of one account, not counting capable clients */
	size_t memory_max;		/* bytes held for those of all accounts, 0: any number */
	unsigned int accept_burst;	/* connections in a tenth of a second, 0: any number */
	uint64_t stall_usec;		/* an unfinished message or unread reply that does not
					 * move on for so long ends the connection */
};

struct psc_server_ops {
	/*
	 * Did the task behind the connection have CAP_SYS_PTRACE when it connected? And to
	 * whose account does it go? @client: uid is given, the rest is filled in.
	 */
	void (*know)(void *data, int fd, struct psc_client *client);

	/* psc_varlink_handle() for this service. */
	int (*handle)(void *data, const struct psc_client *client, const char *message, size_t len,
		      json_t **ret_reply);
};

struct psc_server;

/**
 * psc_server_new - accept and serve
 * @listen_fd: a listening AF_UNIX stream socket, taken over on success
 * @limits: copied
 * @ops, @data: must outlive the server
 *
 * Return: 0 or a negative errno.
 */
int psc_server_new(sd_event *event, int listen_fd, const struct psc_server_limits *limits,
		   const struct psc_server_ops *ops, void *data, struct psc_server **ret);

/* Run the calls again that wait and are due: those whose handle() returned -EAGAIN. */
void psc_server_wake(struct psc_server *server);

/* Ends all connections; a reply that is still on its way gets one last try. */
void psc_server_free(struct psc_server *server);

#endif
