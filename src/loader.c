/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "log.h"
#include "ptracescope_state.h"
#include "ptracescope.skel.h"
#include "util.h"

/* Where a set is assembled before it takes its place in one rename. bpffs has no dots in names. */
#define STAGING_SUFFIX "-staging"

static void skel_destroyp(struct ptracescope_bpf **skel)
{
	ptracescope_bpf__destroy(*skel);
}

#define _cleanup_skel_ __attribute__((cleanup(skel_destroyp)))

static int libbpf_print(enum libbpf_print_level level, const char *format, va_list ap)
{
	static const int levels[] = {
		[LIBBPF_WARN] = LOG_WARNING,
		[LIBBPF_INFO] = LOG_DEBUG,
		[LIBBPF_DEBUG] = LOG_DEBUG,
	};
	_cleanup_free_ char *text = NULL;
	char *rest, *line;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (vasprintf(&text, format, ap) < 0)
		return 0;
#pragma GCC diagnostic pop
	/* A verifier log comes as one message of many lines. */
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			psc_log(levels[level], "%s", line);
	return 0;
}

static int pin_path(char path[PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int staging_path(char path[PATH_MAX], const char *dir)
{
	return snprintf(path, PATH_MAX, "%s" STAGING_SUFFIX, dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Unlink every pin in @dir, and @dir. Not being there is fine. */
static int remove_set(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int err = 0;

	if (!stream)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(stream))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && !err)
			err = -errno;
	}
	closedir(stream);
	if (!err && rmdir(dir) < 0)
		err = -errno;
	return err;
}

/* FNV-1a over the object as built in: two builds with different programs differ. */
static __u64 build_id(const struct ptracescope_bpf *skel)
{
	const unsigned char *bytes = skel->skeleton->data;
	__u64 hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < skel->skeleton->data_sz; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

/*
 * Every task may declare a tracer, so there is room for as many entries as the
 * kernel lets tasks be. Unused, that costs up to 32 bytes a task in each of the
 * two tables, where a task needs a stack of hundreds of times that size.
 */
static unsigned int relations_max(void)
{
	_cleanup_free_ char *text = NULL;
	unsigned int max;

	if (psc_read_file("/proc/sys/kernel/threads-max", 64, &text, NULL) ||
	    psc_parse_u32(psc_strip(text), &max) || max > PSC_RELATIONS_MAX)
		return PSC_RELATIONS_MAX;
	return max < PSC_RELATIONS_MIN ? PSC_RELATIONS_MIN : max;
}

/* Does a map in force have the shape that the new programs expect? */
static bool same_shape(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map);
}

/* The maps of @predecessor go on to serve the new programs. */
static int inherit_maps(struct ptracescope_bpf *skel, const struct psc_kernel *predecessor)
{
	for (int i = 0; i < PSC_PINS; i++) {
		struct bpf_map *map;
		int err;

		if (psc_pins[i].kind != PSC_PIN_MAP)
			continue;
		map = bpf_object__find_map_by_name(skel->obj, psc_pin_object(&psc_pins[i]));
		if (!map || !same_shape(map, predecessor->fds[i]))
			return -EPROTO;
		err = bpf_map__reuse_fd(map, predecessor->fds[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Close the policy to user space, root included, before anybody could reach it. */
static int freeze_maps(struct ptracescope_bpf *skel)
{
	for (int i = 0; i < PSC_PINS; i++) {
		struct bpf_map *map;

		if (psc_pins[i].kind != PSC_PIN_MAP || !psc_pins[i].frozen)
			continue;
		map = bpf_object__find_map_by_name(skel->obj, psc_pin_object(&psc_pins[i]));
		if (!map)
			return -ENOENT;
		if (bpf_map_freeze(bpf_map__fd(map)))
			return -errno;
	}
	return 0;
}

/* What a program that replaces results (fmod_ret) must not get hold of under a floor. */
static const char *const replaceable[PSC_REPLACEABLE_MAX] = {
	"security_ptrace_access_check", "security_ptrace_traceme", "security_task_prctl",
	"security_task_free", "security_bpf_prog_load", "security_bpf_prog_alloc",
	"security_bpf_prog", "security_bpf_map", "security_inode_unlink",
	"security_inode_rmdir", "security_inode_rename", "security_sb_umount",
	"security_task_alloc",
};

/*
 * Fit the guards to the kernel: which hooks it has, and the ids of its functions. In
 * one pass over its types, of which there are more than a hundred thousand.
 */
static int fit_guards(struct ptracescope_bpf *skel)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has_load = false;
	__u32 n;

	if (!btf)
		return -errno;
	n = btf__type_cnt(btf);
	for (__u32 id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name;

		if (!btf_is_func(type))
			continue;
		name = btf__name_by_offset(btf, type->name_off);
		if (streq(name, "bpf_lsm_bpf_prog_load"))
			has_load = true;
		for (size_t i = 0; i < PSC_REPLACEABLE_MAX && replaceable[i]; i++)
			if (streq(name, replaceable[i]))
				skel->rodata->psc_replaceable[i] = id;
	}
	btf__free(btf);
	return bpf_program__set_autoload(has_load ? skel->progs.psc_g_load :
						    skel->progs.psc_g_alloc, true);
}

/* Open and load; with a predecessor on its maps, else on new ones, frozen. */
static int load(const struct psc_loader_options *options, const struct psc_kernel *predecessor,
		struct ptracescope_bpf **ret)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = ptracescope_bpf__open();
	unsigned int max = options->relations_max ? options->relations_max : relations_max();
	int err;

	if (!skel)
		return -errno;
	skel->rodata->psc_build = build_id(skel);
	/* A map of variables is mapped into our memory otherwise, and could not be frozen. */
	bpf_map__set_map_flags(skel->maps.data_psc_state, 0);
	err = fit_guards(skel);
	if (err)
		return psc_log_err(err, "reading the kernel's BTF failed: %s", strerror(-err));
	if (predecessor)
		err = inherit_maps(skel, predecessor);
	else
		err = bpf_map__set_max_entries(skel->maps.psc_relations, max) ?:
			bpf_map__set_max_entries(skel->maps.psc_tracers, max) ?:
			bpf_map__set_max_entries(skel->maps.psc_stuck, max);
	if (err)
		return err;
	err = ptracescope_bpf__load(skel);
	if (err)
		return psc_log_err(err, "loading the BPF programs failed: %s", strerror(-err));
	if (!predecessor) {
		err = freeze_maps(skel);
		if (err)
			return psc_log_err(err, "freezing the policy maps failed: %s", strerror(-err));
	}
	*ret = TAKE_PTR(skel);
	return 0;
}

/* Where the skeleton keeps the link of a program, so that destroying it detaches. */
static struct bpf_link **link_slot(struct ptracescope_bpf *skel, const char *name)
{
	for (int i = 0; i < skel->skeleton->prog_cnt; i++)
		if (streq(skel->skeleton->progs[i].name, name))
			return skel->skeleton->progs[i].link;
	return NULL;
}

/* The program behind a pin that is made of one, as fitted to the kernel. */
static struct bpf_program *program_of(struct ptracescope_bpf *skel, const struct psc_pin *pin)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, pin->name);

	if (pin->before && prog && !bpf_program__autoload(prog))
		prog = bpf_object__find_program_by_name(skel->obj, pin->before);
	return prog;
}

/* Attach all hooks in the order of the pins. */
static int attach_set(struct ptracescope_bpf *skel)
{
	for (int i = 0; i < PSC_PINS; i++) {
		const char *name = psc_pins[i].name;
		struct bpf_link **slot = link_slot(skel, name);
		struct bpf_program *prog = program_of(skel, &psc_pins[i]);

		if (psc_pins[i].kind != PSC_PIN_LINK)
			continue;
		if (!slot || !prog)
			return -ENOENT;
		*slot = bpf_program__attach(prog);
		if (!*slot)
			return psc_log_err(-errno, "attaching %s failed: %s", name,
					   strerror(errno));
	}
	return 0;
}

/* The descriptor of what a pin is made of, or -1. */
static int object_fd(struct ptracescope_bpf *skel, const struct psc_pin *pin)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, pin->name);
	struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, psc_pin_object(pin));
	struct bpf_link **slot = link_slot(skel, pin->name);

	switch (pin->kind) {
	case PSC_PIN_MAP:
		return map ? bpf_map__fd(map) : -1;
	case PSC_PIN_PROG:
		return prog ? bpf_program__fd(prog) : -1;
	case PSC_PIN_LINK:
		return slot && *slot ? bpf_link__fd(*slot) : -1;
	}
	return -1;
}

