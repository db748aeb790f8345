/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "limits". */
#include "analyze/inspect/limits_rows.h"

#include "model/schema.h"

#define FIELD_ROW_UNIT(type_)                                                                      \
	{                                                                                          \
		.name = "unit", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, unit),                   \
		.names = &limits_unit_names, .help = "unit of the used amount and of the limits"   \
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
	FIELD_WORDS(limits_row, used_text, "USED", used_state,
		"amount of the limited resource in use, as text"),
	FIELD_STRING(limits_row, soft_limit_text, "soft limit of the resource, as text",
		.label = "SOFT"),
	FIELD_STRING(limits_row, hard_limit_text, "hard limit of the resource, as text",
		.label = "HARD"),
	FIELD_OF_LIMIT(limits_row, "use in percent of the soft limit"),
	FIELD_ROW_UNIT(limits_row),
	FIELD_VALUE(limits_row, used,
		"amount of the limited resource in use; null: the kernel does not count it"),
	FIELD_VALUE_AS(limits_row, soft, soft_limit, "soft limit of the resource; null: unlimited"),
	FIELD_VALUE_AS(limits_row, hard, hard_limit, "hard limit of the resource; null: unlimited"),
};

const struct sooth_schema limits_row_schema = {
	.name = "resource_limits",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_row),
	SCHEMA_FIELDS(row_fields),
};

static const struct sooth_field group_fields[] = {
	FIELD_PID(limits_group_row),
	FIELD_STRING(
		limits_group_row, name, "resource that the control group limits", .is_key = true),
	FIELD_WORDS(limits_group_row, used_text, "USED", used_state,
		"amount of the resource used by the whole control group"),
	FIELD_WORDS(limits_group_row, limit_text, "LIMIT", limit_state,
		"limit of the control group, as text"),
	FIELD_OF_LIMIT(limits_group_row, "use of the control group in percent of its limit"),
	FIELD_WORDS(limits_group_row, peak_text, "PEAK", peak_state,
		"highest use of the control group so far"),
	FIELD_NUMBER(limits_group_row, reached,
		"times the control group reached its limit; cpu: throttled periods",
		FIELD_STATE_AT(limits_group_row, reached_state)),
	FIELD_NUMBER(limits_group_row, kills,
		"processes killed because the control group reached its limit",
		FIELD_STATE_AT(limits_group_row, kills_state)),
	FIELD_STRING_AS(limits_group_row, path, control_group, "path of the control group",
		.label = "GROUP", .is_key = true, .may_shrink = true),
	FIELD_TRUTH(limits_group_row, is_inherited,
		"the limit comes from a parent of the process's control group", .is_hidden = true),
	FIELD_NUMBER_AS(limits_group_row, version, control_group_version,
		"version of control groups: 1 or 2", .is_hidden = true),
	{ .name = "unit",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(limits_group_row, unit),
		.names = &limits_unit_names,
		.is_hidden = true,
		.help = "unit of use and limit; cpu: microseconds per second" },
	FIELD_VALUE(
		limits_group_row, used, "amount of the resource used by the whole control group"),
	FIELD_VALUE(limits_group_row, limit, "limit of the control group; null: none"),
	FIELD_VALUE(limits_group_row, peak, "highest use of the control group so far"),
};

const struct sooth_schema limits_group_row_schema = {
	.name = "control_groups",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_group_row),
	SCHEMA_FIELDS(group_fields),
};

static const struct sooth_field pressure_fields[] = {
	FIELD_PID(limits_pressure_row),
	FIELD_STRING(limits_pressure_row, resource,
		"resource that tasks waited for: cpu, memory, io", .is_key = true),
	FIELD_SHARE(some_10s, "SOME 10S",
		"share of the last 10 s in which some task waited for the resource"),
	FIELD_SHARE(some_60s, "60S",
		"share of the last minute in which some task waited for the resource"),
	FIELD_SHARE(some_300s, "300S",
		"share of the last 5 minutes in which some task waited for the resource"),
	FIELD_SHARE(full_10s, "FULL 10S",
		"share of the last 10 s in which all tasks waited for the resource",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_SHARE(full_60s, "60S",
		"share of the last minute in which all tasks waited for the resource",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_SHARE(full_300s, "300S",
		"share of the last 5 minutes in which all tasks waited for the resource",
		FIELD_STATE_AT(limits_pressure_row, full_state)),
	FIELD_STRING_AS(limits_pressure_row, path, control_group,
		"path of the control group; null: pressure of the whole host", .is_key = true,
		.label = "GROUP", .may_shrink = true,
		FIELD_STATE_AT(limits_pressure_row, path_state)),
	FIELD_TRUTH(limits_pressure_row, is_host,
		"the values are for the whole host, not for one control group", .is_hidden = true),
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
		.help = "OOM score; a process with a higher score is killed earlier when memory "
			"runs out" },
	{ .name = "oom_score_adjustment",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(limits_oom_row, oom_score_adjustment),
		FIELD_STATE_AT(limits_oom_row, oom_state),
		.help = "adjustment of the OOM score; -1000: the OOM killer never chooses the "
			"process" },
	FIELD_NUMBER(limits_oom_row, memory_available_bytes,
		"memory of the host that is available without swapping",
		.label = "MEMORY AVAILABLE", .unit = SOOTH_UNIT_BYTES,
		FIELD_STATE_AT(limits_oom_row, memory_state)),
	FIELD_NUMBER(limits_oom_row, memory_bytes, "total memory of the host", .label = "OF",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(limits_oom_row, memory_state)),
};

const struct sooth_schema limits_oom_row_schema = {
	.name = "oom",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_oom_row),
	SCHEMA_FIELDS(oom_fields),
};
