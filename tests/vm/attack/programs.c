/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of one's own that might have a say; they are there while this runs. */
#include <errno.h>
#include <pthread.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"
#include "util.h"

static int prog_fd = -1;

static int stay(void)
{
	puts("attached");
	fflush(stdout);
	pause();
	return -EINTR;
}

int load_on(const char *function, enum bpf_attach_type type, int value)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_0, value),
		LSH_IMM(BPF_REG_0, 32),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	bool lsm = type == BPF_LSM_MAC || type == BPF_LSM_CGROUP;
	int id = libbpf_find_vmlinux_btf_id(function, type), fd;

	if (id <= 0)
		return failed("BTF");
	opts.attach_btf_id = (__u32)id;
	fd = bpf_prog_load(lsm ? BPF_PROG_TYPE_LSM : BPF_PROG_TYPE_TRACING, "user", "GPL", insns,
			   ARRAY_SIZE(insns), &opts);
	return fd < 0 ? failed("load") : fd;
}

static int prepare(char **args, enum bpf_attach_type type, int value)
{
	prog_fd = load_on(args[0], type, value);
	return prog_fd < 0 ? prog_fd : 0;
}

static int prepare_lsm(char **args)
{
	return prepare(args, BPF_LSM_MAC, 0);
}

static int prepare_lsm_over(char **args)
{
	return prepare(args, BPF_LSM_MAC, 1);
}

static int prepare_lsm_cgroup(char **args)
{
	return prepare(args, BPF_LSM_CGROUP, 0);
}

static int prepare_replace(char **args)
{
	return prepare(args, BPF_MODIFY_RETURN, 1);
}

static int prepare_fentry(char **args)
{
	return prepare(args, BPF_TRACE_FENTRY, 0);
}

static int prepare_fexit(char **args)
{
	return prepare(args, BPF_TRACE_FEXIT, 0);
}

static int run_attach(char **args)
{
	(void)args;
	return bpf_raw_tracepoint_open(NULL, prog_fd) < 0 ? failed("attach") : stay();
}

/* The second argument is the cgroup. */
static int run_attach_cgroup(char **args)
{
	FILE *cgroup = fopen(args[1], "r");

	if (!cgroup)
		return failed(args[1]);
	return bpf_link_create(prog_fd, fileno(cgroup), BPF_LSM_CGROUP, NULL) < 0 ?
		failed("attach") : stay();
}

static int prepare_kprobe_multi(char **args)
{
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 1), EXIT() };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);

	(void)args;
	prog_fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "user", "GPL", insns, ARRAY_SIZE(insns),
				&opts);
	return prog_fd < 0 ? failed("load") : 0;
}

static int run_kprobe_multi(char **args)
{
	const char *symbols[] = { args[0] };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi = { .cnt = 1, .syms = symbols });

	return bpf_link_create(prog_fd, 0, BPF_TRACE_KPROBE_MULTI, &opts) < 0 ?
		failed("attach") : stay();
}

/* A kprobe that makes the function return 0 without being run. */
static int run_override(char **args)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_2, 0),
		CALL(BPF_FUNC_override_return),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "user", "GPL", insns, ARRAY_SIZE(insns), NULL);

	(void)args;
	return fd < 0 ? failed("load") : 0;
}

/* --- a kretprobe that calls one that writes registers --- */

#ifdef __x86_64__
#define RESULT_AT 80	/* of regs->ax, arch/x86/include/asm/ptrace.h */
#else
#define RESULT_AT 0	/* of regs->regs[0] */
#endif

/* It alone cannot be attached to a function of the kernel. */
static int load_writer(void)
{
	const struct bpf_insn insns[] = {
		STORE_IMM(BPF_REG_1, RESULT_AT, 0),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "writer", "GPL", insns, ARRAY_SIZE(insns),
			       NULL);

	return fd < 0 ? failed("load") : fd;
}

static int writer_fd = -1;

static int prepare_writer(char **args)
{
	(void)args;
	writer_fd = load_writer();
	return writer_fd < 0 ? writer_fd : 0;
}

/* A number out of a file of the kernel's. */
static unsigned int read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int number = 0;

	if (!file || fscanf(file, "%u", &number) != 1)
		failed(path);
	if (file)
		fclose(file);
	return number;
}

static int attach_kretprobe(const char *function)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .config = 1,	/* a return probe */
		.type = read_number("/sys/bus/event_source/devices/kprobe/type"),
		.kprobe_func = (unsigned long)function,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd))
		return failed("attach");
	return 0;
}

