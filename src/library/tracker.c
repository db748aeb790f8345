/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for events, and returns them one by one or in batches. */
#include "library/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/records.h"
#include "base/clock.h"
#include "base/error.h"
#include "library/observation.h"
#include "model/stream_records.h"
#include "probes/heap.h"
#include "probes/pause.h"
#include "probes/syscalls.h"

#define STEP_MS	  100
#define TAKE_MS	  10000 /* limit, so that a call cannot hang */
#define NS_PER_MS 1000000ull

/* --- begin and end --- */

int tracker_begin(struct tracker *t, const char *name, const char *probe, size_t event_size,
	const struct sooth_observer_options *options, struct sooth_error *err)
{
	int status = sooth_report_new(&t->report, name, err);

	t->event_size = event_size;
	t->probe = probe;
	return status ? status : sooth_observer_new(&t->observer, options, err);
}

static int refuse_own(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "track the calling process");
	error_why(err, "reading the events would cause further events");
	return error_remedy(err, "track this process from another process, such as a child");
}

int tracker_add(struct tracker *t, const struct tracker_target *target, struct sooth_error *err)
{
	int status = 0;

	if (!target->count && !target->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "track a process");
		error_why(err, "no process is given");
		return error_remedy(err, "give at least one PID, or a command");
	}
	for (size_t i = 0; i < target->count && !status; i++) {
		status = observation_check_pid(target->pids[i], "track", err);
		if (!status && target->pids[i] == getpid() && strcmp(t->probe, "profile"))
			status = refuse_own(err);
		if (!status)
			status = sooth_observer_add_pid(t->observer, target->pids[i], err);
	}
	return status || !target->command
		       ? status
		       : sooth_observer_set_command(t->observer, target->command, err);
}

int tracker_start(struct tracker *t, struct sooth_error *err)
{
	int status = sooth_observer_connect_report(t->observer, t->report, err);

	if (!status)
		status = sooth_observer_start(t->observer, err);
	if (!status)
		t->event_ns = sooth_observer_event_ns(t->observer, t->probe);
	return status;
}

static void begin_phase(struct tracker *t, const struct stream_mark *mark)
{
	struct span name = record_text(&mark->record, &mark->name);
	struct tracker_phase phase = { mark->record.time_ns, strndup(name.data, name.size) };

	if (phase.name)
		buffer_append(&t->phases, &phase, sizeof(phase));
	else
		t->phases.failed = true;
}

static void store_mark(struct tracker *t, const struct stream_mark *mark)
{
	if (!record_holds(&mark->record, sizeof(*mark)))
		return;
	if (mark->what == STREAM_MARK_PHASE)
		begin_phase(t, mark);
	t->snapshots += mark->what == STREAM_MARK_SNAPSHOT;
}

void tracker_count(struct tracker *t, const struct sooth_record *record)
{
	const struct pause_event *pause = (const void *)record;

	if (record->kind == STREAM_MARK) {
		store_mark(t, (const void *)record);
	} else if (record->kind == STREAM_LOSS) {
		t->dropped += ((const struct stream_loss *)record)->records;
	} else if (record->kind == HEAP_PAUSE || record->kind == SYSCALLS_PAUSE) {
		t->pauses++;
		t->paused_ns += record->time_ns - pause->stopped_ns;
	}
}

int tracker_check(const struct tracker *t)
{
	return buffer_failed(&t->coming) || buffer_failed(&t->coming_texts) ||
			       buffer_failed(&t->phases)
		       ? -ENOMEM
		       : 0;
}

const char *tracker_phase_at(const struct tracker *t, uint64_t time_ns)
{
	const struct tracker_phase *all = (const void *)t->phases.data;
	size_t count = t->phases.size / sizeof(*all);

	while (count && all[count - 1].time_ns > time_ns)
		count--;
	return count ? all[count - 1].name : NULL;
}

/* Stops the tracker. The report delays records to sort them: the last ones come at its end. */
int tracker_stop(struct tracker *t, struct sooth_error *err)
{
	int status;

	if (t->is_stopped)
		return 0;
	t->is_stopped = t->has_ended = true;
	status = sooth_observer_stop(t->observer, SOOTH_END_STOPPED, err);
	if (!status)
		status = sooth_report_finish(t->report, err);
	return status;
}

void tracker_fini(struct tracker *t)
{
	sooth_observer_free(t->observer);
	sooth_report_free(t->report);
	for (size_t i = 0; i < t->phases.size / sizeof(struct tracker_phase); i++)
		free(((struct tracker_phase *)(void *)t->phases.data)[i].name);
	buffer_fini(&t->phases);
	buffer_fini(&t->queue);
	buffer_fini(&t->texts);
	buffer_fini(&t->coming);
	buffer_fini(&t->coming_texts);
	buffer_fini(&t->pointers);
}

void tracker_stats(const struct tracker *t, void *stats)
{
	size_t known = *(const size_t *)stats;
	struct tracker_stats now = { .size = known < sizeof(now) ? known : sizeof(now),
		.events = t->given,
		.waiting = tracker_waiting(t),
		.dropped = t->dropped,
		.pauses = t->pauses,
		.paused_ns = t->paused_ns,
		.event_ns = t->event_ns };

	memcpy(stats, &now, now.size);
}

/* --- events --- */

static size_t left_in_queue(const struct tracker *t)
{
	return t->event_size ? t->queue.size / t->event_size - t->next : 0;
}

size_t tracker_waiting(const struct tracker *t)
{
	return t->event_size ? left_in_queue(t) + t->coming.size / t->event_size : 0;
}

static void swap_buffers(struct buffer *a, struct buffer *b)
{
	struct buffer before = *a;

	*a = *b;
	*b = before;
}

bool tracker_turn(struct tracker *t)
{
	if (left_in_queue(t))
		return true;
	if (tracker_check(t)) /* memory for the texts ran out */
		return false;
	t->next = 0;
	swap_buffers(&t->queue, &t->coming);
	swap_buffers(&t->texts, &t->coming_texts);
	buffer_reset(&t->coming);
	buffer_reset(&t->coming_texts);
	if (t->filled)
		t->filled(t);
	return left_in_queue(t) > 0;
}

bool tracker_is_over(const struct tracker *t)
{
	return t->has_ended && !tracker_waiting(t);
}

static int step_observer(struct tracker *t, int timeout_ms, struct sooth_error *err)
{
	int status;

	if (t->has_ended)
		return 0;
	status = sooth_observer_step(t->observer, timeout_ms, err);
	return status ? status : tracker_stop(t, err);
}

int tracker_collect(struct tracker *t, struct sooth_error *err)
{
	uint64_t end_ns = clock_monotonic_ns() + TAKE_MS * NS_PER_MS;
	uint64_t snapshots = t->snapshots;
	int status = t->has_ended ? 0 : sooth_observer_snapshot(t->observer, err);

	while (!status && !t->has_ended && t->snapshots == snapshots) {
		status = step_observer(t, STEP_MS, err);
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

/* Returns 1 if there are events, 0 if the time is over or the target has ended. */
static int wait_for_events(struct tracker *t, int timeout_ms, struct sooth_error *err)
{
	uint64_t end_ns =
		timeout_ms < 0 ? 0 : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	int wait_ms = left_ms(end_ns, timeout_ms), status;

	if (tracker_turn(t))
		return 1;
	do {
		status = step_observer(t, wait_ms, err);
		if (tracker_turn(t))
			return 1;
		if (status < 0)
			return status;
		if (tracker_check(t)) /* a tracker that shares its hub found no memory for it */
			return error_no_memory(err);
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
	size_t count = left_in_queue(t);

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
