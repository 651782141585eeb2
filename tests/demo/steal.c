/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steal PID: look for a line that begins with "secret: " in another process's
 * writable memory, with nothing but process_vm_readv(2).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

int main(int argc, char **argv)
{
	const char *wanted = "secret: ";
	char path[64], line[512];
	int pid = argc == 2 ? atoi(argv[1]) : 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps) {
		printf("steal: %s: %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof(line), maps)) {
		unsigned long begin, end;
		struct iovec local, remote;
		char mode[8], *memory, *found;
		ssize_t n;

		if (sscanf(line, "%lx-%lx %7s", &begin, &end, mode) != 3 || strncmp(mode, "rw", 2))
			continue;
		memory = malloc(end - begin);
		if (!memory)
			return EXIT_FAILURE;
		local = (struct iovec){ memory, end - begin };
		remote = (struct iovec){ (void *)begin, end - begin };
		n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
		if (n < 0 && errno != EFAULT) {
			printf("steal: process_vm_readv(%d): %s\n", pid, strerror(errno));
			return EXIT_FAILURE;
		}
		found = n > 0 ? memmem(memory, (size_t)n, wanted, strlen(wanted)) : NULL;
		if (found) {
			printf("steal: found \"%.*s\" in the memory of %d\n",
			       (int)strnlen(found, (size_t)(memory + n - found)), found, pid);
			return EXIT_SUCCESS;
		}
		free(memory);
	}
	printf("steal: found nothing\n");
	return EXIT_FAILURE;
}
