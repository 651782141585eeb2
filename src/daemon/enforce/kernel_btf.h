/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own types, where somebody might have put others in their place. */
#ifndef PSC_KERNEL_BTF_H
#define PSC_KERNEL_BTF_H

struct btf;

/**
 * psc_kernel_btf_open - the types in /sys/kernel/btf/vmlinux
 * @ret: freed by btf__free(); some megabytes; unwritten on error. NULL: only look
 *	whether they are there
 *
 * By id (BPF_BTF_GET_FD_BY_ID) they would need CAP_SYS_ADMIN. So it is made sure that
 * the file is what it is called: the one of that name in the whole of a sysfs, with
 * nothing mounted over it nor over a directory on the way to it.
 *
 * Return: 0; -EUCLEAN, after a message, when it is something else; or another negative
 * errno, after a message.
 */
int psc_kernel_btf_open(struct btf **ret);

#endif
