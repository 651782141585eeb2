/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges step by step from the facts, as the kernel does. */
#include "explain.h"

#include "util.h"

static const struct {
	const char *word;
	unsigned int number;
} steps[PSC_STEPS] = {
	[PSC_STEP_TARGET] = { "target", 0 },
	[PSC_STEP_TRACED_FIRST] = { "untraced", 0 },
	[PSC_STEP_PARENT] = { "parent", 0 },
	[PSC_STEP_SAME] = { "same-process", 1 },
	[PSC_STEP_IDS] = { "ids", 3 },
	[PSC_STEP_DUMPABLE] = { "dumpable", 4 },
	[PSC_STEP_COMMONCAP] = { "commoncap", 5 },
	[PSC_STEP_SCOPE] = { "ptracescope", 5 },
	[PSC_STEP_TRACED] = { "traced", 0 },
};

static const char *const results[] = {
	[PSC_STEP_NOT_ASKED] = "not-asked",
	[PSC_STEP_PASSED] = "passed",
	[PSC_STEP_ALLOWED] = "allowed",
	[PSC_STEP_REFUSED] = "refused",
};

static const char *const facts[PSC_FACTS] = {
#define WORD(id, word) word,
	PSC_FACT_TABLE(WORD)
#undef WORD
};

const char *psc_step_word(enum psc_step step)
{
	return steps[step].word;
}

unsigned int psc_step_number(enum psc_step step)
{
	return steps[step].number;
}

const char *psc_step_result_word(enum psc_step_result result)
{
	return results[result];
}

const char *psc_explain_fact_word(unsigned int index)
{
	return facts[index];
}

static bool ids_match(const struct psc_explanation *e)
{
	/* PTRACE_MODE_FSCREDS for files of /proc, PTRACE_MODE_REALCREDS for ptrace(2). */
	bool fs = e->question.mode == PSC_MODE_READ;
	__u32 uid = fs ? e->tracer.fsuid : e->tracer.uid;
	__u32 gid = fs ? e->tracer.fsgid : e->tracer.gid;
	const struct psc_explain_side *t = &e->tracee;

	return uid == t->uid && uid == t->euid && uid == t->suid &&
	       gid == t->gid && gid == t->egid && gid == t->sgid;
}

/* cap_ptrace_access_check() and cap_ptrace_traceme() of the kernel's security/commoncap.c */
static bool has_superset(const struct psc_explanation *e)
{
	__u64 caps = e->question.mode == PSC_MODE_READ ?
		e->tracer.cap_effective : e->tracer.cap_permitted;

	return e->tracer.user_ns == e->tracee.user_ns && !(e->tracee.cap_permitted & ~caps);
}

struct psc_verdict psc_explain_scope(const struct psc_explanation *e)
{
	struct psc_verdict verdict = psc_judge(&e->question, e->known, e->holds);

	return verdict.need ? (struct psc_verdict){ .refused = 1, .reason = PSC_REASON_UNDECIDED } :
			      verdict;
}

static enum psc_step_result passes(bool ok)
{
	return ok ? PSC_STEP_PASSED : PSC_STEP_REFUSED;
}

enum psc_step_result psc_explain_ask(const struct psc_explanation *e, enum psc_step step)
{
	const __u32 mode = e->question.mode;
	const bool traceme = mode == PSC_MODE_TRACEME, attach = mode == PSC_MODE_ATTACH;

	switch (step) {
	case PSC_STEP_TARGET:
		return !attach ? PSC_STEP_NOT_ASKED :
			passes(!(e->tracee.is & PSC_SIDE_KTHREAD) && !e->same_process);
	case PSC_STEP_TRACED_FIRST:
		return traceme ? passes(!e->traced_by) : PSC_STEP_NOT_ASKED;
	case PSC_STEP_PARENT:
		return traceme ? passes(e->tracer.pid == e->parent) : PSC_STEP_NOT_ASKED;
	case PSC_STEP_SAME:
		return traceme ? PSC_STEP_NOT_ASKED :
			e->same_process ? PSC_STEP_ALLOWED : PSC_STEP_PASSED;
	case PSC_STEP_IDS:
		return traceme ? PSC_STEP_NOT_ASKED : passes(ids_match(e) || e->capable);
	case PSC_STEP_DUMPABLE:
		return traceme ? PSC_STEP_NOT_ASKED : passes(e->dumpable == 1 || e->dump_capable);
	case PSC_STEP_COMMONCAP:
		return passes(has_superset(e) || e->capable);
	case PSC_STEP_SCOPE:
		return passes(!psc_explain_scope(e).refused);
	case PSC_STEP_TRACED:
		return attach ? passes(!(e->tracee.is & PSC_SIDE_DEAD) && !e->traced_by) :
				PSC_STEP_NOT_ASKED;
	default:
		return PSC_STEP_NOT_ASKED;
	}
}

/* Is it a step of the access check, or of ptrace(2) alone? */
static bool is_of_check(enum psc_step step)
{
	return step >= PSC_STEP_SAME && step <= PSC_STEP_SCOPE;
}

static bool check_refused(const struct psc_explanation *e)
{
	for (enum psc_step step = 0; step < PSC_STEPS; step++) {
		enum psc_step_result result = is_of_check(step) ? psc_explain_ask(e, step) : PSC_STEP_NOT_ASKED;

		if (result == PSC_STEP_ALLOWED || result == PSC_STEP_REFUSED)
			return result == PSC_STEP_REFUSED;
	}
	return false;
}

struct psc_explain_verdict psc_explain_judge(const struct psc_explanation *e)
{
	struct psc_explain_verdict verdict = {
		.decides = PSC_STEP_SCOPE, .check_refused = check_refused(e),
	};

	for (enum psc_step step = 0; step < PSC_STEPS; step++) {
		enum psc_step_result result = psc_explain_ask(e, step);

		verdict.results[step] = result;
		if (result == PSC_STEP_ALLOWED || result == PSC_STEP_REFUSED) {
			verdict.decides = step;
			verdict.refused = result == PSC_STEP_REFUSED;
			break;
		}
	}
	return verdict;
}

bool psc_explain_refuses_too(const struct psc_explanation *e,
			     const struct psc_explain_verdict *verdict, enum psc_step step)
{
	/* Nothing helps where the target cannot be one. */
	return verdict->refused && verdict->decides != PSC_STEP_TARGET && step > verdict->decides &&
	       psc_explain_ask(e, step) == PSC_STEP_REFUSED;
}

bool psc_explain_has_left(const struct psc_explain_side *side, __u64 from,
			  const struct psc_explain_paths *paths)
{
	const char *own, *source;
	size_t len;

	if (!from || from == PSC_SOURCE_SEVERAL)
		return from == PSC_SOURCE_SEVERAL;
	own = paths->path(paths->data, side->cgroup);
	source = paths->path(paths->data, from);
	/* With its own path, those of all cgroups above are known. */
	if (!own || !source)
		return own;
	len = strlen(source);
	return strncmp(own, source, len) != 0 || (own[len] && own[len] != '/');
}

bool psc_explain_fits(const struct psc_explanation *e)
{
	const __u32 mode = e->question.mode;

	return mode < PSC_MODES &&
	       e->question.scope == psc_scope_stricter(e->tracer.effective.policy.scope[mode],
						       e->tracee.effective.policy.scope[mode]) &&
	       e->question.boundary == e->tracee.effective.policy.scope[PSC_MODE_BOUNDARY];
}
