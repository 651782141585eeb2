/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holdat entry|exit FUNCTION N COMMAND...: hold the command's process up at its Nth call of this
 *	function of the kernel. Prints "held" then, lets it go on SIGUSR1 or after a time, and
 *	exits as the command does.
 * holdat entry|exit FUNCTION N -p PID: the same of a process that runs already. Prints "ready",
 *	and ends when the process goes on. With -c in place of -p, of its children.
 * FUNCTION@OTHER: calls inside of another function; FUNCTION@+OTHER: after a call of one.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.skel.h"

#define HOLD_S 600	/* a guard: who waits here tells when to go on */

static struct hold_bpf *skel;

static void go_on(int signal)
{
	(void)signal;
	skel->bss->go_on = 1;
}

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void use(struct bpf_program *prog, const char *function)
{
	if (bpf_program__set_attach_target(prog, 0, function) ||
	    bpf_program__set_autoload(prog, true))
		die(function);
}

/* @function: with "@OTHER" or "@+OTHER" or neither. */
static void use_all(struct bpf_program *prog, char *function)
{
	char *other = strchr(function, '@');
	bool after = other && other[1] == '+';

	if (other) {
		*other++ = '\0';
		use(skel->progs.enter, other + after);
		if (!after)
			use(skel->progs.leave, other);
		skel->bss->only_inside = 1;
	}
	use(prog, function);
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

/* Waits for @go, which the parent closes. */
static pid_t start(char **command, int go[2])
{
	pid_t pid;
	char byte;

	if (pipe(go))
		die("pipe");
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) < 0)
			_exit(EXIT_FAILURE);
		close(go[0]);
		if (nice(19) == -1)	/* it holds others up by locks, not by computing */
			_exit(EXIT_FAILURE);
		execvp(command[0], command);
		_exit(127);
	}
	close(go[0]);
	return pid;
}

/* Has the command ended? Its status then. */
static bool has_ended(pid_t child, int *status)
{
	return child > 0 && waitpid(child, status, WNOHANG) == child;
}

static int watch(pid_t child)
{
	bool said = false;
	int status = 0;

	while (!has_ended(child, &status)) {
		if (skel->bss->held && !said) {
			say("held");
			said = true;
			alarm(HOLD_S);
		}
		if (child <= 0 && skel->bss->go_on)
			return 0;
		usleep(10000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	bool children = argc > 5 && strcmp(argv[4], "-c") == 0;
	bool running = children || (argc > 5 && strcmp(argv[4], "-p") == 0);
	int go[2] = { -1, -1 };
	pid_t child = 0;

	if (argc < 5)
		return 2;
	skel = hold_bpf__open();
	if (!skel)
		die("open");
	use_all(strcmp(argv[1], "entry") == 0 ? skel->progs.hold_entry : skel->progs.hold_exit, argv[2]);
	if (!running)
		child = start(argv + 4, go);
	skel->bss->tgid = (unsigned int)(running ? atoi(argv[5]) : child);
	skel->bss->children = children;
	skel->bss->nth = (unsigned int)atoi(argv[3]);
	if (hold_bpf__load(skel) || hold_bpf__attach(skel))
		die("attach");
	signal(SIGUSR1, go_on);
	signal(SIGALRM, go_on);
	if (running)
		say("ready");
	else
		close(go[1]);
	return watch(child);
}
