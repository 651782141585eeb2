// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that write behind what they were given, where the kernel would not attach them by
 * themselves: as extensions of harmless ones. And where psc_state is. See attack/memory.c.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifndef __arg_ctx
#define __arg_ctx __attribute__((btf_decl_tag("arg:ctx")))
#endif

char LICENSE[] SEC("license") = "GPL";

struct bpf_map___named {
	char name[16];
} __attribute__((preserve_access_index));

/* Name of a map, and where its value would be if it were an array. */
SEC("iter/bpf_map")
int where(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map___named *map = (void *)ctx->map;
	struct { char name[16]; __u64 value; } out = {};

	if (!map)
		return 0;
	bpf_core_read(out.name, sizeof(out.name), &map->name);
	out.value = (__u64)map + bpf_core_field_offset(struct bpf_array, value);
	bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

const volatile __u64 address;

/* The first argument is the address at which a process faults. */
SEC("raw_tp.w/page_fault_user")
int on_fault(struct bpf_raw_tracepoint_args *ctx)
{
	return 0;
}

SEC("freplace/on_fault")
int on_fault_write(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 *word = (__u64 *)ctx->args[0];

	if ((__u64)word == address)
		*word = 0;
	return 0;
}

struct big {
	__u64 words[4000];
};

SEC("syscall")
int called(struct big *ctx __arg_ctx)
{
	return 0;
}

SEC("freplace/called")
int called_write(struct big *ctx __arg_ctx)
{
	if (ctx->words[3999] == 1)
		ctx->words[3999] = 0;
	return 0;
}
