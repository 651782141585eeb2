/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins, finds and removes the spare pin of psc_g_sysctl. */
#include "spare.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "anchor.h"
#include "log.h"
#include "place.h"
#include "util.h"

#define KERNFS_ROOT_INO 1		/* the first node of a kernfs, fs/kernfs/dir.c */

int psc_spare_root_cgroup(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;
		struct stat st;

		/* Not a cgroup below, whose programs would not be asked by all. */
		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC &&
		    fstat(fd, &st) == 0 && st.st_ino == KERNFS_ROOT_INO)
			return TAKE_FD(fd);
	}
	return -ENOENT;
}

int psc_spare_path(char path[PATH_MAX], const char *dir)
{
	return psc_place_path(path, dir, "sysctl");
}

void psc_spare_clear(const char *dir)
{
	_cleanup_close_ int prog_fd = -1, cgroup_fd = -1;
	char path[PATH_MAX];

	if (psc_spare_path(path, dir))
		return;
	cgroup_fd = psc_spare_root_cgroup();
	psc_anchor_clear(dir, cgroup_fd);
	prog_fd = bpf_obj_get(path);
	if (prog_fd < 0)
		return;
	if (!bpf_prog_detach2(prog_fd, cgroup_fd, BPF_CGROUP_SYSCTL)) {
		psc_notice("the guard of kernel.ftrace_enabled that was left behind half-way to a "
			   "floor is detached");
	} else if (errno != ENOENT) {	/* the pin is the only way to it */
		psc_warning("the guard of kernel.ftrace_enabled that was left behind half-way to a "
			    "floor, %s, cannot be detached: %s", path, strerror(errno));
		return;
	}
	unlink(path);
}
