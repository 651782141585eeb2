/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attack NAME [ARGUMENT...]: one attack by way of system calls that no ordinary tool makes.
 *	Prints "done", or the step that was refused with its errno; exit code 0 or 1.
 * attack --held NAME [ARGUMENT...]: prepares, as one who came before the lock; prints "ready",
 *	and attacks once for every line on standard input.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack/attack.h"

static const struct attack *const groups[] = {
	attacks_on_maps, attacks_on_links, attacks_by_programs, attacks_on_sysctl,
	attacks_on_processes, attacks_on_memory,
};

int failed(const char *step)
{
	int err = -errno;

	printf("%s: %s\n", step, strerror(-err));
	fflush(stdout);
	return err;
}

/* None of them, or EPERM if there was one that may not be opened. */
static int by_name(const char *name, int (*next)(__u32, __u32 *), int (*open_id)(__u32))
{
	int err = ENOENT;
	__u32 id = 0;

	while (!next(id, &id)) {
		/* The name comes first in neither info, so both are asked for as what they are. */
		struct bpf_map_info map = {};
		struct bpf_prog_info prog = {};
		__u32 len = open_id == bpf_map_get_fd_by_id ? sizeof(map) : sizeof(prog);
		void *info = open_id == bpf_map_get_fd_by_id ? (void *)&map : (void *)&prog;
		int fd = open_id(id);

		if (fd < 0) {
			err = errno;
			continue;
		}
		if (!bpf_obj_get_info_by_fd(fd, info, &len) &&
		    (strcmp(map.name, name) == 0 || strcmp(prog.name, name) == 0))
			return fd;
		close(fd);
	}
	errno = err;
	return -err;
}

int map_by_name(const char *name)
{
	return by_name(name, bpf_map_get_next_id, bpf_map_get_fd_by_id);
}

int prog_by_name(const char *name)
{
	return by_name(name, bpf_prog_get_next_id, bpf_prog_get_fd_by_id);
}

static const struct attack *find(const char *name)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		for (const struct attack *a = groups[i]; a->name; a++)
			if (strcmp(a->name, name) == 0)
				return a;
	fprintf(stderr, "attack: no attack '%s'\n", name);
	exit(2);
}

static int run(const struct attack *attack, char **args)
{
	int err = attack->run(args);

	if (!err)
		puts("done");
	fflush(stdout);
	return err;
}

int main(int argc, char **argv)
{
	int held = argc > 1 && strcmp(argv[1], "--held") == 0, c;
	const struct attack *attack = argc > 1 + held ? find(argv[1 + held]) : NULL;
	char **args = argv + 2 + held;

	if (!attack)
		return 2;
	if (attack->prepare && attack->prepare(args))
		return 1;
	if (!held)
		return run(attack, args) ? 1 : 0;
	puts("ready");
	fflush(stdout);
	while ((c = getchar()) != EOF)
		if (c == '\n')
			run(attack, args);
	return 0;
}
