/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernels, told apart by types and fields,
 * never by version.
 */
#ifndef PSC_COMPAT_BPF_H
#define PSC_COMPAT_BPF_H

/*
 * kernel_cap_t was { u32 cap[2] } until 6.3 (f122a08b197d, "capability: just
 * use a 'u64' instead of a 'u32[2]' array") and is { u64 val } since. The first
 * flavour can go when 6.1 does.
 */
struct cred___caps32 {
	struct {
		__u32 cap[2];
	} cap_effective;
} __attribute__((preserve_access_index));

static __always_inline bool cred_has_cap(const struct cred *cred, unsigned int cap)
{
	const struct cred___caps32 *caps32 = (const void *)cred;

	if (bpf_core_field_exists(cred->cap_effective.val))
		return BPF_CORE_READ(cred, cap_effective.val) & (1ULL << cap);
	return BPF_CORE_READ(caps32, cap_effective.cap[cap / 32]) & (1U << (cap % 32));
}

#endif
