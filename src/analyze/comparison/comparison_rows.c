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
	FIELD_OF(ENUM, change_row, kind, change,
		"result of the comparison: changed, appeared, vanished", .names = &kind_names),
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

ROW_FIELDS(side_fields, COMPARED_SIDE_ROW, compared_side_row);

const struct sooth_schema compared_side_schema = {
	.name = "diff.side",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct compared_side_row),
	SCHEMA_FIELDS(side_fields),
};

ROW_FIELDS(part_fields, COMPARED_PART_ROW, compared_part_row);

const struct sooth_schema compared_part_schema = {
	.name = "diff.range",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct compared_part_row),
	SCHEMA_FIELDS(part_fields),
};

ROW_FIELDS(one_sided_fields, ONE_SIDED_ROW, one_sided_row);

const struct sooth_schema one_sided_schema = {
	.name = "diff.one_sided",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct one_sided_row),
	SCHEMA_FIELDS(one_sided_fields),
};

ROW_FIELDS(comparison_fields, COMPARISON_ROW, comparison_row);

const struct sooth_schema comparison_schema = {
	.name = "diff.summary",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct comparison_row),
	.line = "{text}\nnoise: {rule}",
	SCHEMA_FIELDS(comparison_fields),
};
