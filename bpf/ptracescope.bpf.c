// SPDX-License-Identifier: GPL-2.0-only
/*
 * Yama's ptrace_scope as BPF-LSM programs.
 *
 *   psc_access     lsm/ptrace_access_check        verdict for ATTACH and READ
 *   psc_traceme    lsm/ptrace_traceme             verdict for TRACEME
 *   psc_prctl      lsm/task_prctl                 PR_SET_PTRACER
 *   psc_task_free  lsm/task_free                  forgets what dead tasks declared
 *   psc_connect    lsm/unix_stream_connect        notes who connects to the daemon
 *   psc_ctl        syscall                        the only writer of the policy
 *
 * Guards, which do nothing before there is a floor:
 *
 *   psc_g_load     lsm/bpf_prog_load              no program may replace a hook or one of ours
 *   psc_g_alloc    lsm/bpf_prog_alloc_security    the same before 6.9
 *   psc_g_prog     lsm/bpf_prog                   nobody opens ours or uses the policy's maps
 *   psc_g_map      lsm/bpf_map                    nobody opens the policy's maps
 *   psc_g_unlink   lsm/inode_unlink               the pins stay,
 *   psc_g_rmdir    lsm/inode_rmdir                so does their directory,
 *   psc_g_rename   lsm/inode_rename               under its name,
 *   psc_g_umount   lsm/sb_umount                  on its mount, with all mounts above it
 *   psc_g_sysctl   cgroup/sysctl                  ftrace stays on; loaded when a floor comes
 *
 * The hooks gather facts; psc_judge() and psc_policy_change() in
 * ptracescope_policy.h decide.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "ptracescope.h"
#include "ptracescope_policy.h"

/* include/linux/ptrace.h */
#define PTRACE_MODE_ATTACH 0x02
#define PTRACE_MODE_NOAUDIT 0x04

/* include/uapi/linux/prctl.h and errno-base.h */
#define PR_SET_PTRACER 0x59616d61
#define EPERM 1
#define EINVAL 22

#include "cred.bpf.h"
#include "guard.bpf.h"
#include "maps.bpf.h"
#include "relation.bpf.h"
#include "report.bpf.h"
#include "task.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by the loader before loading. */
const volatile __u64 psc_build;		/* which build of these programs this is */
/* BTF ids of the functions whose replacement would undo us; 0 for none. */
const volatile __u32 psc_replaceable[PSC_REPLACEABLE_MAX];

/* The scope in force for a mode. */
static __always_inline __u32 scope_of(__u32 mode)
{
	return psc_state.scope[mode];
}

/* Does the tracee live, and is its process a child of the caller's? */
static __always_inline bool is_child(struct task_struct *self, struct task_struct *tracee)
{
	return tracee->thread_pid &&
	       tracee->group_leader->real_parent->group_leader == self->group_leader;
}

/* Is @fact true of the caller's access to the tracee? */
static __always_inline bool access_fact(__u32 fact, struct task_struct *self,
					struct task_struct *tracee)
{
	switch (fact) {
	case PSC_FACT_ALIVE:	/* pid_alive() */
		return tracee->thread_pid != NULL;
	case PSC_FACT_ANCESTOR:
		return is_descendant(tracee, (__u64)self->group_leader);
	case PSC_FACT_EXCEPTION:
		return has_exception(self, tracee);
	case PSC_FACT_CAPABLE:
		/* As ns_capable(__task_cred(tracee)->user_ns) asks: what the
		 * caller acts with, in the namespace the tracee belongs to. */
		return capable_in(self->cred, tracee->real_cred->user_ns);
	}
	return false;
}

static __always_inline bool is_allowed(struct psc_verdict verdict)
{
	return !verdict.need && !verdict.refused;
}

/*
 * psc_access in three steps, each of which is not even entered, with the registers
 * it saves and the stack it wants, by those that the one before can answer.
 */
static __noinline int access_judge(struct task_struct *self, struct task_struct *tracee,
				   __u32 access, __u32 mode, __u32 scope)
{
	struct psc_verdict verdict = psc_judge(mode, scope, 0, 0);
	__u32 known = 0, holds = 0;

	/* They are asked for in their order: once through, and each is there once only. */
#pragma unroll
	for (int i = 0; i < PSC_FACTS; i++) {
		const __u32 fact = 1U << i;

		if (verdict.need != fact)
			continue;
		known |= fact;
		if (access_fact(fact, self, tracee))
			holds |= fact;
		verdict = psc_judge(mode, scope, known, holds);
	}
	if (is_allowed(verdict))
		return 0;
	report_refusal(mode, scope, verdict.reason, access, self, tracee);
	return -EPERM;
}

