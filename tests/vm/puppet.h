/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For C cases about cgroups: puppets are processes that sit in a cgroup as a user and do what
 * they are told. They are each other's siblings.
 */
#ifndef PSC_PUPPET_H
#define PSC_PUPPET_H

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroups.h"

#define ALICE 1000
#define BOB 1001
#define ROOT 0

enum puppet_command {
	PUPPET_PEEK,		/* process_vm_readv() of pid: ATTACH */
	PUPPET_READ,		/* /proc/PID/environ: READ */
	PUPPET_TRACEME,		/* a child's PTRACE_TRACEME, with the puppet as parent */
	PUPPET_SPAWN,		/* a child that waits; returns its pid */
	PUPPET_SPAWN_INTO,	/* the same, by clone3(), in a cgroup */
	PUPPET_THREAD,		/* a thread that waits; returns its tid */
	PUPPET_EXEC,		/* its last thread execs "busybox sleep", after the answer */
	PUPPET_MOVE,		/* into a cgroup: a process, 0 for itself */
	PUPPET_MOVE_THREAD,
	PUPPET_MKDIR,
	PUPPET_RMDIR,
	PUPPET_UNSHARE,		/* a cgroup namespace of its own */
	PUPPET_BECOME,		/* another user: pid is the uid */
	PUPPET_REAP,		/* kill and wait for a child */
	PUPPET_BEHEAD,		/* its leader ends, after the answer; its last thread lives */
};

struct puppet {
	pid_t pid;
	int fd;
};

struct puppet_order {
	enum puppet_command command;
	pid_t pid;
	char path[256];
};

static char puppet_memory[8] = "content";

static inline int puppet_peek(pid_t pid)
{
	char copy[sizeof(puppet_memory)];
	struct iovec local = { copy, sizeof(copy) };
	struct iovec remote = { puppet_memory, sizeof(puppet_memory) };

	/* Who may look finds nothing there after an exec. */
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 && errno != EFAULT)
		return -errno;
	return 0;
}

static inline int puppet_read(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static inline int puppet_traceme(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1000;
	return -WEXITSTATUS(status);
}

static inline int puppet_spawn_into(const char *path)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = cg_open(path);
	long pid;

	if (fd < 0)
		return -errno;
	args.cgroup = (__u64)fd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		for (;;)
			pause();
	close(fd);
	return pid < 0 ? -errno : (int)pid;
}

