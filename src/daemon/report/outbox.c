/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues lines and journal entries, and writes them when there is room. */
#include "outbox.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "log.h"
#include "turn.h"
#include "util.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define QUEUE_MESSAGES 256
#define QUEUE_BYTES (256 * 1024)
#define AGAIN_USEC (20 * 1000)
#define LAST_TRY_MSEC 1000

enum channel {
	TO_STDERR,
	TO_JOURNAL,
	TO_MANAGER,
	CHANNELS,
};

struct message {
	struct message *next;
	size_t size, sent;
	char bytes[];
};

struct queue {
	int fd;				/* -1: nobody to send to */
	bool is_socket;
	const char *address;		/* of a socket, to connect anew; NULL: none */
	struct message *first, **end;
	size_t n, bytes;
};

static struct queue queues[CHANNELS];
static sd_event_source *again;		/* armed while something waits; NULL: not open */
static __u64 lost;

__u64 psc_outbox_lost(void)
{
	return lost;
}

/* A datagram socket to this address; '@' begins an abstract one. Return: it, or -1. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	size_t len = path ? strlen(path) : 0;

	if (!len || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -1;
	return TAKE_FD(fd);
}

/* Is its socket another one by now? Then use that. */
static bool reconnect(struct queue *queue)
{
	int fd = connect_to(queue->address);

	if (fd < 0)
		return false;
	close(queue->fd);
	queue->fd = fd;
	return true;
}

/* Send without waiting. Return: how much, or a negative errno. */
static ssize_t try_send(struct queue *queue, const char *bytes, size_t size)
{
	struct pollfd ready = { .fd = queue->fd, .events = POLLOUT };
	ssize_t n;

	if (queue->is_socket) {
		n = send(queue->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == ECONNREFUSED && reconnect(queue))
			n = send(queue->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		/* Of a pipe that can be written to there is room for PIPE_BUF bytes. The file
		 * may be that of others as well, so it is not made non-blocking. */
		if (poll(&ready, 1, 0) <= 0)
			return -EAGAIN;
		n = write(queue->fd, bytes, size < 4096 ? size : 4096);
	}
	return n < 0 ? -errno : n;
}

static void drop_first(struct queue *queue)
{
	struct message *message = queue->first;

	queue->first = message->next;
	if (!queue->first)
		queue->end = &queue->first;
	queue->n--;
	queue->bytes -= message->size;
	free(message);
}

/* Send what can be. Does something still wait? */
static bool flush(struct queue *queue)
{
	while (queue->first) {
		struct message *message = queue->first;
		ssize_t n = try_send(queue, message->bytes + message->sent,
				     message->size - message->sent);

		if (n == -EAGAIN || n == -EINTR || n == -ENOBUFS)
			return true;
		if (n < 0)
			lost++;
		else
			message->sent += (size_t)n;
		if (n < 0 || message->sent == message->size)
			drop_first(queue);
	}
	return false;
}

static void arm(void)
{
	int enabled = SD_EVENT_OFF;

	if (!again || (sd_event_source_get_enabled(again, &enabled) >= 0 &&
		       enabled != SD_EVENT_OFF))
		return;
	if (sd_event_source_set_time_relative(again, AGAIN_USEC) >= 0)
		sd_event_source_set_enabled(again, SD_EVENT_ONESHOT);
}

static int on_again(sd_event_source *source, uint64_t usec, void *data)
{
	bool waits = false;

	psc_turn_does("log");
	(void)source;
	(void)usec;
	(void)data;
	for (int i = 0; i < CHANNELS; i++)
		waits = flush(&queues[i]) || waits;
	if (waits)
		arm();
	return 0;
}

/* Send a message, or put it into the queue. Return: 0, or a negative errno when it can be neither. */
static int post(enum channel channel, const char *bytes, size_t size)
{
	struct queue *queue = &queues[channel];
	struct message *message;
	ssize_t n = 0;

	if (!again || queue->fd < 0)
		return -ENOTCONN;
	if (!flush(queue)) {
		n = try_send(queue, bytes, size);
		if (n == (ssize_t)size)
			return 0;
		if (n < 0 && n != -EAGAIN && n != -EINTR && n != -ENOBUFS)
			return (int)n;
	}
	if (queue->n >= QUEUE_MESSAGES || queue->bytes + size > QUEUE_BYTES)
		return -ENOBUFS;
	message = malloc(sizeof(*message) + size);
	if (!message)
		return -ENOMEM;
	message->next = NULL;
	message->size = size;
	message->sent = n > 0 ? (size_t)n : 0;
	memcpy(message->bytes, bytes, size);
	*queue->end = message;
	queue->end = &message->next;
	queue->n++;
	queue->bytes += size;
	arm();
	return 0;
}

/* What is logged has no other place to go. */
static void on_line(const char *line, size_t len)
{
	static __u64 told;
	char text[64];
	int n;

	if (lost > told) {
		n = snprintf(text, sizeof(text), "<%d>%llu messages were lost\n", LOG_WARNING,
			     lost - told);
		if (post(TO_STDERR, text, (size_t)n) == 0)
			told = lost;
	}
	if (post(TO_STDERR, line, len))
		lost++;
}

void psc_outbox_notify(const char *text)
{
	int err = post(TO_MANAGER, text, strlen(text));

	if (err && err != -ENOTCONN)
		lost++;
}

/* As systemd's "native protocol" has it: systemd.io/JOURNAL_NATIVE_PROTOCOL. */
int psc_outbox_journal(char *const *fields, size_t n)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_fclose_ FILE *out = NULL;
	size_t size;

	if (!again || queues[TO_JOURNAL].fd < 0)
		return -ENOTCONN;
	out = open_memstream(&bytes, &size);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(fields[i], '='), *value = equals + 1;
		uint64_t len = htole64(strlen(value));

		if (!strchr(value, '\n')) {
			fprintf(out, "%s\n", fields[i]);
			continue;
		}
		fprintf(out, "%.*s\n", (int)(equals - fields[i]), fields[i]);
		fwrite(&len, sizeof(len), 1, out);
		fprintf(out, "%s\n", value);
	}
	fprintf(out, "SYSLOG_IDENTIFIER=%s\n", program_invocation_short_name);
	if (fflush(out))
		return -ENOMEM;
	return post(TO_JOURNAL, bytes, size);
}

