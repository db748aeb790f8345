/* SPDX-License-Identifier: BSD-2-Clause */
/* Trackers of system calls: events are the rows of the view of single calls. */
#include <sooth/trace.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/syscall_stream.h"
#include "base/error.h"
#include "base/map.h"
#include "base/options.h"
#include "library/observation.h"
#include "library/table.h"
#include "library/tracker_calls.h"
#include "model/batch.h"
#include "model/row_list.h"

/* How often each system call was made. */
struct trace_sums {
	struct map calls; /* names -> sums */
};

#define CALLS_MAX 1024

struct call_name {
	char text[32];
};

struct sum {
	struct call_name name;
	uint64_t calls, errors, total_ns;
};

#define SUM_ROW(F, S)                                                                              \
	F(S, TEXT, name, ALWAYS, "name of the system call")                                        \
	F(S, U64, calls, ALWAYS, "number of calls that returned")                                  \
	F(S, U64, errors, ALWAYS, "number of calls that failed")                                   \
	F(S, U64, total_ns, ALWAYS, "time in the call, of those that are timed",                   \
		.unit = SOOTH_UNIT_NS)

ROW_TABLE(sum, SUM_ROW, "trace.snapshot", sum_row);

static void trace_sums_init(struct trace_sums *s)
{
	map_init(&s->calls, sizeof(struct call_name), sizeof(struct sum), CALLS_MAX);
}

static void trace_sums_fini(struct trace_sums *s)
{
	map_fini(&s->calls);
}

/* Adds a call that returned; -ENOMEM. */
static int trace_sums_take(
	struct trace_sums *s, const char *name, const struct sooth_trace_event *event)
{
	struct call_name key = { 0 };
	struct sum *sum;

	memcpy(key.text, name, strnlen(name, sizeof(key.text) - 1));
	sum = map_put(&s->calls, &key, NULL);
	if (!sum)
		return -ENOMEM;
	sum->name = key;
	sum->calls++;
	sum->errors += event->error != 0;
	sum->total_ns += event->duration_ns;
	return 0;
}

static int compare_by_calls(const void *left, const void *right)
{
	const struct sum *a = left, *b = right;

	return (a->calls < b->calls) - (a->calls > b->calls);
}

static int append_sum(struct sooth_table *table, const struct sum *sum)
{
	struct sum_row row = {
		.calls = sum->calls, .errors = sum->errors, .total_ns = sum->total_ns
	};
	struct record_tail tail[] = { tail_string(&row.name, sum->name.text) };
	struct buffer bytes = { 0 };
	int status = -ENOMEM;

	RECORD_APPEND(&bytes, &row, tail, 1);
	if (!buffer_failed(&bytes))
		status = table_append(table, &sum_schema, (const void *)bytes.data);
	buffer_fini(&bytes);
	return status;
}

/* Returns a table, most calls first; NULL: it failed. */
static struct sooth_table *trace_sums_table(const struct trace_sums *s, struct sooth_error *err)
{
	struct sooth_table *table = table_new(err);
	struct sum *sorted = calloc(s->calls.count + 1, sizeof(*sorted));
	size_t count = 0;
	int status = table && sorted ? 0 : -ENOMEM;

	map_for_each_value (map_while(!status, &s->calls), const struct sum *, value)
		sorted[count++] = *value;
	if (!status)
		qsort(sorted, count, sizeof(*sorted), compare_by_calls);
	for (size_t i = 0; i < count && !status; i++)
		status = append_sum(table, &sorted[i]);
	free(sorted);
	if (!status)
		return table;
	sooth_table_free(table);
	error_no_memory(err);
	return NULL;
}

#define NS_PER_S    1000000000ull
#define DURATION_NS (5 * NS_PER_S)

/* The fields of a row that are texts, and the offsets of their members in the event. */
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

/* An event that the caller has not received. Its texts are offsets, because the buffer may move. */
struct entry {
	struct sooth_trace_event event;
	size_t texts[TEXTS];
};

struct sooth_trace {
	struct tracker tracker; /* tracker, whose texts end with a NUL each */
	struct trace_sums sums;
};

/* --- rows --- */

static struct sooth_value value_of(
	const struct sooth_schema *schema, const char *field, const struct sooth_record *row)
{
	return sooth_field_get(sooth_schema_field(schema, field), row);
}

static size_t store_text(struct sooth_trace *t, const struct sooth_schema *schema,
	const char *field, const struct sooth_record *row)
{
	size_t at = t->tracker.coming_texts.size;
	struct sooth_value value = { 0 };

	if (field)
		value = value_of(schema, field, row);
	if (field && (value.state == SOOTH_STATE_VALUE || value.state == SOOTH_STATE_TRUNCATED))
		buffer_append(&t->tracker.coming_texts, value.text.data, value.text.size);
	buffer_char(&t->tracker.coming_texts, '\0');
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

static int store_row(void *user, const char *section, const struct sooth_schema *schema,
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
		entry.texts[i] = store_text(
			t, schema, is_end ? texts[i].end_field : texts[i].call_field, row);
	buffer_append(&t->tracker.coming, &entry, sizeof(entry));
	if (tracker_check(&t->tracker))
		return -ENOMEM;
	return is_end || !entry.event.has_returned
		       ? 0
		       : trace_sums_take(&t->sums,
				 buffer_at(&t->tracker.coming_texts, entry.texts[0]), &entry.event);
}

static int handle_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sooth_trace *t = user;

	(void)schema;
	tracker_count(&t->tracker, record);
	return 0;
}

