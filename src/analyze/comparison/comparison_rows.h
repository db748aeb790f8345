/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a comparison. */
#ifndef SOOTH_ANALYZE_COMPARISON_ROWS_H
#define SOOTH_ANALYZE_COMPARISON_ROWS_H

#include "model/row_list.h"

enum change_kind { CHANGE_CHANGED, CHANGE_APPEARED, CHANGE_VANISHED, CHANGES };

#define CHANGE_ROW(F, S)                                                                           \
	F(S, NAMED, ENUM8, kind, change, ALWAYS,                                                   \
		"result of the comparison: changed, appeared, vanished", .names = &kind_names)     \
	F(S, TEXT, table, ALWAYS, "name of the table that has the changed row")                    \
	F(S, TEXT, row, ALWAYS, "changed row: its process and key", .may_shrink = true)            \
	F(S, TEXT, field, MAYBE(field_state), "name of the changed field; null: the whole row")    \
	F(S, NAMED, TEXT, before, before_text, MAYBE(before_state), "value in the first capture",  \
		.label = "BEFORE", .may_shrink = true)                                             \
	F(S, NAMED, TEXT, after, after_text, MAYBE(after_state), "value in the second capture",    \
		.label = "AFTER", .may_shrink = true)                                              \
	F(S, TEXT, difference, MAYBE(difference_state), "second value minus first value, as text") \
	F(S, REAL, percent, MAYBE(percent_state), "difference in percent of the first value",      \
		.decimals = 1, .is_hidden = true, .unit = SOOTH_UNIT_PERCENT)                      \
	F(S, REAL, before_value, MAYBE(value_state), "value in the first capture", .decimals = 3,  \
		.is_hidden = true)                                                                 \
	F(S, REAL, after_value, WITH(value_state), "value in the second capture", .decimals = 3,   \
		.is_hidden = true)                                                                 \
	F(S, REAL, noise, WITH(value_state),                                                       \
		"largest difference of the two values that counts as noise", .decimals = 3,        \
		.is_hidden = true)                                                                 \
	F(S, TEXT, unit, ALWAYS,                                                                   \
		"unit of the values: bytes, ns, percent, s; empty: a plain number",                \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_rate, ALWAYS, "both values are rates per second", .is_hidden = true)

struct change_row {
	struct sooth_record record;
	ROW_MEMBERS(CHANGE_ROW, change_row)
};

/* One of the two captures. */
#define COMPARED_SIDE_ROW(F, S)                                                                    \
	F(S, TEXT, side, ALWAYS, "which of the two captures: first or second")                     \
	F(S, TEXT, file, ALWAYS, "file name of the capture", .may_shrink = true)                   \
	F(S, U64, interval_ns, MAYBE(observed_state), "length of the recording",                   \
		.label = "OBSERVED", .unit = SOOTH_UNIT_NS)                                        \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .label = "HOST")                          \
	F(S, NAMED, TEXT, version, sooth_version, ALWAYS,                                          \
		"version of sooth that recorded the data", .label = "SOOTH")                       \
	F(S, U64, lost, ALWAYS, "records lost during the recording")                               \
	F(S, BOOL, has_losses, ALWAYS,                                                             \
		"records were lost, or the capture file is truncated or damaged",                  \
		.label = "LOSSES")                                                                 \
	F(S, U64, refused, ALWAYS, "rows not compared because the capture has too many",           \
		.is_hidden = true)                                                                 \
	F(S, TEXT, probes, ALWAYS, "probes that recorded data", .may_shrink = true)

struct compared_side_row {
	struct sooth_record record;
	ROW_MEMBERS(COMPARED_SIDE_ROW, compared_side_row)
};

/* The compared time range, if one was requested. */
#define COMPARED_PART_ROW(F, S)                                                                    \
	F(S, TEXT, side, ALWAYS, "which of the two captures: first or second")                     \
	F(S, U64, from_ns, ALWAYS,                                                                 \
		"start of the compared time range, from the start of the recording",               \
		.label = "FROM", .unit = SOOTH_UNIT_NS)                                            \
	F(S, U64, to_ns, ALWAYS,                                                                   \
		"end of the compared time range, from the start of the recording", .label = "TO",  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, whole_ns, capture_ns, ALWAYS, "total length of the capture",              \
		.label = "OF", .unit = SOOTH_UNIT_NS)                                              \
	F(S, U64, left_out, ALWAYS,                                                                \
		"count records left out: their time window is only partly in the range",           \
		.label = "LEFT-OUT")

struct compared_part_row {
	struct sooth_record record;
	ROW_MEMBERS(COMPARED_PART_ROW, compared_part_row)
};

/* A table that only one capture has. */
#define ONE_SIDED_ROW(F, S)                                                                        \
	F(S, TEXT, table, ALWAYS, "name of the table")                                             \
	F(S, TEXT, side, ALWAYS, "capture that has the table: first or second")                    \
	F(S, TEXT, reason, ALWAYS, "reason why the table was not compared")

struct one_sided_row {
	struct sooth_record record;
	ROW_MEMBERS(ONE_SIDED_ROW, one_sided_row)
};

#define COMPARISON_ROW(F, S)                                                                       \
	F(S, NAMED, TEXT, words, text, ALWAYS, "summary of the result in one sentence")            \
	F(S, TEXT, rule, ALWAYS, "rule that separates noise from a real change")                   \
	F(S, U64, rows, ALWAYS, "number of rows found in both captures")                           \
	F(S, U64, changed, ALWAYS, "number of values that differ by more than noise")              \
	F(S, U64, appeared, ALWAYS, "number of rows found only in the second capture")             \
	F(S, U64, vanished, ALWAYS, "number of rows found only in the first capture")              \
	F(S, U64, within_noise, ALWAYS, "number of values that differ only by noise")              \
	F(S, NAMED, U64, not_measured, unmeasured, ALWAYS,                                         \
		"number of values measured in only one of the two captures")                       \
	F(S, U64, incomparable, ALWAYS,                                                            \
		"rows identified only by memory addresses, which cannot be compared")              \
	F(S, REAL, noise_percent, ALWAYS,                                                          \
		"difference that counts as noise, in percent of the larger value",                 \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

struct comparison_row {
	struct sooth_record record;
	ROW_MEMBERS(COMPARISON_ROW, comparison_row)
};

extern const struct sooth_schema change_schema, compared_side_schema, compared_part_schema,
	one_sided_schema, comparison_schema;

#endif
