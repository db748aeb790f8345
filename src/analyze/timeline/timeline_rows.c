/* SPDX-License-Identifier: BSD-2-Clause */
/* Times are since the start of the timeline. */
#include "analyze/timeline/timeline_rows.h"

#include "model/schema.h"

ROW_SCHEMA(timeline_axis, TIMELINE_AXIS_ROW, "timeline", timeline_axis_row,
	.line = "{interval_ns}[ from {start_utc_ns}], {buckets value} of {bucket_ns} per "
		"track; blank: not measured");

#define TRACK_SCHEMA(name_, LIST) ROW_SCHEMA_OF(LIST, name_, timeline_track_row, 0)

const struct sooth_schema timeline_track_schemas[TIMELINE_GROUPS] = {
	[TIMELINE_CPU] = TRACK_SCHEMA("timeline_cpu", TIMELINE_CPU_ROW),
	[TIMELINE_MEMORY] = TRACK_SCHEMA("timeline_memory", TIMELINE_MEMORY_ROW),
	[TIMELINE_IO] = TRACK_SCHEMA("timeline_io", TIMELINE_IO_ROW),
	[TIMELINE_CALLS] = TRACK_SCHEMA("timeline_calls", TIMELINE_CALLS_ROW),
	[TIMELINE_LOST] = TRACK_SCHEMA("timeline_lost", TIMELINE_CALLS_ROW),
	[TIMELINE_HEAP] = TRACK_SCHEMA("timeline_heap", TIMELINE_MEMORY_ROW),
	[TIMELINE_HEAP_RATE] = TRACK_SCHEMA("timeline_heap_rate", TIMELINE_IO_ROW),
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
