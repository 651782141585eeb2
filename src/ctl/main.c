/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl: read and change what ptracescoped enforces. */
#include <errno.h>

#include "call.h"
#include "cli.h"
#include "command.h"
#include "log.h"
#include "util.h"

/* Of arguments that cannot be parsed. */
static bool wants_json(int argc, char *const *argv)
{
	for (int i = 1; i < argc && !streq(argv[i], "--"); i++)
		if (streq(argv[i], "--json"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *error = NULL;
	struct psc_cli cli;
	int err;

	psc_occupy_standard_descriptors();
	psc_command_begin();
	psc_log_set_name("ptracescopectl");

	err = psc_cli_parse(argc, argv, &cli, &error);
	if (err == -EINVAL) {
		if (wants_json(argc, argv))
			psc_fail_in_json();
		return psc_command_end(psc_fail(PSC_EXIT_USAGE, "%s", error));
	}
	if (err)
		return psc_log_err(PSC_EXIT_FAILED, "%s", strerror(-err));
	return psc_command_run(&cli);
}
