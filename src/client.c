/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "json.h"
#include "util.h"

#define ANSWER_MAX (8 * 1024 * 1024)
#define BUSY_TRIES 100	/* 10 ms apart */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until the socket can be read or written; 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = poll(&pollfd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
	}
}

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
		int err = wait_for(fd, POLLOUT, deadline);
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

/* Read up to the first NUL. */
static int receive(int fd, char **ret, int64_t deadline)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, room = 0;

	for (;;) {
		int err = wait_for(fd, POLLIN, deadline);
		ssize_t n;

		if (err)
			return err;
		if (len == room) {
			char *more = len < ANSWER_MAX ? realloc(text, room + 4096) : NULL;

			if (!more)
				return len < ANSWER_MAX ? -ENOMEM : -EBADMSG;
			text = more;
			room += 4096;
		}
		n = recv(fd, text + len, room - len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		if (memchr(text + len, '\0', (size_t)n)) {
			*ret = TAKE_PTR(text);
			return 0;
		}
		len += (size_t)n;
	}
}

static int parse_answer(const char *text, struct psc_answer *ret)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *parameters = json_object_get(root, "parameters");
	json_t *error = json_object_get(root, "error");
	struct psc_answer answer = {};
	int err = 0;

	if (!json_is_object(root) || (error && !json_is_string(error)) ||
	    (parameters && !json_is_object(parameters) && !json_is_null(parameters))) {
		err = -EBADMSG;
	} else {
		answer.parameters = json_is_object(parameters) ? json_incref(parameters) :
								 json_object();
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

static int exchange(const char *path, const char *call, int timeout_ms, struct psc_answer *ret)
{
	int64_t deadline = now_ms() + timeout_ms;
	_cleanup_close_ int fd = connect_to(path, timeout_ms);
	_cleanup_free_ char *text = NULL;
	int err;

	if (fd < 0)
		return fd;
	err = send_all(fd, call, strlen(call) + 1, deadline);
	/* A daemon that refuses the connection hangs up, perhaps after an answer. */
	if (!err || err == -ECONNRESET)
		err = receive(fd, &text, deadline);
	return err ? err : parse_answer(text, ret);
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
	int err = text ? 0 : -ENOMEM;

	json_decref(call);
	for (int i = 0; !err && i < BUSY_TRIES; i++) {
		if (i) {
			psc_answer_free(&answer);
			nanosleep(&pause, NULL);
		}
		err = exchange(path, text, timeout_ms, &answer);
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
