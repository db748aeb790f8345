/* SPDX-License-Identifier: BSD-2-Clause */
/* Times are since the start of the timeline. */
#include "analyze/timeline/timeline_rows.h"

#include "model/schema.h"

ROW_FIELDS(axis_fields, TIMELINE_AXIS_ROW, timeline_axis_row);

const struct sooth_schema timeline_axis_schema = {
	.name = "timeline",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct timeline_axis_row),
	SCHEMA_FIELDS(axis_fields),
	.line = "{interval_ns}[ from {start_utc_ns}], {buckets value} of {bucket_ns} per "
		"track; blank: not measured",
};

/* The values of a track; `type` is real or integer. */
#define TRACK_VALUE(name_, label_, member, type_, unit_, decimals_, state, help_)                  \
	{                                                                                          \
		.name = name_, .label = label_, .type = type_, .unit = unit_,                      \
		.decimals = decimals_, FIELD_AT(timeline_track_row, member),                       \
		FIELD_STATE_AT(timeline_track_row, state), .help = help_                           \
	}

#define TRACK_FIELDS(suffix, type_, unit_, decimals_, what)                                        \
	{                                                                                          \
		.name = "pid",                                                                     \
		.type = SOOTH_FIELD_UNSIGNED,                                                      \
		FIELD_AT(timeline_track_row, record.pid),                                          \
		FIELD_STATE_AT(timeline_track_row, pid_state),                                     \
		.help = "process id in the initial pid namespace; absent: all processes together"  \
	},                                                                                         \
		FIELD_STRING(timeline_track_row, process, "name of the process (comm)",            \
			.may_shrink = true),                                                       \
		FIELD_STRING_AS(timeline_track_row, lane, track,                                   \
			"kind of value in the track: resident, read, file, ..."),                  \
		{ .name = "values_" suffix,                                                        \
			.label = "OVER TIME",                                                      \
			.type = SOOTH_FIELD_SERIES,                                                \
			.unit = unit_,                                                             \
			.decimals = decimals_,                                                     \
			FIELD_AT(timeline_track_row, values),                                      \
			.help = what " in each bucket; null: not measured" },                      \
		TRACK_VALUE("min_" suffix, "MIN", least, type_, unit_, decimals_, figures_state,   \
			"lowest value of the track"),                                              \
		TRACK_VALUE("mean_" suffix, "MEAN", mean, type_, unit_, decimals_, mean_state,     \
			"mean over the time measured"),                                            \
		TRACK_VALUE("max_" suffix, "MAX", most, type_, unit_, decimals_, figures_state,    \
			"highest value of the track"),                                             \
		TRACK_VALUE("last_" suffix, "LAST", last, type_, unit_, decimals_, figures_state,  \
			"last value of the track"),                                                \
		FIELD_NUMBER_AS(timeline_track_row, longest_ns, max_gap_ns,                        \
			"longest time between two samples of the track", .unit = SOOTH_UNIT_NS,    \
			.is_hidden = true, FIELD_STATE_AT(timeline_track_row, longest_state))

static const struct sooth_field cpu_fields[] = { TRACK_FIELDS(
	"percent", SOOTH_FIELD_REAL, SOOTH_UNIT_PERCENT, 1, "percent of one CPU") };
static const struct sooth_field memory_fields[] = { TRACK_FIELDS(
	"bytes", SOOTH_FIELD_UNSIGNED, SOOTH_UNIT_BYTES, 0, "most bytes") };
static const struct sooth_field io_fields[] = { TRACK_FIELDS(
	"bytes_per_s", SOOTH_FIELD_UNSIGNED, SOOTH_UNIT_BYTES, 0, "bytes per second") };
static const struct sooth_field calls_fields[] = { TRACK_FIELDS(
	"per_s", SOOTH_FIELD_REAL, SOOTH_UNIT_NONE, 1, "per second") };

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
};

ROW_FIELDS(life_fields, TIMELINE_LIFE_ROW, timeline_life_row);

const struct sooth_schema timeline_life_schema = {
	.name = "timeline_lives",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct timeline_life_row),
	SCHEMA_FIELDS(life_fields),
};

static const char *const event_names[TIMELINE_EVENTS] = {
	[TIMELINE_EVENT_START] = "start",
	[TIMELINE_EVENT_EXEC] = "exec",
	[TIMELINE_EVENT_END] = "end",
	[TIMELINE_EVENT_OOM] = "out of memory",
	[TIMELINE_EVENT_LOSS] = "loss",
	[TIMELINE_EVENT_FINDING] = "finding",
};
const struct sooth_names timeline_event_names = { TIMELINE_EVENTS, event_names };

ROW_FIELDS(event_fields, TIMELINE_EVENT_ROW, timeline_event_row);

const struct sooth_schema timeline_event_schema = {
	.name = "timeline_events",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct timeline_event_row),
	SCHEMA_FIELDS(event_fields),
};
