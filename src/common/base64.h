/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a string: base64url of RFC 4648, without padding. */
#ifndef PSC_BASE64_H
#define PSC_BASE64_H

#include <stddef.h>

/* An allocation; NULL when out of memory. */
char *psc_base64_encode(const unsigned char *bytes, size_t len);

/**
 * psc_base64_decode - the way back
 * @text: untrusted; looked at once, however long it is
 * @ret: an allocation, with a NUL behind the bytes
 *
 * Return: 0, -EINVAL when that is none, -ENOMEM.
 */
int psc_base64_decode(const char *text, unsigned char **ret, size_t *ret_len);

#endif
