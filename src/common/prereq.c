/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for each thing that enforcement requires, and tells what to do about what is missing. */
#include "prereq.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kernel.h"
#include "log.h"
#include "place.h"
#include "prereq_checker.h"
#include "prereq_pins.h"
#include "util.h"

#define ENOTSUPP 524		/* include/linux/errno.h of the kernel, not in user space's */

#define BPFFS_PATH PSC_BPFFS

/* Effective capabilities, from the line "CapEff:\t<hex>" of proc(5). */
static int read_caps(const char *root, uint64_t *ret)
{
	_cleanup_free_ char *status = NULL;
	char *line, *rest;
	int err = psc_prereq_read(root, "/proc/self/status", &status);

	if (err)
		return err;
	rest = status;
	while ((line = strsep(&rest, "\n"))) {
		char *end;

		if (strncmp(line, "CapEff:\t", 8) != 0)
			continue;
		errno = 0;
		*ret = strtoull(line + 8, &end, 16);
		return errno || end == line + 8 || *end ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

/* PROC_USER_INIT_INO of the kernel's include/linux/proc_ns.h. */
#define INITIAL_USER_NAMESPACE "user:[4026531837]"

/*
 * Not by uid_map: a child namespace may map every id onto itself, too.
 * Return: 1, 0, or a negative errno.
 */
static int in_initial_userns(const char *root)
{
	char path[PATH_MAX], link[64];
	int err = psc_prereq_path(root, "/proc/self/ns/user", path);
	ssize_t n;

	if (err)
		return err;
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return errno == ENOENT ? 1 : -errno;	/* a kernel without user namespaces */
	link[n] = '\0';
	return streq(link, INITIAL_USER_NAMESPACE);
}

#define CAP_BIT(cap) (1ULL << (cap))

#define UNTOLD "cannot be told without the privileges"

/* Nothing else needs it: without, everything works but floors. */
static int add_floors(struct psc_prereq_checker *c, uint64_t caps)
{
	static const char what[] = "setting floors";

	if (!c->privileged)
		return psc_row(c, what, PSC_PREREQ_UNKNOWN, psc_text(UNTOLD), NULL);
	if (caps & (CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_SYS_ADMIN)))
		return psc_row(c, what, PSC_PREREQ_OK, psc_text("CAP_NET_ADMIN"), NULL);
	return psc_row(c, what, PSC_PREREQ_INFO, psc_text("not possible: lacks CAP_NET_ADMIN"),
		       NULL);
}

static int check_privileges(struct psc_prereq_checker *c)
{
	static const struct {
		const char *name;
		uint64_t any;	/* one of these will do */
	} needed[] = {
		{ "CAP_BPF", CAP_BIT(CAP_BPF) | CAP_BIT(CAP_SYS_ADMIN) },
		{ "CAP_PERFMON", CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_SYS_ADMIN) },
		{ "CAP_SYS_PTRACE", CAP_BIT(CAP_SYS_PTRACE) },
	};
	char have[64] = "", lack[64] = "";
	uint64_t caps = 0;
	int err = read_caps(c->root, &caps), initial = in_initial_userns(c->root);

	if (err)
		return psc_row_unreadable(c, "privileges", "/proc/self/status", err);
	if (initial < 0)
		return psc_row_unreadable(c, "privileges", "/proc/self/ns/user", initial);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		char *list = caps & needed[i].any ? have : lack;

		if (*list)
			strcat(list, ", ");
		strcat(list, needed[i].name);
	}
	if (*lack)
		return psc_row(c, "privileges", PSC_PREREQ_MISSING, psc_text("lacks %s", lack),
			       psc_text("run as root, or through sudo; in a container, run it on "
				    "the host instead,\nor grant the container %s", lack)) ?:
		       add_floors(c, caps);
	if (!initial)
		return psc_row(c, "privileges", PSC_PREREQ_MISSING,
			       psc_text("not in the initial user namespace"),
			       psc_text("run on the host, as root or through sudo: what a rootless "
				    "container or\nunshare --user grants does not count outside")) ?:
		       add_floors(c, caps);
	c->privileged = true;
	return psc_row(c, "privileges", PSC_PREREQ_OK, psc_text("%s", have), NULL) ?:
	       add_floors(c, caps);
}

static int check_btf(struct psc_prereq_checker *c)
{
	char path[PATH_MAX];
	int err = psc_prereq_path(c->root, PSC_PREREQ_BTF_PATH, path);

	if (err)
		return err;
	if (access(path, R_OK) < 0)
		return psc_row(c, "kernel BTF", PSC_PREREQ_MISSING,
			       psc_text("%s: %s", PSC_PREREQ_BTF_PATH, strerror(errno)),
			       psc_text("boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (those of "
				    "Debian are);\nwhere /sys is not mounted: mount -t sysfs sysfs /sys"));
	return psc_row(c, "kernel BTF", PSC_PREREQ_OK, psc_text(PSC_PREREQ_BTF_PATH), NULL);
}

