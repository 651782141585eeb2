/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of --persist write and expect in its file. */
#ifndef DROPIN_WORDS_H
#define DROPIN_WORDS_H

#include "names.h"

#define HEADER \
	"# Written by ptracescopectl: settings that somebody has made with --persist.\n" \
	"# \"ptracescopectl unset NAME --persist\" and \"ptracescopectl cgroup unset CGROUP --persist\"\n" \
	"# remove them. Lines that you change or add yourself are kept.\n"
#define SCOPE PSC_NAME_YAMA
#define ATTACH "kernel.ptracescope.attach_scope"
#define TRACEME "kernel.ptracescope.traceme_scope"
#define READ "kernel.ptracescope.read_scope"
#define BOUNDARY "kernel.ptracescope.cgroup_boundary"
#define FLOOR "kernel.ptracescope.floor"
#define NAME(i) .name = &psc_names[i]

#endif
