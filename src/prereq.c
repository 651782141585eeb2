/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prereq.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "escape.h"
#include "kernel.h"
#include "log.h"
#include "util.h"

#define READ_MAX 65536		/* of any file of /proc and /sys that is read here */
#define SHOWN_MAX 400		/* bytes of it in the table */
#define ENOTSUPP 524		/* include/linux/errno.h of the kernel, not in user space's */

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define LSM_PATH "/sys/kernel/security/lsm"
#define BPFFS_PATH "/sys/fs/bpf"

struct checker {
	const char *root;
	struct psc_prereqs *table;
	bool privileged;	/* set by check_privileges() */
	bool ftrace_off;	/* set by check_ftrace() */
};

/* Takes @found and @remedy over; NULL for @found means out of memory. */
static int add(struct checker *c, const char *what, enum psc_prereq_state state, char *found,
	       char *remedy)
{
	struct psc_prereq *row = &c->table->rows[c->table->n];

	if (!found || c->table->n == PSC_PREREQS_MAX) {
		free(found);
		free(remedy);
		return found ? -E2BIG : -ENOMEM;
	}
	*row = (struct psc_prereq){ what, state, found, remedy };
	c->table->n++;
	return 0;
}

static char * __attribute__((format(printf, 1, 2))) text(const char *format, ...)
{
	char *ret = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&ret, format, ap) < 0)
		ret = NULL;
	va_end(ap);
	return ret;
}

static char *shown(const char *found)
{
	return psc_escape(found, strlen(found), SHOWN_MAX);
}

static int path_below(const char *root, const char *path, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s%s", root, path) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* A file of /proc or /sys below the root, without white space at its ends. */
static int read_below(const char *root, const char *name, char **ret)
{
	char path[PATH_MAX], *stripped;
	_cleanup_free_ char *content = NULL;
	int err = path_below(root, name, path) ?: psc_read_file(path, READ_MAX, &content, NULL);

	if (err)
		return err;
	stripped = psc_strip(content);
	memmove(content, stripped, strlen(stripped) + 1);
	*ret = TAKE_PTR(content);
	return 0;
}

/* A file that should be there could not be read. */
static int add_unreadable(struct checker *c, const char *what, const char *path, int err)
{
	return add(c, what, PSC_PREREQ_UNKNOWN, text("%s: %s", path, strerror(-err)), NULL);
}

/* Effective capabilities, from the line "CapEff:\t<hex>" of proc(5). */
static int read_caps(const char *root, uint64_t *ret)
{
	_cleanup_free_ char *status = NULL;
	char *line, *rest;
	int err = read_below(root, "/proc/self/status", &status);

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
	int err = path_below(root, "/proc/self/ns/user", path);
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

/* Nothing else needs it: without, everything works but floors. */
static int add_floors(struct checker *c, uint64_t caps)
{
	static const char what[] = "setting floors";

	if (caps & (CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_SYS_ADMIN)))
		return add(c, what, PSC_PREREQ_OK, text("CAP_NET_ADMIN"), NULL);
	return add(c, what, PSC_PREREQ_INFO, text("not possible: lacks CAP_NET_ADMIN"), NULL);
}

static int check_privileges(struct checker *c)
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
		return add_unreadable(c, "privileges", "/proc/self/status", err);
	if (initial < 0)
		return add_unreadable(c, "privileges", "/proc/self/ns/user", initial);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		char *list = caps & needed[i].any ? have : lack;

		if (*list)
			strcat(list, ", ");
		strcat(list, needed[i].name);
	}
	if (*lack)
		return add(c, "privileges", PSC_PREREQ_MISSING, text("lacks %s", lack),
			   text("run as root, or through sudo; in a container, run it on the host "
				"instead,\nor grant the container %s", lack));
	if (!initial)
		return add(c, "privileges", PSC_PREREQ_MISSING,
			   text("not in the initial user namespace"),
			   text("run on the host, as root or through sudo: what a rootless "
				"container or\nunshare --user grants does not count outside"));
	c->privileged = true;
	return add(c, "privileges", PSC_PREREQ_OK, text("%s", have), NULL) ?: add_floors(c, caps);
}

