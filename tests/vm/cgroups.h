/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For C cases about cgroups: the programs, cgroups by their path below the root of the hierarchy,
 * and requests about them to psc_ctl.
 */
#ifndef PSC_CGROUPS_H
#define PSC_CGROUPS_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "loader.h"
#include "lock.h"
#include "names.h"
#include "tap.h"

#define CGROUPS "/sys/fs/cgroup"
#define ATTACH PSC_MODE_BIT(PSC_MODE_ATTACH)
#define TRACEME PSC_MODE_BIT(PSC_MODE_TRACEME)
#define READ PSC_MODE_BIT(PSC_MODE_READ)
#define BOUNDARY PSC_MODE_BIT(PSC_MODE_BOUNDARY)

static struct psc_kernel *kernel;

/* Load the programs, and close the maps, which puppets must not have. Return: are they loaded? */
static inline bool puppets_begin(const struct psc_loader_options *options,
				 const struct psc_request *first)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!is(psc_loader_start(options, first, 1, &kernel), PSC_LOADED, "loads and attaches"))
		return false;
	psc_kernel_close_policy_maps(kernel);
	return true;
}

static inline int cg_open(const char *path)
{
	char whole[4096];

	snprintf(whole, sizeof(whole), CGROUPS "/%s", path);
	return open(whole, O_RDONLY | O_CLOEXEC);
}

static inline void cg_make(const char *path)
{
	char whole[4096];

	snprintf(whole, sizeof(whole), CGROUPS "/%s", path);
	if (mkdir(whole, 0755))
		bail(whole);
}

/* Return: 0 or a negative errno. */
static inline int cg_try_remove(const char *path)
{
	char whole[4096];

	snprintf(whole, sizeof(whole), CGROUPS "/%s", path);
	return rmdir(whole) ? -errno : 0;
}

/* A cgroup is populated until its last task has been reaped, and a moment longer. */
static inline void cg_remove(const char *path)
{
	int err = -EBUSY;

	for (int i = 0; i < 20000 && err == -EBUSY; i++) {
		err = cg_try_remove(path);
		if (err == -EBUSY)
			usleep(5000);
	}
	if (err)
		bail(path);
}

/* Write to a file of a cgroup. Return: 0 or a negative errno. */
static inline int cg_write(const char *path, const char *file, const char *text)
{
	char whole[4096];
	int fd, err;

	snprintf(whole, sizeof(whole), CGROUPS "/%s/%s", path, file);
	fd = open(whole, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* pid 0: the caller */
static inline int cg_move(const char *path, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return cg_write(path, "cgroup.procs", text);
}

/* One request about a cgroup; the reply in @req. Return: 0 or a negative PSC_E_*. */
static inline int cg_request(const char *path, struct psc_request *req)
{
	int err;

	req->abi = PSC_ABI;
	req->flags |= PSC_FLAG_CGROUP;
	req->dir_fd = cg_open(path);
	if (req->dir_fd < 0)
		bail(path);
	err = psc_lock_request(kernel, PSC_PIN_DIR, req);
	close(req->dir_fd);
	return err;
}

static inline int cg_set(const char *path, __u32 modes, __u32 value)
{
	/* 3 without a floor, unless somebody asks for one. */
	struct psc_request req = {
		.op = PSC_OP_CHANGE, .set = modes, .want = PSC_WANT(value), .flags = PSC_FLAG_REVOCABLE,
	};

	return cg_request(path, &req);
}

static inline int cg_lock(const char *path, __u32 modes, __u32 value)
{
	struct psc_request req = { .op = PSC_OP_CHANGE, .raise = modes, .want = PSC_WANT(value) };

	return cg_request(path, &req);
}

/* A scope that goes along with who leaves. */
static inline int cg_stick(const char *path, __u32 modes, __u32 value)
{
	struct psc_request req = {
		.op = PSC_OP_CHANGE, .set = modes, .stick = modes, .want = PSC_WANT(value),
		.flags = PSC_FLAG_REVOCABLE,
	};

	return cg_request(path, &req);
}

static inline int cg_unset(const char *path, __u32 modes)
{
	struct psc_request req = { .op = PSC_OP_CHANGE, .unset = modes };

	return cg_request(path, &req);
}

static inline struct psc_request cg_info(const char *path)
{
	struct psc_request req = { .op = PSC_OP_INFO };

	if (cg_request(path, &req))
		bail("info");
	return req;
}

static inline int global_set(__u32 modes, __u32 value)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = modes, .want = PSC_WANT(value),
		.flags = PSC_FLAG_REVOCABLE,
	};

	return psc_kernel_request(kernel, &req);
}

static inline struct psc_request global_info(void)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	if (psc_kernel_request(kernel, &req))
		bail("info");
	return req;
}

#endif