/* Sets the texts and phases of the events in the queue, once the whole batch has come. */
static void place_texts(struct tracker *t)
{
	struct entry *entries = (void *)t->queue.data;
	size_t count = t->queue.size / sizeof(*entries);

	for (size_t i = 0; i < count; i++) {
		entries[i].event.phase = tracker_phase_at(t, entries[i].event.time_ns);
		for (size_t k = 0; k < TEXTS; k++) {
			const char *text = buffer_at(&t->texts, entries[i].texts[k]);

			memcpy((char *)&entries[i].event + texts[k].member, &text, sizeof(text));
		}
	}
}

/* --- begin and end --- */

static int set_options(struct sooth_observer_options *out, const struct sooth_trace_options *o,
	struct sooth_error *err)
{
	int status = observation_options(out, o->observer, err);

	out->calls = o->calls;
	if (o->buffer_bytes)
		out->buffer_bytes = o->buffer_bytes;
	return status;
}

/* Adds the probes. Descriptors are read once; then calls that change them are followed. */
static int add_probes(struct sooth_observer *o, bool is_plain, struct sooth_error *err)
{
	static const char *const sampled[] = { "proc", "fds", "sockets" };
	int status = sooth_observer_add_probe(o, "syscalls", SOOTH_STREAM, err);

	for (size_t i = 0; i < sizeof(sampled) / sizeof(sampled[0]) && !is_plain && !status; i++)
		status = sooth_observer_add_probe(o, sampled[i], SOOTH_SAMPLE | SOOTH_ONCE, err);
	return status;
}

static int begin_trace(struct sooth_trace *t, const struct tracker_target *target,
	const struct sooth_trace_options *options, struct sooth_error *err)
{
	struct sooth_observer_options chosen;
	int status = set_options(&chosen, options, err);
	struct syscall_stream_options view = (struct syscall_stream_options){ .calls = chosen.calls,
		.only_numbers = options->is_plain };

	if (!status)
		status = tracker_begin(
			&t->tracker, "trace", "syscalls", sizeof(struct entry), &chosen, err);
	if (!status)
		status = sooth_report_add_view(t->tracker.report, "syscall-stream", &view, err);
	if (!status)
		status = sooth_report_on_row(t->tracker.report, store_row, t, err);
	if (status)
		return status;
	sooth_report_on_record(t->tracker.report, handle_record, t);
	t->tracker.filled = place_texts;
	status = tracker_add(&t->tracker, target, err);
	if (!status)
		status = add_probes(t->tracker.observer, options->is_plain, err);
	return status ? status : tracker_start(&t->tracker, err);
}

static int start_tracker(const struct tracker_target *target,
	const struct sooth_trace_options *options, struct sooth_trace **out,
	struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_trace_options o;
	struct sooth_trace *t = calloc(1, sizeof(*t));
	int status = options_copy(&o, sizeof(o), options, err);

	*out = NULL;
	if (!t)
		return error_no_memory(err);
	trace_sums_init(&t->sums);
	if (!status)
		status = begin_trace(t, target, &o, err);
	if (status) {
		sooth_trace_close(t);
		return observation_failed(status, err);
	}
	*out = t;
	return 0;
}

TRACKER_CALLS(trace, sooth_trace_options)

void sooth_trace_close(struct sooth_trace *t)
{
	if (!t)
		return;
	tracker_fini(&t->tracker);
	trace_sums_fini(&t->sums);
	free(t);
}

struct sooth_table *sooth_trace_snapshot(struct sooth_trace *t, struct sooth_error *err)
{
	ERROR_HERE(err);

	return tracker_collect(&t->tracker, err) < 0 ? NULL : trace_sums_table(&t->sums, err);
}

/* --- counted --- */

static int store_counted_calls(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	return strcmp(section, "syscalls") ? 0 : table_append(user, schema, row);
}

struct sooth_table *sooth_trace_count(
	pid_t pid, const struct sooth_trace_options *options, struct sooth_error *err)
{
	static const struct observation_probe probes[] = { { "syscalls", SOOTH_COUNT },
		{ NULL, 0 } };
	ERROR_HERE(err);
	struct sooth_trace_options o;
	struct observation n = { .name = "trace",
		.view = "syscall-table",
		.pid = pid,
		.probes = probes,
		.take = store_counted_calls };

	if (options_copy(&o, sizeof(o), options, err) || set_options(&n.options, &o, err))
		return NULL;
	n.duration_ns = o.duration_ns ? o.duration_ns : DURATION_NS;
	return observation_table(&n, "count the calls of", err);
}
