/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "hangup.h"
#include "json.h"
#include "log.h"
#include "ratelimit.h"
#include "util.h"

#define READ_SIZE 4096
#define ACCEPT_RETRY_USEC (1000 * 1000)

/* So that everybody gets his turn while somebody connects without pause, that has one, too. */
#define ACCEPT_BURST_USEC (100 * 1000)

/* Whose the connections are that are not capable ones'. */
struct account {
	struct account *next;
	uid_t uid;
	unsigned int n;			/* connections */
	size_t bytes;			/* in their buffers */
};

struct connection {
	struct psc_server *server;
	struct account *account;	/* NULL: a capable one's */
	size_t bytes;			/* in its buffers, as they were counted */
	uint64_t served;		/* the turn of its last answer, or of its beginning */
	struct connection *next, **link;	/* link: the pointer that points here */
	struct psc_client client;
	int fd;
	sd_event_source *io;
	sd_event_source *stall;		/* made when first needed */

	/* What was read and not yet answered: in_start to in_end. There is no NUL
	 * in its first in_scanned bytes. */
	char *in;
	size_t in_start, in_end, in_scanned, in_room;

	char *out;			/* a reply that is being written, or NULL */
	size_t out_start, out_end;
	bool last;			/* end after this reply */
	bool moved;			/* something was read or written in this step */
};

struct psc_server {
	sd_event *event;
	int listen_fd;
	sd_event_source *accept;
	sd_event_source *retry;		/* armed while there are no descriptors to accept with */
	struct psc_server_limits limits;
	const struct psc_server_ops *ops;
	void *data;
	struct connection *connections;
	unsigned int n_connections;
	struct account *accounts;	/* those that have a connection */
	size_t bytes;			/* of all accounts */
	uint64_t turn;			/* a number for each answer */
	bool ends;			/* with the process */
	struct psc_ratelimit noise;
};

/* Log what a client provoked. */
static void complain(struct psc_server *server, const char *what, const struct psc_client *client)
{
	unsigned int held;

	if (!psc_ratelimit_pass(&server->noise, &held))
		return;
	if (held)
		psc_notice("socket: %u more messages were held back", held);
	psc_notice("socket: %s (pid %d, uid %u)", what, (int)client->pid, client->uid);
}

