/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that a client passes (SCM_RIGHTS) are in its messages until these are read, and
 * then belong to who reads. Who gives up the last reference to a file waits for its last close:
 * of a socket that lingers, of a file system of the client's own. That is never the daemon.
 */
#include "hangup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

void psc_refuse_rights(int fd)
{
	int off = 0;

	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
}

ssize_t psc_receive(int fd, void *buf, size_t size)
{
	struct iovec iov = { buf, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	/* There is no room for any, so this says that there are some. */
	if (msg.msg_flags & MSG_CTRUNC)
		return -EBADMSG;
	if (n == 0)
		return 0;
	n = recv(fd, buf, (size_t)n, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* In the child: its copies of all descriptors are closed when it ends, after the parent's. */
static _Noreturn void end_after(int go_fd)
{
	char byte;

	while (read(go_fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* Nobody's child, so that nobody waits for it. Return: 0 or a negative errno. */
static int start_child(const int go[2])
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(go[1]);
		pid = fork();
		if (pid == 0)
			end_after(go[0]);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EAGAIN;
}

/* Is there anything in it that may have files? Reads what has none; no more comes meanwhile. */
static bool is_empty(int fd)
{
	char rest[4096];
	ssize_t n;

	do	/* -ECONNRESET: the client has left replies unread */
		n = psc_receive(fd, rest, sizeof(rest));
	while (n > 0 || n == -EINTR || n == -ECONNRESET);
	return n == 0;
}

/* From here on nothing more comes. Return: was it closed, as it was empty? */
static bool close_empty(int fd)
{
	shutdown(fd, SHUT_RDWR);
	if (!is_empty(fd))
		return false;
	close(fd);
	return true;
}

void psc_hang_up_at_end(int fd)
{
	close_empty(fd);
}

void psc_hang_up(int fd)
{
	int go[2], err;

	if (close_empty(fd))
		return;
	err = pipe(go) < 0 ? -errno : 0;
	if (!err) {
		err = start_child(go);
		if (!err)
			close(fd);
		close(go[0]);
		close(go[1]);
	}
	if (err)
		psc_warning("socket: a connection stays open, as no child can close it: %s",
			    strerror(-err));
}

void psc_stop_listening(int listen_fd)
{
	int fd;

	shutdown(listen_fd, SHUT_RDWR);
	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		psc_hang_up_at_end(fd);
	close(listen_fd);
}
