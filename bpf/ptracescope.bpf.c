// SPDX-License-Identifier: GPL-2.0-only
/*
 * Yama's ptrace_scope as BPF-LSM programs.
 *
 *   psc_access     lsm/ptrace_access_check        verdict for ATTACH and READ
 *   psc_traceme    lsm/ptrace_traceme             verdict for TRACEME
 *   psc_prctl      lsm/task_prctl                 PR_SET_PTRACER
 *   psc_task_alloc lsm/task_alloc                 floors of cgroups bind descendants,
 *   psc_task_new   tp_btf/task_newtask            also those that come in between,
 *   psc_cg_move    fentry/cgroup_attach_task      and go with who is moved elsewhere
 *   psc_cg_made    tp_btf/cgroup_mkdir            gives new cgroups what sections set
 *   psc_cg_gone    tp_btf/cgroup_rmdir            drops the policy of cgroups with them
 *   psc_task_gone  tp_btf/sched_process_free      forgets who is dead and reaped,
 *   psc_task_free  lsm/task_free                  and who was not born after all
 *   psc_connect    lsm/unix_stream_connect        notes who connects to the daemon
 *   psc_ctl        syscall                        the only writer of the policy,
 *   psc_sections   syscall                        but for sections, for new cgroups
 *   psc_find       syscall                        tells names and ids of cgroups
 *
 * Guards, which do nothing before there is a floor:
 *
 *   psc_g_load     lsm/bpf_prog_load              no program may overrule or extend ours
 *   psc_g_alloc    lsm/bpf_prog_alloc_security    the same before 6.9
 *   psc_g_prog     lsm/bpf_prog                   no new one uses the policy's maps
 *   psc_g_map      lsm/bpf_map                    nobody opens the policy's maps
 *   psc_g_id       lsm/bpf                        nor finds them by their ids
 *   psc_g_unlink   lsm/inode_unlink               the pins stay,
 *   psc_g_rmdir    lsm/inode_rmdir                so does their directory,
 *   psc_g_rename   lsm/inode_rename               under its name,
 *   psc_g_attr     lsm/inode_setattr              with its owner and mode,
 *   psc_g_umount   lsm/sb_umount                  on its mount, with all mounts above it,
 *   psc_g_mount    lsm/sb_mount                   and nothing comes in between:
 *   psc_g_move     lsm/move_mount                 by no way of mounting
 *   psc_g_pivot    lsm/sb_pivotroot               and of moving,
 *   psc_g_remount  lsm/sb_remount                 nor with other options
 *   psc_g_sysctl   cgroup/sysctl                  ftrace stays on; loaded when a floor comes
 *
 * And two that are loaded just before the first floor, to look around: psc_scan
 * (iter/bpf_prog), psc_scan_maps (iter/bpf_map). The anchor, which is loaded then, too,
 * does once more what ends with the pins: psc_a_access, psc_a_traceme, psc_a_load (or
 * psc_a_alloc), psc_a_prog, psc_a_map and psc_a_id (lsm_cgroup).
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

/* include/uapi/linux/prctl.h */
#define PR_SET_PTRACER 0x59616d61

/* include/uapi/linux/mount.h */
#define MS_REMOUNT (1 << 5)
#define MS_BIND (1 << 12)
#define MS_MOVE (1 << 13)
#define MS_PROPAGATION (0xf << 17)	/* unbindable, private, slave, shared */

#include "cgroup.bpf.h"
#include "cred.bpf.h"
#include "entry.bpf.h"
#include "guard.bpf.h"
#include "look.bpf.h"
#include "maps.bpf.h"
#include "pattern.bpf.h"
#include "relation.bpf.h"
#include "report.bpf.h"
#include "stick.bpf.h"
#include "task.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Which build of these programs this is; set by the loader. Tells, decides nothing. */
const volatile __u64 psc_build;