static int pin_set(struct ptracescope_bpf *skel, const char *dir)
{
	if (mkdir(dir, 0700) < 0)
		return -errno;
	for (int i = 0; i < PSC_PINS; i++) {
		int fd = object_fd(skel, &psc_pins[i]);
		char path[PATH_MAX];
		int err = pin_path(path, dir, psc_pins[i].name);

		if (err)
			return err;
		if (fd < 0)
			return -ENOENT;
		if (bpf_obj_pin(fd, path))
			return -errno;
	}
	return 0;
}

static int refuse_without_ftrace(const char *done)
{
	return psc_log_err(-EOPNOTSUPP, "kernel.ftrace_enabled is 0: BPF LSM programs have no effect "
			   "and cannot be %s; sysctl -w kernel.ftrace_enabled=1", done);
}

/*
 * Attach every hook, pin the set beside its place and move it there in one
 * step, over the predecessor's if there is one. Until the skeleton is
 * destroyed both sets are attached, on the same state.
 */
static int publish(struct ptracescope_bpf *skel, const char *dir, bool replace)
{
	char staging[PATH_MAX];
	int err, leftover;

	err = staging_path(staging, dir);
	if (err)
		return err;
	if (!psc_ftrace_enabled())
		return refuse_without_ftrace("attached");
	err = attach_set(skel);
	if (err)
		return err;
	/* What an interrupted start left may go now that this set is attached. */
	err = remove_set(staging);
	if (!err)
		err = pin_set(skel, staging);
	if (!err && renameat2(AT_FDCWD, staging, AT_FDCWD, dir,
			      replace ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
		err = -errno;
	/* Now the predecessor's, or what could not be published. */
	leftover = err || replace ? remove_set(staging) : 0;
	if (leftover)
		psc_warning("%s could not be removed: %s", staging, strerror(-leftover));
	if (err)
		return psc_log_err(err, "pinning to %s failed: %s", dir, strerror(-err));
	return 0;
}

/* Enforcement is in force without it, and so is a floor; only root is not kept out. */
static void guard_pins(struct psc_kernel *kernel, const char *dir)
{
	int err = psc_kernel_guard(kernel, dir);

	if (err)
		psc_warning("the pins cannot be guarded: %s", strerror(-err));
}

static int load_first(const struct psc_loader_options *options,
		      const struct psc_request *requests, size_t n, struct psc_kernel **ret)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = NULL;
	int err = load(options, NULL, &skel);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct psc_request req = requests[i];

		err = psc_ctl_run(bpf_program__fd(skel->progs.psc_ctl), &req);
		if (err)
			return psc_log_err(err, "setting the first policy failed: %s",
					   strerror(-err));
	}
	err = publish(skel, options->pin_dir, false);
	if (err)
		return err;
	err = psc_kernel_open(options->pin_dir, ret);
	if (err)
		return err;
	guard_pins(*ret, options->pin_dir);
	return PSC_LOADED;
}

