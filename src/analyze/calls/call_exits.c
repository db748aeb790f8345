/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_exits.h"

#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/signal_names.h"

#define SIGNAL_MASK 0x7f
#define CORE_FLAG   0x80

#define EXIT_ROW(F, S)                                                                             \
	F(S, RECORD, U64, time_ns, time_ns, ALWAYS, "time the process ended (CLOCK_MONOTONIC)",    \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, U64, utc_ns, MAYBE(utc_state), "time the process ended, ns since 1970",               \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, time, MAYBE(time_state),                                                        \
		"time of the exit as requested: time of day, or since the previous line")          \
	F(S, PID)                                                                                  \
	F(S, TEXT, thread, ALWAYS, "name of the last thread of the process")                       \
	F(S, TEXT, process, ALWAYS, "name of the process; empty: unknown")                         \
	F(S, NAMED, U32, status, wait_status, ALWAYS,                                              \
		"exit status of the process as wait(2) encodes it")                                \
	F(S, TEXT, end, ALWAYS, "how the process ended: exit status or signal, as text")

struct exit_row {
	struct sooth_record record;
	ROW_MEMBERS(EXIT_ROW, exit_row)
};

ROW_FIELDS(fields, EXIT_ROW, exit_row);

#define EXIT_SCHEMA(line_)                                                                         \
	{                                                                                          \
		.name = "exits", .class_ = SOOTH_CLASS_ROW, .fixed_size = sizeof(struct exit_row), \
		SCHEMA_FIELDS(fields), .line = line_                                               \
	}

static const struct sooth_schema schema = EXIT_SCHEMA("{time} {pid} {thread}: +++ {end} +++");
static const struct sooth_schema host_schema =
	EXIT_SCHEMA("{time} {pid} {process} {pid} {thread}: +++ {end} +++");

static const struct section sections[] = {
	{ .name = "exit", .schema = &schema, .shape = SECTION_STREAM },
	{ .name = "exit", .schema = &host_schema, .shape = SECTION_STREAM },
};

const struct section *const call_exit_asides[] = { &sections[false], NULL };
const struct section *const call_exit_host_asides[] = { &sections[true], NULL };

static void put_end(struct buffer *out, uint32_t status)
{
	char name[SIGNAL_NAME_SIZE];

	if (status & SIGNAL_MASK)
		buffer_format(out, "killed by %s%s", signal_name(name, status & SIGNAL_MASK),
			status & CORE_FLAG ? " (core dumped)" : "");
	else
		buffer_format(out, "exited with %u", status >> 8 & 0xff);
}

int call_exit_emit(struct output *output, const struct call_exit *e, struct sooth_error *err)
{
	const struct process_leave *leave = e->leave;
	struct span thread = span_of(leave->name, strnlen(leave->name, sizeof(leave->name)));
	struct exit_row row = { .record = leave->record,
		.utc_ns = e->utc_ns,
		.status = leave->status,
		.utc_state = e->utc_state,
		.time_state = e->time_state };
	struct buffer end = { 0 };
	int status;

	put_end(&end, leave->status);
	struct record_tail tail[] = {
		tail_span(&row.time, e->time),
		tail_span(&row.thread, thread),
		tail_span(&row.process, e->process.size ? e->process : thread),
		tail_buffer(&row.end, &end),
	};
	status = OUTPUT_INTERLEAVED(
		output, &sections[e->is_host], &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&end);
	return status;
}
