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
		.help = "outcome" },
	FIELD_STRING(change_row, table, "table of the row"),
	FIELD_STRING(change_row, row, "process and key of the row", .may_shrink = true),
	FIELD_STRING(change_row, field, "field; null: the whole row",
		FIELD_STATE_AT(change_row, field_state)),
	FIELD_STRING_AS(change_row, before, before_text, "value in the first capture",
		.label = "BEFORE", .may_shrink = true, FIELD_STATE_AT(change_row, before_state)),
	FIELD_STRING_AS(change_row, after, after_text, "value in the second capture",
		.label = "AFTER", .may_shrink = true, FIELD_STATE_AT(change_row, after_state)),
	FIELD_STRING(change_row, difference, "unit of both numbers",
		FIELD_STATE_AT(change_row, difference_state)),
	FIELD_REAL(percent, 1, "of the first value", .unit = SOOTH_UNIT_PERCENT,
		FIELD_STATE_AT(change_row, percent_state)),
	FIELD_REAL(before_value, 3, "value in the first capture",
		FIELD_STATE_AT(change_row, value_state)),
	FIELD_REAL(after_value, 3, "value in the second capture",
		FIELD_STATE_AT(change_row, value_state)),
	FIELD_REAL(noise, 3, "largest difference that counts as noise",
		FIELD_STATE_AT(change_row, value_state)),
	FIELD_STRING(change_row, unit, "unit of the values: bytes, ns, percent, s; empty: a number",
		.is_hidden = true),
	FIELD_TRUTH(change_row, is_rate, "the values are per second", .is_hidden = true),
};

const struct sooth_schema change_schema = {
	.name = "diff.change",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct change_row),
	SCHEMA_FIELDS(change_fields),
};

static const struct sooth_field side_fields[] = {
	FIELD_STRING(compared_side_row, side, "which capture: first or second"),
	FIELD_STRING(compared_side_row, file, "the capture", .may_shrink = true),
	FIELD_NUMBER(compared_side_row, interval_ns, "length of the run", .label = "OBSERVED",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(compared_side_row, observed_state)),
	FIELD_STRING(compared_side_row, hostname, "name of the host", .label = "HOST"),
	FIELD_STRING_AS(compared_side_row, version, sooth_version,
		"version of sooth that recorded it", .label = "SOOTH"),
	FIELD_NUMBER(compared_side_row, lost, "records that were lost"),
	FIELD_TRUTH(compared_side_row, has_losses,
		"something was lost, or the file is cut or damaged", .label = "LOSSES"),
	FIELD_NUMBER(compared_side_row, refused, "rows that were too many to compare",
		.is_hidden = true),
	FIELD_STRING(compared_side_row, probes, "probes that ran", .may_shrink = true),
};

const struct sooth_schema compared_side_schema = {
	.name = "diff.side",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct compared_side_row),
	SCHEMA_FIELDS(side_fields),
};

static const struct sooth_field part_fields[] = {
	FIELD_STRING(compared_part_row, side, "which capture: first or second"),
	FIELD_NUMBER(compared_part_row, from_ns, "time since the start of its run", .label = "FROM",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(compared_part_row, to_ns, "time since the start of its run", .label = "TO",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(compared_part_row, whole_ns, capture_ns, "length of the capture",
		.label = "OF", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(compared_part_row, left_out,
		"count records left out: their window crosses an edge of the range",
		.label = "LEFT-OUT"),
};

const struct sooth_schema compared_part_schema = {
	.name = "diff.range",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct compared_part_row),
	SCHEMA_FIELDS(part_fields),
};

static const struct sooth_field one_sided_fields[] = {
	FIELD_STRING(one_sided_row, table, "the table"),
	FIELD_STRING(one_sided_row, side, "capture that has it"),
	FIELD_STRING(one_sided_row, reason, "why it was not compared"),
};

const struct sooth_schema one_sided_schema = {
	.name = "diff.one_sided",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct one_sided_row),
	SCHEMA_FIELDS(one_sided_fields),
};

static const struct sooth_field comparison_fields[] = {
	FIELD_STRING_AS(comparison_row, words, text, "summary in a sentence"),
	FIELD_STRING(comparison_row, rule, "how noise is decided"),
	FIELD_NUMBER(comparison_row, rows, "rows in both captures"),
	FIELD_NUMBER(comparison_row, changed, "values that differ beyond noise"),
	FIELD_NUMBER(comparison_row, appeared, "rows only in the second capture"),
	FIELD_NUMBER(comparison_row, vanished, "rows only in the first capture"),
	FIELD_NUMBER(comparison_row, within_noise, "values that differ within noise"),
	FIELD_NUMBER_AS(comparison_row, not_measured, unmeasured,
		"values that one capture did not measure"),
	FIELD_NUMBER(comparison_row, incomparable,
		"rows named by addresses only, not comparable between processes"),
	{ .name = "noise_percent",
		.type = SOOTH_FIELD_REAL,
		.unit = SOOTH_UNIT_PERCENT,
		.decimals = 1,
		FIELD_AT(comparison_row, noise_percent),
		.help = "share of the larger value that is noise" },
};

const struct sooth_schema comparison_schema = {
	.name = "diff.summary",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct comparison_row),
	.line = "{text}\nnoise: {rule}",
	SCHEMA_FIELDS(comparison_fields),
};
