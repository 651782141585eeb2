/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs and maps in force, reached through their pins. */
#ifndef PSC_KERNEL_H
#define PSC_KERNEL_H

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

#include "ptracescope.h"
#include "pins.h"
#include "ptracescope_explain.h"

/* What a request for the first floor has to carry, see struct psc_request. armed 0: nothing. */
struct psc_arming {
	__u64 armed;
	__u32 references;
};

struct psc_kernel {
	int fds[PSC_PINS];	/* of every pin; -1 where a floor keeps it closed */
	__u32 map_ids[PSC_PINS];	/* of the policy's maps, 0: not opened yet */
	dev_t dir_dev;		/* the directory of the pins */
	ino_t dir_ino;
	__u64 build;		/* build id of the programs */
	bool own;		/* loaded by this daemon, on maps of its own */
	bool looked;		/* around, before the first floor of its own: psc_lock_request() */
	struct psc_arming arming;	/* with which there can be one now: psc_lock_begin() */
	bool sees_moves;	/* psc_cg_attach is there; where not, cgroups can have no floors */
	bool explains;		/* psc_explain is there */
	__u64 own_cgroup;	/* where this process was last, 0: the root: psc_kernel_own_policy() */
	const char *kept;	/* why they are not replaced by the daemon's own, or NULL */
};

/* The id of the map, program or link that a descriptor is of; 0: that cannot be told. */
__u32 psc_object_id(const struct psc_pin *pin, int fd);

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

/*
 * Of a request that is answered with -EAGAIN however often it is made. Who was root before the
 * first floor can have written that somebody changes the policy, and nobody else takes that away:
 * it cannot be told from a writer who waits for a processor.
 */
#define PSC_CTL_BUSY \
	"the policy is in the middle of a change of somebody else's; if it stays so, its state " \
	"was written by another program: while there is no floor, \"ptracescopectl detach\" and " \
	"\"systemctl restart ptracescoped\" load it anew"

/* What an error of a request means, for people. */
static inline const char *psc_ctl_error(int err)
{
	return err == -EAGAIN ? PSC_CTL_BUSY : strerror(-err);
}

/* From now on wait for somebody else's change for a few milliseconds, or again for a second. */
void psc_ctl_hurry(bool hurry);

/* The same, to the programs in force. */
int psc_kernel_request(struct psc_kernel *kernel, struct psc_request *req);

/* The same without waiting: -EAGAIN is an answer. */
int psc_kernel_compare(struct psc_kernel *kernel, struct psc_request *req);

/* And one to psc_sections. */
int psc_kernel_section(struct psc_kernel *kernel, struct psc_section_request *req);

/* And one to psc_find; what it tells of children is in @found. */
int psc_kernel_find(struct psc_kernel *kernel, struct psc_find_request *req,
		    struct psc_found *found);

/*
 * One to psc_explain: the facts of an access, or the cgroups on the path of a process. Return: 0, a negative
 * PSC_E_*, -EOPNOTSUPP where the set has no such program, or another negative errno.
 */
int psc_kernel_explain(struct psc_kernel *kernel, struct psc_explain_request *req,
		       struct psc_explanation *ret);
int psc_kernel_names(struct psc_kernel *kernel, struct psc_explain_request *req,
		     struct psc_found *ret);

/*
 * The counters of metrics, from psc_explain. Return: as psc_kernel_explain(); -EOPNOTSUPP also
 * where the set in force is older than these counters.
 */
int psc_kernel_counts(struct psc_kernel *kernel, struct psc_counts *ret);

/*
 * The value of kernel.ftrace_enabled, of which @fd is a descriptor. Return: as
 * psc_kernel_explain().
 */
int psc_kernel_ftrace_value(struct psc_kernel *kernel, int fd, __u32 *ret);

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
void psc_kernel_close_policy_maps(struct psc_kernel *kernel);
int psc_kernel_open_policy_maps(struct psc_kernel *kernel, const char *dir);

/* The global policy in force. Return: 0 or a negative errno. */
int psc_kernel_policy(struct psc_kernel *kernel, union psc_policy *ret);

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

/* What was noted, PSC_MODE_BIT()s and PSC_PROVED_DECLARED. Return: 0 or a negative errno. */
int psc_kernel_proved(struct psc_kernel *kernel, __u32 *ret);

/* Have the kernel note who connects to this listening socket. Return: 0 or a negative errno. */
int psc_kernel_mark_listener(struct psc_kernel *kernel, int listen_fd);

/* What it noted of an accepted connection. Return: 0 or -ENOENT or another negative errno. */
int psc_kernel_peer(struct psc_kernel *kernel, int fd, struct psc_peer *ret);

#endif
