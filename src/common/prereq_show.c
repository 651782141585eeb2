/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows what psc_prereq_check() found. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "prereq.h"
#include "util.h"

void psc_prereq_free(struct psc_prereqs *prereqs)
{
	for (size_t i = 0; i < prereqs->n; i++) {
		free(prereqs->rows[i].found);
		free(prereqs->rows[i].remedy);
	}
	prereqs->n = 0;
}

void psc_prereq_tell_missing(const struct psc_prereqs *prereqs)
{
	for (size_t i = 0; i < prereqs->n; i++) {
		const struct psc_prereq *row = &prereqs->rows[i];

		if (row->state != PSC_PREREQ_MISSING)
			continue;
		psc_log(LOG_ERR, "MISSING  %s: %s", row->what, row->found);
		for (const char *line = row->remedy; *line;) {
			size_t n = strcspn(line, "\n");

			psc_log(LOG_ERR, "         %.*s", (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
}

const struct psc_prereq *psc_prereq_first_missing(const struct psc_prereqs *prereqs)
{
	for (size_t i = 0; i < prereqs->n; i++)
		if (prereqs->rows[i].state == PSC_PREREQ_MISSING)
			return &prereqs->rows[i];
	return NULL;
}

void psc_prereq_print(const struct psc_prereqs *prereqs, FILE *out, bool colour)
{
	static const struct {
		const char *word, *colour;
	} states[] = {
		[PSC_PREREQ_OK] = { "ok", "\033[32m" },
		[PSC_PREREQ_MISSING] = { "MISSING", "\033[1;31m" },
		[PSC_PREREQ_UNKNOWN] = { "unknown", "\033[33m" },
		[PSC_PREREQ_INFO] = { "info", "" },
	};
	int width = 0;

	for (size_t i = 0; i < prereqs->n; i++)
		if (width < (int)strlen(prereqs->rows[i].what))
			width = (int)strlen(prereqs->rows[i].what);
	for (size_t i = 0; i < prereqs->n; i++) {
		const struct psc_prereq *row = &prereqs->rows[i];
		const char *on = colour ? states[row->state].colour : "";

		fprintf(out, "%s%-7s%s  %-*s  %s\n", on, states[row->state].word,
			*on ? "\033[0m" : "", width, row->what, row->found);
		for (const char *line = row->remedy; line && *line;) {
			size_t n = strcspn(line, "\n");

			fprintf(out, "%9s%.*s\n", "", (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
}
