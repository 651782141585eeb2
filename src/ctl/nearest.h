/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The word that a mistyped one is nearest to. */
#ifndef PSC_NEAREST_H
#define PSC_NEAREST_H

/* Begins as {}. */
struct psc_nearest {
	const char *word;		/* NULL: none is near */
	unsigned int distance;
};

/* Keep @word if it is near to @text, and nearer than what is there. */
void psc_nearest_try(struct psc_nearest *nearest, const char *text, const char *word);

#endif
