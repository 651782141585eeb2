// SPDX-License-Identifier: GPL-2.0-or-later
/* Cgroups with policies of their own, side by side and as deep as wanted. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ptracescope.h"
#include "util.h"

#define TOP "/sys/fs/cgroup/psc-bench"

static char parent[128];	/* of those with entries */
static char home[256];	/* where what is measured lives, "" for nowhere special */

static void make(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		bench_die("%s: %m", path);
}

static void set_entry(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA,
		.want = PSC_WANT(PSC_SCOPE_RESTRICTED), .flags = PSC_FLAG_CGROUP, .dir_fd = fd,
		.origin = PSC_ORIGIN_RUNTIME,
	};
	int err;

	if (fd < 0)
		bench_die("%s: %m", path);
	err = bench_request(&req);
	if (err)
		bench_die("the entry of %s: %s", path, strerror(-err));
}

void bench_cgroups_make(unsigned int n, unsigned int depth, bool every)
{
	char path[160];

	snprintf(parent, sizeof(parent), TOP);
	make(parent);
	if (every)
		set_entry(parent);
	/* Those with entries are one deeper than their parent, which is at level 1. */
	for (unsigned int level = 2; level < depth; level++) {
		strcat(parent, "/p");
		make(parent);
		if (every)
			set_entry(parent);
	}
	for (unsigned int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%u", parent, i);
		if (depth == 1)
			snprintf(path, sizeof(path), TOP "%u", i);
		make(path);
		set_entry(path);
		if (i == 0)
			snprintf(home, sizeof(home), "%s/cgroup.procs", path);
	}
}

void bench_cgroups_remove(unsigned int n, unsigned int depth)
{
	char path[160];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%u", parent, i);
		if (depth == 1)
			snprintf(path, sizeof(path), TOP "%u", i);
		/* Those who were in it may still be on their way out. */
		for (int tries = 0; rmdir(path); tries++) {
			if (errno != EBUSY || tries == 1000)
				bench_die("%s: %m", path);
			usleep(10000);
		}
	}
	for (char *end; strlen(parent) >= strlen(TOP); *end = '\0') {
		rmdir(parent);
		end = strrchr(parent, '/');
	}
	home[0] = '\0';
}

void bench_cgroup_enter(void)
{
	FILE *f = *home ? fopen(home, "we") : NULL;

	if (*home && (!f || fputs("0\n", f) < 0 || fclose(f)))
		bench_die("%s: %m", home);
}
