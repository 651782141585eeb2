// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the pins are protected under a floor: the guards of paths and mounts.
 *
 *   psc_g_unlink   lsm/inode_unlink               the pins stay,
 *   psc_g_rmdir    lsm/inode_rmdir                so does their directory,
 *   psc_g_rename   lsm/inode_rename               under its name,
 *   psc_g_attr     lsm/inode_setattr              with its owner and mode,
 *   psc_g_umount   lsm/sb_umount                  on its mount, with all mounts above it,
 *   psc_g_mount    lsm/sb_mount                   and nothing comes in between:
 *   psc_g_move     lsm/move_mount                 by no way of mounting
 *   psc_g_pivot    lsm/sb_pivotroot               and of moving,
 *   psc_g_remount  lsm/sb_remount                 nor with other options
 */
#include "guard_mount.bpf.h"

/* include/uapi/linux/mount.h */
#define MS_REMOUNT (1 << 5)
#define MS_BIND (1 << 12)
#define MS_MOVE (1 << 13)
#define MS_PROPAGATION (0xf << 17)	/* unbindable, private, slave, shared */

static __always_inline bool is_pin_dir(struct inode *inode)
{
	struct guarded *guard = guarded();
	struct dentry *dir = guard ? (struct dentry *)guard->dir : NULL;

	return !dir || inode == BPF_CORE_READ(dir, d_inode);
}

SEC("lsm/inode_unlink")
int BPF_PROG(psc_g_unlink, struct inode *dir, struct dentry *dentry)
{
	if (!guards_armed())
		return 0;
	return refuse_if(is_pin_dir(dir), PSC_GUARD_UNLINK);
}

/* Removing a directory takes what is mounted on it in other mount namespaces along. */
SEC("lsm/inode_rmdir")
int BPF_PROG(psc_g_rmdir, struct inode *dir, struct dentry *dentry)
{
	struct guarded *guard;

	if (!guards_armed())
		return 0;
	guard = guarded();
	return refuse_if(!guard || leads_to_pins(NULL, dentry, guard), PSC_GUARD_RMDIR);
}

SEC("lsm/inode_rename")
int BPF_PROG(psc_g_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry)
{
	struct guarded *guard;

	if (!guards_armed())
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

	if (!guards_armed())
		return 0;
	guard = guarded();
	return refuse_if(!guard || is_pin((void *)ctx[0], guard) || is_pin((void *)ctx[1], guard),
			 PSC_GUARD_ATTR);
}

SEC("lsm/sb_umount")
int BPF_PROG(psc_g_umount, struct vfsmount *mnt, int flags)
{
	struct guarded *guard;

	if (!guards_armed())
		return 0;
	guard = guarded();
	return refuse_if(!guard || carries_pins(mount_of(mnt), (struct mount *)guard->mount),
			 PSC_GUARD_UMOUNT);
}

/* mount(2), in the order in which path_mount() of fs/namespace.c looks at the flags. */
SEC("lsm/sb_mount")
int BPF_PROG(psc_g_mount, const char *device, const struct path *path, const char *type,
	     unsigned long flags, void *data)
{
	struct guarded *guard;
	struct mount *mount;

	if (!guards_armed())
		return 0;
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
int BPF_PROG(psc_g_move, const struct path *from, const struct path *to)
{
	struct mount *moved, *pins;
	struct guarded *guard;

	if (!guards_armed())
		return 0;
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
int BPF_PROG(psc_g_pivot, const struct path *old_path, const struct path *new_path)
{
	struct guarded *guard;

	if (!guards_armed())
		return 0;
	guard = guarded();
	return refuse_if(!guard || same_namespace(mount_of(BPF_CORE_READ(new_path, mnt)),
						  (struct mount *)guard->mount), PSC_GUARD_MOVE);
}

SEC("lsm/sb_remount")
int BPF_PROG(psc_g_remount, struct super_block *sb, void *options)
{
	struct guarded *guard;
	struct dentry *dir;

	if (!guards_armed())
		return 0;
	guard = guarded();
	dir = guard ? (struct dentry *)guard->dir : NULL;
	return refuse_if(!dir || sb == BPF_CORE_READ(dir, d_sb), PSC_GUARD_REMOUNT);
}
