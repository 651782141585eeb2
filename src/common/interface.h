/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket, and what it offers, in the Varlink interface definition language. */
#ifndef PSC_INTERFACE_H
#define PSC_INTERFACE_H

#define PSC_INTERFACE "io.ptracescope"

#define PSC_SOCKET_DIR "/run/ptracescope"
#define PSC_SOCKET_PATH PSC_SOCKET_DIR "/io.ptracescope"

extern const char psc_interface_org_varlink_service[];
extern const char psc_interface_io_ptracescope[];

#endif
