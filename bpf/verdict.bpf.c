// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is refused: the verdict on each access.
 *
 *   psc_access     lsm/ptrace_access_check        verdict for ATTACH and READ
 *   psc_traceme    lsm/ptrace_traceme             verdict for TRACEME
 *
 * The hooks gather facts; psc_judge() in ptracescope_judge.h decides.
 */
#include "verdict.bpf.h"

/* No program before us has refused: the first result that is not 0 ends the hook. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(psc_access, struct task_struct *tracee, unsigned int access)
{
	return access_check(ctx, access);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(psc_traceme, struct task_struct *parent, int ret)
{
	return ret ? ret : traceme_check(parent);
}
