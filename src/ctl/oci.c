/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the state of a container, and finds the cgroup that the container lives in. */
#include "oci.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>

#include "escape.h"
#include "names.h"
#include "util.h"

__attribute__((format(printf, 2, 3)))
static int invalid(char **ret_error, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(ret_error, format, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : -EINVAL;
}

/* The text of an annotation is wrong. */
static int bad_annotation(const char *key, const json_t *value, const char *right,
			  char **ret_error)
{
	_cleanup_free_ char *shown_key = psc_escape(key, strlen(key), 128);
	_cleanup_free_ char *shown = json_is_string(value) ?
		psc_escape(json_string_value(value), json_string_length(value), 64) :
		strdup("(no string)");

	if (!shown_key || !shown)
		return -ENOMEM;
	return invalid(ret_error, "annotation %s=\"%s\": %s", shown_key, shown, right);
}

static int parse_scope(const json_t *value, struct psc_oci *oci, char **ret_error)
{
	const char *text = json_string_value(value);

	if (text && streq(text, "inherit")) {
		oci->wanted = oci->asked = false;
		return 0;
	}
	if (!text || psc_value_parse(psc_name_find(PSC_NAME_YAMA), text, true, &oci->scope))
		return bad_annotation(PSC_OCI_SCOPE, value, "no scope; scopes are 0 (classic), "
				      "siblings, 1 (restricted), 2 (admin-only), 3 (no-attach), "
				      "and inherit for none of its own", ret_error);
	oci->wanted = oci->asked = true;
	return 0;
}

static int parse_lock(const json_t *value, struct psc_oci *oci, char **ret_error)
{
	const char *text = json_string_value(value);

	if (!text || (!streq(text, "true") && !streq(text, "false")))
		return bad_annotation(PSC_OCI_LOCK, value, "must be true or false", ret_error);
	oci->lock = streq(text, "true");
	oci->asked |= oci->lock;
	return 0;
}

static int parse_annotations(json_t *annotations, struct psc_oci *oci, char **ret_error)
{
	const char *key;
	json_t *value;
	int err = 0;

	json_object_foreach(annotations, key, value) {
		if (strncmp(key, PSC_OCI_ANNOTATIONS, strlen(PSC_OCI_ANNOTATIONS)) != 0)
			continue;
		if (streq(key, PSC_OCI_SCOPE))
			err = parse_scope(value, oci, ret_error);
		else if (streq(key, PSC_OCI_LOCK))
			err = parse_lock(value, oci, ret_error);
		else
			err = bad_annotation(key, value, "unknown; there are " PSC_OCI_SCOPE
					     " and " PSC_OCI_LOCK, ret_error);
		if (err)
			return err;
	}
	if (oci->lock && !oci->wanted)
		return invalid(ret_error, "annotation " PSC_OCI_LOCK "=\"true\": there is no scope "
			       "to lock, set " PSC_OCI_SCOPE " as well");
	return 0;
}

/* "creating" is runc's word, "created" crun's. */
static bool is_starting(const char *status)
{
	return streq(status, "creating") || streq(status, "created");
}

static int parse_state(const json_t *state, const unsigned int *fallback, struct psc_oci *oci,
		       char **ret_error)
{
	const char *id = json_string_value(json_object_get(state, "id"));
	const char *status = json_string_value(json_object_get(state, "status"));
	const json_t *pid = json_object_get(state, "pid");
	json_t *annotations = json_object_get(state, "annotations");

	if (!json_is_string(json_object_get(state, "ociVersion")))
		return invalid(ret_error, "standard input: no OCI state: \"ociVersion\" is no string");
	if (!id || !*id)
		return invalid(ret_error, "OCI state: \"id\" is no text");
	if (!status)
		return invalid(ret_error, "OCI state: \"status\" is no string");
	oci->id = strdup(id);
	if (!oci->id)
		return -ENOMEM;
	if (streq(status, "stopped"))
		return 0;
	if (!is_starting(status))
		return invalid(ret_error, "OCI state: \"status\" is neither creating nor created; "
			       "this hook belongs to the stage createRuntime");
	if (!json_is_integer(pid) || json_integer_value(pid) < 1 ||
	    json_integer_value(pid) > INT_MAX)
		return invalid(ret_error, "OCI state: \"pid\" is no process");
	oci->pid = (pid_t)json_integer_value(pid);
	if (annotations && !json_is_null(annotations) && !json_is_object(annotations))
		return invalid(ret_error, "OCI state: \"annotations\" is no object");
	oci->wanted = fallback;
	oci->scope = fallback ? *fallback : 0;
	return parse_annotations(annotations, oci, ret_error);
}

int psc_oci_parse(const char *text, size_t len, const unsigned int *fallback, struct psc_oci *ret,
		  char **ret_error)
{
	json_auto_t *state = NULL;
	json_error_t error;

	*ret = (struct psc_oci){};
	state = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!state)
		return invalid(ret_error, "standard input: no OCI state: no JSON in line %d, column %d",
			       error.line, error.column);
	return parse_state(state, fallback, ret, ret_error);
}

void psc_oci_free(struct psc_oci *oci)
{
	free(oci->id);
	*oci = (struct psc_oci){};
}

/* Is this component called after the container: "ID", "libpod-ID", "crio-ID.scope"? */
static bool called_after(const char *name, size_t len, const char *id)
{
	static const char suffix[] = ".scope";
	size_t id_len = strlen(id), suffix_len = strlen(suffix);

	if (len > suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0)
		len -= suffix_len;
	if (len < id_len || memcmp(name + len - id_len, id, id_len) != 0)
		return false;
	return len == id_len || name[len - id_len - 1] == '-';
}

int psc_oci_cgroup(const char *container, const char *hook, const char *id, char **ret,
		   char **ret_error)
{
	_cleanup_free_ char *found = NULL;
	size_t len = strlen(container), own = len;

	/* "/.." is outside the cgroup namespace. */
	if (container[0] != '/' || psc_path_is_below(container, "/.."))
		return invalid(ret_error, "its cgroup cannot be seen from here; the runtime must "
			       "run in the host's cgroup namespace");
	for (size_t end = len, start; end > 1; end = start) {
		start = end;
		while (container[start - 1] != '/')
			start--;
		if (called_after(container + start, end - start, id)) {
			own = end;
			break;
		}
		start--;
	}
	found = strndup(container, own);
	if (!found)
		return -ENOMEM;
	if (len == 1 || psc_path_is_below(hook, found))
		return invalid(ret_error, "it has no cgroup of its own, which would get the scope");
	*ret = TAKE_PTR(found);
	return 0;
}
