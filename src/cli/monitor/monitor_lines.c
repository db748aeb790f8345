/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/monitor_lines.h"

#include <string.h>

#include "base/cleanup.h"
#include "explain/report.h"
#include "model/batch.h"
#include "model/probe.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"
#include "sinks/json_members.h"

/* The version of the format of lines: docs/monitor.md explains when it grows. */
#define LINES_VERSION 1

/* --- tables --- */

#define BEGIN_ROW(F, S)                                                                            \
	F(S, TEXT, feeds, ALWAYS, "kinds of records that follow, with commas")                     \
	F(S, U32, lines_version, ALWAYS, "version of these lines")

#define PROCESS_ROW(F, S)                                                                          \
	F(S, NAMED, U32, number, pid, ALWAYS, "process id in the pid namespace of sooth")          \
	F(S, CHARS16, name, ALWAYS, "name of the process")

#define LOSS_ROW(F, S)                                                                             \
	F(S, U64, records, ALWAYS, "records that are missing here; 0: none come for now")          \
	F(S, TEXT, reason, ALWAYS, "reason of the loss")                                           \
	F(S, NAMED, U32, number, pid, MAYBE(number_state), "process that it is about, if it is one")

#define ERROR_ROW(F, S)                                                                            \
	F(S, TEXT, what, ALWAYS, "part of the request that is refused")                            \
	F(S, TEXT, why, ALWAYS, "reason of the refusal")

#define MARK_ROW(F, S)                                                                             \
	F(S, TEXT, feed, ALWAYS, "kind of records among which the mark is")                        \
	F(S, U64, time_ns, ALWAYS, "time of the mark (CLOCK_MONOTONIC)",                           \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, TEXT, mark, ALWAYS, "phase, or pause and resume of the records")                      \
	F(S, TEXT, name, MAYBE(name_state), "name of the phase that begins")

#define FEED_ROW(F, S)                                                                             \
	F(S, TEXT, name, ALWAYS, "kind of records")                                                \
	F(S, U32, readers, ALWAYS, "number of readers")                                            \
	F(S, BOOL, is_attached, ALWAYS, "probes are attached: there are readers and processes")    \
	F(S, U32, processes, ALWAYS, "number of observed processes, without later children")       \
	F(S, U64, records, ALWAYS, "number of records since the monitor started")                  \
	F(S, BOOL, is_paused, ALWAYS, "records are paused")                                        \
	F(S, TEXT, phase, MAYBE(phase_state), "name of the phase that began last")

#define LINE_ROW(id_, LIST, table_) ROW_TABLE(id_, LIST, table_, id_##_row)

LINE_ROW(begin, BEGIN_ROW, "monitor.begin");
LINE_ROW(process, PROCESS_ROW, "monitor.process");
LINE_ROW(loss, LOSS_ROW, "monitor.loss");
LINE_ROW(error, ERROR_ROW, "monitor.error");
LINE_ROW(mark, MARK_ROW, "monitor.mark");
LINE_ROW(feed, FEED_ROW, "monitor.feed");

const struct command_table monitor_line_tables[] = {
	{ "begin", &begin_schema },
	{ "process", &process_schema },
	{ "loss", &loss_schema },
	{ "error", &error_schema },
	{ "mark", &mark_schema },
	{ NULL, NULL },
};

const struct command_table monitor_report_tables[] = {
	{ "feeds", &feed_schema },
	{ "monitor_processes", &process_schema },
	{ NULL, NULL },
};

/* --- lines --- */

static void put_line(struct buffer *out, const char *type, const struct sooth_schema *schema,
	struct sooth_record *row, struct record_tail *tail, size_t tail_count)
{
	struct buffer whole = { 0 };
	struct json json;

	record_append(&whole, row, schema->fixed_size, tail, tail_count);
	buffer_reset(out);
	json_init(&json, out, 0);
	json_format(&json, "{'type':%s", type);
	if (!buffer_failed(&whole))
		json_members(&json, schema, (const void *)whole.data);
	json_end(&json);
	buffer_fini(&whole);
}

