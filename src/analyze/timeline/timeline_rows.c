/* SPDX-License-Identifier: BSD-2-Clause */
/* Times are since the start of the timeline. */
#include "analyze/timeline/timeline_rows.h"

#include "model/schema.h"

ROW_FIELDS(timeline_axis_fields, TIMELINE_AXIS_ROW, timeline_axis_row);

ROW_SCHEMA(timeline_axis, "timeline", timeline_axis_row,
	.line = "{interval_ns}[ from {start_utc_ns}], {buckets value} of {bucket_ns} per "
		"track; blank: not measured");

ROW_FIELDS(cpu_fields, TIMELINE_CPU_ROW, timeline_track_row);
ROW_FIELDS(memory_fields, TIMELINE_MEMORY_ROW, timeline_track_row);
ROW_FIELDS(io_fields, TIMELINE_IO_ROW, timeline_track_row);
ROW_FIELDS(calls_fields, TIMELINE_CALLS_ROW, timeline_track_row);

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
};

ROW_FIELDS(timeline_life_fields, TIMELINE_LIFE_ROW, timeline_life_row);

ROW_SCHEMA(timeline_life, "timeline_lives", timeline_life_row);

static const char *const event_names[TIMELINE_EVENTS] = {
	[TIMELINE_EVENT_START] = "start",
	[TIMELINE_EVENT_EXEC] = "exec",
	[TIMELINE_EVENT_END] = "end",
	[TIMELINE_EVENT_OOM] = "out of memory",
	[TIMELINE_EVENT_LOSS] = "loss",
	[TIMELINE_EVENT_FINDING] = "finding",
};
const struct sooth_names timeline_event_names = { TIMELINE_EVENTS, event_names };

ROW_FIELDS(timeline_event_fields, TIMELINE_EVENT_ROW, timeline_event_row);

ROW_SCHEMA(timeline_event, "timeline_events", timeline_event_row);
