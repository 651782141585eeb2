/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replace FUNCTION: load an fmod_ret program on FUNCTION that makes it succeed
 *	without being run (it returns 1 << 32), and attach it for as long as this runs.
 * replace --lsm HOOK: the same as an LSM program on that hook.
 * replace --map PATH: load a program that uses the pinned map.
 * replace --extend PATH: load a program that extends the pinned one (freplace). It is no valid
 *	extension, so the verifier refuses it if nobody has before.
 *	Prints "attached" or "loaded" and waits for SIGTERM; exit code 1, with the errno, if refused.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int refused(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

static int done(const char *what)
{
	puts(what);
	fflush(stdout);
	pause();
	return EXIT_SUCCESS;
}

static int use_map(const char *path)
{
	int map_fd = bpf_obj_get(path);
	struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map_fd },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	if (map_fd < 0)
		return refused("open");
	/* Say so, and wait for the word: the descriptor may be older than the lock. */
	puts("opened");
	fflush(stdout);
	if (getchar() == EOF)
		return EXIT_FAILURE;
	if (bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "user", "GPL", insns, 4, NULL) < 0)
		return refused("load");
	return done("loaded");
}

static int extend(const char *path)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .attach_btf_id = 1);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return refused("open");
	opts.attach_prog_fd = (__u32)fd;
	if (bpf_prog_load(BPF_PROG_TYPE_EXT, "user", "GPL", insns, 2, &opts) < 0)
		return refused("load");
	return done("loaded");
}

static int replace(const char *function, enum bpf_prog_type type, enum bpf_attach_type kind)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_ALU64 | BPF_LSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = kind);
	int id = libbpf_find_vmlinux_btf_id(function, kind), fd;

	if (id <= 0)
		return refused("BTF");
	opts.attach_btf_id = (__u32)id;
	fd = bpf_prog_load(type, "user", "GPL", insns, 3, &opts);
	if (fd < 0)
		return refused("load");
	if (bpf_raw_tracepoint_open(NULL, fd) < 0)
		return refused("attach");
	return done("attached");
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--map") == 0)
		return use_map(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--extend") == 0)
		return extend(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--lsm") == 0)
		return replace(argv[2], BPF_PROG_TYPE_LSM, BPF_LSM_MAC);
	return argc == 2 ? replace(argv[1], BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN) :
			   EXIT_FAILURE;
}
