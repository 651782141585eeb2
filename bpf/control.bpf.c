// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the policy is read and written, and who asks the daemon for it.
 *
 *   psc_ctl        syscall                        the only writer of the policy,
 *   psc_sections   syscall                        but for sections, for new cgroups
 *   psc_find       syscall                        tells names and ids of cgroups
 *   psc_explain    syscall                        tells the facts of an access, and its verdict
 *   psc_connect    lsm/unix_stream_connect        notes who connects to the daemon
 *
 * psc_policy_change() in ptracescope_policy.h decides.
 */
#include "anchor.bpf.h"
#include "entry.bpf.h"
#include "explain.bpf.h"
#include "guard.bpf.h"
#include "move.bpf.h"
#include "pattern.bpf.h"
#include "recount.bpf.h"

/* Which build of these programs this is; set by the loader. Tells, decides nothing. */
const volatile __u64 psc_build;

SEC("lsm/unix_stream_connect")
int BPF_PROG(psc_connect, struct sock *sock, struct sock *other, struct sock *newsk)
{
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_peer *peer;

	if (!bpf_sk_storage_get(&psc_listeners, other, NULL, 0))
		return 0;
	/* Without a note the daemon takes the peer for one without rights. */
	peer = bpf_sk_storage_get(&psc_peers, newsk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (peer) {
		peer->capable = capable_initially(BPF_CORE_READ(self, cred));
		peer->uid = BPF_CORE_READ(self, cred, uid.val);
		peer->pid = self->tgid;
		peer->account = account_of_caller(NULL);
	}
	return 0;
}

/* The one writer's part of a request to the global policy. */
static __always_inline int policy_change(struct state *state, struct psc_request *req)
{
	struct change change = {
		.policy = policy_read(&state->policy), .above = state->floors_for_all,
	};
	int err;

	change_ask(&change, req);
	req->before = change.policy;
	err = change_make(&change);
	if (!err && psc_policy_locked(&change.policy))
		err = lock_first(state, req->armed, req->anchor);
	if (!err)
		err = highest_note(state, &change.policy);
	if (!err)
		*(volatile __u64 *)&state->policy.word = change.policy.word;
	return err;
}

/* Apply a request to the global policy. Return: 0 or a negative PSC_E_*. */
static __always_inline int policy_apply(struct state *state, struct psc_request *req)
{
	int err;

	if (req->op == PSC_OP_INFO)
		return psc_request_check(req);
	if (!writer_trylock())
		return -PSC_E_AGAIN;
	err = policy_change(state, req);
	writer_unlock();
	return err;
}

static __always_inline bool has_verbs(const struct psc_request *req)
{
	return req->set | req->raise | req->lock | req->unset;
}

/* A number that was never given before. For psc_g_prog it is a time as well. */
static __always_inline __u64 next_token(struct guarded *guard)
{
	__u64 now = bpf_ktime_get_boot_ns();

	/* Nor may it be far from now, whatever somebody has written there. */
	guard->last = now == guard->last ? now + 1 : now;
	return guard->last;
}

/*
 * Are the guards armed by this number, for this directory? For which functions? And have all
 * gone that looked? Then nobody else writes the state any more. Return: 0 if so.
 */
static __always_inline int guard_compare(struct state *state, const struct guarded *guard,
					 const struct file *file, struct psc_request *req)
{
	if (!req->armed || guard->armed != req->armed ||
	    guard->dir != (__u64)BPF_CORE_READ(file, f_path.dentry) ||
	    guard->mount != (__u64)mount_of(BPF_CORE_READ(file, f_path.mnt)))
		return -PSC_E_CANCELED;
	if (!has_references(req->anchor))
		return -PSC_E_AGAIN;
	recount(state);
	__builtin_memcpy(req->hooks, guard->hooks, sizeof(req->hooks));
	return 0;
}

/* Note what the guards protect, and arm or disarm them; or compare. */
static __always_inline int guard_set(struct state *state, struct psc_request *req)
{
	struct guarded *guard = guarded();
	struct file *file = file_of(req->dir_fd);
	int err = -PSC_E_LOCKED;

	if (!guard || req->abi != PSC_ABI || !file || has_verbs(req) || req->value > 2 ||
	    req->flags || req->origin)
		return -PSC_E_INVAL;
	/* Nor does a floor come between the look and the writing. */
	if (!writer_trylock())
		return -PSC_E_AGAIN;
	if (!has_floor(state))
		state->locked = 0;
	if (!state->locked && req->value == 2) {
		err = guard_compare(state, guard, file, req);
	} else if (!state->locked) {
		guard->armed = 0;
		read_barrier();
		guard->dir = (__u64)BPF_CORE_READ(file, f_path.dentry);
		guard->mount = (__u64)mount_of(BPF_CORE_READ(file, f_path.mnt));
		__builtin_memcpy(guard->hooks, req->hooks, sizeof(guard->hooks));
		read_barrier();
		if (req->value)
			guard->armed = next_token(guard);
		req->armed = guard->armed;
		err = 0;
	}
	writer_unlock();
	return err;
}

/* Note from now on what is proved by two processes. */
static __always_inline int probe_set(struct state *state, const struct psc_request *req)
{
	struct probe *probe = &state->probe;
	struct task_struct *tracer, *tracee;

	if (req->abi != PSC_ABI || req->flags)
		return -PSC_E_INVAL;
	probe->tracer = 0;
	if (!req->probe[0])
		return 0;
	tracer = (struct task_struct *)task_by_vpid(req->probe[0]);
	tracee = (struct task_struct *)task_by_vpid(req->probe[1]);
	if (!tracer || !tracee)
		return -PSC_E_SRCH;
	probe->tracee = BPF_CORE_READ(tracee, tgid);
	probe->tracee_start = BPF_CORE_READ(tracee, group_leader, start_boottime);
	probe->tracer_start = BPF_CORE_READ(tracer, group_leader, start_boottime);
	probe->proved = 0;
	read_barrier();
	probe->tracer = BPF_CORE_READ(tracer, tgid);
	return 0;
}

static __always_inline void tell_counts(const struct state *state, struct psc_request *req)
{
	for (__u32 stat = 0; stat < PSC_STATS; stat++)
		req->stats[stat] = stat_sum(stat);
	req->proved = state->probe.proved;
}

static __always_inline int ctl_apply(struct state *state, struct psc_request *req)
{
	if (req->op == PSC_OP_COUNT) {
		tell_counts(state, req);
		return 0;
	}
	if (req->op != PSC_OP_INFO &&
	    !capable_initially(BPF_CORE_READ(bpf_get_current_task_btf(), cred)))
		return -PSC_E_PERM;
	if (req->op == PSC_OP_GUARD)
		return guard_set(state, req);
	if (req->op == PSC_OP_PROBE)
		return probe_set(state, req);
	if (req->op == PSC_OP_RELEASE)
		return release(req);
	if (req->flags & PSC_FLAG_CGROUP)
		return cgroup_request(state, req);
	return policy_apply(state, req);
}

SEC("syscall")
int psc_ctl(struct psc_request *req)
{
	struct state *state = &psc_state;
	int err = ctl_apply(state, req);

	req->abi = PSC_ABI;
	req->build = psc_build;
	req->locked = has_floor(state);
	req->entries = state->entries;
	req->carried = state->carried;
	req->sees_moves = psc_sees_moves;
	req->anchor = anchor_state(state);
	req->armed = armed_then(state, req->armed);
	if (!(req->flags & PSC_FLAG_CGROUP))
		req->policy = policy_for_all(state);
	return err;
}

SEC("syscall")
int psc_sections(struct psc_section_request *req)
{
	struct state *state = &psc_state;
	int err = sections_request(state, req);

	req->abi = PSC_ABI;
	req->anchor = anchor_state(state);
	req->armed = armed_then(state, req->armed);
	return err;
}

SEC("syscall")
int psc_find(struct psc_find_request *req)
{
	int err = find(req);

	req->abi = PSC_ABI;
	return err;
}

SEC("syscall")
int psc_explain(struct psc_explain_request *req)
{
	int err = explain_request(req);

	req->abi = PSC_ABI;
	return err;
}
