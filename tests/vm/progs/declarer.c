/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Become alice, declare that anybody may trace this process, say "ready", wait. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    prctl(PR_SET_DUMPABLE, 1) ||
	    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)) {
		perror("declarer");
		return EXIT_FAILURE;
	}
	puts("ready");
	fflush(stdout);
	pause();
	return EXIT_SUCCESS;
}
