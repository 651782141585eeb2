/* SPDX-License-Identifier: GPL-2.0-only */
/* The sysctl kernel.ftrace_enabled, by a descriptor of its file. */
#ifndef PSC_FTRACE_BPF_H
#define PSC_FTRACE_BPF_H

#include "guard.bpf.h"
#include "task.bpf.h"

#define PROC_SUPER_MAGIC 0x9fa0		/* include/uapi/linux/magic.h */

/* The inode behind a descriptor of the caller; NULL where it is that of another file. */
static __always_inline struct proc_inode *ftrace_inode(int fd)
{
	struct file *file = file_of(fd);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct proc_inode *proc;
	__u64 name[2] = {};

	if (BPF_CORE_READ(inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return NULL;
	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(proc, sysctl_entry, procname));
	return name[0] == EIGHT('f', 't', 'r', 'a', 'c', 'e', '_', 'e') &&
	       name[1] == EIGHT('n', 'a', 'b', 'l', 'e', 'd', 0, 0) ? proc : NULL;
}

/*
 * Its value. Who reads the file waits for ftrace_lock, which the kernel holds while it waits for
 * RCU's tasks, when a program has been detached from a function.
 */
static __always_inline int ftrace_value(int fd, __u32 *ret)
{
	struct proc_inode *proc = ftrace_inode(fd);
	__u32 value;

	if (!proc || bpf_probe_read_kernel(&value, sizeof(value),
					   BPF_CORE_READ(proc, sysctl_entry, data)))
		return -PSC_E_BADF;
	*ret = value;
	return 0;
}

#endif
