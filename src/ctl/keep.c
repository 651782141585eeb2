/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --persist: which lines the commands write and remove, and "unset". */
#include "keep.h"

#include <errno.h>

#include "answer.h"
#include "call.h"
#include "command.h"
#include "escape.h"
#include "log.h"
#include "ptracescope_policy.h"
#include "show.h"
#include "util.h"

static bool is_cgroup(const struct psc_cli *cli)
{
	return cli->cgroup || cli->pid;
}

/* The pattern of the section; NULL globally. */
static enum psc_cli_exit find_pattern(const struct psc_cli *cli, char **ret)
{
	_cleanup_free_ char *name = NULL, *path = NULL, *shown = NULL;
	enum psc_cli_exit code;
	int err;

	*ret = NULL;
	if (!is_cgroup(cli))
		return PSC_EXIT_DONE;
	name = psc_command_cgroup_name(cli, &code);
	if (!name)
		return code;
	err = psc_dropin_pattern(name, ret, &path);
	if (!err)
		return PSC_EXIT_DONE;
	shown = psc_escape(name, strlen(name), 256);
	if (err != -EINVAL || !shown)
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	return psc_fail(PSC_EXIT_FAILED, "cgroup '%s': no section of ptracescope.conf(5) can be for "
			"this name, so --persist cannot keep its settings; nothing changed", shown);
}

/* Prepare changes that are all of what the command is for. */
static enum psc_cli_exit keep(const struct psc_cli *cli, struct psc_persist *persist,
			      struct psc_dropin_change *changes, size_t n)
{
	_cleanup_free_ char *pattern = NULL;
	enum psc_cli_exit code;

	if (!cli->persist)
		return PSC_EXIT_DONE;
	code = find_pattern(cli, &pattern);
	if (code != PSC_EXIT_DONE)
		return code;
	for (size_t i = 0; i < n; i++)
		changes[i].pattern = pattern;
	return psc_persist_prepare(persist, changes, n);
}

enum psc_cli_exit psc_keep_setting(const struct psc_cli *cli, struct psc_persist *persist)
{
	struct psc_dropin_change changes[] = {
		{ .name = cli->name, .value = cli->value, .sticky = cli->sticky,
		  .not_sticky = cli->not_sticky },
		{ .name = psc_name_find(PSC_NAME_FLOOR), .value = cli->value },
	};

	return keep(cli, persist, changes, cli->lock && !cli->name->floor ? 2 : 1);
}

enum psc_cli_exit psc_keep_unset(const struct psc_cli *cli, struct psc_persist *persist)
{
	struct psc_dropin_change change = { .name = cli->name, .remove = true };

	return keep(cli, persist, &change, 1);
}

/* The lower one of attach and traceme. */
static unsigned int lowest(const json_t *policy, const char *key)
{
	unsigned int attach = psc_show_part(policy, PSC_MODE_ATTACH, key);
	unsigned int traceme = psc_show_part(policy, PSC_MODE_TRACEME, key);

	return psc_scope_rank(attach) < psc_scope_rank(traceme) ? attach : traceme;
}

/* Ask for the scopes in force, which are to be locked. */
static enum psc_cli_exit ask_present(const struct psc_cli *cli, unsigned int *ret)
{
	const char *method = is_cgroup(cli) ? PSC_METHOD("CgroupGet") : PSC_METHOD("Status");
	_cleanup_free_ char *name = NULL;
	json_t *reply = NULL;
	const json_t *policy;
	enum psc_cli_exit code = PSC_EXIT_DONE;

	if (is_cgroup(cli))
		name = psc_command_cgroup_name(cli, &code);
	if (code == PSC_EXIT_DONE)
		code = psc_call(cli, method, json_pack("{s:s*}", "cgroup", name), &reply);
	if (code != PSC_EXIT_DONE)
		return code;
	policy = is_cgroup(cli) ? json_object_get(json_object_get(reply, "cgroup"), "effective") :
				  json_object_get(reply, "policy");
	if (psc_is_policy(policy))
		*ret = lowest(policy, "scope");
	else
		code = psc_unexpected(method);
	json_decref(reply);
	if (code == PSC_EXIT_DONE && !*ret)
		return psc_fail(PSC_EXIT_FAILED, "the scope of attach or traceme is 0 (classic), so "
				"there is no floor that --persist can keep; nothing changed; set one "
				"first, or do without --persist");
	return code;
}

