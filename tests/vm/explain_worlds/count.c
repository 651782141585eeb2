/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts what decided in explain_worlds, and tells whether all there is did. */
#include "explain_worlds/count.h"

#include <stdio.h>

#include "names.h"
#include "util.h"

struct counts count;

/* What a world cannot bring about is left out: a kernel thread is no actor. */
bool saw_everything(bool tell)
{
	static const unsigned int attach_reasons[] = {
		PSC_REASON_SCOPE_CLASSIC, PSC_REASON_ANCESTOR, PSC_REASON_EXCEPTION,
		PSC_REASON_CAPABLE, PSC_REASON_UNRELATED, PSC_REASON_NOT_CAPABLE,
		PSC_REASON_NO_ATTACH, PSC_REASON_BOUNDARY,
	};
	bool all = true;

	for (enum psc_step step = 0; step < PSC_STEPS; step++) {
		bool expected = step != PSC_STEP_PARENT && step != PSC_STEP_SAME;
		if (tell)
			printf("# %s: allowed %lu, refused %lu\n", psc_step_word(step),
			       count.decided[0][step], count.decided[1][step]);
		all = all && (!expected || count.decided[1][step]);
	}
	all = all && count.decided[0][PSC_STEP_SAME] && count.decided[0][PSC_STEP_SCOPE];
	for (size_t i = 0; i < ARRAY_SIZE(attach_reasons); i++) {
		const unsigned int reason = attach_reasons[i];
		unsigned long n = count.reasons[PSC_MODE_ATTACH][reason], good = count.remedied[reason];
		all = all && n && (good || i < 4);	/* the first four allow */
		if (tell)
			printf("# attach, %s: %lu, %lu remedied\n", psc_reason_word(reason), n, good);
	}
	if (tell)
		printf("# attach, sibling: %lu\n",
		       count.reasons[PSC_MODE_ATTACH][PSC_REASON_SIBLING]);
	return all;
}
