/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "log.h"
#include "util.h"

#define KERNFS_ROOT_INO 1		/* the first node of a kernfs, fs/kernfs/dir.c */

/* Which mount is it on? Return: 0 or a negative errno. */
static int mount_of(int fd, struct statx *ret)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, ret) < 0)
		return -errno;
	return ret->stx_mask & STATX_MNT_ID ? 0 : -EOPNOTSUPP;
}

/* The root of a sysfs, not some directory of it. Return: a descriptor or a negative errno. */
static int open_sysfs(struct statx *ret)
{
	_cleanup_close_ int fd = open("/sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	int err;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	err = mount_of(fd, ret);
	if (err)
		return err;
	return fs.f_type == SYSFS_MAGIC && ret->stx_ino == KERNFS_ROOT_INO ? TAKE_FD(fd) : -EUCLEAN;
}

/* openat2(2) could do so at once, but systemd's RestrictSUIDSGID= refuses that to services. */
static int open_file(void)
{
	static const char *const parts[] = { "kernel", "btf", "vmlinux" };
	struct statx root, st;
	_cleanup_close_ int fd = open_sysfs(&root);

	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(parts); i++) {
		bool last = i == ARRAY_SIZE(parts) - 1;
		int next = openat(fd, parts[i], O_NOFOLLOW | O_CLOEXEC |
				  (last ? O_RDONLY : O_PATH | O_DIRECTORY));
		int err;

		if (next < 0)
			return -errno;
		close(fd);
		fd = next;
		err = mount_of(fd, &st);
		if (err || st.stx_mnt_id != root.stx_mnt_id)
			return err ? err : -EUCLEAN;
	}
	return TAKE_FD(fd);
}

static int parse(int fd, struct btf **ret)
{
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t len;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	err = psc_read_fd(fd, (size_t)st.st_size, &data, &len);
	if (err)
		return err;
	*ret = btf__new(data, (__u32)len);
	return *ret ? 0 : -errno;
}

int psc_types_open(struct btf **ret)
{
	_cleanup_close_ int fd = open_file();
	int err = fd < 0 ? fd : ret ? parse(fd, ret) : 0;

	return err ? psc_log_err(err, "the kernel's types, /sys/kernel/btf/vmlinux: %s",
				 err == -EUCLEAN ? "something is mounted over them, over a "
				 "directory on the way or over /sys; unmount it" :
				 strerror(-err)) : 0;
}
