/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the socket offers, in the Varlink interface definition language. */
#ifndef PSC_INTERFACE_H
#define PSC_INTERFACE_H

#define PSC_INTERFACE "io.ptracescope"

extern const char psc_interface_org_varlink_service[];
extern const char psc_interface_io_ptracescope[];

#endif
