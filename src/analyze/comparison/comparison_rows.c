/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of a comparison. */
#include "analyze/comparison/comparison_rows.h"

#include "model/schema.h"

static const char *const kinds[CHANGES] = { "changed", "appeared", "vanished" };
static const struct sooth_names kind_names = { CHANGES, kinds };

ROW_FIELDS(change_fields, CHANGE_ROW, change_row);

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
