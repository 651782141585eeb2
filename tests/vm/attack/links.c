/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links and programs of ours. The argument is a pin, or a name. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "util.h"

static int fd = -1;

static int open_pin(char **args)
{
	fd = bpf_obj_get(args[0]);
	return fd < 0 ? failed("open") : 0;
}

static int run_detach(char **args)
{
	(void)args;
	return bpf_link_detach(fd) ? failed("detach") : 0;
}

static int run_update(char **args)
{
	int prog = load_on("ptrace_access_check", BPF_LSM_MAC, 0);

	(void)args;
	if (prog < 0)
		return prog;
	return bpf_link_update(fd, prog, NULL) ? failed("update") : 0;
}

/* Every link in the system, by id: try to detach and to update it. */
static int run_links_by_id(char **args)
{
	int prog = load_on("ptrace_access_check", BPF_LSM_MAC, 0), err = -ENOENT;
	__u32 id = 0;

	(void)args;
	if (prog < 0)
		return prog;
	while (!bpf_link_get_next_id(id, &id)) {
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0)
			return failed("open");
		if (!bpf_link_detach(fd) || !bpf_link_update(fd, prog, NULL)) {
			close(fd);
			return 0;
		}
		err = -errno;
		close(fd);
	}
	errno = -err;
	return failed("every link");
}

static int run_prog_open(char **args)
{
	fd = prog_by_name(args[0]);
	return fd < 0 ? failed("open") : 0;
}

/* --- freplace --- */

static struct btf *btf;
static int func_id;

/* int NAME(struct psc_request *), as BTF has it of psc_ctl. */
static int make_btf(void)
{
	int integer, request, pointer, proto;

	btf = btf__new_empty();
	if (!btf)
		return failed("BTF");
	integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	request = btf__add_struct(btf, "psc_request", 48);
	btf__add_field(btf, "abi", integer, 0, 0);
	pointer = btf__add_ptr(btf, request);
	proto = btf__add_func_proto(btf, integer);
	btf__add_func_param(btf, "req", pointer);
	func_id = btf__add_func(btf, "user", BTF_FUNC_GLOBAL, proto);
	return func_id < 0 || btf__load_into_kernel(btf) ? failed("BTF") : 0;
}

static int load_with_btf(enum bpf_prog_type type, int target, int target_func)
{
	/* Says that nothing is restricted: no policy, no error. */
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 0), EXIT() };
	struct bpf_func_info func = { .type_id = (__u32)func_id };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = (__u32)btf__fd(btf),
		    .func_info = &func, .func_info_cnt = 1, .func_info_rec_size = sizeof(func));

	if (type == BPF_PROG_TYPE_SYSCALL)
		opts.prog_flags = BPF_F_SLEEPABLE;
	if (target >= 0) {
		opts.attach_prog_fd = (__u32)target;
		opts.attach_btf_id = (__u32)target_func;
	}
	return bpf_prog_load(type, "user", "GPL", insns, ARRAY_SIZE(insns), &opts);
}

/* The BTF id of the function that a program of ours consists of. */
static int func_of(int prog, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct btf *theirs;
	int id;

	if (bpf_obj_get_info_by_fd(prog, &info, &len))
		return failed("info");
	theirs = btf__load_from_kernel_by_id(info.btf_id);
	if (!theirs)
		return failed("their BTF");
	id = btf__find_by_name_kind(theirs, name, BTF_KIND_FUNC);
	btf__free(theirs);
	return id;
}

/* An extension of psc_ctl itself. */
static int run_extend(char **args)
{
	int func = func_of(fd, "psc_ctl"), prog;

	(void)args;
	if (func < 0 || make_btf())
		return -errno;
	prog = load_with_btf(BPF_PROG_TYPE_EXT, fd, func);
	if (prog < 0)
		return failed("load");
	return bpf_link_create(prog, 0, 0, NULL) < 0 ? failed("link") : 0;
}

/* An extension of a program of one's own, then attached to psc_ctl instead. */
static int run_retarget(char **args)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int func = func_of(fd, "psc_ctl"), own, prog;

	(void)args;
	if (func < 0 || make_btf())
		return -errno;
	own = load_with_btf(BPF_PROG_TYPE_SYSCALL, -1, 0);
	if (own < 0)
		return failed("target");
	prog = load_with_btf(BPF_PROG_TYPE_EXT, own, func_id);
	if (prog < 0)
		return failed("load");
	opts.target_btf_id = (__u32)func;
	return bpf_link_create(prog, fd, 0, &opts) < 0 ? failed("link") : 0;
}

const struct attack attacks_on_links[] = {
	{ "link-detach", open_pin, run_detach },
	{ "link-update", open_pin, run_update },
	{ "links-by-id", NULL, run_links_by_id },
	{ "prog-open", NULL, run_prog_open },
	{ "extend", open_pin, run_extend },
	{ "retarget", open_pin, run_retarget },
	{}
};
