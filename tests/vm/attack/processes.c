/* SPDX-License-Identifier: GPL-2.0-or-later */
/* psc_ctl without the daemon; processes and what was opened of them; other system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "kernel.h"

static int ctl_fd = -1;

static int open_ctl(char **args)
{
	(void)args;
	ctl_fd = bpf_obj_get(PSC_PIN_DIR "/psc_ctl");
	return ctl_fd < 0 ? failed("open") : 0;
}

static int ask(struct psc_request *req)
{
	errno = -psc_ctl_run(ctl_fd, req);
	return errno ? failed("run") : 0;
}

/* Print what psc_ctl says is in force, scopes and floors. */
static int run_policy(char **args)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	(void)args;
	if (ask(&req))
		return -errno;
	printf("%u %u %u, floor %u %u %u\n", req.policy.scope[0], req.policy.scope[1],
	       req.policy.scope[2], req.policy.floor[0], req.policy.floor[1], req.policy.floor[2]);
	exit(0);
}

/* VERB VALUE FLAGS, on the modes that Yama's scope governs: "set", "raise", "lock", "unset". */
static struct psc_request change(char **args)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .want = PSC_WANT((__u8)atoi(args[1])),
		.flags = (__u32)atoi(args[2]),
	};

	if (strcmp(args[0], "set") == 0)
		req.set = PSC_MODES_YAMA;
	else if (strcmp(args[0], "raise") == 0)
		req.raise = PSC_MODES_YAMA;
	else if (strcmp(args[0], "lock") == 0)
		req.lock = PSC_MODES_YAMA;
	else
		req.unset = PSC_MODES_YAMA;
	return req;
}

static int run_ctl(char **args)
{
	struct psc_request req = change(args);

	return ask(&req);
}

/* CGROUP VERB VALUE FLAGS: of a cgroup, by a directory that was opened before. */
static int cgroup_fd = -1;

static int open_cgroup_ctl(char **args)
{
	cgroup_fd = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cgroup_fd < 0 ? failed(args[0]) : open_ctl(args);
}

static int run_ctl_cgroup(char **args)
{
	struct psc_request req = change(args + 1);

	req.flags |= PSC_FLAG_CGROUP;
	req.dir_fd = cgroup_fd;
	return ask(&req);
}

/* Have another directory guarded, and arm the guards anew. */
static int run_guard(char **args)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 1,
		.dir_fd = open(args[0], O_PATH | O_DIRECTORY),
	};

	return req.dir_fd < 0 ? failed(args[0]) : ask(&req);
}

/* The same until there is a floor, which it is to get in the way of. */
static int run_guard_race(char **args)
{
	struct psc_request req;
	int dir_fd = open(args[0], O_PATH | O_DIRECTORY), err;

	if (dir_fd < 0)
		return failed(args[0]);
	puts("begun");
	fflush(stdout);
	do {
		req = (struct psc_request){
			.abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 1, .dir_fd = dir_fd,
		};
		err = psc_ctl_run(ctl_fd, &req);
	} while (!err || err == -EAGAIN);
	errno = -err;
	return failed("run");
}

/* DIRECTORY VALUE: arm the guards for another directory, and set the first floor by that. */
static int run_lock(char **args)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 1,
		.dir_fd = open(args[0], O_PATH | O_DIRECTORY),
	};
	__u64 armed;

	if (req.dir_fd < 0)
		return failed(args[0]);
	if (ask(&req))
		return -errno;
	armed = req.armed;
	req = change((char *[]){ "raise", args[1], "0" });
	req.armed = armed;
	return ask(&req);
}

/* PID VERB VALUE FLAGS: through the descriptor of psc_ctl that this process has. */
static int take_ctl(char **args)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(args[0]), 0);

	if (pidfd < 0)
		return failed("pidfd");
	for (int n = 0; n < 256; n++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		ctl_fd = (int)syscall(SYS_pidfd_getfd, pidfd, n, 0);
		if (ctl_fd < 0 && errno == EPERM)
			return failed("getfd");
		if (ctl_fd >= 0 && !bpf_obj_get_info_by_fd(ctl_fd, &info, &len) &&
		    strcmp(info.name, "psc_ctl") == 0)
			return 0;
		close(ctl_fd);
	}
	errno = ENOENT;
	return failed("psc_ctl");
}

static int run_ctl_of(char **args)
{
	return run_ctl(args + 1);
}

/* --- processes --- */

static int file_fd = -1;

/* PID ADDRESS: write 1 there through /proc/PID/mem. */
static int open_memory(char **args)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", atoi(args[0]));
	file_fd = open(path, O_RDWR | O_CLOEXEC);
	return file_fd < 0 ? failed("open") : 0;
}

static int run_memory(char **args)
{
	long one = 1;

	return pwrite(file_fd, &one, sizeof(one), (off_t)strtoull(args[1], NULL, 16)) < 0 ?
		failed("write") : 0;
}

