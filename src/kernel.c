/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "cgroup.h"
#include "log.h"
#include "util.h"

/* A millisecond apart. */
#define CTL_TRIES_PATIENT 1000
#define CTL_TRIES_IN_LOOP 5

static int ctl_tries = CTL_TRIES_PATIENT;

#define MAP(map_name, is_frozen) { .name = (map_name), .kind = PSC_PIN_MAP, .frozen = (is_frozen) }
#define SECRET_MAP(map_name) \
	{ .name = (map_name), .kind = PSC_PIN_MAP, .frozen = true, .secret = true }
#define TRACING_LINK(link_name, type) \
	{ .name = (link_name), .kind = PSC_PIN_LINK, .link_type = BPF_LINK_TYPE_TRACING, \
	  .attach_type = (type) }
#define LINK(link_name) TRACING_LINK(link_name, BPF_LSM_MAC)
#define TRACEPOINT_LINK(link_name) \
	{ .name = (link_name), .kind = PSC_PIN_LINK, .link_type = BPF_LINK_TYPE_RAW_TRACEPOINT }

const struct psc_pin psc_pins[PSC_PINS] = {
	[PSC_PIN_STATE] = {
		.name = "psc_state", .section = ".data.psc_state", .kind = PSC_PIN_MAP,
		.frozen = true, .secret = true,
	},
	[PSC_PIN_GUARDED] = SECRET_MAP("psc_guarded"),
	[PSC_PIN_CGROUPS] = SECRET_MAP("psc_cgroups"),
	[PSC_PIN_PATTERNS] = SECRET_MAP("psc_patterns"),
	[PSC_PIN_STUCK] = SECRET_MAP("psc_stuck"),
	[PSC_PIN_RESERVE] = SECRET_MAP("psc_reserve"),
	[PSC_PIN_RELATIONS] = SECRET_MAP("psc_relations"),
	[PSC_PIN_TRACERS] = SECRET_MAP("psc_tracers"),
	[PSC_PIN_SERIAL] = SECRET_MAP("psc_serial"),
	[PSC_PIN_FOUND] = MAP("psc_found", true),
	[PSC_PIN_WINDOW] = SECRET_MAP("psc_window"),
	[PSC_PIN_STATS] = SECRET_MAP("psc_stats"),
	[PSC_PIN_EVENTS] = MAP("psc_events", false),	/* the reader writes its position */
	[PSC_PIN_LISTENERS] = MAP("psc_listeners", false),	/* the daemon marks its socket */
	[PSC_PIN_PEERS] = MAP("psc_peers", true),
	[PSC_PIN_CTL] = { .name = "psc_ctl", .kind = PSC_PIN_PROG },
	[PSC_PIN_TASK_GONE] = TRACEPOINT_LINK("psc_task_gone"),
	[PSC_PIN_SECTIONS] = { .name = "psc_sections", .kind = PSC_PIN_PROG },
	[PSC_PIN_FIND] = { .name = "psc_find", .kind = PSC_PIN_PROG },
	[PSC_PIN_TASK_FREE] = LINK("psc_task_free"),
	[PSC_PIN_TASK_ALLOC] = LINK("psc_task_alloc"),
	[PSC_PIN_TASK_NEW] = TRACEPOINT_LINK("psc_task_new"),
	[PSC_PIN_CG_MOVE] = TRACING_LINK("psc_cg_move", BPF_TRACE_FENTRY),
	[PSC_PIN_CG_GONE] = TRACEPOINT_LINK("psc_cg_gone"),
	[PSC_PIN_CG_MADE] = TRACEPOINT_LINK("psc_cg_made"),
	[PSC_PIN_PRCTL] = LINK("psc_prctl"),
	[PSC_PIN_CONNECT] = LINK("psc_connect"),
	[PSC_PIN_TRACEME] = LINK("psc_traceme"),
	[PSC_PIN_ACCESS] = LINK("psc_access"),
	[PSC_PIN_G_LOAD] = {
		.name = "psc_g_load", .kind = PSC_PIN_LINK, .before = "psc_g_alloc",
		.link_type = BPF_LINK_TYPE_TRACING, .attach_type = BPF_LSM_MAC,
	},
	[PSC_PIN_G_PROG] = LINK("psc_g_prog"),
	[PSC_PIN_G_MAP] = LINK("psc_g_map"),
	[PSC_PIN_G_ID] = LINK("psc_g_id"),
	[PSC_PIN_G_UNLINK] = LINK("psc_g_unlink"),
	[PSC_PIN_G_RMDIR] = LINK("psc_g_rmdir"),
	[PSC_PIN_G_RENAME] = LINK("psc_g_rename"),
	[PSC_PIN_G_ATTR] = LINK("psc_g_attr"),
	[PSC_PIN_G_UMOUNT] = LINK("psc_g_umount"),
	[PSC_PIN_G_MOUNT] = LINK("psc_g_mount"),
	[PSC_PIN_G_MOVE] = LINK("psc_g_move"),
	[PSC_PIN_G_PIVOT] = LINK("psc_g_pivot"),
	[PSC_PIN_G_REMOUNT] = LINK("psc_g_remount"),
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
		"%s: %s%s%s: not a set of programs this daemon can adopt, and not one it will mix with; "
		"to start afresh (what is left of enforcement ends with this): rm -r %s",
		dir, what, name ? " " : "", name ? name : "", dir);
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
	return psc_log_err(-EUCLEAN, "%s/%s is not the map that is in force: something has been "
			   "mounted over it, or pinned in its place", dir, psc_pins[id].name);
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
		return fd == -EPERM && pin->secret ? fd :
			psc_log_err(fd, "%s/%s: %s", dir, pin->name, strerror(-fd));
	err = pin->secret ? know_map(dir, kernel, id, fd) : 0;
	if (err)
		return err;
	kernel->fds[id] = TAKE_FD(fd);
	return 0;
}

