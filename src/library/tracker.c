/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for events, and giving them one by one or in batches. */
#include "library/tracker.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "library/observation.h"
#include "model/stream_records.h"
#include "probes/heap.h"
#include "probes/pause.h"
#include "probes/syscalls.h"

#define STEP_MS	  100
#define TAKE_MS	  10000 /* against hanging */
#define NS_PER_MS 1000000ull

/* --- begin and end --- */

int tracker_begin(struct tracker *t, const char *name, size_t event_size,
	const struct sooth_observer_options *options, struct sooth_error *err)
{
	int status = sooth_report_new(&t->report, name, err);

	t->event_size = event_size;
	return status ? status : sooth_observer_new(&t->observer, options, err);
}

int tracker_add(struct tracker *t, const struct tracker_target *target, struct sooth_error *err)
{
	int status = 0;

	if (!target->count && !target->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "track a process");
		error_why(err, "no process given");
		return -EINVAL;
	}
	for (size_t i = 0; i < target->count && !status; i++)
		status = sooth_observer_add_pid(t->observer, target->pids[i], err);
	return status || !target->command
		       ? status
		       : sooth_observer_set_command(t->observer, target->command, err);
}

int tracker_start(struct tracker *t, struct sooth_error *err)
{
	int status = sooth_observer_connect_report(t->observer, t->report, err);

	return status ? status : sooth_observer_start(t->observer, err);
}

void tracker_count(struct tracker *t, const struct sooth_record *record)
{
	const struct pause_event *pause = (const void *)record;
	const struct stream_mark *mark = (const void *)record;

	t->snapshots += record->kind == STREAM_MARK && mark->what == STREAM_MARK_SNAPSHOT;
	if (record->kind == STREAM_LOSS) {
		t->dropped += ((const struct stream_loss *)record)->records;
	} else if (record->kind == HEAP_PAUSE || record->kind == SYSCALLS_PAUSE) {
		t->pauses++;
		t->paused_ns += record->time_ns - pause->stopped_ns;
	}
}

/* What the report holds back, to bring records in order, comes with its end. */
int tracker_stop(struct tracker *t, struct sooth_error *err)
{
	int status;

	if (t->is_stopped)
		return 0;
	t->is_stopped = t->has_ended = true;
	status = sooth_observer_stop(t->observer, SOOTH_END_STOPPED, err);
	if (!status)
		status = sooth_report_finish(t->report, err);
	if (t->filled)
		t->filled(t);
	return status;
}

void tracker_fini(struct tracker *t)
{
	sooth_observer_free(t->observer);
	sooth_report_free(t->report);
	buffer_fini(&t->queue);
	buffer_fini(&t->pointers);
}

/* --- events --- */

size_t tracker_waiting(const struct tracker *t)
{
	return t->event_size ? t->queue.size / t->event_size - t->next : 0;
}

bool tracker_is_over(const struct tracker *t)
{
	return t->has_ended && !tracker_waiting(t);
}

static int step(struct tracker *t, int timeout_ms, struct sooth_error *err)
{
	int status;

	if (t->has_ended)
		return 0;
	status = sooth_observer_step(t->observer, timeout_ms, err);
	if (t->filled)
		t->filled(t);
	return status ? status : tracker_stop(t, err);
}

int tracker_take(struct tracker *t, struct sooth_error *err)
{
	uint64_t end_ns = clock_monotonic_ns() + TAKE_MS * NS_PER_MS;
	uint64_t snapshots = t->snapshots;
	int status = t->has_ended ? 0 : sooth_observer_snapshot(t->observer, err);

	while (!status && !t->has_ended && t->snapshots == snapshots) {
		status = step(t, STEP_MS, err);
		status = status == -EINTR || status > 0 ? 0 : status;
		if (!status && clock_monotonic_ns() > end_ns)
			return error_errno(err, -ETIMEDOUT, "take a snapshot");
	}
	return status;
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

static void forget_given(struct tracker *t)
{
	t->queue.size = t->next = 0;
	if (t->emptied)
		t->emptied(t);
}

/* 1: there are events. */
static int wait_for_events(struct tracker *t, int timeout_ms, struct sooth_error *err)
{
	uint64_t end_ns =
		timeout_ms < 0 ? 0 : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	int wait_ms = left_ms(end_ns, timeout_ms), status;

	if (tracker_waiting(t))
		return 1;
	forget_given(t);
	do {
		status = step(t, wait_ms, err);
		if (tracker_waiting(t))
			return 1;
		if (status < 0)
			return status;
		wait_ms = left_ms(end_ns, timeout_ms);
	} while (!t->has_ended && wait_ms);
	return 0;
}

static const void *event_at(const struct tracker *t, size_t i)
{
	return buffer_at(&t->queue, i * t->event_size);
}

int tracker_next(struct tracker *t, int timeout_ms, const void **event, struct sooth_error *err)
{
	int status = wait_for_events(t, timeout_ms, err);

	if (status <= 0)
		return status;
	*event = event_at(t, t->next++);
	t->given++;
	return 1;
}

ssize_t tracker_batch(
	struct tracker *t, int timeout_ms, const void *const **events, struct sooth_error *err)
{
	int status = wait_for_events(t, timeout_ms, err);
	size_t count = tracker_waiting(t);

	if (status <= 0)
		return status;
	buffer_reset(&t->pointers);
	for (size_t i = 0; i < count; i++) {
		const void *event = event_at(t, t->next + i);

		buffer_append(&t->pointers, &event, sizeof(event));
	}
	if (buffer_failed(&t->pointers))
		return error_no_memory(err);
	*events = (const void *)t->pointers.data;
	t->next += count;
	t->given += count;
	return (ssize_t)count;
}

int tracker_fd(struct tracker *t)
{
	int fd = sooth_observer_fd(t->observer, NULL);

	return fd < 0 ? -1 : fd;
}
