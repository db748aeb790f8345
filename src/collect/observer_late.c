/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to an observer that runs: a probe for one of its processes, and source lines. */
#include <stdio.h>
#include <string.h>

#include "collect/collector.h"
#include "collect/observer_state.h"

/* Attaches the last probe to the process. */
static int start_late(
	struct sooth_observer *o, const struct process_id *process, struct sooth_error *err)
{
	struct observed_probe *p = &o->probes[o->probe_count];
	int status;

	p->is_late = true;
	observer_write_schemas(o, p->name);
	status = observer_acquire(o, o->probe_count, err);
	if (status)
		return status;
	status = hub_want(p->source, process, p->interest, false, err);
	if (!status)
		status = hub_start(o->hub, p->source, err);
	p->is_started = !status;
	if (status)
		hub_release(o->hub, p->source);
	return status;
}

void observer_add_late(struct sooth_observer *o, const char *probe, unsigned interest,
	const struct process_id *process)
{
	unsigned count = o->probe_count;
	struct sooth_error err = { 0 };
	char reason[512];
	int status = sooth_observer_add_probe(o, probe, interest, &err);

	if (!status && o->probe_count == count) /* it is observed already */
		return;
	if (!status)
		status = start_late(o, process, &err);
	if (!status)
		return;
	o->probe_count = count;
	snprintf(reason, sizeof(reason), "%s: %s", err.tried, err.why);
	collector_limit(o->os, observer_out(o), process, probe, reason, err.remedy);
}

void observer_request_lines(struct sooth_observer *o, const char *probe)
{
	for (unsigned i = 1; i <= o->probe_count; i++) {
		if (o->probes[i].is_started && !strcmp(o->probes[i].name, probe))
			hub_request_lines(o->probes[i].source);
	}
}
