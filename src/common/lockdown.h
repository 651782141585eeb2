/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own lockdown, kernel_lockdown(7): closes what no BPF program can guard. */
#ifndef PSC_LOCKDOWN_H
#define PSC_LOCKDOWN_H

/* What is in force: "none", "integrity", "confidentiality", or NULL where it cannot be told. */
const char *psc_lockdown_level(void);

/*
 * Raise it to "integrity", until reboot, unless it is there or above. Return: 0, or a
 * negative errno after a message.
 */
int psc_lockdown_raise(void);

#endif
