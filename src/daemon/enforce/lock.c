/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps to the first floor: arms the guards, looks around, sets the anchor. */
#include "lock.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "anchor.h"
#include "hooks.h"
#include "kernel_btf.h"
#include "loader.h"
#include "log.h"
#include "look.h"
#include "plain.h"
#include "ptracescope_state.h"
#include "first_floor.skel.h"
#include "spare.h"
#include "util.h"

#define PROC_CGROUP_MAX (64 * 1024)

/* The root of the initial mount namespace; -1 before it is asked for. */
static int initial_root = -1;

int psc_lock_prepare(void)
{
	static const char *const root[] = { "1", "root", NULL };

	if (initial_root < 0)
		initial_root = psc_plain_open_proc(root, O_PATH | O_DIRECTORY);
	return initial_root < 0 ? initial_root : 0;
}

/* The initial mount namespace's view, where ours may be a private one that ends with us. */
static int open_initially(const char *dir)
{
	int fd, err = psc_lock_prepare();

	if (err)
		return err;
	if (streq(dir, PSC_BPFFS_BOUND "/ptracescope"))
		dir = PSC_PIN_DIR;
	fd = openat(initial_root, dir + strspn(dir, "/"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The directory of the pins, as the guards are to know it. Return: a descriptor or -errno. */
static int open_pins(const struct psc_kernel *kernel, const char *dir)
{
	_cleanup_close_ int fd = open_initially(dir);
	struct stat st;

	if (fd < 0)
		return psc_log_err(fd, "%s cannot be opened in the initial mount namespace: "
				   "%s; is bpffs mounted there? nsenter -t 1 -m findmnt -t bpf",
				   dir, strerror(-fd));
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev == kernel->dir_dev && st.st_ino == kernel->dir_ino)
		return TAKE_FD(fd);
	return psc_log_err(-EUCLEAN, "%s in the initial mount namespace is not the directory of "
			   "the pins in force: something is mounted over it: unmount it; or they "
			   "are in a mount namespace of their own: start the daemon by its unit",
			   dir);
}

/* Tell the guards what to protect, and arm them. */
static int arm(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 1 };
	int err;

	lock->dir_fd = open_pins(kernel, dir);
	req.dir_fd = lock->dir_fd;
	err = req.dir_fd < 0 ? req.dir_fd : psc_hooks_find(lock->hooks);
	memcpy(req.hooks, lock->hooks, sizeof(req.hooks));
	if (!err)
		err = psc_kernel_request(kernel, &req);
	if (err)
		return psc_log_err(err, "the guards cannot be armed: %s", psc_ctl_error(err));
	lock->armed = req.armed;
	return 0;
}

/* @cgroup_fd: for the iterator over cgroups, or -1 */
static int dup_link(const struct bpf_program *prog, int cgroup_fd)
{
	union bpf_iter_link_info info = {
		.cgroup.order = BPF_CGROUP_ITER_SELF_ONLY, .cgroup.cgroup_fd = (__u32)cgroup_fd,
	};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(prog, cgroup_fd < 0 ? NULL : &opts);
	int fd = link ? fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3) : -1;
	int err = fd < 0 ? -errno : 0;

	bpf_link__destroy(link);
	return err ? err : fd;
}

/* Where there is no such sysctl there is nothing to be written. */
static int open_ftrace(int *ret)
{
	static const char path[] = "/proc/sys/kernel/ftrace_enabled";
	bool has = true;
	int err;

	*ret = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	err = errno == ENOENT ? psc_hooks_has_ftrace(&has) : -errno;
	if (!err && has)
		err = psc_log_err(-ENOENT, "no floor, as %s is not there, though the kernel has "
				  "it: is something mounted over it?", path);
	return err;
}

static int take_program(int *ret, const struct bpf_program *prog)
{
	*ret = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? -errno : 0;
}

/* Keep what was loaded. Return: 0 or a negative errno. */
static int take_loaded(struct psc_lock *lock, const struct first_floor_bpf *skel)
{
	const struct bpf_program *const iterators[] = {
		[PSC_LOOK_PROGRAMS] = skel->progs.psc_scan,
		[PSC_LOOK_MAPS] = skel->progs.psc_scan_maps,
		[PSC_LOOK_LINKS] = skel->progs.psc_scan_links,
		[PSC_LOOK_ROOT] = skel->progs.psc_scan_root,
	};

	for (int i = 0; i < (int)ARRAY_SIZE(iterators); i++) {
		int cgroup_fd = i == PSC_LOOK_ROOT ? lock->cgroup_fd : -1;

		if (i == PSC_LOOK_ROOT && cgroup_fd < 0)
			continue;
		lock->look_fds[i] = dup_link(iterators[i], cgroup_fd);
		if (lock->look_fds[i] < 0)
			return lock->look_fds[i];
	}
	return take_program(&lock->look_fds[PSC_LOOK_GRACE], skel->progs.psc_grace) ?:
		psc_handle_take(&lock->sysctl, skel->progs.psc_g_sysctl) ?:
		psc_anchor_take(&lock->anchor, skel->obj);
}