/* 0 takes every BPF LSM program out of force, and nothing says so. */
static int check_ftrace(struct psc_prereq_checker *c)
{
	static const char what[] = "ftrace", path[] = "/proc/sys/kernel/ftrace_enabled";
	_cleanup_free_ char *value = NULL, *safe = NULL;
	int err = psc_prereq_read(c->root, path, &value);

	if (err == -ENOENT)
		return psc_row(c, what, PSC_PREREQ_OK, psc_text("cannot be switched off here"),
			       NULL);
	if (err)
		return psc_row_unreadable(c, what, path, err);
	c->ftrace_off = streq(value, "0");
	if (c->ftrace_off)
		return psc_row(c, what, PSC_PREREQ_MISSING, psc_text("kernel.ftrace_enabled = 0"),
			       psc_text("sysctl -w kernel.ftrace_enabled=1\n"
				    "and remove kernel.ftrace_enabled=0 from sysctl.d"));
	safe = psc_prereq_shown(value);
	if (!safe)
		return -ENOMEM;
	return psc_row(c, what, PSC_PREREQ_OK, psc_text("kernel.ftrace_enabled = %s", safe), NULL);
}

/* A hook that hardly anybody runs into, for a moment. */
#define PROBE_HOOK "ptrace_traceme"

/* What an errno of psc_try_attach() means, and what helps. */
static const struct {
	int err;
	const char *found;
	const char *remedy;
} probe_errors[] = {
	{ ENOTSUPP, "the kernel has no BPF trampolines on this architecture (ENOTSUPP)",
	  "boot a kernel with them: on arm64 Linux 6.4 or newer (Debian 13 has one),\n"
	  "built with CONFIG_BPF_JIT=y and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y" },
	{ EPERM, "refused (EPERM)",
	  "the privileges are there, so look for what else restricts bpf(2) here: a container,\n"
	  "a seccomp filter, another security module, a kernel made so by its vendor, or the\n"
	  "floor of another ptracescoped, whose pins are not in this " BPFFS_PATH },
	{ EACCES, "refused (EACCES)",
	  "look for another security module that restricts bpf(2), such as SELinux" },
	{ EBUSY, "the function is taken by another kind of tracer (EBUSY)",
	  "unload live patches and ftrace users of that function, then look again" },
	{ E2BIG, "too many BPF programs are attached there already (E2BIG)",
	  "detach some of them: bpftool link" },
	{ ENOSYS, "no bpf(2) (ENOSYS)", "boot a kernel built with CONFIG_BPF_SYSCALL=y" },
	{ ESRCH, "no kernel BTF",
	  "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (those of Debian are)" },
	{ ENOENT, "the function is not in the kernel's BTF",
	  "boot a kernel built with CONFIG_BPF_LSM=y (those of Debian are)" },
};

/* Under a floor such a program is refused, which says nothing about the kernel. */
static bool has_floor(struct psc_request *ret)
{
	_cleanup_close_ int fd = bpf_obj_get(PSC_PIN_DIR "/psc_ctl");

	*ret = (struct psc_request){ .abi = PSC_ABI, .op = PSC_OP_INFO };
	return fd >= 0 && !psc_ctl_run(fd, ret) && ret->locked;
}

static const char moves[] = "floors of cgroups";

/* Optional: nothing else depends on it. @err: of tracing it */
static int add_moves(struct psc_prereq_checker *c, int err)
{
	return psc_row(c, moves, PSC_PREREQ_OK,
		       err ? psc_text("not here: cgroup_attach_task() cannot be traced: %s",
				      strerror(-err)) :
			     psc_text("possible"), NULL);
}

static int check_attach(struct psc_prereq_checker *c)
{
	static const char what[] = "attaching to LSM hooks";
	struct psc_request info;
	int err;

	/* This asks the kernel itself, which a tree of files cannot stand for. */
	if (*c->root)
		return 0;
	if (!c->privileged)
		return psc_row(c, what, PSC_PREREQ_UNKNOWN,
			       psc_text("cannot be tried without the privileges"), NULL) ?:
		       psc_row(c, moves, PSC_PREREQ_UNKNOWN, psc_text(UNTOLD), NULL);
	/* The kernel warns, and switches ftrace off for good, when something attaches then. */
	if (c->ftrace_off)
		return psc_row(c, what, PSC_PREREQ_UNKNOWN,
			       psc_text("cannot be tried while ftrace is off"), NULL) ?:
		       psc_row(c, moves, PSC_PREREQ_UNKNOWN,
			       psc_text("cannot be told while ftrace is off"), NULL);
	if (has_floor(&info))
		return psc_row(c, what, PSC_PREREQ_OK, psc_text("works: a floor is in force"), NULL) ?:
			    add_moves(c, info.sees_moves ? 0 : -EOPNOTSUPP);
	err = psc_try_attach(PROBE_HOOK, BPF_PROG_TYPE_LSM, BPF_LSM_MAC);
	if (!err)
		return psc_row(c, what, PSC_PREREQ_OK, psc_text("works"), NULL) ?:
			    add_moves(c, psc_try_attach("cgroup_attach_task", BPF_PROG_TYPE_TRACING,
							BPF_TRACE_FENTRY));
	for (size_t i = 0; i < ARRAY_SIZE(probe_errors); i++)
		if (err == -probe_errors[i].err)
			return psc_row(c, what, PSC_PREREQ_MISSING,
				       psc_text(PROBE_HOOK ": %s", probe_errors[i].found),
				       psc_text("%s", probe_errors[i].remedy));
	return psc_row(c, what, PSC_PREREQ_MISSING,
		       psc_text(PROBE_HOOK ": %s", strerror(-err)),
		       psc_text("boot a kernel of a distribution that supports BPF LSM, such as "
				"Debian's"));
}

