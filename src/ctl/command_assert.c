/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl assert ...": for monitoring, by its exit code. */
#include "command.h"

#include "answer.h"
#include "call.h"
#include "json.h"
#include "offline.h"
#include "show.h"
#include "util.h"

/* @policy: one that psc_is_policy() has seen */
static union psc_policy read_policy(const json_t *policy)
{
	union psc_policy ret = {};

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		const json_t *pair = json_object_get(policy, psc_mode_word(mode));

		ret.scope[mode] = (__u8)psc_show_number(pair, "scope");
		ret.floor[mode] = (__u8)psc_show_number(pair, "floor");
	}
	return ret;
}

/* As after "lock": until reboot, nothing below what is in force. */
static bool is_locked(const union psc_policy *policy)
{
	bool any = false;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		if (policy->floor[mode] != policy->scope[mode])
			return false;
		any |= policy->floor[mode] != 0;
	}
	return any;
}

/* Where the programs are not in force, nothing is. */
static bool holds(const struct psc_cli_assertion *assertion, bool enforcing,
		  const union psc_policy *policy)
{
	if (!enforcing)
		return false;
	switch (assertion->claim) {
	case PSC_CLAIM_IS:
		return psc_name_get(assertion->name, policy) == assertion->value;
	case PSC_CLAIM_AT_LEAST:
		return psc_name_get(assertion->name, policy) >= assertion->value;
	case PSC_CLAIM_ENFORCING:
		return true;
	case PSC_CLAIM_LOCKED:
		return is_locked(policy);
	}
	return false;
}

static void tell(const struct psc_cli_assertion *assertion, bool good, bool enforcing,
		 const union psc_policy *policy)
{
	char label[PSC_LABEL_SIZE];

	printf("%s  %s", good ? "holds" : "FAILS", assertion->text);
	if (assertion->name)
		printf(": %s", psc_value_label(assertion->name,
					       psc_name_get(assertion->name, policy), label));
	puts(enforcing ? "" : "; the programs are not in force");
}

static json_t *assertion_json(const struct psc_cli_assertion *assertion, bool good,
			      const union psc_policy *policy)
{
	return json_pack("{s:o, s:b, s:o*}", "assertion", psc_json_text(assertion->text),
			 "holds", good, "value", assertion->name ?
			 json_integer(psc_name_get(assertion->name, policy)) : NULL);
}

static enum psc_cli_exit judge(const struct psc_cli *cli, const json_t *status)
{
	const bool enforcing = json_is_true(json_object_get(status, "enforcing"));
	const union psc_policy policy = read_policy(json_object_get(status, "policy"));
	enum psc_cli_exit code = PSC_EXIT_DONE, printed = PSC_EXIT_DONE;
	json_t *all = cli->json ? json_array() : NULL;

	for (unsigned int i = 0; i < cli->n_assertions; i++) {
		const struct psc_cli_assertion *assertion = &cli->assertions[i];
		const bool good = holds(assertion, enforcing, &policy);

		if (!good)
			code = PSC_EXIT_FAILED;
		if (all)
			json_array_append_new(all, assertion_json(assertion, good, &policy));
		else if (cli->verbose)
			tell(assertion, good, enforcing, &policy);
	}
	if (all)
		printed = psc_print_json(all);
	return printed == PSC_EXIT_DONE ? code : printed;
}

static enum psc_cli_exit assert_offline(const struct psc_cli *cli, int err, json_t **ret)
{
	return psc_offline_status(cli, err, ret);
}

enum psc_cli_exit psc_command_assert(const struct psc_cli *cli)
{
	static const char method[] = PSC_METHOD("Status");
	json_t *status = NULL;
	enum psc_cli_exit code = psc_call_or(cli, method, json_object(), assert_offline, &status);

	if (code != PSC_EXIT_DONE)
		return code;
	if (json_is_boolean(json_object_get(status, "enforcing")) &&
	    psc_is_policy(json_object_get(status, "policy")))
		code = judge(cli, status);
	else
		code = psc_unexpected(method);
	json_decref(status);
	return code;
}
