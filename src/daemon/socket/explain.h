/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What decides an access, from the facts that psc_explain tells: the steps of the kernel's
 * check as ptrace(2) numbers them, ours among them, and what would allow it. Pure functions.
 */
#ifndef PSC_EXPLAIN_H
#define PSC_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "ptracescope_explain.h"

enum psc_step {
	PSC_STEP_TARGET,	/* ATTACH: not itself, nor a kernel thread */
	PSC_STEP_TRACED_FIRST,	/* TRACEME: not traced yet */
	PSC_STEP_PARENT,	/* TRACEME: the tracer is the tracee's parent */
	PSC_STEP_SAME,		/* 1: of one process */
	PSC_STEP_IDS,		/* 3: uids and gids, or CAP_SYS_PTRACE */
	PSC_STEP_DUMPABLE,	/* 4 */
	PSC_STEP_COMMONCAP,	/* 5: the subset of capabilities */
	PSC_STEP_SCOPE,		/* 5: ptracescope */
	PSC_STEP_TRACED,	/* ATTACH: it lives, and nobody else traces it */
	PSC_STEPS,
};

enum psc_step_result {
	PSC_STEP_NOT_ASKED,	/* of another mode, or something before has decided */
	PSC_STEP_PASSED,
	PSC_STEP_ALLOWED,	/* and nothing after it is asked */
	PSC_STEP_REFUSED,
};

struct psc_explain_verdict {
	enum psc_step_result results[PSC_STEPS];
	enum psc_step decides;	/* who refused first, or allowed last */
	bool refused;
	bool check_refused;	/* the access check by itself, as process_vm_readv(2) asks for it */
};

/* "ids", "dumpable", ...; its number in ptrace(2), or 0. */
const char *psc_step_word(enum psc_step step);
unsigned int psc_step_number(enum psc_step step);

/* "passed", ... */
const char *psc_step_result_word(enum psc_step_result result);

/* Of one bit of enum psc_fact: "inside", ... */
const char *psc_explain_fact_word(unsigned int index);

/* What one step says by itself, whatever comes before it. */
enum psc_step_result psc_explain_ask(const struct psc_explanation *e, enum psc_step step);

/* Would a step refuse as well, that was not asked because an earlier one has refused? */
bool psc_explain_refuses_too(const struct psc_explanation *e,
			     const struct psc_explain_verdict *verdict, enum psc_step step);

/* Walk through the check. Ours is judged by psc_judge(), whatever is in e->refused. */
struct psc_explain_verdict psc_explain_judge(const struct psc_explanation *e);

/* Whether ours refuses, and why. */
struct psc_verdict psc_explain_scope(const struct psc_explanation *e);

/* Does what was read at different moments fit together? */
bool psc_explain_fits(const struct psc_explanation *e);

/* The paths of cgroups, by their ids, and what is in effect there. */
struct psc_explain_paths {
	void *data;
	/* NULL where it is not known. */
	const char *(*path)(void *data, __u64 id);
	/* For who keeps nothing of other cgroups. Is it known? NULL: never */
	bool (*policy)(void *data, __u64 id, union psc_policy *ret);
};

/* Does a side keep what is from the cgroup @from, which it has left? */
bool psc_explain_has_left(const struct psc_explain_side *side, __u64 from,
			  const struct psc_explain_paths *paths);

/* What a step found, as a sentence; an allocation, NULL when out of memory. */
char *psc_explain_step_text(const struct psc_explanation *e, enum psc_step step,
			    const struct psc_explain_paths *paths);

#define PSC_REMEDIES_MAX 8

struct psc_remedy {
	bool is_call;		/* something the tracee has to do, not a command */
	char *text;
	const char *note;	/* what it changes besides, or NULL */
};

struct psc_remedies {
	struct psc_remedy items[PSC_REMEDIES_MAX];
	size_t n;
};

/**
 * psc_explain_remedies - what would allow it
 * @tracer, @tracee: pids as who asks sees them; @tracer 0: one that is still to be started
 *
 * Only what psc_explain_judge() allows with the fact changed. Return: 0 or -ENOMEM.
 */
int psc_explain_remedies(const struct psc_explanation *e, __s32 tracer, __s32 tracee,
			 const struct psc_explain_paths *paths, struct psc_remedies *ret);
void psc_remedies_free(struct psc_remedies *remedies);

#endif
