/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of ptracescopectl, one a line. */
#include "fuzz.h"

#include <errno.h>

#include "cli.h"
#include "names.h"

#define ARGUMENTS 12

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void check_cli(const struct psc_cli *cli)
{
	const bool of_cgroup = cli->command == PSC_CLI_CGROUP_SET ||
			       cli->command == PSC_CLI_CGROUP_LOCK;

	CHECK((unsigned int)cli->command <= PSC_CLI_VERSION);
	if (cli->command == PSC_CLI_SET || cli->command == PSC_CLI_CGROUP_SET) {
		CHECK(cli->name);
		CHECK(psc_value_fits_name(cli->name, cli->value, of_cgroup));
		/* It can be told. */
		psc_cli_final(cli->name, cli->value, cli->revocable);
	}
	if (cli->command == PSC_CLI_CGROUP_SET || cli->command == PSC_CLI_CGROUP_LOCK ||
	    cli->command == PSC_CLI_CGROUP_UNSET)
		CHECK(!cli->cgroup != !cli->pid);
	CHECK(cli->socket && strlen(cli->socket) < PSC_CLI_SOCKET_MAX);
	CHECK(!(cli->names >> PSC_NAMES));
	if (cli->has_fallback)
		CHECK(cli->command == PSC_CLI_OCI_HOOK && psc_scope_word(cli->fallback));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *argv[ARGUMENTS + 2] = { strdup("ptracescopectl") }, *error = NULL;
	struct psc_cli cli;
	int argc = 1, err;

	while (in.size && argc <= ARGUMENTS)
		argv[argc++] = take_until(&in, '\n', NULL);
	err = psc_cli_parse(argc, argv, &cli, &error);
	CHECK(err == 0 || err == -EINVAL);
	CHECK(!err == !error);
	if (error) {
		check_printable(error);
		CHECK(!strchr(error, '\n'));
	} else if (cli.command != PSC_CLI_HELP && cli.command != PSC_CLI_VERSION) {
		check_cli(&cli);
	}
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	free(error);
	return 0;
}