static int check_btf(struct checker *c)
{
	char path[PATH_MAX];
	int err = path_below(c->root, BTF_PATH, path);

	if (err)
		return err;
	if (access(path, R_OK) < 0)
		return add(c, "kernel BTF", PSC_PREREQ_MISSING,
			   text("%s: %s", BTF_PATH, strerror(errno)),
			   text("boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (those of Debian "
				"are);\nwhere /sys is not mounted: mount -t sysfs sysfs /sys"));
	return add(c, "kernel BTF", PSC_PREREQ_OK, text(BTF_PATH), NULL);
}

static int check_lsm_built(struct checker *c)
{
	static const char what[] = "BPF LSM built in";
	char path[PATH_MAX];
	struct btf *btf;
	int id, err = path_below(c->root, BTF_PATH, path);

	if (err)
		return err;
	btf = btf__parse_raw(path);
	if (!btf)
		return add(c, what, PSC_PREREQ_UNKNOWN, text("cannot be told without kernel BTF"),
			   NULL);
	/* What an LSM program for this hook attaches to; there only with CONFIG_BPF_LSM. */
	id = btf__find_by_name_kind(btf, "bpf_lsm_ptrace_access_check", BTF_KIND_FUNC);
	btf__free(btf);
	if (id > 0)
		return add(c, what, PSC_PREREQ_OK, text("has bpf_lsm_ptrace_access_check"), NULL);
	return add(c, what, PSC_PREREQ_MISSING, text("no bpf_lsm_ptrace_access_check"),
		   text("boot a kernel built with CONFIG_BPF_LSM=y (those of Debian are)"));
}

bool psc_lsm_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		size_t n = strcspn(list, ",\n");

		if (n == len && strncmp(list, name, n) == 0)
			return true;
		if (list[n] != ',')
			return false;
		list += n + 1;
	}
}

/* lsm_order_parse() in the kernel's security/lsm_init.c (before: ordered_lsm_parse()). */
char *psc_lsm_boot_line(const char *present)
{
	/* Room for "lsm=", every element with its comma, and "bpf". */
	char *line = malloc(strlen(present) + sizeof("lsm=,bpf"));
	bool has_bpf = false, more;
	char *out;

	if (!line)
		return NULL;
	out = stpcpy(line, "lsm=");
	do {
		const char *p = present;
		size_t n = strcspn(p, ",\n");
		bool is_bpf = n == 3 && strncmp(p, "bpf", n) == 0;

		more = p[n] == ',';
		present += n + more;
		/* "capability" is of LSM_ORDER_FIRST: always on, and no element of lsm=. */
		if (!n || (n == 10 && strncmp(p, "capability", n) == 0) || (is_bpf && has_bpf))
			continue;
		has_bpf |= is_bpf;
		out = mempcpy(out, p, n);
		*out++ = ',';
	} while (more);
	if (has_bpf)
		out[-1] = '\0';
	else
		strcpy(out, "bpf");
	return line;
}

/*
 * The active LSMs from lsm_list_modules(2) (Linux 6.8), for where securityfs is
 * not mounted, in the form of /sys/kernel/security/lsm. NULL when not to be had.
 */
static char *list_modules(void)
{
#ifdef SYS_lsm_list_modules
	const long nr = SYS_lsm_list_modules;
#else
	const long nr = 461;	/* on every architecture but alpha, where it fails as unknown */
#endif
	/* include/uapi/linux/lsm.h: LSM_ID_* from 100 on */
	static const char *const names[] = {
		"capability", "selinux", "smack", "tomoyo", "apparmor", "yama", "loadpin",
		"safesetid", "lockdown", "bpf", "landlock", "ima", "evm", "ipe",
	};
	uint64_t ids[64];
	uint32_t size = sizeof(ids);
	char list[ARRAY_SIZE(ids) * 12] = "";
	long n = syscall(nr, ids, &size, 0);

	if (n <= 0 || n > (long)ARRAY_SIZE(ids))
		return NULL;
	for (long i = 0; i < n; i++) {
		/* A boot line without one that has no name here would switch it off. */
		if (ids[i] < 100 || ids[i] - 100 >= ARRAY_SIZE(names))
			return NULL;
		strcat(list, i ? "," : "");
		strcat(list, names[ids[i] - 100]);
	}
	return strdup(list);
}

