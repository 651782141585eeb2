/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller's side of a world: it creates actors, sends each command and
 * waits for the answer, so that a world is the same whenever it is built. It is
 * root, never traces, and is the one to whom orphans fall.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parity.h"

static struct world *current_world;	/* for bail() */

void bail(const char *fmt, ...)
{
	va_list ap;

	if (current_world && current_world->log)
		printf("# commands of this world:\n%s", current_world->log);
	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void world_note(struct world *w, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	size_t len;
	char *log;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	len = strlen(line);
	log = realloc(w->log, w->log_len + len + 4);
	if (!log)
		bail("no memory for the log");
	w->log = log;
	w->log_len += (size_t)sprintf(log + w->log_len, "# %s\n", line);
	if (w->verbose) {
		printf("# %s\n", line);
		fflush(stdout);
	}
}

long world_noted(struct world *w, long ret, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	world_note(w, "%s: %s", text, ret < 0 ? strerrorname_np((int)-ret) : "done");
	return ret;
}

/* ---- commands ---- */

static void send_request(int sock, const struct request *req, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)req, sizeof(*req) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		bail("sending a command: %s", strerror(errno));
}

static void receive_reply(struct actor *a, struct reply *reply)
{
	ssize_t len;

	do {
		len = recv(a->sock, reply, sizeof(*reply), 0);
	} while (len < 0 && errno == EINTR);
	if (len != sizeof(*reply))
		bail("no answer from actor %d (tid %d): %s", (int)(a - current_world->actors),
		     a->tid, len < 0 ? strerror(errno) : "it is gone");
	a->tgid = reply->tgid;
	a->tid = reply->tid;
	a->fd = reply->fd;
	a->buf = reply->buf;
}

long world_call(struct world *w, int actor, const struct request *req, int fd,
		struct reply *reply)
{
	struct actor *a = &w->actors[actor];

	if (a->state != ACTOR_RUNS)
		bail("actor %d is dead and cannot do command %u", actor, req->command);
	send_request(a->sock, req, fd);
	receive_reply(a, reply);
	return reply->ret;
}

long world_command(struct world *w, int actor, enum command command, uint64_t arg0,
		   uint64_t arg1, uint64_t arg2)
{
	struct request req = { .command = command, .arg = { arg0, arg1, arg2 } };
	struct reply reply;

	return world_call(w, actor, &req, -1, &reply);
}

/* ---- facts from /proc ---- */

/* The text after "@key:" in a status file, or false if there is no such task. */
static bool read_status(pid_t tid, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	size_t len = strlen(key);
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, key, len) && line[len] == ':';
		if (found)
			snprintf(value, size, "%s", line + len + 1);
	}
	fclose(f);
	return found;
}

pid_t world_status_pid(pid_t tid, const char *key)
{
	char value[256];

	return read_status(tid, key, value, sizeof(value)) ? atoi(value) : -1;
}

/* Wait until a task is a zombie or gone. */
static void await_end(pid_t tgid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", tgid, tid);
	for (long us = 0; us < HANG_SECONDS * 1000000L; us += POLL_US) {
		char state[64] = "";

		if (access(path, F_OK) || !read_status(tid, "State", state, sizeof(state)) ||
		    strchr(state, 'Z') || strchr(state, 'X'))
			return;
		usleep(POLL_US);
	}
	bail("task %d does not end", tid);
}

pid_t world_pid_seen(const struct world *w, int by, int actor)
{
	const struct actor *a = &w->actors[actor];
	int ns = w->actors[by].pidns, level = w->pidns[ns].level, walk = a->pidns;
	char value[256], *p = value;
	long pid = 0;

	while (walk != ns && w->pidns[walk].level > level)
		walk = w->pidns[walk].parent;
	if (walk != ns)
		return 0;
	if (!read_status(a->tid, "NSpid", value, sizeof(value)))
		return level == 0 ? a->tid : 0;
	for (int i = 0; i <= level; i++)
		pid = strtol(p, &p, 10);
	return (pid_t)pid;
}

bool world_is_traced(const struct world *w, int process)
{
	for (int i = 0; i < w->count; i++)
		if (w->actors[i].process == process && w->actors[i].state != ACTOR_GONE &&
		    w->actors[i].tracer >= 0)
			return true;
	return false;
}

int world_threads(const struct world *w, int process)
{
	int threads = 0;

	for (int i = 0; i < w->count; i++)
		threads += w->actors[i].process == process && w->actors[i].state == ACTOR_RUNS;
	return threads;
}

/* ---- beginning and end ---- */

void world_begin(struct world *w, bool verbose, bool no_attach)
{
	memset(w, 0, sizeof(*w));
	w->verbose = verbose;
	w->no_attach = no_attach;
	w->pidns_count = 1;
	w->userns_count = 1;
	current_world = w;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		bail("PR_SET_CHILD_SUBREAPER: %s", strerror(errno));
}