static bool is_left_out(const struct psc_kernel *kernel, int id)
{
	return id == PSC_PIN_CG_MOVE && !kernel->sees_moves;
}

int psc_kernel_pins(const struct psc_kernel *kernel)
{
	return PSC_PINS - is_left_out(kernel, PSC_PIN_CG_MOVE);
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
		if (kernel->fds[i] < 0 && !is_left_out(kernel, i) && !(locked && psc_pins[i].secret))
			err = take_pin(dir, kernel, (enum psc_pin_id)i);
	return err;
}

int psc_kernel_open_secrets(struct psc_kernel *kernel, const char *dir)
{
	return take_pins(dir, kernel, false);
}

void psc_kernel_close_secrets(struct psc_kernel *kernel)
{
	for (int i = 0; i < PSC_PINS; i++) {
		if (!psc_pins[i].secret)
			continue;
		psc_closep(&kernel->fds[i]);
		kernel->fds[i] = -1;
	}
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
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0)
		return refuse_set(dir, -EUCLEAN, "not a directory of root's", NULL);
	/* First, as a set of another ABI consists of something else. */
	err = take_pin(dir, kernel, PSC_PIN_CTL);
	if (err)
		return err;
	err = psc_kernel_request(kernel, &info);
	if (info.abi != PSC_ABI)
		return psc_log_err(-EPROTO, "%s: the programs in force are of ABI %u, and this "
				   "daemon speaks ABI %u: they stay in force; start a daemon of "
				   "their version, or reboot; without a floor \"rm -r %s\" ends "
				   "enforcement for a start afresh", dir, info.abi, PSC_ABI, dir);
	if (err)
		return psc_log_err(err, "%s/psc_ctl does not run: %s", dir, strerror(-err));
	kernel->sees_moves = info.sees_moves;
	err = take_pins(dir, kernel, info.locked);
	/* A daemon has died with the guards armed; or there is a floor since we asked. */
	if (err == -EPERM) {
		err = psc_kernel_disarm(kernel, dir);
		err = err && err != -PSC_E_LOCKED ? err :
			take_pins(dir, kernel, err == -PSC_E_LOCKED);
	}
	if (err == -EPERM)
		return psc_log_err(err, "%s: somebody arms the guards again and again", dir);
	if (err)
		return err;
	kernel->build = info.build;
	kernel->dir_dev = st.st_dev;
	kernel->dir_ino = st.st_ino;
	*ret = TAKE_PTR(kernel);
	return 0;
}

void psc_ctl_hurry(void)
{
	ctl_tries = CTL_TRIES_IN_LOOP;
}

/* Run a program whose context is a request. */
static int run(int prog_fd, void *req, size_t size)
{
	static const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	_cleanup_free_ void *asked = malloc(size);
	int err = -EAGAIN;

	if (!asked)
		return -ENOMEM;
	memcpy(asked, req, size);
	/* Somebody else's change is under way, and may wait for a processor. */
	for (int i = 0; i < ctl_tries && err == -EAGAIN; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = req, .ctx_size_in = (__u32)size);

		if (i)
			nanosleep(&pause, NULL);
		memcpy(req, asked, size);
		err = bpf_prog_test_run_opts(prog_fd, &opts);
		if (!err)
			err = (int)opts.retval;
	}
	return err;
}

int psc_ctl_run(int ctl_fd, struct psc_request *req)
{
	return run(ctl_fd, req, sizeof(*req));
}

