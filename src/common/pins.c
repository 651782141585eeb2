/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pins of the programs and maps in force: their table, and how the set is opened. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handle.h"
#include "kernel.h"
#include "log.h"
#include "util.h"

const struct psc_pin psc_pins[PSC_PINS] = {
#define PIN(id, pin_name, ...) [PSC_PIN_##id] = { .name = pin_name, __VA_ARGS__ },
	PSC_PIN_TABLE(PIN)
#undef PIN
};

static struct psc_kernel *kernel_new(void)
{
	struct psc_kernel *kernel = calloc(1, sizeof(*kernel));

	if (kernel)
		for (int i = 0; i < PSC_PINS; i++)
			kernel->fds[i] = -1;
	return kernel;
}

void psc_kernel_close(struct psc_kernel *kernel)
{
	if (!kernel)
		return;
	for (int i = 0; i < PSC_PINS; i++)
		psc_closep(&kernel->fds[i]);
	free(kernel);
}

static void kernel_closep(struct psc_kernel **kernel)
{
	psc_kernel_close(*kernel);
}

/*
 * Is the object behind a pin of the kind and name it should be? Links have no
 * name of their own; theirs is the attach type.
 */
static bool pin_fits(const struct psc_pin *pin, int fd)
{
	struct bpf_map_info map = {};
	struct bpf_prog_info prog = {};
	struct bpf_link_info link = {};
	__u32 len;

	switch (pin->kind) {
	case PSC_PIN_MAP:
		len = sizeof(map);
		return !bpf_obj_get_info_by_fd(fd, &map, &len) && streq(map.name, psc_pin_object(pin));
	case PSC_PIN_PROG:
		len = sizeof(prog);
		return !bpf_obj_get_info_by_fd(fd, &prog, &len) && streq(prog.name, pin->name) &&
		       prog.type == BPF_PROG_TYPE_SYSCALL;
	case PSC_PIN_LINK:
		len = sizeof(link);
		return !bpf_obj_get_info_by_fd(fd, &link, &len) &&
		       link.type == pin->link_type &&
		       (link.type != BPF_LINK_TYPE_TRACING ||
			link.tracing.attach_type == pin->attach_type);
	}
	return false;
}

__u32 psc_object_id(const struct psc_pin *pin, int fd)
{
	struct bpf_link_info link = {};
	struct bpf_map_info map = {};
	__u32 len;

	switch (pin->kind) {
	case PSC_PIN_MAP:
		len = sizeof(map);
		return bpf_obj_get_info_by_fd(fd, &map, &len) ? 0 : map.id;
	case PSC_PIN_PROG:
		return psc_prog_id(fd);
	case PSC_PIN_LINK:
		len = sizeof(link);
		return bpf_obj_get_info_by_fd(fd, &link, &len) ? 0 : link.id;
	}
	return 0;
}

static int open_pin(const char *dir, const struct psc_pin *pin)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, pin->name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (!pin_fits(pin, fd)) {
		close(fd);
		return -EUCLEAN;
	}
	return fd;
}

static int refuse_set(const char *dir, int err, const char *what, const char *name)
{
	return psc_log_err(err,
		"%s: %s%s%s: not a set of programs that this version can adopt, and not one it "
		"will mix with; to start afresh, which ends what is left of enforcement: rm -r %s",
		dir, what, name ? " " : "", name ? name : "", dir);
}

/* Where others may make what they like, as on bpffs when it is mounted without a mode. */
static int refuse_dir(const char *dir, const struct stat *st)
{
	return psc_log_err(-EUCLEAN, "%s is not ours: %s of uid %u, mode %04o, where a directory "
			   "of root's that nobody else can write is required; to remove it: chmod "
			   "0700 %.*s && rm -r %s", dir,
			   S_ISDIR(st->st_mode) ? "a directory" :
			   S_ISLNK(st->st_mode) ? "a symbolic link" : "a file",
			   st->st_uid, st->st_mode & 07777, (int)(strrchr(dir, '/') - dir), dir, dir);
}

/* One of the policy's maps is the one it was when it was first opened. Return: 0 or -EUCLEAN. */
static int know_map(const char *dir, struct psc_kernel *kernel, enum psc_pin_id id, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (!kernel->map_ids[id])
		kernel->map_ids[id] = info.id;
	if (kernel->map_ids[id] == info.id)
		return 0;
	return psc_log_err(-EUCLEAN, "%s/%s is not the map that is in force: something is mounted "
			   "over it, or was pinned in its place: unmount it, or reboot",
			   dir, psc_pins[id].name);
}

