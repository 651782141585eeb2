/* SPDX-License-Identifier: GPL-2.0-only */
/* What keeps root from taking the programs away once there is a floor. */
#ifndef PSC_GUARD_BPF_H
#define PSC_GUARD_BPF_H

#include "maps.bpf.h"
#include "ptracescope_policy.h"

#define USED_MAPS_MAX 64	/* MAX_USED_MAPS, include/linux/bpf_verifier.h */
#define MOUNTS_DEEP 32		/* mounts on mounts above the pins that are looked at */
#define MASTERS_MAX 16		/* levels of mount propagation */
#define PEERS_MAX (1 << 16)	/* mounts in all mount namespaces that receive from another */
#define CHILDREN_MAX (1 << 17)	/* mounts on a mount; fs.mount-max is 100,000 */
#define PATH_DEEP 64		/* components of the path of the pins */

/* Eight characters as the word that they are in memory: a string would be in a map. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FOUR(a, b, c, d) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24)
#define EIGHT(a, b, c, d, e, f, g, h) (FOUR(a, b, c, d) | FOUR(e, f, g, h) << 32)
#else
#define FOUR(a, b, c, d) ((__u64)(d) | (__u64)(c) << 8 | (__u64)(b) << 16 | (__u64)(a) << 24)
#define EIGHT(a, b, c, d, e, f, g, h) (FOUR(a, b, c, d) << 32 | FOUR(e, f, g, h))
#endif

static __always_inline struct guarded *guarded(void)
{
	return bpf_map_lookup_elem(&psc_guarded, &(__u32){ 0 });
}

/*
 * Is anything locked, or about to be? Armed the guards stay until psc_ctl disarms them, which
 * it does not once there is a floor. So this is one word, read once, and no clock: whoever
 * finds them resting has come before they were armed, however long he is held up afterwards.
 */
static __always_inline bool locked(void)
{
	struct guarded *guard = guarded();

	return !guard || *(volatile __u64 *)&guard->armed;
}

/* The same, asked after all that the caller's system call has stored: psc_scan sees that. */
static __always_inline bool locked_in_order(void)
{
	read_barrier();
	return locked();
}

/*
 * There is going to be a floor, global or of a cgroup. The first one is worth
 * something only if nothing stands against it, and if nothing can have come since
 * that was looked for. Return: 0 or -PSC_E_CANCELED.
 */
static __always_inline int lock_first(struct state *state, __u64 armed)
{
	const struct guarded *guard = guarded();

	if (state->locked)
		return 0;
	if (!guard || !armed || guard->armed != armed)
		return -PSC_E_CANCELED;
	state->locked = 1;
	return 0;
}

/* A variable is the only element of the array that is its map. */
static __always_inline struct bpf_map *state_map(void)
{
	return (void *)&psc_state - bpf_core_field_offset(struct bpf_array, value);
}

/* The others of the policy's maps: what decides verdicts, and what is reported of them. */
#define POLICY_TABLES(DO) \
	DO(PSC_MAP_GUARDED, psc_guarded) \
	DO(PSC_MAP_CGROUPS, psc_cgroups) \
	DO(PSC_MAP_PATTERNS, psc_patterns) \
	DO(PSC_MAP_STUCK, psc_stuck) \
	DO(PSC_MAP_RESERVE, psc_reserve) \
	DO(PSC_MAP_RELATIONS, psc_relations) \
	DO(PSC_MAP_TRACERS, psc_tracers) \
	DO(PSC_MAP_SERIAL, psc_serial) \
	DO(PSC_MAP_WINDOW, psc_window) \
	DO(PSC_MAP_STATS, psc_stats)

/* Which of the policy's maps is it? Or -1. */
static __always_inline int policy_map_index(__u64 map)
{
#define IS(index, table) \
	if (map == (__u64)&(table)) \
		return index;
	if (map == (__u64)state_map())
		return PSC_MAP_STATE;
	POLICY_TABLES(IS)
#undef IS
	return -1;
}

/* The same for who asks in a loop: the verifier looks at the comparisons once. */
__noinline int policy_map_word(one_word *map)
{
	return map ? policy_map_index((*map)[0]) : -1;
}