/* Does the tracee live, and is its process a child of the caller's? */
static __always_inline bool is_child(struct task_struct *self, struct task_struct *tracee)
{
	return tracee->thread_pid &&
	       tracee->group_leader->real_parent->group_leader == self->group_leader;
}

/* Is @fact true of the caller's access to the tracee? */
static __always_inline bool access_fact(__u32 fact, struct task_struct *self,
					struct task_struct *tracee, const struct sides *sides)
{
	switch (fact) {
	case PSC_FACT_INSIDE:
		return shares_container(sides, self, tracee);
	case PSC_FACT_ADMIN:
		return capable_initially(BPF_CORE_READ(self, cred));
	case PSC_FACT_ALIVE:	/* pid_alive() */
		return BPF_CORE_READ(tracee, thread_pid) != NULL;
	case PSC_FACT_ANCESTOR:
		return is_descendant(tracee, (__u64)BPF_CORE_READ(self, group_leader));
	case PSC_FACT_EXCEPTION:
		return has_exception(self, tracee);
	case PSC_FACT_SIBLING:
		return sides->siblings;
	case PSC_FACT_TRACING:
		return is_tracing(self, tracee);
	case PSC_FACT_CAPABLE:
		/* As ns_capable(__task_cred(tracee)->user_ns) asks: what the
		 * caller acts with, in the namespace the tracee belongs to. */
		return capable_in(BPF_CORE_READ(self, cred),
				  BPF_CORE_READ(tracee, real_cred, user_ns));
	}
	return false;
}

static __always_inline __u32 mode_of(unsigned int access)
{
	return access & PTRACE_MODE_ATTACH ? PSC_MODE_ATTACH : PSC_MODE_READ;
}

static __always_inline bool is_allowed(struct psc_verdict verdict)
{
	return !verdict.need && !verdict.refused;
}

/* What is known of a check so far. */
struct inquiry {
	struct psc_question question;
	struct sides sides;
	__u32 known, holds;
	struct psc_verdict verdict;
};

WORDS(inquiry);

/*
 * For the caller, what is in the inquiry can be anything afterwards. So the verifier goes
 * once through the gathering of each fact, not once for every way that leads there.
 */
__noinline int judge_words(inquiry_words *words)
{
	struct inquiry *inquiry = (struct inquiry *)words;

	if (inquiry)
		inquiry->verdict = psc_judge(&inquiry->question, inquiry->known, inquiry->holds);
	return 0;
}

static __always_inline void judge(struct inquiry *inquiry)
{
	judge_words((inquiry_words *)inquiry);
}

/*
 * psc_access in three steps, each of which is not even entered, with the registers
 * it saves and the stack it wants, by those that the one before can answer.
 */
static __noinline int access_judge(struct task_struct *self, struct task_struct *tracee,
				   __u32 access, __u32 mode)
{
	struct inquiry inquiry = { .question.mode = mode };

	sides_compare(&inquiry.question, &inquiry.sides, self, tracee);
	judge(&inquiry);
	/* They are asked for in their order: once through, and each is there once only. */
#pragma unroll
	for (int i = 0; i < PSC_FACTS; i++) {
		const __u32 fact = 1U << i;

		if (inquiry.verdict.need != fact)
			continue;
		inquiry.known |= fact;
		if (access_fact(fact, self, tracee, &inquiry.sides))
			inquiry.holds |= fact;
		judge(&inquiry);
	}
	if (is_allowed(inquiry.verdict))
		return 0;
	report_refusal(mode, inquiry.question.scope, inquiry.verdict.reason, access, self, tracee);
	return -EPERM;
}

/* The most frequent of the checks that need facts: a debugger's or a tracer's own child. */
static __noinline int access_ask(unsigned long long *ctx)
{
	struct task_struct *tracee = (void *)ctx[0];
	__u32 access = ctx[1];
	const __u32 child = PSC_FACT_ALIVE | PSC_FACT_ANCESTOR;
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_question question = { .mode = mode_of(access) };

	if (!cgroups_matter() && is_child(self, tracee)) {
		question_globally(&question);
		if (is_allowed(psc_judge(&question, child, child)))
			return 0;
	}
	return access_judge(self, tracee, access, question.mode);
}

