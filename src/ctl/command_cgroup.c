/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl cgroup ..." */
#include "command.h"

#include <errno.h>
#include <stdint.h>

#include "answer.h"
#include "call.h"
#include "cgroup.h"
#include "escape.h"
#include "keep.h"
#include "show.h"
#include "util.h"

/* The cgroup that the command is about, as a new string. */
static enum psc_cli_exit cgroup_json(const struct psc_cli *cli, json_t **ret)
{
	_cleanup_free_ char *path = NULL;
	int err = cli->pid ? psc_cgroup_of_pid("/proc", cli->pid, &path) : 0;

	switch (err) {
	case 0:
		break;
	case -ESRCH:
		return psc_fail(PSC_EXIT_FAILED, "there is no process %u", cli->pid);
	case -ENODEV:
		return psc_fail(PSC_EXIT_FAILED, "process %u is in no cgroup of cgroup2: %s",
				cli->pid, psc_cgroup_trouble_text(PSC_CGROUP_UNMOUNTED));
	case -EXDEV:
		return psc_fail(PSC_EXIT_FAILED, "in a cgroup namespace, as here, --pid cannot "
				"tell which cgroup process %u is in; use its path", cli->pid);
	default:
		return psc_fail(PSC_EXIT_FAILED, "the cgroup of process %u: %s", cli->pid,
				strerror(-err));
	}
	*ret = json_string(path ? path : cli->cgroup);
	return *ret ? PSC_EXIT_DONE : psc_fail(PSC_EXIT_USAGE, "the name of the cgroup is not UTF-8, "
					       "so it has no place in a call; take one above it, "
					       "or a section of ptracescope.conf(5)");
}

char *psc_command_cgroup_name(const struct psc_cli *cli, enum psc_cli_exit *ret_code)
{
	json_t *json = NULL;
	char *name = NULL;

	*ret_code = cgroup_json(cli, &json);
	if (*ret_code != PSC_EXIT_DONE)
		return NULL;
	name = strdup(json_string_value(json));
	json_decref(json);
	if (!name)
		*ret_code = psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	return name;
}

/*
 * Call @method about the cgroup, with the other @parameters, which are taken over.
 * @ret: the Cgroup in the answer, to be freed
 */
static enum psc_cli_exit call_cgroup(const struct psc_cli *cli, const char *method,
				     json_t *parameters, json_t **ret)
{
	json_t *cgroup = NULL, *reply = NULL;
	enum psc_cli_exit code = parameters ? cgroup_json(cli, &cgroup) :
					      psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));

	if (code != PSC_EXIT_DONE) {
		json_decref(parameters);
		return code;
	}
	json_object_set_new(parameters, "cgroup", cgroup);
	code = psc_call(cli, method, parameters, &reply);
	if (code != PSC_EXIT_DONE)
		return code;
	cgroup = json_object_get(reply, "cgroup");
	*ret = psc_is_cgroup(cgroup) ? json_incref(cgroup) : NULL;
	json_decref(reply);
	return *ret ? PSC_EXIT_DONE : psc_unexpected(method);
}

/* What is in effect there for @name. Return: whether the daemon said so. */
static bool effective(const json_t *cgroup, const struct psc_name *name, unsigned int *ret)
{
	const json_t *modes = json_object_get(cgroup, "effective");
	union psc_policy policy = {};

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const json_t *of = json_object_get(modes, psc_mode_word(mode));
		json_int_t scope = psc_show_number(of, "scope"), floor = psc_show_number(of, "floor");

		if (!(name->modes & PSC_MODE_BIT(mode)))
			continue;
		if (scope < 0 || scope > UINT8_MAX || floor < 0 || floor > UINT8_MAX)
			return false;
		policy.scope[mode] = (__u8)scope;
		policy.floor[mode] = (__u8)floor;
	}
	*ret = psc_name_get(name, &policy);
	return psc_value_fits_name(name, *ret, true);
}

/* Print an answer; @bare: the value of a name alone. Takes over @cgroup. */
static enum psc_cli_exit print_value(const struct psc_cli *cli, json_t *cgroup, bool bare,
				     const char *method)
{
	_cleanup_free_ char *path = psc_show_path(cgroup, "path");
	enum psc_cli_exit code = PSC_EXIT_DONE;
	unsigned int value;

	if (cli->json && !bare)
		return psc_print_json(cgroup);
	if (!path)
		code = psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	else if (!effective(cgroup, cli->name, &value))
		code = psc_unexpected(method);
	else if (cli->json)
		code = psc_print_json(json_pack("{s:s, s:i}", "name", cli->name->name,
						"value", (int)value));
	else if (bare)
		puts(psc_value_text(value));
	else
		printf("%s: %s = %s\n", path, cli->name->name, psc_value_text(value));
	json_decref(cgroup);
	return code;
}