static int check_lsm_listed(struct checker *c)
{
	static const char what[] = "bpf in the LSM list";
	_cleanup_free_ char *list = NULL, *line = NULL, *safe = NULL;
	int err = read_below(c->root, LSM_PATH, &list);

	if (err == -ENOENT && !*c->root)
		list = list_modules();
	if (!list && err != -ENOENT)
		return add_unreadable(c, what, LSM_PATH, err);
	if (!list)
		return add(c, what, PSC_PREREQ_UNKNOWN, text("no " LSM_PATH),
			   text("mount -t securityfs securityfs /sys/kernel/security\n"
				"and look again"));
	safe = shown(list);
	if (!safe)
		return -ENOMEM;
	if (psc_lsm_listed(list, "bpf"))
		return add(c, what, PSC_PREREQ_OK, TAKE_PTR(safe), NULL);
	/* No boot line out of something that was cut or escaped. */
	if (!streq(safe, list))
		return add(c, what, PSC_PREREQ_MISSING, TAKE_PTR(safe),
			   text("boot with an lsm= parameter that ends in ,bpf"));
	line = psc_lsm_boot_line(list);
	if (!line)
		return -ENOMEM;
	return add(c, what, PSC_PREREQ_MISSING, TAKE_PTR(safe),
		   text("boot with: %s\n"
			"Debian: add that to GRUB_CMDLINE_LINUX in /etc/default/grub, in place of "
			"an lsm= that is\n"
			"there, then: update-grub && reboot\n"
			"elsewhere: add it to the kernel command line in the boot loader's "
			"configuration, and reboot", line));
}

