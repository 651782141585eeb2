/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The help of ptracescopectl, made from its tables of commands and options. */
#ifndef PSC_HELP_H
#define PSC_HELP_H

#include <stdio.h>

#include "cli.h"

/* What --help asks for: of one command, of those behind "cgroup", or of all. */
void psc_help_print(FILE *out, const struct psc_cli *cli);

/* For a command line without a command. */
void psc_help_overview(FILE *out);

#endif
