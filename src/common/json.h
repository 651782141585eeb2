/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as text that can be shown, and values that both programs write in JSON. */
#ifndef PSC_JSON_H
#define PSC_JSON_H

#include <jansson.h>

#include "kernel.h"

/**
 * psc_json_dump - json_dumps(), but with DEL escaped as well
 *
 * JSON allows it to stand in a string as it is, and jansson leaves it so.
 *
 * Return: an allocation, NULL when out of memory or for NULL.
 */
char *psc_json_dump(const json_t *json, size_t flags);

/* How many bytes of text that gives; 0 when out of memory. */
size_t psc_json_size(const json_t *json, size_t flags);

/*
 * A string, escaped where it is not UTF-8, as paths of files and cgroups may be. NULL when out of
 * memory.
 */
json_t *psc_json_text(const char *text);

/* An object of the interface's type Policy. NULL when out of memory. */
json_t *psc_json_policy(const union psc_policy *policy);

/* Set a member, except to NULL. */
void psc_json_set(json_t *object, const char *name, json_t *value);
void psc_json_set_count(json_t *object, const char *name, __u64 n);

/**
 * psc_json_status - what the kernel side and the system tell for `status`, with or without a daemon
 * @info: the reply to PSC_OP_INFO
 *
 * Return: an object, NULL when out of memory.
 */
json_t *psc_json_status(const struct psc_kernel *kernel, const struct psc_request *info,
			const __u64 stats[PSC_STATS], bool enforcing);

#endif
