/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the kernel's BTF and checks that nothing is mounted over it. */
#include "kernel_btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "log.h"
#include "plain.h"
#include "util.h"

static int open_file(void)
{
	static const char *const parts[] = { "kernel", "btf", "vmlinux", NULL };

	return psc_plain_open_sys(parts, O_RDONLY);
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

int psc_kernel_btf_open(struct btf **ret)
{
	_cleanup_close_ int fd = open_file();
	int err = fd < 0 ? fd : ret ? parse(fd, ret) : 0;

	return err ? psc_log_err(err, "the kernel's types, /sys/kernel/btf/vmlinux: %s",
				 err == -EUCLEAN ? "something is mounted over them, over a "
				 "directory on the way or over /sys; unmount it" :
				 strerror(-err)) : 0;
}
