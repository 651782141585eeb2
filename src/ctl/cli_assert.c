/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl assert ..." */
#include <errno.h>

#include "cli.h"
#include "util.h"

/* Such as "<=", "==" or " = "; @equals is the first "=" in @text. */
static bool has_other_operator(const char *text, const char *equals)
{
	const size_t name = strcspn(text, "=<>!~ \t");

	return text + name + (text[name] == '>') != equals || strpbrk(equals + 1, "=<>!~ \t");
}

/* "NAME>=VALUE" or "NAME=VALUE" */
static int parse_comparison(const char *text, struct psc_cli_assertion *ret, char **ret_error)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *name = NULL;
	size_t len;

	if (!equals || has_other_operator(text, equals))
		return psc_cli_usage(ret_error, "no assertion:", text, "; write 'NAME>=VALUE' with "
				     "quotes, NAME=VALUE, enforcing, or locked; there are no other "
				     "operators, and no blanks");
	len = (size_t)(equals - text);
	ret->claim = len && text[len - 1] == '>' ? PSC_CLAIM_AT_LEAST : PSC_CLAIM_IS;
	name = strndup(text, len - (ret->claim == PSC_CLAIM_AT_LEAST));
	if (!name)
		return -ENOMEM;
	ret->name = psc_name_find_short(name);
	if (!ret->name)
		return psc_cli_unknown_name(name, ret_error);
	return psc_cli_value(ret->name, equals + 1, false, &ret->value, ret_error);
}

int psc_cli_parse_assert(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	int err = 0;

	for (int i = 0; i < n && !err; i++) {
		struct psc_cli_assertion *new = &cli->assertions[cli->n_assertions++];

		new->text = words[i];
		if (streq(words[i], "enforcing"))
			new->claim = PSC_CLAIM_ENFORCING;
		else if (streq(words[i], "locked"))
			new->claim = PSC_CLAIM_LOCKED;
		else
			err = parse_comparison(words[i], new, ret_error);
	}
	return err;
}
