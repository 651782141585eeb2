/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second anchor of a floor: programs on the root cgroup, which no pin holds. */
#ifndef PSC_ANCHOR_H
#define PSC_ANCHOR_H

#include <stdbool.h>

#include "handle.h"
#include "ptracescope.h"

struct bpf_object;
struct bpf_program;

#define PSC_ANCHOR_PROGRAMS 7

struct psc_anchor {
	struct psc_handle programs[PSC_ANCHOR_PROGRAMS];
	int n_attached;			/* of them, in their order */
};

#define PSC_ANCHOR_EMPTY { .programs = { \
	PSC_HANDLE_NONE, PSC_HANDLE_NONE, PSC_HANDLE_NONE, PSC_HANDLE_NONE, \
	PSC_HANDLE_NONE, PSC_HANDLE_NONE, PSC_HANDLE_NONE } }

/* Is it one of the anchor's, and is its hook in this kernel? */
bool psc_anchor_has_program(struct bpf_program *prog);

/* Keep the descriptors of the loaded programs. Return: 0 or a negative errno. */
int psc_anchor_take(struct psc_anchor *anchor, struct bpf_object *object);

/* Which of them has this id? Its place, or -1. */
int psc_anchor_find(const struct psc_anchor *anchor, __u32 id);

/*
 * As for psc_g_sysctl, each has a pin beside @dir until the floor is there.
 * Return: 0, or a negative errno after a message.
 */
int psc_anchor_pin(struct psc_anchor *anchor, const char *dir);

/*
 * Attach all to the root cgroup, and let go of them. Return: 0, or a negative errno after a
 * message.
 */
int psc_anchor_attach(struct psc_anchor *anchor, int cgroup_fd);

/* The guards have been disarmed. */
void psc_anchor_detach(const struct psc_anchor *anchor, int cgroup_fd);
void psc_anchor_unpin(const struct psc_anchor *anchor, const char *dir);
void psc_anchor_close(struct psc_anchor *anchor);

/* Detach what a daemon has left that was killed half-way to a floor. */
void psc_anchor_clear(const char *dir, int cgroup_fd);

/*
 * What the anchor enforces, asked without pins. Return: 0; -ENOENT when there is none; or
 * another negative errno.
 */
int psc_anchor_policy(union psc_policy *ret);

#endif
