/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --persist: the file that keeps settings. All that can fail is done before the policy changes:
 * the new file is checked with the whole configuration, written beside the old one and synced.
 * When the policy has changed, it is renamed.
 */
#ifndef PSC_PERSIST_H
#define PSC_PERSIST_H

#include "cli.h"
#include "dropin.h"

/* Prefix of the file's path, "" for the running system. */
extern const char *psc_persist_root;

struct psc_persist {
	int dir_fd;		/* -1: nothing is kept */
	int fd;			/* the file that is renamed; also the lock against others */
	char *text;		/* what is to be in the file; NULL for none */
	bool had;		/* there is a file */
	bool changed;		/* the text is another one */
	bool unlinked;		/* fd has its name no more */
	union psc_policy next;	/* the global policy after a boot with it */
};

#define PSC_PERSIST_NONE ((struct psc_persist){ .dir_fd = -1, .fd = -1 })

/**
 * psc_persist_prepare - have the file as it is after these changes ready
 * @persist: PSC_PERSIST_NONE, to be ended by psc_persist_end()
 *
 * Return: PSC_EXIT_DONE, or the exit code after a message; then nothing has changed.
 */
enum psc_cli_exit psc_persist_prepare(struct psc_persist *persist,
				      const struct psc_dropin_change *changes, size_t n);

/* Put it into its place. Return: as above, but that the policy may have changed. */
enum psc_cli_exit psc_persist_commit(struct psc_persist *persist);

/* Without psc_persist_commit() before, everything is as it was. */
void psc_persist_end(struct psc_persist *persist);

#define _cleanup_persist_ __attribute__((cleanup(psc_persist_end)))

#endif
