// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hold a process up where a function of the kernel begins or ends, until told to go on: a
 * tracing program changes no result, but it takes as long as it likes. See progs/holdat.c.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define LOOPS_MAX (1 << 23)	/* of bpf_loop() */

char LICENSE[] SEC("license") = "GPL";

volatile __u32 tgid;		/* whom */
volatile __u32 children;	/* or rather its children */
volatile __u32 nth;		/* at which of its calls */
volatile __u32 only_inside;	/* of those inside the other function */
volatile __u32 inside, calls, held, go_on;

static long inner_step(__u32 i, void *data)
{
	return go_on != 0;
}

static long outer_step(__u32 i, void *data)
{
	bpf_loop(LOOPS_MAX, inner_step, NULL, 0);
	return go_on != 0;
}

static __always_inline bool is_wanted(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return (__u32)(children ? BPF_CORE_READ(task, real_parent, tgid) :
				  BPF_CORE_READ(task, tgid)) == tgid;
}

static __always_inline int hold(void)
{
	if (!is_wanted() || (only_inside && !inside) || ++calls != nth)
		return 0;
	held = 1;
	bpf_loop(LOOPS_MAX, outer_step, NULL, 0);
	return 0;
}

SEC("?fentry")
int hold_entry(void *ctx)
{
	return hold();
}

SEC("?fexit")
int hold_exit(void *ctx)
{
	return hold();
}

SEC("?fentry")
int enter(void *ctx)
{
	if (is_wanted())
		inside = 1;
	return 0;
}

SEC("?fexit")
int leave(void *ctx)
{
	if (is_wanted())
		inside = 0;
	return 0;
}
