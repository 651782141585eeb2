/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in the formats of Prometheus (version 0.0.4) and OpenMetrics (1.0). */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "names.h"
#include "util.h"

#define PREFIX "ptracescope_"

struct text {
	FILE *out;
	bool openmetrics;
};

static void describe(const struct text *text, const char *name, const char *suffix,
		     const char *type, const char *help)
{
	fprintf(text->out, "# HELP " PREFIX "%s%s %s\n# TYPE " PREFIX "%s%s %s\n", name, suffix,
		help, name, suffix, type);
}

/* OpenMetrics describes a counter by its name without "_total", which its samples have. */
static void counter(const struct text *text, const char *name, const char *help)
{
	describe(text, name, text->openmetrics ? "" : "_total", "counter", help);
}

static void total(const struct text *text, const char *name, const char *help, __u64 value)
{
	counter(text, name, help);
	fprintf(text->out, PREFIX "%s_total %" PRIu64 "\n", name, (uint64_t)value);
}

static void gauge(const struct text *text, const char *name, const char *help, __u64 value)
{
	describe(text, name, "", "gauge", help);
	fprintf(text->out, PREFIX "%s %" PRIu64 "\n", name, (uint64_t)value);
}

static void refusals(const struct text *text, const struct psc_metrics *m)
{
	counter(text, "refusals", "Accesses that were refused, without the daemon's own tests.");
	if (!m->counted)
		fprintf(text->out, PREFIX "refusals_total{mode=\"unknown\",reason=\"unknown\"} %"
			PRIu64 "\n", (uint64_t)m->stats[PSC_STAT_REFUSED]);
	for (unsigned int mode = 0; m->counted && mode < PSC_MODES; mode++)
		for (unsigned int reason = 0; reason < PSC_REASONS; reason++)
			if (psc_reason_refuses(reason))
				fprintf(text->out, PREFIX "refusals_total{mode=\"%s\","
					"reason=\"%s\"} %" PRIu64 "\n", psc_mode_word(mode),
					psc_reason_word(reason),
					(uint64_t)m->counts.n[PSC_COUNT_REFUSED(mode, reason)]);
	total(text, "suppressed", "Refusals that were not reported one by one, as there were too "
	      "many.", m->stats[PSC_STAT_SUPPRESSED]);
	total(text, "lost", "Reports of refusals that were lost, as the event buffer was full.",
	      m->stats[PSC_STAT_DROPPED]);
}

static void tampering(const struct text *text, const struct psc_metrics *m)
{
	if (!m->counted)
		return;
	counter(text, "tampering", "Attempts to disable enforcement under a floor, refused.");
	for (unsigned int guard = 0; guard < PSC_GUARDS; guard++)
		fprintf(text->out, PREFIX "tampering_total{guard=\"%s\"} %" PRIu64 "\n",
			psc_guard_word(guard), (uint64_t)m->counts.n[PSC_COUNT_TAMPER(guard)]);
}

static void policy(const struct text *text, const struct psc_metrics *m)
{
	describe(text, "scope", "", "gauge", "The global scope in force; of the boundary 0 or 1.");
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		fprintf(text->out, PREFIX "scope{mode=\"%s\"} %u\n", psc_mode_word(mode),
			m->policy.scope[mode]);
	describe(text, "floor", "", "gauge", "What the scope cannot be lowered below until reboot.");
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		fprintf(text->out, PREFIX "floor{mode=\"%s\"} %u\n", psc_mode_word(mode),
			m->policy.floor[mode]);
	gauge(text, "cgroup_settings", "Cgroups that have settings of their own.", m->cgroups);
	gauge(text, "sticky_floors", "Tasks that keep floors or sticky settings of cgroups.",
	      m->sticky_floors);
	if (m->counted)
		gauge(text, "declared_tracers", "Processes that have declared who may trace them "
		      "(PR_SET_PTRACER).", m->counts.n[PSC_COUNT_DECLARED]);
}

static void health(const struct text *text, const struct psc_metrics *m)
{
	static const char *const tests[PSC_METRICS_PROOFS] = { "attach", "traceme", "read",
							       "declarations" };

	gauge(text, "enforcing", "1 if the programs are in force.", m->enforcing);
	describe(text, "selftest_ok", "", "gauge", "1 if the last test attach of the daemon to its "
		 "own child was refused, 0 if not; absent where there was nothing to test.");
	for (unsigned int i = 0; i < PSC_METRICS_PROOFS; i++)
		if (m->proofs[i] >= 0)
			fprintf(text->out, PREFIX "selftest_ok{test=\"%s\"} %d\n", tests[i],
				m->proofs[i]);
	gauge(text, "configuration_ok", "1 if the configuration was accepted when it was read last.",
	      m->configured);
	describe(text, "longest_turn_seconds", "", "gauge", "The longest that the daemon has kept "
		 "its clients waiting.");
	fprintf(text->out, PREFIX "longest_turn_seconds %" PRIu64 ".%06" PRIu64 "\n",
		m->longest_turn_usec / 1000000, m->longest_turn_usec % 1000000);
	total(text, "unlogged", "Messages that nobody took in time.", m->unlogged);
	gauge(text, "stuck_readers", "Children of the daemon that wait for what they read of a "
	      "process.", m->stuck_readers);
	describe(text, "build_info", "", "gauge", "The version of the daemon, and the build of the "
		 "programs in force.");
	fprintf(text->out, PREFIX "build_info{version=\"%s\",build=\"%016" PRIx64 "\"} 1\n",
		PSC_VERSION, (uint64_t)m->build);
}

char *psc_metrics_format(const struct psc_metrics *metrics, bool openmetrics)
{
	char *bytes = NULL;
	size_t size;
	struct text text = { open_memstream(&bytes, &size), openmetrics };

	if (!text.out)
		return NULL;
	refusals(&text, metrics);
	tampering(&text, metrics);
	policy(&text, metrics);
	health(&text, metrics);
	fputs("# EOF\n", text.out);
	if (fclose(text.out)) {
		free(bytes);
		return NULL;
	}
	return bytes;
}
