/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would allow a refused access: each is tried on the facts, as it would change them, and
 * only what psc_explain_judge() then allows is told.
 */
#include <errno.h>

#include "explain.h"
#include "names.h"
#include "util.h"

#define INITIAL_USER_NS 0xeffffffdU	/* PROC_USER_INIT_INO of include/linux/proc_ns.h */

void psc_remedies_free(struct psc_remedies *remedies)
{
	for (size_t i = 0; i < remedies->n; i++)
		free(remedies->items[i].text);
	*remedies = (struct psc_remedies){};
}

/* Takes over @text; NULL means out of memory. */
static int add(struct psc_remedies *remedies, bool is_call, char *text, const char *note)
{
	if (!text)
		return -ENOMEM;
	if (remedies->n == PSC_REMEDIES_MAX) {
		free(text);
		return 0;
	}
	remedies->items[remedies->n++] = (struct psc_remedy){
		.is_call = is_call, .text = text, .note = note,
	};
	return 0;
}

/* For a shell, in single quotes. NULL when out of memory. */
static char *quoted(const char *text)
{
	char *out = malloc(4 * strlen(text) + 3), *end = out;

	if (!out)
		return NULL;
	*end++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *text;
	}
	*end++ = '\'';
	*end = '\0';
	return out;
}

struct search {
	const struct psc_explanation *e;
	__s32 tracer, tracee;
	const struct psc_explain_paths *paths;
	struct psc_remedies *ret;
	bool global;		/* does the command change the policy of the system? */
};

/*
 * A command that sets a name where the value of a side comes from; NULL where that cannot be
 * told, or is a cgroup that it has left: what is in effect without that is another question.
 */
static char *set_command(struct search *s, const struct psc_explain_side *side, __u32 mode,
			 unsigned int value)
{
	const __u64 from = side->effective.scope_from[mode];
	const struct psc_name *name = psc_name_of_mode(mode);
	const char *path = from ? s->paths->path(s->paths->data, from) : NULL;
	_cleanup_free_ char *shown = path ? quoted(path) : NULL;

	if (!from) {
		s->global = true;
		return psc_text("sudo ptracescopectl set %s=%u", name->name, value);
	}
	if (!shown || psc_explain_has_left(side, from, s->paths))
		return NULL;
	return psc_text("sudo ptracescopectl cgroup set %s %s %u", shown, name->name, value);
}

static bool allows(const struct psc_explanation *changed)
{
	return !psc_explain_judge(changed).refused;
}

/* A tracer of another making is nobody's ancestor, traces nothing, and was not named. */
static void forget_relations(struct psc_explanation *e)
{
	e->holds &= ~(PSC_FACT_ANCESTOR | PSC_FACT_TRACING | PSC_FACT_SIBLING);
	if (e->declared != PSC_DECLARED_ANYONE)
		e->holds &= ~PSC_FACT_EXCEPTION;
}

static void hold(struct psc_explanation *e, __u32 facts, bool holds)
{
	facts &= e->known;
	e->holds = holds ? e->holds | facts : e->holds & ~facts;
}

static void become(struct psc_explain_side *side, __u32 uid, __u32 gid, __u64 caps)
{
	side->uid = side->euid = side->suid = side->fsuid = uid;
	side->gid = side->egid = side->sgid = side->fsgid = gid;
	side->cap_permitted = side->cap_effective = caps;
	side->user_ns = INITIAL_USER_NS;
	side->ns_level = 0;
}

static int try_root(const struct search *s)
{
	static const char *const commands[PSC_MODES] = {
		[PSC_MODE_ATTACH] = "sudo gdb -p %d",
		[PSC_MODE_TRACEME] = "sudo gdb --args PROGRAM",
		[PSC_MODE_READ] = "sudo cat /proc/%d/maps",
	};
	struct psc_explanation changed = *s->e;

	become(&changed.tracer, 0, 0, ~0ULL);
	if (changed.question.mode == PSC_MODE_TRACEME)
		changed.tracee = changed.tracer;	/* which it starts */
	changed.same_process = 0;
	changed.capable = changed.dump_capable = 1;
	forget_relations(&changed);
	hold(&changed, PSC_FACT_CAPABLE_TRACEE | PSC_FACT_CAPABLE_INITIAL, true);
	if (!allows(&changed))
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return add(s->ret, false, psc_text(commands[changed.question.mode], s->tracee),
		   changed.question.mode == PSC_MODE_TRACEME ? "PROGRAM then runs as root" :
		   s->tracer ? "another tracer, run by root" : NULL);
#pragma GCC diagnostic pop
}

