/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accepts, reads and writes connections within the shares of each user. */
#include "server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "accept.h"
#include "hangup.h"
#include "json.h"
#include "log.h"
#include "ptracescope.h"
#include "shares.h"
#include "turn.h"
#include "util.h"

#define ACCEPT_BURST_USEC (100 * 1000)	/* reconnecting in a loop must not occupy the daemon */

/* Log what a client provoked. */
static void complain(struct psc_server *server, const char *what, const struct psc_client *client)
{
	unsigned int held;

	if (!psc_noise_pass(&server->noise, client, &held))
		return;
	if (held)
		psc_notice("socket: %u more messages were held back", held);
	psc_notice("socket: %s (pid %d, uid %u)", what, (int)client->pid, client->uid);
}

static void forget(struct psc_pending *pending)
{
	if (pending->free)
		pending->free(pending->data);
	*pending = (struct psc_pending){ 0 };
}

static void forget_pending(struct psc_connection *c)
{
	forget(&c->pending);
	forget(&c->change);
}

static void connection_free(struct psc_connection *c)
{
	if (!c)
		return;
	if (c->link) {
		*c->link = c->next;
		if (c->next)
			c->next->link = c->link;
		c->server->n_connections--;
	}
	psc_share_count(c, 0);
	psc_share_put(c->server, c->account);
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->stall);
	if (c->fd >= 0 && c->server->ends)
		psc_hang_up_at_end(c->fd);
	else if (c->fd >= 0)
		psc_hang_up(c->fd);
	forget_pending(c);
	psc_inbox_free(&c->in);
	free(c->out);
	free(c);
}

static void connection_freep(struct psc_connection **c)
{
	connection_free(*c);
}

static int on_stall(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_connection *c = data;

	(void)source;
	(void)usec;
	psc_turn_does("stall");
	complain(c->server, c->out ? "connection ended: its reply was not read" :
				     "connection ended: a message was left unfinished", &c->client);
	connection_free(c);
	return 0;
}

/* Only called when all whole messages are answered. */
static int fill(struct psc_connection *c)
{
	int err = psc_inbox_make_room(&c->in, c->server->limits.message_max + 1);
	ssize_t n;

	if (err)
		return err;
	n = psc_receive(c->fd, c->in.bytes + c->in.end, c->in.room - c->in.end);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n == -EBADMSG)
		complain(c->server, "connection ended: a descriptor was passed", &c->client);
	if (n <= 0)
		return n ? (int)n : -EPIPE;
	c->in.end += (size_t)n;
	c->moved = true;
	return 0;
}

