/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each step of a check found, for people. */
#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>

#include "explain.h"
#include "names.h"
#include "util.h"

/* Appended to; out of memory shows when it is closed. */
struct text {
	FILE *out;
	const struct psc_explanation *e;
	const struct psc_explain_paths *paths;
};

static void put_side_ids(FILE *out, const struct psc_explanation *e)
{
	bool fs = e->question.mode == PSC_MODE_READ;
	const struct psc_explain_side *t = &e->tracee;

	if (e->tracer.ns_level || t->ns_level)
		fputs("as the initial user namespace counts them, ", out);
	fprintf(out, "the tracer's %s uid and gid are %u and %u, the tracee's real, effective and "
		"saved uids %u, %u, %u and gids %u, %u, %u", fs ? "file system" : "real",
		fs ? e->tracer.fsuid : e->tracer.uid, fs ? e->tracer.fsgid : e->tracer.gid,
		t->uid, t->euid, t->suid, t->gid, t->egid, t->sgid);
}

static void put_capable(FILE *out, bool capable, const char *where)
{
	fprintf(out, "%s CAP_SYS_PTRACE in %s", capable ? "the tracer has" :
		"the tracer does not have", where);
}

/* CAP_SYS_PTRACE in the tracee's user namespace, and why a process without capabilities has it. */
static void put_capable_there(FILE *out, const struct psc_explanation *e)
{
	put_capable(out, e->capable, "the tracee's user namespace");
	if (e->capable && !(e->tracer.cap_effective & 1ULL << CAP_SYS_PTRACE) &&
	    e->tracer.euid == e->tracee.ns_owner)
		fputs(" (its effective user ID owns that namespace)", out);
}

static void text_target(struct text *t, bool ok)
{
	if (ok)
		fputs("the tracee is another process", t->out);
	else if (t->e->same_process)
		fputs("a process cannot attach to itself", t->out);
	else
		fputs("the tracee is a kernel thread", t->out);
}

static void text_untraced(struct text *t, bool ok)
{
	if (ok)
		fputs("nobody traces the tracee", t->out);
	else
		fprintf(t->out, "process %u traces the tracee already, and there is one tracer only",
			t->e->traced_by);
}

static void text_traced(struct text *t, bool ok)
{
	if (!ok && t->e->tracee.is & PSC_SIDE_DEAD)
		fputs("the tracee has ended, and is a zombie until its parent waits for it", t->out);
	else
		text_untraced(t, ok);
}

static void text_parent(struct text *t, bool ok)
{
	fprintf(t->out, ok ? "the tracer is the tracee's parent" :
		"PTRACE_TRACEME is for a parent, and that is process %u", t->e->parent);
}

static void text_same(struct text *t, bool ok)
{
	(void)ok;
	fputs(t->e->same_process ? "both are threads of one process" :
	      "they are not threads of one process", t->out);
}

static void text_ids(struct text *t, bool ok)
{
	put_side_ids(t->out, t->e);
	fputs(ok && !t->e->capable ? "" : "; ", t->out);
	if (!ok || t->e->capable)
		put_capable_there(t->out, t->e);
}

static void text_dumpable(struct text *t, bool ok)
{
	(void)ok;
	fprintf(t->out, "the tracee's dumpable attribute is %u", t->e->dumpable);
	if (t->e->dumpable == 1)
		return;
	/* Only 0 can be set by prctl(2); the kernel sets fs.suid_dumpable, which is 0 or 2. */
	fprintf(t->out, " (it has changed its ids or capabilities, or has executed a file with the "
		"set-user-ID bit, with capabilities, or that it may not read%s)",
		t->e->dumpable ? "" : "; or has set this itself");
	fputs("; ", t->out);
	put_capable(t->out, t->e->dump_capable, "the user namespace of what it has executed");
}

static void text_commoncap(struct text *t, bool ok)
{
	const struct psc_explanation *e = t->e;
	__u64 caps = e->question.mode == PSC_MODE_READ ?
		e->tracer.cap_effective : e->tracer.cap_permitted;

	if (e->tracer.user_ns != e->tracee.user_ns)
		fputs("they are in different user namespaces", t->out);
	else if (e->tracee.cap_permitted & ~caps)
		fprintf(t->out, "the tracee has capabilities that the tracer lacks (%#" PRIx64 ")",
			(uint64_t)(e->tracee.cap_permitted & ~caps));
	else
		fputs("the tracee has no capability that the tracer lacks", t->out);
	if (ok && !e->capable)
		return;
	fputs("; ", t->out);
	put_capable_there(t->out, e);
}

