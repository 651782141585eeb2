/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of io.ptracescope that tell what was refused. */
#include "control_call.h"
#include "json.h"

#include <string.h>

static json_t *side_json(const struct psc_party *party)
{
	char comm[PSC_COMM_LEN + 1] = "";

	memcpy(comm, party->comm, PSC_COMM_LEN);
	return json_pack("{s:I, s:I, s:I, s:o, s:I, s:I}", "pid", (json_int_t)party->pid,
			 "tid", (json_int_t)party->tid, "uid", (json_int_t)party->uid,
			 "command", psc_json_text(comm),
			 "started_ns", (json_int_t)party->start_ns,
			 "cgroup_id", (json_int_t)party->cgroup);
}

json_t *psc_control_refusal_json(const struct psc_refusal *refusal)
{
	const struct psc_event *event = &refusal->event;

	return json_pack("{s:I, s:s, s:i, s:s, s:s, s:o, s:o}",
			 "time_us", (json_int_t)refusal->usec, "mode", psc_mode_word(event->mode),
			 "scope", (int)event->scope, "reason", psc_reason_word(event->reason),
			 "text", psc_reason_text(event->reason),
			 "tracer", side_json(&event->tracer), "tracee", side_json(&event->tracee));
}

int psc_control_last_refusal(struct psc_varlink_call *call)
{
	const struct psc_refusal *last = psc_recent_last(psc_control_backend(call)->recent,
							 call->client->capable, call->client->uid);
	json_t *refusal = last ? psc_control_refusal_json(last) : NULL;

	if (last && !refusal)
		return psc_varlink_reply(call, NULL);
	return psc_varlink_reply(call, json_pack("{s:o*}", "refusal", refusal));
}
