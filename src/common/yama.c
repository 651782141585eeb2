/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads Yama's sysctl. */
#include "yama.h"

#include "ptracescope.h"
#include "util.h"

int psc_yama_scope(void)
{
	_cleanup_free_ char *text = NULL;
	unsigned int value;

	if (psc_read_file("/proc/sys/kernel/yama/ptrace_scope", 64, &text, NULL) ||
	    psc_parse_u32(psc_strip(text), &value) || value > PSC_SCOPE_MAX)
		return -1;
	return (int)value;
}
