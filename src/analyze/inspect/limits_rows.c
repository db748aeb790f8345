/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "limits". */
#include "analyze/inspect/limits_rows.h"

#include "model/schema.h"

ROW_FIELDS(row_fields, LIMITS_ROW, limits_row);

const struct sooth_schema limits_row_schema = {
	.name = "resource_limits",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_row),
	SCHEMA_FIELDS(row_fields),
};

ROW_FIELDS(group_fields, LIMITS_GROUP_ROW, limits_group_row);

const struct sooth_schema limits_group_row_schema = {
	.name = "control_groups",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_group_row),
	SCHEMA_FIELDS(group_fields),
};

ROW_FIELDS(pressure_fields, LIMITS_PRESSURE_ROW, limits_pressure_row);

const struct sooth_schema limits_pressure_row_schema = {
	.name = "pressure",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_pressure_row),
	SCHEMA_FIELDS(pressure_fields),
};

ROW_FIELDS(oom_fields, LIMITS_OOM_ROW, limits_oom_row);

const struct sooth_schema limits_oom_row_schema = {
	.name = "oom",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct limits_oom_row),
	SCHEMA_FIELDS(oom_fields),
};
