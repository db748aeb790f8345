/* SPDX-License-Identifier: BSD-2-Clause */
/* Trackers of system calls: events are the rows of the view of single calls. */
#include <sooth/trace.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/syscall_stream.h"
#include "analyze/calls/syscall_table.h"
#include "base/error.h"
#include "library/observation.h"
#include "library/table.h"
#include "library/tracker.h"

#define NS_PER_S    1000000000ull
#define DURATION_NS (5 * NS_PER_S)

/* What a row may have as a text, and where the event has it. */
static const struct {
	const char *call_field, *end_field; /* NULL: none */
	size_t member;
} texts[] = {
	{ "name", NULL, offsetof(struct sooth_trace_event, call) },
	{ "arguments", NULL, offsetof(struct sooth_trace_event, arguments) },
	{ "result_text", "end", offsetof(struct sooth_trace_event, result_text) },
	{ "path", NULL, offsetof(struct sooth_trace_event, path) },
	{ "fd_name", NULL, offsetof(struct sooth_trace_event, fd_name) },
	{ "thread", "thread", offsetof(struct sooth_trace_event, thread) },
	{ "process", "process", offsetof(struct sooth_trace_event, process) },
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

/* The texts of an event move as others come: until it is given it has their places. */
struct entry {
	struct sooth_trace_event event;
	size_t texts[TEXTS];
};

struct sooth_trace {
	struct tracker tracker;
	struct buffer texts; /* of the events in the queue, each with a NUL */
};

/* --- rows --- */

static struct sooth_value value_of(
	const struct sooth_schema *schema, const char *field, const struct sooth_record *row)
{
	return sooth_field_get(sooth_schema_field(schema, field), row);
}

static size_t keep_text(struct sooth_trace *t, const struct sooth_schema *schema, const char *field,
	const struct sooth_record *row)
{
	size_t at = t->texts.size;
	struct sooth_value value = { 0 };

	if (field)
		value = value_of(schema, field, row);
	if (field && (value.state == SOOTH_STATE_VALUE || value.state == SOOTH_STATE_TRUNCATED))
		buffer_append(&t->texts, value.text.data, value.text.size);
	buffer_char(&t->texts, '\0');
	return at;
}

static void fill_call(struct sooth_trace_event *e, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct sooth_value result = value_of(schema, "result", row);
	struct sooth_value duration = value_of(schema, "duration_ns", row);
	struct sooth_value fd = value_of(schema, "fd", row);

	e->has_returned = result.state == SOOTH_STATE_VALUE;
	e->result = e->has_returned ? result.i : 0;
	e->is_timed = duration.state == SOOTH_STATE_VALUE;
	e->duration_ns = e->is_timed ? duration.u : 0;
	e->fd = fd.state == SOOTH_STATE_VALUE ? fd.i : -1;
	e->error = (int)value_of(schema, "error", row).u;
}

static int take_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	struct sooth_trace *t = user;
	bool is_end = !strcmp(schema->name, "exits"); /* among the calls */
	struct entry entry = { .event = { .time_ns = row->time_ns,
				       .pid = (pid_t)row->pid,
				       .tid = (pid_t)row->tid,
				       .fd = -1,
				       .is_end = is_end } };

	if (!is_end && strcmp(section, "call") != 0)
		return 0;
	if (is_end)
		entry.event.wait_status = (int)value_of(schema, "wait_status", row).u;
	else
		fill_call(&entry.event, schema, row);
	for (size_t i = 0; i < TEXTS; i++)
		entry.texts[i] = keep_text(
			t, schema, is_end ? texts[i].end_field : texts[i].call_field, row);
	buffer_append(&t->tracker.queue, &entry, sizeof(entry));
	return buffer_failed(&t->tracker.queue) || buffer_failed(&t->texts) ? -ENOMEM : 0;
}

static int take_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sooth_trace *t = user;

	(void)schema;
	tracker_count(&t->tracker, record);
	return 0;
}

/* The tracker is the first member. */
static void forget_texts(struct tracker *tracker)
{
	buffer_reset(&((struct sooth_trace *)tracker)->texts);
}

static void place_texts(struct tracker *tracker)
{
	struct sooth_trace *t = (struct sooth_trace *)tracker;
	struct entry *entries = (void *)tracker->queue.data;
	size_t count = tracker->queue.size / sizeof(*entries);

	for (size_t i = tracker->next; i < count; i++) {
		for (size_t k = 0; k < TEXTS; k++) {
			const char *text = buffer_at(&t->texts, entries[i].texts[k]);

			memcpy((char *)&entries[i].event + texts[k].member, &text, sizeof(text));
		}
	}
}

/* --- begin and end --- */

static struct sooth_trace_options options_of(const struct sooth_trace_options *options)
{
	struct sooth_trace_options o = { 0 };

	if (options)
		memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
	return o;
}

static void set_options(struct sooth_observer_options *out, const struct sooth_trace_options *o)
{
	observation_options(out, o->observer);
	if (o->buffer_bytes)
		out->buffer_bytes = o->buffer_bytes;
	if (o->calls)
		out->calls = o->calls;
	if (o->data_bytes)
		out->data_bytes = o->data_bytes;
	out->only_failed |= o->only_failed;
	out->must_hold |= o->must_hold;
}

