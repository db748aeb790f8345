/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "timeline": time axis, tracks of values, lives of processes, events. */
#ifndef SOOTH_ANALYZE_TIMELINE_ROWS_H
#define SOOTH_ANALYZE_TIMELINE_ROWS_H

#include "model/field.h"

/* The unit of a track's values: each group has its own table. */
enum timeline_group {
	TIMELINE_CPU,	 /* percent of one core */
	TIMELINE_MEMORY, /* bytes */
	TIMELINE_IO,	 /* bytes per second */
	TIMELINE_CALLS,	 /* per second */
	TIMELINE_LOST,	 /* records per second */
	TIMELINE_GROUPS,
};

struct timeline_axis_row {
	struct sooth_record record;
	uint64_t begin_ns, begin_utc_ns;
	uint64_t interval_ns;
	uint64_t stretch_ns;
	uint64_t stretches;
	uint8_t utc_state;
	uint8_t unused[7];
};

/* A double, or an integer if the group's unit is bytes. */
union timeline_value {
	double real;
	uint64_t whole;
};

struct timeline_track_row {
	struct sooth_record record;
	union timeline_value least, mean, most, last;
	uint64_t longest_ns;
	uint8_t pid_state;
	uint8_t figures_state;
	uint8_t mean_state;
	uint8_t longest_state;
	uint8_t unused[4];
	struct sooth_text process, lane, values;
};

struct timeline_life_row {
	struct sooth_record record;
	uint64_t from_ns, to_ns;
	uint8_t from_state; /* absent: it started before the timeline */
	uint8_t to_state;   /* absent: it was still running */
	uint8_t unused[6];
	struct sooth_text process, end;
};

enum timeline_event {
	TIMELINE_EVENT_START,
	TIMELINE_EVENT_EXEC,
	TIMELINE_EVENT_END,
	TIMELINE_EVENT_OOM,
	TIMELINE_EVENT_LOSS,
	TIMELINE_EVENT_FINDING,
	TIMELINE_EVENTS,
};

struct timeline_event_row {
	struct sooth_record record;
	uint64_t at_ns;
	uint32_t what; /* enum timeline_event */
	uint8_t pid_state;
	uint8_t unused[3];
	struct sooth_text process, detail;
};

extern const struct sooth_names timeline_event_names;
extern const struct sooth_schema timeline_axis_schema, timeline_life_schema, timeline_event_schema;
/* By enum timeline_group. */
extern const struct sooth_schema timeline_track_schemas[TIMELINE_GROUPS];

#endif
