/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ptracescopectl prints for people. */
#ifndef PSC_SHOW_H
#define PSC_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* A string of the daemon's, which must not reach the terminal as it is: an allocation, "?"
 * where there is none; NULL when memory runs out. */
char *psc_show_text(const json_t *object, const char *key);

/* The same for a path, in which backslashes and quotes stand for themselves, as in systemd's
 * names of units. */
char *psc_show_path(const json_t *object, const char *key);

/* Take back what psc_escape() has done in @text to quotes and backslashes. */
void psc_show_once(char *text);

/* A number, or -1 where there is none. */
json_int_t psc_show_number(const json_t *object, const char *key);

/* Of a Policy of io.ptracescope: the "scope" or the "floor" of a mode. */
unsigned int psc_show_part(const json_t *policy, unsigned int mode, const char *key);

/* Print a Cgroup of io.ptracescope; -EBADMSG when it is none. */
int psc_show_cgroup(FILE *out, const json_t *cgroup);

/* Print an array of Cgroup as a tree; -EBADMSG when it is none. */
int psc_show_cgroups(FILE *out, const json_t *cgroups);

/* Print the reply of io.ptracescope.Status; what is absent or of another type is a "?". */
void psc_show_status(FILE *out, const json_t *status, bool colour);

/* Print the reply of io.ptracescope.Explain; -EBADMSG when it is none. */
int psc_show_explanation(FILE *out, const json_t *explanation, bool colour);

/* How an access that was refused would be judged now. */
struct psc_now {
	const json_t *explanation;	/* NULL: nobody tells */
	bool by_caller;			/* with a new child of the caller's shell as tracer */
	bool ended;			/* as the tracer of then has ended; else it cannot be asked about */
	bool elsewhere;			/* pids are others here than in a refusal */
};

/* Print a Refusal, and how it would be now; -EBADMSG when it is none. */
int psc_show_refusal(FILE *out, const json_t *refusal, const struct psc_now *now, bool colour);

/* "2026-11-26 04:05:06", in local time. */
void psc_show_time(FILE *out, json_int_t usec);

/* Print a Refusal as one line; -EBADMSG when it is none. */
int psc_show_refusal_line(FILE *out, const json_t *refusal);

/* Print the reply of io.ptracescope.List as "name = value"; -EBADMSG when it is none. */
int psc_show_list(FILE *out, const json_t *list);

/* What is locked now, which scopes rose for it (@before NULL: not told), and what is not locked. */
void psc_show_lock(FILE *out, const json_t *before, const json_t *policy);

/**
 * psc_show_by_path - sort objects that have a "path": parents first, and siblings by name
 *
 * The daemon lists siblings in an order of the kernel's, by which it can go on.
 *
 * Return: @all, or what takes its place; taken over. Unsorted when out of memory.
 */
json_t *psc_show_by_path(json_t *all);

#endif
