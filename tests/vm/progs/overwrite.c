/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overwrite MAP...: write zeroes over the first byte of every value of these maps, given by name or
 * as the path of a pin, through an iterator program (iter/bpf_map_elem). The kernel lets such a
 * program write even where the map is frozen.
 *	Opens them all first, says "opened", and begins when a line has been read. Exit code 1, with
 *	the errno, if something is refused; 0 when the values have been written.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAPS_MAX 16

static int refused(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

static int open_by_name(const char *name)
{
	__u32 id = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && strcmp(info.name, name) == 0)
			return fd;
		close(fd);
	}
	errno = EPERM;
	return -1;
}

/* The value is the fourth member of the iterator's context, NULL at the end. */
static int load(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1, .off = 24 },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 1, .off = 1 },
		{ .code = BPF_ST | BPF_MEM | BPF_B, .dst_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	int id = libbpf_find_vmlinux_btf_id("bpf_map_elem", BPF_TRACE_ITER);

	if (id <= 0)
		return -1;
	opts.attach_btf_id = (__u32)id;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "overwrite", "GPL", insns, 5, &opts);
}

static int overwrite(int prog_fd, int map_fd)
{
	union bpf_iter_link_info info = { .map.map_fd = (__u32)map_fd };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));
	int link = bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, &opts);
	int iter = link < 0 ? -1 : bpf_iter_create(link);
	char none[1];

	return iter < 0 || read(iter, none, sizeof(none)) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int fds[MAPS_MAX], n = argc - 1, prog;

	if (n < 1 || n > MAPS_MAX)
		return 2;
	for (int i = 0; i < n; i++) {
		fds[i] = argv[i + 1][0] == '/' ? bpf_obj_get(argv[i + 1]) :
						 open_by_name(argv[i + 1]);
		if (fds[i] < 0)
			return refused("open");
	}
	puts("opened");
	fflush(stdout);
	if (getchar() == EOF)
		return 2;
	prog = load();
	if (prog < 0)
		return refused("load");
	for (int i = 0; i < n; i++)
		if (overwrite(prog, fds[i]))
			return refused("iterate");
	puts("written");
	return EXIT_SUCCESS;
}