/* Load what is needed to look around, and let go of every map for that. */
static int load(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	struct first_floor_bpf *skel = first_floor_bpf__open();
	struct bpf_program *prog;
	int err;

	if (!skel)
		return -errno;
	bpf_object__for_each_program(prog, skel->obj)
		if (psc_anchor_has_program(prog))
			bpf_program__set_autoload(prog, true);
	err = open_ftrace(&lock->ftrace_fd);
	skel->rodata->psc_ftrace_fd = lock->ftrace_fd;
	if (!err)
		err = psc_kernel_btf_open(NULL);
	if (!err && kernel->fds[PSC_PIN_STATE] < 0)
		err = psc_kernel_open_policy_maps(kernel, dir);
	if (!err)
		err = psc_loader_inherit(skel->obj, kernel);
	if (!err)
		err = first_floor_bpf__load(skel);
	if (!err)
		err = take_loaded(lock, skel);
	first_floor_bpf__destroy(skel);
	psc_kernel_close_policy_maps(kernel);
	if (err)
		psc_log_err(err, "loading the guards of the first floor failed: %s; \"ptracescoped "
			    "--check\" tells what is missing", strerror(-err));
	return err == -PSC_E_LOCKED ? -EIO : err;	/* the verifier's is no floor */
}

/* Has cgroup2 ever been mounted since boot? Or is that not to be seen for certain? */
static bool cgroup2_is_used(void)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	fd = psc_plain_open_proc((const char *const[]){ pid, "cgroup", NULL }, O_RDONLY);
	if (fd < 0 || psc_read_fd(fd, PROC_CGROUP_MAX, &text, NULL))
		return true;
	/* "HIERARCHY:CONTROLLERS:PATH", that of cgroup2 being "0::"; no name has a line feed. */
	return strncmp(text, "0::", 3) == 0 || strstr(text, "\n0::");
}

/* Where the programs of the anchor go. Without cgroup2 they cannot be, and are worth that much. */
static int find_root(struct psc_lock *lock)
{
	lock->cgroup_fd = psc_spare_root_cgroup();
	if (lock->cgroup_fd < 0 && cgroup2_is_used())
		return psc_log_err(lock->cgroup_fd, "no floor while kernel.ftrace_enabled cannot "
				   "be guarded: the root of the cgroup2 hierarchy is neither at "
				   "/sys/fs/cgroup nor at /sys/fs/cgroup/unified; mount it there");
	if (lock->cgroup_fd < 0)
		psc_warning("kernel.ftrace_enabled cannot be guarded, as there is no cgroup2 "
			    "hierarchy: root can switch enforcement off with it");
	return 0;
}

/*
 * Until the floor is there each program has a pin, by which who comes after us finds what we
 * have left behind; with the guards armed nobody opens it.
 */
static int pin_spare(struct psc_lock *lock, const char *dir)
{
	char path[PATH_MAX];
	int err = psc_spare_path(path, dir);

	if (!err)
		err = psc_handle_pin(&lock->sysctl, path);
	if (err)
		return psc_log_err(err, "no floor, as %s cannot be made: %s; is it in a bpffs that "
				   "root can write? findmnt -t bpf", path, strerror(-err));
	return psc_anchor_pin(&lock->anchor, dir);
}

static int attach(struct psc_lock *lock)
{
	if (bpf_prog_attach(lock->sysctl.fd, lock->cgroup_fd, BPF_CGROUP_SYSCTL, BPF_F_ALLOW_MULTI)) {
		int err = -errno;

		return psc_log_err(err, "no floor while kernel.ftrace_enabled cannot be guarded: "
				   "attaching a program to the root cgroup failed: %s; "
				   "\"bpftool cgroup tree\" lists what is attached",
				   strerror(-err));
	}
	lock->has_sysctl = true;
	psc_handle_let_go(&lock->sysctl);
	return psc_anchor_attach(&lock->anchor, lock->cgroup_fd);
}

int psc_lock_begin(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	int err = psc_kernel_disarm(kernel, dir);

	if (err)
		return err;
	psc_spare_clear(dir);
	err = find_root(lock);
	if (!err)
		err = load(kernel, dir, lock);
	if (!err && lock->cgroup_fd >= 0)
		err = pin_spare(lock, dir);
	if (!err)
		err = arm(kernel, dir, lock);
	if (!err && lock->cgroup_fd >= 0)
		err = attach(lock);
	/* Last: what passed a guard before it was there is seen now, or is through. */
	if (!err)
		err = psc_look_around(kernel, dir, lock);
	if (!err)
		kernel->arming = (struct psc_arming){
			lock->armed, lock->anchor.n_attached ? lock->references : 0,
		};
	return err;
}

