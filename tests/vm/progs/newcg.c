/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * newcg DIRECTORY N: make N cgroups below it, one after another, and look whether each has an
 *	entry as soon as mkdir(2) has returned. Exit code: 0, or 1 when one has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "util.h"

/* Return: 1 or 0, or a negative errno. */
static int has_entry(struct psc_kernel *kernel, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct psc_request info = {
		.abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_CGROUP, .dir_fd = fd,
	};
	int err = fd < 0 ? -errno : psc_kernel_request(kernel, &info);

	return err ? err : info.policy.scope[PSC_MODE_ATTACH] != PSC_SCOPE_INHERIT;
}

int main(int argc, char **argv)
{
	struct psc_kernel *kernel;
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (n < 1)
		return 2;
	if (psc_kernel_open(PSC_PIN_DIR, &kernel))
		return 1;
	for (int i = 0; i < n; i++) {
		char path[512];
		int has;

		snprintf(path, sizeof(path), "%s/new%d", argv[1], i);
		has = mkdir(path, 0755) < 0 ? -errno : has_entry(kernel, path);
		rmdir(path);
		if (has > 0)
			continue;
		printf("%s: %s\n", path, has ? strerror(-has) : "no entry");
		return 1;
	}
	psc_kernel_close(kernel);
	return 0;
}
