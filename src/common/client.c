/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls a method on the daemon's socket, with a time limit. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "deadline.h"
#include "json.h"
#include "util.h"

#define ANSWER_MAX (8 * 1024 * 1024)
#define BUSY_TRIES 100	/* 10 ms apart */

static int connect_to(const char *path, int timeout_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	_cleanup_close_ int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* connect() waits that long while the daemon's queue is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	return TAKE_FD(fd);
}

static int send_all(int fd, const char *text, size_t len, int64_t deadline)
{
	while (len) {
		int err = psc_wait_for(fd, POLLOUT, deadline);
		ssize_t n;

		if (err)
			return err;
		n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return errno == EPIPE ? -ECONNRESET : -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Read what there is. Return: 0, -EAGAIN when there is nothing now, or another negative errno. */
static int fill(struct psc_stream *stream)
{
	ssize_t n;

	if (stream->len == stream->room) {
		char *more = stream->len < ANSWER_MAX ?
			realloc(stream->bytes, stream->room + 4096) : NULL;

		if (!more)
			return stream->len < ANSWER_MAX ? -ENOMEM : -EBADMSG;
		stream->bytes = more;
		stream->room += 4096;
	}
	n = recv(stream->fd, stream->bytes + stream->len, stream->room - stream->len,
		 MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	stream->len += (size_t)n;
	return n ? 0 : -ECONNRESET;
}

/* The length of the first message, with its NUL; 0 when it is not all there. */
static size_t whole(struct psc_stream *stream)
{
	char *nul = memchr(stream->bytes + stream->looked, '\0', stream->len - stream->looked);

	stream->looked = nul ? 0 : stream->len;
	return nul ? (size_t)(nul - stream->bytes) + 1 : 0;
}

static int parse_answer(const char *text, struct psc_answer *ret)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *parameters = json_object_get(root, "parameters");
	json_t *error = json_object_get(root, "error");
	json_t *continues = json_object_get(root, "continues");
	struct psc_answer answer = {};
	int err = 0;

	if (!json_is_object(root) || (continues && !json_is_boolean(continues)) ||
	    (error && !json_is_string(error)) ||
	    (parameters && !json_is_object(parameters) && !json_is_null(parameters))) {
		err = -EBADMSG;
	} else {
		answer.parameters = json_is_object(parameters) ? json_incref(parameters) :
								 json_object();
		answer.continues = json_is_true(continues);
		answer.error = error ? strdup(json_string_value(error)) : NULL;
		if (!answer.parameters || (error && !answer.error))
			err = -ENOMEM;
	}
	json_decref(root);
	if (err)
		psc_answer_free(&answer);
	else
		*ret = answer;
	return err;
}

int psc_stream_next(struct psc_stream *stream, struct psc_answer *ret)
{
	size_t size = stream->len ? whole(stream) : 0;
	int err = 0;

	while (!size && !err) {
		err = fill(stream);
		size = err ? 0 : whole(stream);
	}
	if (err)
		return err;
	err = parse_answer(stream->bytes, ret);
	stream->len -= size;
	memmove(stream->bytes, stream->bytes + size, stream->len);
	return err;
}

void psc_stream_close(struct psc_stream *stream)
{
	psc_closep(&stream->fd);
	free(stream->bytes);
	*stream = (struct psc_stream){ .fd = -1 };
}

static int wait_for_answer(struct psc_stream *stream, int64_t deadline, struct psc_answer *ret)
{
	int err = -EAGAIN;

	while (err == -EAGAIN) {
		err = psc_wait_for(stream->fd, POLLIN, deadline);
		if (!err)
			err = psc_stream_next(stream, ret);
	}
	return err;
}

static int exchange(const char *path, const char *call, int timeout_ms, struct psc_stream *stream,
		    struct psc_answer *ret)
{
	int64_t deadline = psc_now_ms() + timeout_ms;
	int err;

	*stream = (struct psc_stream){ .fd = connect_to(path, timeout_ms) };
	if (stream->fd < 0)
		return stream->fd;
	err = send_all(stream->fd, call, strlen(call) + 1, deadline);
	/* A daemon that refuses the connection hangs up, perhaps after an answer. */
	return !err || err == -ECONNRESET ? wait_for_answer(stream, deadline, ret) : err;
}

int psc_stream_open(const char *path, const char *method, json_t *parameters, int timeout_ms,
		    struct psc_stream *stream, struct psc_answer *ret)
{
	json_t *call = parameters ? json_pack("{s:s, s:o, s:b}", "method", method,
					      "parameters", parameters, "more", 1) : NULL;
	_cleanup_free_ char *text = call ? psc_json_dump(call, JSON_COMPACT) : NULL;
	int err;

	json_decref(call);
	*stream = (struct psc_stream){ .fd = -1 };
	err = text ? exchange(path, text, timeout_ms, stream, ret) : -ENOMEM;
	if (err)
		psc_stream_close(stream);
	return err;
}

/* Did it fail for somebody else's change of the policy, which is over soon? */
static bool is_busy(const struct psc_answer *answer)
{
	return answer->error && streq(answer->error, "io.ptracescope.Failed") &&
	       json_integer_value(json_object_get(answer->parameters, "errno")) == EAGAIN;
}

int psc_client_call(const char *path, const char *method, json_t *parameters, int timeout_ms,
		    struct psc_answer *ret)
{
	json_t *call = parameters ? json_pack("{s:s, s:o}", "method", method,
					      "parameters", parameters) : NULL;
	_cleanup_free_ char *text = call ? psc_json_dump(call, JSON_COMPACT) : NULL;

	static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct psc_answer answer = {};
	struct psc_stream stream;
	int err = text ? 0 : -ENOMEM;

	json_decref(call);
	for (int i = 0; !err && i < BUSY_TRIES; i++) {
		if (i) {
			psc_answer_free(&answer);
			nanosleep(&pause, NULL);
		}
		err = exchange(path, text, timeout_ms, &stream, &answer);
		psc_stream_close(&stream);
		if (!err && !is_busy(&answer))
			break;
	}
	if (!err)
		*ret = answer;
	return err;
}

void psc_answer_free(struct psc_answer *answer)
{
	free(answer->error);
	json_decref(answer->parameters);
	*answer = (struct psc_answer){};
}
