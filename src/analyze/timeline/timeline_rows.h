/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "timeline": time axis, tracks of values, lives of processes, events. */
#pragma once

#include "model/row_list.h"

/* The unit of a track's values: each group has its own table. */
enum timeline_group {
	TIMELINE_CPU,	    /* percent of one core */
	TIMELINE_MEMORY,    /* bytes */
	TIMELINE_FDS,	    /* open descriptors */
	TIMELINE_IO,	    /* bytes per second */
	TIMELINE_CALLS,	    /* per second */
	TIMELINE_LOST,	    /* records per second */
	TIMELINE_HEAP,	    /* bytes */
	TIMELINE_HEAP_RATE, /* bytes per second */
	TIMELINE_RESIDENT,  /* bytes, by kind */
	TIMELINE_GROUPS,
};

#define TIMELINE_AXIS_ROW(F, S)                                                                    \
	F(S, NAMED, U64, begin_ns, start_ns, ALWAYS, "start of the recording (CLOCK_MONOTONIC)",   \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, NAMED, U64, begin_utc_ns, start_utc_ns, MAYBE(utc_state),                             \
		"start of the recording, ns since 1970", .unit = SOOTH_UNIT_UTC_NS)                \
	F(S, U64, interval_ns, ALWAYS, "time from the start of the recording to its last record",  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, stretch_ns, bucket_ns, ALWAYS,                                            \
		"length of one time bucket of the timeline", .unit = SOOTH_UNIT_NS)                \
	F(S, NAMED, U64, stretches, buckets, ALWAYS, "number of time buckets of each track")

ROW_STRUCT(timeline_axis_row, TIMELINE_AXIS_ROW);

/* A double, or an integer if the group's unit is bytes. */
union timeline_value {
	double real;
	uint64_t whole;
};

#define TIMELINE_TRACK_ROW(F, S, suffix, TYPE, unit_, decimals_, what)                             \
	F(S, RECORD, U32, pid, pid, MAYBE(pid_state),                                              \
		"process id in the pid namespace of sooth; absent: all processes together")        \
	F(S, TEXT, process, ALWAYS, "name of the process (comm)", .may_shrink = true)              \
	F(S, NAMED, TEXT, lane, track, ALWAYS,                                                     \
		"kind of value in the track: resident, read, file, ...")                           \
	F(S, NAMED, SERIES, values, values_##suffix, ALWAYS,                                       \
		what " in each bucket; null: not measured", .label = "OVER TIME", .unit = unit_,   \
		.decimals = decimals_)                                                             \
	F(S, ALSO, TYPE, least, min_##suffix, MAYBE(figures_state), "lowest value of the track",   \
		.label = "MIN", .unit = unit_, .decimals = decimals_)                              \
	F(S, ALSO, TYPE, mean, mean_##suffix, MAYBE(mean_state), "mean over the time measured",    \
		.label = "MEAN", .unit = unit_, .decimals = decimals_)                             \
	F(S, ALSO, TYPE, most, max_##suffix, WITH(figures_state), "highest value of the track",    \
		.label = "MAX", .unit = unit_, .decimals = decimals_)                              \
	F(S, ALSO, TYPE, last, last_##suffix, WITH(figures_state), "last value of the track",      \
		.label = "LAST", .unit = unit_, .decimals = decimals_)                             \
	F(S, NAMED, U64, longest_ns, max_gap_ns, MAYBE(longest_state),                             \
		"longest time between two samples of the track", .unit = SOOTH_UNIT_NS,            \
		.is_hidden = true)

#define TIMELINE_CPU_ROW(F, S)                                                                     \
	TIMELINE_TRACK_ROW(F, S, percent, REAL, SOOTH_UNIT_PERCENT, 1, "percent of one CPU")
#define TIMELINE_MEMORY_ROW(F, S)                                                                  \
	TIMELINE_TRACK_ROW(F, S, bytes, U64, SOOTH_UNIT_BYTES, 0, "most bytes")
#define TIMELINE_IO_ROW(F, S)                                                                      \
	TIMELINE_TRACK_ROW(F, S, bytes_per_s, U64, SOOTH_UNIT_BYTES, 0, "bytes per second")
#define TIMELINE_CALLS_ROW(F, S)                                                                   \
	TIMELINE_TRACK_ROW(F, S, per_s, REAL, SOOTH_UNIT_NONE, 1, "per second")
#define TIMELINE_COUNT_ROW(F, S)                                                                   \
	TIMELINE_TRACK_ROW(F, S, count, U64, SOOTH_UNIT_NONE, 0, "highest number")

struct timeline_track_row {
	struct sooth_record record;
	union timeline_value least, mean, most, last;
	ROW_MEMBERS(TIMELINE_CPU_ROW, timeline_track_row)
};

#define TIMELINE_LIFE_ROW(F, S)                                                                    \
	F(S, PID)                                                                                  \
	F(S, TEXT, process, ALWAYS, "name of the process (comm)")                                  \
	F(S, U64, from_ns, MAYBE(from_state),                                                      \
		"time the process started; absent: it ran before the recording", .label = "FROM",  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, to_ns, MAYBE(to_state),                                                          \
		"time the process ended; absent: it still ran at the end of the recording",        \
		.label = "TO", .unit = SOOTH_UNIT_NS)                                              \
	F(S, TEXT, end, ALWAYS, "how the process ended: exit status or signal", .label = "ENDED")

ROW_STRUCT(timeline_life_row, TIMELINE_LIFE_ROW);

enum timeline_event {
	TIMELINE_EVENT_START,
	TIMELINE_EVENT_EXEC,
	TIMELINE_EVENT_END,
	TIMELINE_EVENT_OOM,
	TIMELINE_EVENT_LOSS,
	TIMELINE_EVENT_FINDING,
	TIMELINE_EVENTS,
};

#define TIMELINE_EVENT_ROW(F, S)                                                                   \
	F(S, U64, at_ns, ALWAYS, "time since the start of the recording", .label = "AT",           \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state),                                              \
		"process id in the pid namespace of sooth; absent: no process")                    \
	F(S, TEXT, process, ALWAYS, "name of the process (comm)")                                  \
	F(S, NAMED, ENUM32, what, event, ALWAYS, "type of the event",                              \
		.names = &timeline_event_names)                                                    \
	F(S, TEXT, detail, ALWAYS, "details of the event", .may_shrink = true)

ROW_STRUCT(timeline_event_row, TIMELINE_EVENT_ROW);

extern const struct sooth_names timeline_event_names;
extern const struct sooth_schema timeline_axis_schema, timeline_life_schema, timeline_event_schema;
/* Schemas of the tracks, indexed by enum timeline_group. */
extern const struct sooth_schema timeline_track_schemas[TIMELINE_GROUPS];
