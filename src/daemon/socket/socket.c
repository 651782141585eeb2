/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes and watches the socket in the file system. */
#include "socket.h"

#include <errno.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "interface.h"
#include "log.h"
#include "util.h"

#define LISTEN_BACKLOG 128

static int make_dir(void)
{
	if ((mkdir(PSC_SOCKET_DIR, 0755) < 0 && errno != EEXIST) ||
	    chmod(PSC_SOCKET_DIR, 0755) < 0)
		return psc_log_err(-errno, "%s: %s", PSC_SOCKET_DIR, strerror(errno));
	return 0;
}

/* Bind and listen. Return: a descriptor or a negative errno, after a message. */
static int make_listener(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return psc_log_err(-errno, "socket: %s", strerror(errno));
	if ((unlink(address->sun_path) < 0 && errno != ENOENT) ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    chmod(address->sun_path, 0666) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return psc_log_err(-errno, "%s: %s", address->sun_path, strerror(errno));
	return TAKE_FD(fd);
}

/*
 * The socket gets its name when it is ready to be used, in one rename that also
 * replaces one that a killed daemon left.
 */
static int serve(struct psc_socket *sock)
{
	static const struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = PSC_SOCKET_PATH ".new",
	};
	_cleanup_close_ int fd = make_listener(&address);
	struct psc_control *control;
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	err = psc_kernel_mark_listener(sock->kernel, fd);
	if (err)
		return psc_log_err(err, "%s: the BPF programs cannot be told which socket is the "
				   "daemon's: %s", address.sun_path, strerror(-err));
	if (stat(address.sun_path, &st) < 0 || rename(address.sun_path, PSC_SOCKET_PATH) < 0)
		return psc_log_err(-errno, "%s: %s", PSC_SOCKET_PATH, strerror(errno));
	err = psc_control_new(sock->event, fd, &sock->backend, &control);
	if (err)
		return psc_log_err(err, "serving the socket failed: %s", strerror(-err));
	TAKE_FD(fd);
	psc_control_free(sock->control);
	sock->control = control;
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
	return 0;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *data);

/* Without it everything works, but for a socket that somebody removes. */
static void watch_dir(struct psc_socket *sock)
{
	int err;

	sock->watch = sd_event_source_disable_unref(sock->watch);
	err = sd_event_add_inotify(sock->event, &sock->watch, PSC_SOCKET_DIR,
				   IN_ONLYDIR | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
				   IN_DELETE_SELF | IN_MOVE_SELF, on_change, sock);
	if (err < 0)
		psc_warning("%s cannot be watched, so a socket that is removed stays away: %s",
			    PSC_SOCKET_DIR, strerror(-err));
}

int psc_socket_open(struct psc_socket *sock)
{
	int err = make_dir();

	if (err)
		return err;
	/* Before there is something to lose. */
	watch_dir(sock);
	return serve(sock);
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *data)
{
	struct psc_socket *sock = data;
	struct stat st;
	int err;

	(void)event;
	if (!stat(PSC_SOCKET_PATH, &st) && st.st_dev == sock->dev && st.st_ino == sock->ino)
		return 0;
	psc_warning("%s has been removed or replaced; it is made anew", PSC_SOCKET_PATH);
	err = psc_socket_open(sock);
	return err ? sd_event_exit(sd_event_source_get_event(source), err) : 0;
}

void psc_socket_close(struct psc_socket *sock)
{
	sd_event_source_disable_unref(sock->watch);
	psc_control_free(sock->control);
}
