/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables as ClickHouse has them. Before the columns of a table stand those of the origin: host,
 * boot, and the time in UTC, so that rows of many hosts stand in one table.
 */
#pragma once

#include "export/tables.h"

enum { CLICKHOUSE_HOST, CLICKHOUSE_BOOT, CLICKHOUSE_UTC, CLICKHOUSE_ORIGINS };

struct clickhouse_origin {
	const char *name, *type, *help;
};

extern const struct clickhouse_origin clickhouse_origins[CLICKHOUSE_ORIGINS];
/* Returns whether the table has it: no column of its own has that name, and rows with a UTC time of
 * their own have no other. */
bool clickhouse_has_origin(const struct table *t, size_t i);
/* Returns whether no value is NULL; else it is an empty text, or 0. */
bool clickhouse_may_lack(const struct column *c);
/* Returns the type, without Nullable(). */
const char *clickhouse_type(const struct column *c);
/* Appends the statement that makes the table. */
void clickhouse_put_table(const struct table *t, struct buffer *out);
