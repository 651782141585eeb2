/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read from and end connections without waiting for the files that clients pass along. */
#ifndef PSC_HANGUP_H
#define PSC_HANGUP_H

#include <sys/types.h>

/**
 * psc_refuse_rights - have the kernel refuse who passes a descriptor (SO_PASSRIGHTS, 6.16)
 * @fd: a socket, or a listening one for all that connect from now on
 *
 * Older kernels know no such option, which is no error.
 */
void psc_refuse_rights(int fd);

/**
 * psc_receive - recv(2) without waiting, and without taking descriptors
 *
 * Return: how many bytes were read, 0 at the end, or a negative errno; -EBADMSG: what comes next,
 * or right after it, has descriptors with it, and all stays unread.
 */
ssize_t psc_receive(int fd, void *buf, size_t size);

/**
 * psc_hang_up - close a socket
 * @fd: connected; closed, but if there is no room for a child
 *
 * Unread messages may have the last reference to a file, and its last close may wait for as
 * long as the client likes (SO_LINGER). A child that ends does it then: what ends does not
 * linger. See inet_release() in the kernel's net/ipv4/af_inet.c.
 */
void psc_hang_up(int fd);

/**
 * psc_hang_up_at_end - the same in a process that is about to end
 *
 * What may have files stays open until then. A child would outlive it, with its lock.
 */
void psc_hang_up_at_end(int fd);

/* At the end: close a listening socket, and those who have connected to it one by one. */
void psc_stop_listening(int listen_fd);

#endif