enum psc_cli_exit psc_command_cgroup_get(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("CgroupGet");
	json_t *cgroup;
	json_t *parameters = cli->pid ? json_pack("{s:i}", "pid", (int)cli->pid) : json_object();
	enum psc_cli_exit code = call_cgroup(cli, method, parameters, &cgroup);

	if (code != PSC_EXIT_DONE)
		return code;
	if (cli->name)
		return print_value(cli, cgroup, true, method);
	if (cli->json)
		return psc_print_json(cgroup);
	if (psc_show_cgroup(stdout, cgroup))
		code = psc_unexpected(method);
	json_decref(cgroup);
	return code;
}

static enum psc_cli_exit set(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("CgroupSet");
	bool final = cli->value && (cli->lock || cli->name->floor ||
				    psc_cli_final(cli->name, cli->value, cli->revocable));
	_cleanup_persist_ struct psc_persist persist = PSC_PERSIST_NONE;
	_cleanup_free_ char *what = NULL;
	json_t *cgroup;
	enum psc_cli_exit code;
	int n;

	if (cli->pid)
		n = asprintf(&what, "%s of the cgroup of process %u", cli->name->name, cli->pid);
	else
		n = asprintf(&what, "%s of the cgroup %s", cli->name->name, cli->cgroup);
	if (n < 0) {
		what = NULL;
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	}
	if (final && !psc_confirmed(cli, what, cli->value))
		return psc_fail(PSC_EXIT_FAILED, "not confirmed, nothing changed");
	code = psc_keep_setting(cli, &persist);
	if (code != PSC_EXIT_DONE)
		return code;
	code = call_cgroup(cli, method,
			   json_pack("{s:s, s:i, s:b, s:b, s:o*}", "name", cli->name->name,
				     "value", (int)cli->value, "revocable", cli->revocable,
				     "lock", cli->lock, "sticky",
				     cli->sticky || cli->not_sticky ? json_boolean(cli->sticky) :
								      NULL), &cgroup);
	if (code == PSC_EXIT_DONE)
		code = print_value(cli, cgroup, false, method);
	return psc_keep_end(cli, &persist, code);
}

enum psc_cli_exit psc_command_cgroup_set(const struct psc_cli *cli)
{
	return set(cli);
}

/* Why the file can be changed although the cgroup is not; NULL where it cannot. */
static const char *why_later(const struct psc_answer *answer)
{
	const char *reason = json_string_value(json_object_get(answer->parameters, "reason"));

	if (streq(answer->error, PSC_METHOD("Locked")))
		return "the setting stays until reboot, because the cgroup has a floor";
	if (streq(answer->error, PSC_METHOD("CgroupError")) && reason && streq(reason, "absent"))
		return "there is no such cgroup now";
	return NULL;
}

/* With --persist. @ret: the Cgroup, or NULL where it stays as it is, for the reason *ret_why. */
static enum psc_cli_exit try_unset(const struct psc_cli *cli, const char *method,
				   json_t *parameters, json_t **ret, const char **ret_why)
{
	struct psc_answer answer;
	json_t *name = NULL, *cgroup;
	enum psc_cli_exit code = cgroup_json(cli, &name);
	int err;

	if (code != PSC_EXIT_DONE) {
		json_decref(parameters);
		return code;
	}
	json_object_set_new(parameters, "cgroup", name);
	err = psc_client_call(cli->socket, method, parameters, PSC_CLIENT_TIMEOUT_MS, &answer);
	if (err)
		return psc_no_answer(cli, err);
	cgroup = json_object_get(answer.parameters, "cgroup");
	*ret = NULL;
	*ret_why = answer.error ? why_later(&answer) : NULL;
	if (answer.error && !*ret_why)
		code = psc_refused(cli, &answer);
	else if (!answer.error && !psc_is_cgroup(cgroup))
		code = psc_unexpected(method);
	else if (!answer.error)
		*ret = json_incref(cgroup);
	psc_answer_free(&answer);
	return code;
}

static enum psc_cli_exit end_unset(const struct psc_cli *cli, struct psc_persist *persist)
{
	enum psc_cli_exit code = psc_persist_commit(persist);

	if (code != PSC_EXIT_DONE || cli->json)
		return code;
	printf("%s %s\n", persist->changed ? "removed from" : "not in", PSC_DROPIN_PATH);
	return code;
}

