/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "limits". */
#include "analyze/inspect/limits_rows.h"

#include "model/schema.h"

#define FIELD_ROW_UNIT(type_)                                                                      \
	{                                                                                          \
		.name = "unit", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, unit),                   \
		.names = &limits_unit_names, .help = "unit of the numbers"                         \
	}
#define FIELD_VALUE_AS(type_, member, name_, help_)                                                \
	FIELD_NUMBER_AS(type_, member, name_, help_, FIELD_STATE_AT(type_, member##_state),        \
		.is_hidden = true)
#define FIELD_VALUE(type_, member, help_) FIELD_VALUE_AS(type_, member, member, help_)
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
		.name = #member "_percent", .label = label_, .type = SOOTH_FIELD_REAL,             \
		FIELD_AT(limits_pressure_row, member), .unit = SOOTH_UNIT_PERCENT, .decimals = 2,  \
		.help = help_, ##__VA_ARGS__                                                       \
	}

static const struct sooth_field row_fields[] = {
	FIELD_PID(limits_row),
	FIELD_STRING(limits_row, name, "name of the limit in getrlimit(2)", .is_key = true),
	FIELD_WORDS(limits_row, used_text, "USED", used_state, "used now, as text"),
	FIELD_STRING(limits_row, soft_limit_text, "soft limit, as text", .label = "SOFT"),
	FIELD_STRING(limits_row, hard_limit_text, "hard limit, as text", .label = "HARD"),
	FIELD_OF_LIMIT(limits_row, "used of the soft limit"),
	FIELD_ROW_UNIT(limits_row),
	FIELD_VALUE(limits_row, used, "used now; null: nothing is counted"),
	FIELD_VALUE_AS(limits_row, soft, soft_limit, "soft limit; null: unlimited"),
	FIELD_VALUE_AS(limits_row, hard, hard_limit, "hard limit; null: unlimited"),
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
	FIELD_WORDS(limits_group_row, used_text, "USED", used_state, "used by the whole group"),
	FIELD_WORDS(limits_group_row, limit_text, "LIMIT", limit_state, "limit"),
	FIELD_OF_LIMIT(limits_group_row, "used of the limit"),
	FIELD_WORDS(limits_group_row, peak_text, "PEAK", peak_state, "highest use so far"),
	FIELD_NUMBER(limits_group_row, reached, "times the limit was hit; cpu: throttled periods",
		FIELD_STATE_AT(limits_group_row, reached_state)),
	FIELD_NUMBER(limits_group_row, kills, "processes of the group killed at the limit",
		FIELD_STATE_AT(limits_group_row, kills_state)),
	FIELD_STRING_AS(limits_group_row, path, control_group, "path of the control group",
		.label = "GROUP", .is_key = true, .may_shrink = true),
	FIELD_TRUTH(limits_group_row, is_inherited,
		"the group is a parent of the process's group, and has a limit", .is_hidden = true),
	FIELD_NUMBER_AS(limits_group_row, version, control_group_version,
		"of control groups, 1 or 2", .is_hidden = true),
	{ .name = "unit",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(limits_group_row, unit),
		.names = &limits_unit_names,
		.is_hidden = true,
		.help = "unit of the numbers; cpu: microseconds per second" },
	FIELD_VALUE(limits_group_row, used, "used by the whole group"),
	FIELD_VALUE(limits_group_row, limit, "limit; null: none"),
	FIELD_VALUE(limits_group_row, peak, "highest use so far"),
};

const struct sooth_schema limits_group_row_schema = {
	.name = "control_groups",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_group_row),
	SCHEMA_FIELDS(group_fields),
};

static const struct sooth_field pressure_fields[] = {
	FIELD_PID(limits_pressure_row),
	FIELD_STRING(limits_pressure_row, resource, "resource", .is_key = true),
	FIELD_SHARE(some_10s, "SOME 10S", "share of the last 10 s in which some task waited"),
	FIELD_SHARE(some_60s, "60S", "the same over the last minute"),
	FIELD_SHARE(some_300s, "300S", "the same over the last 5 minutes"),
	FIELD_SHARE(full_10s, "FULL 10S", "share of the last 10 s in which all tasks waited",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_SHARE(full_60s, "60S", "the same over the last minute",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_SHARE(full_300s, "300S", "the same over the last 5 minutes",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_STRING_AS(limits_pressure_row, path, control_group,
		"path of the control group; null: the host", .is_key = true, .label = "GROUP",
		.may_shrink = true, FIELD_STATE_AT(limits_pressure_row, path_state)),
	FIELD_TRUTH(limits_pressure_row, is_host,
		"pressure of the host instead of the control group", .is_hidden = true),
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
		.help = "higher: killed earlier when memory runs out" },
	{ .name = "oom_score_adjustment",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(limits_oom_row, oom_score_adjustment),
		FIELD_STATE_AT(limits_oom_row, oom_state),
		.help = "adjustment of the score; -1000: never killed" },
	FIELD_NUMBER(limits_oom_row, memory_available_bytes,
		"memory of the host available without swapping", .label = "MEMORY AVAILABLE",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(limits_oom_row, memory_state)),
	FIELD_NUMBER(limits_oom_row, memory_bytes, "of the host", .label = "OF",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(limits_oom_row, memory_state)),
};

const struct sooth_schema limits_oom_row_schema = {
	.name = "oom",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_oom_row),
	SCHEMA_FIELDS(oom_fields),
};
