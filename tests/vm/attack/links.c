/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links and programs of ours. The argument is a pin, or a name. */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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

/* A pin, or the NAME of a program; then the name of a function in it. */
static int open_program(char **args)
{
	return args[0][0] == '/' ? open_pin(args) : run_prog_open(args);
}

/* Their types, so that everything fits: the function's prototype is that of ours. */
struct function {
	int btf_fd, id;
};

static int find_function(const char *name, struct function *ret)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct btf *theirs;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return failed("info");
	theirs = btf__load_from_kernel_by_id(info.btf_id);
	ret->btf_fd = bpf_btf_get_fd_by_id(info.btf_id);
	if (!theirs || ret->btf_fd < 0)
		return failed("their BTF");
	ret->id = btf__find_by_name_kind(theirs, name, BTF_KIND_FUNC);
	btf__free(theirs);
	errno = -ret->id;
	return ret->id < 0 ? failed(name) : 0;
}

static int load_as(const struct function *function, enum bpf_prog_type type, int target)
{
	/* Says that nothing is restricted: no policy, no error. */
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 0), EXIT() };
	struct bpf_func_info func = { .type_id = (__u32)function->id };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = (__u32)function->btf_fd,
		    .func_info = &func, .func_info_cnt = 1, .func_info_rec_size = sizeof(func));

	if (type == BPF_PROG_TYPE_SYSCALL)
		opts.prog_flags = BPF_F_SLEEPABLE;
	if (target >= 0) {
		opts.attach_prog_fd = (__u32)target;
		opts.attach_btf_id = (__u32)function->id;
	}
	return bpf_prog_load(type, "user", "GPL", insns, ARRAY_SIZE(insns), &opts);
}

/* An extension of ours itself. */
static int run_extend(char **args)
{
	struct function function;
	int err = find_function(args[1], &function), prog;

	if (err)
		return err;
	prog = load_as(&function, BPF_PROG_TYPE_EXT, fd);
	if (prog < 0)
		return failed("load");
	return bpf_link_create(prog, 0, 0, NULL) < 0 ? failed("link") : 0;
}

/* An extension of a program of one's own, then attached to ours instead. */
static int run_retarget(char **args)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	struct function function;
	int err = find_function(args[1], &function), own, prog;

	if (err)
		return err;
	own = load_as(&function, BPF_PROG_TYPE_SYSCALL, -1);
	if (own < 0)
		return failed("target");
	prog = load_as(&function, BPF_PROG_TYPE_EXT, own);
	if (prog < 0)
		return failed("load");
	opts.target_btf_id = (__u32)function.id;
	return bpf_link_create(prog, fd, 0, &opts) < 0 ? failed("link") : 0;
}

/* --- tail calls --- */

/*
 * PROGRAM HOOK: a program of one's own on the same LSM hook, so of the same kind, and ours in
 * an array that it may call into.
 */
static int prepare_tail(char **args)
{
	int array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "jumps", 4, 4, 1, NULL), id, own;
	const struct bpf_insn insns[] = {
		MAP_FD(BPF_REG_2, array),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC);
	__u32 zero = 0;

	if (open_program(args))
		return -errno;
	id = libbpf_find_vmlinux_btf_id(args[1], BPF_LSM_MAC);
	if (array < 0 || id <= 0)
		return failed("array");
	opts.attach_btf_id = (__u32)id;
	own = bpf_prog_load(BPF_PROG_TYPE_LSM, "user", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (own < 0)
		return failed("load");
	if (bpf_map_update_elem(array, &zero, &fd, BPF_ANY))
		return failed("insert");
	close(fd);
	return 0;
}

static int run_nothing(char **args)
{
	(void)args;
	return 0;
}

/* CGROUP: detach what is on LSM hooks there, without a descriptor of it. */
static int run_detach_cgroup(char **args)
{
	int cgroup = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0)
		return failed(args[0]);
	return bpf_prog_detach(cgroup, BPF_LSM_CGROUP) ? failed("detach") : 0;
}

/* NAME CGROUP: a program of that name; then detach it from the cgroup. */
static int run_detach_from(char **args)
{
	int cgroup = open(args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0)
		return failed(args[1]);
	return bpf_prog_detach2(fd, cgroup, BPF_CGROUP_SYSCTL) &&
	       bpf_prog_detach2(fd, cgroup, BPF_LSM_CGROUP) ? failed("detach") : 0;
}

/* PATH: a descriptor that only holds the file. */
static int prepare_path(char **args)
{
	fd = open(args[0], O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? failed("open") : 0;
}

/* --- through the daemon --- */

/* PID NAME CGROUP: the same open file that this process has of that program. */
static int prepare_prog_of(char **args)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(args[0]), 0);

	if (pidfd < 0)
		return failed("pidfd");
	for (int n = 0; n < 256; n++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		fd = (int)syscall(SYS_pidfd_getfd, pidfd, n, 0);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    strcmp(info.name, args[1]) == 0)
			return 0;
		close(fd);
	}
	errno = ENOENT;
	return failed(args[1]);
}

static int run_detach_prog_of(char **args)
{
	return run_detach_from(args + 1);
}

/* PID: detach every link that it has open. */
static int run_links_of(char **args)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(args[0]), 0), links = 0;

	if (pidfd < 0)
		return failed("pidfd");
	for (int n = 0; n < 256; n++) {
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);

		fd = (int)syscall(SYS_pidfd_getfd, pidfd, n, 0);
		if (fd < 0 && errno == EPERM)
			return failed("getfd");
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.type && info.prog_id) {
			links++;
			if (!bpf_link_detach(fd))
				return 0;
		}
		close(fd);
	}
	printf("none of %d links\n", links);
	return links ? -EOPNOTSUPP : 0;
}

/* PIN FUNCTION: in its place one of a program that does nothing, on that function. */
static int run_forge(char **args)
{
	int prog = load_on(args[1], BPF_TRACE_FENTRY, 0), link;

	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0)
		return failed("attach");
	if (unlink(args[0]) || bpf_obj_pin(link, args[0]))
		return failed("pin");
	return 0;
}

const struct attack attacks_on_links[] = {
	{ "link-detach", open_pin, run_detach },
	{ "link-update", open_pin, run_update },
	{ "link-forge", NULL, run_forge },
	{ "links-by-id", NULL, run_links_by_id },
	{ "prog-open", NULL, run_prog_open },
	{ "prog-hold", open_program, run_nothing },
	{ "extend", open_program, run_extend },
	{ "retarget", open_program, run_retarget },
	{ "tail", prepare_tail, run_nothing },
	{ "cgroup-detach", NULL, run_detach_cgroup },
	{ "links-of", NULL, run_links_of },
	{ "prog-of", prepare_prog_of, run_detach_prog_of },
	{ "prog-detach", open_program, run_detach_from },
	{ "path-hold", prepare_path, run_nothing },
	{}
};
