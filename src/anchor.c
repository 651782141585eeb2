/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "anchor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "log.h"
#include "types.h"
#include "util.h"

/* In this order they are attached: who judges comes first. */
static const char *const programs[PSC_ANCHOR_PROGRAMS][2] = {
	{ "psc_a_access" }, { "psc_a_traceme" }, { "psc_a_load", "psc_a_alloc" },
	{ "psc_a_prog" }, { "psc_a_map" }, { "psc_a_id" },
};

/* The kernel has one hook or the other: bpf/ptracescope.bpf.c, psc_g_load and psc_g_alloc. */
static bool has_load_hook(void)
{
	static int has = -1;

	if (has < 0)
		has = libbpf_find_vmlinux_btf_id("bpf_prog_load", BPF_LSM_CGROUP) > 0;
	return has;
}

static const char *program_name(int i)
{
	return programs[i][1] && !has_load_hook() ? programs[i][1] : programs[i][0];
}

bool psc_anchor_has_program(struct bpf_program *prog)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++)
		if (streq(bpf_program__name(prog), program_name(i)))
			return true;
	return false;
}

int psc_anchor_take(struct psc_anchor *anchor, struct bpf_object *object)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(object, program_name(i));

		anchor->fds[i] = prog ? fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3) : -1;
		if (anchor->fds[i] < 0)
			return prog ? -errno : -ENOENT;
	}
	return 0;
}

bool psc_anchor_has(const struct psc_anchor *anchor, __u32 id)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (anchor->fds[i] >= 0 && !bpf_obj_get_info_by_fd(anchor->fds[i], &info, &len) &&
		    info.id == id)
			return true;
	}
	return false;
}

static int pin_path(char path[PATH_MAX], const char *dir, int i)
{
	return snprintf(path, PATH_MAX, "%s-anchor-%d", dir, i) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int attach_one(const struct psc_anchor *anchor, const char *dir, int cgroup_fd, int i)
{
	char path[PATH_MAX];
	int err = pin_path(path, dir, i);

	if (!err && bpf_obj_pin(anchor->fds[i], path))
		err = -errno;
	if (err)
		return psc_log_err(err, "no floor, as %s-anchor-%d cannot be made: %s", dir, i,
				   strerror(-err));
	if (!bpf_prog_attach(anchor->fds[i], cgroup_fd, BPF_LSM_CGROUP, BPF_F_ALLOW_MULTI))
		return 0;
	err = -errno;
	unlink(path);
	/* The kernel tells no more than that; what is attached is well-formed otherwise. */
	if (err == -E2BIG || err == -EINVAL)
		return psc_log_err(-EBUSY, "no floor while BPF programs of others are on so many LSM "
				   "hooks of cgroups that the %d hooks that hold a floor find no "
				   "room: \"bpftool cgroup tree\" lists them", PSC_ANCHOR_PROGRAMS);
	return psc_log_err(err, "no floor, as attaching %s to the root cgroup failed: %s",
			   program_name(i), strerror(-err));
}

int psc_anchor_attach(struct psc_anchor *anchor, const char *dir, int cgroup_fd)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++) {
		int err = attach_one(anchor, dir, cgroup_fd, i);

		if (err)
			return err;
		anchor->n_attached++;
	}
	return 0;
}

void psc_anchor_detach(const struct psc_anchor *anchor, int cgroup_fd)
{
	for (int i = 0; i < anchor->n_attached; i++)
		bpf_prog_detach2(anchor->fds[i], cgroup_fd, BPF_LSM_CGROUP);
}

void psc_anchor_unpin(const struct psc_anchor *anchor, const char *dir)
{
	char path[PATH_MAX];

	for (int i = 0; i < anchor->n_attached; i++)
		if (!pin_path(path, dir, i))
			unlink(path);
}

void psc_anchor_close(struct psc_anchor *anchor)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++)
		psc_closep(&anchor->fds[i]);
}

void psc_anchor_clear(const char *dir, int cgroup_fd)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++) {
		_cleanup_close_ int prog_fd = -1;
		char path[PATH_MAX];

		if (pin_path(path, dir, i))
			return;
		prog_fd = bpf_obj_get(path);
		if (prog_fd < 0)
			continue;
		if (bpf_prog_detach2(prog_fd, cgroup_fd, BPF_LSM_CGROUP) && errno != ENOENT) {
			psc_warning("a program of the anchor that was left behind half-way to a "
				    "floor, %s, cannot be detached: %s", path, strerror(errno));
			continue;
		}
		unlink(path);
	}
}

int psc_anchor_policy(union psc_policy *ret)
{
	for (__u32 mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		int fd = bpf_map_get_fd_by_id(PSC_ANCHOR_ID + mode), answer = errno;

		if (fd >= 0) {
			close(fd);
			return -ENOENT;
		}
		if (answer < PSC_ANCHOR_ERRNO || answer >= PSC_ANCHOR_ERRNO + 256)
			return answer < PSC_ANCHOR_ERRNO ? -answer : -ENOENT;
		ret->scope[mode] = (__u8)((answer - PSC_ANCHOR_ERRNO) / 16);
		ret->floor[mode] = (__u8)((answer - PSC_ANCHOR_ERRNO) % 16);
	}
	return 0;
}
