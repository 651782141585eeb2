/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call to the daemon. */
#ifndef PSC_CLIENT_H
#define PSC_CLIENT_H

#include <jansson.h>

/* How long the daemon may take for everything, in milliseconds. */
#define PSC_CLIENT_TIMEOUT_MS (30 * 1000)

struct psc_answer {
	char *error;		/* "io.ptracescope.Locked", or NULL */
	json_t *parameters;	/* an object, of the reply or of the error */
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

void psc_answer_free(struct psc_answer *answer);

#endif
