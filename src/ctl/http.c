/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP/1.1 for one GET. */
#include "http.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "deadline.h"
#include "util.h"

/* "GET /metrics HTTP/1.1". Return: the status to answer with. */
static int parse_line(char *line, bool *ret_head)
{
	char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version || strncmp(version + 1, "HTTP/1.", 7) != 0)
		return 400;
	*target++ = *version = '\0';
	*ret_head = streq(line, "HEAD");
	if (!*ret_head && !streq(line, "GET"))
		return 405;
	target[strcspn(target, "?")] = '\0';
	return streq(target, "/metrics") ? 200 : 404;
}

struct psc_http_request psc_http_parse(char *text)
{
	struct psc_http_request request = {};
	char *rest = text, *line = strsep(&rest, "\n");

	line[strcspn(line, "\r")] = '\0';
	request.status = parse_line(line, &request.head);
	while ((line = strsep(&rest, "\n")))
		if (strncasecmp(line, "Accept:", 7) == 0 &&
		    strstr(line, "application/openmetrics-text"))
			request.openmetrics = true;
	return request;
}

int psc_http_read(int fd, int timeout_ms, struct psc_http_request *ret)
{
	int64_t deadline = psc_now_ms() + timeout_ms;
	char text[PSC_HTTP_HEAD_MAX + 1];
	size_t len = 0;

	*ret = (struct psc_http_request){ .status = 431 };
	while (len < PSC_HTTP_HEAD_MAX) {
		int err = psc_wait_for(fd, POLLIN, deadline);
		ssize_t n;

		if (err == -ETIMEDOUT)
			ret->status = 408;
		if (err)
			return err == -ETIMEDOUT ? 0 : err;
		n = read(fd, text + len, PSC_HTTP_HEAD_MAX - len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
		if (memchr(text, '\0', len)) {
			ret->status = 400;
			return 0;
		}
		if (strstr(text, "\r\n\r\n") || strstr(text, "\n\n")) {
			*ret = psc_http_parse(text);
			return 0;
		}
	}
	return 0;
}

static const char *reason_of(int status)
{
	switch (status) {
	case 200: return "OK";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	default: return "Bad Request";
	}
}

static int write_all(int fd, const char *text, size_t len, int64_t deadline)
{
	while (len) {
		int err = psc_wait_for(fd, POLLOUT, deadline);
		ssize_t n;

		if (err)
			return err;
		n = write(fd, text, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* What was not read would make the kernel take the answer back when we end. */
static void drain(int fd, int64_t deadline)
{
	char rest[4096];

	if (shutdown(fd, SHUT_WR) < 0)
		return;
	for (int i = 0; i < 16 && !psc_wait_for(fd, POLLIN, deadline); i++)
		if (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			return;
}

int psc_http_answer(int fd, const struct psc_http_request *request, int status, const char *body,
		    int timeout_ms)
{
	const char *type = status != 200 ? "text/plain; charset=utf-8" : request->openmetrics ?
		"application/openmetrics-text; version=1.0.0; charset=utf-8" :
		"text/plain; version=0.0.4; charset=utf-8";
	int64_t deadline = psc_now_ms() + timeout_ms;
	_cleanup_free_ char *error = NULL, *text = NULL;
	int len, err;

	if (status != 200)
		body = error = psc_text("%d %s%s\n", status, reason_of(status),
					status == 404 ? "; there is /metrics" : "");
	len = body ? asprintf(&text, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			      "%sConnection: close\r\n\r\n%s", status, reason_of(status), type,
			      strlen(body), status == 405 ? "Allow: GET, HEAD\r\n" : "",
			      request->head ? "" : body) : -1;
	if (len < 0) {
		text = NULL;
		return -ENOMEM;
	}
	err = write_all(fd, text, (size_t)len, deadline);
	if (!err)
		drain(fd, deadline);
	return err;
}
