/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two children do by which the daemon proves that accesses are refused. */
#ifndef PSC_SELFTEST_CHILD_H
#define PSC_SELFTEST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "selftest.h"

/* In the place of an errno. */
#define PSC_SELFTEST_NOT_TRIED 255

/* What the probe found: errnos, 0 for success. */
struct psc_selftest_results {
	__u8 of[PSC_PROOFS];
};

/**
 * psc_selftest_tracee - declare a tracer when told to, and wait to be killed
 * @parent: the daemon, which it does not outlive
 * @go_fd: a byte that is read from here begins it
 * @ready_fd: the errno of the declaration is written here
 * @withdraw: take the declaration back before what it would allow is tried
 */
void __attribute__((noreturn)) psc_selftest_tracee(pid_t parent, int go_fd, int ready_fd,
						     bool withdraw);

/**
 * psc_selftest_probe - try accesses that must be refused, and tell the results
 * @tried: which ones to try
 * @ready_fd: of the tracee
 * @results_fd: where struct psc_selftest_results is written
 */
void __attribute__((noreturn)) psc_selftest_probe(pid_t parent, pid_t tracee,
						    const bool tried[PSC_PROOFS], int ready_fd,
						    int results_fd);

#endif
