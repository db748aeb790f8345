/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "limits". */
#include "analyze/inspect/limits_rows.h"

#include "model/schema.h"

#define FIELD_ROW_UNIT(type_)                                                                      \
	{                                                                                          \
		.name = "unit", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, unit),                   \
		.names = &limits_unit_names, .help = "of the figures"                              \
	}
#define FIELD_VALUE(type_, member, help_)                                                          \
	FIELD_NUMBER(type_, member, help_, FIELD_STATE_AT(type_, member##_state), .is_hidden = true)
#define FIELD_WORDS(type_, member, label_, state, help_)                                           \
	FIELD_STRING(type_, member, help_, .label = label_, FIELD_STATE_AT(type_, state))
#define FIELD_OF_LIMIT(type_, help_)                                                               \
	{                                                                                          \
		.name = "percent", .label = "USED%", .type = SOOTH_FIELD_REAL,                     \
		FIELD_AT(type_, percent), FIELD_STATE_AT(type_, percent_state),                    \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1, .help = help_                           \
	}
#define FIELD_SHARE(member, label_, help_, ...)                                                    \
	{                                                                                          \
		.name = #member, .label = label_, .type = SOOTH_FIELD_REAL,                        \
		FIELD_AT(limits_pressure_row, member), .unit = SOOTH_UNIT_PERCENT, .decimals = 2,  \
		.help = help_, ##__VA_ARGS__                                                       \
	}

static const struct sooth_field row_fields[] = {
	FIELD_PID(limits_row),
	FIELD_STRING(limits_row, name, "of the limit, as getrlimit(2) names it", .is_key = true),
	FIELD_WORDS(limits_row, used_text, "USED", used_state, "of it now, for people"),
	FIELD_STRING(limits_row, soft_text, "the limit that holds, for people", .label = "SOFT"),
	FIELD_STRING(
		limits_row, hard_text, "up to which it may be raised, for people", .label = "HARD"),
	FIELD_OF_LIMIT(limits_row, "used of the soft limit"),
	FIELD_ROW_UNIT(limits_row),
	FIELD_VALUE(limits_row, used, "of it now; absent: nothing is used up"),
	FIELD_VALUE(limits_row, soft, "the limit that holds; absent: unlimited"),
	FIELD_VALUE(limits_row, hard, "up to which it may be raised; absent: unlimited"),
};

const struct sooth_schema limits_row_schema = {
	.name = "resource_limits",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_row),
	SCHEMA_FIELDS(row_fields),
};

static const struct sooth_field group_fields[] = {
	FIELD_PID(limits_group_row),
	FIELD_STRING(limits_group_row, name, "what is counted", .is_key = true),
	FIELD_WORDS(limits_group_row, used_text, "USED", used_state, "by all of the group"),
	FIELD_WORDS(limits_group_row, limit_text, "LIMIT", limit_state, "the most that may be"),
	FIELD_OF_LIMIT(limits_group_row, "used of the limit"),
	FIELD_WORDS(limits_group_row, peak_text, "PEAK", peak_state, "the most that was used"),
	FIELD_NUMBER(limits_group_row, reached, "times the limit was met; of cpu: periods",
		FIELD_STATE_AT(limits_group_row, reached_state)),
	FIELD_NUMBER(limits_group_row, kills, "of its processes for lack of it",
		FIELD_STATE_AT(limits_group_row, kills_state)),
	FIELD_STRING(limits_group_row, path, "of the group in its hierarchy", .is_key = true,
		.may_shrink = true),
	FIELD_TRUTH(limits_group_row, is_inherited,
		"the group is one above the process's, and has a limit", .is_hidden = true),
	FIELD_NUMBER(limits_group_row, version, "of control groups, 1 or 2", .is_hidden = true),
	{ .name = "unit",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(limits_group_row, unit),
		.names = &limits_unit_names,
		.is_hidden = true,
		.help = "of the figures; of cpu: microseconds in each second" },
	FIELD_VALUE(limits_group_row, used, "by all of the group"),
	FIELD_VALUE(limits_group_row, limit, "the most that may be; absent: none set"),
	FIELD_VALUE(limits_group_row, peak, "the most that was used"),
};

const struct sooth_schema limits_group_row_schema = {
	.name = "groups",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_group_row),
	SCHEMA_FIELDS(group_fields),
};

static const struct sooth_field pressure_fields[] = {
	FIELD_PID(limits_pressure_row),
	FIELD_STRING(limits_pressure_row, resource, "what was waited for", .is_key = true),
	FIELD_SHARE(some_10s, "SOME 10S", "share of the last 10 s in which something waited"),
	FIELD_SHARE(some_60s, "60S", "of the last minute"),
	FIELD_SHARE(some_300s, "300S", "of the last 5 minutes"),
	FIELD_SHARE(full_10s, "FULL 10S", "share of the last 10 s in which everything waited",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_SHARE(full_60s, "60S", "of the last minute",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_SHARE(full_300s, "300S", "of the last 5 minutes",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_STRING(limits_pressure_row, path, "of the control group; none: the host",
		.is_key = true, .label = "GROUP", .may_shrink = true,
		FIELD_STATE_AT(limits_pressure_row, path_state)),
	FIELD_TRUTH(limits_pressure_row, is_host, "of the host; else of the control group",
		.is_hidden = true),
};

const struct sooth_schema limits_pressure_row_schema = {
	.name = "pressure",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_pressure_row),
	SCHEMA_FIELDS(pressure_fields),
};

static const struct sooth_field oom_fields[] = {
	FIELD_PID(limits_oom_row),
	{ .name = "oom_score",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(limits_oom_row, oom_score),
		FIELD_STATE_AT(limits_oom_row, oom_state),
		.help = "when memory is out, higher ones are killed first" },
	{ .name = "oom_score_adjustment",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(limits_oom_row, oom_score_adjustment),
		FIELD_STATE_AT(limits_oom_row, oom_state),
		.help = "set by somebody; -1000: never killed for memory" },
	FIELD_NUMBER(limits_oom_row, memory_available_bytes, "of the host, without swapping",
		.label = "MEMORY AVAILABLE", .unit = SOOTH_UNIT_BYTES,
		FIELD_STATE_AT(limits_oom_row, memory_state)),
	FIELD_NUMBER(limits_oom_row, memory_bytes, "of the host", .label = "OF",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(limits_oom_row, memory_state)),
};

const struct sooth_schema limits_oom_row_schema = {
	.name = "oom",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_oom_row),
	SCHEMA_FIELDS(oom_fields),
};
