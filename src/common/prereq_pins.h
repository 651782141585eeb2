/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The row on what is pinned already, in the table of prerequisites. */
#ifndef PSC_PREREQ_PINS_H
#define PSC_PREREQ_PINS_H

#include "prereq.h"

/*
 * Look at the pins in @dir without opening more than the program that tells about them, so that
 * a daemon that sets a floor just now is not disturbed. Return: 0 or -ENOMEM.
 */
int psc_prereq_pins(const char *dir, struct psc_prereq *ret);

#endif