static int check_bpffs(struct psc_prereq_checker *c)
{
	static const char what[] = "BPF file system";
	char path[PATH_MAX];
	struct statfs st;
	struct stat dir;
	int err = psc_prereq_path(c->root, BPFFS_PATH, path);

	if (err)
		return err;
	if (statfs(path, &st) < 0 || (unsigned int)st.f_type != BPF_FS_MAGIC)
		return psc_row(c, what, PSC_PREREQ_MISSING, psc_text("not mounted at " BPFFS_PATH),
			       psc_text("mount -t bpf -o mode=0700 bpf " BPFFS_PATH));
	/* Others could put something else in the place of what is ours. */
	if (stat(path, &dir) < 0 || !psc_place_is_safe(&dir))
		return psc_row(c, what, PSC_PREREQ_MISSING,
			       psc_text(BPFFS_PATH " is writable for others, without the sticky "
						   "bit"),
			       psc_text("chown root " BPFFS_PATH " && chmod 0700 " BPFFS_PATH));
	if ((st.f_flags & ST_RDONLY) && streq(psc_place_pins(), PSC_PIN_DIR))
		return psc_row(c, what, PSC_PREREQ_MISSING, psc_text(BPFFS_PATH " is read-only"),
			       psc_text("mount -o remount,rw " BPFFS_PATH));
	return psc_row(c, what, PSC_PREREQ_OK, psc_text(BPFFS_PATH), NULL);
}

/* Of a tree of files there are none. */
static int check_pins(struct psc_prereq_checker *c)
{
	struct psc_prereq row;
	int err = *c->root ? 0 : psc_prereq_pins(PSC_PIN_DIR, &row);

	return err || *c->root ? err : psc_row(c, row.what, row.state, row.found, row.remedy);
}

static int check_cgroup2(struct psc_prereq_checker *c)
{
	char path[PATH_MAX], line[3 * PATH_MAX];
	struct mntent entry;
	char *where = NULL;
	FILE *mounts;
	int err = psc_prereq_path(c->root, "/proc/self/mounts", path);

	if (err)
		return err;
	mounts = setmntent(path, "re");
	if (!mounts)
		return psc_row_unreadable(c, "cgroup2", "/proc/self/mounts", -errno);
	while (getmntent_r(mounts, &entry, line, sizeof(line))) {
		if (!streq(entry.mnt_type, "cgroup2"))
			continue;
		where = psc_prereq_shown(entry.mnt_dir);
		err = where ? 0 : -ENOMEM;
		break;
	}
	endmntent(mounts);
	if (err)
		return err;
	return psc_row(c, "cgroup2", PSC_PREREQ_INFO, where ? where : psc_text("not mounted"),
		       NULL);
}

typedef int (*check_t)(struct psc_prereq_checker *c);

static int run_checks(const char *root, const check_t *checks, size_t n, struct psc_prereqs *ret)
{
	struct psc_prereqs table = { 0 };
	struct psc_prereq_checker c = { .root = root, .table = &table };
	/* The rows say what libbpf would, in words for administrators. */
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err = 0, missing = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = checks[i](&c);
	libbpf_set_print(print);
	for (size_t i = 0; i < table.n; i++) {
		missing += table.rows[i].state == PSC_PREREQ_MISSING;
		/* The remedy of something missing is never optional. */
		if (table.rows[i].state == PSC_PREREQ_MISSING && !table.rows[i].remedy)
			err = -ENOMEM;
	}
	if (err) {
		psc_prereq_free(&table);
		return err;
	}
	*ret = table;
	return missing;
}

int psc_prereq_check(const char *root, struct psc_prereqs *ret)
{
	static const check_t checks[] = {
		check_privileges, check_btf, psc_prereq_lsm_built, psc_prereq_lsm_listed,
		check_ftrace, check_attach, check_bpffs, check_pins, psc_prereq_lockdown,
		psc_prereq_yama, check_cgroup2,
	};

	return run_checks(root, checks, ARRAY_SIZE(checks), ret);
}

int psc_prereq_check_fast(const char *root, struct psc_prereqs *ret)
{
	static const check_t checks[] = {
		check_privileges, check_btf, psc_prereq_lsm_listed, check_ftrace, check_bpffs,
	};

	return run_checks(root, checks, ARRAY_SIZE(checks), ret);
}