/* As the user whose the tracee is, where it is all his. */
static int try_user(const struct search *s)
{
	struct psc_explanation changed = *s->e;
	const struct psc_explain_side *tracee = &s->e->tracee;

	if (s->e->question.mode == PSC_MODE_TRACEME || !tracee->uid)
		return 0;
	become(&changed.tracer, tracee->uid, tracee->gid, 0);
	changed.same_process = 0;
	changed.capable = changed.dump_capable = 0;
	forget_relations(&changed);
	hold(&changed, PSC_FACT_CAPABLE_TRACEE | PSC_FACT_CAPABLE_INITIAL, false);
	if (tracee->uid == s->e->tracer.uid || !allows(&changed))
		return 0;
	return add(s->ret, false, s->e->question.mode == PSC_MODE_ATTACH ?
		   psc_text("sudo -u '#%u' -g '#%u' gdb -p %d", tracee->uid, tracee->gid, s->tracee) :
		   psc_text("sudo -u '#%u' -g '#%u' cat /proc/%d/maps", tracee->uid, tracee->gid,
			  s->tracee),
		   s->tracer ? "another tracer, run by the tracee's user" : NULL);
}

/* The tracee names the tracer. */
static int try_declare(const struct search *s)
{
	struct psc_explanation changed = *s->e;

	if (s->e->question.mode == PSC_MODE_TRACEME)
		return 0;
	hold(&changed, PSC_FACT_EXCEPTION, true);
	if (!allows(&changed))
		return 0;
	return add(s->ret, true, s->tracer ? psc_text("prctl(PR_SET_PTRACER, %d)", s->tracer) :
					     strdup("prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)"), NULL);
}

static int try_dumpable(const struct search *s)
{
	struct psc_explanation changed = *s->e;

	changed.dumpable = 1;
	if (!allows(&changed))
		return 0;
	return add(s->ret, true, strdup("prctl(PR_SET_DUMPABLE, 1)"), NULL);
}

/* May this mode's value be that low, where this side is? */
static bool can_fall(const struct psc_explain_side *side, __u32 mode, unsigned int value)
{
	return psc_scope_rank(side->effective.policy.floor[mode]) <= psc_scope_rank(value);
}

static bool is_above(const struct psc_explain_side *side, __u32 mode, unsigned int value)
{
	return psc_scope_rank(side->effective.policy.scope[mode]) > psc_scope_rank(value);
}

/* One more command behind others. Takes over both; NULL means that there is none. */
static char *both(char *first, char *second)
{
	char *text = first && second ? psc_text("%s && %s", first, second) : NULL;

	free(first);
	free(second);
	return text;
}

/* The commands that bring the scope of both sides down to a value; NULL where there are none. */
static char *lower_commands(struct search *s, unsigned int value)
{
	const struct psc_explain_side *sides[] = { &s->e->tracee, &s->e->tracer };
	const __u32 mode = s->e->question.mode;
	char *text = NULL;
	__u64 last = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		__u64 from = sides[i]->effective.scope_from[mode];
		char *command;

		if (!is_above(sides[i], mode, value) || (text && from == last))
			continue;
		command = set_command(s, sides[i], mode, value);
		if (!command) {
			free(text);
			return NULL;
		}
		text = text ? both(text, command) : command;
		last = from;
	}
	return text;
}

