/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's event loop: that it turns, and is seen to. */
#ifndef PSC_LOOP_H
#define PSC_LOOP_H

#include <systemd/sd-event.h>

/**
 * psc_loop_run - run the loop until it is told to exit
 *
 * Where the service manager expects a sign of life (WatchdogSec=), it gets one from the loop
 * itself.
 *
 * Return: what sd_event_exit() was called with, or a negative errno after a message.
 */
int psc_loop_run(sd_event *event);

#endif
