/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap by script: follows processes as the source of system calls does, and reports the
 * allocations that a test makes for a process. Each aggregate holds one call.
 */
#include "os/fake/script.h"

#include <string.h>

#include "base/units.h"

#define LATENESS_NS (5 * NS_PER_MS)

void script_allocate(
	struct script_calls *s, const struct fake_process *p, const struct heap_call *call)
{
	bool has_heap = !strcmp(s->run->backend->probe, "heap");
	unsigned interest = has_heap && script_is_watching(s, p) ? script_interest(s, p) : 0;
	struct heap_call one = *call;
	struct heap_count count = { .function = call->function, .count = 1 };

	one.record = (struct sooth_record){ .time_ns = s->run->os->now_ns(s->run->os),
		.start_ticks = p->id.start_ticks,
		.pid = p->id.pid,
		.tid = p->id.pid,
		.kind = HEAP_CALL };
	count.record = one.record;
	count.record.kind = HEAP_COUNT;
	if (call->function != HEAP_FREE && call->address)
		count.bytes = call->size;
	if (interest & INTEREST_COUNT)
		RECORD_APPEND(&s->ring, &count, NULL, 0);
	if (interest & INTEREST_STREAM)
		RECORD_APPEND(&s->ring, &one, NULL, 0);
}

const struct backend backend_heap_scripted = {
	.name = "scripted",
	.probe = "heap",
	.help = "scripted data for tests",
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct script_calls),
	.open = script_calls_open,
	.set = script_calls_set,
	.start = script_calls_start,
	.drain = script_calls_drain,
	.stop = script_calls_stop,
	.close = script_calls_close,
};
