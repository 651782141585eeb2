/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and the caller must have before anything can be enforced. */
#ifndef PSC_PREREQ_H
#define PSC_PREREQ_H

#include <stdbool.h>
#include <stdio.h>

enum psc_prereq_state {
	PSC_PREREQ_OK,
	PSC_PREREQ_MISSING,	/* enforcement is impossible without it */
	PSC_PREREQ_UNKNOWN,	/* cannot be told (say, without privileges); not a failure */
	PSC_PREREQ_INFO,	/* worth knowing, no requirement */
};

/* One row of the table. */
struct psc_prereq {
	const char *what;	/* "BPF LSM in the boot order" */
	enum psc_prereq_state state;
	char *found;		/* what was found: "lockdown,capability,landlock,apparmor" */
	char *remedy;		/* when missing: exactly what to do, possibly several lines; may
				 * be there when unknown; else NULL */
};

#define PSC_PREREQS_MAX 16

struct psc_prereqs {
	size_t n;
	struct psc_prereq rows[PSC_PREREQS_MAX];
};

/**
 * psc_prereq_check - look at everything, change nothing
 * @root: prefix of every /sys and /proc path read, "" for the running system;
 *	anything else (tests) leaves out the checks that ask the kernel itself
 *
 * Return: the number of missing prerequisites, or a negative errno.
 */
int psc_prereq_check(const char *root, struct psc_prereqs *ret);

/*
 * The same without what takes long and is noticed when the programs are loaded: the
 * kernel's types are not read, and no program is tried.
 */
int psc_prereq_check_fast(const char *root, struct psc_prereqs *ret);

void psc_prereq_free(struct psc_prereqs *prereqs);

/* Log what is missing and what to do about it, each line at LOG_ERR. */
void psc_prereq_tell_missing(const struct psc_prereqs *prereqs);

/* The first row of what is missing, NULL for none. */
const struct psc_prereq *psc_prereq_first_missing(const struct psc_prereqs *prereqs);

/* Print the table, remedies below it; colour only when asked for. */
void psc_prereq_print(const struct psc_prereqs *prereqs, FILE *out, bool colour);

/**
 * psc_lsm_boot_line - the lsm= parameter to boot with
 * @present: content of /sys/kernel/security/lsm, "lockdown,capability,yama"
 *
 * Return: an allocated "lsm=lockdown,yama,bpf" that keeps what is there in its
 * order ("capability" is always on and not accepted there) and has "bpf" once.
 */
char *psc_lsm_boot_line(const char *present);

/* Is @name an element of the comma-separated @list? An exact one, no substring. */
bool psc_lsm_listed(const char *list, const char *name);

#endif