/* PID ADDRESS: write 1 there as its tracer. */
static int seize(char **args)
{
	return ptrace(PTRACE_SEIZE, atoi(args[0]), 0, 0) < 0 ? failed("seize") : 0;
}

static int run_poke(char **args)
{
	pid_t pid = atoi(args[0]);

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, NULL, __WALL) < 0)
		return failed("stop");
	if (ptrace(PTRACE_POKEDATA, pid, strtoull(args[1], NULL, 16), 1L) < 0)
		return failed("poke");
	return ptrace(PTRACE_CONT, pid, 0, 0) < 0 ? failed("go on") : 0;
}

/* PID: any descriptor of it. */
static int run_getfd(char **args)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(args[0]), 0);

	if (pidfd < 0)
		return failed("pidfd");
	return syscall(SYS_pidfd_getfd, pidfd, 0, 0) < 0 ? failed("getfd") : 0;
}

/* --- files and mounts --- */

/* FROM TO: move the mount by descriptors. */
static int run_move_mount(char **args)
{
	return syscall(SYS_move_mount, AT_FDCWD, args[0], AT_FDCWD, args[1], 0) < 0 ?
		failed("move") : 0;
}

/* FROM TO: make the second mount receive what propagates to the first. */
static int run_set_group(char **args)
{
	return syscall(SYS_move_mount, AT_FDCWD, args[0], AT_FDCWD, args[1],
		       MOVE_MOUNT_SET_GROUP) < 0 ? failed("set group") : 0;
}

/* FROM TO: a copy of the tree of mounts, by descriptors. */
static int run_clone_mount(char **args)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, args[0],
				OPEN_TREE_CLONE | AT_RECURSIVE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return failed("tree");
	return syscall(SYS_move_mount, tree, "", AT_FDCWD, args[1], MOVE_MOUNT_F_EMPTY_PATH) < 0 ?
		failed("move") : 0;
}

/* PATH: write 0 into it by way of io_uring. */
static int open_file(char **args)
{
	file_fd = open(args[0], O_WRONLY | O_CLOEXEC);
	return file_fd < 0 ? failed(args[0]) : 0;
}

static int run_uring(char **args)
{
	struct io_uring_params p = {};
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	size_t size = p.sq_off.array + p.sq_entries * sizeof(__u32);
	size_t cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	struct io_uring_sqe *sqe;
	char *rings;

	(void)args;
	if (ring < 0)
		return failed("io_uring");
	rings = mmap(NULL, size > cq_size ? size : cq_size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		   IORING_OFF_SQES);
	if (rings == MAP_FAILED || (void *)sqe == MAP_FAILED)
		return failed("rings");
	/* IOSQE_ASYNC: by one of the kernel's workers. */
	*sqe = (struct io_uring_sqe){ .opcode = IORING_OP_WRITE, .flags = IOSQE_ASYNC,
		.fd = file_fd, .addr = (unsigned long)"0", .len = 1 };
	*(__u32 *)(rings + p.sq_off.array) = 0;
	*(volatile __u32 *)(rings + p.sq_off.tail) = 1;
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return failed("enter");
	errno = -((struct io_uring_cqe *)(rings + p.cq_off.cqes))->res;
	return errno > 0 ? failed("write") : 0;
}

/* --- doors below BPF: are they open? Nothing is loaded. --- */

static int run_module(char **args)
{
	(void)args;
	/* ENOEXEC comes after the permission. */
	return syscall(SYS_init_module, "", 1, "") < 0 && errno == EPERM ? failed("module") : 0;
}

static int run_kexec(char **args)
{
	(void)args;
	return syscall(SYS_kexec_load, 0, 0, NULL, 0) < 0 ? failed("kexec") : 0;
}

/* The kernel's memory. */
static int run_devmem(char **args)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);

	(void)args;
	return fd < 0 ? failed("open") : close(fd);
}

const struct attack attacks_on_processes[] = {
	{ "policy", open_ctl, run_policy },
	{ "ctl", open_ctl, run_ctl },
	{ "ctl-cgroup", open_cgroup_ctl, run_ctl_cgroup },
	{ "ctl-guard", open_ctl, run_guard },
	{ "ctl-guard-race", open_ctl, run_guard_race },
	{ "ctl-lock", open_ctl, run_lock },
	{ "ctl-of", take_ctl, run_ctl_of },
	{ "memory", open_memory, run_memory },
	{ "poke", seize, run_poke },
	{ "getfd", NULL, run_getfd },
	{ "move-mount", NULL, run_move_mount },
	{ "set-group", NULL, run_set_group },
	{ "clone-mount", NULL, run_clone_mount },
	{ "uring-write", open_file, run_uring },
	{ "module", NULL, run_module },
	{ "kexec", NULL, run_kexec },
	{ "devmem", NULL, run_devmem },
	{}
};
