/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes, checks and locks the directory beside the pins. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>

#include "log.h"
#include "ptracescope.h"
#include "util.h"

#define LOCK_TRIES 100		/* 10 ms apart */

const char *psc_place_pins(void)
{
	struct stat seen, bound;
	struct statfs fs;

	if (statfs(PSC_BPFFS, &fs) == 0 && (fs.f_flags & ST_RDONLY) &&
	    stat(PSC_BPFFS, &seen) == 0 && stat(PSC_BPFFS_BOUND, &bound) == 0 &&
	    seen.st_dev == bound.st_dev && seen.st_ino == bound.st_ino)
		return PSC_BPFFS_BOUND "/ptracescope";
	return PSC_PIN_DIR;
}

int psc_place_path(char path[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s" PSC_PLACE_SUFFIX "%s%s", dir, name ? "/" : "",
			 name ? name : "");

	return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

bool psc_place_is_safe(const struct stat *parent)
{
	return S_ISDIR(parent->st_mode) && parent->st_uid == 0 &&
	       (!(parent->st_mode & 022) || (parent->st_mode & S_ISVTX));
}

bool psc_place_is_own(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && st->st_uid == 0 && !(st->st_mode & 077);
}

/* Somebody has been there first, or has let others in. */
static int refuse(const char *path, const char *parent, const struct stat *st)
{
	return psc_log_err(-EUCLEAN, "%s is in the way: %s of uid %u, mode %04o, where a directory "
			   "of root's with the mode 0700 is required; others made or changed it: "
			   "chmod 0700 %s && rm -r %s", path,
			   S_ISDIR(st->st_mode) ? "a directory" :
			   S_ISLNK(st->st_mode) ? "a symbolic link" : "a file",
			   st->st_uid, st->st_mode & 07777, parent, path);
}

/* Where anybody can put something else in the place of ours there is no use in looking. */
static int check_parent(const char *parent)
{
	struct stat st;

	if (stat(parent, &st) < 0)
		return psc_log_err(-errno, "%s: %s", parent, strerror(errno));
	if (psc_place_is_safe(&st))
		return 0;
	return psc_log_err(-EUCLEAN, "%s is of uid %u, mode %04o: others can replace what is in "
			   "it: chown root %s && chmod 0700 %s",
			   parent, st.st_uid, st.st_mode & 07777,
			   parent, parent);
}

static int open_place(const char *path, const char *parent)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	struct stat st;

	if (err == -ENOENT)
		return err;
	if ((fd < 0 ? lstat(path, &st) : fstat(fd, &st)) < 0)
		return psc_log_err(-errno, "%s: %s", path, strerror(errno));
	if (!psc_place_is_own(&st))
		return refuse(path, parent, &st);
	return err ? psc_log_err(err, "%s: %s", path, strerror(-err)) : TAKE_FD(fd);
}

int psc_place_open(const char *dir, bool make)
{
	char path[PATH_MAX], copy[PATH_MAX], *parent;
	int err = psc_place_path(path, dir, NULL);

	if (err)
		return err;
	parent = dirname(strcpy(copy, path));
	err = check_parent(parent);
	if (err)
		return err;
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return psc_log_err(-errno, "%s: %s", path, strerror(errno));
	return open_place(path, parent);
}

/* Is it still there, or has who held its lock before us removed it? */
static bool is_current(const char *path, int fd)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !lstat(path, &named) && opened.st_dev == named.st_dev &&
	       opened.st_ino == named.st_ino;
}

int psc_place_lock(const char *dir, bool make)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	char path[PATH_MAX];
	int err = psc_place_path(path, dir, NULL);

	for (int i = 0; !err && i < LOCK_TRIES; i++) {
		_cleanup_close_ int fd = psc_place_open(dir, make);

		if (fd < 0)
			return fd;
		if (i)
			nanosleep(&pause, NULL);
		if (!flock(fd, LOCK_EX | LOCK_NB)) {
			if (is_current(path, fd))
				return TAKE_FD(fd);
		} else if (errno != EWOULDBLOCK) {
			return psc_log_err(-errno, "locking %s: %s", path, strerror(errno));
		}
	}
	return err ? err : -EWOULDBLOCK;
}

void psc_place_remove(const char *dir)
{
	char path[PATH_MAX];

	if (!psc_place_path(path, dir, NULL) && rmdir(path) < 0)
		psc_debug("%s: %s", path, strerror(errno));
}