static void put_source(struct text *t, const struct psc_explain_side *side, __u32 mode)
{
	const __u64 from = side->effective.scope_from[mode];
	const char *path = from ? t->paths->path(t->paths->data, from) : NULL;

	if (!from)
		fputs("the global policy", t->out);
	else if (from == PSC_SOURCE_SEVERAL)
		fputs("cgroups that it has left", t->out);
	else if (psc_explain_has_left(side, from, t->paths) && path)
		fprintf(t->out, "the cgroup %s, which it has left", path);
	else if (psc_explain_has_left(side, from, t->paths))
		fprintf(t->out, "a cgroup that it has left (id %" PRIu64 ")", (uint64_t)from);
	else if (path)
		fprintf(t->out, "the cgroup %s", path);
	else
		fprintf(t->out, "the cgroup with the id %" PRIu64, (uint64_t)from);
}

static void put_scope(struct text *t, const char *who, const struct psc_explain_side *side)
{
	const __u32 mode = t->e->question.mode;
	const struct psc_name *name = psc_name_of_mode(mode);
	unsigned int floor = side->effective.policy.floor[mode];
	char label[PSC_LABEL_SIZE];

	fprintf(t->out, "%s is at %s scope %s%s ", who, psc_mode_word(mode),
		psc_value_label(name, side->effective.policy.scope[mode], label),
		psc_explain_has_left(side, side->effective.scope_from[mode], t->paths) ?
		", kept from" : " by");
	put_source(t, side, mode);
	if (floor)
		fprintf(t->out, " with the floor %s", psc_value_label(name, floor, label));
}

static void put_declared(struct text *t)
{
	const struct psc_explanation *e = t->e;

	switch (e->declared) {
	case PSC_DECLARED_ANYONE:
		fputs("the tracee has declared anybody (PR_SET_PTRACER_ANY)", t->out);
		break;
	case PSC_DECLARED_TASK:
		fprintf(t->out, "the tracee has declared process %u (PR_SET_PTRACER)%s",
			e->declared_pid, e->holds & PSC_FACT_EXCEPTION ? "" :
			", from which the tracer does not descend");
		break;
	case PSC_DECLARED_DEAD:
		fputs("the process that the tracee has declared (PR_SET_PTRACER) has ended", t->out);
		break;
	default:
		fputs("the tracee has declared nobody (PR_SET_PTRACER)", t->out);
	}
}

/* What a refusal, or what allowed it, rests on. */
static void put_reason(struct text *t, unsigned int reason)
{
	const struct psc_explanation *e = t->e;

	switch (reason) {
	case PSC_REASON_UNRELATED:
		fputs("the tracer is no ancestor of the tracee, ", t->out);
		put_declared(t);
		fputs(", and ", t->out);
		put_capable(t->out, false, "the tracee's user namespace");
		break;
	case PSC_REASON_NOT_CAPABLE:
		put_capable(t->out, false, "the tracee's user namespace");
		break;
	case PSC_REASON_EXCEPTION:
		if (e->holds & PSC_FACT_TRACING)
			fputs("the tracer's process traces the tracee already", t->out);
		else
			put_declared(t);
		break;
	case PSC_REASON_BOUNDARY:
		fputs("the tracer is outside of the tracee's container, of which ", t->out);
		put_source(t, &e->tracee, PSC_MODE_BOUNDARY);
		fputs(" has made a boundary, and does not have CAP_SYS_PTRACE in the initial user "
		      "namespace", t->out);
		break;
	default:
		fputs(psc_reason_text(reason), t->out);
	}
}

static void text_scope(struct text *t, bool ok)
{
	(void)ok;
	put_scope(t, "the tracee", &t->e->tracee);
	fputs(", ", t->out);
	put_scope(t, "the tracer", &t->e->tracer);
	fputs("; ", t->out);
	put_reason(t, psc_explain_scope(t->e).reason);
}

char *psc_explain_step_text(const struct psc_explanation *e, enum psc_step step,
			    const struct psc_explain_paths *paths)
{
	static void (*const texts[PSC_STEPS])(struct text *t, bool ok) = {
		[PSC_STEP_TARGET] = text_target,
		[PSC_STEP_TRACED_FIRST] = text_untraced,
		[PSC_STEP_PARENT] = text_parent,
		[PSC_STEP_SAME] = text_same,
		[PSC_STEP_IDS] = text_ids,
		[PSC_STEP_DUMPABLE] = text_dumpable,
		[PSC_STEP_COMMONCAP] = text_commoncap,
		[PSC_STEP_SCOPE] = text_scope,
		[PSC_STEP_TRACED] = text_traced,
	};
	char *text = NULL;
	size_t len;
	struct text t = { .out = open_memstream(&text, &len), .e = e, .paths = paths };

	if (!t.out)
		return NULL;
	texts[step](&t, psc_explain_ask(e, step) != PSC_STEP_REFUSED);
	if (fclose(t.out)) {
		free(text);
		return NULL;
	}
	return text;
}
