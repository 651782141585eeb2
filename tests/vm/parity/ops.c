/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations that a ptrace access check guards, each with its exact error.
 * None leaves a trace, so that all can be repeated under another policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parity.h"

/* Which mode a check asks for is read in the kernel's source beside each name. */
const struct op_desc op_descs[OPS] = {
	[OP_ATTACH] = { "PTRACE_ATTACH", PSC_MODE_ATTACH },		/* ptrace_attach() */
	[OP_SEIZE] = { "PTRACE_SEIZE", PSC_MODE_ATTACH },
	[OP_VM_READV] = { "process_vm_readv", PSC_MODE_ATTACH },	/* process_vm_rw_core() */
	[OP_VM_WRITEV] = { "process_vm_writev", PSC_MODE_ATTACH },
	[OP_MEM] = { "/proc/PID/mem", PSC_MODE_ATTACH },		/* mem_open() */
	[OP_SYSCALL] = { "/proc/PID/syscall", PSC_MODE_ATTACH },	/* lock_trace() */
	[OP_STACK] = { "/proc/PID/stack", PSC_MODE_ATTACH },
	[OP_PERSONALITY] = { "/proc/PID/personality", PSC_MODE_ATTACH },
	[OP_PIDFD_GETFD] = { "pidfd_getfd", PSC_MODE_ATTACH },		/* __pidfd_fget() */
	[OP_PERF_SIGTRAP] = { "perf_event_open(sigtrap)", PSC_MODE_ATTACH },
	[OP_PERF] = { "perf_event_open", PSC_MODE_READ },
	[OP_MAPS] = { "/proc/PID/maps", PSC_MODE_READ },		/* proc_maps_open() */
	[OP_ENVIRON] = { "/proc/PID/environ", PSC_MODE_READ },
	[OP_AUXV] = { "/proc/PID/auxv", PSC_MODE_READ },
	[OP_EXE] = { "/proc/PID/exe", PSC_MODE_READ },	/* proc_fd_access_allowed() */
	[OP_NS_USER] = { "/proc/PID/ns/user", PSC_MODE_READ },	/* proc_ns_readlink() */
	[OP_NS_MNT] = { "/proc/PID/ns/mnt", PSC_MODE_READ },
	[OP_KCMP] = { "kcmp", PSC_MODE_READ },
	[OP_ROBUST_LIST] = { "get_robust_list", PSC_MODE_READ },
	[OP_STAT] = { "/proc/PID/stat addresses", PSC_MODE_READ },	/* with NOAUDIT */
	[OP_TRACEME_CHILD] = { "TRACEME by a child", PSC_MODE_TRACEME },
	[OP_TRACEME_USERNS] = { "TRACEME by a child in a new user namespace", PSC_MODE_TRACEME },
	[OP_TRACEME_NOCAPS] = { "TRACEME by a child without capabilities", PSC_MODE_TRACEME },
	[OP_TRACEME] = { "PTRACE_TRACEME", PSC_MODE_TRACEME },
};

char probe_buffer[PROBE_LEN] = "what the neighbours must not see";

static result_t failed(int step)
{
	return RESULT(step, errno);
}

/* Which bytes arrived: a short or a wrong answer is an error of its own. */
static result_t check_bytes(const char *got, ssize_t len, int step)
{
	if (len < 0)
		return failed(step);
	if (len != PROBE_LEN)
		return RESULT(step, ENODATA);
	return memcmp(got, probe_buffer, PROBE_LEN) ? RESULT(step, EBADMSG) : 0;
}

int ops_detach(pid_t pid)
{
	int status;

	do {
		if (waitpid(pid, &status, __WALL) < 0)
			return -errno;
	} while (!WIFSTOPPED(status) && !WIFEXITED(status) && !WIFSIGNALED(status));
	if (!WIFSTOPPED(status))
		return -ESRCH;
	return ptrace(PTRACE_DETACH, pid, 0, 0) ? -errno : 0;
}

int ops_interrupt_detach(pid_t pid)
{
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return -errno;
	return ops_detach(pid);
}

static result_t op_attach(const struct op_target *t)
{
	int err;

	if (ptrace(PTRACE_ATTACH, t->pid, 0, 0))
		return failed(0);
	err = ops_detach(t->pid);
	return err ? RESULT(1, -err) : 0;
}

static result_t op_seize(const struct op_target *t)
{
	int err;

	if (ptrace(PTRACE_SEIZE, t->pid, 0, 0))
		return failed(0);
	err = ops_interrupt_detach(t->pid);
	return err ? RESULT(1, -err) : 0;
}

static result_t op_vm_readv(const struct op_target *t)
{
	char got[PROBE_LEN] = "";
	struct iovec local = { got, PROBE_LEN };
	struct iovec remote = { (void *)(uintptr_t)t->buf, PROBE_LEN };

	return check_bytes(got, process_vm_readv(t->pid, &local, 1, &remote, 1, 0), 0);
}

/* The bytes written are those that are there. */
static result_t op_vm_writev(const struct op_target *t)
{
	struct iovec local = { probe_buffer, PROBE_LEN };
	struct iovec remote = { (void *)(uintptr_t)t->buf, PROBE_LEN };
	ssize_t len = process_vm_writev(t->pid, &local, 1, &remote, 1, 0);

	return check_bytes(probe_buffer, len, 0);
}

