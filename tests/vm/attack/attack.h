/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attacks as the battery's cases name them, see progs/attack.c. */
#ifndef PSC_ATTACK_H
#define PSC_ATTACK_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stddef.h>

struct attack {
	const char *name;
	/* What can be done before the lock; NULL for nothing. 0 or a negative errno. */
	int (*prepare)(char **args);
	/* 0 when it went through, or the negative errno with which it was refused. */
	int (*run)(char **args);
};

extern const struct attack attacks_on_maps[], attacks_on_links[], attacks_by_programs[],
	attacks_on_sysctl[], attacks_on_processes[], attacks_on_memory[];

/* Which step failed; returns -errno. */
int failed(const char *step);

/* Descriptors of objects by their name, as the kernel lists them; the first, or -errno. */
int map_by_name(const char *name);
int prog_by_name(const char *name);

/*
 * A program on a kernel function or hook that only returns @value shifted left by 32, which is
 * success to whom asks, or 0. Return: a descriptor, or -errno after failed().
 */
int load_on(const char *function, enum bpf_attach_type type, int value);

/*
 * A page of memory, whose first user waits: fault_wait() returns when he does, and by
 * fault_end() he goes on, and finds zeros. Return: 0, or -errno after failed().
 */
int fault_prepare(void **ret);
int fault_wait(void);
int fault_end(void);

/* Instructions, as in the kernel's include/linux/filter.h. */
#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LSH_IMM(d, i) INSN(BPF_ALU64 | BPF_LSH | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define STORE_IMM(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_DW, d, 0, o, i)
#define STORE_IMM32(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_W, d, 0, o, i)
#define STORE_REG(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define WORD(d, w) \
	INSN(BPF_LD | BPF_DW | BPF_IMM, d, 0, 0, (int)(__u32)(w)), \
	INSN(0, 0, 0, 0, (int)((w) >> 32))
#define JUMP_EQ(d, i, o) INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define JUMP_NE(d, i, o) INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define MAP_FD(d, fd) \
	INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
