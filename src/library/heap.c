/* SPDX-License-Identifier: BSD-2-Clause */
/* Trackers of allocations: an observer, and a queue of what its records say. */
#include <sooth/heap.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "library/observation.h"
#include "model/stream_records.h"
#include "probes/heap.h"
#include "probes/pause.h"

#define STEP_MS	  100
#define NS_PER_MS 1000000ull

struct sooth_heap {
	struct sooth_observer *observer;
	struct sooth_report *report;
	struct buffer queue;	/* struct sooth_heap_event */
	struct buffer pointers; /* of a batch */
	size_t next;		/* of the queue */
	struct sooth_heap_stats stats;
	bool has_ended, is_stopped;
};

static size_t waiting(const struct sooth_heap *h)
{
	return h->queue.size / sizeof(struct sooth_heap_event) - h->next;
}

/* --- records --- */

static const char *function_name(const struct sooth_schema *schema, uint8_t function)
{
	const struct sooth_field *field = sooth_schema_field(schema, "function");

	return field && field->names && function < field->names->count
		       ? field->names->names[function]
		       : "?";
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
	};

	buffer_append(&h->queue, &event, sizeof(event));
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sooth_heap *h = user;

	switch (record->kind) {
	case HEAP_CALL:
		take_call(h, schema, (const void *)record);
		break;
	case HEAP_PAUSE: {
		const struct pause_event *pause = (const void *)record;

		h->stats.pauses++;
		h->stats.paused_ns += record->time_ns - pause->stopped_ns;
		break;
	}
	case STREAM_LOSS:
		h->stats.dropped += ((const struct stream_loss *)record)->records;
		break;
	default:
		break;
	}
	return buffer_failed(&h->queue) ? -ENOMEM : 0;
}

/* --- begin and end --- */

static void set_options(
	struct sooth_observer_options *out, const struct sooth_heap_options *options)
{
	struct sooth_heap_options o = { 0 };

	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	observation_options(out, o.observer);
	if (o.buffer_bytes)
		out->buffer_bytes = o.buffer_bytes;
	out->may_pause |= o.may_pause;
}

static int begin(
	struct sooth_heap *h, const struct sooth_heap_options *options, struct sooth_error *err)
{
	struct sooth_observer_options chosen;
	int status;

	set_options(&chosen, options);
	status = sooth_report_new(&h->report, "heap", err);
	if (status)
		return status;
	sooth_report_on_record(h->report, take, h);
	return sooth_observer_new(&h->observer, &chosen, err);
}

static int start(struct sooth_heap *h, struct sooth_error *err)
{
	int status = sooth_observer_add_probe(h->observer, "heap", SOOTH_STREAM, err);

	if (!status)
		status = sooth_observer_connect_report(h->observer, h->report, err);
	return status ? status : sooth_observer_start(h->observer, err);
}

static int add(struct sooth_heap *h, const pid_t *pids, size_t count, char *const *command,
	struct sooth_error *err)
{
	int status = 0;

	if (!count && !command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "track allocations");
		error_why(err, "no process given");
		return -EINVAL;
	}
	for (size_t i = 0; i < count && !status; i++)
		status = sooth_observer_add_pid(h->observer, pids[i], err);
	return status || !command ? status : sooth_observer_set_command(h->observer, command, err);
}

static int track(const pid_t *pids, size_t count, char *const *command,
	const struct sooth_heap_options *options, struct sooth_heap **out, struct sooth_error *err)
{
	struct sooth_heap *h = calloc(1, sizeof(*h));
	int status;

	*out = NULL;
	if (!h)
		return error_no_memory(err);
	status = begin(h, options, err);
	if (!status)
		status = add(h, pids, count, command, err);
	if (!status)
		status = start(h, err);
	if (status)
		sooth_heap_close(h);
	else
		*out = h;
	return status;
}

int sooth_heap_track(pid_t pid, const struct sooth_heap_options *options, struct sooth_heap **out,
	struct sooth_error *err)
{
	return track(&pid, 1, NULL, options, out, err);
}

int sooth_heap_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_heap_options *options, struct sooth_heap **out, struct sooth_error *err)
{
	return track(pids, count, NULL, options, out, err);
}