/* FUNCTION: have it return 0. */
static int run_writer(char **args)
{
	int array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "jumps", 4, 4, 1, NULL);
	const struct bpf_insn insns[] = {
		MAP_FD(BPF_REG_2, array),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	__u32 zero = 0;

	prog_fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "user", "GPL", insns, ARRAY_SIZE(insns),
				NULL);
	if (prog_fd < 0)
		return failed("caller");
	if (bpf_map_update_elem(array, &zero, &writer_fd, BPF_ANY))
		return failed("insert");
	return attach_kretprobe(args[0]) ?: stay();
}

/* --- what any BPF program may do to any process --- */

/* Raw tracepoint on every system call: if it is PID's, then @insns. */
static int on_system_calls_of(char **args, const struct bpf_insn *insns, size_t n)
{
	struct bpf_insn all[32] = {
		CALL(BPF_FUNC_get_current_pid_tgid),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32),
		JUMP_NE(BPF_REG_0, atoi(args[0]), (short)n),
	};
	int fd;

	memcpy(all + 3, insns, n * sizeof(*insns));
	all[n + 3] = MOV_IMM(BPF_REG_0, 0);
	all[n + 4] = EXIT();
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "user", "GPL", all, n + 5, NULL);
	if (fd < 0)
		return failed("load");
	return bpf_raw_tracepoint_open("sys_enter", fd) < 0 ? failed("attach") : stay();
}

/* PID ADDRESS: writes 1 there. */
static int run_write_user(char **args)
{
	__u64 address = strtoull(args[1], NULL, 16);
	const struct bpf_insn insns[] = {
		STORE_IMM(BPF_REG_10, -8, 1),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, 0, 0, (int)address),
		INSN(0, 0, 0, 0, (int)(address >> 32)),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		MOV_IMM(BPF_REG_3, 8),
		CALL(BPF_FUNC_probe_write_user),
	};

	return on_system_calls_of(args, insns, ARRAY_SIZE(insns));
}

/* PID SIGNAL. */
static int run_send_signal(char **args)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_1, atoi(args[1])),
		CALL(BPF_FUNC_send_signal),
	};

	return on_system_calls_of(args, insns, ARRAY_SIZE(insns));
}

/* CGROUP: programs on as many hooks as the kernel has room for. */
static int run_attach_many(char **args)
{
	static const char *const hooks[] = {
		"socket_bind", "socket_connect", "socket_listen", "socket_create", "socket_shutdown",
		"inode_mkdir", "inode_symlink", "inode_mknod", "inode_link", "inode_create",
	};
	FILE *cgroup = fopen(args[0], "r");

	if (!cgroup)
		return failed(args[0]);
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		int fd = load_on(hooks[i], BPF_LSM_CGROUP, 0);

		if (fd < 0)
			return fd;
		if (bpf_link_create(fd, fileno(cgroup), BPF_LSM_CGROUP, NULL) < 0)
			return failed(hooks[i]);
	}
	return stay();
}

/* --- a load that is under way --- */

static pthread_t loader;
static void *log_buffer;
static int load_id, load_error;

static void *load_slowly(void *data)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_0, 1), LSH_IMM(BPF_REG_0, 32), EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_MODIFY_RETURN,
		    .attach_btf_id = (__u32)load_id, .log_level = 1, .log_buf = log_buffer,
		    .log_size = 4096);

	(void)data;
	prog_fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "user", "GPL", insns, ARRAY_SIZE(insns),
				&opts);
	load_error = prog_fd < 0 ? errno : 0;
	return NULL;
}

/* FUNCTION: the verifier waits in the middle, until its log has a place. */
static int prepare_load(char **args)
{
	int err = fault_prepare(&log_buffer);

	load_id = libbpf_find_vmlinux_btf_id(args[0], BPF_MODIFY_RETURN);
	if (err || load_id <= 0)
		return err ? err : failed(args[0]);
	if (pthread_create(&loader, NULL, load_slowly, NULL))
		return failed("thread");
	return fault_wait();
}

static int run_load(char **args)
{
	int err = fault_end();

	(void)args;
	if (err)
		return err;
	pthread_join(loader, NULL);
	errno = load_error;
	return load_error ? failed("load") : 0;
}

const struct attack attacks_by_programs[] = {
	{ "lsm", prepare_lsm, run_attach },
	{ "lsm-over", prepare_lsm_over, run_attach },
	{ "lsm-cgroup", prepare_lsm_cgroup, run_attach_cgroup },
	{ "lsm-cgroup-many", NULL, run_attach_many },
	{ "replace", prepare_replace, run_attach },
	{ "load-slowly", prepare_load, run_load },
	{ "fentry", prepare_fentry, run_attach },
	{ "fexit", prepare_fexit, run_attach },
	{ "kprobe-multi", prepare_kprobe_multi, run_kprobe_multi },
	{ "override", NULL, run_override },
	{ "kretprobe-writer", prepare_writer, run_writer },
	{ "write-user", NULL, run_write_user },
	{ "send-signal", NULL, run_send_signal },
	{}
};
