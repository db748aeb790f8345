/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the view "limits". One column has values of different units: text output shows the
 * texts, programs read the numbers beside them.
 */
#ifndef SOOTH_ANALYZE_LIMITS_ROWS_H
#define SOOTH_ANALYZE_LIMITS_ROWS_H

#include "model/row_list.h"
#include "probes/limits.h"

#define LIMITS_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the limit in getrlimit(2)", .is_key = true)              \
	F(S, TEXT, used_text, MAYBE(used_state), "amount of the limited resource in use, as text", \
		.label = "USED")                                                                   \
	F(S, TEXT, soft_limit_text, ALWAYS, "soft limit of the resource, as text",                 \
		.label = "SOFT")                                                                   \
	F(S, TEXT, hard_limit_text, ALWAYS, "hard limit of the resource, as text",                 \
		.label = "HARD")                                                                   \
	F(S, REAL, percent, MAYBE(percent_state), "use in percent of the soft limit",              \
		.label = "USED%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                       \
	F(S, ENUM32, unit, ALWAYS, "unit of the used amount and of the limits",                    \
		.names = &limits_unit_names)                                                       \
	F(S, U64, used, WITH(used_state),                                                          \
		"amount of the limited resource in use; null: the kernel does not count it",       \
		.is_hidden = true)                                                                 \
	F(S, NAMED, U64, soft, soft_limit, MAYBE(soft_state),                                      \
		"soft limit of the resource; null: unlimited", .is_hidden = true)                  \
	F(S, NAMED, U64, hard, hard_limit, MAYBE(hard_state),                                      \
		"hard limit of the resource; null: unlimited", .is_hidden = true)

struct limits_row {
	struct sooth_record record;
	ROW_MEMBERS(LIMITS_ROW, limits_row)
};

#define LIMITS_GROUP_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "resource that the control group limits", .is_key = true)         \
	F(S, TEXT, used_text, MAYBE(used_state),                                                   \
		"amount of the resource used by the whole control group", .label = "USED")         \
	F(S, TEXT, limit_text, MAYBE(limit_state), "limit of the control group, as text",          \
		.label = "LIMIT")                                                                  \
	F(S, REAL, percent, MAYBE(percent_state),                                                  \
		"use of the control group in percent of its limit", .label = "USED%",              \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, TEXT, peak_text, MAYBE(peak_state), "highest use of the control group so far",        \
		.label = "PEAK")                                                                   \
	F(S, U64, reached, MAYBE(reached_state),                                                   \
		"times the control group reached its limit; cpu: throttled periods")               \
	F(S, U64, kills, MAYBE(kills_state),                                                       \
		"processes killed because the control group reached its limit")                    \
	F(S, NAMED, TEXT, path, control_group, ALWAYS, "path of the control group",                \
		.label = "GROUP", .is_key = true, .may_shrink = true)                              \
	F(S, BOOL, is_inherited, ALWAYS,                                                           \
		"the limit comes from a parent of the process's control group", .is_hidden = true) \
	F(S, NAMED, U32, version, control_group_version, ALWAYS,                                   \
		"version of control groups: 1 or 2", .is_hidden = true)                            \
	F(S, ENUM32, unit, ALWAYS, "unit of use and limit; cpu: microseconds per second",          \
		.names = &limits_unit_names, .is_hidden = true)                                    \
	F(S, U64, used, WITH(used_state),                                                          \
		"amount of the resource used by the whole control group", .is_hidden = true)       \
	F(S, U64, limit, WITH(limit_state), "limit of the control group; null: none",              \
		.is_hidden = true)                                                                 \
	F(S, U64, peak, WITH(peak_state), "highest use of the control group so far",               \
		.is_hidden = true)

struct limits_group_row {
	struct sooth_record record;
	ROW_MEMBERS(LIMITS_GROUP_ROW, limits_group_row)
};

#define LIMITS_PRESSURE_ROW(F, S)                                                                  \
	F(S, PID)                                                                                  \
	F(S, TEXT, resource, ALWAYS, "resource that tasks waited for: cpu, memory, io",            \
		.is_key = true)                                                                    \
	F(S, NAMED, REAL, some_10s, some_10s_percent, ALWAYS,                                      \
		"share of the last 10 s in which some task waited for the resource",               \
		.label = "SOME 10S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                    \
	F(S, NAMED, REAL, some_60s, some_60s_percent, ALWAYS,                                      \
		"share of the last minute in which some task waited for the resource",             \
		.label = "60S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                         \
	F(S, NAMED, REAL, some_300s, some_300s_percent, ALWAYS,                                    \
		"share of the last 5 minutes in which some task waited for the resource",          \
		.label = "300S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                        \
	F(S, NAMED, REAL, full_10s, full_10s_percent, MAYBE(full_state),                           \
		"share of the last 10 s in which all tasks waited for the resource",               \
		.label = "FULL 10S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                    \
	F(S, NAMED, REAL, full_60s, full_60s_percent, WITH(full_state),                            \
		"share of the last minute in which all tasks waited for the resource",             \
		.label = "60S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                         \
	F(S, NAMED, REAL, full_300s, full_300s_percent, WITH(full_state),                          \
		"share of the last 5 minutes in which all tasks waited for the resource",          \
		.label = "300S", .unit = SOOTH_UNIT_PERCENT, .decimals = 2)                        \
	F(S, NAMED, TEXT, path, control_group, MAYBE(path_state),                                  \
		"path of the control group; null: pressure of the whole host", .is_key = true,     \
		.label = "GROUP", .may_shrink = true)                                              \
	F(S, BOOL, is_host, ALWAYS,                                                                \
		"the values are for the whole host, not for one control group", .is_hidden = true)

struct limits_pressure_row {
	struct sooth_record record;
	ROW_MEMBERS(LIMITS_PRESSURE_ROW, limits_pressure_row)
};

#define LIMITS_OOM_ROW(F, S)                                                                       \
	F(S, PID)                                                                                  \
	F(S, I64, oom_score, MAYBE(oom_state),                                                     \
		"OOM score; a process with a higher score is killed earlier when memory runs out") \
	F(S, I64, oom_score_adjustment, WITH(oom_state),                                           \
		"adjustment of the OOM score; -1000: the OOM killer never chooses the process")    \
	F(S, U64, memory_available_bytes, MAYBE(memory_state),                                     \
		"memory of the host that is available without swapping",                           \
		.label = "MEMORY AVAILABLE", .unit = SOOTH_UNIT_BYTES)                             \
	F(S, U64, memory_bytes, WITH(memory_state), "total memory of the host", .label = "OF",     \
		.unit = SOOTH_UNIT_BYTES)

struct limits_oom_row {
	struct sooth_record record;
	ROW_MEMBERS(LIMITS_OOM_ROW, limits_oom_row)
};

extern const struct sooth_schema limits_row_schema;
extern const struct sooth_schema limits_group_row_schema;
extern const struct sooth_schema limits_pressure_row_schema;
extern const struct sooth_schema limits_oom_row_schema;

#endif