/* 0 takes every BPF LSM program out of force, and nothing says so. */
static int check_ftrace(struct checker *c)
{
	static const char what[] = "ftrace", path[] = "/proc/sys/kernel/ftrace_enabled";
	_cleanup_free_ char *value = NULL, *safe = NULL;
	int err = read_below(c->root, path, &value);

	if (err == -ENOENT)
		return add(c, what, PSC_PREREQ_OK, text("cannot be switched off here"), NULL);
	if (err)
		return add_unreadable(c, what, path, err);
	c->ftrace_off = streq(value, "0");
	if (c->ftrace_off)
		return add(c, what, PSC_PREREQ_MISSING, text("kernel.ftrace_enabled = 0"),
			   text("sysctl -w kernel.ftrace_enabled=1\n"
				"and remove kernel.ftrace_enabled=0 from sysctl.d"));
	safe = shown(value);
	if (!safe)
		return -ENOMEM;
	return add(c, what, PSC_PREREQ_OK, text("kernel.ftrace_enabled = %s", safe), NULL);
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

/* What is missing here takes nothing else along. @err: of tracing it */
static int add_moves(struct checker *c, int err)
{
	return add(c, "floors of cgroups", PSC_PREREQ_OK,
		   err ? text("not here: cgroup_attach_task() cannot be traced: %s", strerror(-err)) :
			 text("possible"), NULL);
}

static int check_attach(struct checker *c)
{
	static const char what[] = "attaching to LSM hooks";
	struct psc_request info;
	int err;

	/* This asks the kernel itself, which a tree of files cannot stand for. */
	if (*c->root)
		return 0;
	if (!c->privileged)
		return add(c, what, PSC_PREREQ_UNKNOWN,
			   text("cannot be tried without the privileges"), NULL);
	/* The kernel warns, and switches ftrace off for good, when something attaches then. */
	if (c->ftrace_off)
		return add(c, what, PSC_PREREQ_UNKNOWN,
			   text("cannot be tried while ftrace is off"), NULL);
	if (has_floor(&info))
		return add(c, what, PSC_PREREQ_OK, text("works: a floor is in force"), NULL) ?:
			add_moves(c, info.sees_moves ? 0 : -EOPNOTSUPP);
	err = psc_try_attach(PROBE_HOOK, BPF_PROG_TYPE_LSM, BPF_LSM_MAC);
	if (!err)
		return add(c, what, PSC_PREREQ_OK, text("works"), NULL) ?:
			add_moves(c, psc_try_attach("cgroup_attach_task", BPF_PROG_TYPE_TRACING,
						    BPF_TRACE_FENTRY));
	for (size_t i = 0; i < ARRAY_SIZE(probe_errors); i++)
		if (err == -probe_errors[i].err)
			return add(c, what, PSC_PREREQ_MISSING,
				   text(PROBE_HOOK ": %s", probe_errors[i].found),
				   text("%s", probe_errors[i].remedy));
	return add(c, what, PSC_PREREQ_MISSING,
		   text(PROBE_HOOK ": %s", strerror(-err)),
		   text("boot a kernel of a distribution that supports BPF LSM, such as Debian's"));
}

static int check_bpffs(struct checker *c)
{
	static const char what[] = "BPF file system";
	char path[PATH_MAX];
	struct statfs st;
	struct stat dir;
	int err = path_below(c->root, BPFFS_PATH, path);

	if (err)
		return err;
	if (statfs(path, &st) < 0 || (unsigned int)st.f_type != BPF_FS_MAGIC)
		return add(c, what, PSC_PREREQ_MISSING, text("not mounted at " BPFFS_PATH),
			   text("mount -t bpf -o mode=0700 bpf " BPFFS_PATH));
	/* Others could take our place there, and enforcement would never start. */
	if (stat(path, &dir) < 0 || (dir.st_mode & 022))
		return add(c, what, PSC_PREREQ_MISSING, text(BPFFS_PATH " is writable for others"),
			   text("chmod 0700 " BPFFS_PATH));
	if (st.f_flags & ST_RDONLY)
		return add(c, what, PSC_PREREQ_MISSING, text(BPFFS_PATH " is read-only"),
			   text("mount -o remount,rw " BPFFS_PATH));
	return add(c, what, PSC_PREREQ_OK, text(BPFFS_PATH), NULL);
}

/* "none [integrity] confidentiality": the brackets are around what is in force. */
static int check_lockdown(struct checker *c)
{
	static const char what[] = "kernel lockdown", path[] = "/sys/kernel/security/lockdown";
	_cleanup_free_ char *modes = NULL;
	int err = read_below(c->root, path, &modes);

	if (err == -ENOENT)
		return add(c, what, PSC_PREREQ_OK, text("none"), NULL);
	if (err)
		return add_unreadable(c, what, path, err);
	if (strstr(modes, "[confidentiality]"))
		return add(c, what, PSC_PREREQ_MISSING,
			   text("confidentiality: BPF programs may not read kernel memory"),
			   text("boot with lockdown=integrity in place of "
				"lockdown=confidentiality"));
	return add(c, what, PSC_PREREQ_OK, shown(modes), NULL);
}

static int check_yama(struct checker *c)
{
	static const char path[] = "/proc/sys/kernel/yama/ptrace_scope";
	_cleanup_free_ char *value = NULL, *safe = NULL;
	int err = read_below(c->root, path, &value);

	if (err == -ENOENT)
		return add(c, "Yama", PSC_PREREQ_INFO, text("not active"), NULL);
	if (err)
		return add_unreadable(c, "Yama", path, err);
	safe = shown(value);
	if (!safe)
		return -ENOMEM;
	return add(c, "Yama", PSC_PREREQ_INFO,
		   text("active, at %s; the stricter of the two decides", safe), NULL);
}

static int check_cgroup2(struct checker *c)
{
	char path[PATH_MAX], line[3 * PATH_MAX];
	struct mntent entry;
	char *where = NULL;
	FILE *mounts;
	int err = path_below(c->root, "/proc/self/mounts", path);

	if (err)
		return err;
	mounts = setmntent(path, "re");
	if (!mounts)
		return add_unreadable(c, "cgroup2", "/proc/self/mounts", -errno);
	while (getmntent_r(mounts, &entry, line, sizeof(line))) {
		if (!streq(entry.mnt_type, "cgroup2"))
			continue;
		where = shown(entry.mnt_dir);
		err = where ? 0 : -ENOMEM;
		break;
	}
	endmntent(mounts);
	if (err)
		return err;
	return add(c, "cgroup2", PSC_PREREQ_INFO, where ? where : text("not mounted"), NULL);
}

typedef int (*check_t)(struct checker *c);

static int run_checks(const char *root, const check_t *checks, size_t n, struct psc_prereqs *ret)
{
	struct psc_prereqs table = { 0 };
	struct checker c = { .root = root, .table = &table };
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
		check_privileges, check_btf, check_lsm_built, check_lsm_listed, check_ftrace,
		check_attach, check_bpffs, check_lockdown, check_yama, check_cgroup2,
	};

	return run_checks(root, checks, ARRAY_SIZE(checks), ret);
}

