/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of a process, as /proc shows them. */
#ifndef PTRACESCOPE_THREADS_H
#define PTRACESCOPE_THREADS_H

/**
 * psc_threads_file - the name of a file of /proc/PID that all threads of a process agree on
 * @dir_fd: of /proc/PID
 * @name: such as "cgroup"
 * @ret: "cgroup", or "task/TID/cgroup" where the leader has ended before another thread: the
 *	kernel moves that thread only, and the leader's file tells where it ended
 *
 * Return: 0 or -ENOMEM.
 */
int psc_threads_file(int dir_fd, const char *name, char **ret);

#endif
