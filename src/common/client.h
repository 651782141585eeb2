/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls to the daemon. */
#ifndef PSC_CLIENT_H
#define PSC_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How long the daemon may take for everything, in milliseconds. */
#define PSC_CLIENT_TIMEOUT_MS (30 * 1000)

struct psc_answer {
	char *error;		/* "io.ptracescope.Locked", or NULL */
	json_t *parameters;	/* an object, of the reply or of the error */
	bool continues;		/* of a stream: this is not the last one */
};

/**
 * psc_client_call - connect, call, wait for the answer
 * @path: the socket
 * @method: "io.ptracescope.Get"
 * @parameters: an object, taken over; NULL means out of memory
 * @timeout_ms: how long all of it may take
 * @ret: to be freed by psc_answer_free(); unwritten on error
 *
 * Return: 0 for every answer, error replies too; what connect(2) failed with;
 * -ECONNRESET when the daemon hung up without one, -ETIMEDOUT, -EBADMSG when it
 * was no Varlink reply; -ENAMETOOLONG for @path; -ENOMEM.
 */
int psc_client_call(const char *path, const char *method, json_t *parameters, int timeout_ms,
		    struct psc_answer *ret);

/* A call that has more than one answer. */
struct psc_stream {
	int fd;			/* that can be read when there may be something to read */
	char *bytes;
	size_t len, looked, room;
};

/**
 * psc_stream_open - call with "more", and wait for the first answer
 * @stream: to be closed by psc_stream_close(), on success
 *
 * The rest as psc_client_call(), but that nothing is tried again.
 */
int psc_stream_open(const char *path, const char *method, json_t *parameters, int timeout_ms,
		    struct psc_stream *stream, struct psc_answer *ret);

/**
 * psc_stream_next - the next answer, without waiting
 *
 * Return: 0; -EAGAIN when there is none yet; -ECONNRESET when the daemon hung up; -EBADMSG,
 * -ENOMEM, or what reading failed with.
 */
int psc_stream_next(struct psc_stream *stream, struct psc_answer *ret);

void psc_stream_close(struct psc_stream *stream);

void psc_answer_free(struct psc_answer *answer);

#endif
