/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads, attaches and pins a set of programs, or adopts the set that is pinned. */
#include "loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "kernel_btf.h"
#include "log.h"
#include "place.h"
#include "ptracescope_state.h"
#include "ptracescope.skel.h"
#include "set.h"
#include "unload.h"
#include "util.h"

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
 * Every task may declare a tracer, may be making another one, and when it is released keeps
 * its room for an RCU grace period: docs/design.md, "What tables have room for". Unused, that
 * costs 16 bytes an entry in each of the tables, or twice that where it is no power of 2.
 */
static unsigned int relations_max(void)
{
	_cleanup_free_ char *text = NULL;
	unsigned int max;

	if (psc_read_file("/proc/sys/kernel/threads-max", 64, &text, NULL) ||
	    psc_parse_u32(psc_strip(text), &max) || max > PSC_RELATIONS_MAX / 2)
		return PSC_RELATIONS_MAX;
	return 2 * max < PSC_RELATIONS_MIN ? PSC_RELATIONS_MIN : 2 * max;
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

int psc_loader_inherit(struct bpf_object *object, const struct psc_kernel *predecessor)
{
	for (int i = 0; i < PSC_PINS; i++) {
		struct bpf_map *map;
		int err;

		if (psc_pins[i].kind != PSC_PIN_MAP)
			continue;
		map = bpf_object__find_map_by_name(object, psc_pin_object(&psc_pins[i]));
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

/* Take the guard of loading that hangs on a hook which this kernel has. */
static int fit_guards(struct ptracescope_bpf *skel)
{
	/* What is not in the kernel libbpf seeks in its modules; before 1.3 that takes
	 * CAP_SYS_ADMIN, and it complains without. */
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	/* In the types that loading will use: to read them takes as long as much of the rest. */
	int err = bpf_program__set_attach_target(skel->progs.psc_g_load, 0, "bpf_prog_load");

	libbpf_set_print(print);
	if (err && err != -ENOENT && err != -ESRCH && err != -EPERM)
		return err;
	return bpf_program__set_autoload(err ? skel->progs.psc_g_alloc : skel->progs.psc_g_load,
					 true);
}

/* Return: 0, -ESRCH if cgroup_attach_task() cannot be traced, or another errno, after a message. */
static int load_with(const struct psc_loader_options *options,
		     const struct psc_kernel *predecessor, bool sees_moves,
		     struct ptracescope_bpf **ret)
{
	/*
	 * The types of the kernel alone: what is not among them libbpf seeks in its modules, which
	 * before 1.3 takes CAP_SYS_ADMIN.
	 */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = "/sys/kernel/btf/vmlinux");
	_cleanup_skel_ struct ptracescope_bpf *skel = ptracescope_bpf__open_opts(&opts);
	unsigned int max = options->relations_max ? options->relations_max : relations_max();
	int err;

	if (!skel)
		return -errno;
	/* By which libbpf fits the programs to the kernel. */
	err = psc_kernel_btf_open(NULL);
	if (err)
		return err;
	skel->rodata->psc_build = build_id(skel);
	if (getrandom(&skel->rodata->psc_salt, sizeof(skel->rodata->psc_salt), GRND_NONBLOCK) < 0)
		psc_debug("getrandom: %s", strerror(errno));	/* early in the boot */
	/* A map of variables is mapped into our memory otherwise, and could not be frozen. */
	bpf_map__set_map_flags(skel->maps.data_psc_state, 0);
	skel->rodata->psc_sees_moves = sees_moves;
	skel->rodata->psc_reserve_size = max < PSC_RESERVE_MAX ? max : PSC_RESERVE_MAX;
	if (sees_moves && bpf_program__set_attach_target(skel->progs.psc_cg_attach, 0,
							 "cgroup_attach_task"))
		return -ESRCH;
	err = bpf_program__set_autoload(skel->progs.psc_cg_attach, sees_moves) ?: fit_guards(skel);
	if (err)
		return psc_log_err(err, "fitting the programs to this kernel failed: %s; "
				   "\"ptracescoped --check\" tells what is missing",
				   strerror(-err));
	if (predecessor)
		err = psc_loader_inherit(skel->obj, predecessor);
	else
		err = bpf_map__set_max_entries(skel->maps.psc_relations, max) ?:
			bpf_map__set_max_entries(skel->maps.psc_tracers, max) ?:
			bpf_map__set_max_entries(skel->maps.psc_carried, max) ?:
			bpf_map__set_max_entries(skel->maps.psc_reserve,
						 skel->rodata->psc_reserve_size) ?:
			bpf_map__set_max_entries(skel->maps.psc_sticky,
						 PSC_CGROUPS_MAX + PSC_LEFT * max);
	if (err)
		return err;
	err = ptracescope_bpf__load(skel);
	if (err)
		return psc_log_err(err, "loading the BPF programs failed: %s; \"ptracescoped "
				   "--check\" tells what is missing, \"ptracescoped --debug\" has the "
				   "verifier's log", strerror(-err));
	if (!predecessor) {
		err = freeze_maps(skel);
		if (err)
			return psc_log_err(err, "freezing the policy maps failed: %s", strerror(-err));
	}
	*ret = TAKE_PTR(skel);
	return 0;
}

/*
 * Open and load; with a predecessor on its maps, else on new ones, frozen. Everything but
 * floors of cgroups works without psc_cg_attach. So that is attached here, where it has nothing
 * to do yet, and what cannot be attached, or not even loaded, is left out.
 */
static int load(const struct psc_loader_options *options, const struct psc_kernel *predecessor,
		struct ptracescope_bpf **ret)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = NULL;
	int err = load_with(options, predecessor, true, &skel);
	int blind = err == -ESRCH ? err : 0;

	if (!err && psc_ftrace_enabled()) {
		skel->links.psc_cg_attach = bpf_program__attach(skel->progs.psc_cg_attach);
		blind = skel->links.psc_cg_attach ? 0 : -errno;
	}
	/* Too many others may trace it just now; the predecessor is better than that. */
	if (blind && predecessor && predecessor->sees_moves)
		return psc_log_err(blind, "attaching psc_cg_attach failed: %s; \"ptracescoped --check\" "
				   "tells what is missing", strerror(-blind));
	if (blind) {
		ptracescope_bpf__destroy(skel);
		skel = NULL;
		err = load_with(options, predecessor, false, &skel);
	}
	if (blind && !err)
		psc_warning("cgroup_attach_task() of this kernel cannot be traced (%s), so a "
			    "process cannot be followed from one cgroup to another: floors of "
			    "cgroups will be refused", strerror(-blind));
	if (!err)
		*ret = TAKE_PTR(skel);
	return err;
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
			return psc_log_err(err, "setting the first policy failed: %s; the daemon "
					   "requires CAP_SYS_PTRACE",
					   strerror(-err));
	}
	err = psc_set_publish(skel, options->pin_dir, false);
	if (err)
		return err;
	err = psc_kernel_open(options->pin_dir, ret);
	if (err)
		return err;
	err = psc_set_verify(skel, *ret, options->pin_dir);
	if (err)
		psc_kernel_close(*ret);
	else
		(*ret)->own = true;
	return err ? err : PSC_LOADED;
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

/* Say why the programs of another build stay in force; @why is kept as it is. */
static int keep_other(struct psc_kernel *kernel, const char *why)
{
	kernel->kept = why;
	psc_notice("programs of another build (%016llx) stay in force: %s", kernel->build, why);
	return PSC_ADOPTED;
}

/* Replace what is in force by programs of this build, on the same maps. */
static int upgrade(const struct psc_loader_options *options, struct psc_kernel **kernel)
{
	_cleanup_skel_ struct ptracescope_bpf *skel = NULL;
	struct psc_kernel *successor;
	int err = psc_unload_allowed(*kernel);

	if (err == -EACCES)
		return keep_other(*kernel, "they are locked by a floor until reboot");
	if (count_pins(options->pin_dir) != psc_kernel_pins(*kernel))
		return keep_other(*kernel, "there are pins that this version does not know");
	if (!err)
		err = load(options, *kernel, &skel);
	if (!err)
		err = psc_set_publish(skel, options->pin_dir, true);
	if (err)
		return keep_other(*kernel, strerrordesc_np(-err) ?:
			"loading or publishing those of this daemon failed; see its log");
	err = psc_kernel_open(options->pin_dir, &successor);
	if (err)
		return err;
	psc_kernel_close(*kernel);
	*kernel = successor;
	return PSC_UPGRADED;
}

/*
 * Of an upgrade that was killed in its last step the predecessor is still attached, and
 * judges as well. Under a floor it stays.
 */
static int drop_staged(const struct psc_loader_options *options, struct psc_kernel *kernel)
{
	char staging[PATH_MAX];
	int err = psc_unload_staging(staging, options->pin_dir);

	if (err || access(staging, F_OK) < 0 || psc_unload_allowed(kernel) || !psc_ftrace_enabled())
		return err;
	err = psc_unload_set(staging);
	if (err)
		psc_warning("%s, left by an interrupted upgrade, could not be removed: %s", staging,
			    strerror(-err));
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

	err = kernel->build == own_build ? drop_staged(options, kernel) ?: PSC_ADOPTED :
					   upgrade(options, &kernel);
	if (err < 0)
		psc_kernel_close(kernel);
	else
		*ret = kernel;
	return err;
}
