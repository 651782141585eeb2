/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists the threads of a process in /proc. */
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define STAT_MAX 128	/* "PID (COMM) STATE" is at its beginning */

/* Has the task whose directory has this stat ended? */
static bool has_ended(int dir_fd, const char *stat_name)
{
	_cleanup_close_ int fd = openat(dir_fd, stat_name, O_RDONLY | O_CLOEXEC);
	char text[STAT_MAX + 1], *state;
	ssize_t len = fd < 0 ? -1 : read(fd, text, STAT_MAX);

	if (len <= 0)
		return false;
	text[len] = '\0';
	state = strrchr(text, ')');
	return state && state[1] == ' ' && strchr("ZXx", state[2]) && state[2];
}

int psc_threads_file(int dir_fd, const char *name, char **ret)
{
	_cleanup_free_ char *found = NULL;
	struct dirent *entry;
	DIR *stream = NULL;
	int fd;

	if (has_ended(dir_fd, "stat")) {
		fd = openat(dir_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		stream = fd < 0 ? NULL : fdopendir(fd);
		if (!stream)
			psc_closep(&fd);
	}
	while (stream && !found && (entry = readdir(stream))) {
		char stat_name[NAME_MAX + sizeof("/stat")];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(stat_name, sizeof(stat_name), "%s/stat", entry->d_name);
		if (!has_ended(dirfd(stream), stat_name) &&
		    asprintf(&found, "task/%s/%s", entry->d_name, name) < 0) {
			found = NULL;
			break;
		}
	}
	if (stream)
		closedir(stream);
	*ret = found ? TAKE_PTR(found) : strdup(name);
	return *ret ? 0 : -ENOMEM;
}
