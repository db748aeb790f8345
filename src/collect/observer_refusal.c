/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that a probe may not observe, among others that it may. */
#include <stdio.h>
#include <string.h>

#include "collect/collector.h"
#include "collect/observer_state.h"

/* What an analysis calls it (analyze/diagnosis/diagnosis_input.c). */
static const char *limit_name(const struct observed_probe *p)
{
	return !strcmp(p->name, "syscalls") ? "system calls" : p->name;
}

bool observer_leaves_out(struct sooth_observer *o, struct observed_probe *p,
	const struct process_id *process, const struct sooth_error *refusal, struct buffer *limits)
{
	struct sooth_error ignored;
	char reason[512];

	if (!o->options.may_be_refused || refusal->fault != SOOTH_FAULT_PRIVILEGE)
		return false;
	hub_unwant(p->source, process, p->interest, true, &ignored); /* it follows nothing of it */
	snprintf(reason, sizeof(reason), "%s: %s", refusal->tried, refusal->why);
	/* Without a remedy: there may be many, and a report says once what to do. */
	collector_limit(o->os, limits, process, limit_name(p), reason, "");
	return true;
}
