/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the last word of a command line of ptracescopectl can become, for the completion of shells. */
#ifndef PSC_COMPLETE_H
#define PSC_COMPLETE_H

#include <stdio.h>

#include "cgroup.h"

struct psc_completion {
	const struct psc_cgroups *cgroups;	/* as the user sees them: no kernel is asked */
	const char *proc;			/* "/proc" */
	FILE *out;
};

/**
 * psc_complete - print what the last of these words can become
 * @words: without the name of the program; the last may be empty
 *
 * One candidate a line, the whole word, and a tab and what it means where there is more to say.
 * A candidate that ends in "/" or "=" goes on. Names that a terminal cannot show are left out.
 * The candidates are from the tables that psc_cli_parse() uses.
 */
void psc_complete(const struct psc_completion *completion, int n, char *const *words);

#endif