/* Is stderr the journal's? systemd.exec(5), $JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return streq(stream, own);
}

static void open_queue(enum channel channel, int fd, const char *address)
{
	struct stat st;

	queues[channel] = (struct queue){
		.fd = fd, .is_socket = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode),
		.address = address,
	};
	queues[channel].end = &queues[channel].first;
}

int psc_outbox_open(sd_event *event)
{
	const char *manager = getenv("NOTIFY_SOCKET");
	int err = sd_event_add_time_relative(event, &again, CLOCK_MONOTONIC, 0, 0, on_again, NULL);

	if (err >= 0)
		err = sd_event_source_set_enabled(again, SD_EVENT_OFF);
	if (err < 0) {
		again = sd_event_source_disable_unref(again);
		return err;
	}
	open_queue(TO_STDERR, STDERR_FILENO, NULL);
	open_queue(TO_JOURNAL, stderr_is_journal() ? connect_to(JOURNAL_SOCKET) : -1,
		   JOURNAL_SOCKET);
	open_queue(TO_MANAGER, connect_to(manager), manager);
	psc_log_set_sink(on_line);
	return 0;
}

void psc_outbox_close(void)
{
	int tries = LAST_TRY_MSEC / 10;

	if (!again)
		return;
	for (int i = 0; i < CHANNELS; i++) {
		while (flush(&queues[i]) && tries-- > 0)
			poll(NULL, 0, 10);
		while (queues[i].first)
			drop_first(&queues[i]);
		if (i != TO_STDERR)
			psc_closep(&queues[i].fd);
		queues[i].fd = -1;
	}
	psc_log_set_sink(NULL);
	again = sd_event_source_disable_unref(again);
}
