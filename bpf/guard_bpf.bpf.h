/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which BPF programs, maps and ids a floor keeps from others. The pinned guards and the second
 * anchor ask these functions.
 */
#ifndef PSC_GUARD_BPF_BPF_H
#define PSC_GUARD_BPF_BPF_H

#include "guard.bpf.h"

#define USED_MAPS_MAX 64	/* MAX_USED_MAPS, include/linux/bpf_verifier.h */

struct used_walk {
	struct bpf_map **maps;
	__u32 n;
	bool found;
};

static long used_step(__u32 i, struct used_walk *walk)
{
	__u64 map;

	if (i >= walk->n)
		return 1;
	walk->found = bpf_probe_read_kernel(&map, sizeof(map), &walk->maps[i]) ||
		      policy_map_index(map) >= 0;
	return walk->found;
}

/* Does the program use one of these maps? Ours all do, and so would one that writes them. */
static __always_inline bool uses_policy_map(struct bpf_prog_aux *aux)
{
	struct used_walk walk = {
		.maps = BPF_CORE_READ(aux, used_maps), .n = BPF_CORE_READ(aux, used_map_cnt),
	};

	bpf_loop(USED_MAPS_MAX, used_step, &walk, 0);
	return walk.found;
}

/*
 * A walk of its own: where one step asked for either, the verifier went through its ways so
 * often that a start took four times as many instructions.
 */
static long array_step(__u32 i, struct used_walk *walk)
{
	struct bpf_map *map;

	if (i >= walk->n)
		return 1;
	walk->found = bpf_probe_read_kernel(&map, sizeof(map), &walk->maps[i]) ||
		      BPF_CORE_READ(map, map_type) == BPF_MAP_TYPE_PROG_ARRAY;
	return walk->found;
}

/* Does it use an array of programs, and so call others in its place? */
static __always_inline bool tail_calls(struct bpf_prog_aux *aux)
{
	struct used_walk walk = {
		.maps = BPF_CORE_READ(aux, used_maps), .n = BPF_CORE_READ(aux, used_map_cnt),
	};

	bpf_loop(USED_MAPS_MAX, array_step, &walk, 0);
	return walk.found;
}

/*
 * Does it write its context, the registers? Where kernels let programs of the kind kprobe do
 * so they look whether one is attached to a function of the kernel, but not whether one that
 * is attached there calls it: a kretprobe could have any function return what it likes.
 * Known when the verifier is through.
 */
static __always_inline bool writes_registers(struct bpf_prog_aux *aux)
{
	return bpf_core_field_exists(aux->kprobe_write_ctx) &&
	       BPF_CORE_READ(aux, kprobe_write_ctx);
}

/*
 * Could it write any of the kernel's memory? Programs on writable tracepoints, iterators over
 * elements and programs of the type syscall write through a pointer to a buffer. When the kernel
 * attaches or runs one, it compares the highest offset that the verifier saw with the size of
 * the buffer. It does not do so for a program that runs in the place of that one, after a tail
 * call or as its extension. The maps that a program uses are known after the verifier; the type
 * of an extension's target is saved, as the kernel drops the target when it attaches.
 */
static __always_inline bool writes_unmeasured(struct bpf_prog *prog, struct bpf_prog_aux *aux)
{
	enum bpf_attach_type kind = BPF_CORE_READ(prog, expected_attach_type);
	enum bpf_prog_type type = BPF_CORE_READ(prog, type);
	bool extends = type == BPF_PROG_TYPE_EXT;

	if (extends) {
		type = BPF_CORE_READ(aux, saved_dst_prog_type);
		kind = BPF_CORE_READ(aux, saved_dst_attach_type);
	}
	if (type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)
		return true;
	if (type != BPF_PROG_TYPE_SYSCALL &&
	    !(type == BPF_PROG_TYPE_TRACING && kind == BPF_TRACE_ITER))
		return false;
	return extends || tail_calls(aux);
}

/*
 * A program that decides the result of a function which our programs hang on, or
 * is asked beside them: fmod_ret programs are run instead of the function, and of
 * several LSM programs on a hook the one attached last is asked first and may end
 * it. Programs on sysctl can undo what another one has refused.
 */
static __always_inline bool overrules(const struct guarded *guard, struct bpf_prog *prog,
				      __u32 btf_id)
{
	enum bpf_attach_type kind = BPF_CORE_READ(prog, expected_attach_type);
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);

	/* By its type: such a program is attached whatever it says that it is loaded for. */
	if (BPF_CORE_READ(prog, type) == BPF_PROG_TYPE_CGROUP_SYSCTL)
		return true;
	if (writes_registers(aux) || writes_unmeasured(prog, aux))
		return true;
	if (kind != BPF_MODIFY_RETURN && kind != BPF_LSM_MAC && kind != BPF_LSM_CGROUP)
		return false;
	for (int i = 0; i < PSC_HOOKS_MAX; i++)
		if (btf_id && btf_id == guard->hooks[i])
			return true;
	return false;
}

static __always_inline int guard_load(struct bpf_prog_aux *aux)
{
	struct bpf_prog *target, *prog;
	struct guarded *guard;

	if (!guards_armed())
		return 0;
	guard = guarded();
	target = BPF_CORE_READ(aux, dst_prog);
	prog = BPF_CORE_READ(aux, prog);
	return refuse_if(!guard || (target && uses_policy_map(BPF_CORE_READ(target, aux))) ||
			 overrules(guard, prog, BPF_CORE_READ(aux, attach_btf_id)),
			 PSC_GUARD_LOAD);
}

/*
 * Nobody gets a descriptor of our programs but of those of the type syscall, psc_ctl and its
 * like: psc_g_sysctl could be detached with it, others called or extended. Tools that list programs go on at
 * ENOENT. And what was being loaded when the guards were armed is looked at again
 * here, when it gets its descriptor; so is what only the verifier can know of it.
 */
static __always_inline int guard_prog(struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux;
	struct guarded *guard;

	if (!guards_armed_in_order())
		return 0;
	aux = BPF_CORE_READ(prog, aux);
	if (!uses_policy_map(aux))
		return guard_load(aux);
	guard = guarded();
	if (guard && BPF_CORE_READ(aux, load_time) < guard->armed)
		return prog->type == BPF_PROG_TYPE_SYSCALL ? 0 : -ENOENT;
	return refuse_if(true, PSC_GUARD_PROG);
}

static __always_inline int guard_map(struct bpf_map *map)
{
	return refuse_if(guards_armed_in_order() && policy_map_index((__u64)map) >= 0, PSC_GUARD_MAP);
}

/* By id they are not there, so that tools that list all maps go on after them. */
static __always_inline int guard_id(int cmd, union bpf_attr *attr)
{
	if (cmd != BPF_MAP_GET_FD_BY_ID || !guards_armed())
		return 0;
	return is_policy_map_id(attr->map_id) ? -ENOENT : 0;
}

#endif
