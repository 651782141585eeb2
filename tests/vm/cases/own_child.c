/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A debugger and the program it has started, with different scopes for ATTACH and TRACEME:
 * who traces already gets at its tracee where TRACEME is free, and nobody else does.
 *
 * vm: lsm=no-yama
 */
#include "loader.h"
#include "puppet.h"
#include "util.h"

static char memory[8] = "content";

/* The debugger, alice's, its tracee, and a sibling of it that nobody traces. */
static int ask_fd, answer_fd;
static pid_t tracee, sibling;

static pid_t start(bool traced)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	for (;;)
		pause();
}

static int read_by_iovec(pid_t pid)
{
	char buffer[sizeof(memory)] = "";
	struct iovec to = { buffer, sizeof(buffer) }, from = { memory, sizeof(memory) };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) < 0 ? -errno : 0;
}

/* As gdb reads and writes, sets breakpoints and steps. */
static int debug(pid_t pid)
{
	_cleanup_close_ int fd = -1;
	char path[32], buffer[sizeof(memory)];
	int status;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)	/* EACCES, whatever the reason */
		return errno == EACCES ? -EPERM : -errno;
	if (pread(fd, buffer, sizeof(buffer), (off_t)(long)memory) != sizeof(buffer) ||
	    pwrite(fd, buffer, sizeof(buffer), (off_t)(long)memory) != sizeof(buffer))
		return -errno;
	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid)
		return -errno;
	return read_by_iovec(pid);
}

static void debugger(int ask, int answer)
{
	pid_t pids[2] = { start(true), start(false) };
	char what;

	if (waitpid(pids[0], NULL, 0) != pids[0] || write(answer, pids, sizeof(pids)) < 0)
		_exit(1);
	while (read(ask, &what, 1) == 1) {
		int err = what == 'd' ? debug(pids[0]) : read_by_iovec(pids[what == 's']);

		if (write(answer, &err, sizeof(err)) < 0)
			break;
	}
	_exit(0);
}

static pid_t start_debugger(void)
{
	int ask[2], answer[2];
	pid_t pids[2], pid;

	if (pipe(ask) || pipe(answer))
		bail("pipe");
	pid = fork();
	if (!pid) {
		if (setgid(ALICE) || setuid(ALICE) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
			_exit(1);
		close(ask[1]);
		debugger(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	ask_fd = ask[1];
	answer_fd = answer[0];
	if (read(answer_fd, pids, sizeof(pids)) != sizeof(pids))
		bail("the debugger");
	tracee = pids[0];
	sibling = pids[1];
	return pid;
}

static int ask(char what)
{
	int err;

	if (write(ask_fd, &what, 1) != 1 || read(answer_fd, &err, sizeof(err)) != sizeof(err))
		bail("the debugger has gone");
	return err;
}

/* As alice, but not as one who traces it. */
static int by_a_stranger(pid_t pid)
{
	struct puppet puppet = puppet_new("", ALICE);
	int err = peek(&puppet, pid);

	puppet_end(&puppet);
	return err;
}

static void test_scopes(void)
{
	static const struct {
		unsigned int attach, traceme;
		int wanted;
	} rows[] = {
		{ 1, 1, 0 }, { 1, 2, 0 }, { 1, 3, 0 },	/* an ancestor */
		{ 2, 0, 0 }, { 2, 1, 0 },
		{ 2, 2, -EPERM }, { 2, 3, -EPERM },	/* as Yama does it */
		{ 3, 0, -EPERM }, { 3, 1, -EPERM }, { 3, 3, -EPERM },	/* nobody */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char what[64];

		if (global_set(ATTACH, rows[i].attach) || global_set(TRACEME, rows[i].traceme))
			bail("set");
		snprintf(what, sizeof(what), "its tracee, at attach %u, traceme %u",
			 rows[i].attach, rows[i].traceme);
		is(ask('d'), rows[i].wanted, what);
		is(ask('s'), rows[i].attach == 1 ? 0 : -EPERM, "its child that it does not trace");
		is(by_a_stranger(tracee), -EPERM, "its tracee, by somebody else");
	}
}

/* The stricter one of both sides counts, for TRACEME as for ATTACH. */
static void test_cgroups(pid_t pid)
{
	cg_make("debugger");
	cg_make("tracee");
	if (global_set(PSC_MODES_YAMA, 0) || cg_move("debugger", pid) || cg_move("tracee", tracee))
		bail("cgroups");
	is(cg_set("tracee", ATTACH, 2), 0, "the tracee's cgroup has attach 2");
	is(ask('d'), 0, "traceme is free on both sides");
	is(by_a_stranger(tracee), -EPERM, "which is nothing to somebody else");
	is(cg_set("tracee", TRACEME, 2), 0, "and traceme 2");
	is(ask('d'), -EPERM, "then its tracer is refused");
	is(cg_unset("tracee", TRACEME) ?: cg_set("debugger", TRACEME, 2), 0,
	   "the debugger's cgroup has traceme 2 instead");
	is(ask('d'), -EPERM, "refused as well");
	is(cg_set("debugger", TRACEME, 1) ?: cg_set("tracee", ATTACH, 3), 0, "attach 3, traceme 1");
	is(ask('d'), -EPERM, "is nobody");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR, .relations_max = 1024 };
	struct psc_request first = psc_request_set(PSC_MODES_YAMA, 0);
	pid_t pid;

	if (!puppets_begin(&options, &first))
		return finish();
	signal(SIGPIPE, SIG_IGN);
	pid = start_debugger();
	test_scopes();
	test_cgroups(pid);
	kill(tracee, SIGKILL);
	kill(sibling, SIGKILL);
	kill(pid, SIGKILL);
	psc_kernel_close(kernel);
	return finish();
}
