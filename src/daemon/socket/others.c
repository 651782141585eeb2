/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the labels and modes of other security modules from /proc. */
#include "others.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>

#include "escape.h"
#include "util.h"

#define LABEL_MAX 4096

static int add(json_t *others, const char *module, bool may_refuse, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int add(json_t *others, const char *module, bool may_refuse, const char *format, ...)
{
	_cleanup_free_ char *state = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&state, format, ap);
	va_end(ap);
	if (n < 0) {
		state = NULL;
		return -1;
	}
	return json_array_append_new(others, json_pack("{s:s, s:s, s:b}", "module", module,
						       "state", state, "may_refuse", may_refuse));
}

/* A short file, without the blanks at its ends; NULL where there is none. */
static char *read_text(const char *root, const char *path)
{
	_cleanup_free_ char *full = NULL, *text = NULL;

	if (asprintf(&full, "%s%s", root, path) < 0) {
		full = NULL;
		return NULL;
	}
	return psc_read_file(full, LABEL_MAX, &text, NULL) ? NULL : strdup(psc_strip(text));
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, word, len) && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

static int add_yama(json_t *others, const char *root, __u32 mode)
{
	_cleanup_free_ char *text = read_text(root, "/proc/sys/kernel/yama/ptrace_scope");
	unsigned int value = 0;

	if (!text || mode == PSC_MODE_READ)
		return 0;
	if (psc_parse_u32(text, &value))
		return add(others, "yama", true, "its value cannot be read");
	/* Scope 1 leaves TRACEME alone. */
	return add(others, "yama", value > (mode == PSC_MODE_TRACEME), "kernel.yama.ptrace_scope is %u",
		   value);
}

/* A label of a process, to be shown; NULL where it cannot be read. */
static char *label_of(const char *root, const char *module, __u32 pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/attr/%s/current", pid, module);
	text = read_text(root, path);
	if (!text) {
		snprintf(path, sizeof(path), "/proc/%u/attr/current", pid);
		text = read_text(root, path);
	}
	return text ? psc_escape(text, strlen(text), 256) : NULL;
}

static bool is_unconfined(const char *label)
{
	return label && streq(label, "unconfined");
}

/* A module whose rules are about the labels of both sides. */
static int add_labels(json_t *others, const char *root, const char *module, bool idle,
		      const struct psc_explanation *e)
{
	_cleanup_free_ char *tracer = label_of(root, module, e->tracer.pid);
	_cleanup_free_ char *tracee = label_of(root, module, e->tracee.pid);
	bool free = streq(module, "apparmor") && is_unconfined(tracer) && is_unconfined(tracee);

	return add(others, module, !idle && !free, "the tracer is \"%s\", the tracee \"%s\"%s",
		   tracer ? tracer : "?", tracee ? tracee : "?", idle ? "; not enforcing" : "");
}

/* A process can restrict itself only with no_new_privs, or with CAP_SYS_ADMIN. */
static int add_landlock(json_t *others, const struct psc_explain_side *tracer)
{
	bool maybe = tracer->is & PSC_SIDE_NO_NEW_PRIVS;

	return add(others, "landlock", maybe, maybe ?
		   "the tracer has no_new_privs, and may have restricted itself" :
		   "the tracer lacks no_new_privs, and is restricted only if it had CAP_SYS_ADMIN");
}

static int add_modules(json_t *others, const char *root, const struct psc_explanation *e)
{
	_cleanup_free_ char *list = read_text(root, "/sys/kernel/security/lsm");
	_cleanup_free_ char *enforce = read_text(root, "/sys/fs/selinux/enforce");

	if (!list)
		return add(others, "unknown", true, "/sys/kernel/security/lsm cannot be read, so "
			   "other modules may be there");
	if (has_word(list, "apparmor") && add_labels(others, root, "apparmor", false, e))
		return -1;
	if (has_word(list, "selinux") &&
	    add_labels(others, root, "selinux", enforce && streq(enforce, "0"), e))
		return -1;
	if (has_word(list, "smack") && add_labels(others, root, "smack", false, e))
		return -1;
	return has_word(list, "landlock") ? add_landlock(others, &e->tracer) : 0;
}

/* Who calls ptrace(2): the tracee with TRACEME. */
static int add_seccomp(json_t *others, const struct psc_explanation *e)
{
	bool traceme = e->question.mode == PSC_MODE_TRACEME;

	if (!((traceme ? e->tracee.is : e->tracer.is) & PSC_SIDE_FILTERED))
		return 0;
	return add(others, "seccomp", true, "a filter on the %s may refuse the system call",
		   traceme ? "tracee" : "tracer");
}

json_t *psc_others(const char *root, const struct psc_explanation *e)
{
	json_t *others = json_array();

	if (others && !add_seccomp(others, e) && !add_yama(others, root, e->question.mode) &&
	    !add_modules(others, root, e))
		return others;
	json_decref(others);
	return NULL;
}