/* Open one pin into its place. Return: 0 or a negative errno, after a message. */
static int take_pin(const char *dir, struct psc_kernel *kernel, enum psc_pin_id id)
{
	const struct psc_pin *pin = &psc_pins[id];
	_cleanup_close_ int fd = open_pin(dir, pin);
	int err;

	if (fd == -ENOENT)
		return refuse_set(dir, -EUCLEAN, "incomplete, missing", pin->name);
	if (fd == -EUCLEAN || fd == -EINVAL || fd == -EACCES)
		return refuse_set(dir, -EUCLEAN, "not ours:", pin->name);
	if (fd < 0)
		return fd == -EPERM && pin->of_policy ? fd :
			psc_log_err(fd, "%s/%s: %s", dir, pin->name, strerror(-fd));
	err = pin->of_policy ? know_map(dir, kernel, id, fd) : 0;
	if (err)
		return err;
	kernel->fds[id] = TAKE_FD(fd);
	return 0;
}

static bool is_left_out(const struct psc_kernel *kernel, int id)
{
	return (id == PSC_PIN_CG_ATTACH && !kernel->sees_moves) ||
	       (id == PSC_PIN_EXPLAIN && !kernel->explains);
}

int psc_kernel_pins(const struct psc_kernel *kernel)
{
	return PSC_PINS - is_left_out(kernel, PSC_PIN_CG_ATTACH) -
	       is_left_out(kernel, PSC_PIN_EXPLAIN);
}

/*
 * Open all that is still to be opened, under a floor without what the guards refuse then.
 * Return: 0; -EPERM when they do and there should be no floor; or another negative errno,
 * after a message.
 */
static int take_pins(const char *dir, struct psc_kernel *kernel, bool locked)
{
	int err = 0;

	for (int i = 0; i < PSC_PINS && !err; i++)
		if (kernel->fds[i] < 0 && !is_left_out(kernel, i) &&
		    !(locked && psc_pins[i].of_policy))
			err = take_pin(dir, kernel, (enum psc_pin_id)i);
	return err;
}

int psc_kernel_open_policy_maps(struct psc_kernel *kernel, const char *dir)
{
	return take_pins(dir, kernel, false);
}

void psc_kernel_close_policy_maps(struct psc_kernel *kernel)
{
	for (int i = 0; i < PSC_PINS; i++) {
		if (!psc_pins[i].of_policy)
			continue;
		psc_closep(&kernel->fds[i]);
		kernel->fds[i] = -1;
	}
}

static bool has_pin(const char *dir, enum psc_pin_id id)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", dir, psc_pins[id].name) < PATH_MAX &&
	       access(path, F_OK) == 0;
}

int psc_kernel_open(const char *dir, struct psc_kernel **ret)
{
	__attribute__((cleanup(kernel_closep))) struct psc_kernel *kernel = kernel_new();
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	struct stat st;
	int err;

	if (!kernel)
		return -ENOMEM;
	if (lstat(dir, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
		return refuse_dir(dir, &st);
	/* First, as a set of another ABI consists of something else. */
	err = take_pin(dir, kernel, PSC_PIN_CTL);
	if (err)
		return err;
	err = psc_kernel_request(kernel, &info);
	if (info.abi != PSC_ABI)
		return psc_log_err(-EPROTO, "%s: the programs in force are of ABI %u, and this "
				   "version speaks ABI %u: they stay in force; start a daemon of "
				   "their version, or reboot; without a floor \"rm -r %s\" ends "
				   "enforcement for a start afresh", dir, info.abi, PSC_ABI, dir);
	if (err)
		return psc_log_err(err, "%s/psc_ctl cannot be run: %s; \"ptracescoped --check\" "
				   "tells what is missing", dir, strerror(-err));
	kernel->sees_moves = info.sees_moves;
	kernel->explains = has_pin(dir, PSC_PIN_EXPLAIN);
	err = take_pins(dir, kernel, info.locked);
	/* A daemon has died with the guards armed; or there is a floor since we asked. */
	if (err == -EPERM) {
		err = psc_kernel_disarm(kernel, dir);
		err = err && err != -PSC_E_LOCKED ? err :
			take_pins(dir, kernel, err == -PSC_E_LOCKED);
	}
	if (err == -EPERM)
		return psc_log_err(err, "%s: another process with CAP_SYS_PTRACE arms the guards "
				   "of the floor again and again; end it, or reboot", dir);
	if (err)
		return err;
	kernel->build = info.build;
	kernel->dir_dev = st.st_dev;
	kernel->dir_ino = st.st_ino;
	*ret = TAKE_PTR(kernel);
	return 0;
}
