/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encodes and decodes base64url, strictly. */
#include "base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *psc_base64_encode(const unsigned char *bytes, size_t len)
{
	char *text = malloc(len / 3 * 4 + 5), *out = text;
	unsigned int bits = 0, n = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (n += 8; n >= 6; n -= 6)
			*out++ = digits[bits >> (n - 6) & 63];
	}
	if (n)
		*out++ = digits[bits << (6 - n) & 63];
	*out = '\0';
	return text;
}

int psc_base64_decode(const char *text, unsigned char **ret, size_t *ret_len)
{
	size_t len = strlen(text), n = 0, i;
	unsigned char *bytes = malloc(len / 4 * 3 + 4);
	unsigned int bits = 0, n_bits = 0;
	int8_t values[256];

	if (!bytes)
		return -ENOMEM;
	memset(values, -1, sizeof(values));
	for (int d = 0; d < 64; d++)
		values[(unsigned char)digits[d]] = (int8_t)d;
	for (i = 0; i < len && values[(unsigned char)text[i]] >= 0; i++) {
		bits = bits << 6 | (unsigned int)values[(unsigned char)text[i]];
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		bytes[n++] = (unsigned char)(bits >> n_bits);
	}
	/* Every string of bytes is written in one way only. */
	if (i < len || n_bits == 6 || (bits & ((1U << n_bits) - 1))) {
		free(bytes);
		return -EINVAL;
	}
	bytes[n] = '\0';
	*ret = bytes;
	*ret_len = n;
	return 0;
}
