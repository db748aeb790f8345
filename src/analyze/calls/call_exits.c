/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_exits.h"

#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/schema.h"
#include "probes/signal_names.h"

#define SIGNAL_MASK 0x7f
#define CORE_FLAG   0x80

struct exit_row {
	struct sooth_record record;
	uint64_t utc_ns;
	uint32_t status;
	uint8_t utc_state, time_state;
	uint8_t unused[2];
	struct sooth_text time, thread, process, end;
};

static const struct sooth_field fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(exit_row, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time the process ended (CLOCK_MONOTONIC)" },
	FIELD_NUMBER(exit_row, utc_ns, "time the process ended, ns since 1970",
		FIELD_STATE_AT(exit_row, utc_state), .unit = SOOTH_UNIT_UTC_NS),
	FIELD_STRING(exit_row, time,
		"time of the exit as requested: time of day, or since the previous line",
		FIELD_STATE_AT(exit_row, time_state)),
	FIELD_PID(exit_row),
	FIELD_STRING(exit_row, thread, "name of the last thread of the process"),
	FIELD_STRING(exit_row, process, "name of the process; empty: unknown"),
	FIELD_NUMBER_AS(
		exit_row, status, wait_status, "exit status of the process as wait(2) encodes it"),
	FIELD_STRING(exit_row, end, "how the process ended: exit status or signal, as text"),
};

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
