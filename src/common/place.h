/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory beside the pins that is ours alone, DIR-daemon: whoever changes the pins holds
 * its lock, and what is pinned for a moment only is pinned there. Nobody but root can open it,
 * or make anything in it, so that bpffs itself may be everybody's, as the kernel mounts it.
 */
#ifndef PSC_PLACE_H
#define PSC_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#define PSC_PLACE_SUFFIX "-daemon"

/*
 * PSC_PIN_DIR; or its name below PSC_BPFFS_BOUND, where that is the same directory and on a
 * mount that can be written, unlike this. What is logged has the name that all others know.
 */
const char *psc_place_pins(void);

/* The path of @name in the place beside @dir. Return: 0 or -ENAMETOOLONG. */
int psc_place_path(char path[PATH_MAX], const char *dir, const char *name);

/* Is this a directory that only root can change, or one where everybody keeps what is his? */
bool psc_place_is_safe(const struct stat *parent);

/* Does only root get into this directory? */
bool psc_place_is_own(const struct stat *st);

/**
 * psc_place_open - open the place beside @dir
 * @make: make it where it is not there
 *
 * Return: a descriptor; -ENOENT when it is not to be made; -EUCLEAN, after a message, when it
 * is somebody else's; or another negative errno, after a message.
 */
int psc_place_open(const char *dir, bool make);

/**
 * psc_place_lock - be the only one who changes the pins, as long as the descriptor is open
 *
 * Children that inherit the descriptor hold the lock as well. One that is held is waited for
 * up to a second.
 *
 * Return: a descriptor; -EWOULDBLOCK when it stays held; or as psc_place_open().
 */
int psc_place_lock(const char *dir, bool make);

/* Remove it, if nothing is in it. Its lock must be held. */
void psc_place_remove(const char *dir);

#endif
