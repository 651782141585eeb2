/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins a program of the root cgroup, lets go of it, and detaches it by its pin. */
#include "handle.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "util.h"

__u32 psc_prog_id(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

int psc_handle_take(struct psc_handle *handle, const struct bpf_program *prog)
{
	handle->fd = fcntl(bpf_program__fd(prog), F_DUPFD_CLOEXEC, 3);
	if (handle->fd < 0)
		return -errno;
	handle->id = psc_prog_id(handle->fd);
	return handle->id ? 0 : -EIO;
}

/* The program that has this pin, wherever its name is now. */
static int open_by_pin(int pin_fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", pin_fd);
	return bpf_obj_get(path);
}

int psc_handle_pin(struct psc_handle *handle, const char *path)
{
	_cleanup_close_ int fd = -1;

	if (bpf_obj_pin(handle->fd, path))
		return -errno;
	handle->pin_fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (handle->pin_fd < 0)
		return -errno;
	fd = open_by_pin(handle->pin_fd);
	return fd >= 0 && psc_prog_id(fd) == handle->id ? 0 : -EUCLEAN;
}

void psc_handle_let_go(struct psc_handle *handle)
{
	psc_closep(&handle->fd);
	handle->fd = -1;
}

int psc_handle_detach(const struct psc_handle *handle, int cgroup_fd, enum bpf_attach_type type)
{
	_cleanup_close_ int fd = open_by_pin(handle->pin_fd);

	if (fd < 0)
		return -errno;
	return bpf_prog_detach2(fd, cgroup_fd, type) ? -errno : 0;
}

void psc_handle_close(struct psc_handle *handle)
{
	psc_closep(&handle->fd);
	psc_closep(&handle->pin_fd);
	handle->fd = handle->pin_fd = -1;
}