int psc_kernel_request(struct psc_kernel *kernel, struct psc_request *req)
{
	return psc_ctl_run(kernel->fds[PSC_PIN_CTL], req);
}

int psc_kernel_section(struct psc_kernel *kernel, struct psc_section_request *req)
{
	return run(kernel->fds[PSC_PIN_SECTIONS], req, sizeof(*req));
}

int psc_kernel_find(struct psc_kernel *kernel, struct psc_find_request *req,
		    struct psc_found *found)
{
	int err = run(kernel->fds[PSC_PIN_FIND], req, sizeof(*req));

	if (err || req->op != PSC_FIND_CHILDREN)
		return err;
	return bpf_map_lookup_elem(kernel->fds[PSC_PIN_FOUND], &(__u32){ 0 }, found) ? -errno : 0;
}

int psc_kernel_disarm(struct psc_kernel *kernel, const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_GUARD, .dir_fd = fd };

	return fd < 0 ? -errno : psc_kernel_request(kernel, &req);
}

int psc_kernel_policy(struct psc_kernel *kernel, union psc_policy *ret)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	int err = psc_kernel_request(kernel, &info);

	if (!err)
		*ret = info.policy;
	return err;
}

int psc_kernel_own_policy(struct psc_kernel *kernel, union psc_policy *ret)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_CGROUP };
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	_cleanup_free_ char *name = NULL;
	struct psc_cgroups cgroups;
	int err;

	psc_cgroups_open(&cgroups);
	err = psc_cgroup_of_pid("/proc", (unsigned int)getpid(), &name);
	if (!err)
		err = psc_cgroup_find(&cgroups, name, &cgroup);
	psc_cgroups_close(&cgroups);
	if (err) {	/* no cgroup2, or its root; or a cgroup namespace hides what is above */
		struct psc_request global = { .abi = PSC_ABI, .op = PSC_OP_INFO };
		int hidden = err == -EXDEV;

		err = psc_kernel_request(kernel, &global);
		*ret = global.policy;
		return err ? err : hidden && global.entries ? -EXDEV : 0;
	}
	info.dir_fd = cgroup.fd;
	err = psc_kernel_request(kernel, &info);
	if (!err)
		*ret = info.effective;
	return err == -PSC_E_OPNOTSUPP ? psc_kernel_policy(kernel, ret) : err;
}

int psc_kernel_locked(struct psc_kernel *kernel)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	return psc_kernel_request(kernel, &info) ?: info.locked != 0;
}

bool psc_ftrace_enabled(void)
{
	_cleanup_free_ char *text = NULL;

	return psc_read_file("/proc/sys/kernel/ftrace_enabled", 64, &text, NULL) ||
	       !streq(psc_strip(text), "0");
}

int psc_try_attach(const char *function, enum bpf_prog_type prog_type, enum bpf_attach_type type)
{
	static const struct bpf_insn go_on[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	_cleanup_close_ int prog_fd = -1, link_fd = -1;
	int id = libbpf_find_vmlinux_btf_id(function, type);

	if (id <= 0)
		return id ? id : -ENOENT;
	opts.attach_btf_id = (__u32)id;
	prog_fd = bpf_prog_load(prog_type, "psc_probe", "GPL", go_on, ARRAY_SIZE(go_on), &opts);
	if (prog_fd < 0)
		return -errno;
	link_fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	return link_fd < 0 ? -errno : 0;
}

int psc_kernel_stats(struct psc_kernel *kernel, __u64 ret[PSC_STATS])
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_COUNT };
	int err = psc_kernel_request(kernel, &req);

	if (!err)
		memcpy(ret, req.stats, sizeof(req.stats));
	return err;
}

int psc_kernel_probe(struct psc_kernel *kernel, pid_t tracer, pid_t tracee)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_PROBE, .probe = { tracer, tracee },
	};

	return psc_kernel_request(kernel, &req);
}

int psc_kernel_proved(struct psc_kernel *kernel, __u32 *ret)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_COUNT };
	int err = psc_kernel_request(kernel, &req);

	if (!err)
		*ret = req.proved;
	return err;
}

int psc_kernel_mark_listener(struct psc_kernel *kernel, int listen_fd)
{
	__u32 one = 1;

	return bpf_map_update_elem(kernel->fds[PSC_PIN_LISTENERS], &listen_fd, &one, BPF_ANY) ?
		-errno : 0;
}

int psc_kernel_peer(struct psc_kernel *kernel, int fd, struct psc_peer *ret)
{
	return bpf_map_lookup_elem(kernel->fds[PSC_PIN_PEERS], &fd, ret) ? -errno : 0;
}