static inline void *puppet_thread(void *data)
{
	int *channel = data;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char go;

	if (write(channel[1], &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	if (read(channel[2], &go, 1) == 1)
		execlp("busybox", "sleep", "1000000", NULL);
	return NULL;
}

static int puppet_channel[4];		/* from the last thread: 0, 1; to it: 2, 3 */

static inline int puppet_start_thread(void)
{
	int *channel = puppet_channel;
	pthread_t thread;
	pid_t tid;

	if (pipe(channel) || pipe(channel + 2) ||
	    pthread_create(&thread, NULL, puppet_thread, channel) ||
	    read(channel[0], &tid, sizeof(tid)) != sizeof(tid))
		return -1000;
	return tid;
}

static inline int puppet_exec(int fd)
{
	int result = 0;

	if (write(fd, &result, sizeof(result)) != sizeof(result) ||
	    write(puppet_channel[3], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static inline int puppet_behead(int fd)
{
	int result = 0;

	if (write(fd, &result, sizeof(result)) != sizeof(result))
		_exit(1);
	return (int)syscall(SYS_exit, 0);
}

static inline int puppet_become(unsigned int uid)
{
	return setresgid(uid, uid, uid) || setresuid(uid, uid, uid) || prctl(PR_SET_DUMPABLE, 1) ?
		-errno : 0;
}

static inline int puppet_obey(int fd, const struct puppet_order *order)
{
	pid_t pid;

	switch (order->command) {
	case PUPPET_PEEK:
		return puppet_peek(order->pid);
	case PUPPET_READ:
		return puppet_read(order->pid);
	case PUPPET_TRACEME:
		return puppet_traceme();
	case PUPPET_SPAWN:
		pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		return pid < 0 ? -errno : pid;
	case PUPPET_SPAWN_INTO:
		return puppet_spawn_into(order->path);
	case PUPPET_THREAD:
		return puppet_start_thread();
	case PUPPET_EXEC:
		return puppet_exec(fd);
	case PUPPET_MOVE:
		return cg_move(order->path, order->pid);
	case PUPPET_MOVE_THREAD: {
		char text[16];

		snprintf(text, sizeof(text), "%d", order->pid);
		return cg_write(order->path, "cgroup.threads", text);
	}
	case PUPPET_MKDIR:
	case PUPPET_RMDIR: {
		char whole[512];

		snprintf(whole, sizeof(whole), CGROUPS "/%s", order->path);
		if (order->command == PUPPET_MKDIR ? mkdir(whole, 0755) : rmdir(whole))
			return -errno;
		return 0;
	}
	case PUPPET_UNSHARE:
		return unshare(CLONE_NEWCGROUP) ? -errno : 0;
	case PUPPET_BECOME:
		return puppet_become((unsigned int)order->pid);
	case PUPPET_BEHEAD:
		return puppet_behead(fd);
	case PUPPET_REAP:
		kill(order->pid, SIGKILL);
		return waitpid(order->pid, NULL, 0) == order->pid ? 0 : -errno;
	}
	return -1000;
}

static inline void __attribute__((noreturn)) puppet_live(int fd, const char *cgroup,
							 unsigned int uid)
{
	struct puppet_order order;
	int result = cg_move(cgroup, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (result == 0 && uid)
		result = puppet_become(uid);
	while (write(fd, &result, sizeof(result)) == sizeof(result) &&
	       read(fd, &order, sizeof(order)) == sizeof(order))
		result = puppet_obey(fd, &order);
	_exit(0);
}

static inline int puppet_answer(const struct puppet *puppet)
{
	int result;

	if (read(puppet->fd, &result, sizeof(result)) != sizeof(result))
		bail("puppet");
	return result;
}

static inline struct puppet puppet_new(const char *cgroup, unsigned int uid)
{
	struct puppet puppet;
	int ends[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		bail("socketpair");
	puppet.pid = fork();
	if (puppet.pid < 0)
		bail("fork");
	if (puppet.pid == 0) {
		close(ends[0]);
		puppet_live(ends[1], cgroup, uid);
	}
	close(ends[1]);
	puppet.fd = ends[0];
	if (puppet_answer(&puppet))
		bail(cgroup);
	return puppet;
}

static inline int tell(const struct puppet *puppet, enum puppet_command command, pid_t pid,
		       const char *path)
{
	struct puppet_order order = { .command = command, .pid = pid };

	snprintf(order.path, sizeof(order.path), "%s", path);
	if (write(puppet->fd, &order, sizeof(order)) != sizeof(order))
		bail("puppet");
	return puppet_answer(puppet);
}

/* Its leader ends, another thread lives on. Return: the thread. */
static inline pid_t puppet_behead_now(const struct puppet *puppet)
{
	pid_t thread = tell(puppet, PUPPET_THREAD, 0, "");
	char path[64], state = 0;

	if (thread <= 0 || tell(puppet, PUPPET_BEHEAD, 0, ""))
		bail("behead");
	snprintf(path, sizeof(path), "/proc/%d/stat", puppet->pid);
	for (int i = 0; i < 20000 && state != 'Z'; i++) {
		FILE *file = fopen(path, "re");

		if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			bail(path);
		fclose(file);
		usleep(1000);
	}
	return thread;
}

static inline int peek(const struct puppet *tracer, pid_t tracee)
{
	return tell(tracer, PUPPET_PEEK, tracee, "");
}

static inline void puppet_end(struct puppet *puppet)
{
	close(puppet->fd);
	kill(puppet->pid, SIGKILL);
	waitpid(puppet->pid, NULL, 0);
}

#endif
