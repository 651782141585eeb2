/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the triples of explain_worlds came to. */
#ifndef COUNT_H
#define COUNT_H

#include <stdbool.h>

#include "explain.h"

struct counts {
	unsigned long triples, differ, skipped, remedies, useless;
	unsigned long decided[2][PSC_STEPS];	/* allowed, refused by */
	unsigned long reasons[PSC_MODES][16];	/* ours, where it decided */
	unsigned long remedied[16];		/* refused for this reason, and then not */
	unsigned int shown;
};

extern struct counts count;

/* Did every step and reason decide, and was it remedied? @tell: print how often */
bool saw_everything(bool tell);

#endif