static __always_inline bool is_policy_map_id(__u32 id)
{
#define OR_HAS_ID(index, table) || id == ((struct bpf_map *)&(table))->id
	return id == BPF_CORE_READ(state_map(), id) POLICY_TABLES(OR_HAS_ID);
#undef OR_HAS_ID
}

struct used_walk {
	struct bpf_map **maps;
	__u32 n;
	bool found;
};

static long used_step(__u32 i, struct used_walk *walk)
{
	__u64 map;

	if (i >= walk->n)
		return 1;
	walk->found = bpf_probe_read_kernel(&map, sizeof(map), &walk->maps[i]) ||
		      policy_map_index(map) >= 0;
	return walk->found;
}

/* Does the program use one of these maps? Ours all do, and so would one that writes them. */
static __always_inline bool uses_policy_map(struct bpf_prog_aux *aux)
{
	struct used_walk walk = {
		.maps = BPF_CORE_READ(aux, used_maps), .n = BPF_CORE_READ(aux, used_map_cnt),
	};

	bpf_loop(USED_MAPS_MAX, used_step, &walk, 0);
	return walk.found;
}

/*
 * A walk of its own: where one step asked for either, the verifier went through its ways so
 * often that a start took four times as many instructions.
 */
static long array_step(__u32 i, struct used_walk *walk)
{
	struct bpf_map *map;

	if (i >= walk->n)
		return 1;
	walk->found = bpf_probe_read_kernel(&map, sizeof(map), &walk->maps[i]) ||
		      BPF_CORE_READ(map, map_type) == BPF_MAP_TYPE_PROG_ARRAY;
	return walk->found;
}

/* Does it use an array of programs, and so call others in its place? */
static __always_inline bool tail_calls(struct bpf_prog_aux *aux)
{
	struct used_walk walk = {
		.maps = BPF_CORE_READ(aux, used_maps), .n = BPF_CORE_READ(aux, used_map_cnt),
	};

	bpf_loop(USED_MAPS_MAX, array_step, &walk, 0);
	return walk.found;
}

/*
 * Does it write its context, the registers? Where kernels let programs of the kind kprobe do
 * so they look whether one is attached to a function of the kernel, but not whether one that
 * is attached there calls it: a kretprobe could have any function return what it likes.
 * Known when the verifier is through.
 */
static __always_inline bool writes_registers(struct bpf_prog_aux *aux)
{
	return bpf_core_field_exists(aux->kprobe_write_ctx) &&
	       BPF_CORE_READ(aux, kprobe_write_ctx);
}

/*
 * Could it write any of the kernel's memory? Programs on writable tracepoints, iterators over
 * elements and programs of the type syscall write through a pointer to a buffer. When the kernel
 * attaches or runs one, it compares the highest offset that the verifier saw with the size of
 * the buffer. It does not do so for a program that runs in the place of that one, after a tail
 * call or as its extension. The maps that a program uses are known after the verifier; the type
 * of an extension's target is saved, as the kernel drops the target when it attaches.
 */
static __always_inline bool writes_unmeasured(struct bpf_prog *prog, struct bpf_prog_aux *aux)
{
	enum bpf_attach_type kind = BPF_CORE_READ(prog, expected_attach_type);
	enum bpf_prog_type type = BPF_CORE_READ(prog, type);
	bool extends = type == BPF_PROG_TYPE_EXT;

	if (extends) {
		type = BPF_CORE_READ(aux, saved_dst_prog_type);
		kind = BPF_CORE_READ(aux, saved_dst_attach_type);
	}
	if (type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)
		return true;
	if (type != BPF_PROG_TYPE_SYSCALL &&
	    !(type == BPF_PROG_TYPE_TRACING && kind == BPF_TRACE_ITER))
		return false;
	return extends || tail_calls(aux);
}

/*
 * A program that decides the result of a function which our programs hang on, or
 * is asked beside them: fmod_ret programs are run instead of the function, and of
 * several LSM programs on a hook the one attached last is asked first and may end
 * it. Programs on sysctl can undo what another one has refused.
 */
