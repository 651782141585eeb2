/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit needs: the kernel's types, libbpf, and two kinds of functions. */
#ifndef PSC_UNIT_BPF_H
#define PSC_UNIT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* include/uapi/asm-generic/errno-base.h */
#define EPERM 1
#define ENOENT 2
#define ENOMEM 12
#define EBUSY 16
#define EEXIST 17
#define EINVAL 22

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFREG 0100000

/*
 * A function that the verifier checks once and on its own, and not once for every way that
 * leads to it. Each unit has a copy; the linker keeps one. Its argument is not a struct but the
 * words of one: a function that takes a struct can be replaced by an extension (freplace), even
 * by one that was loaded for a program of somebody else's.
 */
#define GLOBAL __weak __noinline
#define WORDS(type) typedef __u64 type##_words[sizeof(struct type) / sizeof(__u64)]

/* A function with a stack frame of its own, which is checked as a part of each caller. */
#define LOCAL static __noinline __attribute__((unused))

typedef __u64 one_word[1];

char LICENSE[] SEC("license") = "GPL";

#endif