/* How many entries a set of pins has. */
static int count_pins(const char *dir)
{
	DIR *stream = opendir(dir);
	int n = -2;	/* "." and ".." */

	if (!stream)
		return -errno;
	while (readdir(stream))
		n++;
	closedir(stream);
	return n;
}

/* May what is in force be taken away? Return: 0, -EACCES under a floor, or another errno. */
static int removable(struct psc_kernel *kernel)
{
	int locked = psc_kernel_locked(kernel);

	return locked > 0 ? -EACCES : locked;
}

/* Say why the programs of another build stay in force. */
static int keep_other(const struct psc_kernel *kernel, const char *why)
{
	psc_notice("programs of another build (%016llx) stay in force: %s", kernel->build, why);
	return PSC_ADOPTED;
}

/* Replace what is in force by programs of this build, on the same maps. */
static int upgrade(const struct psc_loader_options *options, struct psc_kernel **kernel)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = NULL;
	struct psc_kernel *successor;
	int err = removable(*kernel);

	if (err == -EACCES)
		return keep_other(*kernel, "they are locked by a floor until reboot");
	if (count_pins(options->pin_dir) != PSC_PINS)
		return keep_other(*kernel, "there are pins that this version does not know");
	if (!err)
		err = load(options, *kernel, &skel);
	if (!err)
		err = publish(skel, options->pin_dir, true);
	if (err)
		return keep_other(*kernel, strerror(-err));
	err = psc_kernel_open(options->pin_dir, &successor);
	if (err)
		return err;
	psc_kernel_close(*kernel);
	*kernel = successor;
	guard_pins(successor, options->pin_dir);
	return PSC_UPGRADED;
}

