/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command's call to the daemon: what goes wrong is said, and becomes the exit code. */
#ifndef PSC_CALL_H
#define PSC_CALL_H

#include <jansson.h>

#include "cli.h"
#include "client.h"
#include "interface.h"

#define PSC_METHOD(name) PSC_INTERFACE "." name

/* From now on psc_fail() prints an object on standard output as well. */
void psc_fail_in_json(void);

/* Say it, and return @code. */
enum psc_cli_exit psc_fail(enum psc_cli_exit code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print @json, which is taken over; NULL means out of memory. */
enum psc_cli_exit psc_print_json(json_t *json);

/* Call; @ret is only set on PSC_EXIT_DONE, to be freed then. */
enum psc_cli_exit psc_call(const struct psc_cli *cli, const char *method, json_t *parameters,
			   json_t **ret);

/*
 * What is done instead where no daemon listens; @err: what connecting failed with. It may leave
 * *ret NULL, which a reply is not.
 */
typedef enum psc_cli_exit psc_without_daemon(const struct psc_cli *cli, int err, json_t **ret);
enum psc_cli_exit psc_call_or(const struct psc_cli *cli, const char *method, json_t *parameters,
			      psc_without_daemon *without, json_t **ret);

/* Say that there was no answer, for what psc_client_call() returned; or what the error was. */
enum psc_cli_exit psc_no_answer(const struct psc_cli *cli, int err);
enum psc_cli_exit psc_refused(const struct psc_cli *cli, const struct psc_answer *answer);

/*
 * Ask before what lasts until the next boot, where there is somebody to ask.
 * @what: what is then locked at @value
 */
bool psc_confirmed(const struct psc_cli *cli, const char *what, unsigned int value);

/* Say that the answer to @method is not understood. */
enum psc_cli_exit psc_unexpected(const char *method);

#endif
