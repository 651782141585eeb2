/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the kernel what the event loop needs to know, and waits for no lock of others. */
#include "nowait.h"

#include <errno.h>
#include <fcntl.h>

#include "cgroup.h"
#include "util.h"

bool psc_kernel_ftrace(struct psc_kernel *kernel)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
	__u32 value;

	if (fd >= 0 && psc_kernel_ftrace_value(kernel, fd, &value) == 0)
		return value != 0;
	return psc_ftrace_enabled();
}

static int read_own_policy(struct psc_kernel *kernel, union psc_policy *ret)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_CGROUP };
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	_cleanup_free_ char *name = NULL;
	struct psc_cgroups cgroups;
	int err;

	psc_cgroups_open(&cgroups);
	err = psc_cgroup_of_pid("/proc", (unsigned int)getpid(), &name);
	if (!err)
		err = psc_cgroup_find(&cgroups, name, &cgroup);
	psc_cgroups_close(&cgroups);
	if (err) {	/* no cgroup2, or its root; or a cgroup namespace hides what is above */
		struct psc_request global = { .abi = PSC_ABI, .op = PSC_OP_INFO };
		int hidden = err == -EXDEV;

		kernel->own_cgroup = 0;
		err = psc_kernel_request(kernel, &global);
		*ret = global.policy;
		return err ? err : hidden && global.entries ? -EXDEV : 0;
	}
	info.dir_fd = cgroup.fd;
	err = psc_kernel_request(kernel, &info);
	if (!err) {
		*ret = info.effective;
		kernel->own_cgroup = info.cgroup;
	}
	return err == -PSC_E_OPNOTSUPP ? psc_kernel_policy(kernel, ret) : err;
}

int psc_kernel_own_policy(struct psc_kernel *kernel, union psc_policy *ret)
{
	struct psc_find_request req = {
		.abi = PSC_ABI, .op = PSC_FIND_PROCESS, .parent = kernel->own_cgroup,
		.pid = getpid(),
	};

	if (psc_kernel_find(kernel, &req, NULL))
		return read_own_policy(kernel, ret);
	*ret = req.effective;
	return 0;
}
