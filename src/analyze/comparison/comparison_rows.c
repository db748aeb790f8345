/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of a comparison. */
#include "analyze/comparison/comparison_rows.h"

#include "model/schema.h"

static const char *const kinds[CHANGES] = { "changed", "appeared", "vanished" };
static const struct sooth_names kind_names = { CHANGES, kinds };

#define FIELD_REAL(member_, decimals_, help_, ...)                                                 \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_REAL, FIELD_AT(change_row, member_),         \
		.decimals = decimals_, .help = help_, .is_hidden = true, ##__VA_ARGS__             \
	}

static const struct sooth_field change_fields[] = {
	{ .name = "change",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(change_row, kind),
		.names = &kind_names,
		.help = "result of the comparison: changed, appeared, vanished" },
	FIELD_STRING(change_row, table, "name of the table that has the changed row"),
	FIELD_STRING(change_row, row, "changed row: its process and key", .may_shrink = true),
	FIELD_STRING(change_row, field, "name of the changed field; null: the whole row",
		FIELD_STATE_AT(change_row, field_state)),
	FIELD_STRING_AS(change_row, before, before_text, "value in the first capture",
		.label = "BEFORE", .may_shrink = true, FIELD_STATE_AT(change_row, before_state)),
	FIELD_STRING_AS(change_row, after, after_text, "value in the second capture",
		.label = "AFTER", .may_shrink = true, FIELD_STATE_AT(change_row, after_state)),
	FIELD_STRING(change_row, difference, "second value minus first value, as text",
		FIELD_STATE_AT(change_row, difference_state)),
	FIELD_REAL(percent, 1, "difference in percent of the first value",
		.unit = SOOTH_UNIT_PERCENT, FIELD_STATE_AT(change_row, percent_state)),
	FIELD_REAL(before_value, 3, "value in the first capture",
		FIELD_STATE_AT(change_row, value_state)),
	FIELD_REAL(after_value, 3, "value in the second capture",
		FIELD_STATE_AT(change_row, value_state)),
	FIELD_REAL(noise, 3, "largest difference of the two values that counts as noise",
		FIELD_STATE_AT(change_row, value_state)),
	FIELD_STRING(change_row, unit,
		"unit of the values: bytes, ns, percent, s; empty: a plain number",
		.is_hidden = true),
	FIELD_TRUTH(change_row, is_rate, "both values are rates per second", .is_hidden = true),
};

const struct sooth_schema change_schema = {
	.name = "diff.change",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct change_row),
	SCHEMA_FIELDS(change_fields),
};

static const struct sooth_field side_fields[] = {
	FIELD_STRING(compared_side_row, side, "which of the two captures: first or second"),
	FIELD_STRING(compared_side_row, file, "file name of the capture", .may_shrink = true),
	FIELD_NUMBER(compared_side_row, interval_ns, "length of the recording", .label = "OBSERVED",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(compared_side_row, observed_state)),
	FIELD_STRING(compared_side_row, hostname, "name of the host", .label = "HOST"),
	FIELD_STRING_AS(compared_side_row, version, sooth_version,
		"version of sooth that recorded the data", .label = "SOOTH"),
	FIELD_NUMBER(compared_side_row, lost, "records lost during the recording"),
	FIELD_TRUTH(compared_side_row, has_losses,
		"records were lost, or the capture file is truncated or damaged",
		.label = "LOSSES"),
	FIELD_NUMBER(compared_side_row, refused,
		"rows not compared because the capture has too many", .is_hidden = true),
	FIELD_STRING(compared_side_row, probes, "probes that recorded data", .may_shrink = true),
};

const struct sooth_schema compared_side_schema = {
	.name = "diff.side",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct compared_side_row),
	SCHEMA_FIELDS(side_fields),
};

static const struct sooth_field part_fields[] = {
	FIELD_STRING(compared_part_row, side, "which of the two captures: first or second"),
	FIELD_NUMBER(compared_part_row, from_ns,
		"start of the compared time range, from the start of the recording",
		.label = "FROM", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(compared_part_row, to_ns,
		"end of the compared time range, from the start of the recording", .label = "TO",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(compared_part_row, whole_ns, capture_ns, "total length of the capture",
		.label = "OF", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(compared_part_row, left_out,
		"count records left out: their time window is only partly in the range",
		.label = "LEFT-OUT"),
};

const struct sooth_schema compared_part_schema = {
	.name = "diff.range",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct compared_part_row),
	SCHEMA_FIELDS(part_fields),
};

static const struct sooth_field one_sided_fields[] = {
	FIELD_STRING(one_sided_row, table, "name of the table"),
	FIELD_STRING(one_sided_row, side, "capture that has the table: first or second"),
	FIELD_STRING(one_sided_row, reason, "reason why the table was not compared"),
};

const struct sooth_schema one_sided_schema = {
	.name = "diff.one_sided",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct one_sided_row),
	SCHEMA_FIELDS(one_sided_fields),
};

static const struct sooth_field comparison_fields[] = {
	FIELD_STRING_AS(comparison_row, words, text, "summary of the result in one sentence"),
	FIELD_STRING(comparison_row, rule, "rule that separates noise from a real change"),
	FIELD_NUMBER(comparison_row, rows, "number of rows found in both captures"),
	FIELD_NUMBER(comparison_row, changed, "number of values that differ by more than noise"),
	FIELD_NUMBER(comparison_row, appeared, "number of rows found only in the second capture"),
	FIELD_NUMBER(comparison_row, vanished, "number of rows found only in the first capture"),
	FIELD_NUMBER(
		comparison_row, within_noise, "number of values whose difference is only noise"),
	FIELD_NUMBER_AS(comparison_row, not_measured, unmeasured,
		"number of values measured in only one of the two captures"),
	FIELD_NUMBER(comparison_row, incomparable,
		"rows identified only by memory addresses, which cannot be compared"),
	{ .name = "noise_percent",
		.type = SOOTH_FIELD_REAL,
		.unit = SOOTH_UNIT_PERCENT,
		.decimals = 1,
		FIELD_AT(comparison_row, noise_percent),
		.help = "difference that counts as noise, in percent of the larger value" },
};

const struct sooth_schema comparison_schema = {
	.name = "diff.summary",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct comparison_row),
	.line = "{text}\nnoise: {rule}",
	SCHEMA_FIELDS(comparison_fields),
};
