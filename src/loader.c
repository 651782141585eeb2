/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "log.h"
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
 * kernel lets tasks be. That costs 16 bytes a task at most, of which each needs
 * a stack a thousand times that size.
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
		map = bpf_object__find_map_by_name(skel->obj, psc_pins[i].name);
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
		map = bpf_object__find_map_by_name(skel->obj, psc_pins[i].name);
		if (!map)
			return -ENOENT;
		if (bpf_map_freeze(bpf_map__fd(map)))
			return -errno;
	}
	return 0;
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
	skel->rodata->psc_yama_active = access("/proc/sys/kernel/yama/ptrace_scope", F_OK) == 0;
	if (predecessor)
		err = inherit_maps(skel, predecessor);
	else
		err = bpf_map__set_max_entries(skel->maps.psc_relations, max) ?:
			bpf_map__set_max_entries(skel->maps.psc_tracers, max);
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

static int pin_set(struct ptracescope_bpf *skel, const char *dir)
{
	if (mkdir(dir, 0700) < 0)
		return -errno;
	for (int i = 0; i < PSC_PINS; i++) {
		const struct psc_pin *pin = &psc_pins[i];
		struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, pin->name);
		struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, pin->name);
		char path[PATH_MAX];
		int fd = -1, err = pin_path(path, dir, pin->name);

		if (err)
			return err;
		if (pin->kind == PSC_PIN_MAP && map)
			fd = bpf_map__fd(map);
		else if (pin->kind == PSC_PIN_PROG && prog)
			fd = bpf_program__fd(prog);
		else if (pin->kind == PSC_PIN_LINK)
			for (int j = 0; j < skel->skeleton->prog_cnt; j++)
				if (streq(skel->skeleton->progs[j].name, pin->name) &&
				    *skel->skeleton->progs[j].link)
					fd = bpf_link__fd(*skel->skeleton->progs[j].link);
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
	int err;

	if (snprintf(staging, sizeof(staging), "%s" STAGING_SUFFIX, dir) >= (int)sizeof(staging))
		return -ENAMETOOLONG;
	if (!psc_ftrace_enabled())
		return refuse_without_ftrace("attached");
	err = ptracescope_bpf__attach(skel);
	if (err)
		return psc_log_err(err, "attaching the BPF programs failed: %s", strerror(-err));
	/* What an interrupted start left may go now that this set is attached. */
	err = remove_set(staging);
	if (!err)
		err = pin_set(skel, staging);
	if (!err && renameat2(AT_FDCWD, staging, AT_FDCWD, dir,
			      replace ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
		err = -errno;
	/* Now the predecessor's, or what could not be published. */
	if ((err || replace) && remove_set(staging))
		psc_warning("%s could not be removed: %s", staging, strerror(errno));
	if (err)
		return psc_log_err(err, "pinning to %s failed: %s", dir, strerror(-err));
	return 0;
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
	return err ? err : PSC_LOADED;
}

/* May the set in force be replaced? Under a floor nothing may be taken away. */
static bool replaceable(struct psc_kernel *kernel)
{
	union psc_policy policy;

	if (psc_kernel_policy(kernel, &policy))
		return false;
	for (int mode = 0; mode < PSC_MODES; mode++)
		if (policy.floor[mode])
			return false;
	return true;
}

static int upgrade(const struct psc_loader_options *options, struct psc_kernel **kernel)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = NULL;
	struct psc_kernel *successor;
	int err = load(options, *kernel, &skel);

	if (!err)
		err = publish(skel, options->pin_dir, true);
	if (!err)
		err = psc_kernel_open(options->pin_dir, &successor);
	if (err)
		return err;
	psc_kernel_close(*kernel);
	*kernel = successor;
	return 0;
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

	*ret = kernel;
	if (kernel->build == own_build)
		return PSC_ADOPTED;
	if (!replaceable(kernel)) {
		psc_notice("programs of another build (%016llx) are locked by a floor and stay until reboot",
			   kernel->build);
		return PSC_ADOPTED;
	}
	err = upgrade(options, ret);
	if (err) {
		psc_warning("replacing the programs of another build (%016llx) failed: %s; they stay in force",
			    kernel->build, strerror(-err));
		return PSC_ADOPTED;
	}
	return PSC_UPGRADED;
}

int psc_loader_remove(const struct psc_loader_options *options, struct psc_kernel *kernel)
{
	char staging[PATH_MAX];
	int err;

	if (!replaceable(kernel))
		return -EACCES;
	if (!psc_ftrace_enabled())
		return refuse_without_ftrace("detached");
	if (snprintf(staging, sizeof(staging), "%s" STAGING_SUFFIX, options->pin_dir) >=
	    (int)sizeof(staging))
		return -ENAMETOOLONG;
	/* Moved aside first: a set is either complete in its place or not there. */
	err = remove_set(staging);
	if (err)
		return err;
	if (renameat2(AT_FDCWD, options->pin_dir, AT_FDCWD, staging, RENAME_NOREPLACE) < 0)
		return -errno;
	return remove_set(staging);
}
