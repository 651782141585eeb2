/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child that is born while a program of ours on a tracepoint is skipped. On newer kernels such
 * programs can be preempted, and a second run on the same processor is left out meanwhile. Root
 * holds one process up in the middle of psc_task_new, and has another one of a higher priority
 * fork there, out of a locked cgroup: the child is bound by psc_task_alloc. (That an LSM program
 * which would end task_alloc before ours is refused is in attack_before and attack_links.)
 *
 * vm: lsm=no-yama cpus=2 append=preempt=full
 */
#include <poll.h>
#include <stdlib.h>

#include "loader.h"
#include "puppet.h"

#define CPU 1
#define WAIT_MS 3000

/* Where psc_task_new looks at the entry of the first cgroup; psc_task_alloc came before. */
#define PLACE "__htab_map_lookup_elem@+cgroup_post_fork"

static pid_t holder;

/* holdat, which holds up the process when it forks. */
static FILE *hold(pid_t pid)
{
	char command[256], line[64];
	FILE *file;

	snprintf(command, sizeof(command),
		 "echo $$; exec holdat entry " PLACE " 1 -p %d 2>&1", pid);
	file = popen(command, "re");
	if (!file || fscanf(file, "%d", &holder) != 1 || fscanf(file, "%63s", line) != 1)
		bail("holdat");
	if (strcmp(line, "ready"))
		bail(line);
	return file;
}

static void wait_until_held(FILE *file)
{
	char line[64];

	if (fscanf(file, "%63s", line) != 1 || strcmp(line, "held"))
		bail("held");
}

static void order(const struct puppet *puppet, const char *path)
{
	struct puppet_order what = { .command = PUPPET_SPAWN_INTO };

	snprintf(what.path, sizeof(what.path), "%s", path);
	if (write(puppet->fd, &what, sizeof(what)) != sizeof(what))
		bail("puppet");
}

static void use_processor(const struct puppet *puppet, int priority)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(CPU, &cpus);
	if (sched_setaffinity(puppet->pid, sizeof(cpus), &cpus) ||
	    sched_setscheduler(puppet->pid, priority ? SCHED_FIFO : SCHED_OTHER, &param))
		bail("sched");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA,
	};
	struct puppet stranger, slow, quick;
	struct pollfd answer;
	pid_t child[2];
	FILE *held;

	if (!puppets_begin(&options, &first))
		return finish();
	signal(SIGPIPE, SIG_IGN);
	cg_make("f");
	stranger = puppet_new("", ROOT);
	slow = puppet_new("f", ROOT);
	quick = puppet_new("f", ROOT);
	is(cg_lock("f", ATTACH, 3), 0, "f is locked at 3");
	use_processor(&slow, 0);
	use_processor(&quick, 50);

	held = hold(slow.pid);
	order(&slow, "");
	wait_until_held(held);
	ok(1, "a process of f is held up in psc_task_new");
	order(&quick, "");
	answer = (struct pollfd){ .fd = quick.fd, .events = POLLIN };
	printf("# on the same processor another one %s\n", poll(&answer, 1, WAIT_MS) > 0 ?
	       "forks meanwhile" : "cannot fork before that goes on");
	kill(holder, SIGUSR1);
	child[0] = puppet_answer(&slow);
	child[1] = puppet_answer(&quick);
	ok(child[0] > 0 && child[1] > 0, "both have a child in the root cgroup");
	is(peek(&stranger, child[0]), -EPERM, "the one's has the floor of f");
	is(peek(&stranger, child[1]), -EPERM, "and so has the other's");
	is(peek(&stranger, stranger.pid), 0, "which others have not");
	pclose(held);
	kill(child[0], SIGKILL);
	kill(child[1], SIGKILL);
	puppet_end(&slow);
	puppet_end(&quick);
	puppet_end(&stranger);
	psc_kernel_close(kernel);
	return finish();
}
