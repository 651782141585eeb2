/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the kernel's list of security modules, and at those that matter here. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "prereq_checker.h"
#include "util.h"

#define LSM_PATH "/sys/kernel/security/lsm"

int psc_prereq_lsm_built(struct psc_prereq_checker *c)
{
	static const char what[] = "BPF LSM built in";
	char path[PATH_MAX];
	struct btf *btf;
	int id, err = psc_prereq_path(c->root, PSC_PREREQ_BTF_PATH, path);

	if (err)
		return err;
	btf = btf__parse_raw(path);
	if (!btf)
		return psc_row(c, what, PSC_PREREQ_UNKNOWN, psc_text("cannot be told without kernel "
								      "BTF"),
			       NULL);
	/* What an LSM program for this hook attaches to; there only with CONFIG_BPF_LSM. */
	id = btf__find_by_name_kind(btf, "bpf_lsm_ptrace_access_check", BTF_KIND_FUNC);
	btf__free(btf);
	if (id > 0)
		return psc_row(c, what, PSC_PREREQ_OK, psc_text("has bpf_lsm_ptrace_access_check"),
			       NULL);
	return psc_row(c, what, PSC_PREREQ_MISSING, psc_text("no bpf_lsm_ptrace_access_check"),
		       psc_text("boot a kernel built with CONFIG_BPF_LSM=y (those of Debian are)"));
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

int psc_prereq_lsm_listed(struct psc_prereq_checker *c)
{
	static const char what[] = "bpf in the LSM list";
	_cleanup_free_ char *list = NULL, *line = NULL, *safe = NULL;
	int err = psc_prereq_read(c->root, LSM_PATH, &list);

	if (err == -ENOENT && !*c->root)
		list = list_modules();
	if (!list && err != -ENOENT)
		return psc_row_unreadable(c, what, LSM_PATH, err);
	if (!list)
		return psc_row(c, what, PSC_PREREQ_UNKNOWN, psc_text("no " LSM_PATH),
			       psc_text("mount -t securityfs securityfs /sys/kernel/security\n"
				    "and look again"));
	safe = psc_prereq_shown(list);
	if (!safe)
		return -ENOMEM;
	if (psc_lsm_listed(list, "bpf"))
		return psc_row(c, what, PSC_PREREQ_OK, TAKE_PTR(safe), NULL);
	/* No boot line out of something that was cut or escaped. */
	if (!streq(safe, list))
		return psc_row(c, what, PSC_PREREQ_MISSING, TAKE_PTR(safe),
			       psc_text("boot with an lsm= parameter that ends in ,bpf"));
	line = psc_lsm_boot_line(list);
	if (!line)
		return -ENOMEM;
	return psc_row(c, what, PSC_PREREQ_MISSING, TAKE_PTR(safe),
		       psc_text("boot with: %s\n"
			    "Debian: add that to GRUB_CMDLINE_LINUX in /etc/default/grub, in place of "
			    "an lsm= that is\n"
			    "there, then: update-grub && reboot\n"
			    "elsewhere: add it to the kernel command line in the boot loader's "
			    "configuration, and reboot", line));
}

/* "none [integrity] confidentiality": the brackets are around what is in force. */
int psc_prereq_lockdown(struct psc_prereq_checker *c)
{
	static const char what[] = "kernel lockdown", path[] = "/sys/kernel/security/lockdown";
	_cleanup_free_ char *modes = NULL;
	int err = psc_prereq_read(c->root, path, &modes);

	if (err == -ENOENT)
		return psc_row(c, what, PSC_PREREQ_OK, psc_text("none"), NULL);
	if (err)
		return psc_row_unreadable(c, what, path, err);
	if (strstr(modes, "[confidentiality]"))
		return psc_row(c, what, PSC_PREREQ_MISSING,
			       psc_text("confidentiality: BPF programs may not read kernel memory"),
			       psc_text("boot with lockdown=integrity in place of "
				    "lockdown=confidentiality"));
	return psc_row(c, what, PSC_PREREQ_OK, psc_prereq_shown(modes), NULL);
}

int psc_prereq_yama(struct psc_prereq_checker *c)
{
	static const char path[] = "/proc/sys/kernel/yama/ptrace_scope";
	_cleanup_free_ char *value = NULL, *safe = NULL;
	int err = psc_prereq_read(c->root, path, &value);

	if (err == -ENOENT)
		return psc_row(c, "Yama", PSC_PREREQ_INFO, psc_text("not active"), NULL);
	if (err)
		return psc_row_unreadable(c, "Yama", path, err);
	safe = psc_prereq_shown(value);
	if (!safe)
		return -ENOMEM;
	return psc_row(c, "Yama", PSC_PREREQ_INFO,
		       psc_text("active, at %s; the stricter of the two decides", safe), NULL);
}