int psc_loader_start(const struct psc_loader_options *options,
		     const struct psc_request *requests, size_t n, struct psc_kernel **ret)
{
	struct psc_kernel *kernel = NULL;
	struct ptracescope_bpf *skel;
	__u64 own_build;
	int err;

	libbpf_set_print(libbpf_print);
	err = psc_kernel_open(options->pin_dir, &kernel);
	if (err == -ENOENT)
		return load_first(options, requests, n, ret);
	if (err)
		return err;

	skel = ptracescope_bpf__open();
	if (!skel) {
		psc_kernel_close(kernel);
		return -ENOMEM;
	}
	own_build = build_id(skel);
	ptracescope_bpf__destroy(skel);

	err = kernel->build == own_build ? PSC_ADOPTED : upgrade(options, &kernel);
	if (err < 0)
		psc_kernel_close(kernel);
	else
		*ret = kernel;
	return err;
}

/* The root of the cgroup2 hierarchy. Return: a descriptor, -ENOENT when there is none. */
static int open_root_cgroup(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs st;

		if (fd >= 0 && fstatfs(fd, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
			return TAKE_FD(fd);
	}
	return -ENOENT;
}

static __u32 prog_id(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

/* Is this program one of the set in force, or of the skeleton that looks? */
static bool is_own(const struct psc_kernel *kernel, const struct ptracescope_bpf *skel, __u32 id)
{
	if (id == prog_id(kernel->fds[PSC_PIN_CTL]) ||
	    id == prog_id(bpf_program__fd(skel->progs.psc_scan)) ||
	    id == prog_id(bpf_program__fd(skel->progs.psc_g_sysctl)))
		return true;
	for (int i = 0; i < PSC_PINS; i++) {
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);

		if (psc_pins[i].kind == PSC_PIN_LINK &&
		    !bpf_obj_get_info_by_fd(kernel->fds[i], &info, &len) && info.prog_id == id)
			return true;
	}
	return false;
}

/* Look for programs that would undo a floor. Return: 0, or -EBUSY after naming each. */
static int refuse_intruders(const struct psc_kernel *kernel, const struct ptracescope_bpf *skel)
{
	struct bpf_link *link = bpf_program__attach_iter(skel->progs.psc_scan, NULL);
	_cleanup_close_ int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	struct psc_intruder found;
	int err = fd < 0 ? -errno : 0;
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, &found, sizeof(found))) == sizeof(found)) {
		if (is_own(kernel, skel, found.id))
			continue;
		found.name[sizeof(found.name) - 1] = '\0';
		err = psc_log_err(-EBUSY, "no floor while BPF program %u (%s) is loaded: it %s",
				  found.id, found.name, found.uses_map ?
				  "uses the policy's maps" : "replaces the result of a hook");
	}
	if (!err && n)
		err = n < 0 ? -errno : -EIO;
	bpf_link__destroy(link);
	return err;
}

int psc_loader_lock(struct psc_kernel *kernel)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = ptracescope_bpf__open();
	_cleanup_close_ int cgroup_fd = open_root_cgroup();
	struct bpf_program *prog;
	int err;

	if (!skel)
		return -errno;
	err = fit_guards(skel);
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.psc_g_sysctl ||
						prog == skel->progs.psc_scan);
	if (!err)
		err = inherit_maps(skel, kernel);
	if (!err)
		err = ptracescope_bpf__load(skel);
	if (!err)
		err = refuse_intruders(kernel, skel);
	if (err)
		return err;
	if (cgroup_fd < 0 || bpf_prog_attach(bpf_program__fd(skel->progs.psc_g_sysctl), cgroup_fd,
					     BPF_CGROUP_SYSCTL, BPF_F_ALLOW_MULTI))
		psc_warning("kernel.ftrace_enabled cannot be guarded: %s",
			    cgroup_fd < 0 ? "there is no cgroup2 hierarchy" : strerror(errno));
	return 0;
}

int psc_loader_remove(const struct psc_loader_options *options, struct psc_kernel *kernel)
{
	char staging[PATH_MAX];
	int err;

	err = removable(kernel);
	if (err)
		return err;
	if (!psc_ftrace_enabled())
		return refuse_without_ftrace("detached");
	/* Moved aside first: a set is either complete in its place or not there. */
	err = staging_path(staging, options->pin_dir);
	if (!err)
		err = remove_set(staging);
	if (err)
		return err;
	if (renameat2(AT_FDCWD, options->pin_dir, AT_FDCWD, staging, RENAME_NOREPLACE) < 0)
		return errno == ENOENT ? 0 : -errno;	/* somebody has removed it */
	return remove_set(staging);
}
