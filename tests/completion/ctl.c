/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescopectl complete, with directories in place of cgroups: $CGROUPS. */
#include <fcntl.h>

#include "complete.h"
#include "util.h"

int main(int argc, char **argv)
{
	const char *mount = getenv("CGROUPS");
	struct psc_cgroups cgroups = { .mount = mount };

	if (!mount || argc < 2 || !streq(argv[1], "complete"))
		return 1;
	cgroups.root_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	psc_complete(&(struct psc_completion){ &cgroups, "/proc", stdout }, argc - 2, argv + 2);
	psc_cgroups_close(&cgroups);
	return 0;
}
