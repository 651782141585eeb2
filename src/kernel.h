/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs and maps in force, reached through their pins. */
#ifndef PSC_KERNEL_H
#define PSC_KERNEL_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/types.h>

#include "ptracescope.h"

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
	bool secret;		/* one of the policy's, which nobody may open under a floor */
	__u32 link_type;	/* enum bpf_link_type */
	__u32 attach_type;	/* enum bpf_attach_type, where the link has one */
	const char *before;	/* the program where the kernel lacks the hook of the first */
};

enum psc_pin_id {
	/* The policy's maps, in the order of enum psc_policy_map. */
	PSC_PIN_STATE,
	PSC_PIN_GUARDED,
	PSC_PIN_CGROUPS,
	PSC_PIN_PATTERNS,
	PSC_PIN_STUCK,
	PSC_PIN_RESERVE,
	PSC_PIN_RELATIONS,
	PSC_PIN_TRACERS,
	PSC_PIN_SERIAL,
	PSC_PIN_WINDOW,
	PSC_PIN_STATS,
	PSC_PIN_FOUND,
	PSC_PIN_EVENTS,
	PSC_PIN_LISTENERS,
	PSC_PIN_PEERS,
	PSC_PIN_CTL,
	PSC_PIN_SECTIONS,
	PSC_PIN_FIND,
	/* Links, in the order of attachment: who records comes before who judges,
	 * and who forgets the dead before who records the living. */
	PSC_PIN_TASK_GONE,
	PSC_PIN_TASK_FREE,
	PSC_PIN_TASK_ALLOC,
	PSC_PIN_TASK_NEW,
	PSC_PIN_CG_MOVE,
	PSC_PIN_CG_GONE,
	PSC_PIN_CG_MADE,
	PSC_PIN_PRCTL,
	PSC_PIN_CONNECT,
	PSC_PIN_TRACEME,
	PSC_PIN_ACCESS,
	PSC_PIN_G_LOAD,
	PSC_PIN_G_PROG,
	PSC_PIN_G_MAP,
	PSC_PIN_G_ID,
	PSC_PIN_G_UNLINK,
	PSC_PIN_G_RMDIR,
	PSC_PIN_G_RENAME,
	PSC_PIN_G_ATTR,
	PSC_PIN_G_UMOUNT,
	PSC_PIN_G_MOUNT,
	PSC_PIN_G_MOVE,
	PSC_PIN_G_PIVOT,
	PSC_PIN_G_REMOUNT,
	PSC_PINS,
};

/* The name of the map or program itself. */
static inline const char *psc_pin_object(const struct psc_pin *pin)
{
	return pin->section ? pin->section : pin->name;
}

/*
 * What a complete set consists of, indexed by enum psc_pin_id; without PSC_PIN_CG_MOVE
 * where the kernel does not let that program be attached.
 */
extern const struct psc_pin psc_pins[PSC_PINS];

struct psc_kernel {
	int fds[PSC_PINS];	/* of every pin; -1 where a floor keeps it closed */
	__u32 map_ids[PSC_PINS];	/* of the policy's maps, 0: not opened yet */
	dev_t dir_dev;		/* the directory of the pins */
	ino_t dir_ino;
	__u64 build;		/* build id of the programs */
	bool looked;		/* around, before the first floor: psc_lock_request() */
	bool sees_moves;	/* psc_cg_move is there; where not, cgroups can have no floors */
	const char *kept;	/* why they are not replaced by the daemon's own, or NULL */
};

/**
 * psc_kernel_open - open a set of pins
 * @dir: where they are
 * @ret: closed by psc_kernel_close(); unwritten on error
 *
 * Return: 0; -ENOENT when there is no set at all; -EUCLEAN when it is partial
 * or foreign, -EPROTO when its ABI is another, both after a message that says
 * how to clean up; or what opening failed with.
 */
int psc_kernel_open(const char *dir, struct psc_kernel **ret);

