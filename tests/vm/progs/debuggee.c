/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: debuggee
 *
 * A program for a debugger: total is 6 at its end, and that is its exit code.
 */
static volatile int total;

static __attribute__((noipa)) int add(int amount)
{
	total += amount;
	return total;
}

int main(void)
{
	for (int i = 1; i <= 3; i++)
		add(i);
	return total;
}
