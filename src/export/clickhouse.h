/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables as ClickHouse has them: each table of records gets columns that say which host and boot a
 * row is of, and when it was in UTC, so that rows of many hosts stand in one table.
 */
#ifndef SOOTH_EXPORT_CLICKHOUSE_H
#define SOOTH_EXPORT_CLICKHOUSE_H

#include "export/tables.h"

enum clickhouse_origin {
	CLICKHOUSE_OF_TABLE, /* a column of the table */
	CLICKHOUSE_HOST,
	CLICKHOUSE_BOOT,
	CLICKHOUSE_UTC,
};

struct clickhouse_column {
	enum clickhouse_origin origin;
	const struct column *column; /* of the table; NULL: another origin */
	const char *name, *help;
	const char *type; /* without Nullable() */
	bool may_lack;	  /* NULL: no value; else an empty text or 0 */
};

#define CLICKHOUSE_COLUMNS_MAX (TABLE_COLUMNS_MAX + 3)

/* Fills in the columns, and returns their number. */
size_t clickhouse_columns(
	const struct table *t, struct clickhouse_column columns[CLICKHOUSE_COLUMNS_MAX]);
void clickhouse_put_type(const struct clickhouse_column *c, struct buffer *out);
/* Appends the statement that makes the table. */
void clickhouse_put_table(const struct table *t, struct buffer *out);

#endif