int psc_prereq_glance(const char *root, struct psc_prereqs *ret)
{
	static const check_t checks[] = {
		check_privileges, check_btf, check_lsm_listed, check_ftrace, check_bpffs,
	};

	return run_checks(root, checks, ARRAY_SIZE(checks), ret);
}

void psc_prereq_free(struct psc_prereqs *prereqs)
{
	for (size_t i = 0; i < prereqs->n; i++) {
		free(prereqs->rows[i].found);
		free(prereqs->rows[i].remedy);
	}
	prereqs->n = 0;
}

void psc_prereq_tell_missing(const struct psc_prereqs *prereqs)
{
	for (size_t i = 0; i < prereqs->n; i++) {
		const struct psc_prereq *row = &prereqs->rows[i];

		if (row->state != PSC_PREREQ_MISSING)
			continue;
		psc_log(LOG_ERR, "MISSING  %s: %s", row->what, row->found);
		for (const char *line = row->remedy; *line;) {
			size_t n = strcspn(line, "\n");

			psc_log(LOG_ERR, "         %.*s", (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
}

const struct psc_prereq *psc_prereq_first_missing(const struct psc_prereqs *prereqs)
{
	for (size_t i = 0; i < prereqs->n; i++)
		if (prereqs->rows[i].state == PSC_PREREQ_MISSING)
			return &prereqs->rows[i];
	return NULL;
}

void psc_prereq_print(const struct psc_prereqs *prereqs, FILE *out, bool colour)
{
	static const struct {
		const char *word, *colour;
	} states[] = {
		[PSC_PREREQ_OK] = { "ok", "\033[32m" },
		[PSC_PREREQ_MISSING] = { "MISSING", "\033[1;31m" },
		[PSC_PREREQ_UNKNOWN] = { "unknown", "\033[33m" },
		[PSC_PREREQ_INFO] = { "info", "" },
	};
	int width = 0;

	for (size_t i = 0; i < prereqs->n; i++)
		if (width < (int)strlen(prereqs->rows[i].what))
			width = (int)strlen(prereqs->rows[i].what);
	for (size_t i = 0; i < prereqs->n; i++) {
		const struct psc_prereq *row = &prereqs->rows[i];
		const char *on = colour ? states[row->state].colour : "";

		fprintf(out, "%s%-7s%s  %-*s  %s\n", on, states[row->state].word,
			*on ? "\033[0m" : "", width, row->what, row->found);
		for (const char *line = row->remedy; line && *line;) {
			size_t n = strcspn(line, "\n");

			fprintf(out, "%9s%.*s\n", "", (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
}
