/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl: read and change what ptracescoped enforces. */
#include <errno.h>
#include <signal.h>

#include "cli.h"
#include "command.h"
#include "log.h"
#include "util.h"

int main(int argc, char **argv)
{
	_cleanup_free_ char *error = NULL;
	struct psc_cli cli;
	int err;

	psc_occupy_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);	/* a closed pipe is a write error like others */
	psc_log_set_name("ptracescopectl");

	err = psc_cli_parse(argc, argv, &cli, &error);
	if (err == -EINVAL) {
		psc_log(LOG_ERR, "%s; see 'ptracescopectl --help'", error);
		return PSC_EXIT_USAGE;
	}
	if (err)
		return psc_log_err(PSC_EXIT_FAILED, "%s", strerror(-err));
	return psc_command_run(&cli);
}
