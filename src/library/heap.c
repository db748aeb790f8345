/* SPDX-License-Identifier: BSD-2-Clause */
/* Trackers of allocations: events are the calls of the allocator. */
#include <sooth/heap.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/error.h"
#include "library/heap_blocks.h"
#include "library/observation.h"
#include "library/stacks.h"
#include "library/tracker.h"
#include "model/batch.h"
#include "model/stream_records.h"
#include "probes/heap.h"

struct sooth_heap {
	struct tracker tracker;
	struct stacks stacks;
	struct heap_blocks *blocks; /* NULL: not kept */
	struct buffer phases;	    /* char *, the last one is the current one */
};

/* --- records --- */

static const char *function_name(const struct sooth_schema *schema, uint8_t function)
{
	const struct sooth_field *field = sooth_schema_field(schema, "function");

	return field && field->names && function < field->names->count
		       ? field->names->names[function]
		       : "?";
}

static const char *phase_of(const struct sooth_heap *h)
{
	size_t count = h->phases.size / sizeof(char *);

	return count ? ((char *const *)(const void *)h->phases.data)[count - 1] : NULL;
}

static void take_mark(struct sooth_heap *h, const struct stream_mark *mark)
{
	struct span name = record_text(&mark->record, &mark->name);
	char *phase;

	if (mark->what != STREAM_MARK_PHASE)
		return;
	phase = strndup(name.data, name.size);
	if (phase)
		buffer_append(&h->phases, &phase, sizeof(phase));
	else
		h->phases.failed = true;
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
		.phase = phase_of(h),
	};

	if (h->blocks)
		heap_blocks_take(h->blocks, call, &event);
	buffer_append(&h->tracker.queue, &event, sizeof(event));
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
	case STREAM_MARK:
		take_mark(h, (const void *)record);
		tracker_count(&h->tracker, record);
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
	return buffer_failed(&h->tracker.queue) || buffer_failed(&h->phases) ? -ENOMEM : 0;
}

/* --- begin and end --- */

static void set_options(struct sooth_observer_options *out, const struct sooth_heap_options *o)
{
	observation_options(out, o->observer);
	if (o->buffer_bytes)
		out->buffer_bytes = o->buffer_bytes;
	out->may_pause |= o->may_pause;
	out->heap_stacks |= o->has_stacks;
}

static int begin(struct sooth_heap *h, const struct tracker_target *target,
	const struct sooth_heap_options *options, struct sooth_error *err)
{
	struct sooth_observer_options chosen;
	int status;

	set_options(&chosen, options);
	status = tracker_begin(&h->tracker, "heap", sizeof(struct sooth_heap_event), &chosen, err);
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
	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	stacks_init(&h->stacks, HEAP_STACK, HEAP_FRAME, false);
	h->blocks = o.keeps_blocks ? heap_blocks_new() : NULL;
	status = o.keeps_blocks && !h->blocks ? error_no_memory(err) : begin(h, target, &o, err);
	if (status) {
		sooth_heap_close(h);
		return observation_failed(status, err);
	}
	*out = h;
	return 0;
}

int sooth_heap_track(pid_t pid, const struct sooth_heap_options *options, struct sooth_heap **out,
	struct sooth_error *err)
{
	return track(&(struct tracker_target){ &pid, 1, NULL }, options, out, err);
}

int sooth_heap_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_heap_options *options, struct sooth_heap **out, struct sooth_error *err)
{
	return track(&(struct tracker_target){ pids, count, NULL }, options, out, err);
}

int sooth_heap_track_command(char *const *command, const struct sooth_heap_options *options,
	struct sooth_heap **out, struct sooth_error *err)
{
	return track(&(struct tracker_target){ NULL, 0, command }, options, out, err);
}

int sooth_heap_stop(struct sooth_heap *h, struct sooth_error *err)
{
	return tracker_stop(&h->tracker, err);
}

void sooth_heap_close(struct sooth_heap *h)
{
	if (!h)
		return;
	tracker_fini(&h->tracker);
	stacks_fini(&h->stacks);
	heap_blocks_free(h->blocks);
	for (size_t i = 0; i < h->phases.size / sizeof(char *); i++)
		free(((char **)(void *)h->phases.data)[i]);
	buffer_fini(&h->phases);
	free(h);
}

/* --- on request --- */

int sooth_heap_mark(struct sooth_heap *h, const char *phase, struct sooth_error *err)
{
	return sooth_observer_mark(h->tracker.observer, phase, err);
}

int sooth_heap_pause(struct sooth_heap *h, struct sooth_error *err)
{
	return sooth_observer_pause(h->tracker.observer, err);
}

int sooth_heap_resume(struct sooth_heap *h, struct sooth_error *err)
{
	return sooth_observer_resume(h->tracker.observer, err);
}

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

/* --- events --- */

int sooth_heap_next(struct sooth_heap *h, int timeout_ms, const struct sooth_heap_event **event,
	struct sooth_error *err)
{
	const void *next;
	int status = tracker_next(&h->tracker, timeout_ms, &next, err);

	if (status > 0)
		*event = next;
	return status;
}

ssize_t sooth_heap_batch(struct sooth_heap *h, int timeout_ms,
	const struct sooth_heap_event *const **events, struct sooth_error *err)
{
	return tracker_batch(&h->tracker, timeout_ms, (const void *const **)events, err);
}

int sooth_heap_each(
	struct sooth_heap *h, sooth_heap_handler handler, void *user, struct sooth_error *err)
{
	const struct sooth_heap_event *event;
	int status;

	do {
		status = sooth_heap_next(h, -1, &event, err);
		if (status > 0 && (status = handler(user, event)))
			return status;
	} while (!sooth_heap_is_over(h) && (status >= 0 || status == -EINTR));
	return status;
}

bool sooth_heap_is_over(const struct sooth_heap *h)
{
	return tracker_is_over(&h->tracker);
}

int sooth_heap_fd(struct sooth_heap *h)
{
	return tracker_fd(&h->tracker);
}

void sooth_heap_stats(const struct sooth_heap *h, struct sooth_heap_stats *stats)
{
	const struct tracker *t = &h->tracker;
	size_t size = stats->size < sizeof(*stats) ? stats->size : sizeof(*stats);
	struct sooth_heap_stats now = { .size = size,
		.events = t->given,
		.waiting = tracker_waiting(t),
		.dropped = t->dropped,
		.pauses = t->pauses,
		.paused_ns = t->paused_ns };

	memcpy(stats, &now, size);
}

pid_t sooth_heap_child_pid(const struct sooth_heap *h)
{
	return sooth_observer_child_pid(h->tracker.observer);
}

int sooth_heap_child_status(struct sooth_heap *h)
{
	return sooth_observer_child_status(h->tracker.observer);
}
