/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the sections around the rows of processes. */
#include "analyze/processes/host_rows.h"

#include "model/schema.h"

ROW_FIELDS(host_fields, HOST_ROW, host_row);

const struct sooth_schema host_row_schema = {
	.name = "host",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct host_row),
	SCHEMA_FIELDS(host_fields),
};

ROW_FIELDS(session_fields, SESSION_ROW, session_row);

const struct sooth_schema session_row_schema = {
	.name = "sessions",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct session_row),
	SCHEMA_FIELDS(session_fields),
};

ROW_FIELDS(reason_fields, REASON_ROW, reason_row);

const struct sooth_schema reason_row_schema = {
	.name = "reasons",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct reason_row),
	SCHEMA_FIELDS(reason_fields),
	.line = "{pid} ({name}) {verdict}[: {reason}]",
};

ROW_FIELDS(installed_fields, INSTALLED_ROW, installed_row);

const struct sooth_schema installed_row_schema = {
	.name = "installed",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct installed_row),
	SCHEMA_FIELDS(installed_fields),
};

ROW_FIELDS(totals_fields, TOTALS_ROW, totals_row);

const struct sooth_schema totals_row_schema = {
	.name = "totals",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct totals_row),
	SCHEMA_FIELDS(totals_fields),
	.line = "total of {processes}: {cpu_percent} % CPU, {rss_human} resident ({mem_percent} % "
		"of memory; shared pages counted once per process)[, above a threshold: "
		"{over_threshold}]",
};
