/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the event loop asks the kernel, without waiting for a lock that somebody may hold for
 * long: kernel.ftrace_enabled, and the policy of the process's own cgroup.
 */
#ifndef PSC_NOWAIT_H
#define PSC_NOWAIT_H

#include "kernel.h"

/*
 * psc_ftrace_enabled(), which waits while the kernel detaches programs from functions. This one
 * does not where the set's psc_explain can tell the value.
 */
bool psc_kernel_ftrace(struct psc_kernel *kernel);

/*
 * What holds for this process: that of its cgroup. Where the process is not in another cgroup
 * than it was at the last call, /proc is not read: before 6.8 who reads /proc/PID/cgroup waits
 * for cgroup_mutex. Return: 0 or a negative errno.
 */
int psc_kernel_own_policy(struct psc_kernel *kernel, union psc_policy *ret);

#endif