static __always_inline int access_check(unsigned long long *ctx, unsigned int access)
{
	union psc_policy policy = policy_read(&psc_state.policy);

	/* In this order: no cgroup has had a say when the global policy was read. */
	policy.word |= policy_read(&psc_state.spoken).word;
	if (psc_policy_open(&policy, mode_of(access)))
		return 0;
	return access_ask(ctx);
}

/* No program before us has refused: the first result that is not 0 ends the hook. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(psc_access, struct task_struct *tracee, unsigned int access)
{
	return access_check(ctx, access);
}

static __always_inline int traceme_check(struct task_struct *parent)
{
	struct psc_question question = { .mode = PSC_MODE_TRACEME };
	struct task_struct *self = bpf_get_current_task_btf();
	struct psc_verdict verdict;
	struct sides sides = {};

	sides_compare(&question, &sides, parent, self);
	verdict = psc_judge(&question, 0, 0);
	/* has_ns_capability(parent, current_user_ns()): what the parent is, not
	 * what it acts with, in the namespace the caller acts in. */
	if (verdict.need)
		verdict = psc_judge(&question, PSC_FACT_CAPABLE,
				    capable_in(BPF_CORE_READ(parent, real_cred),
					       BPF_CORE_READ(self, cred, user_ns)) ?
				    PSC_FACT_CAPABLE : 0);
	if (!verdict.need && !verdict.refused)
		return 0;
	report_refusal(PSC_MODE_TRACEME, question.scope, verdict.reason, 0, parent, self);
	return -EPERM;
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(psc_traceme, struct task_struct *parent, int ret)
{
	return ret ? ret : traceme_check(parent);
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
 *
 * ret is a long since newer compilers widen an int first, by which the verifier
 * loses sight of its being an errno.
 */
#define DONE (1L << 32)

SEC("lsm/task_prctl")
long BPF_PROG(psc_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	      unsigned long arg5, long ret)
{
	struct task_struct *self, *leader;
	__u64 tracer = 0;
	long err;

	if (ret || option != PR_SET_PTRACER)
		return ret;
	self = bpf_get_current_task_btf();
	leader = BPF_CORE_READ(self, group_leader);
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
		if (!err)
			probe_note_declared(leader);
	}
	return err ? err : DONE;
}

static __always_inline void task_forget(__u64 task)
{
	relation_forget(task);
	unstick(task);
}

/*
 * A task has been released, its last switch and an RCU grace period are over: however many
 * refer to it still, it is neither found nor does it anything any more.
 */
SEC("tp_btf/sched_process_free")
int BPF_PROG(psc_task_gone, struct task_struct *task)
{
	/* A program of somebody else's that tail-calls this one with a task of its choice. */
	if (task->thread_pid)
		return 0;
	task_forget((__u64)task);
	return 0;
}

/* For forks that fail; for the others it comes with the last reference, and once more. */
SEC("lsm/task_free")
int BPF_PROG(psc_task_free, struct task_struct *task)
{
	/* The same as above. */
	if (is_hashed(task))
		return 0;
	task_forget((__u64)task);
	return 0;
}

/*
 * A child has its parent's floors before it has a cgroup, which may be another one
 * than its parent's (CLONE_INTO_CGROUP, or the parent is moved just now).
 */
SEC("lsm/task_alloc")
int BPF_PROG(psc_task_alloc, struct task_struct *task, unsigned long clone_flags, int ret)
{
	struct stuck floors = {};

	if (ret || !psc_state.locked || !inherited(bpf_get_current_task_btf(), &floors))
		return ret;
	return stick((__u64)task, &floors, false) ? 0 : -ENOMEM;
}

/*
 * Once more when the child has its cgroup and has not run yet: while it was made its
 * parent's cgroup may have got a floor, and the parent been moved out of it.
 */
