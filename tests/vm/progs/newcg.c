/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * newcg DIRECTORY N: make N cgroups below it, one after another, and wait for each until it has
 *	an entry. Prints "N least median most": the microseconds from mkdir(2)'s return.
 *	Exit code: 0, or 1 when one has none within half a minute.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "util.h"

#define N_MAX 10000
#define WAIT_USEC (30 * 1000 * 1000L)

static long now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static int has_entry(struct psc_kernel *kernel, int fd)
{
	struct psc_request info = {
		.abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_CGROUP, .dir_fd = fd,
	};
	int err = psc_kernel_request(kernel, &info);

	return err ? err : info.policy.scope[PSC_MODE_ATTACH] != PSC_SCOPE_INHERIT;
}

/* How long it took; negative: an errno. */
static long make_one(struct psc_kernel *kernel, const char *path)
{
	_cleanup_close_ int fd = -1;
	long made, usec = 0;
	int has = 0;

	if (mkdir(path, 0755) < 0)
		return -errno;
	made = now_usec();
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (!has && usec < WAIT_USEC) {
		has = has_entry(kernel, fd);
		usec = now_usec() - made;
		if (!has)
			sched_yield();
	}
	rmdir(path);
	if (has < 0)
		return has;
	return has ? usec : -ETIMEDOUT;
}

static int ascending(const void *a, const void *b)
{
	const long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	static long usec[N_MAX];
	struct psc_kernel *kernel;
	int n = argc > 2 ? atoi(argv[2]) : 0, err;

	if (n < 1 || n > N_MAX)
		return 2;
	err = psc_kernel_open(PSC_PIN_DIR, &kernel);
	if (err)
		return 1;
	for (int i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/new%d", argv[1], i);
		usec[i] = make_one(kernel, path);
		if (usec[i] < 0) {
			printf("%s: %s\n", path, strerror((int)-usec[i]));
			return 1;
		}
	}
	qsort(usec, (size_t)n, sizeof(*usec), ascending);
	printf("%d %ld %ld %ld\n", n, usec[0], usec[n / 2], usec[n - 1]);
	psc_kernel_close(kernel);
	return 0;
}
