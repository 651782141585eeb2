// SPDX-License-Identifier: GPL-2.0-or-later
/* How a row is measured: in batches, in a process of its own. */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

bool bench_least;

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double cost_of(const struct bench_row *row, bool least)
{
	double costs[BENCH_BATCHES];

	/* The first batch warms up. */
	for (int i = -1; i < BENCH_BATCHES; i++) {
		double start = bench_clock();

		for (unsigned int j = 0; j < row->times; j++)
			row->once();
		if (i >= 0)
			costs[i] = (bench_clock() - start) / row->times;
	}
	qsort(costs, BENCH_BATCHES, sizeof(costs[0]), compare);
	return costs[least ? 0 : BENCH_BATCHES / 2];
}

int bench_row_main(char **arguments)
{
	const struct bench_row *row = &bench_rows[atoi(arguments[0])];
	int tell = atoi(arguments[2]);
	double cost;

	bench_row_begin(row, (enum bench_system)atoi(arguments[1]), (pid_t)atoi(arguments[3]));
	cost = cost_of(row, atoi(arguments[4]));
	if (write(tell, &cost, sizeof(cost)) != sizeof(cost))
		return EXIT_FAILURE;
	for (;;)
		pause();
}

static void __attribute__((noreturn))
run_row(const struct bench_row *row, enum bench_system system, int tell)
{
	char index[24], who[16], fd[16], first[16], least[16];

	setsid();
	bench_cgroup_enter();
	snprintf(index, sizeof(index), "%td", row - bench_rows);
	snprintf(who, sizeof(who), "%d", (int)system);
	snprintf(fd, sizeof(fd), "%d", tell);
	snprintf(first, sizeof(first), "%d", bench_crowd_first());
	snprintf(least, sizeof(least), "%d", bench_least);
	execl("/proc/self/exe", "bench", "row", index, who, fd, first, least, NULL);
	bench_die("exec: %m");
}

double bench_measure(const struct bench_row *row, enum bench_system system)
{
	int tell[2], status;
	double cost;
	pid_t child;

	if (pipe(tell))
		bench_die("pipe: %m");
	fflush(stdout);
	child = fork();
	if (child < 0)
		bench_die("fork: %m");
	if (child == 0)
		run_row(row, system, tell[1]);
	close(tell[1]);
	if (read(tell[0], &cost, sizeof(cost)) != sizeof(cost))
		bench_die("%s was not measured", row->name);
	close(tell[0]);
	/* Orphans come to us, who are their reaper; the crowd is none of them. */
	kill(-child, SIGKILL);
	while (waitpid(-child, &status, 0) > 0)
		;
	if (row->refused)
		sleep(BENCH_REPORTING_S);
	return cost;
}
