// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is in force: empty programs, Yama, or the daemon's programs; and what the daemon takes. */
#include "bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interface.h"
#include "kernel.h"
#include "names.h"
#include "util.h"

#define READY_SOCKET "/run/psc-bench-ready"
#define DAEMON_LOG "/run/psc-bench-daemon.log"
#define YAMA_SCOPE "/proc/sys/kernel/yama/ptrace_scope"
#define SETTLE_S 5
#define IDLE_S 120
#define CALLS 200

/* --- the floor of the technique --- */

/* Hooks that every process passes and that a program of ours is on. */
static const char *const hooks[] = { "ptrace_access_check", "ptrace_traceme", "task_prctl",
				     "task_alloc", "task_free", "unix_stream_connect" };
static pid_t empty_holder;

static int attach_empty(const char *hook)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC);
	int id = libbpf_find_vmlinux_btf_id(hook, BPF_LSM_MAC), prog, link;

	if (id < 0)
		return id;
	opts.attach_btf_id = (__u32)id;
	prog = bpf_prog_load(BPF_PROG_TYPE_LSM, "bench_empty", "GPL", insns, ARRAY_SIZE(insns),
			     &opts);
	if (prog < 0)
		return -errno;
	link = bpf_raw_tracepoint_open(NULL, prog);
	if (link < 0)
		link = -errno;
	close(prog);
	return link;
}

/* In a process of its own, as what libbpf leaves in memory would make forks dearer. */
int bench_empty_attach(void)
{
	int tell[2], err = 0;

	if (pipe(tell))
		bench_die("pipe: %m");
	empty_holder = fork();
	if (empty_holder < 0)
		bench_die("fork: %m");
	if (empty_holder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (size_t i = 0; i < ARRAY_SIZE(hooks) && err >= 0; i++)
			err = attach_empty(hooks[i]);
		if (write(tell[1], &err, sizeof(err)) != sizeof(err))
			_exit(1);
		for (;;)
			pause();
	}
	close(tell[1]);
	if (read(tell[0], &err, sizeof(err)) != sizeof(err))
		bench_die("the empty programs were not attached");
	close(tell[0]);
	return err < 0 ? err : 0;
}

void bench_empty_detach(void)
{
	int status;

	kill(empty_holder, SIGKILL);
	waitpid(empty_holder, &status, 0);
}

/* --- the daemon --- */

static struct psc_kernel *kernel;
static pid_t daemon_pid;

static int ready_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = READY_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(READY_SOCKET);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		bench_die("%s: %m", READY_SOCKET);
	return fd;
}

static void __attribute__((noreturn)) run_daemon(void)
{
	int fd = open(DAEMON_LOG, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
	    setenv("NOTIFY_SOCKET", READY_SOCKET, 1))
		_exit(1);
	execlp("ptracescoped", "ptracescoped", NULL);
	_exit(1);
}

double bench_daemon_start(void)
{
	int fd = ready_socket(), err;
	char message[512];
	double start = bench_clock(), ready = 0;

	daemon_pid = fork();
	if (daemon_pid < 0)
		bench_die("fork: %m");
	if (daemon_pid == 0)
		run_daemon();
	while (!ready) {
		ssize_t n = recv(fd, message, sizeof(message) - 1, 0);

		if (n <= 0)
			bench_die("the daemon did not start, see " DAEMON_LOG);
		message[n] = '\0';
		if (strstr(message, "READY=1"))
			ready = bench_clock() - start;
	}
	close(fd);
	psc_kernel_close(kernel);
	kernel = NULL;
	err = psc_kernel_open(PSC_PIN_DIR, &kernel);
	if (err)
		bench_die(PSC_PIN_DIR ": %s", strerror(-err));
	return ready;
}

void bench_daemon_kill(void)
{
	int status;

	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, &status, 0);
}

static void set_yama(unsigned int scope)
{
	FILE *f = fopen(YAMA_SCOPE, "we");

	if (!f || fprintf(f, "%u\n", scope) < 0 || fclose(f))
		bench_die(YAMA_SCOPE ": %m");
}

void bench_set_scope(enum bench_system system, unsigned int scope)
{
	struct psc_request req = psc_name_request(psc_name_find("kernel.yama.ptrace_scope"), scope);
	int err;

	if (system == BENCH_YAMA)
		set_yama(scope);
	if (system != BENCH_OURS)
		return;
	err = psc_kernel_request(kernel, &req);
	if (err)
		bench_die("setting the scope: %s", strerror(-err));
}

int bench_request(struct psc_request *req)
{
	return psc_kernel_request(kernel, req);
}

static int run(char *const argv[])
{
	int status = -1;
	pid_t child;

	if (posix_spawnp(&child, argv[0], NULL, NULL, argv, environ) ||
	    waitpid(child, &status, 0) != child)
		bench_die("%s: %m", argv[0]);
	return status;
}