void monitor_line_begin(struct buffer *out, const char *feeds)
{
	struct begin_row row = { .lines_version = LINES_VERSION };
	struct record_tail tail[] = { tail_string(&row.feeds, feeds) };

	put_line(out, "begin", &begin_schema, &row.record, tail, ARRAY_SIZE(tail));
}

static struct process_row process_row(uint32_t pid, const char *name)
{
	struct process_row row = { .number = pid };
	size_t size = strnlen(name, sizeof(row.name) - 1);

	memcpy(row.name, name, size);
	return row;
}

void monitor_line_process(struct buffer *out, uint32_t pid, const char *name)
{
	struct process_row row = process_row(pid, name);

	put_line(out, "process", &process_schema, &row.record, NULL, 0);
}

void monitor_line_loss(
	struct buffer *out, uint64_t records, uint32_t pid, const char *reason, size_t size)
{
	struct loss_row row = { .records = records,
		.number = pid,
		.number_state = pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &row.reason, reason, size } };

	put_line(out, "loss", &loss_schema, &row.record, tail, ARRAY_SIZE(tail));
}

void monitor_line_error(struct buffer *out, const char *what, const char *why)
{
	struct error_row row = { 0 };
	struct record_tail tail[] = { tail_string(&row.what, what), tail_string(&row.why, why) };

	put_line(out, "error", &error_schema, &row.record, tail, ARRAY_SIZE(tail));
}

static const char *mark_name(uint32_t what)
{
	const struct sooth_names *names =
		sooth_schema_field(registry_schema(STREAM_MARK), "mark")->names;

	return what < names->count && names->names[what] ? names->names[what] : "";
}

void monitor_line_mark(
	struct buffer *out, const char *feed, uint64_t time_ns, uint32_t what, struct span name)
{
	struct mark_row row = { .time_ns = time_ns,
		.name_state = what == STREAM_MARK_PHASE ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&row.feed, feed),
		tail_string(&row.mark, mark_name(what)), { &row.name, name.data, name.size } };

	put_line(out, "mark", &mark_schema, &row.record, tail, ARRAY_SIZE(tail));
}

/* --- the report --- */

static void put_row(struct json *json, const struct section *section, struct sooth_record *row,
	struct record_tail *tail, size_t tail_count)
{
	struct buffer whole = { 0 };

	record_append(&whole, row, section->schema->fixed_size, tail, tail_count);
	if (!buffer_failed(&whole))
		json_section_row(json, section, (const void *)whole.data);
	buffer_fini(&whole);
}

static void put_feed(
	struct json *json, const struct section *section, const struct monitor_feed_row *feed)
{
	struct feed_row row = { .readers = feed->readers,
		.is_attached = feed->is_attached,
		.processes = feed->processes,
		.records = feed->records,
		.is_paused = feed->is_paused,
		.phase_state = feed->phase ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&row.name, feed->name),
		tail_string(&row.phase, feed->phase ? feed->phase : "") };

	put_row(json, section, &row.record, tail, ARRAY_SIZE(tail));
}

void monitor_report(struct buffer *out, const struct monitor_feed_row *feeds, size_t feed_count,
	const struct monitor_process *processes, size_t process_count)
{
	static const struct section of_feeds = SECTION_OF("feeds", feed_schema, TABLE);
	static const struct section of_processes =
		SECTION_OF("monitor_processes", process_schema, TABLE);
	struct json json;

	json_init(&json, out, 0);
	json_begin_object(&json);
	json_schema_member(&json, "monitor", REPORT_SCHEMA_VERSION);
	json_section_begin(&json, &of_feeds);
	for (size_t i = 0; i < feed_count; i++)
		put_feed(&json, &of_feeds, &feeds[i]);
	json_section_end(&json, &of_feeds, feed_count);
	json_section_begin(&json, &of_processes);
	for (size_t i = 0; i < process_count; i++) {
		struct process_row row = process_row(processes[i].pid, processes[i].name);

		put_row(&json, &of_processes, &row.record, NULL, 0);
	}
	json_section_end(&json, &of_processes, process_count);
	json_end(&json);
}
