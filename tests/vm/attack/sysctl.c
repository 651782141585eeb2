/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.ftrace_enabled and the program on the root cgroup that guards it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "util.h"

static int cgroup_fd = -1, prog_fd = -1;

/* The cgroup's path is the argument. */
static int open_cgroup(char **args)
{
	cgroup_fd = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cgroup_fd < 0 ? failed(args[0]) : 0;
}

/* Lets every write pass, whatever the programs before have said; loaded as if for @kind. */
static int load_pass(enum bpf_attach_type kind)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_1, 0),
		CALL(BPF_FUNC_set_retval),
		MOV_IMM(BPF_REG_0, 1),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = kind);

	prog_fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SYSCTL, "user", "GPL", insns,
				ARRAY_SIZE(insns), &opts);
	return prog_fd < 0 ? failed("load") : 0;
}

static int prepare_pass(char **args)
{
	return open_cgroup(args) ?: load_pass(BPF_CGROUP_SYSCTL);
}

/* The kernel goes by the type, and attaches it all the same. */
static int prepare_pass_as_other(char **args)
{
	return open_cgroup(args) ?: load_pass(BPF_CGROUP_DEVICE);
}

static int attach_with(unsigned int flags)
{
	return bpf_prog_attach(prog_fd, cgroup_fd, BPF_CGROUP_SYSCTL, flags) ? failed("attach") : 0;
}

static int switch_off(void)
{
	int fd = open("/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return failed("open");
	err = write(fd, "0", 1) != 1 ? failed("write") : 0;
	close(fd);
	return err;
}

static int attach_and_switch_off(unsigned int flags)
{
	int err = attach_with(flags);

	if (err)
		return err;
	err = switch_off();
	bpf_prog_detach2(prog_fd, cgroup_fd, BPF_CGROUP_SYSCTL);
	return err;
}

static int run_pass_multi(char **args)
{
	(void)args;
	return attach_and_switch_off(BPF_F_ALLOW_MULTI);
}

static int run_pass_override(char **args)
{
	(void)args;
	return attach_and_switch_off(BPF_F_ALLOW_OVERRIDE);
}

static int run_pass_alone(char **args)
{
	(void)args;
	return attach_and_switch_off(0);
}

static int run_pass_link(char **args)
{
	int link = bpf_link_create(prog_fd, cgroup_fd, BPF_CGROUP_SYSCTL, NULL), err;

	(void)args;
	if (link < 0)
		return failed("link");
	err = switch_off();
	close(link);
	return err;
}

/* How many programs on sysctls are there? */
static int count_programs(enum bpf_attach_type type)
{
	__u32 count = 0;

	if (bpf_prog_query(cgroup_fd, type, 0, NULL, NULL, &count))
		return failed("query");
	printf("%u\n", count);
	exit(0);
}

static int run_count(char **args)
{
	(void)args;
	return count_programs(BPF_CGROUP_SYSCTL);
}

static int run_count_lsm(char **args)
{
	(void)args;
	return count_programs(BPF_LSM_CGROUP);
}

static __u32 attached_id(void)
{
	__u32 ids[8] = {}, count = ARRAY_SIZE(ids);

	if (bpf_prog_query(cgroup_fd, BPF_CGROUP_SYSCTL, 0, NULL, ids, &count))
		failed("query");
	return ids[0];
}

static int run_detach(char **args)
{
	(void)args;
	return bpf_prog_detach(cgroup_fd, BPF_CGROUP_SYSCTL) ? failed("detach") : 0;
}

static int run_detach_by_id(char **args)
{
	int fd = bpf_prog_get_fd_by_id(attached_id());

	(void)args;
	if (fd < 0)
		return failed("open");
	return bpf_prog_detach2(fd, cgroup_fd, BPF_CGROUP_SYSCTL) ? failed("detach") : 0;
}

/* With a program of one's own in the place of the one to be replaced. */
static int run_replace(char **args)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE,
		    .replace_prog_fd = prog_fd);

	(void)args;
	return bpf_prog_attach_opts(prog_fd, cgroup_fd, BPF_CGROUP_SYSCTL, &opts) ?
		failed("replace") : 0;
}

/* Stays attached, alone, so that nobody else can be. */
static int run_occupy(char **args)
{
	(void)args;
	return attach_with(0);
}

/* And goes again, which is nobody's business. */
static int run_attach(char **args)
{
	int err = attach_with(BPF_F_ALLOW_MULTI);

	(void)args;
	if (err)
		return err;
	return bpf_prog_detach2(prog_fd, cgroup_fd, BPF_CGROUP_SYSCTL) ? failed("detach") : 0;
}

const struct attack attacks_on_sysctl[] = {
	{ "sysctl-pass", prepare_pass, run_pass_multi },
	{ "sysctl-pass-as-other", prepare_pass_as_other, run_pass_multi },
	{ "sysctl-pass-override", prepare_pass, run_pass_override },
	{ "sysctl-pass-alone", prepare_pass, run_pass_alone },
	{ "sysctl-pass-link", prepare_pass, run_pass_link },
	{ "sysctl-count", open_cgroup, run_count },
	{ "lsm-cgroup-count", open_cgroup, run_count_lsm },
	{ "sysctl-detach", open_cgroup, run_detach },
	{ "sysctl-detach-by-id", open_cgroup, run_detach_by_id },
	{ "sysctl-replace", prepare_pass, run_replace },
	{ "sysctl-attach", prepare_pass, run_attach },
	{ "sysctl-occupy", prepare_pass, run_occupy },
	{}
};
