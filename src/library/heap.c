/* SPDX-License-Identifier: BSD-2-Clause */
/* Trackers of allocations: events are the calls of the allocator. */
#include <sooth/heap.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/error.h"
#include "base/options.h"
#include "library/heap_blocks.h"
#include "library/observation.h"
#include "library/stacks.h"
#include "library/tracker_calls.h"
#include "model/batch.h"
#include "model/stream_records.h"
#include "probes/heap.h"

struct sooth_heap {
	struct tracker tracker;
	struct stacks stacks;
	struct heap_blocks *blocks; /* NULL: not kept */
};

/* --- records --- */

static const char *function_name(const struct sooth_schema *schema, uint8_t function)
{
	const struct sooth_field *field = sooth_schema_field(schema, "function");

	return field && field->names && function < field->names->count
		       ? field->names->names[function]
		       : "?";
}

static uint32_t stack_of(const struct heap_call *call)
{
	return record_holds(&call->record, sizeof(*call)) && call->stack_state == SOOTH_STATE_VALUE
		       ? call->stack
		       : 0;
}

static void take_call(
	struct sooth_heap *h, const struct sooth_schema *schema, const struct heap_call *call)
{
	struct sooth_heap_event event = {
		.function = function_name(schema, call->function),
		.time_ns = call->record.time_ns,
		.duration_ns = call->duration_ns,
		.address = call->address,
		.old_address = call->old_address,
		.size = call->size_state == SOOTH_STATE_VALUE ? call->size : 0,
		.pid = (pid_t)call->record.pid,
		.tid = (pid_t)call->record.tid,
		.error = call->error,
		.is_overflow = call->is_overflow,
		.stack = stack_of(call),
		.phase = tracker_phase_at(&h->tracker, call->record.time_ns),
	};

	if (h->blocks)
		heap_blocks_take(h->blocks, call, &event);
	buffer_append(&h->tracker.coming, &event, sizeof(event));
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sooth_heap *h = user;

	switch (record->kind) {
	case HEAP_CALL:
		take_call(h, schema, (const void *)record);
		break;
	case HEAP_STACK:
	case HEAP_FRAME:
		stacks_take(&h->stacks, record);
		break;
	case PROCESS_EXEC:
	case PROCESS_LEAVE:
		if (h->blocks)
			heap_blocks_forget(h->blocks, record);
		break;
	default:
		tracker_count(&h->tracker, record);
		break;
	}
	return tracker_check(&h->tracker);
}

/* --- begin and end --- */

static int set_options(struct sooth_observer_options *out, const struct sooth_heap_options *o,
	struct sooth_error *err)
{
	int status = observation_options(out, o->observer, err);

	if (o->buffer_bytes)
		out->buffer_bytes = o->buffer_bytes;
	out->may_pause |= o->may_pause;
	out->heap_stacks |= o->has_stacks;
	return status;
}

static int begin(struct sooth_heap *h, const struct tracker_target *target,
	const struct sooth_heap_options *options, struct sooth_error *err)
{
	struct sooth_observer_options chosen;
	int status = set_options(&chosen, options, err);

	if (!status)
		status = tracker_begin(
			&h->tracker, "heap", "heap", sizeof(struct sooth_heap_event), &chosen, err);
	if (status)
		return status;
	sooth_report_on_record(h->tracker.report, take, h);
	status = tracker_add(&h->tracker, target, err);
	if (!status)
		status = sooth_observer_add_probe(h->tracker.observer, "heap", SOOTH_STREAM, err);
	return status ? status : tracker_start(&h->tracker, err);
}

static int track(const struct tracker_target *target, const struct sooth_heap_options *options,
	struct sooth_heap **out, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_heap *h = calloc(1, sizeof(*h));
	struct sooth_heap_options o = { 0 };
	int status;

	*out = NULL;
	if (!h)
		return error_no_memory(err);
	status = options_take(&o, sizeof(o), options, err);
	stacks_init(&h->stacks, HEAP_STACK, HEAP_FRAME, false);
	h->blocks = o.keeps_blocks ? heap_blocks_new() : NULL;
	if (!status)
		status = o.keeps_blocks && !h->blocks ? error_no_memory(err)
						      : begin(h, target, &o, err);
	if (status) {
		sooth_heap_close(h);
		return observation_failed(status, err);
	}
	*out = h;
	return 0;
}

TRACKER_CALLS(heap)

void sooth_heap_close(struct sooth_heap *h)
{
	if (!h)
		return;
	tracker_fini(&h->tracker);
	stacks_fini(&h->stacks);
	heap_blocks_free(h->blocks);
	free(h);
}

/* --- on request --- */

struct sooth_table *sooth_heap_snapshot(struct sooth_heap *h, struct sooth_error *err)
{
	ERROR_HERE(err);

	if (!h->blocks) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "list live blocks");
		error_why(err, "the tracker does not keep them");
		error_remedy(err, "set keeps_blocks in its options");
		return NULL;
	}
	if (tracker_take(&h->tracker, err) < 0)
		return NULL;
	return heap_blocks_table(h->blocks, err);
}

size_t sooth_heap_frames(struct sooth_heap *h, uint32_t stack, const struct sooth_frame **frames)
{
	*frames = NULL;
	return h->tracker.is_stopped && stack ? stacks_frames(&h->stacks, stack, frames) : 0;
}
