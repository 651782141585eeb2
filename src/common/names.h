/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for scopes and modes, and the pseudo-sysctls: names for parts of the policy. */
#ifndef PSC_NAMES_H
#define PSC_NAMES_H

#include <stdbool.h>

#include "ptracescope.h"

/* "classic", "restricted", "admin-only", "no-attach", "siblings"; NULL when @scope is none. */
const char *psc_scope_word(unsigned int scope);

/**
 * psc_scope_parse - a global scope as users write it: 0 to 3, or its word
 *
 * Return: 0, -EINVAL when @text is neither a number nor a word, -ERANGE when it
 * is a number that is no scope. @ret is unwritten on error.
 */
int psc_scope_parse(const char *text, unsigned int *ret);

/* Is scope @a stricter than @b? */
bool psc_scope_is_stricter(unsigned int a, unsigned int b);

/* "attach", "traceme", "read", "boundary"; NULL when @mode is none. */
const char *psc_mode_word(unsigned int mode);

/* The kind of access of that word: attach, traceme or read. Return: the mode or -EINVAL. */
int psc_mode_parse(const char *text);

/* Of enum psc_reason, for machines: "ancestor", "unrelated", ... */
const char *psc_reason_word(unsigned int reason);

/* Of enum psc_guard, for machines: "load", "map", ... */
const char *psc_guard_word(unsigned int guard);

/* What a guard refuses, behind "refused to let PROCESS". */
const char *psc_guard_text(unsigned int guard);

/* What enum psc_reason means, as the end of "refused: …" or "allowed: …". */
const char *psc_reason_text(unsigned int reason);

/* Whether an access with this reason is refused. */
bool psc_reason_refuses(unsigned int reason);

/* A pseudo-sysctl: reads one part of the policy, writes one or more. */
struct psc_name {
	const char *name;	/* "kernel.yama.ptrace_scope" */
	bool floor;		/* a write raises floors; of the others it sets scopes */
	__u32 modes;		/* the modes that a write changes */
	enum psc_mode mode;	/* the mode whose scope a read shows */
	unsigned int max;	/* the highest value: PSC_SCOPE_MAX, or 1 */
	const char *purpose;	/* for the help; may have several lines */
};

#define PSC_NAME_YAMA "kernel.yama.ptrace_scope"
#define PSC_NAME_FLOOR "kernel.ptracescope.floor"

/*
 * The settings: a new one is a row of this table, with the members of struct psc_name. A list
 * shows them, and a configuration applies them, in the order of the rows, so a setting for
 * several modes comes before those of one mode.
 */
#define PSC_NAME_TABLE(NAME) \
	NAME(YAMA, PSC_NAME_YAMA, false, PSC_MODES_YAMA, PSC_MODE_ATTACH, PSC_SCOPE_MAX, \
	     "attach_scope and traceme_scope, as Yama has them") \
	NAME(ATTACH, "kernel.ptracescope.attach_scope", false, \
	     PSC_MODE_BIT(PSC_MODE_ATTACH), PSC_MODE_ATTACH, PSC_SCOPE_MAX, \
	     "who may attach to a process or access its memory") \
	NAME(TRACEME, "kernel.ptracescope.traceme_scope", false, \
	     PSC_MODE_BIT(PSC_MODE_TRACEME), PSC_MODE_TRACEME, PSC_SCOPE_MAX, \
	     "who may become the tracer of a child by PTRACE_TRACEME") \
	NAME(READ, "kernel.ptracescope.read_scope", false, \
	     PSC_MODE_BIT(PSC_MODE_READ), PSC_MODE_READ, PSC_SCOPE_MAX, \
	     "who may read /proc/PID/environ, /proc/PID/fd and the like") \
	NAME(BOUNDARY, "kernel.ptracescope.cgroup_boundary", false, \
	     PSC_MODE_BIT(PSC_MODE_BOUNDARY), PSC_MODE_BOUNDARY, 1, \
	     "on or off: attaching into a container from outside requires\n" \
	     "CAP_SYS_PTRACE in the initial user namespace") \
	NAME(FLOOR, PSC_NAME_FLOOR, true, PSC_MODES_YAMA, PSC_MODE_ATTACH, PSC_SCOPE_MAX, \
	     "the lowest attach_scope and traceme_scope until reboot")

