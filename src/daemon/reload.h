/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the configuration in force: at the start at once, and at a reload in many turns of the
 * loop, between which everybody is served.
 */
#ifndef PSC_RELOAD_H
#define PSC_RELOAD_H

#include "sections.h"

struct psc_reload_ops {
	int (*request)(void *data, struct psc_request *req);	/* runs psc_ctl */
	/*
	 * Have a first floor made possible. Return: 0, there is one; -EINPROGRESS: psc_reload_armed()
	 * and psc_reload_looked() follow; -EALREADY: to be called again; or another negative errno.
	 */
	int (*first_floor)(void *data);
	void (*in_force)(void *data);	/* the global part is */
	void (*done)(void *data, bool called);	/* called: calls wait for it */
};

struct psc_reload {
	const struct psc_reload_ops *ops;
	void *data;
	sd_event *event;
	struct psc_sections *sections;
	const char *root;		/* of the configuration's files: "" */
	char *error;			/* NULL: the configuration is in force */
	bool partly;			/* it is, but for what @error says */
	char outcome[128];		/* of psc_reload_outcome() */
	bool lockdown;			/* a floor of 3 takes the kernel's lockdown along */

	/* The one that is under way. */
	sd_event_source *turns;		/* NULL: none */
	enum psc_reload_stage {
		PSC_RELOAD_CHECKS,	/* can all of it be in force? */
		PSC_RELOAD_WAITS,	/* for there to be a first floor */
		PSC_RELOAD_APPLIES,
	} stage;
	struct psc_config config;
	struct psc_plan plan;
	struct psc_pass *pass;
	unsigned int number;
	bool called;			/* somebody waits for its result */
	bool signalled, again;		/* told by a signal, which came before it or after */
	int result;			/* of the last one, or what it has come to */
};

/* For the status: "ok", with what users keep from it, or why it is not in force. */
const char *psc_reload_outcome(struct psc_reload *reload);

/* It is not in force. Takes over @error, which has a line for everything that is wrong. */
#define PSC_RELOAD_STAYS "what was in force stays"
int psc_reload_refuse(struct psc_reload *reload, int err, char *error, const char *instead);

/**
 * psc_reload_start_with - at the start: what the configuration sets globally
 *
 * Return: 0, or a negative errno after a message, when none of it is in force.
 */
int psc_reload_start_with(struct psc_reload *reload, struct psc_config *config);

/* And for cgroups. @config is taken over. */
void psc_reload_start_sections(struct psc_reload *reload, struct psc_config *config);

/**
 * psc_reload_call - read the configuration again and put it in force, or leave all as it was
 * @number: 0 at first
 * @ret_error: an allocated message, or NULL when out of memory
 *
 * Return: 0; -EAGAIN: call again with the same @number after done(); PSC_RELOAD_PARTLY; or
 * another negative errno, when nothing has changed.
 */
int psc_reload_call(struct psc_reload *reload, unsigned int *number, char **ret_error);

/* The same on SIGHUP: the service manager is told the end. */
void psc_reload_signal(struct psc_reload *reload);

/* What it waits for: now requests may raise the first floor. */
void psc_reload_armed(struct psc_reload *reload);

/* And they may no more. @err: 0, or why they never could. */
void psc_reload_looked(struct psc_reload *reload, int err);

/* Give up what is under way, also for good. */
void psc_reload_stop(struct psc_reload *reload);

#endif
