/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * victim: prints the address of a variable and makes system calls until somebody else has
 *	changed it; prints "changed" then, and goes on.
 */
#include <stdio.h>
#include <unistd.h>

static volatile long variable;

int main(void)
{
	printf("%lx\n", (unsigned long)&variable);
	fflush(stdout);
	while (!variable)
		usleep(10000);
	puts("changed");
	fflush(stdout);
	pause();
	return 0;
}
