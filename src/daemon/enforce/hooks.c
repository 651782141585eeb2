/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the kernel's functions that must be nobody else's under a floor. */
#include "hooks.h"

#include <bpf/btf.h>
#include <errno.h>

#include "kernel_btf.h"
#include "log.h"
#include "pins.h"
#include "util.h"

/*
 * Of a hook NAME that is exclusive in the table of pins, nobody else may decide security_NAME() by
 * an fmod_ret program, nor bpf_lsm_NAME() by an LSM program: of these, the one attached last is
 * asked first, and by returning 1 << 32 it ends the hook with success. These are further functions
 * of which this holds.
 */
static const char *const functions[] = {
	/* Not ours: the kernel's lockdown, which closes the ways below BPF. */
	"security_locked_down", "bpf_lsm_locked_down",
	/* Only the fmod_ret kind, which would keep ours from being asked at all. */
	"security_task_free",
	/* Of a hook whose name is not that of its function. */
	"security_inode_free", "bpf_lsm_inode_free_security",
};

/* Of each pair one: psc_g_load and psc_g_alloc of bpf/guard_bpf.bpf.c. */
static const char *const loads[][2] = {
	{ "security_bpf_prog_load", "security_bpf_prog_alloc" },
	{ "bpf_lsm_bpf_prog_load", "bpf_lsm_bpf_prog_alloc_security" },
};

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

unsigned int psc_hooks_count(void)
{
	unsigned int n = ARRAY_SIZE(functions) + 2 * ARRAY_SIZE(loads);

	for (int i = 0; i < PSC_PINS; i++)
		n += 2 * psc_pins[i].exclusive;
	return n;
}

static int find_all(const struct btf *btf, __u32 *ids)
{
	int err = 0;

	for (int i = 0; !err && i < PSC_PINS; i++)
		if (psc_pins[i].exclusive)
			err = need_function(btf, "security_", psc_pins[i].hook, ids++) ?:
				need_function(btf, "bpf_lsm_", psc_pins[i].hook, ids++);
	for (size_t i = 0; !err && i < ARRAY_SIZE(functions); i++)
		err = need_function(btf, "", functions[i], ids++);
	for (size_t i = 0; !err && i < ARRAY_SIZE(loads); i++) {
		ids[0] = find_function(btf, "", loads[i][0]);
		ids[1] = find_function(btf, "", loads[i][1]);
		if (!ids[0] && !ids[1])
			err = need_function(btf, "", loads[i][0], ids);
		ids += 2;
	}
	return err;
}

int psc_hooks_find(__u32 ids[PSC_HOOKS_MAX])
{
	struct btf *btf;
	int err = psc_hooks_count() <= PSC_HOOKS_MAX ? psc_kernel_btf_open(&btf) : -E2BIG;

	if (err)
		return err;
	err = find_all(btf, ids);
	btf__free(btf);
	return err;
}

int psc_hooks_has_ftrace(bool *ret)
{
	struct btf *btf;
	int err = psc_kernel_btf_open(&btf);

	if (err)
		return err;
	*ret = find_function(btf, "", "ftrace_enable_sysctl");
	btf__free(btf);
	return 0;
}
