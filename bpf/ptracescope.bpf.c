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
#include "maps.bpf.h"
#include "relation.bpf.h"
#include "report.bpf.h"
#include "task.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Set by the loader before loading. */
const volatile __u64 psc_build;		/* which build of these programs this is */

static __always_inline union psc_policy *policy_get(void)
{
	return bpf_map_lookup_elem(&psc_state, &(__u32){ 0 });
}

/* The scope in force for a mode. A missing policy, which cannot be, refuses. */
static __always_inline __u32 scope_of(__u32 mode)
{
	union psc_policy *policy = policy_get();

	return policy ? policy->scope[mode] : PSC_SCOPE_NO_ATTACH;
}

/* Is @fact true of the caller's access to the tracee? */
static __always_inline bool access_fact(__u32 fact, struct task_struct *tracee)
{
	struct task_struct *self = bpf_get_current_task_btf();

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

SEC("lsm/ptrace_access_check")
int BPF_PROG(psc_access, struct task_struct *tracee, unsigned int access, int ret)
{
	__u32 mode = access & PTRACE_MODE_ATTACH ? PSC_MODE_ATTACH : PSC_MODE_READ;
	struct psc_verdict verdict = { .reason = PSC_REASON_UNDECIDED };
	__u32 scope, known = 0, holds = 0;

	if (ret)
		return ret;
	scope = scope_of(mode);
	for (int i = 0; i <= PSC_FACTS; i++) {
		verdict = psc_judge(mode, scope, known, holds);
		if (!verdict.need)
			break;
		known |= verdict.need;
		if (access_fact(verdict.need, tracee))
			holds |= verdict.need;
	}
	if (!verdict.need && !verdict.refused)
		return 0;
	report_refusal(mode, scope, verdict.reason, access, bpf_get_current_task_btf(), tracee);
	return -EPERM;
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

SEC("syscall")
int psc_ctl(struct psc_request *req)
{
	union psc_policy *policy = policy_get();
	int err;

	if (!policy)
		return -PSC_E_AGAIN;
	if (req->op != PSC_OP_INFO && !capable_initially(bpf_get_current_task_btf()->cred))
		err = -PSC_E_PERM;
	else
		err = policy_apply(policy, req);
	req->abi = PSC_ABI;
	req->build = psc_build;
	req->policy.word = *(volatile __u64 *)&policy->word;
	return err;
}