/* Back to where it began: there is no floor. */
static void lock_undo(struct psc_kernel *kernel, const char *dir, const struct psc_lock *lock)
{
	int err = psc_kernel_disarm(kernel, dir);

	if (err)
		psc_log_err(err, "the guards cannot be disarmed: %s; restart the daemon",
			    psc_ctl_error(err));
	err = lock->has_sysctl ?
		psc_handle_detach(&lock->sysctl, lock->cgroup_fd, BPF_CGROUP_SYSCTL) : 0;
	if (err)
		psc_log_err(err, "the guard of kernel.ftrace_enabled cannot be detached: %s; "
			    "restart the daemon",
			    strerror(-err));
	psc_anchor_detach(&lock->anchor, lock->cgroup_fd);
}

static void drop_spare(const char *dir, const struct psc_lock *lock)
{
	char path[PATH_MAX];

	if (lock->sysctl.pin_fd >= 0 && !psc_spare_path(path, dir))
		unlink(path);
	psc_anchor_unpin(&lock->anchor, dir);
}

static void lock_close(struct psc_lock *lock)
{
	for (int i = 0; i < PSC_LOOKS; i++)
		psc_closep(&lock->look_fds[i]);
	psc_handle_close(&lock->sysctl);
	psc_closep(&lock->cgroup_fd);
	psc_closep(&lock->ftrace_fd);
	psc_closep(&lock->dir_fd);
	psc_anchor_close(&lock->anchor);
}

void psc_lock_end(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	int locked = psc_kernel_locked(kernel);

	if (!locked)
		lock_undo(kernel, dir, lock);
	if (locked >= 0)	/* else it may still be needed */
		drop_spare(dir, lock);
	lock_close(lock);
	kernel->arming = (struct psc_arming){ 0 };
}

/*
 * Did the floor come by our arming, and not by that of somebody who has not looked around? A
 * request may have locked and failed in the step after: then the guards stay.
 */
static void note_looked(struct psc_kernel *kernel, __u64 armed, __u32 anchor)
{
	const struct psc_arming *arming = &kernel->arming;

	kernel->looked = kernel->own && armed == arming->armed &&
		(!arming->references || anchor == PSC_ANCHOR_SET) && psc_kernel_locked(kernel) > 0;
}

int psc_lock_request_armed(struct psc_kernel *kernel, struct psc_request *req)
{
	const struct psc_arming *arming = &kernel->arming;
	int err;

	req->armed = arming->armed;
	req->anchor = arming->references;
	err = psc_kernel_request(kernel, req);
	if (!err && arming->armed)
		note_looked(kernel, req->armed, req->anchor);
	return err;
}

/*
 * The sections given since a set of them was in force. Before there is a floor somebody else may
 * write where they are: so they are given again once the guards are armed.
 */
static struct {
	struct psc_section_request *all;
	size_t n;
} given;

static int note_section(const struct psc_section_request *req)
{
	struct psc_section_request *all =
		reallocarray(given.all, req->index + 1, sizeof(*given.all));

	if (!all)
		return -ENOMEM;
	given.all = all;
	all[req->index] = *req;
	given.n = req->index + 1;
	return 0;
}

static int give_again(struct psc_kernel *kernel)
{
	int err = 0;

	for (size_t i = 0; !err && i < given.n; i++) {
		struct psc_section_request req = given.all[i];

		err = psc_kernel_section(kernel, &req);
	}
	return err;
}

static void forget_sections(void)
{
	free(given.all);
	given.all = NULL;
	given.n = 0;
}

int psc_lock_sections_armed(struct psc_kernel *kernel, struct psc_section_request *req)
{
	const struct psc_arming *arming = &kernel->arming;
	int err;

	if (req->op == PSC_SECTIONS_PUT)
		return note_section(req) ?: psc_kernel_section(kernel, req);
	err = arming->armed ? give_again(kernel) : 0;
	if (err)
		return err;
	req->armed = arming->armed;
	req->anchor = arming->references;
	err = psc_kernel_section(kernel, req);
	if (!err && arming->armed)
		note_looked(kernel, req->armed, req->anchor);
	if (!err)
		forget_sections();
	return err;
}

int psc_lock_request(struct psc_kernel *kernel, const char *dir, struct psc_request *req)
{
	const struct psc_request asked = *req;
	struct psc_lock lock = PSC_LOCK_NONE;
	int err = psc_lock_request_armed(kernel, req);

	if (err != -PSC_E_CANCELED)
		return err;
	err = psc_lock_begin(kernel, dir, &lock);
	if (!err) {
		*req = asked;
		err = psc_lock_request_armed(kernel, req);
	}
	psc_lock_end(kernel, dir, &lock);
	return err;
}

int psc_lock_sections(struct psc_kernel *kernel, const char *dir, struct psc_section_request *req)
{
	struct psc_lock lock = PSC_LOCK_NONE;
	int err = psc_lock_sections_armed(kernel, req);

	if (err != -PSC_E_CANCELED)
		return err;
	err = psc_lock_begin(kernel, dir, &lock);
	if (!err)
		err = psc_lock_sections_armed(kernel, req);
	psc_lock_end(kernel, dir, &lock);
	return err;
}