/* The account of a uid; NULL when out of memory. */
static struct account *account_get(struct psc_server *server, uid_t uid)
{
	struct account *account = server->accounts;

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

static void account_put(struct psc_server *server, struct account *account)
{
	struct account **link = &server->accounts;

	if (!account || --account->n)
		return;
	while (*link != account)
		link = &(*link)->next;
	*link = account->next;
	free(account);
}

/* Count what the buffers of a connection hold. */
static void count_bytes(struct connection *c, size_t bytes)
{
	if (c->account) {
		c->account->bytes += bytes - c->bytes;
		c->server->bytes += bytes - c->bytes;
	}
	c->bytes = bytes;
}

static void connection_free(struct connection *c)
{
	if (!c)
		return;
	if (c->link) {
		*c->link = c->next;
		if (c->next)
			c->next->link = c->link;
		c->server->n_connections--;
	}
	count_bytes(c, 0);
	account_put(c->server, c->account);
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->stall);
	if (c->fd >= 0 && c->server->ends)
		psc_hang_up_at_end(c->fd);
	else if (c->fd >= 0)
		psc_hang_up(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

static void connection_freep(struct connection **c)
{
	connection_free(*c);
}

static int on_stall(sd_event_source *source, uint64_t usec, void *data)
{
	struct connection *c = data;

	(void)source;
	(void)usec;
	complain(c->server, c->out ? "connection ended: its reply was not read" :
				     "connection ended: a message was left unfinished", &c->client);
	connection_free(c);
	return 0;
}

/* The NUL that ends the first message in the buffer, or NULL; looks at every byte once. */
static char *find_end(struct connection *c)
{
	size_t len = c->in_end - c->in_start;
	char *begin, *nul;

	if (len == c->in_scanned)	/* also when there is no buffer */
		return NULL;
	begin = c->in + c->in_start;
	nul = memchr(begin + c->in_scanned, '\0', len - c->in_scanned);
	c->in_scanned = nul ? (size_t)(nul - begin) : len;
	return nul;
}

/* Take the first whole message out of the buffer, in which it stays for now. */
static const char *next_message(struct connection *c, size_t *ret_len)
{
	const char *nul = find_end(c), *begin;

	if (!nul)
		return NULL;
	begin = c->in + c->in_start;
	*ret_len = (size_t)(nul - begin);
	c->in_start += *ret_len + 1;
	c->in_scanned = 0;
	return begin;
}

/* Make room to read into; idle connections hold no buffer. */
static int make_room(struct connection *c)
{
	size_t room;
	char *in;

	if (c->in_start) {
		c->in_end -= c->in_start;
		memmove(c->in, c->in + c->in_start, c->in_end);
		c->in_start = 0;
	}
	if (c->in_end < c->in_room)
		return 0;
	room = c->in_room ? 2 * c->in_room : READ_SIZE;
	if (room > c->server->limits.message_max + 1)
		room = c->server->limits.message_max + 1;
	in = realloc(c->in, room);
	if (!in)
		return -ENOMEM;
	c->in = in;
	c->in_room = room;
	return 0;
}

/* Only called when all whole messages are answered. */
static int fill(struct connection *c)
{
	int err = make_room(c);
	ssize_t n;

	if (err)
		return err;
	n = psc_receive(c->fd, c->in + c->in_end, c->in_room - c->in_end);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n == -EBADMSG)
		complain(c->server, "connection ended: a descriptor was passed", &c->client);
	if (n <= 0)
		return n ? (int)n : -EPIPE;
	c->in_end += (size_t)n;
	c->moved = true;
	return 0;
}

static int flush(struct connection *c)
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

static int answer(struct connection *c, const char *message, size_t len)
{
	struct psc_server *server = c->server;
	json_t *reply;
	int err = server->ops->handle(server->data, &c->client, message, len, &reply);

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
static int refuse_oversized(struct connection *c)
{
	c->in_start = c->in_end;
	c->in_scanned = 0;
	return answer(c, "", 0);
}

/* One step: write what is to be written, else answer, else read. */
static int step(struct connection *c)
{
	const char *message;
	size_t len;
	int err = 0;

	c->moved = false;
	if (!c->out) {
		if (!find_end(c))
			err = fill(c);
		if (err)
			return err;
		message = next_message(c, &len);
		if (message)
			err = answer(c, message, len);
		else if (c->in_end - c->in_start > c->server->limits.message_max)
			err = refuse_oversized(c);
		if (err)
			return err;
	}
	return c->out ? flush(c) : 0;
}

/* (Re)start the clock for something that has to move on. */
static int start_clock(struct connection *c)
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
static int rearm(struct connection *c)
{
	int err = 0;

	if (c->out || c->in_end > c->in_start) {
		if (c->moved)
			err = start_clock(c);
	} else {
		free(TAKE_PTR(c->in));
		c->in_start = c->in_end = c->in_scanned = c->in_room = 0;
		if (c->stall)
			err = sd_event_source_set_enabled(c->stall, SD_EVENT_OFF);
	}
	if (err < 0)
		return err;
	/*
	 * Nothing more is read while a reply is unread. One message is answered
	 * in a turn; for those behind it, "can be written to" calls us again.
	 */
	return sd_event_source_set_io_events(c->io, c->out || find_end(c) ? EPOLLOUT : EPOLLIN);
}

/*
 * Of the account that has most, by @bytes or by connections, end the connection that was not
 * answered for longest. Who reads a reply byte by byte, or leaves a message unfinished, is
 * not answered meanwhile.
 */
static void make_way(struct psc_server *server, bool bytes)
{
	struct connection *victim = NULL;
	size_t most = 0;

	for (const struct account *a = server->accounts; a; a = a->next) {
		size_t has = bytes ? a->bytes : a->n;

		most = has > most ? has : most;
	}
	for (struct connection *c = server->connections; c; c = c->next)
		if (c->account && (bytes ? c->account->bytes : c->account->n) == most &&
		    (!bytes || c->bytes) && (!victim || c->served < victim->served))
			victim = c;
	if (!victim)
		return;
	complain(server, bytes ? "connection ended: others need the memory" :
				 "connection ended: another client needs the place",
		 &victim->client);
	connection_free(victim);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct connection *c = data;
	struct psc_server *server = c->server;
	int err = step(c);

	(void)source;
	(void)fd;
	(void)revents;
	if (err >= 0)
		err = rearm(c);
	if (err < 0) {
		connection_free(c);
		return 0;
	}
	count_bytes(c, c->in_room + (c->out ? c->out_end : 0));
	while (server->limits.memory_max && server->bytes > server->limits.memory_max)
		make_way(server, true);	/* it may be this one */
	return 0;
}

/* Is there room for one more such client, which is counted in its account? If not, why. */
static const char *refuse_client(struct psc_server *server, const struct account *account)
{
	const struct psc_server_limits *limits = &server->limits;

	if (!account)
		return server->n_connections >= limits->connections_max ?
			"connection refused: there are too many" : NULL;
	if (account->n > limits->per_account_max)
		return "connection refused: this user has too many";
	if (server->n_connections >= limits->connections_max - limits->connections_kept)
		make_way(server, false);
	if (server->n_connections >= limits->connections_max - limits->connections_kept)
		return "connection refused: the places left are for administrators";
	return NULL;
}

/* Takes over @fd, also on failure. */
static int connection_new(struct psc_server *server, int fd)
{
	__attribute__((cleanup(connection_freep))) struct connection *c = calloc(1, sizeof(*c));
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
	c->client = (struct psc_client){ .pid = cred.pid, .uid = cred.uid, .account = cred.uid };
	server->ops->know(server->data, fd, &c->client);
	if (!c->client.capable) {
		c->account = account_get(server, c->client.account);
		if (!c->account)
			return -ENOMEM;
	}
	c->served = ++server->turn;
	refusal = refuse_client(server, c->account);
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

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_server *server = data;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(server->accept, SD_EVENT_ON);
}

/* Out of descriptors or memory: trying again at once would only spin. */
static void pause_accepting(struct psc_server *server, int err)
{
	unsigned int held;

	if (psc_ratelimit_pass(&server->noise, &held))
		psc_warning("socket: accepting a connection failed: %s", strerror(err));
	if (sd_event_source_set_time_relative(server->retry, ACCEPT_RETRY_USEC) >= 0 &&
	    sd_event_source_set_enabled(server->retry, SD_EVENT_ONESHOT) >= 0)
		sd_event_source_set_enabled(server->accept, SD_EVENT_OFF);
}

static int on_accept(sd_event_source *source, int listen_fd, uint32_t revents, void *data)
{
	struct psc_server *server = data;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)revents;
	if (fd >= 0)
		connection_new(server, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		pause_accepting(server, errno);
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
		err = sd_event_add_time_relative(event, &server->retry, CLOCK_MONOTONIC, 0, 0,
						 on_retry, server);
	if (err >= 0)
		err = sd_event_source_set_enabled(server->retry, SD_EVENT_OFF);
	if (err < 0) {
		psc_server_free(server);
		return err;
	}
	psc_refuse_rights(listen_fd);
	server->listen_fd = listen_fd;
	*ret = server;
	return 0;
}

/* Those who have connected are not closed with the socket, but one by one. */
static void stop_listening(int listen_fd)
{
	int fd;

	shutdown(listen_fd, SHUT_RDWR);
	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		psc_hang_up_at_end(fd);
	close(listen_fd);
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
	sd_event_source_disable_unref(server->retry);
	if (server->listen_fd >= 0)
		stop_listening(server->listen_fd);
	sd_event_unref(server->event);
	free(server);
}
