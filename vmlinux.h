/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types, trimmed to what the BPF programs read. Every access is
 * relocated by libbpf against the running kernel's BTF (CO-RE), so neither the
 * order of the members nor what is left out matters, and one file serves every
 * architecture. To read another field, add it here with its kernel type; types
 * of which only the address is used are declared and left empty.
 *
 * `make VMLINUX_H=FILE` builds against a full header instead, as made by
 * `bpftool btf dump file /sys/kernel/btf/vmlinux format c`.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u8 u8;
typedef __u16 u16;
typedef __s32 s32;
typedef __s64 s64;
typedef __u32 u32;
typedef __u64 u64;

typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};

enum {
	BPF_F_NO_PREALLOC = 1,
};

enum {
	BPF_SK_STORAGE_GET_F_CREATE = 1,
};

enum {
	BPF_RB_AVAIL_DATA = 0,
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

typedef struct {
	uid_t val;
} kuid_t;

typedef struct {
	gid_t val;
} kgid_t;

struct ns_common {
	unsigned int inum;
};

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
	struct ns_common ns;
};

/* Capability sets as they are since 6.3; before: see bpf/compat.bpf.h. */
struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	struct {
		u64 val;
	} cap_permitted;
	struct {
		u64 val;
	} cap_effective;
	struct user_namespace *user_ns;
};

struct seccomp {
	int mode;
};

struct mm_struct {
	unsigned long flags;
	struct user_namespace *user_ns;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct xarray {
	void *xa_head;
};

struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
};

struct pid_namespace {
	struct idr idr;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};

struct list_head {
	struct list_head *next;
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct kernfs_elem_dir {
	struct rb_root children;
	unsigned long rev;
};

struct kernfs_iattrs {
	kuid_t ia_uid;
	kgid_t ia_gid;
};

struct kernfs_node {
	u64 id;
	unsigned short flags;
	unsigned short mode;
	struct kernfs_iattrs *iattr;
	const char *name;
	void *priv;
	unsigned int hash;
	struct rb_node rb;
	union {
		struct kernfs_elem_dir dir;
	};
};

struct kernfs_root {
	struct idr ino_idr;
};

struct cgroup_subsys_state {
	unsigned int flags;
	struct list_head sibling;
	struct list_head children;
	u64 serial_nr;
};

struct cgroup_root {
	struct kernfs_root *kf_root;
	int hierarchy_id;
};

struct bpf_prog_array_item {
	struct bpf_prog *prog;
};

struct bpf_prog_array {
	struct bpf_prog_array_item items[0];
};

struct cgroup_bpf {
	struct bpf_prog_array *effective[0];
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct cgroup *dom_cgrp;
	struct cgroup_bpf bpf;
	struct cgroup *ancestors[];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cgroup_namespace {
	struct css_set *root_cset;
};

struct nsproxy {
	struct cgroup_namespace *cgroup_ns;
};

struct signal_struct {
	int nr_threads;
	struct list_head thread_head;
};

struct super_block {
	unsigned long s_magic;
};

struct mnt_namespace {
};

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

struct rw_semaphore {
	atomic_long_t count;
};

struct inode {
	unsigned short i_mode;
	unsigned int i_nlink;
	struct super_block *i_sb;
	struct rw_semaphore i_rwsem;
	atomic_t i_writecount;
	void *i_private;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct inode *d_inode;
	struct super_block *d_sb;
	struct hlist_head d_children;	/* since 6.8; before, the two below */
	struct hlist_node d_sib;
	struct list_head d_subdirs;
	struct list_head d_child;
};

struct ctl_table {
	const char *procname;
	void *data;
};

struct ctl_table_header {
	int used;
	struct hlist_head inodes;
};

struct proc_inode {
	struct ctl_table_header *sysctl;
	struct ctl_table *sysctl_entry;
	struct hlist_node sibling_inodes;
	struct inode vfs_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts;
	struct list_head mnt_child;
	struct list_head mnt_share;
	struct mount *mnt_master;
	struct mnt_namespace *mnt_ns;
	int mnt_group_id;
};

/* The context of a cgroup/sysctl program, include/uapi/linux/bpf.h. */
struct bpf_sysctl {
	__u32 write;
	__u32 file_pos;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct bpf_map {
	enum bpf_map_type map_type;
	u32 id;
	atomic64_t refcnt;
	atomic64_t usercnt;
};

enum bpf_cmd {
	BPF_MAP_GET_FD_BY_ID = 14,
};

struct bpf_array {
	char value[0];
};

enum bpf_attach_type {
	BPF_CGROUP_SYSCTL = 18,
	BPF_MODIFY_RETURN = 26,
	BPF_LSM_MAC = 27,
	BPF_TRACE_ITER = 28,
	BPF_LSM_CGROUP = 43,
};

enum bpf_prog_type {
	BPF_PROG_TYPE_CGROUP_SYSCTL = 23,
	BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE = 24,
	BPF_PROG_TYPE_TRACING = 26,
	BPF_PROG_TYPE_EXT = 28,
	BPF_PROG_TYPE_SYSCALL = 31,
};

struct bpf_prog {
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	struct bpf_prog_aux *aux;
};

struct seq_file {
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

struct bpf_link {
	u32 id;
	struct bpf_prog *prog;
};

struct bpf_iter__bpf_link {
	struct bpf_iter_meta *meta;
	struct bpf_link *link;
};

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
};

struct bpf_prog_aux {
	atomic64_t refcnt;
	char name[16];
	u32 used_map_cnt;
	u64 load_time;
	u32 id;
	u32 attach_btf_id;
	bool kprobe_write_ctx;
	enum bpf_prog_type saved_dst_prog_type;
	enum bpf_attach_type saved_dst_attach_type;
	struct bpf_prog *dst_prog;
	struct bpf_prog *prog;
	struct bpf_map **used_maps;
};

struct task_struct {
	unsigned int flags;
	unsigned int ptrace;
	pid_t pid;
	pid_t tgid;
	int exit_state;
	unsigned long atomic_flags;
	struct mm_struct *mm;
	struct seccomp seccomp;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct list_head thread_node;
	u64 start_boottime;
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct files_struct *files;
	struct nsproxy *nsproxy;
};

struct sock {
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

/* An interface of user space, which does not change: the member of BPF_MAP_GET_FD_BY_ID. */
union bpf_attr {
	__u32 map_id;
};

#endif
