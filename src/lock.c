/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "anchor.h"
#include "cgroup.h"
#include "loader.h"
#include "log.h"
#include "look.h"
#include "ptracescope_state.h"
#include "ptracescope.skel.h"
#include "types.h"
#include "util.h"

#define KERNFS_ROOT_INO 1		/* the first node of a kernfs, fs/kernfs/dir.c */

/* Where psc_g_sysctl is until the floor is. bpffs has no dots in names. */
#define SPARE_SUFFIX "-sysctl"

/*
 * Functions that nobody else may decide under a floor, by an fmod_ret program on
 * security_NAME() or by an LSM program on bpf_lsm_NAME(): of these, the one attached
 * last is asked first, and by returning 1 << 32 it ends the hook with success.
 */
static const char *const hooks[] = {
	"ptrace_access_check", "ptrace_traceme", "task_alloc", "task_prctl", "bpf", "bpf_map",
	"bpf_prog", "inode_unlink", "inode_rmdir", "inode_rename", "inode_setattr", "sb_umount",
	"sb_mount", "sb_remount", "sb_pivotroot", "move_mount",
	/* Not ours: the kernel's lockdown, which closes the ways below BPF. */
	"locked_down",
};

/* Of these only the fmod_ret kind, which would keep ours from being asked at all. */
static const char *const functions[] = { "security_task_free" };

/* Of each pair one: bpf/ptracescope.bpf.c, psc_g_load and psc_g_alloc. */
static const char *const loads[][2] = {
	{ "security_bpf_prog_load", "security_bpf_prog_alloc" },
	{ "bpf_lsm_bpf_prog_load", "bpf_lsm_bpf_prog_alloc_security" },
};

_Static_assert(2 * ARRAY_SIZE(hooks) + ARRAY_SIZE(functions) + 2 * ARRAY_SIZE(loads) <=
	       PSC_HOOKS_MAX, "their ids have room");

/* The id of a function, 0 where the kernel has no such one. */
static __u32 find_function(const struct btf *btf, const char *prefix, const char *name)
{
	char full[64];
	int id;

	snprintf(full, sizeof(full), "%s%s", prefix, name);
	id = btf__find_by_name_kind(btf, full, BTF_KIND_FUNC);
	return id > 0 ? (__u32)id : 0;
}

/* One that every kernel has. Return: 0 or -ENOENT, after a message. */
static int need_function(const struct btf *btf, const char *prefix, const char *name, __u32 *ret)
{
	*ret = find_function(btf, prefix, name);
	if (*ret)
		return 0;
	return psc_log_err(-ENOENT, "no floor, as %s%s(), which is to be guarded, is not among the "
			   "kernel's types", prefix, name);
}

static int find_hooks(__u32 ids[PSC_HOOKS_MAX])
{
	struct btf *btf;
	int err = psc_types_open(&btf);

	if (err)
		return err;
	for (size_t i = 0; !err && i < ARRAY_SIZE(hooks); i++)
		err = need_function(btf, "security_", hooks[i], ids++) ?:
			need_function(btf, "bpf_lsm_", hooks[i], ids++);
	for (size_t i = 0; !err && i < ARRAY_SIZE(functions); i++)
		err = need_function(btf, "", functions[i], ids++);
	for (size_t i = 0; !err && i < ARRAY_SIZE(loads); i++) {
		ids[0] = find_function(btf, "", loads[i][0]);
		ids[1] = find_function(btf, "", loads[i][1]);
		if (!ids[0] && !ids[1])
			err = need_function(btf, "", loads[i][0], ids);
		ids += 2;
	}
	btf__free(btf);
	return err;
}

/* The root of the initial mount namespace; -1 before it is asked for. */
static int initial_root = -1;

int psc_lock_prepare(void)
{
	if (initial_root < 0)
		initial_root = open("/proc/1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return initial_root < 0 ? -errno : 0;
}

/* The initial mount namespace's view, where ours may be a private one that ends with us. */
static int open_initially(const char *dir)
{
	int fd, err = psc_lock_prepare();

	if (err)
		return err;
	fd = openat(initial_root, dir + strspn(dir, "/"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The directory of the pins, as the guards are to know it. Return: a descriptor or -errno. */
static int open_pins(const struct psc_kernel *kernel, const char *dir)
{
	_cleanup_close_ int fd = open_initially(dir);
	struct stat st;

	if (fd < 0)
		return psc_log_err(fd, "%s in the initial mount namespace: %s", dir, strerror(-fd));
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev == kernel->dir_dev && st.st_ino == kernel->dir_ino)
		return TAKE_FD(fd);
	return psc_log_err(-EUCLEAN, "%s in the initial mount namespace is not the directory of "
			   "the pins in force: something is mounted over it, or they are in a "
			   "mount namespace of their own", dir);
}

/* Tell the guards what to protect, and arm them. */
static int arm(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock,
	       __u64 *ret_armed)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 1 };
	int err;

	lock->dir_fd = open_pins(kernel, dir);
	req.dir_fd = lock->dir_fd;
	err = req.dir_fd < 0 ? req.dir_fd : find_hooks(req.hooks);
	if (!err)
		err = psc_kernel_request(kernel, &req);
	if (err)
		return psc_log_err(err, "the guards cannot be armed: %s", strerror(-err));
	*ret_armed = req.armed;
	return 0;
}

static int dup_link(struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int fd = link ? fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3) : -1;
	int err = fd < 0 ? -errno : 0;

	bpf_link__destroy(link);
	return err ? err : fd;
}