void psc_kernel_close(struct psc_kernel *kernel);

/* How many pins the set has, with those that a floor keeps closed. */
int psc_kernel_pins(const struct psc_kernel *kernel);

/**
 * psc_ctl_run - one request to a psc_ctl program
 * @ctl_fd: the program
 * @req: the request; on return the reply
 *
 * Return: 0, a negative PSC_E_*, or what bpf(2) BPF_PROG_TEST_RUN failed with.
 */
int psc_ctl_run(int ctl_fd, struct psc_request *req);

/* From now on wait for somebody else's change for a few milliseconds only, and return -EAGAIN. */
void psc_ctl_hurry(void);

/* The same, to the programs in force. */
int psc_kernel_request(struct psc_kernel *kernel, struct psc_request *req);

/* And one to psc_sections. */
int psc_kernel_section(struct psc_kernel *kernel, struct psc_section_request *req);

/* And one to psc_find; what it tells of children is in @found. */
int psc_kernel_find(struct psc_kernel *kernel, struct psc_find_request *req,
		    struct psc_found *found);

/*
 * Have the guards rest where they are armed and there is no floor. Return: 0,
 * -PSC_E_LOCKED when there is one, or another negative errno.
 */
int psc_kernel_disarm(struct psc_kernel *kernel, const char *dir);

/*
 * Close the policy's maps, and open them again. Nobody, not even the daemon, may have
 * them open when a floor comes. Return: 0; -EUCLEAN, after a message, when there are
 * others in their place now; or another negative errno.
 */
void psc_kernel_close_secrets(struct psc_kernel *kernel);
int psc_kernel_open_secrets(struct psc_kernel *kernel, const char *dir);

/* The global policy in force. Return: 0 or a negative errno. */
int psc_kernel_policy(struct psc_kernel *kernel, union psc_policy *ret);

/* What holds for this process: that of its cgroup. Return: likewise. */
int psc_kernel_own_policy(struct psc_kernel *kernel, union psc_policy *ret);

/* Has there been a floor since boot, global or of a cgroup? 0, 1, or a negative errno. */
int psc_kernel_locked(struct psc_kernel *kernel);

/*
 * Is kernel.ftrace_enabled on, or absent? At 0 it silently takes every BPF LSM
 * program out of force; and to attach or detach one then makes the kernel warn
 * and switch ftrace off until reboot, so nothing here may.
 */
bool psc_ftrace_enabled(void);

/**
 * psc_try_attach - can a program be attached to this function?
 * @function: as in the kernel's BTF; of an LSM hook, the hook
 *
 * Asked of the kernel with a program that returns 0, "go on", and is let go of at once: a
 * function may be there and be closed to tracing, or taken. Not while ftrace is off.
 *
 * Return: 0, or the negative errno of what failed.
 */
int psc_try_attach(const char *function, enum bpf_prog_type prog_type, enum bpf_attach_type type);

/* The counters, summed over CPUs. Return: 0 or a negative errno. */
int psc_kernel_stats(struct psc_kernel *kernel, __u64 ret[PSC_STATS]);

/*
 * Have it noted from now on what one process is refused on the other, and whether the other's
 * declaration of a tracer is recorded; 0 and 0 end that. Return: 0 or a negative errno.
 */
int psc_kernel_probe(struct psc_kernel *kernel, pid_t tracer, pid_t tracee);

/* What was noted, PSC_MODE_BIT()s and PSC_PROVED_DECLARED. Return: likewise. */
int psc_kernel_proved(struct psc_kernel *kernel, __u32 *ret);

/* Have the kernel note who connects to this listening socket. Return: 0 or a negative errno. */
int psc_kernel_mark_listener(struct psc_kernel *kernel, int listen_fd);

/* What it noted of an accepted connection. Return: 0 or -ENOENT or another negative errno. */
int psc_kernel_peer(struct psc_kernel *kernel, int fd, struct psc_peer *ret);

#endif