int sooth_heap_track_command(char *const *command, const struct sooth_heap_options *options,
	struct sooth_heap **out, struct sooth_error *err)
{
	return track(NULL, 0, command, options, out, err);
}

/* What the report holds back, to bring records in order, comes with its end. */
int sooth_heap_stop(struct sooth_heap *h, struct sooth_error *err)
{
	int status;

	if (h->is_stopped)
		return 0;
	h->is_stopped = h->has_ended = true;
	status = sooth_observer_stop(h->observer, SOOTH_END_STOPPED, err);
	return status ? status : sooth_report_finish(h->report, err);
}

void sooth_heap_close(struct sooth_heap *h)
{
	if (!h)
		return;
	sooth_observer_free(h->observer);
	sooth_report_free(h->report);
	buffer_fini(&h->queue);
	buffer_fini(&h->pointers);
	free(h);
}

/* --- events --- */

static int step(struct sooth_heap *h, int timeout_ms, struct sooth_error *err)
{
	int status;

	if (h->has_ended)
		return 0;
	status = sooth_observer_step(h->observer, timeout_ms, err);
	if (status)
		return status;
	return sooth_heap_stop(h, err);
}

static int left_ms(uint64_t end_ns, int timeout_ms)
{
	uint64_t now = clock_monotonic_ns();

	if (timeout_ms < 0)
		return STEP_MS;
	if (now >= end_ns)
		return 0;
	return end_ns - now > STEP_MS * NS_PER_MS ? STEP_MS : (int)((end_ns - now) / NS_PER_MS) + 1;
}

/* 1: there are events. */
static int wait_for_events(struct sooth_heap *h, int timeout_ms, struct sooth_error *err)
{
	uint64_t end_ns =
		timeout_ms < 0 ? 0 : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	int wait_ms = left_ms(end_ns, timeout_ms), status;

	if (waiting(h))
		return 1;
	h->queue.size = h->next = 0; /* all were given */
	do {
		status = step(h, wait_ms, err);
		if (waiting(h))
			return 1;
		if (status < 0)
			return status;
		wait_ms = left_ms(end_ns, timeout_ms);
	} while (!h->has_ended && wait_ms);
	return 0;
}

int sooth_heap_next(struct sooth_heap *h, int timeout_ms, const struct sooth_heap_event **event,
	struct sooth_error *err)
{
	int status = wait_for_events(h, timeout_ms, err);

	if (status <= 0)
		return status;
	*event = (const struct sooth_heap_event *)h->queue.data + h->next++;
	h->stats.events++;
	return 1;
}

ssize_t sooth_heap_batch(struct sooth_heap *h, int timeout_ms,
	const struct sooth_heap_event *const **events, struct sooth_error *err)
{
	int status = wait_for_events(h, timeout_ms, err);
	size_t count = waiting(h);

	if (status <= 0)
		return status;
	h->pointers.size = 0;
	for (size_t i = 0; i < count; i++) {
		const struct sooth_heap_event *event =
			(const struct sooth_heap_event *)h->queue.data + h->next + i;

		buffer_append(&h->pointers, &event, sizeof(event));
	}
	if (buffer_failed(&h->pointers))
		return error_no_memory(err);
	*events = (const void *)h->pointers.data;
	h->next += count;
	h->stats.events += count;
	return (ssize_t)count;
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
	return h->has_ended && !waiting(h);
}

int sooth_heap_fd(struct sooth_heap *h)
{
	int fd = sooth_observer_fd(h->observer, NULL);

	return fd < 0 ? -1 : fd;
}

void sooth_heap_stats(const struct sooth_heap *h, struct sooth_heap_stats *stats)
{
	struct sooth_heap_stats now = h->stats;
	size_t size = stats->size < sizeof(now) ? stats->size : sizeof(now);

	now.size = size;
	now.waiting = waiting(h);
	memcpy(stats, &now, size);
}

pid_t sooth_heap_child_pid(const struct sooth_heap *h)
{
	return sooth_observer_child_pid(h->observer);
}

int sooth_heap_child_status(struct sooth_heap *h)
{
	return sooth_observer_child_status(h->observer);
}