/* Where there is no such sysctl there is nothing to be written. */
static int open_ftrace(int *ret)
{
	*ret = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
	return *ret < 0 && errno != ENOENT ? -errno : 0;
}

/* Load what is needed to look around, and let go of every map for that. */
static int load(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	struct ptracescope_bpf *skel = ptracescope_bpf__open();
	struct bpf_program *prog;
	int err;

	if (!skel)
		return -errno;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.psc_g_sysctl ||
						prog == skel->progs.psc_scan ||
						prog == skel->progs.psc_scan_maps ||
						psc_anchor_has_program(prog));
	err = open_ftrace(&lock->ftrace_fd);
	skel->rodata->psc_ftrace_fd = lock->ftrace_fd;
	if (!err)
		err = psc_types_open(NULL);
	if (!err && kernel->fds[PSC_PIN_STATE] < 0)
		err = psc_kernel_open_secrets(kernel, dir);
	if (!err)
		err = psc_loader_inherit(skel->obj, kernel);
	if (!err)
		err = ptracescope_bpf__load(skel);
	if (!err) {
		lock->scan_fd = dup_link(skel->progs.psc_scan);
		lock->scan_maps_fd = dup_link(skel->progs.psc_scan_maps);
		lock->sysctl_fd = fcntl(bpf_program__fd(skel->progs.psc_g_sysctl),
					F_DUPFD_CLOEXEC, 3);
		err = lock->scan_fd < 0 ? lock->scan_fd :
			lock->scan_maps_fd < 0 ? lock->scan_maps_fd :
			lock->sysctl_fd < 0 ? -errno : psc_anchor_take(&lock->anchor, skel->obj);
	}
	ptracescope_bpf__destroy(skel);
	psc_kernel_close_secrets(kernel);
	return err ? psc_log_err(err, "loading the last guards failed: %s", strerror(-err)) : 0;
}

/* The root of the cgroup2 hierarchy. Return: a descriptor, -ENOENT when it is not there. */
static int open_root_cgroup(void)
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

/* Has cgroup2 ever been mounted since boot? Or is that not to be seen? */
static bool cgroup2_is_used(void)
{
	_cleanup_free_ char *own = NULL;

	return psc_cgroup_of_pid("/proc", (unsigned int)getpid(), &own) != -ENODEV;
}

