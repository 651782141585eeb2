/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets the scope of Yama by its sysctl, and ours by a run of the pinned psc_ctl. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parity.h"

#define YAMA_SYSCTL "/proc/sys/kernel/yama/ptrace_scope"

const char *const side_names[SIDES] = { [YAMA] = "Yama", [OURS] = "ours" };

static int ctl_fd = -1;		/* -1: our side is played by Yama as well */
static int cgroup_fd = -1;	/* -1: ours is set globally */

void scope_open(const char *pin_dir)
{
	char path[256];
	union bpf_attr attr = { .pathname = (uintptr_t)path };

	if (access(YAMA_SYSCTL, W_OK))
		bail("%s: %s; is yama in the lsm= list?", YAMA_SYSCTL, strerror(errno));
	if (!pin_dir)
		return;
	snprintf(path, sizeof(path), "%s/psc_ctl", pin_dir);
	ctl_fd = (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	if (ctl_fd < 0)
		bail("%s: %s; is ptracescoped running?", path, strerror(errno));
}

static void set_yama(unsigned int scope)
{
	char text[16] = "";
	int len = snprintf(text, sizeof(text), "%u\n", scope);
	int fd = open(YAMA_SYSCTL, O_RDWR | O_CLOEXEC);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		bail("setting Yama's scope to %u: %s", scope, strerror(errno));
	memset(text, 0, sizeof(text));
	if (pread(fd, text, sizeof(text) - 1, 0) != 2 || text[0] != (char)('0' + scope))
		bail("Yama's scope was set to %u, it reads '%s'", scope, text);
	close(fd);
}

static void run_ctl(struct psc_request *req)
{
	union bpf_attr attr = {
		.test.prog_fd = (__u32)ctl_fd,
		.test.ctx_in = (uintptr_t)req,
		.test.ctx_size_in = sizeof(*req),
	};

	if (cgroup_fd >= 0) {
		req->flags |= PSC_FLAG_CGROUP;
		req->dir_fd = cgroup_fd;
	}
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		bail("running psc_ctl: %s", strerror(errno));
	if (attr.test.retval)
		bail("psc_ctl refuses a request: %s", strerror(-(int)attr.test.retval));
}

static void set_ours(unsigned int scope)
{
	struct psc_request req = {
		.abi = PSC_ABI,
		.op = PSC_OP_CHANGE,
		.set = PSC_MODES_YAMA,
		.want = PSC_WANT(scope),
		.flags = PSC_FLAG_REVOCABLE,
	};
	unsigned int read_scope = cgroup_fd >= 0 ? PSC_SCOPE_INHERIT : 0;

	run_ctl(&req);
	if (req.policy.scope[PSC_MODE_ATTACH] != scope ||
	    req.policy.scope[PSC_MODE_TRACEME] != scope ||
	    req.policy.scope[PSC_MODE_READ] != read_scope)
		bail("psc_ctl was to set scope %u, it replied %u, %u, %u", scope,
		     req.policy.scope[PSC_MODE_ATTACH], req.policy.scope[PSC_MODE_TRACEME],
		     req.policy.scope[PSC_MODE_READ]);
}

void scope_by_cgroup(bool by_cgroup)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_CHANGE, .unset = PSC_MODES_YAMA };

	if (ctl_fd < 0)
		return;
	if (!by_cgroup && cgroup_fd >= 0) {
		run_ctl(&req);
		close(cgroup_fd);
		cgroup_fd = -1;
	}
	if (!by_cgroup)
		return;
	cgroup_fd = open(PARITY_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup_fd < 0)
		bail(PARITY_CGROUP ": %s", strerror(errno));
}

void set_scope(enum side side, unsigned int scope)
{
	if (side == YAMA || ctl_fd < 0)
		set_yama(scope);
	else
		set_ours(scope);
}