static int flush(struct psc_connection *c)
{
	ssize_t n = send(c->fd, c->out + c->out_start, c->out_end - c->out_start,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->moved = true;
	c->out_start += (size_t)n;
	if (c->out_start < c->out_end)
		return 0;
	free(TAKE_PTR(c->out));
	c->served = ++c->server->turn;
	return c->last ? -EPIPE : 0;
}

static int answer(struct psc_connection *c, const char *message, size_t len)
{
	struct psc_server *server = c->server;
	json_t *reply;
	int err = server->ops->handle(server->data, &c->client, message, len, &reply);

	/* The message is taken out of the buffer once more. */
	if (err == -EINPROGRESS || err == -EAGAIN) {
		psc_inbox_put_back(&c->in, len);
		c->moved = true;
		c->waits = err == -EAGAIN;
		return 0;
	}
	c->streams = err == PSC_VARLINK_CONTINUES;
	if (c->streams) {
		psc_inbox_put_back(&c->in, len);
		err = 0;
	} else {
		forget_pending(c);
	}
	if (err && err != -EBADMSG)
		return err;
	if (err == -EBADMSG) {
		complain(server, "connection ended: that was no Varlink message", &c->client);
		c->last = true;
	}
	if (!reply)
		return c->last ? err : 0;
	c->out = psc_json_dump(reply, JSON_COMPACT);
	json_decref(reply);
	if (!c->out)
		return -ENOMEM;
	c->out_start = 0;
	c->out_end = strlen(c->out) + 1;	/* the NUL belongs to it */
	return 0;
}

/* A message longer than the limit is answered like one that is no JSON. */
static int refuse_oversized(struct psc_connection *c)
{
	psc_inbox_free(&c->in);
	return answer(c, "", 0);
}

/* One step: write a reply, else answer a message, else read. */
static int step(struct psc_connection *c)
{
	const char *message;
	size_t len;
	int err = 0;

	c->moved = false;
	if (!c->out) {
		if (!psc_inbox_has_message(&c->in))
			err = fill(c);
		if (err)
			return err;
		message = psc_inbox_next(&c->in, &len);
		if (message)
			err = answer(c, message, len);
		else if (c->in.end - c->in.start > c->server->limits.message_max)
			err = refuse_oversized(c);
		if (err)
			return err;
	}
	return c->out ? flush(c) : 0;
}

/* (Re)start the clock for something that has to move on. */
static int start_clock(struct psc_connection *c)
{
	uint64_t usec = c->server->limits.stall_usec;
	int err;

	if (!c->stall)
		return sd_event_add_time_relative(c->server->event, &c->stall, CLOCK_MONOTONIC,
						  usec, 0, on_stall, c);
	err = sd_event_source_set_time_relative(c->stall, usec);
	return err < 0 ? err : sd_event_source_set_enabled(c->stall, SD_EVENT_ONESHOT);
}

/* After a step: what to wait for, and whether it has to move on. */
static int rearm(struct psc_connection *c)
{
	int err = 0;

	if (c->waits) {
		if (c->stall)
			err = sd_event_source_set_enabled(c->stall, SD_EVENT_OFF);
		return err < 0 ? err : sd_event_source_set_io_events(c->io, 0);
	}
	/* Who reads a stream slowly misses some of it, and that is all. */
	if (!c->streams && (c->out || c->in.end > c->in.start)) {
		if (c->moved)
			err = start_clock(c);
	} else {
		if (!c->streams)
			psc_inbox_free(&c->in);
		if (c->stall)
			err = sd_event_source_set_enabled(c->stall, SD_EVENT_OFF);
	}
	if (err < 0)
		return err;
	/*
	 * Nothing more is read while a reply is unread. One message is answered
	 * in a turn; for those behind it, "can be written to" calls us again.
	 */
	return sd_event_source_set_io_events(c->io, c->out || psc_inbox_has_message(&c->in) ?
					     EPOLLOUT : EPOLLIN);
}

/* End a connection for another one. @victim: NULL: there is none. */
static bool make_room(struct psc_server *server, struct psc_connection *victim, const char *why)
{
	if (!victim)
		return false;
	complain(server, why, &victim->client);
	connection_free(victim);
	return true;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct psc_connection *c = data;
	struct psc_server *server = c->server;
	int err;

	(void)source;
	(void)fd;
	psc_turn_does("connection");
	if (!c->client.capable)
		psc_accept_go_on(server);
	/* Nothing is asked for while it waits, so it is the end of the connection. */
	err = c->waits && revents ? -EPIPE : step(c);
	if (err >= 0)
		err = rearm(c);
	if (err < 0) {
		connection_free(c);
		return 0;
	}
	psc_share_count(c, c->in.room + (c->out ? c->out_end : 0));
	/* The victim may be this one. */
	while (server->limits.memory_max && server->bytes > server->limits.memory_max &&
	       make_room(server, psc_share_victim(server, true),
			 "connection ended: others need the memory"))
		;
	return 0;
}

/* Is there room for one more such client, which is counted in its account? If not, why. */
static const char *refuse_client(struct psc_server *server, const struct psc_share *account,
				 uid_t uid)
{
	const struct psc_server_limits *limits = &server->limits;

	if (!account)
		return server->n_connections >= limits->connections_max ?
			"connection refused: there are too many" : NULL;
	if (account->n > limits->per_account_max &&
	    !make_room(server, psc_share_victim_among(server, account, uid),
		       "connection ended: another user of the account needs the place"))
		return "connection refused: this user has too many";
	if (server->n_connections >= limits->connections_max - limits->connections_kept)
		make_room(server, psc_share_victim(server, false),
			  "connection ended: another client needs the place");
	if (server->n_connections >= limits->connections_max - limits->connections_kept)
		return "connection refused: the places left are for administrators";
	return NULL;
}

/* Takes over @fd, also on failure. */
static int connection_new(struct psc_server *server, int fd)
{
	__attribute__((cleanup(connection_freep))) struct psc_connection *c = calloc(1, sizeof(*c));
	struct ucred cred;
	socklen_t len = sizeof(cred);
	const char *refusal;
	int err;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->server = server;
	c->fd = fd;
	psc_refuse_rights(fd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	c->client = (struct psc_client){
		.pid = cred.pid, .uid = cred.uid, .account = cred.uid, .pending = &c->pending,
		.change = &c->change,
	};
	server->ops->know(server->data, fd, &c->client);
	if (!c->client.capable) {
		psc_accept_give_way(server);
		c->account = psc_share_get(server, c->client.account);
		if (!c->account)
			return -ENOMEM;
	}
	c->served = ++server->turn;
	refusal = refuse_client(server, c->account, c->client.uid);
	if (refusal) {
		complain(server, refusal, &c->client);
		return -EBUSY;
	}
	err = sd_event_add_io(server->event, &c->io, fd, EPOLLIN, on_io, c);
	if (err >= 0 && !c->client.capable)
		err = sd_event_source_set_priority(c->io, PSC_PRIORITY_OF_EVERYBODY);
	if (err < 0)
		return err;
	c->next = server->connections;
	if (c->next)
		c->next->link = &c->next;
	c->link = &server->connections;
	server->connections = c;
	server->n_connections++;
	TAKE_PTR(c);
	return 0;
}

static int on_accept(sd_event_source *source, int listen_fd, uint32_t revents, void *data)
{
	struct psc_server *server = data;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)revents;
	psc_turn_does("accept");
	if (fd >= 0)
		connection_new(server, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		psc_accept_pause(server, errno);
	return 0;
}

int psc_server_new(sd_event *event, int listen_fd, const struct psc_server_limits *limits,
		   const struct psc_server_ops *ops, void *data, struct psc_server **ret)
{
	struct psc_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->listen_fd = -1;
	server->limits = *limits;
	server->ops = ops;
	server->data = data;
	err = sd_event_add_io(event, &server->accept, listen_fd, EPOLLIN, on_accept, server);
	if (err >= 0 && limits->accept_burst)
		err = sd_event_source_set_ratelimit(server->accept, ACCEPT_BURST_USEC,
						    limits->accept_burst);
	if (err >= 0)
		err = psc_accept_prepare(server);
	if (err < 0) {
		psc_server_free(server);
		return err;
	}
	psc_refuse_rights(listen_fd);
	server->listen_fd = listen_fd;
	*ret = server;
	return 0;
}

void psc_server_wake(struct psc_server *server)
{
	for (struct psc_connection *c = server->connections; c; c = c->next) {
		if (!c->waits || (c->pending.is_due && !c->pending.is_due(c->pending.data)))
			continue;
		sd_event_source_set_io_events(c->io, EPOLLOUT);
		c->waits = false;
	}
}

void psc_server_free(struct psc_server *server)
{
	if (!server)
		return;
	server->ends = true;
	while (server->connections) {
		if (server->connections->out)
			flush(server->connections);
		connection_free(server->connections);
	}
	sd_event_source_disable_unref(server->accept);
	sd_event_source_disable_unref(server->resume);
	if (server->listen_fd >= 0)
		psc_stop_listening(server->listen_fd);
	sd_event_unref(server->event);
	free(server);
}