enum psc_cli_exit psc_command_cgroup_unset(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("CgroupUnset");
	_cleanup_persist_ struct psc_persist persist = PSC_PERSIST_NONE;
	json_t *parameters, *cgroup = NULL;
	const char *why = "the floor stays until reboot";
	struct psc_cli shown = *cli;
	enum psc_cli_exit code = psc_keep_unset(cli, &persist);

	if (code != PSC_EXIT_DONE)
		return code;
	parameters = json_pack("{s:s*}", "name", cli->name ? cli->name->name : NULL);
	if (cli->name && cli->name->floor)	/* only the file can be without it */
		json_decref(parameters);
	else if (cli->persist)
		code = try_unset(cli, method, parameters, &cgroup, &why);
	else
		code = call_cgroup(cli, method, parameters, &cgroup);
	if (!shown.name)
		shown.name = psc_name_find(PSC_NAME_YAMA);
	if (code == PSC_EXIT_DONE && cgroup)
		code = print_value(&shown, cgroup, false, method);
	else if (code == PSC_EXIT_DONE && cli->json)
		code = psc_print_json(json_null());
	else if (code == PSC_EXIT_DONE)
		puts(why);
	return code == PSC_EXIT_DONE && cli->persist ? end_unset(cli, &persist) : code;
}

/* Without a level: at what holds there now. */
enum psc_cli_exit psc_command_cgroup_lock(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("CgroupLock");
	_cleanup_persist_ struct psc_persist persist = PSC_PERSIST_NONE;
	unsigned int kept = 0;
	json_t *cgroup;
	enum psc_cli_exit code;

	if (!cli->present)
		return set(cli);
	if (!psc_confirmed(cli, "everything that is in force for that cgroup now", 0))
		return psc_fail(PSC_EXIT_FAILED, "not confirmed, nothing changed");
	code = psc_keep_lock(cli, &persist, &kept);
	if (code != PSC_EXIT_DONE)
		return code;
	code = call_cgroup(cli, method, json_object(), &cgroup);
	if (code != PSC_EXIT_DONE)
		return code;
	if (!psc_is_policy(json_object_get(cgroup, "effective")))
		code = psc_unexpected(method);
	else if (cli->json)
		code = psc_print_json(json_incref(cgroup));
	else
		psc_show_lock(stdout, NULL, json_object_get(cgroup, "effective"));
	if (code == PSC_EXIT_DONE)
		code = psc_keep_lock_end(cli, &persist, kept, json_object_get(cgroup, "effective"));
	json_decref(cgroup);
	return code;
}

enum psc_cli_exit psc_command_cgroup_release(const struct psc_cli *cli)
{
	json_t *reply;
	enum psc_cli_exit code = psc_call(cli, PSC_METHOD("CgroupRelease"),
					  json_pack("{s:i}", "pid", (int)cli->pid), &reply);

	if (code == PSC_EXIT_DONE)
		json_decref(reply);
	return code;
}

/* Add one part of the list to @all; *after is where the next begins, freed at the end. */
static enum psc_cli_exit fetch_part(const struct psc_cli *cli, json_t *all, json_t **after,
				    json_int_t *ret_entries)
{
	static const char method[] = PSC_METHOD("CgroupList");
	json_t *reply = NULL, *cgroups;
	enum psc_cli_exit code = psc_call(cli, method, json_pack("{s:o*}", "after", *after),
					  &reply);

	*after = NULL;
	if (code != PSC_EXIT_DONE)
		return code;
	cgroups = json_object_get(reply, "cgroups");
	*ret_entries = psc_show_number(reply, "entries");
	if (!psc_is_cgroups(cgroups) || json_array_extend(all, cgroups))
		code = psc_unexpected(method);
	else
		*after = json_incref(json_object_get(reply, "next"));
	json_decref(reply);
	return code;
}

enum psc_cli_exit psc_command_cgroup_list(const struct psc_cli *cli)
{
	json_t *all = json_array(), *after = NULL;
	json_int_t entries = 0;
	enum psc_cli_exit code;

	do {
		code = fetch_part(cli, all, &after, &entries);
	} while (code == PSC_EXIT_DONE && json_is_string(after) &&
		 (json_int_t)json_array_size(all) < entries);
	json_decref(after);
	if (code == PSC_EXIT_DONE)
		all = psc_show_by_path(all);
	if (code == PSC_EXIT_DONE && cli->json)
		return psc_print_json(all);
	if (code == PSC_EXIT_DONE && psc_show_cgroups(stdout, all))
		code = psc_unexpected(PSC_METHOD("CgroupList"));
	json_decref(all);
	return code;
}
