/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the pins. A new program or map of the set is a row of it. */
#ifndef PSC_PINS_H
#define PSC_PINS_H

#include <linux/bpf.h>
#include <stdbool.h>

enum psc_pin_kind {
	PSC_PIN_MAP,
	PSC_PIN_PROG,
	PSC_PIN_LINK,
};

struct psc_pin {
	const char *name;	/* of the file, and of the map or program */
	const char *section;	/* the name of a map that is a section of variables */
	enum psc_pin_kind kind;
	bool frozen;		/* a map that only the programs may write */
	bool of_policy;		/* a map of the policy, which nobody may open under a floor */
	__u32 link_type;	/* enum bpf_link_type */
	__u32 attach_type;	/* enum bpf_attach_type, where the link has one */
	const char *hook;	/* the LSM hook, or the function of fentry */
	bool exclusive;		/* under a floor no BPF program of others may decide the hook */
	const char *before;	/* the program where the kernel lacks the hook of the first */
};

#define PSC_MAP_ .kind = PSC_PIN_MAP
#define PSC_FROZEN_MAP_ PSC_MAP_, .frozen = true
#define PSC_POLICY_MAP_ PSC_FROZEN_MAP_, .of_policy = true
#define PSC_PROG_ .kind = PSC_PIN_PROG
#define PSC_TRACEPOINT_ .kind = PSC_PIN_LINK, .link_type = BPF_LINK_TYPE_RAW_TRACEPOINT
#define PSC_TRACING_(type, function) \
	.kind = PSC_PIN_LINK, .link_type = BPF_LINK_TYPE_TRACING, .attach_type = (type), \
	.hook = (function)
/* On an LSM hook, which others may use as well. */
#define PSC_LSM_SHARED_(lsm_hook) PSC_TRACING_(BPF_LSM_MAC, lsm_hook)
/* On one that a verdict or a floor depends on: src/daemon/enforce/hooks.c. */
#define PSC_LSM_(lsm_hook) PSC_LSM_SHARED_(lsm_hook), .exclusive = true

/*
 * The maps of the policy come first, in the order of enum psc_policy_map. Links are attached in
 * the order of their rows: who records comes before who judges, and who forgets the dead before
 * who records the living.
 */
#define PSC_PIN_TABLE(PIN) \
	PIN(STATE, "psc_state", PSC_POLICY_MAP_, .section = ".data.psc_state") \
	PIN(GUARDED, "psc_guarded", PSC_POLICY_MAP_) \
	PIN(CGROUPS, "psc_cgroups", PSC_POLICY_MAP_) \
	PIN(PATTERNS, "psc_patterns", PSC_POLICY_MAP_) \
	PIN(CARRIED, "psc_carried", PSC_POLICY_MAP_) \
	PIN(RESERVE, "psc_reserve", PSC_POLICY_MAP_) \
	PIN(STICKY, "psc_sticky", PSC_POLICY_MAP_) \
	PIN(RELATIONS, "psc_relations", PSC_POLICY_MAP_) \
	PIN(TRACERS, "psc_tracers", PSC_POLICY_MAP_) \
	PIN(SERIAL, "psc_serial", PSC_POLICY_MAP_) \
	PIN(WINDOW, "psc_window", PSC_POLICY_MAP_) \
	PIN(STATS, "psc_stats", PSC_POLICY_MAP_) \
	PIN(FOUND, "psc_found", PSC_FROZEN_MAP_) \
	PIN(EVENTS, "psc_events", PSC_MAP_)		/* the reader writes its position */ \
	PIN(LISTENERS, "psc_listeners", PSC_MAP_)	/* the daemon marks its socket */ \
	PIN(PEERS, "psc_peers", PSC_FROZEN_MAP_) \
	PIN(CTL, "psc_ctl", PSC_PROG_) \
	PIN(SECTIONS, "psc_sections", PSC_PROG_) \
	PIN(FIND, "psc_find", PSC_PROG_) \
	PIN(EXPLAIN, "psc_explain", PSC_PROG_) \
	PIN(TASK_GONE, "psc_task_gone", PSC_TRACEPOINT_) \
	PIN(TASK_FREE, "psc_task_free", PSC_LSM_SHARED_("task_free")) \
	PIN(TASK_ALLOC, "psc_task_alloc", PSC_LSM_("task_alloc")) \
	PIN(TASK_NEW, "psc_task_new", PSC_TRACEPOINT_) \
	PIN(CG_ATTACH, "psc_cg_attach", PSC_TRACING_(BPF_TRACE_FENTRY, "cgroup_attach_task")) \
	PIN(CG_RMDIR, "psc_cg_rmdir", PSC_TRACEPOINT_) \
	PIN(CG_MKDIR, "psc_cg_mkdir", PSC_TRACEPOINT_) \
	PIN(PRCTL, "psc_prctl", PSC_LSM_("task_prctl")) \
	PIN(CONNECT, "psc_connect", PSC_LSM_SHARED_("unix_stream_connect")) \
	PIN(TRACEME, "psc_traceme", PSC_LSM_("ptrace_traceme")) \
	PIN(ACCESS, "psc_access", PSC_LSM_("ptrace_access_check")) \
	PIN(G_LOAD, "psc_g_load", PSC_LSM_SHARED_("bpf_prog_load"), .before = "psc_g_alloc") \
	PIN(G_PROG, "psc_g_prog", PSC_LSM_("bpf_prog")) \
	PIN(G_MAP, "psc_g_map", PSC_LSM_("bpf_map")) \
	PIN(G_ID, "psc_g_id", PSC_LSM_("bpf")) \
	PIN(G_UNLINK, "psc_g_unlink", PSC_LSM_("inode_unlink")) \
	PIN(G_RMDIR, "psc_g_rmdir", PSC_LSM_("inode_rmdir")) \
	PIN(G_RENAME, "psc_g_rename", PSC_LSM_("inode_rename")) \
	PIN(G_ATTR, "psc_g_attr", PSC_LSM_("inode_setattr")) \
	PIN(G_UMOUNT, "psc_g_umount", PSC_LSM_("sb_umount")) \
	PIN(G_MOUNT, "psc_g_mount", PSC_LSM_("sb_mount")) \
	PIN(G_MOVE, "psc_g_move", PSC_LSM_("move_mount")) \
	PIN(G_PIVOT, "psc_g_pivot", PSC_LSM_("sb_pivotroot")) \
	PIN(G_REMOUNT, "psc_g_remount", PSC_LSM_("sb_remount"))

enum psc_pin_id {
#define PSC_PIN_ID(id, ...) PSC_PIN_##id,
	PSC_PIN_TABLE(PSC_PIN_ID)
#undef PSC_PIN_ID
	PSC_PINS
};

/*
 * What a complete set consists of, indexed by enum psc_pin_id; without PSC_PIN_CG_ATTACH
 * where the kernel does not let that program be attached, and without PSC_PIN_EXPLAIN, which
 * judges nothing, where the set is from before that came.
 */
extern const struct psc_pin psc_pins[PSC_PINS];

/* The name of the map or program itself. */
static inline const char *psc_pin_object(const struct psc_pin *pin)
{
	return pin->section ? pin->section : pin->name;
}

#endif
