/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the view "processes". */
#include "analyze/processes/process_rows.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/process_table/process_table.h"
#include "model/schema.h"

/* The color levels of the scan contract. */
static const double cpu_levels[SOOTH_FIELD_LEVELS] = { 20, 50, 80 };
static const double rss_levels[SOOTH_FIELD_LEVELS] = { 256u << 20, 512u << 20, 1u << 30 };

static const char *const link_names[] = {
	[PROCESS_LINK_NONE] = "none",
	[PROCESS_LINK_SELF] = "self",
	[PROCESS_LINK_ANCESTOR] = "ancestor",
	[PROCESS_LINK_SESSION] = "session id",
	[PROCESS_LINK_PID] = "pid",
	[PROCESS_LINK_INPUT] = "input",
	[PROCESS_LINK_LAUNCHED] = "launched",
	[PROCESS_LINK_GROUP] = "group",
	[PROCESS_LINK_KIND] = "kind",
};
static const struct sooth_names links = { sizeof(link_names) / sizeof(link_names[0]), link_names };

ROW_FIELDS(process_fields, PROCESS_ROW, process_row);

const struct sooth_schema process_row_schema = {
	.name = "processes",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct process_row),
	SCHEMA_FIELDS(process_fields),
};
