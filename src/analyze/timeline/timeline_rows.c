/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the timeline; times count from its start. */
#include "analyze/timeline/timeline_rows.h"

#include "model/schema.h"

ROW_SCHEMA(timeline_axis, TIMELINE_AXIS_ROW, "timeline", timeline_axis_row,
	.line = "{interval_ns}[ from {start_utc_ns}], {buckets value} of {bucket_ns} per "
		"track; blank: not measured");

/* Tracks with the same fields share one JSON Schema, so each table is listed once. */
#define TRACK_FIELDS(table, LIST)                                                                  \
	static const struct sooth_field table[] = { LIST(ROW_FIELD, timeline_track_row) }

TRACK_FIELDS(cpu_fields, TIMELINE_CPU_ROW);
TRACK_FIELDS(memory_fields, TIMELINE_MEMORY_ROW);
TRACK_FIELDS(io_fields, TIMELINE_IO_ROW);
TRACK_FIELDS(calls_fields, TIMELINE_CALLS_ROW);
TRACK_FIELDS(count_fields, TIMELINE_COUNT_ROW);

#define TRACK_SCHEMA(name_, table)                                                                 \
	{                                                                                          \
		.name = name_, .class_ = SOOTH_CLASS_ROW,                                          \
		.fixed_size = sizeof(struct timeline_track_row), SCHEMA_FIELDS(table)              \
	}

const struct sooth_schema timeline_track_schemas[TIMELINE_GROUPS] = {
	[TIMELINE_CPU] = TRACK_SCHEMA("timeline_cpu", cpu_fields),
	[TIMELINE_MEMORY] = TRACK_SCHEMA("timeline_memory", memory_fields),
	[TIMELINE_IO] = TRACK_SCHEMA("timeline_io", io_fields),
	[TIMELINE_CALLS] = TRACK_SCHEMA("timeline_calls", calls_fields),
	[TIMELINE_LOST] = TRACK_SCHEMA("timeline_lost", calls_fields),
	[TIMELINE_HEAP] = TRACK_SCHEMA("timeline_heap", memory_fields),
	[TIMELINE_HEAP_RATE] = TRACK_SCHEMA("timeline_heap_rate", io_fields),
	[TIMELINE_RESIDENT] = TRACK_SCHEMA("timeline_resident", memory_fields),
	[TIMELINE_FDS] = TRACK_SCHEMA("timeline_fds", count_fields),
};

ROW_SCHEMA(timeline_life, TIMELINE_LIFE_ROW, "timeline_lives", timeline_life_row);

static const char *const event_names[TIMELINE_EVENTS] = {
	[TIMELINE_EVENT_START] = "start",
	[TIMELINE_EVENT_EXEC] = "exec",
	[TIMELINE_EVENT_END] = "end",
	[TIMELINE_EVENT_OOM] = "out of memory",
	[TIMELINE_EVENT_LOSS] = "loss",
	[TIMELINE_EVENT_FINDING] = "finding",
};
const struct sooth_names timeline_event_names = { TIMELINE_EVENTS, event_names };

ROW_SCHEMA(timeline_event, TIMELINE_EVENT_ROW, "timeline_events", timeline_event_row);
