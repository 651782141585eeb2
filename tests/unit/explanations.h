/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts of an access, for tests. */
#ifndef EXPLANATIONS_H
#define EXPLANATIONS_H

#include <string.h>

#include "explain.h"

#define INITIAL_NS 0xeffffffdU
#define ALL_FACTS ((1U << PSC_FACTS) - 1)

/* Two processes of alice that have nothing to do with each other, at a scope of everybody. */
static inline struct psc_explanation strangers(enum psc_mode mode, __u8 scope)
{
	struct psc_explain_side side = {
		.pid = 100, .tid = 100, .start_ns = 1, .comm = "gdb", .uid = 1000, .euid = 1000,
		.suid = 1000, .fsuid = 1000, .gid = 1000, .egid = 1000, .sgid = 1000,
		.fsgid = 1000, .user_ns = INITIAL_NS, .cgroup = 2,
	};
	struct psc_explanation e = {
		.question = { .mode = mode, .scope = scope, .traceme = scope }, .dumpable = 1,
		.known = mode == PSC_MODE_TRACEME ? PSC_FACT_CAPABLE_TRACEE : ALL_FACTS,
		.holds = mode == PSC_MODE_TRACEME ? 0 : PSC_FACT_ALIVE | PSC_FACT_INSIDE,
		.parent = 100,
	};

	for (unsigned int i = 0; i < PSC_MODES; i++)
		side.effective.policy.scope[i] = scope;
	e.tracer = e.tracee = side;
	e.tracee.pid = e.tracee.tid = 200;
	memcpy(e.tracee.comm, "sleep", sizeof("sleep"));
	e.global = side.effective.policy;
	return e;
}

/* The paths of some cgroups. */
static inline const char *path_of(void *data, __u64 id)
{
	(void)data;
	return id == 1 ? "/" : id == 2 ? "/a" : id == 3 ? "/it's" : id == 5 ? "/a/b" :
	       id == 6 ? "/ab" : NULL;
}

/* In /a everything is free, in /it's attaching is for nobody; of others nothing is known. */
static inline bool policy_of(void *data, __u64 id, union psc_policy *ret)
{
	(void)data;
	*ret = (union psc_policy){};
	if (id == 3)
		ret->scope[PSC_MODE_ATTACH] = PSC_SCOPE_NO_ATTACH;
	return id == 2 || id == 3;
}

static const struct psc_explain_paths explained_paths __attribute__((unused)) = { .path = path_of, .policy = policy_of };

#endif
