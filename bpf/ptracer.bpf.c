// SPDX-License-Identifier: GPL-2.0-only
/*
 * What PR_SET_PTRACER does, and what is forgotten of a task that has ended.
 *
 *   psc_prctl      lsm/task_prctl                 PR_SET_PTRACER
 *   psc_task_gone  tp_btf/sched_process_free      forgets a task that is dead and reaped
 *   psc_task_free  lsm/task_free                  and one whose fork failed
 */
#include "relation.bpf.h"
#include "report.bpf.h"
#include "stick.bpf.h"

/* include/uapi/linux/prctl.h */
#define PR_SET_PTRACER 0x59616d61

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