static __always_inline bool overrules(const struct guarded *guard, struct bpf_prog *prog,
				      __u32 btf_id)
{
	enum bpf_attach_type kind = BPF_CORE_READ(prog, expected_attach_type);
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);

	/* By its type: such a program is attached whatever it says that it is loaded for. */
	if (BPF_CORE_READ(prog, type) == BPF_PROG_TYPE_CGROUP_SYSCTL)
		return true;
	if (writes_registers(aux) || writes_unmeasured(prog, aux))
		return true;
	if (kind != BPF_MODIFY_RETURN && kind != BPF_LSM_MAC && kind != BPF_LSM_CGROUP)
		return false;
	for (int i = 0; i < PSC_HOOKS_MAX; i++)
		if (btf_id && btf_id == guard->hooks[i])
			return true;
	return false;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* The walk from a mount to the masters it receives from. */
struct master_walk {
	struct mount *from, *to;
	int group;			/* of peers that @from is in, or 0 */
};

static long master_step(__u32 i, struct master_walk *walk)
{
	struct mount *to = walk->to;

	if (!to || to == walk->from ||
	    (walk->group && BPF_CORE_READ(to, mnt_group_id) == walk->group))
		return 1;
	walk->to = BPF_CORE_READ(to, mnt_master);
	return 0;
}

/* Does what is mounted below @from appear below @to as well, by mount propagation? */
static __always_inline bool propagates(struct mount *from, struct mount *to)
{
	struct master_walk walk = {
		.from = from, .to = to, .group = BPF_CORE_READ(from, mnt_group_id),
	};

	bpf_loop(MASTERS_MAX, master_step, &walk, 0);
	return walk.to;
}

/*
 * The walk over all that an unmounting could take the pins away with: for each mount
 * from that of the pins up to the root, every mount from which unmounting propagates
 * to its parent, and what is mounted there in the same place.
 */
struct umount_walk {
	struct mount *victim;
	struct mount *on;		/* the one of the pins, or above it, reached so far */
	struct dentry *point;		/* where it is mounted */
	struct mount *peer, *first;	/* mounts that its parent receives from */
	__u64 node, head;		/* list of children of that peer */
	struct mount *child;		/* the one in the same place, or NULL */
	bool takes;
};

static long child_step(__u32 i, struct umount_walk *walk)
{
	struct list_head *node = (void *)walk->node;
	struct mount *child = (void *)walk->node - bpf_core_field_offset(struct mount, mnt_child);

	if (walk->node == walk->head)
		return 1;
	if (BPF_CORE_READ(child, mnt_mountpoint) == walk->point) {
		walk->child = child;
		return 1;
	}
	walk->node = (__u64)BPF_CORE_READ(node, next);
	return 0;
}

struct below_walk {
	struct mount *mount, *victim;
	bool ended;			/* at the root */
};

static long below_step(__u32 i, struct below_walk *walk)
{
	struct mount *mount = walk->mount, *parent = BPF_CORE_READ(mount, mnt_parent);

	if (mount == walk->victim)
		return 1;
	walk->ended = parent == mount;
	walk->mount = parent;
	return parent == mount;
}

/* Is @mount @victim, or mounted somewhere below it, or too far below something? */
static __always_inline bool is_below(struct mount *mount, struct mount *victim)
{
	struct below_walk walk = { .mount = mount, .victim = victim };

	bpf_loop(MOUNTS_DEEP, below_step, &walk, 0);
	return !walk.ended;
}

static long peer_step(__u32 i, struct umount_walk *walk)
{
	struct mount *peer = walk->peer;

	walk->child = NULL;
	walk->head = (__u64)peer + bpf_core_field_offset(struct mount, mnt_mounts);
	walk->node = (__u64)BPF_CORE_READ(peer, mnt_mounts.next);
	if (bpf_loop(CHILDREN_MAX, child_step, walk, 0) == CHILDREN_MAX ||
	    (walk->child && is_below(walk->child, walk->victim))) {
		walk->takes = true;
		return 1;
	}
	peer = (void *)BPF_CORE_READ(peer, mnt_share.next) -
	       bpf_core_field_offset(struct mount, mnt_share);
	if (peer == walk->first) {	/* all of this group: on to that of its master */
		peer = BPF_CORE_READ(peer, mnt_master);
		walk->first = peer;
	}
	walk->peer = peer;
	return !peer;
}

