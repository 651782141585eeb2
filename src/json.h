/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as text that can be shown. */
#ifndef PSC_JSON_H
#define PSC_JSON_H

#include <jansson.h>

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

#endif