static int open_proc(const struct op_target *t, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", t->tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static result_t op_mem(const struct op_target *t)
{
	char got[PROBE_LEN] = "";
	int fd = open_proc(t, "mem");
	result_t result;

	if (fd < 0)
		return failed(0);
	result = check_bytes(got, pread(fd, got, PROBE_LEN, (off_t)t->buf), 1);
	close(fd);
	return result;
}

static result_t read_proc(const struct op_target *t, const char *name)
{
	char buf[256];
	int fd = open_proc(t, name);
	result_t result;

	if (fd < 0)
		return failed(0);
	result = read(fd, buf, sizeof(buf)) < 0 ? failed(1) : 0;
	close(fd);
	return result;
}

static result_t link_proc(const struct op_target *t, const char *name)
{
	char path[64], buf[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", t->tid, name);
	return readlink(path, buf, sizeof(buf)) < 0 ? failed(0) : 0;
}

/* do_task_stat() shows the address of the code, field 26, as 0 or 1 to strangers. */
static result_t op_stat(const struct op_target *t)
{
	char buf[1024];
	unsigned long code;
	int fd = open_proc(t, "stat");
	ssize_t len;
	char *p;

	if (fd < 0)
		return failed(0);
	len = read(fd, buf, sizeof(buf) - 1);
	if (len < 0) {
		result_t result = failed(1);

		close(fd);
		return result;
	}
	close(fd);
	buf[len] = '\0';
	p = strrchr(buf, ')');
	if (!p || sscanf(p + 2, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			 "%*s %*s %*s %*s %*s %*s %*s %*s %lu", &code) != 1)
		return RESULT(2, EBADMSG);
	return code > 1 ? 0 : RESULT(2, EACCES);
}

static result_t op_pidfd_getfd(const struct op_target *t)
{
	int pidfd, fd;
	result_t result;

	if (!t->leader)	/* a pidfd is one of a process on our oldest kernel */
		return RESULT_NONE;
	pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	if (pidfd < 0)
		return failed(0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, t->fd, 0);
	result = fd < 0 ? failed(1) : 0;
	if (fd >= 0)
		close(fd);
	close(pidfd);
	return result;
}

static result_t op_perf(const struct op_target *t, bool sigtrap)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.remove_on_exec = sigtrap,
		.sigtrap = sigtrap,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, t->pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return failed(0);
	close(fd);
	return 0;
}

static result_t op_kcmp(const struct op_target *t)
{
	pid_t self = (pid_t)syscall(SYS_gettid);

	return syscall(SYS_kcmp, t->pid, self, KCMP_VM, 0, 0) < 0 ? failed(0) : 0;
}

static result_t op_robust_list(const struct op_target *t)
{
	void *head;
	size_t len;

	return syscall(SYS_get_robust_list, t->pid, &head, &len) ? failed(0) : 0;
}

void ops_on_target(const struct op_target *t, result_t *results)
{
	for (int op = 0; op < TARGET_OPS; op++)
		results[op] = RESULT_NONE;
	results[OP_MEM] = op_mem(t);
	results[OP_SYSCALL] = read_proc(t, "syscall");
	results[OP_STACK] = read_proc(t, "stack");
	results[OP_PERSONALITY] = read_proc(t, "personality");
	results[OP_MAPS] = read_proc(t, "maps");
	results[OP_ENVIRON] = read_proc(t, "environ");
	results[OP_AUXV] = read_proc(t, "auxv");
	results[OP_EXE] = link_proc(t, "exe");
	results[OP_NS_USER] = link_proc(t, "ns/user");
	results[OP_NS_MNT] = link_proc(t, "ns/mnt");
	results[OP_STAT] = op_stat(t);
	if (!t->pid)
		return;
	results[OP_VM_READV] = op_vm_readv(t);
	results[OP_VM_WRITEV] = op_vm_writev(t);
	results[OP_PIDFD_GETFD] = op_pidfd_getfd(t);
	results[OP_PERF] = op_perf(t, false);
	results[OP_PERF_SIGTRAP] = op_perf(t, true);
	results[OP_KCMP] = op_kcmp(t);
	results[OP_ROBUST_LIST] = op_robust_list(t);
	results[OP_ATTACH] = op_attach(t);
	results[OP_SEIZE] = op_seize(t);
}

/* In the child: step 0 is the preparation, step 1 TRACEME. */
static result_t traceme_child(enum op op)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (op == OP_TRACEME_USERNS && unshare(CLONE_NEWUSER))
		return failed(0);
	if (op == OP_TRACEME_NOCAPS && syscall(SYS_capset, &header, none))
		return failed(0);
	return ptrace(PTRACE_TRACEME, 0, 0, 0) ? failed(1) : 0;
}

void ops_by_children(result_t *results)
{
	for (int op = TARGET_OPS; op < CHILD_OPS; op++) {
		int status, report[2];
		result_t result = RESULT(4, EIO);
		pid_t pid;

		if (pipe2(report, O_CLOEXEC)) {
			results[op] = failed(2);
			continue;
		}
		pid = fork();
		if (pid == 0) {
			result = traceme_child((enum op)op);
			_exit(write(report[1], &result, sizeof(result)) != sizeof(result));
		}
		close(report[1]);
		if (pid < 0)
			result = failed(3);
		else if (read(report[0], &result, sizeof(result)) != sizeof(result))
			result = RESULT(4, EIO);
		close(report[0]);
		if (pid > 0)
			while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
				;
		results[op] = result;
	}
}
