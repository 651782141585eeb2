/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads, pins, attaches and detaches the programs on the root cgroup that hold a floor. */
#include "anchor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>

#include "log.h"
#include "place.h"
#include "util.h"

/* In this order they are attached: who judges comes first. */
static const char *const programs[PSC_ANCHOR_PROGRAMS][2] = {
	{ "psc_a_access" }, { "psc_a_traceme" }, { "psc_a_load", "psc_a_alloc" },
	{ "psc_a_prog" }, { "psc_a_map" }, { "psc_a_id" }, { "psc_a_gone" },
};

/* The kernel has one hook or the other: psc_g_load and psc_g_alloc of bpf/guard_bpf.bpf.c. */
static bool has_load_hook(void)
{
	static int has = -1;

	if (has < 0) {
		/* libbpf warns of what is not there. */
		libbpf_print_fn_t print = libbpf_set_print(NULL);

		has = libbpf_find_vmlinux_btf_id("bpf_prog_load", BPF_LSM_CGROUP) > 0;
		libbpf_set_print(print);
	}
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

		int err = prog ? psc_handle_take(&anchor->programs[i], prog) : -ENOENT;

		if (err)
			return err;
	}
	return 0;
}

int psc_anchor_find(const struct psc_anchor *anchor, __u32 id)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++)
		if (anchor->programs[i].id == id)
			return i;
	return -1;
}

static int pin_path(char path[PATH_MAX], const char *dir, int i)
{
	char name[32];

	snprintf(name, sizeof(name), "anchor-%d", i);
	return psc_place_path(path, dir, name);
}

int psc_anchor_pin(struct psc_anchor *anchor, const char *dir)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++) {
		char path[PATH_MAX];
		int err = pin_path(path, dir, i);

		if (!err)
			err = psc_handle_pin(&anchor->programs[i], path);
		if (err)
			return psc_log_err(err, "no floor, as anchor %d cannot be pinned beside "
					   "%s: %s", i, dir, strerror(-err));
	}
	return 0;
}

static int attach_one(struct psc_handle *handle, const char *name, int cgroup_fd)
{
	int err;

	if (!bpf_prog_attach(handle->fd, cgroup_fd, BPF_LSM_CGROUP, BPF_F_ALLOW_MULTI)) {
		psc_handle_let_go(handle);
		return 0;
	}
	err = -errno;
	/* The kernel tells no more than that; what is attached is well-formed otherwise. */
	if (err == -E2BIG || err == -EINVAL)
		return psc_log_err(-EBUSY, "no floor while BPF programs of others are on so many LSM "
				   "hooks of cgroups that the %d hooks that hold a floor find no "
				   "room: \"bpftool cgroup tree\" lists them", PSC_ANCHOR_PROGRAMS);
	return psc_log_err(err, "no floor, as attaching %s to the root cgroup failed: %s", name,
			   strerror(-err));
}

int psc_anchor_attach(struct psc_anchor *anchor, int cgroup_fd)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++) {
		int err = attach_one(&anchor->programs[i], program_name(i), cgroup_fd);

		if (err)
			return err;
		anchor->n_attached++;
	}
	return 0;
}

void psc_anchor_detach(const struct psc_anchor *anchor, int cgroup_fd)
{
	for (int i = 0; i < anchor->n_attached; i++) {
		int err = psc_handle_detach(&anchor->programs[i], cgroup_fd, BPF_LSM_CGROUP);

		if (err)
			psc_log_err(err, "%s cannot be detached: %s", program_name(i),
				    strerror(-err));
	}
}

void psc_anchor_unpin(const struct psc_anchor *anchor, const char *dir)
{
	char path[PATH_MAX];

	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++)
		if (anchor->programs[i].pin_fd >= 0 && !pin_path(path, dir, i))
			unlink(path);
}

void psc_anchor_close(struct psc_anchor *anchor)
{
	for (int i = 0; i < PSC_ANCHOR_PROGRAMS; i++)
		psc_handle_close(&anchor->programs[i]);
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