SEC("tp_btf/task_newtask")
int BPF_PROG(psc_task_new, struct task_struct *task, unsigned long clone_flags)
{
	struct stuck floors = {};

	if (psc_state.locked && inherited(bpf_get_current_task_btf(), &floors))
		stick_or_all((__u64)task, &floors);
	return 0;
}

/*
 * Entered with cgroup_mutex held, so never by two at once: the counter a CPU that
 * keeps tracing programs from nesting does not make this one be skipped. No thread
 * is born or execs meanwhile: the kernel holds cgroup_threadgroup_rwsem, or the
 * process's own lock in its place. Left out where this function cannot be traced.
 */
SEC("?fentry/cgroup_attach_task")
int BPF_PROG(psc_cg_move, struct cgroup *to, struct task_struct *task, bool all_threads)
{
	if (is_cgroup2(to))
		stick_to(task, to, all_threads);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(psc_cg_made, struct cgroup *cgroup, const char *path)
{
	struct state *state = &psc_state;

	if ((__u32)state->sections && is_cgroup2(cgroup))
		cgroup_made(state, BPF_CORE_READ(cgroup, kn));
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(psc_cg_gone, struct cgroup *cgroup, const char *path)
{
	struct state *state = &psc_state;

	/* One that is not being removed: a tail call from a program of somebody else's. */
	if (cgroup->self.flags & CSS_ONLINE)
		return 0;
	if (state->entries && is_cgroup2(cgroup))
		entry_delete(state, BPF_CORE_READ(cgroup, kn, id), cgroup->level);
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
	struct change change = { .policy = policy_read(&state->policy), .above = state->lost };
	int err;

	change_ask(&change, req);
	req->before = change.policy;
	err = change_make(&change);
	if (!err && psc_policy_locked(&change.policy))
		err = lock_first(state, req->armed);
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
	if (!writer_begin())
		return -PSC_E_AGAIN;
	err = policy_change(state, req);
	writer_end();
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

	guard->last = now > guard->last ? now : guard->last + 1;
	return guard->last;
}

/* Note what is to be guarded, and arm the guards or disarm them. */
static __always_inline int guard_set(struct state *state, struct psc_request *req)
{
	struct guarded *guard = guarded();
	struct file *file = file_of(req->dir_fd);
	int err = -PSC_E_LOCKED;

	if (!guard || req->abi != PSC_ABI || !file || has_verbs(req) || req->value > 1 ||
	    req->flags || req->origin)
		return -PSC_E_INVAL;
	/* Nor does a floor come between the look and the writing. */
	if (!writer_begin())
		return -PSC_E_AGAIN;
	if (!state->locked) {
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
	writer_end();
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

struct stat_walk {
	__u64 sum;
	__u32 stat;
};

static long stat_step(__u32 cpu, struct stat_walk *walk)
{
	__u64 *counter = bpf_map_lookup_percpu_elem(&psc_stats, &walk->stat, cpu);

	if (!counter)
		return 1;
	walk->sum += *counter;
	return 0;
}

#define CPUS_MAX 8192	/* the highest CONFIG_NR_CPUS there is */

static __always_inline void tell_counts(const struct state *state, struct psc_request *req)
{
	for (__u32 stat = 0; stat < PSC_STATS; stat++) {
		struct stat_walk walk = { .stat = stat };

		bpf_loop(CPUS_MAX, stat_step, &walk, 0);
		req->stats[stat] = walk.sum;
	}
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
	if (req->flags & PSC_FLAG_CGROUP)
		return cgroup_request(state, req);
	return policy_apply(state, req);
}

/* The global policy, and the floors that bind everybody. */
static __always_inline union psc_policy policy_for_all(const struct state *state)
{
	struct psc_effective effective = PSC_EFFECTIVE_NONE;
	union psc_policy policy = policy_read(&state->policy);

	if (!policy_read(&state->lost).word)
		return policy;
	effective_add(&effective, floors_alone(&state->lost), 0);
	effective_add(&effective, policy.word, 0);
	effective_end(&effective);
	return effective.policy;
}

SEC("syscall")
int psc_ctl(struct psc_request *req)
{
	struct state *state = &psc_state;
	__u32 locked_before = state->locked, references = req->anchor;
	int err;

	err = ctl_apply(state, req);
	if (!locked_before && state->locked)
		anchor_note(state, references, req->armed);
	req->abi = PSC_ABI;
	req->build = psc_build;
	req->locked = state->locked;
	req->entries = state->entries;
	req->stuck = state->stuck;
	req->sees_moves = psc_sees_moves;
	req->anchor = anchor_state(state);
	if (!(req->flags & PSC_FLAG_CGROUP))
		req->policy = policy_for_all(state);
	return err;
}

SEC("syscall")
int psc_sections(struct psc_section_request *req)
{
	struct state *state = &psc_state;
	__u32 locked_before = state->locked;
	int err = sections_request(state, req);

	if (!locked_before && state->locked)
		anchor_note(state, req->anchor, req->armed);
	req->abi = PSC_ABI;
	return err;
}

SEC("syscall")
int psc_find(struct psc_find_request *req)
{
	int err = find(req);

	req->abi = PSC_ABI;
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

static __always_inline int guard_load(struct bpf_prog_aux *aux)
{
	struct bpf_prog *target, *prog;
	struct guarded *guard;

	if (!locked())
		return 0;
	guard = guarded();
	target = BPF_CORE_READ(aux, dst_prog);
	prog = BPF_CORE_READ(aux, prog);
	return refuse_if(!guard || (target && uses_policy_map(BPF_CORE_READ(target, aux))) ||
			 overrules(guard, prog, BPF_CORE_READ(aux, attach_btf_id)),
			 PSC_GUARD_LOAD);
}

SEC("?lsm/bpf_prog_load")
int BPF_PROG(psc_g_load, struct bpf_prog *prog)
{
	return guard_load(BPF_CORE_READ(prog, aux));
}

SEC("?lsm/bpf_prog_alloc_security")
int BPF_PROG(psc_g_alloc, struct bpf_prog_aux *aux)
{
	return guard_load(aux);
}

/*
 * Nobody gets a descriptor of our programs but of psc_ctl: psc_g_sysctl could be
 * detached with it, others called or extended. Tools that list programs go on at
 * ENOENT. And what was being loaded when the guards were armed is looked at again
 * here, when it gets its descriptor; so is what only the verifier can know of it.
 */
static __always_inline int guard_prog(struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux;
	struct guarded *guard;

	if (!locked_in_order())
		return 0;
	aux = BPF_CORE_READ(prog, aux);
	if (!uses_policy_map(aux))
		return guard_load(aux);
	guard = guarded();
	if (guard && BPF_CORE_READ(aux, load_time) < guard->armed)
		return prog->type == BPF_PROG_TYPE_SYSCALL ? 0 : -ENOENT;
	return refuse_if(true, PSC_GUARD_PROG);
}

SEC("lsm/bpf_prog")
int BPF_PROG(psc_g_prog, struct bpf_prog *prog)
{
	return guard_prog(prog);
}

static __always_inline int guard_map(struct bpf_map *map)
{
	return refuse_if(locked_in_order() && policy_map_index((__u64)map) >= 0, PSC_GUARD_MAP);
}

SEC("lsm/bpf_map")
int BPF_PROG(psc_g_map, struct bpf_map *map)
{
	return guard_map(map);
}

/* By id they are not there, so that tools that list all maps go on after them. */
static __always_inline int guard_id(int cmd, union bpf_attr *attr)
{
	if (cmd != BPF_MAP_GET_FD_BY_ID || !locked())
		return 0;
	return is_policy_map_id(attr->map_id) ? -ENOENT : 0;
}

SEC("lsm/bpf")
int BPF_PROG(psc_g_id, int cmd, union bpf_attr *attr)
{
	return guard_id(cmd, attr);
}

static __always_inline bool is_pin_dir(struct inode *inode)
{
	struct guarded *guard = guarded();
	struct dentry *dir = guard ? (struct dentry *)guard->dir : NULL;

	return !dir || inode == BPF_CORE_READ(dir, d_inode);
}

SEC("lsm/inode_unlink")
int BPF_PROG(psc_g_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret || !locked())
		return ret;
	return refuse_if(is_pin_dir(dir), PSC_GUARD_UNLINK);
}

/* Removing a directory takes what is mounted on it in other mount namespaces along. */
SEC("lsm/inode_rmdir")
int BPF_PROG(psc_g_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	struct guarded *guard;

	if (ret || !locked())
		return ret;
	guard = guarded();
	return refuse_if(!guard || leads_to_pins(NULL, dentry, guard), PSC_GUARD_RMDIR);
}

SEC("lsm/inode_rename")
int BPF_PROG(psc_g_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry)
{
	struct guarded *guard;

	if (!locked())
		return 0;
	guard = guarded();
	return refuse_if(!guard || is_pin_dir(old_dir) || is_pin_dir(new_dir) ||
			 leads_to_pins(NULL, old_dentry, guard) ||
			 leads_to_pins(NULL, new_dentry, guard), PSC_GUARD_RENAME);
}

/* Another name of a file in the same bpffs: it may be one of a pin. */
static __always_inline bool is_link(struct dentry *dentry, struct dentry *dir)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	return BPF_CORE_READ(inode, i_sb) == BPF_CORE_READ(dir, d_sb) &&
	       BPF_CORE_READ(inode, i_nlink) > 1 &&
	       (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG;
}

/* Is it the directory of the pins, one of them, or what the directory is in? */
static __always_inline bool is_pin(struct dentry *dentry, const struct guarded *guard)
{
	struct dentry *dir = (struct dentry *)guard->dir;

	return dentry == dir || dentry == BPF_CORE_READ(dir, d_parent) ||
	       BPF_CORE_READ(dentry, d_parent) == dir || is_link(dentry, dir);
}

/*
 * A daemon that starts later must be able to open the pins, and has no CAP_DAC_OVERRIDE.
 * The dentry is the first argument, since 6.9 the second; the other one is none.
 */
SEC("lsm/inode_setattr")
int psc_g_attr(unsigned long long *ctx)
{
	struct guarded *guard;

	if (!locked())
		return 0;
	guard = guarded();
	return refuse_if(!guard || is_pin((void *)ctx[0], guard) || is_pin((void *)ctx[1], guard),
			 PSC_GUARD_ATTR);
}

SEC("lsm/sb_umount")
int BPF_PROG(psc_g_umount, struct vfsmount *mnt, int flags, int ret)
{
	struct guarded *guard;

	if (ret || !locked())
		return ret;
	guard = guarded();
	return refuse_if(!guard || carries_pins(mount_of(mnt), (struct mount *)guard->mount),
			 PSC_GUARD_UMOUNT);
}

/* mount(2), in the order in which path_mount() of fs/namespace.c looks at the flags. */
SEC("lsm/sb_mount")
int BPF_PROG(psc_g_mount, const char *device, const struct path *path, const char *type,
	     unsigned long flags, void *data, int ret)
{
	struct guarded *guard;
	struct mount *mount;

	if (ret || !locked())
		return ret;
	guard = guarded();
	if (!guard)
		return refuse_if(true, PSC_GUARD_MOUNT);
	mount = mount_of(BPF_CORE_READ(path, mnt));
	if (flags & MS_REMOUNT)
		return refuse_if((__u64)mount == guard->mount, PSC_GUARD_REMOUNT);
	if (!(flags & MS_BIND)) {
		if (flags & MS_PROPAGATION)
			return 0;
		/* What is moved is not told here: it is in the namespace of the place. */
		if (flags & MS_MOVE && same_namespace(mount, (struct mount *)guard->mount))
			return refuse_if(true, PSC_GUARD_MOVE);
	}
	return refuse_if(leads_to_pins(mount, BPF_CORE_READ(path, dentry), guard), PSC_GUARD_MOUNT);
}

/*
 * move_mount(2), the last step of every mount by the newer system calls. It can also make
 * a mount a peer of another, so that an unmounting that was allowed a moment ago propagates.
 */
SEC("lsm/move_mount")
int BPF_PROG(psc_g_move, const struct path *from, const struct path *to, int ret)
{
	struct mount *moved, *pins;
	struct guarded *guard;

	if (ret || !locked())
		return ret;
	guard = guarded();
	if (!guard)
		return refuse_if(true, PSC_GUARD_MOVE);
	moved = mount_of(BPF_CORE_READ(from, mnt));
	pins = (struct mount *)guard->mount;
	/* The kernel does not let one be moved away whose parent propagates. */
	if (is_below(pins, moved) || (may_join(moved, to) && reaches_pins(moved, pins)))
		return refuse_if(true, PSC_GUARD_MOVE);
	return refuse_if(leads_to_pins(mount_of(BPF_CORE_READ(to, mnt)),
				       BPF_CORE_READ(to, dentry), guard), PSC_GUARD_MOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(psc_g_pivot, const struct path *old_path, const struct path *new_path, int ret)
{
	struct guarded *guard;

	if (ret || !locked())
		return ret;
	guard = guarded();
	return refuse_if(!guard || same_namespace(mount_of(BPF_CORE_READ(new_path, mnt)),
						  (struct mount *)guard->mount), PSC_GUARD_MOVE);
}

SEC("lsm/sb_remount")
int BPF_PROG(psc_g_remount, struct super_block *sb, void *options, int ret)
{
	struct guarded *guard;
	struct dentry *dir;

	if (ret || !locked())
		return ret;
	guard = guarded();
	dir = guard ? (struct dentry *)guard->dir : NULL;
	return refuse_if(!dir || sb == BPF_CORE_READ(dir, d_sb), PSC_GUARD_REMOUNT);
}

/*
 * BPF LSM programs hang on ftrace, and kernel.ftrace_enabled=0 would silently
 * take all of them out of force. This one hangs on the root cgroup. The name it
 * looks for is in the instructions: a string would be in a map.
 */
SEC("?cgroup/sysctl")
int psc_g_sysctl(struct bpf_sysctl *ctx)
{
	__u64 name[3] = {};

	/* A longer name does not fit, and is another. */
	if (!ctx->write || !locked() ||
	    bpf_sysctl_get_name(ctx, (char *)name, sizeof(name), 0) < 0 ||
	    name[0] != EIGHT('k', 'e', 'r', 'n', 'e', 'l', '/', 'f') ||
	    name[1] != EIGHT('t', 'r', 'a', 'c', 'e', '_', 'e', 'n') ||
	    name[2] != EIGHT('a', 'b', 'l', 'e', 'd', 0, 0, 0))
		return 1;
	report_tamper(PSC_GUARD_SYSCTL);
	return 0;
}

/*
 * The anchor. Loaded just before the first floor; for the kernel 1 is "go on", 0 an error,
 * EPERM if no other is set.
 */
#define BPF_FUNC_SET_RETVAL 187	/* include/uapi/linux/bpf.h */

/* The verifier looks at all 64 bits of the argument, which is an int. */
static __always_inline void set_error(__u64 error)
{
	long (*set_retval)(__s64) = (void *)BPF_FUNC_SET_RETVAL;

	barrier_var(error);
	error &= 0xfff;
	set_retval(-(__s64)error);
}

SEC("?lsm_cgroup/ptrace_access_check")
int BPF_PROG(psc_a_access, struct task_struct *tracee, unsigned int access)
{
	anchor_look(&psc_state);
	return access_check(ctx, access) ? 0 : 1;
}

SEC("?lsm_cgroup/ptrace_traceme")
int BPF_PROG(psc_a_traceme, struct task_struct *parent)
{
	anchor_look(&psc_state);
	return traceme_check(parent) ? 0 : 1;
}

SEC("?lsm_cgroup/bpf_prog_load")
int BPF_PROG(psc_a_load, struct bpf_prog *prog)
{
	return guard_load(BPF_CORE_READ(prog, aux)) ? 0 : 1;
}

SEC("?lsm_cgroup/bpf_prog_alloc_security")
int BPF_PROG(psc_a_alloc, struct bpf_prog_aux *aux)
{
	return guard_load(aux) ? 0 : 1;
}

SEC("?lsm_cgroup/bpf_prog")
int BPF_PROG(psc_a_prog, struct bpf_prog *prog)
{
	int err = guard_prog(prog);

	if (err == -ENOENT)
		set_error(ENOENT);
	return err ? 0 : 1;
}

SEC("?lsm_cgroup/bpf_map")
int BPF_PROG(psc_a_map, struct bpf_map *map)
{
	return guard_map(map) ? 0 : 1;
}

SEC("?lsm_cgroup/bpf")
int BPF_PROG(psc_a_id, int cmd, union bpf_attr *attr)
{
	__u32 mode = cmd == BPF_MAP_GET_FD_BY_ID ? attr->map_id - PSC_ANCHOR_ID : PSC_MODE_SLOTS;
	union psc_policy policy;
	__u64 answer = PSC_ANCHOR_ERRNO;

	if (mode < PSC_MODE_SLOTS) {
		anchor_look(&psc_state);
		policy = policy_for_all(&psc_state);
		for (__u32 i = 0; i < PSC_MODE_SLOTS; i++)
			if (i == mode)
				answer += (policy.scope[i] & 15) * 16 + (policy.floor[i] & 15);
		set_error(answer);
		return 0;
	}
	if (!guard_id(cmd, attr))
		return 1;
	set_error(ENOENT);
	return 0;
}

/* Which programs are there that the guards would refuse? */
SEC("?iter/bpf_prog")
int psc_scan(struct bpf_iter__bpf_prog *ctx)
{
	struct psc_found_prog found = { .map = PSC_POLICY_MAPS };
	struct guarded *guard = guarded();
	struct bpf_prog *prog = ctx->prog;
	struct bpf_prog_aux *aux;
	__u64 map;
	int index;

	if (!prog || !guard)
		return 0;
	aux = prog->aux;
	found.id = aux->id;
	found.refs = aux->refcnt.counter - 1;	/* the iterator's own */
	bpf_core_read(found.name, sizeof(found.name), &aux->name);
	if (overrules(guard, prog, aux->attach_btf_id))
		bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	for (__u32 i = 0; i < USED_MAPS_MAX && i < aux->used_map_cnt; i++) {
		if (bpf_probe_read_kernel(&map, sizeof(map), &aux->used_maps[i]))
			continue;
		index = policy_map_word((one_word *)&map);
		if (index < 0)
			continue;
		found.map = index;
		bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	}
	return 0;
}

/* And who holds the policy's maps, or is about to let go of what keeps them? */
SEC("?iter/bpf_map")
int psc_scan_maps(struct bpf_iter__bpf_map *ctx)
{
	struct psc_found_map found = {};
	struct guarded *guard = guarded();
	struct bpf_map *map = ctx->map;
	int index = policy_map_index((__u64)map);

	if (!map || index < 0 || !guard)
		return 0;
	found.index = index;
	/* In this order: who removes a pin now could have done so after we saw it. */
	found.is = way_is_changing(guard) ? PSC_FOUND_CHANGING : 0;
	found.is |= is_pinned(guard, (__u64)map) ? PSC_FOUND_PINNED : 0;
	/* Once, as users can make the walk for that long. */
	found.is |= index == PSC_MAP_STATE && ftrace_is_written() ? PSC_FOUND_SWITCHING : 0;
	found.refs = map->refcnt.counter - 1;	/* the iterator's own */
	found.users = map->usercnt.counter;
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	return 0;
}
