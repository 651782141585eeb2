/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl explain ..." */
#include <errno.h>
#include <limits.h>

#include "cli.h"
#include "util.h"

static int parse_pid(const char *text, unsigned int *ret, char **ret_error)
{
	if (psc_parse_u32(text, ret) || !*ret || *ret > INT_MAX)
		return psc_cli_usage(ret_error, "no process id:", text,
				     "; use a number that ps(1) prints");
	return 0;
}

int psc_cli_check_mode(const struct psc_cli *cli, char **ret_error)
{
	if (!cli->mode || psc_mode_parse(cli->mode) >= 0)
		return 0;
	return psc_cli_usage(ret_error, "unknown mode", cli->mode,
			     "; modes are attach, traceme, read");
}

int psc_cli_parse_explain(int n, char *const *words, struct psc_cli *cli, char **ret_error)
{
	int err = psc_cli_check_mode(cli, ret_error);

	if (err)
		return err;
	if (cli->last)
		return n || cli->mode ? psc_cli_usage(ret_error, "neither pids nor --mode can be "
						      "given with", "--last", "") : 0;
	if (!n)
		return psc_cli_usage_of(psc_cli_word_find(psc_cli_words, "explain"), ret_error,
					"missing argument after", "explain");
	if (n == 2)
		err = parse_pid(words[0], &cli->tracer, ret_error);
	return err ? err : parse_pid(words[n - 1], &cli->tracee, ret_error);
}
