/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that list the tables and columns of queries. */
#pragma once

#include "model/row_list.h"

#define TABLE_ROW(F, S)                                                                            \
	F(S, TEXT, name, ALWAYS, "name of the table", .label = "TABLE")                            \
	F(S, U64, rows, MAYBE(rows_state), "number of rows of the table in this capture")          \
	F(S, U64, columns, ALWAYS, "number of columns of the table")                               \
	F(S, NAMED, TEXT, holds, content, ALWAYS, "source of the table's rows")

ROW_STRUCT(query_table_row, TABLE_ROW);

#define COLUMN_ROW(F, S)                                                                           \
	F(S, TEXT, table, ALWAYS, "name of the table that has the column")                         \
	F(S, TEXT, name, ALWAYS, "name of the column", .label = "COLUMN")                          \
	F(S, TEXT, type, ALWAYS, "SQL type of the column: INTEGER, REAL or TEXT")                  \
	F(S, TEXT, unit, ALWAYS, "unit of the column's values")                                    \
	F(S, TEXT, help, ALWAYS, "meaning of the column", .may_shrink = true)

ROW_STRUCT(query_column_row, COLUMN_ROW);

extern const struct sooth_schema query_table_schema, query_column_schema;
