// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is loaded just before a first floor, as an object of its own.
 *
 * To look around:
 *
 *   psc_scan       iter/bpf_prog                  which programs the guards would refuse
 *   psc_scan_maps  iter/bpf_map                   who refers to the policy's maps
 *   psc_scan_links iter/bpf_link                  which links have a pin
 *   psc_scan_root  iter/cgroup                    who refers to the programs of the root cgroup
 *   psc_grace      syscall                        its unloading waits for all that run
 *
 * On the root cgroup, for good:
 *
 *   psc_g_sysctl   cgroup/sysctl                  ftrace stays on
 *   psc_a_*        lsm_cgroup                     the second anchor, which judges and guards once
 *                                                 more, and does not end with the pins
 *   psc_a_gone     lsm_cgroup                     of which this one sees the pins go
 */
#include "anchor.bpf.h"
#include "guard_bpf.bpf.h"
#include "look.bpf.h"
#include "verdict.bpf.h"

/*
 * BPF LSM programs hang on ftrace, and kernel.ftrace_enabled=0 would silently
 * take all of them out of force. This one hangs on the root cgroup. The name it
 * looks for is in the instructions: a string would be in a map.
 */
SEC("cgroup/sysctl")
int psc_g_sysctl(struct bpf_sysctl *ctx)
{
	__u64 name[3] = {};

	/* A longer name does not fit, and is another. */
	if (!ctx->write || !guards_armed() ||
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

#define BPF_FS_MAGIC 0xcafe4a11		/* include/uapi/linux/magic.h */

/*
 * When an inode goes, which holds a link if it is the pin of one, and lets go of it afterwards.
 * Counts alone would not do: whoever asks for a map has a reference before he is refused it, and
 * can be made to stay there for as long as one likes. A link of ours has nothing but its pin, but
 * for who opens it: then it stays in force, but nothing tells for how long.
 */
static __always_inline void anchor_see(struct state *state, struct inode *inode)
{
	struct bpf_prog_aux *aux;
	struct bpf_link *link;
	struct bpf_prog *prog;

	if (!state->references || state->loose ||
	    BPF_CORE_READ(inode, i_sb, s_magic) != BPF_FS_MAGIC)
		return;
	/* Of another kind of pin this is not a link, and there is no such program. */
	link = BPF_CORE_READ(inode, i_private);
	prog = BPF_CORE_READ(link, prog);
	aux = BPF_CORE_READ(prog, aux);
	if (prog && BPF_CORE_READ(aux, prog) == prog && uses_policy_map(aux))
		anchor_bind_all(state);
}

/* Not an answer: a hook without a result. */
SEC("?lsm_cgroup/inode_free_security")
int BPF_PROG(psc_a_gone, struct inode *inode)
{
	anchor_see(&psc_state, inode);
	return 1;
}

/* Which programs are there that the guards would refuse? */
SEC("iter/bpf_prog")
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
SEC("iter/bpf_map")
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

/* Which links have a pin among ours? */
SEC("iter/bpf_link")
int psc_scan_links(struct bpf_iter__bpf_link *ctx)
{
	struct psc_found_link found = {};
	struct guarded *guard = guarded();
	struct bpf_link *link = ctx->link;

	if (!link || !guard || !is_pinned(guard, (__u64)link))
		return 0;
	found.id = link->id;
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	return 0;
}

/*
 * What of ours is on the root cgroup, and who holds it? Iterators over cgroups run with
 * cgroup_mutex held, as attaching and detaching do: both are seen in the same moment.
 */
SEC("iter/cgroup")
int psc_scan_root(struct bpf_iter__cgroup *ctx)
{
	struct root_walk walk = { .seq = ctx->meta->seq };
	struct cgroup *cgroup = ctx->cgroup;

	if (!cgroup || cgroup->level)
		return 0;
	walk.cgroup = (__u64)cgroup;
	bpf_loop(ATTACH_TYPES_MAX, root_kind_step, &walk, 0);
	return 0;
}

/*
 * Never run. As a program that may sleep it lets go of its map when all programs of either
 * kind have ended that ran when it was unloaded: of those that may sleep, which the kernel
 * waits for first. The iterators, which may not, see to the others.
 */
SEC("syscall")
int psc_grace(void *ctx)
{
	return psc_state.locked;
}