/* Lower the scope, no lower than needed, and take the boundary away, or one of the two. */
static int try_policy(struct search *s, bool boundary)
{
	const __u32 mode = s->e->question.mode;
	const struct psc_explain_side *tracee = &s->e->tracee;
	static const unsigned int values[] = {
		PSC_SCOPE_NO_ATTACH, PSC_SCOPE_ADMIN_ONLY, PSC_SCOPE_RESTRICTED, PSC_SCOPE_CLASSIC,
	};

	if (boundary && (!s->e->question.boundary || !can_fall(tracee, PSC_MODE_BOUNDARY, 0)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct psc_explanation changed = *s->e;
		bool lower = psc_scope_rank(changed.question.scope) > psc_scope_rank(values[i]);
		char *text = NULL;

		if (!boundary && !lower)
			continue;
		if (boundary)
			changed.question.boundary = 0;
		if (lower && (!can_fall(tracee, mode, values[i]) ||
			      !can_fall(&s->e->tracer, mode, values[i])))
			return 0;
		if (lower)
			changed.question.scope = values[i];
		if (!allows(&changed))
			continue;
		if (lower)
			text = lower_commands(s, values[i]);
		if (boundary) {
			char *off = set_command(s, tracee, PSC_MODE_BOUNDARY, 0);

			text = lower ? both(off, text) : off;
		}
		return text ? add(s->ret, false, text,
				  s->global ? "for all processes of the system" : NULL) : 0;
	}
	return 0;
}

/* Give a side what would be in effect without what it keeps of scopes. Is that anything else? */
static bool release_side(struct search *s, struct psc_explain_side *side)
{
	const __u32 modes[] = { s->e->question.mode, PSC_MODE_BOUNDARY };
	bool any = false;
	union psc_policy there;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		any = any || psc_explain_has_left(side, side->effective.scope_from[modes[i]], s->paths);
	if (!any || !s->paths->policy || !s->paths->policy(s->paths->data, side->cgroup, &there))
		return false;
	/* Floors are kept. */
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		side->effective.policy.scope[modes[i]] = (__u8)psc_scope_stricter(
			there.scope[modes[i]], side->effective.policy.floor[modes[i]]);
	return true;
}

static char *release_command(__s32 pid)
{
	return psc_text("sudo ptracescopectl cgroup release --pid %d", pid);
}

/* Take away what the sides keep of cgroups that they have left. */
static int try_release(struct search *s)
{
	struct psc_explanation changed = *s->e;
	const __u32 mode = changed.question.mode;
	bool tracee = release_side(s, &changed.tracee), tracer = release_side(s, &changed.tracer);
	char *text;

	/* Who is still to be started has it from a shell that we do not know. */
	if (!tracee && !(tracer && s->tracer))
		return 0;
	if (!s->tracer)
		changed.tracer = s->e->tracer;
	changed.question.scope = psc_scope_stricter(changed.tracer.effective.policy.scope[mode],
						    changed.tracee.effective.policy.scope[mode]);
	changed.question.boundary = changed.tracee.effective.policy.scope[PSC_MODE_BOUNDARY];
	/* By another cgroup, of which these facts may not hold. */
	hold(&changed, PSC_FACT_SIBLING | PSC_FACT_INSIDE, false);
	if (!allows(&changed))
		return 0;
	text = tracee ? release_command(s->tracee) : release_command(s->tracer);
	if (tracee && tracer && s->tracer)
		text = both(text, release_command(s->tracer));
	return add(s->ret, false, text, NULL);
}

int psc_explain_remedies(const struct psc_explanation *e, __s32 tracer, __s32 tracee,
			 const struct psc_explain_paths *paths, struct psc_remedies *ret)
{
	struct search s = { e, tracer, tracee, paths, ret, false };
	size_t before;
	int err;

	*ret = (struct psc_remedies){};
	if (allows(e))
		return 0;
	err = try_root(&s) ?: try_user(&s) ?: try_declare(&s) ?: try_dumpable(&s);
	before = ret->n;
	if (!err)
		err = try_release(&s);
	if (!err)
		err = try_policy(&s, false);
	if (!err && ret->n == before)
		err = try_policy(&s, true);
	if (err)
		psc_remedies_free(ret);
	return err;
}