static int spare_path(char path[PATH_MAX], const char *dir)
{
	return snprintf(path, PATH_MAX, "%s" SPARE_SUFFIX, dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

void psc_lock_clear(const char *dir)
{
	_cleanup_close_ int prog_fd = -1, cgroup_fd = -1;
	char path[PATH_MAX];

	if (spare_path(path, dir))
		return;
	cgroup_fd = open_root_cgroup();
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

/*
 * Without cgroup2 it cannot be, and then the floor is worth that much less. Until the floor
 * is there the program has a pin, by which who comes after us finds what we have left
 * behind; with the guards armed nobody opens it.
 */
static int guard_sysctl(struct psc_lock *lock, const char *dir)
{
	char path[PATH_MAX];
	int err;

	lock->cgroup_fd = open_root_cgroup();
	if (lock->cgroup_fd < 0 && cgroup2_is_used())
		return psc_log_err(lock->cgroup_fd, "no floor while kernel.ftrace_enabled cannot "
				   "be guarded: the root of the cgroup2 hierarchy is neither at "
				   "/sys/fs/cgroup nor at /sys/fs/cgroup/unified");
	if (lock->cgroup_fd < 0) {
		psc_warning("kernel.ftrace_enabled cannot be guarded: there is no cgroup2 hierarchy");
		return 0;
	}
	err = spare_path(path, dir);
	if (!err && bpf_obj_pin(lock->sysctl_fd, path))
		err = -errno;
	if (err)
		return psc_log_err(err, "no floor, as %s" SPARE_SUFFIX " cannot be made: %s", dir,
				   strerror(-err));
	if (!bpf_prog_attach(lock->sysctl_fd, lock->cgroup_fd, BPF_CGROUP_SYSCTL,
			     BPF_F_ALLOW_MULTI)) {
		lock->has_sysctl = true;
		return 0;
	}
	err = -errno;
	return psc_log_err(err, "no floor while kernel.ftrace_enabled cannot be guarded: attaching "
			   "a program to the root cgroup failed: %s", strerror(-err));
}

/* Make ready for the first floor. Return: 0, or a negative errno with nothing changed. */
static int lock_begin(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock,
		      __u64 *ret_armed)
{
	int err = psc_kernel_disarm(kernel, dir);

	if (!err) {
		psc_lock_clear(dir);
		err = load(kernel, dir, lock);
	}
	if (!err)
		err = arm(kernel, dir, lock, ret_armed);
	if (!err)
		err = guard_sysctl(lock, dir);
	if (!err && lock->cgroup_fd >= 0)
		err = psc_anchor_attach(&lock->anchor, dir, lock->cgroup_fd);
	/* Last: what passed a guard before it was there is seen now, or is through. */
	if (!err)
		err = psc_look_around(kernel, dir, lock);
	return err;
}

/* Back to where it began: there is no floor. */
static void lock_undo(struct psc_kernel *kernel, const char *dir, const struct psc_lock *lock)
{
	int err;

	if (lock->cgroup_fd >= 0)
		bpf_prog_detach2(lock->sysctl_fd, lock->cgroup_fd, BPF_CGROUP_SYSCTL);
	psc_anchor_detach(&lock->anchor, lock->cgroup_fd);
	err = psc_kernel_disarm(kernel, dir);
	if (err)
		psc_log_err(err, "the guards cannot be disarmed: %s", strerror(-err));
}

static void drop_spare(const char *dir, const struct psc_lock *lock)
{
	char path[PATH_MAX];

	if (lock->cgroup_fd >= 0 && !spare_path(path, dir))
		unlink(path);
	psc_anchor_unpin(&lock->anchor, dir);
}

static void lock_close(struct psc_lock *lock)
{
	psc_closep(&lock->scan_fd);
	psc_closep(&lock->scan_maps_fd);
	psc_closep(&lock->sysctl_fd);
	psc_closep(&lock->cgroup_fd);
	psc_closep(&lock->ftrace_fd);
	psc_closep(&lock->dir_fd);
	psc_anchor_close(&lock->anchor);
}

/* At the end, back to where it began if there is no floor. Return: psc_kernel_locked() */
static int lock_end(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	int locked = psc_kernel_locked(kernel);

	if (!locked)
		lock_undo(kernel, dir, lock);
	if (locked >= 0)	/* else it may still be needed */
		drop_spare(dir, lock);
	lock_close(lock);
	return locked;
}

int psc_lock_try(struct psc_kernel *kernel, const char *dir)
{
	struct psc_lock lock = PSC_LOCK_NONE;
	int err, locked = psc_kernel_locked(kernel);
	__u64 armed;

	if (locked)
		return locked < 0 ? locked : 0;
	err = lock_begin(kernel, dir, &lock, &armed);
	lock_end(kernel, dir, &lock);
	return err;
}

/* Something that raises the first floor if it is told that the guards are armed. */
struct attempt {
	int (*run)(struct psc_kernel *kernel, void *data, __u64 armed, __u32 anchor);
	void *data;
};

static int attempt(struct psc_kernel *kernel, const char *dir, const struct attempt *what)
{
	struct psc_lock lock = PSC_LOCK_NONE;
	int err = what->run(kernel, what->data, 0, 0);
	bool looked;
	__u64 armed;

	if (err != -PSC_E_CANCELED)
		return err;
	err = lock_begin(kernel, dir, &lock, &armed);
	looked = !err;
	if (!err)
		err = what->run(kernel, what->data, armed,
				lock.anchor.n_attached ? lock.references : 0);
	/* It may have locked and failed in the step after: then the guards stay. */
	if (lock_end(kernel, dir, &lock) > 0)
		kernel->looked = looked;
	return err;
}

struct request_attempt {
	const struct psc_request asked;
	struct psc_request *req;
};

static int run_request(struct psc_kernel *kernel, void *data, __u64 armed, __u32 anchor)
{
	const struct request_attempt *request = data;

	*request->req = request->asked;
	if (armed) {
		request->req->armed = armed;
		request->req->anchor = anchor;
	}
	return psc_kernel_request(kernel, request->req);
}

int psc_lock_request(struct psc_kernel *kernel, const char *dir, struct psc_request *req)
{
	struct request_attempt request = { .asked = *req, .req = req };

	return attempt(kernel, dir, &(struct attempt){ run_request, &request });
}

static int run_sections(struct psc_kernel *kernel, void *data, __u64 armed, __u32 anchor)
{
	struct psc_section_request *req = data;

	req->armed = armed;
	req->anchor = anchor;
	return psc_kernel_section(kernel, req);
}

int psc_lock_sections(struct psc_kernel *kernel, const char *dir, struct psc_section_request *req)
{
	return attempt(kernel, dir, &(struct attempt){ run_sections, req });
}
