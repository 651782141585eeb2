/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens files of proc, sysfs and securityfs, and tells when something is mounted over them. */
#include "plain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "util.h"

#define ROOT_INO 1		/* PROC_ROOT_INO, the first node of a kernfs, simple_fill_super() */

/* Which mount is it on? Return: 0 or a negative errno. */
static int mount_of(int fd, const char *name, struct statx *ret)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	if (statx(fd, name, flags, STATX_TYPE | STATX_INO | STATX_MNT_ID, ret) < 0)
		return -errno;
	return ret->stx_mask & STATX_MNT_ID ? 0 : -EOPNOTSUPP;
}

/* The root of such a file system, not some directory of it. Return: a descriptor or an error. */
static int open_root(const char *path, long magic, struct statx *ret)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	int err;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	err = mount_of(fd, "", ret);
	if (err)
		return err;
	return (long)fs.f_type == magic && ret->stx_ino == ROOT_INO ? TAKE_FD(fd) : -EUCLEAN;
}

/*
 * openat2(2) could do so at once, but systemd's RestrictSUIDSGID= refuses that to services.
 * The last one may be one of /proc's links, which is then followed.
 */
static int walk(int root_fd, const struct statx *root, const char *const *parts, int flags)
{
	_cleanup_close_ int fd = root_fd;

	for (; *parts; parts++) {
		bool last = !parts[1];
		struct statx st;
		int err = mount_of(fd, *parts, &st), next;

		if (err || st.stx_mnt_id != root->stx_mnt_id)
			return err ? err : -EUCLEAN;
		next = openat(fd, *parts, O_CLOEXEC |
			      (last ? flags : O_PATH | O_DIRECTORY | O_NOFOLLOW));
		if (next < 0)
			return -errno;
		close(fd);
		fd = next;
		if (last && S_ISLNK(st.stx_mode))
			continue;
		err = mount_of(fd, "", &st);
		if (err || st.stx_mnt_id != root->stx_mnt_id)
			return err ? err : -EUCLEAN;
	}
	return TAKE_FD(fd);
}

int psc_plain_open_sys(const char *const *parts, int flags)
{
	struct statx root;
	int fd = open_root("/sys", SYSFS_MAGIC, &root);

	return fd < 0 ? fd : walk(fd, &root, parts, flags | O_NOFOLLOW);
}

/* In one of another pid namespace we have another number, or none. */
static bool is_own_proc(int fd)
{
	char text[16] = {};
	unsigned int pid;

	return readlinkat(fd, "self", text, sizeof(text) - 1) > 0 && !psc_parse_u32(text, &pid) &&
	       pid == (unsigned int)getpid();
}

int psc_plain_open_proc(const char *const *parts, int flags)
{
	struct statx root;
	_cleanup_close_ int fd = open_root("/proc", PROC_SUPER_MAGIC, &root);

	if (fd < 0)
		return fd;
	return is_own_proc(fd) ? walk(TAKE_FD(fd), &root, parts, flags) : -EUCLEAN;
}

/* The inode that a name has in a directory itself, whatever is mounted there. Or -errno. */
static int find_inode(int dir_fd, const char *name, ino_t *ret)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err;

	if (!dir) {
		err = -errno;
		psc_closep(&fd);
		return err;
	}
	while ((errno = 0, entry = readdir(dir)) && !streq(entry->d_name, name))
		;
	err = entry ? 0 : errno ? -errno : -ENOENT;
	if (entry)
		*ret = entry->d_ino;
	closedir(dir);
	return err;
}

/* Is it this inode of the file system? Asks no other file system that is mounted there. */
static int is_inode(int fd, ino_t ino, const struct statx *root)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) < 0)
		return -errno;
	return S_ISREG(st.stx_mode) && st.stx_ino == ino &&
	       st.stx_dev_major == root->stx_dev_major &&
	       st.stx_dev_minor == root->stx_dev_minor ? 0 : -EUCLEAN;
}

int psc_plain_open_security(const char *name, int flags)
{
	struct statx root;
	_cleanup_close_ int dir_fd = open_root("/sys/kernel/security", SECURITYFS_MAGIC, &root);
	_cleanup_close_ int path_fd = -1, fd = -1;
	ino_t ino = 0;
	int err;

	if (dir_fd < 0)
		return dir_fd;
	err = find_inode(dir_fd, name, &ino);
	if (err)
		return err;
	/* Not to wait for, or to set off, what opening another file would. */
	path_fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	err = path_fd < 0 ? -errno : is_inode(path_fd, ino, &root);
	if (err)
		return err;
	fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? -errno : is_inode(fd, ino, &root);
	return err ? err : TAKE_FD(fd);
}

bool psc_plain_is_file(int dir_fd, const char *name)
{
	struct statx dir, st;

	return !mount_of(dir_fd, "", &dir) && !mount_of(dir_fd, name, &st) &&
	       S_ISREG(st.stx_mode) && st.stx_mnt_id == dir.stx_mnt_id;
}
