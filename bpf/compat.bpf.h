/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernels, told apart by types and fields,
 * never by version.
 */
#ifndef PSC_COMPAT_BPF_H
#define PSC_COMPAT_BPF_H

#include "unit.bpf.h"

/*
 * kernel_cap_t was { u32 cap[2] } until 6.3 (f122a08b197d, "capability: just
 * use a 'u64' instead of a 'u32[2]' array") and is { u64 val } since. The first
 * flavour can go when 6.1 does.
 */
struct cred___caps32 {
	struct {
		__u32 cap[2];
	} cap_permitted, cap_effective;
} __attribute__((preserve_access_index));

static __always_inline bool cred_has_cap(const struct cred *cred, unsigned int cap)
{
	const struct cred___caps32 *caps32 = (const void *)cred;

	if (bpf_core_field_exists(cred->cap_effective.val))
		return BPF_CORE_READ(cred, cap_effective.val) & (1ULL << cap);
	return BPF_CORE_READ(caps32, cap_effective.cap[cap / 32]) & (1U << (cap % 32));
}

/* Both sets in one word each. */
static __always_inline void cred_caps(const struct cred *cred, __u64 *permitted, __u64 *effective)
{
	const struct cred___caps32 *caps32 = (const void *)cred;

	if (bpf_core_field_exists(cred->cap_effective.val)) {
		*permitted = BPF_CORE_READ(cred, cap_permitted.val);
		*effective = BPF_CORE_READ(cred, cap_effective.val);
		return;
	}
	*permitted = BPF_CORE_READ(caps32, cap_permitted.cap[0]) |
		     (__u64)BPF_CORE_READ(caps32, cap_permitted.cap[1]) << 32;
	*effective = BPF_CORE_READ(caps32, cap_effective.cap[0]) |
		     (__u64)BPF_CORE_READ(caps32, cap_effective.cap[1]) << 32;
}

/*
 * Whether a process may be dumped is in its mm; since 6.18 in a bitmap there. Since 7.1, and
 * by stable updates of older kernels, a task whose mm has gone keeps the answer, and since 7.2
 * it is in a struct of the task's own, with the user namespace that counts.
 */
typedef struct {
	unsigned long __mm_flags[1];
} mm_flags_t;

struct mm_struct___bitmap {
	mm_flags_t flags;
} __attribute__((preserve_access_index));

struct task_struct___kept {
	unsigned int user_dumpable: 1;
} __attribute__((preserve_access_index));

enum task_dumpable {
	TASK_DUMPABLE_OFF = 0,
};

struct task_exec_state {
	enum task_dumpable dumpable;
	struct user_namespace *user_ns;
} __attribute__((preserve_access_index));

struct task_struct___exec {
	struct task_exec_state *exec_state;
} __attribute__((preserve_access_index));

#define MMF_DUMPABLE_MASK 3		/* include/linux/mm_types.h */

/*
 * Its dumpable attribute: 0, 1, or 2.
 * @ret: address of the user namespace in which CAP_SYS_PTRACE does as well; 0: the initial one
 */
static __always_inline __u32 dumpable_of(struct task_struct *task, __u64 *ret)
{
	struct task_struct___exec *exec = (void *)task;
	struct task_struct___kept *kept = (void *)task;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct mm_struct___bitmap *bitmap = (void *)mm;

	*ret = 0;
	if (bpf_core_field_exists(exec->exec_state)) {
		*ret = (__u64)BPF_CORE_READ(exec, exec_state, user_ns);
		return BPF_CORE_READ(exec, exec_state, dumpable);
	}
	if (!mm)
		return bpf_core_field_exists(kept->user_dumpable) ?
			BPF_CORE_READ_BITFIELD_PROBED(kept, user_dumpable) : 1;
	*ret = (__u64)BPF_CORE_READ(mm, user_ns);
	if (bpf_core_field_exists(bitmap->flags.__mm_flags))
		return BPF_CORE_READ(bitmap, flags.__mm_flags[0]) & MMF_DUMPABLE_MASK;
	return BPF_CORE_READ(mm, flags) & MMF_DUMPABLE_MASK;
}

#endif