enum psc_name_id {
#define PSC_NAME_ID(id, ...) PSC_NAME_ID_##id,
	PSC_NAME_TABLE(PSC_NAME_ID)
#undef PSC_NAME_ID
	PSC_NAMES
};

/* Indexed by enum psc_name_id. */
extern const struct psc_name psc_names[PSC_NAMES];

/*
 * Does an assignment of @new leave nothing of an earlier one of @old? Whoever applies a
 * configuration goes by the order of psc_names[], the broader first, so earlier narrower ones must
 * not be left behind.
 */
bool psc_name_covers(const struct psc_name *new, const struct psc_name *old);

/* The one called exactly @name, or NULL. */
const struct psc_name *psc_name_find(const char *name);

/* The one that is about this mode alone: kernel.ptracescope.read_scope. */
const struct psc_name *psc_name_of_mode(enum psc_mode mode);

/* That one, or the one of which @name is what follows the last dot, or the mode: "read_scope", "read". */
const struct psc_name *psc_name_find_short(const char *name);

/**
 * psc_value_parse - a value of @name as users write it: a number or a word
 * @cgroup: of a cgroup, where a scope may be "siblings" too, by its word alone
 *
 * Return: 0, -EINVAL when @text is neither, -ERANGE when it is a number or word
 * that does not go there. @ret is unwritten on error.
 */
int psc_value_parse(const struct psc_name *name, const char *text, bool cgroup,
		    unsigned int *ret);

/* Is this a value of @name? */
bool psc_value_fits_name(const struct psc_name *name, unsigned int value, bool cgroup);

/* Its word: that of a scope, or "off" and "on"; NULL when @value is none. */
const char *psc_value_word(const struct psc_name *name, unsigned int value);

/* As it can be parsed again: the number, or "siblings". */
const char *psc_value_text(unsigned int value);

#define PSC_LABEL_SIZE 32

/* For people: "1 (restricted)", or "siblings". */
const char *psc_value_label(const struct psc_name *name, unsigned int value,
			    char buf[PSC_LABEL_SIZE]);

#define PSC_VALUES_SIZE 128

/* "0 (classic), 1 (restricted), ...", for messages. */
const char *psc_value_list(const struct psc_name *name, bool cgroup, char buf[PSC_VALUES_SIZE]);

/* Its value under @policy; of a floor, the lowest of the modes it covers. */
unsigned int psc_name_get(const struct psc_name *name, const union psc_policy *policy);

/* The highest floor among these modes (PSC_MODE_BIT()s): what a refused write ran into. */
unsigned int psc_policy_highest_floor(const union psc_policy *policy, __u32 modes);

/* The first of psc_names[] that has a floor; NULL for none. */
const struct psc_name *psc_name_with_floor(const union psc_policy *policy);

/* psc_ctl requests: to set scopes, to raise floors, to take a cgroup's scopes away. */
struct psc_request psc_request_set(__u32 modes, unsigned int value);
struct psc_request psc_request_raise(__u32 modes, unsigned int value);
struct psc_request psc_request_unset(__u32 modes);

/* The one that writes @value to a name. */
struct psc_request psc_name_request(const struct psc_name *name, unsigned int value);

/* Does the policy of a cgroup, as psc_ctl tells it, say anything? */
bool psc_entry_exists(const union psc_policy *entry);

/* "admin", "config", "runtime"; NULL when @origin is none. */
const char *psc_origin_word(unsigned int origin);

/* May that request carry PSC_FLAG_REVOCABLE? Lower scopes are not final, floors always. */
bool psc_name_may_be_revocable(const struct psc_name *name, unsigned int value);

#endif
