/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: kernel.yama.ptrace_scope from the kernel command line, then
 * from sysctl.d as sysctl.d(5) describes it, then /etc/ptracescope/ptracescope.conf,
 * then /etc/ptracescope/conf.d. Later wins. Our own files may have sections, for
 * cgroups. Everything is read and checked before anything is returned.
 */
#ifndef PSC_CONFIG_H
#define PSC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "names.h"

struct psc_setting {
	bool present;
	unsigned int value;
	char *source;		/* "/etc/sysctl.d/10-ptrace.conf:3" */
	bool revocable;		/* a 3 is not final */
	bool sticky;		/* of a section: who leaves the cgroup keeps it */
};

/* For the cgroups whose path matches. */
struct psc_section {
	char *pattern;				/* of psc_cgroup_pattern() */
	char *source;				/* "/etc/ptracescope/ptracescope.conf:5" */
	struct psc_setting settings[PSC_NAMES];
	bool sticky;				/* its settings are */
	bool matched;				/* psc_config_for_cgroup() has found a cgroup for it */
};

struct psc_config {
	struct psc_setting settings[PSC_NAMES];	/* indexed like psc_names[] */
	struct psc_section *sections;		/* in the order in which they were read */
	size_t n_sections;
	bool lockdown;				/* "lockdown = integrity" */
};

/**
 * psc_config_load - read all configuration
 * @root: prefix of every path read, "" for the running system
 * @ret: the merged settings, to be freed by psc_config_free(). On error, what may be
 *	enforced until the error is mended: of everything that could be read, the
 *	strictest value for each mode, nothing of it final; nothing on -ENOMEM
 * @ret_error: on error, an allocated text with a line for each error, up to a
 *	bound, that names the file and line, what is wrong there and what would be
 *	right; NULL when memory ran out
 *
 * Lines of sysctl.d that concern other keys are none of our business, whatever
 * they look like. Missing files and directories are not errors.
 *
 * An assignment clears earlier ones of names that it covers, so that applying
 * what is present in the order of psc_names[] gives the later one its say.
 *
 * Return: 0, -EINVAL for bad content, or what reading failed with; the first error's.
 */
int psc_config_load(const char *root, struct psc_config *ret, char **ret_error);

/* A file of ours as it would be: it is read in place of what is there. */
struct psc_config_draft {
	const char *path;	/* without the root */
	const char *text;	/* NULL: as if there were no such file */
};

/* psc_config_load() with @draft, where it is not NULL. */
int psc_config_load_draft(const char *root, const struct psc_config_draft *draft,
			  struct psc_config *ret, char **ret_error);

/**
 * psc_config_try_draft - does a configuration with @draft contradict itself?
 *
 * Besides what psc_config_load() refuses: no section sets what a floor of the whole system forbids.
 *
 * @ret: as there
 * @ret_policy: the global policy after a boot with it; unwritten on error
 *
 * Return: 0, or a negative errno, with the messages in @ret_error.
 */
int psc_config_try_draft(const char *root, const struct psc_config_draft *draft,
			 struct psc_config *ret, union psc_policy *ret_policy, char **ret_error);

/*
 * What @config sets for the cgroup of this path: of all sections that match, the
 * later wins, as with assignments. The strings stay the configuration's.
 * Return: whether any matches.
 */
bool psc_config_for_cgroup(struct psc_config *config, const char *path,
			   struct psc_setting ret[PSC_NAMES]);

/* Could a section of @config be for a cgroup below this path? */
bool psc_config_goes_below(const struct psc_config *config, const char *path);

/* Take out of the sections of @config what is no stricter than @policy. */
void psc_config_keep_stricter(struct psc_config *config, const union psc_policy *policy);

void psc_section_free(struct psc_section *section);

/* Free what @config holds and clear it, @config itself is the caller's. */
void psc_config_free(struct psc_config *config);

#endif
