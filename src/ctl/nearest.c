/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distances between words, for suggestions. */
#include "nearest.h"

#include <ctype.h>
#include <string.h>

#include "util.h"

#define WORD_MAX 24

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be inserted, removed, replaced or swapped with the next; capital letters
 * count as small ones. Both words have at most WORD_MAX bytes.
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[WORD_MAX + 1][WORD_MAX + 1] = {};
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			bool same;

			if (!i || !j) {
				rows[i][j] = (unsigned int)(i + j);
				continue;
			}
			same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
			rows[i][j] = least(least(rows[i - 1][j], rows[i][j - 1]) + 1,
					   rows[i - 1][j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[n][m];
}

void psc_nearest_try(struct psc_nearest *nearest, const char *text, const char *word)
{
	size_t len = strlen(text), word_len = strlen(word);
	unsigned int d;

	if (!len || len > WORD_MAX || word_len > WORD_MAX)
		return;
	/* "unlock" is not meant to be "lock". */
	if (len > word_len + 1 && streq(text + len - word_len, word))
		return;
	/* The beginning of a word is as good as one wrong letter. */
	d = strncmp(text, word, len) == 0 ? 1 : distance(text, word);
	if (d > 1 + len / 4 || (nearest->word && d >= nearest->distance))
		return;
	nearest->word = word;
	nearest->distance = d;
}
