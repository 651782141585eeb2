/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detaches and unpins a set of programs, unless a floor is set. */
#include "unload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "log.h"
#include "place.h"
#include "util.h"

int psc_unload_staging(char path[PATH_MAX], const char *dir)
{
	return psc_place_path(path, dir, "staging");
}

int psc_unload_set(const char *dir)
{
	int err = 0, fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		err = errno;
		psc_closep(&fd);
		return err == ENOENT ? 0 : -err;
	}
	while ((entry = readdir(stream))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && !err)
			err = -errno;
	}
	closedir(stream);
	if (!err && rmdir(dir) < 0)
		err = -errno;
	return err;
}

int psc_unload_allowed(struct psc_kernel *kernel)
{
	int locked = psc_kernel_locked(kernel);

	return locked > 0 ? -EACCES : locked;
}

int psc_unload_without_ftrace(const char *done)
{
	return psc_log_err(-EOPNOTSUPP, "kernel.ftrace_enabled is 0: BPF LSM programs have no effect "
			   "and cannot be %s; sysctl -w kernel.ftrace_enabled=1", done);
}

/* Out of their place in one step: a set is either complete there or not there. */
static int move_aside(const char *dir, const char *staging)
{
	int err;

	if (renameat2(AT_FDCWD, dir, AT_FDCWD, staging, RENAME_NOREPLACE) == 0)
		return 0;
	err = -errno;
	/* Somebody has removed it. */
	return err == -ENOENT && access(dir, F_OK) < 0 && errno == ENOENT ? 0 : err;
}

int psc_unload(const char *pin_dir, struct psc_kernel *kernel)
{
	_cleanup_close_ int place = -1;
	char staging[PATH_MAX];
	int err = psc_unload_allowed(kernel);

	if (err)
		return err;
	if (!psc_ftrace_enabled())
		return psc_unload_without_ftrace("detached");
	place = psc_place_open(pin_dir, true);
	if (place < 0)
		return place;
	err = psc_unload_staging(staging, pin_dir);
	if (!err)
		err = psc_unload_set(staging);
	if (!err)
		err = move_aside(pin_dir, staging);
	return err ? err : psc_unload_set(staging);
}
