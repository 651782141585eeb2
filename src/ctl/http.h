/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As much of an HTTP server as a scrape needs: one request, one answer. */
#ifndef PSC_HTTP_H
#define PSC_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define PSC_HTTP_HEAD_MAX 8192

struct psc_http_request {
	int status;		/* 200; or the error to answer with: 400, 404, 405, 408, 431 */
	bool head;		/* without the body */
	bool openmetrics;	/* that format is accepted */
};

/* What a request asks for. @text: up to the empty line, without NUL bytes; it is changed. */
struct psc_http_request psc_http_parse(char *text);

/**
 * psc_http_read - read a request, up to the empty line
 * @fd: of a socket or a pipe
 * @timeout_ms: how long it may take in all
 *
 * Return: 0; or a negative errno when there is nobody to answer.
 */
int psc_http_read(int fd, int timeout_ms, struct psc_http_request *ret);

/**
 * psc_http_answer - write the answer, and wait a moment until it has been taken
 * @status: 200, or an error
 * @body: what goes with 200
 *
 * Return: 0 or a negative errno.
 */
int psc_http_answer(int fd, const struct psc_http_request *request, int status, const char *body,
		    int timeout_ms);

#endif
