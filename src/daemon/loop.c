/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the event loop and tells the watchdog of the service manager. */
#include "loop.h"

#include <string.h>
#include <systemd/sd-daemon.h>

#include "log.h"
#include "outbox.h"
#include "turn.h"

/* Twice in the time after which we count as hung. */
static int on_heartbeat(sd_event_source *source, uint64_t usec, void *data)
{
	const uint64_t *period = data;

	(void)usec;
	psc_turn_does("heartbeat");
	psc_outbox_notify("WATCHDOG=1");
	return sd_event_source_set_time_relative(source, *period);
}

static int add_heartbeat(sd_event *event, uint64_t *ret_period)
{
	sd_event_source *source = NULL;
	uint64_t usec;
	int err = sd_watchdog_enabled(0, &usec);

	if (err <= 0)
		return err;
	*ret_period = usec / 2;
	err = sd_event_add_time_relative(event, &source, CLOCK_MONOTONIC, 0, 0, on_heartbeat,
					 ret_period);
	if (err >= 0)
		err = sd_event_source_set_enabled(source, SD_EVENT_ON);
	if (err >= 0)
		err = sd_event_source_set_floating(source, 1);
	sd_event_source_unref(source);
	return err;
}

/* Return: 0 or a negative errno. */
static int turn(sd_event *event)
{
	int err = sd_event_prepare(event);

	if (err == 0)
		err = sd_event_wait(event, UINT64_MAX);
	if (err <= 0)
		return err;
	psc_turn_begin();
	err = sd_event_dispatch(event);
	psc_turn_end();
	return err < 0 ? err : 0;
}

int psc_loop_run(sd_event *event)
{
	uint64_t period;
	int code, err = add_heartbeat(event, &period);

	while (err >= 0 && sd_event_get_state(event) != SD_EVENT_FINISHED)
		err = turn(event);
	if (err < 0)
		return psc_log_err(err, "the event loop failed: %s", strerror(-err));
	err = sd_event_get_exit_code(event, &code);
	return err < 0 ? err : code;
}