void bench_raise_floor(void)
{
	/* There is none while anybody has the policy open. */
	psc_kernel_close_policy_maps(kernel);
	if (run((char *[]){ "ptracescopectl", "lock", "--yes", NULL }))
		bench_die("ptracescopectl lock failed");
}

void bench_detach(void)
{
	int status;

	if (run((char *[]){ "ptracescopectl", "detach", NULL }))
		bench_die("ptracescopectl detach failed");
	waitpid(daemon_pid, &status, 0);
	psc_kernel_close(kernel);
	kernel = NULL;
}

/* --- facts --- */

/* The number after "KEY:" in a file of /proc. */
static double number_in(const char *path, const char *key)
{
	_cleanup_free_ char *text = NULL;
	int err = psc_read_file(path, 65536, &text, NULL);
	char *found = err ? NULL : strstr(text, key);

	if (!found)
		bench_die("%s: no %s", path, key);
	return strtod(found + strlen(key), NULL);
}

static double of_daemon(const char *file, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", daemon_pid, file);
	return number_in(path, key);
}

static double memlock_of(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return number_in(path, "memlock:");
}

/* The program behind a link. */
static double memlock_of_link(int link_fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	_cleanup_close_ int fd = -1;

	if (bpf_obj_get_info_by_fd(link_fd, &info, &len))
		bench_die("a link: %m");
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	if (fd < 0)
		bench_die("a program: %m");
	return memlock_of(fd);
}

/* Programs, the tables that are sized by the number of tasks or cgroups, other maps. */
static void print_kernel_memory(void)
{
	double maps = 0, tables = 0, programs = 0;

	for (int i = 0; i < PSC_PINS; i++) {
		int fd = kernel->fds[i];

		if (psc_pins[i].kind == PSC_PIN_LINK)
			programs += memlock_of_link(fd);
		else if (psc_pins[i].kind == PSC_PIN_PROG)
			programs += memlock_of(fd);
		else if (i == PSC_PIN_RELATIONS || i == PSC_PIN_TRACERS ||
			 i == PSC_PIN_CARRIED || i == PSC_PIN_CGROUPS)
			tables += memlock_of(fd);
		else
			maps += memlock_of(fd);
	}
	bench_print_fact("programs-kib", programs / 1024);
	bench_print_fact("maps-kib", maps / 1024);
	bench_print_fact("tables-kib", tables / 1024);
	bench_print_fact("threads-max", number_in("/proc/sys/kernel/threads-max", ""));
}

static const char call_get[] = "{\"method\":\"io.ptracescope.Get\",\"parameters\":"
			       "{\"name\":\"kernel.yama.ptrace_scope\"}}";

/* Calls over one connection, one after another. */
static double cost_of_call(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = PSC_SOCKET_PATH };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char reply[4096];
	double start;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		bench_die(PSC_SOCKET_PATH ": %m");
	start = bench_clock();
	for (int i = 0; i < CALLS; i++) {
		ssize_t n = 0, more;

		if (write(fd, call_get, sizeof(call_get)) != sizeof(call_get))
			bench_die("a call: %m");
		do {
			more = read(fd, reply + n, sizeof(reply) - (size_t)n);
			if (more <= 0)
				bench_die("a reply: %m");
			n += more;
		} while (reply[n - 1]);
		if (!strstr(reply, "value"))
			bench_die("a reply without a value: %s", reply);
	}
	return (bench_clock() - start) / CALLS;
}

static double cost_of_get(void)
{
	char *const argv[] = { "sh", "-c", "exec ptracescopectl get >/dev/null", NULL };
	double start;

	run(argv);
	start = bench_clock();
	for (int i = 0; i < 5; i++)
		if (run(argv))
			bench_die("ptracescopectl get failed");
	return (bench_clock() - start) / 5;
}

void bench_facts(void)
{
	double switches, call;

	sleep(SETTLE_S);
	bench_print_fact("daemon-rss-kib", of_daemon("status", "VmRSS:"));
	bench_print_fact("daemon-anonymous-kib", of_daemon("status", "RssAnon:"));
	bench_print_fact("daemon-pss-kib", of_daemon("smaps_rollup", "Pss:"));
	switches = of_daemon("status", "\nvoluntary_ctxt_switches:");
	sleep(IDLE_S);
	bench_print_fact("daemon-wakeups-in-120-s",
			 of_daemon("status", "\nvoluntary_ctxt_switches:") - switches);
	print_kernel_memory();
	bench_print_fact("get-command", cost_of_get());
	call = cost_of_call();
	bench_print_fact("get-call", call);
	bench_print_fact("get-calls-in-1e9", 1e9 / call);
}
