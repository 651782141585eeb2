/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where cgroup_attach_task() cannot be traced: everything works but floors of cgroups,
 * which are refused. It cannot once so many programs of somebody else's are attached to
 * it that the kernel takes no more.
 *
 * vm: lsm=no-yama kernels=6.1,unstable
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader.h"
#include "puppet.h"
#include "unload.h"
#include "util.h"

#define FULL_MAX 256

static int links[FULL_MAX];
static size_t n_links;

static int attach_nothing(__u32 id)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = id);
	int link, prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nothing", "GPL", nothing,
				       ARRAY_SIZE(nothing), &opts);

	if (prog < 0)
		bail("loading");
	link = bpf_raw_tracepoint_open(NULL, prog);
	close(prog);
	return link;
}

static void fill(void)
{
	int id = libbpf_find_vmlinux_btf_id("cgroup_attach_task", BPF_TRACE_FENTRY);

	if (id <= 0)
		bail("cgroup_attach_task");
	while (n_links < FULL_MAX && (links[n_links] = attach_nothing((__u32)id)) >= 0)
		n_links++;
	ok(n_links && links[n_links] == -E2BIG, "%zu programs of others, and no room for one more",
	   n_links);
}

/* For one more, which is enough, and all would take long. */
static void make_room(void)
{
	close(links[--n_links]);
}

static bool is_pinned(void)
{
	return access(PSC_PIN_DIR "/psc_cg_attach", F_OK) == 0;
}

static void start(int wanted, const char *what)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(1),
	};

	if (!is(psc_loader_start(&options, &first, 1, &kernel), wanted, what))
		exit(finish());
	psc_kernel_close_policy_maps(kernel);
}

static void test_scopes(void)
{
	struct puppet a, b;

	cg_make("a");
	a = puppet_new("a", ALICE);
	b = puppet_new("a", ALICE);
	is(peek(&a, b.pid), -EPERM, "the global scope is enforced");
	is(cg_set("a", ATTACH, 0), 0, "a = 0");
	is(peek(&a, b.pid), 0, "scopes of cgroups are, too");
	is(cg_set("a", ATTACH, 3), 0, "a revocable 3");
	is(cg_set("a", ATTACH | BOUNDARY, 1), 0, "and a boundary");
	puppet_end(&a);
	puppet_end(&b);
}

static void test_floors(void)
{
	struct psc_request final = { .op = PSC_OP_CHANGE, .set = ATTACH, .want = PSC_WANT(3) };

	is(cg_lock("a", ATTACH, 2), -EOPNOTSUPP, "a floor of a cgroup is refused");
	is(cg_lock("a", BOUNDARY, 1), -EOPNOTSUPP, "a locked boundary");
	is(cg_request("a", &final), -EOPNOTSUPP, "and a final 3");
	ok(cg_info("a").policy.scope[0] == 1 && !cg_info("a").policy.floor[0],
	   "which leaves the entry as it was");
	is(psc_kernel_locked(kernel), 0, "nothing is locked");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request floor = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .raise = ATTACH, .want = PSC_WANT(1),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	fill();
	start(PSC_LOADED, "loads and attaches all the same");
	ok(!is_pinned() && !kernel->sees_moves, "without the program that sees moves");
	test_scopes();
	test_floors();
	psc_kernel_close(kernel);
	start(PSC_ADOPTED, "such a set is adopted");
	make_room();
	test_floors();
	is(psc_unload(options.pin_dir, kernel), 0, "it is removed");
	psc_kernel_close(kernel);

	start(PSC_LOADED, "where there is room, loads");
	ok(is_pinned() && kernel->sees_moves, "with that program");
	psc_kernel_close(kernel);
	if (unlink(PSC_PIN_DIR "/psc_cg_attach"))
		bail("unlink");
	is(psc_kernel_open(PSC_PIN_DIR, &kernel), -EUCLEAN, "from then on a set without it is partial");
	if (system("rm -r " PSC_PIN_DIR))
		bail("rm");

	fill();
	start(PSC_LOADED, "once more without");
	is(psc_lock_request(kernel, PSC_PIN_DIR, &floor), 0, "the global floor is not refused");
	is(cg_lock("a", ATTACH, 2), -EOPNOTSUPP, "one of a cgroup still is");
	is(cg_set("a", ATTACH, 0), -EACCES, "and below the global one no cgroup comes");
	psc_kernel_close(kernel);
	cg_remove("a");
	return finish();
}