/* Pids in a line; one that the end of the buffer cut off waits for the next round. */
static void kill_listed(char *text)
{
	char *end;
	long pid;

	for (; (pid = strtol(text, &end, 10)) > 0 && *end == ' '; text = end)
		kill((pid_t)pid, SIGKILL);
}

/*
 * Every descendant becomes a child of ours when its parents have died. A zombie
 * that is traced can only be reaped when its tracer has ended, too.
 */
static void kill_children(void)
{
	char path[64], text[4096];
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	for (long us = 0; us < HANG_SECONDS * 1000000L; us += POLL_US) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (len < 0)
			bail("%s: %s", path, strerror(errno));
		close(fd);
		text[len] = '\0';
		kill_listed(text);
		while ((pid = waitpid(-1, NULL, __WALL | WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		if (pid == 0)
			usleep(POLL_US);
	}
	bail("the world does not end");
}

void world_end(struct world *w)
{
	for (int i = 0; i < w->count; i++) {
		if (w->actors[i].state != ACTOR_GONE)
			kill(w->actors[i].tgid, SIGKILL);
		close(w->actors[i].sock);
	}
	kill_children();
	free(w->log);
	w->log = NULL;
	w->log_len = 0;
}

/* ---- creating actors ---- */

/* A free place with a socket; the actor's end in *ret_fd. */
static int new_actor(struct world *w, int *ret_fd)
{
	struct timeval limit = { .tv_sec = HANG_SECONDS };
	struct actor *a = &w->actors[w->count];
	int pair[2];

	if (w->count == ACTORS_MAX)
		bail("more than %d actors", ACTORS_MAX);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		bail("socketpair: %s", strerror(errno));
	if (setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		bail("SO_RCVTIMEO: %s", strerror(errno));
	*a = (struct actor){ .state = ACTOR_RUNS, .sock = pair[0], .tracer = -1 };
	*ret_fd = pair[1];
	return w->count;
}

/* The actor's process exists, or the creation failed. */
static int finish_actor(struct world *w, int actor, int fd, long ret)
{
	struct reply hello;

	close(fd);
	if (ret < 0) {
		close(w->actors[actor].sock);
		return -1;
	}
	w->count++;
	receive_reply(&w->actors[actor], &hello);
	return actor;
}

static long fork_from_controller(int fd)
{
	sigset_t all;
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	/* Dying children must not stop an actor that is being traced. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Where actors find it after an exec, too; the actor says hello as from a fork. */
	syscall(SYS_close_range, EXE_FD + 1, fd - 1, 0);
	syscall(SYS_close_range, fd + 1, ~0U, 0);
	char number[16];
	char *argv[] = { (char *)"parity", (char *)"--actor", number, NULL };
	char *no_environ[] = { (char *)"PARITY=actor", NULL };

	snprintf(number, sizeof(number), "%d", fd);
	syscall(SYS_execveat, EXE_FD, "", argv, no_environ, AT_EMPTY_PATH);
	_exit(105);
}

static void place_actor(struct world *w, struct actor *a, const struct actor *parent,
			unsigned int flags)
{
	a->process = w->processes++;
	a->leader = true;
	a->userns = parent ? parent->userns : 0;
	a->pidns = parent ? parent->pidns : 0;
	if (flags & CLONE_NEWUSER)
		a->userns = w->userns_count++;
	if (!(flags & CLONE_NEWPID))
		return;
	if (w->pidns_count == NAMESPACES_MAX)
		bail("more than %d pid namespaces", NAMESPACES_MAX);
	w->pidns[w->pidns_count].parent = a->pidns;
	w->pidns[w->pidns_count].level = w->pidns[a->pidns].level + 1;
	a->pidns = w->pidns_count++;
	a->ns_init = true;
}

static void write_maps(pid_t pid)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	static const char text[] = "0 0 65536\n";

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, maps[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, text, sizeof(text) - 1) != sizeof(text) - 1)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

/*
 * All users map to themselves, so that numbers mean the same everywhere. Only
 * somebody in the parent namespace may write the maps, proc_uid_map_write().
 */
void world_map_users(pid_t pid)
{
	char path[64];
	int status, fd, parent;
	pid_t helper;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	parent = fd < 0 ? -1 : ioctl(fd, NS_GET_PARENT);
	if (parent < 0)
		bail("%s: %s", path, strerror(errno));
	helper = fork();
	if (helper == 0) {
		/* EINVAL: we are in it already */
		if (setns(parent, CLONE_NEWUSER) && errno != EINVAL)
			_exit(2);
		write_maps(pid);
	}
	close(parent);
	close(fd);
	if (helper < 0 || waitpid(helper, &status, 0) != helper || status)
		bail("cannot write the uid_map of %d", pid);
}

int world_fork(struct world *w, int parent, unsigned int flags, unsigned int between)
{
	struct request req = { .command = CMD_FORK, .arg = { flags, between } };
	struct reply reply;
	int fd, actor = new_actor(w, &fd);
	struct actor *a = &w->actors[actor];
	long ret;

	if (parent < 0)
		ret = fork_from_controller(fd);
	else
		ret = world_call(w, parent, &req, fd, &reply);
	world_noted(w, ret, "a%d = fork(a%d%s%s), %u between", actor, parent,
	      flags & CLONE_NEWUSER ? ", NEWUSER" : "", flags & CLONE_NEWPID ? ", NEWPID" : "",
	      between);
	if (finish_actor(w, actor, fd, ret) < 0)
		return -1;
	place_actor(w, a, parent < 0 ? NULL : &w->actors[parent], flags);
	if (flags & CLONE_NEWUSER)
		world_map_users(a->tgid);
	return actor;
}

int world_thread(struct world *w, int by)
{
	struct request req = { .command = CMD_THREAD };
	struct reply reply;
	int fd, actor = new_actor(w, &fd);
	struct actor *a = &w->actors[actor], *other = &w->actors[by];
	long ret = world_call(w, by, &req, fd, &reply);

	world_noted(w, ret, "a%d = thread(a%d)", actor, by);
	if (finish_actor(w, actor, fd, ret) < 0)
		return -1;
	a->process = other->process;
	a->userns = other->userns;
	a->pidns = other->pidns;
	return actor;
}

/* ---- ends and execs ---- */

static void mark_ended(struct world *w, int actor, enum actor_state state)
{
	w->actors[actor].state = state;
	w->deaths = true;
	for (int i = 0; i < w->count; i++)
		if (w->actors[i].tracer == actor)
			w->actors[i].tracer = -1;
}

int world_actor_by_tid(const struct world *w, pid_t tid, bool any_thread)
{
	for (int i = 0; i < w->count; i++) {
		const struct actor *a = &w->actors[i];

		if (a->state == ACTOR_RUNS && (any_thread ? a->tgid : a->tid) == tid)
			return i;
	}
	return -1;
}

/* A zombie is reaped by its parent, if that takes commands. */
static void reap(struct world *w, int actor)
{
	struct actor *a = &w->actors[actor];
	pid_t ppid = world_status_pid(a->tgid, "PPid");
	int parent = world_actor_by_tid(w, ppid, true);
	long ret = -ECHILD;

	if (ppid == getpid())
		ret = waitpid(a->tgid, NULL, __WALL) < 0 ? -errno : 0;
	else if (parent >= 0)
		ret = world_command(w, parent, CMD_REAP,
				    (uint64_t)world_pid_seen(w, parent, actor), 0, 0);
	world_noted(w, ret, "reap(a%d)", actor);
	if (ret >= 0)
		a->state = ACTOR_GONE;
}

void world_exit(struct world *w, int actor, bool reap_it)
{
	struct actor *a = &w->actors[actor];
	struct request req = { .command = CMD_EXIT_GROUP };

	send_request(a->sock, &req, -1);
	await_end(a->tgid, a->tgid);
	world_noted(w, 0, "exit(a%d)", actor);
	for (int i = 0; i < w->count; i++) {
		struct actor *other = &w->actors[i];

		if (other->process != a->process || other->state == ACTOR_GONE)
			continue;
		await_end(other->tgid, other->tid);
		mark_ended(w, i, other->leader ? ACTOR_ZOMBIE : ACTOR_GONE);
		if (other->leader)
			actor = i;
	}
	if (reap_it)
		reap(w, actor);
}

void world_exit_thread(struct world *w, int actor)
{
	struct actor *a = &w->actors[actor];
	struct request req = { .command = CMD_EXIT_THREAD };

	send_request(a->sock, &req, -1);
	await_end(a->tgid, a->tid);
	world_noted(w, 0, "exit_thread(a%d)", actor);
	mark_ended(w, actor, a->leader ? ACTOR_ZOMBIE : ACTOR_GONE);
}

long world_exec(struct world *w, int actor)
{
	struct actor *a = &w->actors[actor];
	long ret = world_noted(w, world_command(w, actor, CMD_EXEC, 0, 0, 0), "exec(a%d)", actor);

	if (ret < 0)
		return ret;
	for (int i = 0; i < w->count; i++)
		if (i != actor && w->actors[i].process == a->process &&
		    w->actors[i].state != ACTOR_GONE)
			mark_ended(w, i, ACTOR_GONE);
	a->leader = true;
	return 0;
}
