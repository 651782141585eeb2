/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An actor: a process or thread that carries out one command at a time and
 * answers. Credentials are per thread in the kernel, so all calls that change
 * them go around the C library, which would change them for all threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parity.h"

extern char **environ;

#define STACK_BYTES (128 * 1024)

/* Tell the controller who we are, in the numbers of its own pid namespace. */
static void send_reply(int fd, struct reply *reply)
{
	char link[64];
	ssize_t len = readlink("/proc/thread-self", link, sizeof(link) - 1);

	if (len < 0)
		_exit(101);
	link[len] = '\0';
	if (sscanf(link, "%d/task/%d", &reply->tgid, &reply->tid) != 2)
		_exit(102);
	reply->ns_tid = (pid_t)syscall(SYS_gettid);
	reply->fd = fd;
	reply->buf = (uintptr_t)probe_buffer;
	if (send(fd, reply, sizeof(*reply), MSG_NOSIGNAL) != sizeof(*reply))
		_exit(103);
}

/* A request, and the descriptor that came with it or -1. */
static void receive(int fd, struct request *req, int *ret_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { req, sizeof(*req) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t len;

	do {
		len = recvmsg(fd, &msg, 0);
	} while (len < 0 && errno == EINTR);
	if (len != sizeof(*req))
		_exit(0);	/* the controller is gone */
	*ret_fd = -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
}

/* Keep this program, standard streams and one more descriptor. */
static void close_others(int keep)
{
	if (keep > EXE_FD + 1)
		syscall(SYS_close_range, EXE_FD + 1, keep - 1, 0);
	syscall(SYS_close_range, keep + 1, ~0U, 0);
}

/* Only the last of a line of processes has a command socket. */
static long do_fork(int fd, unsigned long flags, unsigned long between)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid) {
		int err = errno;

		close(fd);
		return pid < 0 ? -err : pid;
	}
	close_others(fd);
	for (; between; between--) {
		pid_t child = fork();

		if (child < 0)
			_exit(104);
		if (child == 0)
			continue;
		close_range(EXE_FD, ~0U, 0);
		for (;;)
			pause();
	}
	actor_run(fd);
}

static void *thread_main(void *arg)
{
	actor_run((int)(intptr_t)arg);
}

static long do_thread(int fd)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, thread_main, (void *)(intptr_t)fd);
	pthread_attr_destroy(&attr);
	if (err)
		close(fd);
	return -err;
}

static long do_exec(int fd)
{
	char number[16];
	char *argv[] = { (char *)"parity", (char *)"--actor", number, NULL };

	snprintf(number, sizeof(number), "%d", fd);
	syscall(SYS_execveat, EXE_FD, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}

static long do_caps(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	/* ~0 stands for all there are: one can only keep what one has. */
	data[0].permitted &= (uint32_t)permitted;
	data[1].permitted &= (uint32_t)(permitted >> 32);
	data[0].effective = data[0].permitted & (uint32_t)effective;
	data[1].effective = data[1].permitted & (uint32_t)(effective >> 32);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static long do_reap(pid_t pid)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid ? 0 : -errno;
}

static long negative_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

static long carry_out(int fd, const struct request *req, int passed, struct reply *reply)
{
	pid_t pid = (pid_t)req->arg[0];
	long ret;

	switch ((enum command)req->command) {
	case CMD_FORK:
		return do_fork(passed, req->arg[0], req->arg[1]);
	case CMD_THREAD:
		return do_thread(passed);
	case CMD_EXIT_GROUP:
		_exit(0);
	case CMD_EXIT_THREAD:
		for (;;)
			syscall(SYS_exit, 0);
	case CMD_EXEC:
		return do_exec(fd);
	case CMD_REAP:
		return do_reap(pid);
	case CMD_SETUID:
		return negative_errno(syscall(SYS_setresuid, req->arg[0], req->arg[1],
					      req->arg[2]));
	case CMD_SETGID:
		return negative_errno(syscall(SYS_setresgid, req->arg[0], req->arg[1],
					      req->arg[2]));
	case CMD_CAPS:
		return do_caps(req->arg[0], req->arg[1]);
	case CMD_PRCTL:
		return negative_errno(syscall(SYS_prctl, req->arg[0], req->arg[1], 0, 0, 0));
	case CMD_UNSHARE:
		return negative_errno(unshare((int)req->arg[0]));
	case CMD_SETNS:
		ret = negative_errno(setns(passed, (int)req->arg[0]));
		close(passed);
		return ret;
	case CMD_SEIZE:
		return negative_errno(ptrace(PTRACE_SEIZE, pid, 0, 0));
	case CMD_DETACH:
		return ops_interrupt_detach(pid);
	case CMD_UNTRACE:
		return ops_detach(pid);
	case CMD_TRACEME:
		return negative_errno(ptrace(PTRACE_TRACEME, 0, 0, 0));
	case CMD_OPS_TARGET:
		ops_on_target(&req->target, reply->results);
		return 0;
	case CMD_OPS_CHILDREN:
		ops_by_children(reply->results);
		return 0;
	}
	return -ENOSYS;
}

void actor_run(int fd)
{
	struct reply hello = { 0 };

	send_reply(fd, &hello);
	for (;;) {
		struct reply reply = { 0 };
		struct request req;
		int passed;

		receive(fd, &req, &passed);
		reply.ret = carry_out(fd, &req, passed, &reply);
		send_reply(fd, &reply);
	}
}

/* Everything on one CPU, so that tasks are freed in the order in which they ended. */
void actors_prepare(void)
{
	cpu_set_t one;
	int exe = open("/proc/self/exe", O_RDONLY);

	if (exe < 0 || dup2(exe, EXE_FD) != EXE_FD)
		bail("opening this program: %s", strerror(errno));
	if (exe != EXE_FD)
		close(exe);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		bail("sched_setaffinity: %s", strerror(errno));
}
