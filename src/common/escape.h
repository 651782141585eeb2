/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from elsewhere (names, command lines, files), made safe to show. */
#ifndef PSC_ESCAPE_H
#define PSC_ESCAPE_H

#include <stddef.h>

/**
 * psc_escape - printable text, on one line
 * @text, @len: any bytes
 * @max: most bytes of the result, at least 3; what is longer ends in "…"
 *
 * Quotes and backslashes get a backslash. Control characters, bytes that are no
 * UTF-8, and Unicode that changes how its neighbours are shown (C1 controls,
 * invisible and bidirectional formatting, line separators) become \xNN. So the
 * result can stand between quotes, and differs where the bytes differ.
 *
 * Return: an allocation, NULL when out of memory.
 */
char *psc_escape(const char *text, size_t len, size_t max);

#endif