/* Descriptors are read once, then followed by the calls. */
static int add_probes(struct sooth_observer *o, bool is_plain, struct sooth_error *err)
{
	static const char *const sampled[] = { "proc", "fds", "sockets" };
	int status = sooth_observer_add_probe(o, "syscalls", SOOTH_STREAM, err);

	for (size_t i = 0; i < sizeof(sampled) / sizeof(sampled[0]) && !is_plain && !status; i++)
		status = sooth_observer_add_probe(o, sampled[i], SOOTH_SAMPLE | SOOTH_ONCE, err);
	return status;
}

static int begin(struct sooth_trace *t, const struct tracker_target *target,
	const struct sooth_trace_options *options, struct sooth_error *err)
{
	struct sooth_observer_options chosen;
	struct syscall_stream_options view;
	int status;

	set_options(&chosen, options);
	view = (struct syscall_stream_options){ .set = chosen.calls,
		.only_failed = chosen.only_failed,
		.only_numbers = options->is_plain };
	status = tracker_begin(&t->tracker, "trace", sizeof(struct entry), &chosen, err);
	if (!status)
		status = sooth_report_add_view(t->tracker.report, "syscall-stream", &view, err);
	if (!status)
		status = sooth_report_on_row(t->tracker.report, take_row, t, err);
	if (status)
		return status;
	sooth_report_on_record(t->tracker.report, take_record, t);
	t->tracker.emptied = forget_texts;
	t->tracker.filled = place_texts;
	status = tracker_add(&t->tracker, target, err);
	if (!status)
		status = add_probes(t->tracker.observer, options->is_plain, err);
	return status ? status : tracker_start(&t->tracker, err);
}

static int track(const struct tracker_target *target, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_trace_options o = options_of(options);
	struct sooth_trace *t = calloc(1, sizeof(*t));
	int status;

	*out = NULL;
	if (!t)
		return error_no_memory(err);
	status = begin(t, target, &o, err);
	if (status) {
		sooth_trace_close(t);
		return observation_failed(status, err);
	}
	*out = t;
	return 0;
}

int sooth_trace_track(pid_t pid, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err)
{
	return track(&(struct tracker_target){ &pid, 1, NULL }, options, out, err);
}

int sooth_trace_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_trace_options *options, struct sooth_trace **out,
	struct sooth_error *err)
{
	return track(&(struct tracker_target){ pids, count, NULL }, options, out, err);
}

int sooth_trace_track_command(char *const *command, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err)
{
	return track(&(struct tracker_target){ NULL, 0, command }, options, out, err);
}

int sooth_trace_stop(struct sooth_trace *t, struct sooth_error *err)
{
	return tracker_stop(&t->tracker, err);
}

void sooth_trace_close(struct sooth_trace *t)
{
	if (!t)
		return;
	tracker_fini(&t->tracker);
	buffer_fini(&t->texts);
	free(t);
}

/* --- events --- */

int sooth_trace_next(struct sooth_trace *t, int timeout_ms, const struct sooth_trace_event **event,
	struct sooth_error *err)
{
	const void *next;
	int status = tracker_next(&t->tracker, timeout_ms, &next, err);

	if (status > 0)
		*event = &((const struct entry *)next)->event;
	return status;
}

/* An entry begins with its event. */
ssize_t sooth_trace_batch(struct sooth_trace *t, int timeout_ms,
	const struct sooth_trace_event *const **events, struct sooth_error *err)
{
	return tracker_batch(&t->tracker, timeout_ms, (const void *const **)events, err);
}

int sooth_trace_each(
	struct sooth_trace *t, sooth_trace_handler handler, void *user, struct sooth_error *err)
{
	const struct sooth_trace_event *event;
	int status;

	do {
		status = sooth_trace_next(t, -1, &event, err);
		if (status > 0 && (status = handler(user, event)))
			return status;
	} while (!sooth_trace_is_over(t) && (status >= 0 || status == -EINTR));
	return status;
}

bool sooth_trace_is_over(const struct sooth_trace *t)
{
	return tracker_is_over(&t->tracker);
}

int sooth_trace_fd(struct sooth_trace *t)
{
	return tracker_fd(&t->tracker);
}

void sooth_trace_stats(const struct sooth_trace *trace, struct sooth_trace_stats *stats)
{
	const struct tracker *t = &trace->tracker;
	size_t size = stats->size < sizeof(*stats) ? stats->size : sizeof(*stats);
	struct sooth_trace_stats now = { .size = size,
		.events = t->given,
		.waiting = tracker_waiting(t),
		.dropped = t->dropped,
		.pauses = t->pauses,
		.paused_ns = t->paused_ns };

	memcpy(stats, &now, size);
}

pid_t sooth_trace_child_pid(const struct sooth_trace *t)
{
	return sooth_observer_child_pid(t->tracker.observer);
}

int sooth_trace_child_status(struct sooth_trace *t)
{
	return sooth_observer_child_status(t->tracker.observer);
}

/* --- counted --- */

static int take_count(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	return strcmp(section, "syscalls") ? 0 : table_append(user, schema, row);
}

struct sooth_table *sooth_trace_count(
	pid_t pid, const struct sooth_trace_options *options, struct sooth_error *err)
{
	static const struct observation_probe probes[] = { { "syscalls", SOOTH_COUNT },
		{ NULL, 0 } };
	struct sooth_trace_options o = options_of(options);
	struct syscall_table_options view = { .set = o.calls };
	struct observation n = { .name = "trace",
		.view = "syscall-table",
		.view_options = &view,
		.pid = pid,
		.probes = probes,
		.duration_ns = o.duration_ns ? o.duration_ns : DURATION_NS,
		.take = take_count };

	set_options(&n.options, &o);
	n.options.only_failed = false; /* a count has its errors beside it */
	return observation_table(&n, "count the calls of", err);
}
