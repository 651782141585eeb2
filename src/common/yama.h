/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value of Yama's own ptrace_scope. */
#ifndef PSC_YAMA_H
#define PSC_YAMA_H

/* Yama's own scope, or -1 where there is no Yama. */
int psc_yama_scope(void);

#endif
