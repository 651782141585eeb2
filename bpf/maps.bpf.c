// SPDX-License-Identifier: GPL-2.0-only
/* Where the maps and variables of maps.bpf.h are defined. */
#define PSC_DEFINE_MAPS
#include "maps.bpf.h"