/* The most frequent of the checks that need facts: a debugger's or a tracer's own child. */
static __noinline int access_ask(struct task_struct *tracee, __u32 access, __u32 mode, __u32 scope)
{
	const __u32 child = PSC_FACT_ALIVE | PSC_FACT_ANCESTOR;
	struct task_struct *self = bpf_get_current_task_btf();

	if (is_child(self, tracee) && is_allowed(psc_judge(mode, scope, child, child)))
		return 0;
	return access_judge(self, tracee, access, mode, scope);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(psc_access, struct task_struct *tracee, unsigned int access, int ret)
{
	__u32 mode = access & PTRACE_MODE_ATTACH ? PSC_MODE_ATTACH : PSC_MODE_READ;
	__u32 scope;

	if (ret)
		return ret;
	scope = scope_of(mode);
	if (is_allowed(psc_judge(mode, scope, 0, 0)))
		return 0;
	return access_ask(tracee, access, mode, scope);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(psc_traceme, struct task_struct *parent, int ret)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_verdict verdict;
	__u32 scope;

	if (ret)
		return ret;
	scope = scope_of(PSC_MODE_TRACEME);
	verdict = psc_judge(PSC_MODE_TRACEME, scope, 0, 0);
	/* has_ns_capability(parent, current_user_ns()): what the parent is, not
	 * what it acts with, in the namespace the caller acts in. */
	if (verdict.need)
		verdict = psc_judge(PSC_MODE_TRACEME, scope, PSC_FACT_CAPABLE,
				    capable_in(parent->real_cred, self->cred->user_ns) ?
				    PSC_FACT_CAPABLE : 0);
	if (!verdict.need && !verdict.refused)
		return 0;
	report_refusal(PSC_MODE_TRACEME, scope, verdict.reason, 0, parent, self);
	return -EPERM;
}

/*
 * What an LSM program returns other than 0, all 64 bits considered, ends the
 * hook, and security_task_prctl() sees its low half as our answer. So DONE is
 * success, and 0 leaves the option to others: the hook's default result is
 * -ENOSYS, "not mine". Yama, where it is active, is asked on its own and keeps
 * its own record.
 *
 * Not an fmod_ret program on security_task_prctl, which could do the same: those
 * are skipped while another task, preempted, is inside them on the same CPU.
 */
#define DONE (1L << 32)

SEC("lsm/task_prctl")
long BPF_PROG(psc_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	      unsigned long arg5, int ret)
{
	struct task_struct *self, *leader;
	__u64 tracer = 0;
	long err;

	if (ret || option != PR_SET_PTRACER)
		return ret;
	self = bpf_get_current_task_btf();
	leader = self->group_leader;
	if (arg2 == 0) {
		err = relation_clear(leader);
	} else {
		/* PR_SET_PTRACER_ANY is -1 as a long; Yama takes an int as well. */
		if ((int)arg2 != -1) {
			tracer = task_by_vpid((int)arg2);
			if (!tracer)
				return -EINVAL;
		}
		err = relation_add(leader, tracer);
	}
	return err ? err : DONE;
}

SEC("lsm/task_free")
int BPF_PROG(psc_task_free, struct task_struct *task)
{
	relation_forget((__u64)task);
	return 0;
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(psc_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_peer *peer;

	if (ret || !bpf_sk_storage_get(&psc_listeners, other, NULL, 0))
		return ret;
	/* Without a note the daemon takes the peer for one without rights. */
	peer = bpf_sk_storage_get(&psc_peers, newsk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (peer) {
		peer->capable = capable_initially(self->cred);
		peer->uid = self->cred->uid.val;
		peer->pid = self->tgid;
	}
	return 0;
}

#define CTL_RETRIES 16

/* Apply a request to the policy. Return: 0 or a negative PSC_E_*. */
static __always_inline int policy_apply(union psc_policy *policy, const struct psc_request *req)
{
	for (int i = 0; i < CTL_RETRIES; i++) {
		union psc_policy old = { .word = *(volatile __u64 *)&policy->word };
		union psc_policy next = old;
		int err = psc_policy_change(&next, req);

		if (err)
			return err;
		if (__sync_val_compare_and_swap(&policy->word, old.word, next.word) == old.word)
			return 0;
	}
	return -PSC_E_AGAIN;
}

/* The open file behind a descriptor of the caller. */
static __always_inline struct file *file_of(int fd)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(self, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return NULL;
	return file;
}

/* Note what is to be guarded. Under a floor this cannot be changed any more. */
static __always_inline int guard_set(const struct psc_request *req)
{
	struct guarded *guard = guarded();
	struct file *file = file_of(req->dir_fd);

	if (!guard || !file || !req->ctl_id || req->modes || req->value || req->flags || req->pad ||
	    req->abi != PSC_ABI)
		return -PSC_E_INVAL;
	if (guard->dir && locked())
		return -PSC_E_LOCKED;
	guard->dir = (__u64)BPF_CORE_READ(file, f_inode);
	guard->mount = (__u64)mount_of(BPF_CORE_READ(file, f_path.mnt));
	guard->ctl_id = req->ctl_id;
	return 0;
}

SEC("syscall")
int psc_ctl(struct psc_request *req)
{
	union psc_policy *policy = &psc_state;
	int err;

	if (req->op != PSC_OP_INFO && !capable_initially(bpf_get_current_task_btf()->cred))
		err = -PSC_E_PERM;
	else if (req->op == PSC_OP_GUARD)
		err = guard_set(req);
	else
		err = policy_apply(policy, req);
	req->abi = PSC_ABI;
	req->build = psc_build;
	req->policy.word = *(volatile __u64 *)&policy->word;
	return err;
}

/*
 * -EPERM, reported, or 0. The constant is hidden from the compiler, which would
 * otherwise compute it from the condition in a way that the verifier cannot follow.
 */
static __always_inline int refuse_if(bool refuse, enum psc_guard guard)
{
	int err = -EPERM;

	if (!refuse)
		return 0;
	report_tamper(guard);
	barrier_var(err);
	return err;
}

/*
 * A program that replaces the result of a function we are called from, or of one
 * of our own programs, would have the last word.
 */
static __always_inline bool replaces_hook(struct bpf_prog_aux *aux)
{
	__u32 id = aux->attach_btf_id;

	if (aux->prog->expected_attach_type != BPF_MODIFY_RETURN)
		return false;
	for (int i = 0; i < PSC_REPLACEABLE_MAX; i++)
		if (id && id == psc_replaceable[i])
			return true;
	return false;
}

static __always_inline int guard_load(struct bpf_prog_aux *aux)
{
	struct bpf_prog *target = aux->dst_prog;

	if (!locked())
		return 0;
	return refuse_if(target ? uses_policy_map(target->aux) : replaces_hook(aux),
			 PSC_GUARD_LOAD);
}

SEC("?lsm/bpf_prog_load")
int BPF_PROG(psc_g_load, struct bpf_prog *prog)
{
	return guard_load(prog->aux);
}

SEC("?lsm/bpf_prog_alloc_security")
int BPF_PROG(psc_g_alloc, struct bpf_prog_aux *aux)
{
	return guard_load(aux);
}

SEC("lsm/bpf_prog")
int BPF_PROG(psc_g_prog, struct bpf_prog *prog)
{
	struct guarded *guard;

	if (!locked() || !uses_policy_map(prog->aux))
		return 0;
	guard = guarded();
	return refuse_if(!guard || prog->aux->id != guard->ctl_id, PSC_GUARD_PROG);
}

SEC("lsm/bpf_map")
int BPF_PROG(psc_g_map, struct bpf_map *map)
{
	return refuse_if(locked() && is_policy_map((__u64)map), PSC_GUARD_MAP);
}

static __always_inline bool is_pin_dir(struct inode *inode)
{
	struct guarded *guard = guarded();

	return !guard || (__u64)inode == guard->dir;
}

SEC("lsm/inode_unlink")
int BPF_PROG(psc_g_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret || !locked())
		return ret;
	return refuse_if(is_pin_dir(dir), PSC_GUARD_UNLINK);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(psc_g_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret || !locked())
		return ret;
	return refuse_if(is_pin_dir(dentry->d_inode), PSC_GUARD_RMDIR);
}

SEC("lsm/inode_rename")
int BPF_PROG(psc_g_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry)
{
	if (!locked())
		return 0;
	return refuse_if(is_pin_dir(old_dir) || is_pin_dir(new_dir) ||
			 is_pin_dir(old_dentry->d_inode) || is_pin_dir(new_dentry->d_inode),
			 PSC_GUARD_RENAME);
}

SEC("lsm/sb_umount")
int BPF_PROG(psc_g_umount, struct vfsmount *mnt, int flags, int ret)
{
	struct guarded *guard;

	if (ret || !locked())
		return ret;
	guard = guarded();
	return refuse_if(!guard || (guard->mount &&
				    carries_pins(mount_of(mnt), (struct mount *)guard->mount)),
			 PSC_GUARD_UMOUNT);
}

/*
 * BPF LSM programs hang on ftrace, and kernel.ftrace_enabled=0 would silently
 * take all of them out of force. This one hangs on the root cgroup.
 */
SEC("?cgroup/sysctl")
int psc_g_sysctl(struct bpf_sysctl *ctx)
{
	char name[sizeof("kernel/ftrace_enabled")] = {};

	/* A longer name does not fit, and is another. */
	if (!ctx->write || !locked() || bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0)
		return 1;
	if (bpf_strncmp(name, sizeof(name), "kernel/ftrace_enabled"))
		return 1;
	report_tamper(PSC_GUARD_SYSCTL);
	return 0;
}

/*
 * Before the first floor: which programs are there already that the guards would
 * refuse then? Writes struct psc_intruder, ours included.
 */
SEC("?iter/bpf_prog")
int psc_scan(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *prog = ctx->prog;
	struct psc_intruder found = {};

	if (!prog)
		return 0;
	found.uses_map = uses_policy_map(prog->aux);
	if (!found.uses_map && !replaces_hook(prog->aux))
		return 0;
	found.id = prog->aux->id;
	bpf_core_read(found.name, sizeof(found.name), &prog->aux->name);
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	return 0;
}
