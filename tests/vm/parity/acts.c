/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that change an actor: credentials, namespaces, declarations, tracing. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parity.h"

long world_setuid(struct world *w, int actor, uid_t uid)
{
	world_command(w, actor, CMD_SETGID, uid, uid, uid);
	return world_noted(w, world_command(w, actor, CMD_SETUID, uid, uid, uid),
			   "setresuid(a%d, %u)", actor, uid);
}

long world_caps(struct world *w, int actor, uint64_t effective, uint64_t permitted)
{
	return world_noted(w, world_command(w, actor, CMD_CAPS, effective, permitted, 0),
			   "capset(a%d, eff &= %llx, perm &= %llx)", actor,
			   (unsigned long long)effective, (unsigned long long)permitted);
}

long world_prctl(struct world *w, int actor, int option, unsigned long arg)
{
	long ret = world_command(w, actor, CMD_PRCTL, (uint64_t)option, arg, 0);

	if (option == PR_SET_PTRACER)
		return world_noted(w, ret, "PR_SET_PTRACER(a%d, 0x%lx)", actor, arg);
	return world_noted(w, ret, "prctl(a%d, %d, 0x%lx)", actor, option, arg);
}

long world_declare(struct world *w, int actor, int tracer, uint32_t high)
{
	unsigned long pid = (unsigned long)world_pid_seen(w, actor, tracer);
	long ret;

	/* A task that the caller cannot see has no number to name it by. */
	if (!pid)
		pid = NO_SUCH_PID;
	pid |= (unsigned long)high << 32;
	ret = world_command(w, actor, CMD_PRCTL, PR_SET_PTRACER, pid, 0);
	return world_noted(w, ret, "PR_SET_PTRACER(a%d, pid of a%d | 0x%x << 32)", actor, tracer,
			   high);
}

long world_declare_outer(struct world *w, int actor, int tracer)
{
	long ret = world_command(w, actor, CMD_PRCTL, PR_SET_PTRACER,
				 (uint64_t)w->actors[tracer].tid, 0);

	return world_noted(w, ret, "PR_SET_PTRACER(a%d, initial pid of a%d)", actor, tracer);
}

long world_unshare_user(struct world *w, int actor)
{
	struct actor *a = &w->actors[actor];
	long ret = world_noted(w, world_command(w, actor, CMD_UNSHARE, CLONE_NEWUSER, 0, 0),
			 "unshare(a%d, NEWUSER)", actor);

	if (ret < 0)
		return ret;
	a->userns = w->userns_count++;
	world_map_users(a->tgid);
	return 0;
}

long world_setns_user(struct world *w, int actor, int other)
{
	struct request req = { .command = CMD_SETNS, .arg = { CLONE_NEWUSER } };
	struct reply reply;
	char path[64];
	long ret;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", w->actors[other].tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		bail("%s: %s", path, strerror(errno));
	ret = world_noted(w, world_call(w, actor, &req, fd, &reply), "setns(a%d, user of a%d)",
			  actor, other);
	close(fd);
	if (ret >= 0)
		w->actors[actor].userns = w->actors[other].userns;
	return ret;
}

/* ---- tracing that lasts ---- */

long world_seize(struct world *w, int actor, int target)
{
	uint64_t pid = (uint64_t)world_pid_seen(w, actor, target);
	long ret = world_noted(w, world_command(w, actor, CMD_SEIZE, pid, 0, 0), "seize(a%d, a%d)",
			       actor, target);

	if (ret < 0)
		return ret;
	w->actors[target].tracer = actor;
	w->actors[target].seized = true;
	return 0;
}

long world_detach(struct world *w, int actor, int target)
{
	uint64_t pid = (uint64_t)world_pid_seen(w, actor, target);
	long ret = world_noted(w, world_command(w, actor, CMD_DETACH, pid, 0, 0),
			       "detach(a%d, a%d)", actor, target);

	if (ret >= 0)
		w->actors[target].tracer = -1;
	return ret;
}

/* Only an actor or the controller as parent can let go of the tracee again. */
bool world_parent_obeys(const struct world *w, int actor)
{
	pid_t ppid = world_status_pid(w->actors[actor].tid, "PPid");

	return ppid == getpid() || world_actor_by_tid(w, ppid, true) >= 0;
}

long world_traceme(struct world *w, int actor)
{
	long ret;
	int tracer;

	if (!world_parent_obeys(w, actor))
		return -ECHILD;
	ret = world_noted(w, world_command(w, actor, CMD_TRACEME, 0, 0, 0), "traceme(a%d)", actor);
	if (ret < 0)
		return ret;
	tracer = world_actor_by_tid(w, world_status_pid(w->actors[actor].tid, "TracerPid"), false);
	/* The controller as tracer is no actor: any number that is none will do. */
	w->actors[actor].tracer = tracer < 0 ? ACTORS_MAX : tracer;
	w->actors[actor].seized = false;
	return 0;
}

void world_next_pid(struct world *w, pid_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid - 1);
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		bail("ns_last_pid: %s", strerror(errno));
	close(fd);
	world_note(w, "the next pid is chosen");
}

long world_move(struct world *w, int actor)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", w->actors[actor].tgid), fd;
	long ret = 0;

	if (mkdir(PARITY_CGROUP, 0755) && errno != EEXIST)
		bail(PARITY_CGROUP ": %s", strerror(errno));
	fd = open(PARITY_CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		ret = -errno;
	close(fd);
	w->by_cgroup = true;
	return world_noted(w, ret, "move(a%d)", actor);
}