enum psc_cli_exit psc_keep_lock(const struct psc_cli *cli, struct psc_persist *persist,
				unsigned int *ret_floor)
{
	struct psc_cli level = *cli;
	enum psc_cli_exit code = PSC_EXIT_DONE;

	if (!cli->persist)
		return PSC_EXIT_DONE;
	if (cli->present)
		code = ask_present(cli, &level.value);
	*ret_floor = level.value;
	return code == PSC_EXIT_DONE ? psc_keep_setting(&level, persist) : code;
}

/* On a terminal: what is not asked for may be forgotten. */
static void tell_end(const struct psc_cli *cli)
{
	if (cli->json || !isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO))
		return;
	if (is_cgroup(cli))
		psc_info("ends with the cgroup or at reboot; to keep it: --persist");
	else
		psc_info("ends at reboot; to keep it: --persist");
}

enum psc_cli_exit psc_keep_end(const struct psc_cli *cli, struct psc_persist *persist,
			       enum psc_cli_exit code)
{
	if (code != PSC_EXIT_DONE)
		return code;
	if (!cli->persist) {
		tell_end(cli);
		return code;
	}
	code = psc_persist_commit(persist);
	if (code != PSC_EXIT_DONE || cli->json)
		return code;
	printf("kept in %s\n", PSC_DROPIN_PATH);
	if (is_cgroup(cli))
		puts("cgroups of this name that are made before the next boot get it after: "
		     "ptracescopectl reload");
	return code;
}

/* The floors that the configuration has no words for. */
static void tell_rest(const json_t *policy, unsigned int floor)
{
	const char *before = "not kept:";

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		unsigned int value = psc_show_part(policy, mode, "floor");
		bool has = PSC_MODES_YAMA & PSC_MODE_BIT(mode);
		char label[PSC_LABEL_SIZE];

		if (psc_scope_rank(value) <= psc_scope_rank(has ? floor : 0))
			continue;
		printf("%s %s %s", before, psc_mode_word(mode),
		       psc_value_label(psc_name_of_mode((enum psc_mode)mode), value, label));
		before = ",";
	}
	if (*before == ',')
		puts("; the configuration has one floor, for attach and traceme");
}

enum psc_cli_exit psc_keep_lock_end(const struct psc_cli *cli, struct psc_persist *persist,
				    unsigned int floor, const json_t *policy)
{
	enum psc_cli_exit code;

	if (cli->persist && cli->present && lowest(policy, "floor") != floor)
		return psc_fail(PSC_EXIT_FAILED, "locked until reboot, but not in %s: another process "
				"changed the policy at the same time; repeat the command",
				PSC_DROPIN_PATH);
	code = psc_keep_end(cli, persist, PSC_EXIT_DONE);
	if (code == PSC_EXIT_DONE && cli->persist && !cli->json)
		tell_rest(policy, floor);
	return code;
}

/* What the next boot sets then, and by which line. */
static enum psc_cli_exit tell_next(const struct psc_cli *cli, const struct psc_persist *persist)
{
	const struct psc_name *name = cli->name;
	unsigned int value = psc_name_get(name, &persist->next);
	char label[PSC_LABEL_SIZE];

	if (cli->json)
		return psc_print_json(json_pack("{s:s, s:b, s:i}", "name", name->name, "removed",
						persist->changed, "next", (int)value));
	psc_value_label(name, value, label);
	if (persist->changed)
		printf("%s: removed from %s; from the next boot on %s\n", name->name,
		       PSC_DROPIN_PATH, label);
	else
		printf("%s: not in %s; from the next boot on %s\n", name->name, PSC_DROPIN_PATH,
		       label);
	return PSC_EXIT_DONE;
}

enum psc_cli_exit psc_command_unset(const struct psc_cli *cli)
{
	_cleanup_persist_ struct psc_persist persist = PSC_PERSIST_NONE;
	enum psc_cli_exit code = psc_keep_unset(cli, &persist);

	if (code == PSC_EXIT_DONE)
		code = psc_persist_commit(&persist);
	return code == PSC_EXIT_DONE ? tell_next(cli, &persist) : code;
}