static long mount_step(__u32 i, struct umount_walk *walk)
{
	struct mount *on = walk->on, *parent = BPF_CORE_READ(on, mnt_parent);

	if (on == walk->victim)
		walk->takes = true;
	if (walk->takes || parent == on)
		return 1;
	walk->point = BPF_CORE_READ(on, mnt_mountpoint);
	walk->first = parent;
	walk->peer = parent;
	if (bpf_loop(PEERS_MAX, peer_step, walk, 0) == PEERS_MAX)
		walk->takes = true;
	walk->on = parent;
	return 0;
}

/*
 * Would unmounting @victim, with all that is mounted on it, take the mount of the pins
 * away? From other mount namespaces, and from other places in this one, it would by
 * propagation. Whatever is too large to be looked at would.
 */
static __always_inline bool carries_pins(struct mount *victim, struct mount *pins)
{
	struct umount_walk walk = { .victim = victim, .on = pins };

	return bpf_loop(MOUNTS_DEEP, mount_step, &walk, 0) == MOUNTS_DEEP || walk.takes;
}

/* The walk from the mount of the pins up to the root. */
struct reach_walk {
	struct mount *from, *on;
	bool reaches;
};

static long reach_step(__u32 i, struct reach_walk *walk)
{
	struct mount *on = walk->on, *parent = BPF_CORE_READ(on, mnt_parent);

	walk->reaches = propagates(walk->from, on);
	walk->on = parent;
	return walk->reaches || parent == on;
}

/* Does what is mounted below @from appear below the mount of the pins, or below one above it? */
static __always_inline bool reaches_pins(struct mount *from, struct mount *pins)
{
	struct reach_walk walk = { .from = from, .on = pins };

	return bpf_loop(MOUNTS_DEEP, reach_step, &walk, 0) == MOUNTS_DEEP || walk.reaches;
}

/*
 * Could move_mount(2) with MOVE_MOUNT_SET_GROUP make @to receive from where @from does?
 * The hook is not told the flag; the kernel wants the root of a mount of the same file system.
 */
static __always_inline bool may_join(struct mount *from, const struct path *to)
{
	struct mount *mount = mount_of(BPF_CORE_READ(to, mnt));

	return BPF_CORE_READ(to, dentry) == BPF_CORE_READ(mount, mnt.mnt_root) &&
	       BPF_CORE_READ(mount, mnt.mnt_sb) == BPF_CORE_READ(from, mnt.mnt_sb);
}

static __always_inline bool same_namespace(struct mount *one, struct mount *other)
{
	return BPF_CORE_READ(one, mnt_ns) == BPF_CORE_READ(other, mnt_ns);
}

/* The walk from the pins up to the root. */
struct place_walk {
	struct mount *mount;
	struct dentry *place;
	struct mount *on;		/* the mount reached so far, */
	struct dentry *step;		/* and the directory in it */
	bool leads;
};

static long place_step(__u32 i, struct place_walk *walk)
{
	struct mount *on = walk->on, *parent;
	struct dentry *step = walk->step;

	if (walk->place == step && (!walk->mount || propagates(walk->mount, on))) {
		walk->leads = true;
		return 1;
	}
	if (step != BPF_CORE_READ(on, mnt.mnt_root)) {
		walk->step = BPF_CORE_READ(step, d_parent);
		return 0;
	}
	parent = BPF_CORE_READ(on, mnt_parent);
	walk->step = BPF_CORE_READ(on, mnt_mountpoint);
	walk->on = parent;
	return parent == on;
}

/*
 * Is @place on the way from the root to the pins, or one of them? With a @mount: would
 * what is mounted there be in the way? What is too long to be looked at is.
 */
static __always_inline bool leads_to_pins(struct mount *mount, struct dentry *place,
					  const struct guarded *guard)
{
	struct place_walk walk = {
		.mount = mount, .place = place,
		.on = (struct mount *)guard->mount, .step = (struct dentry *)guard->dir,
		.leads = !guard->mount,
	};

	if (BPF_CORE_READ(place, d_parent) == walk.step)
		walk.step = place;
	return bpf_loop(PATH_DEEP, place_step, &walk, 0) == PATH_DEEP || walk.leads;
}

#endif
