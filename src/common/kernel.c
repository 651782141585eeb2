/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs psc_ctl and the other programs that user space calls. */
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "util.h"

/* A millisecond apart. */
#define CTL_TRIES_PATIENT 1000
#define CTL_TRIES_IN_LOOP 5

static int ctl_tries = CTL_TRIES_PATIENT;

void psc_ctl_hurry(bool hurry)
{
	ctl_tries = hurry ? CTL_TRIES_IN_LOOP : CTL_TRIES_PATIENT;
}

/* Run a program whose context is a request. */
static int run_once(int prog_fd, void *req, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = req, .ctx_size_in = (__u32)size);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	return err ? err : (int)opts.retval;
}

/* The same, again while somebody else is at it. */
static int run(int prog_fd, void *req, size_t size)
{
	static const struct timespec pause = { .tv_nsec = 1000 * 1000 };
	_cleanup_free_ void *asked = malloc(size);
	int err = -EAGAIN;

	if (!asked)
		return -ENOMEM;
	memcpy(asked, req, size);
	/* Somebody else's change is under way, and may wait for a processor. */
	for (int i = 0; i < ctl_tries && err == -EAGAIN; i++) {
		if (i)
			nanosleep(&pause, NULL);
		memcpy(req, asked, size);
		err = run_once(prog_fd, req, size);
	}
	return err;
}

int psc_ctl_run(int ctl_fd, struct psc_request *req)
{
	return run(ctl_fd, req, sizeof(*req));
}

int psc_kernel_request(struct psc_kernel *kernel, struct psc_request *req)
{
	return psc_ctl_run(kernel->fds[PSC_PIN_CTL], req);
}

int psc_kernel_compare(struct psc_kernel *kernel, struct psc_request *req)
{
	return run_once(kernel->fds[PSC_PIN_CTL], req, sizeof(*req));
}

int psc_kernel_section(struct psc_kernel *kernel, struct psc_section_request *req)
{
	return run(kernel->fds[PSC_PIN_SECTIONS], req, sizeof(*req));
}

int psc_kernel_find(struct psc_kernel *kernel, struct psc_find_request *req,
		    struct psc_found *found)
{
	int err = run(kernel->fds[PSC_PIN_FIND], req, sizeof(*req));

	if (err || !found)
		return err;
	return bpf_map_lookup_elem(kernel->fds[PSC_PIN_FOUND], &(__u32){ 0 }, found) ? -errno : 0;
}

/* What psc_explain tells is in psc_found, as is what psc_find does. */
static int run_explain(struct psc_kernel *kernel, struct psc_explain_request *req,
		       struct psc_found *ret)
{
	int err = kernel->explains ? run(kernel->fds[PSC_PIN_EXPLAIN], req, sizeof(*req)) :
				     -EOPNOTSUPP;

	if (err || !ret)
		return err;
	return bpf_map_lookup_elem(kernel->fds[PSC_PIN_FOUND], &(__u32){ 0 }, ret) ? -errno : 0;
}

int psc_kernel_names(struct psc_kernel *kernel, struct psc_explain_request *req,
		     struct psc_found *ret)
{
	req->op = PSC_EXPLAIN_PATH;
	return run_explain(kernel, req, ret);
}

int psc_kernel_counts(struct psc_kernel *kernel, struct psc_counts *ret)
{
	struct psc_explain_request req = { .abi = PSC_ABI, .op = PSC_EXPLAIN_COUNTS };
	struct psc_found found;
	int err = run_explain(kernel, &req, &found);

	if (!err)
		memcpy(ret, &found, sizeof(*ret));
	/* An older psc_explain does not know what it is asked. */
	return err == -PSC_E_INVAL ? -EOPNOTSUPP : err;
}

int psc_kernel_explain(struct psc_kernel *kernel, struct psc_explain_request *req,
		       struct psc_explanation *ret)
{
	struct psc_found found;
	int err;

	req->op = PSC_EXPLAIN_ACCESS;
	err = run_explain(kernel, req, &found);
	if (!err)
		memcpy(ret, &found, sizeof(*ret));
	return err;
}

int psc_kernel_ftrace_value(struct psc_kernel *kernel, int fd, __u32 *ret)
{
	struct psc_explain_request req = {
		.abi = PSC_ABI, .op = PSC_EXPLAIN_FTRACE, .tracee = fd,
	};
	int err = run_explain(kernel, &req, NULL);

	*ret = req.n;
	return err;
}

int psc_kernel_disarm(struct psc_kernel *kernel, const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_GUARD, .dir_fd = fd };

	return fd < 0 ? -errno : psc_kernel_request(kernel, &req);
}

int psc_kernel_policy(struct psc_kernel *kernel, union psc_policy *ret)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	int err = psc_kernel_request(kernel, &info);

	if (!err)
		*ret = info.policy;
	return err;
}

int psc_kernel_locked(struct psc_kernel *kernel)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };

	return psc_kernel_request(kernel, &info) ?: info.locked != 0;
}

bool psc_ftrace_enabled(void)
{
	_cleanup_free_ char *text = NULL;

	return psc_read_file("/proc/sys/kernel/ftrace_enabled", 64, &text, NULL) ||
	       !streq(psc_strip(text), "0");
}

int psc_try_attach(const char *function, enum bpf_prog_type prog_type, enum bpf_attach_type type)
{
	static const struct bpf_insn go_on[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	_cleanup_close_ int prog_fd = -1, link_fd = -1;
	int id = libbpf_find_vmlinux_btf_id(function, type);

	if (id <= 0)
		return id ? id : -ENOENT;
	opts.attach_btf_id = (__u32)id;
	prog_fd = bpf_prog_load(prog_type, "psc_probe", "GPL", go_on, ARRAY_SIZE(go_on), &opts);
	if (prog_fd < 0)
		return -errno;
	link_fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	return link_fd < 0 ? -errno : 0;
}

int psc_kernel_stats(struct psc_kernel *kernel, __u64 ret[PSC_STATS])
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_COUNT };
	int err = psc_kernel_request(kernel, &req);

	if (!err)
		memcpy(ret, req.stats, sizeof(req.stats));
	return err;
}

int psc_kernel_probe(struct psc_kernel *kernel, pid_t tracer, pid_t tracee)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_PROBE, .probe = { tracer, tracee },
	};

	return psc_kernel_request(kernel, &req);
}

int psc_kernel_proved(struct psc_kernel *kernel, __u32 *ret)
{
	struct psc_request req = { .abi = PSC_ABI, .op = PSC_OP_COUNT };
	int err = psc_kernel_request(kernel, &req);

	if (!err)
		*ret = req.proved;
	return err;
}

int psc_kernel_mark_listener(struct psc_kernel *kernel, int listen_fd)
{
	__u32 one = 1;

	return bpf_map_update_elem(kernel->fds[PSC_PIN_LISTENERS], &listen_fd, &one, BPF_ANY) ?
		-errno : 0;
}

int psc_kernel_peer(struct psc_kernel *kernel, int fd, struct psc_peer *ret)
{
	return bpf_map_lookup_elem(kernel->fds[PSC_PIN_PEERS], &fd, ret) ? -errno : 0;
}
