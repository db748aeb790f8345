/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/query_tables.h"

#include "model/schema.h"

ROW_SCHEMA(query_table, TABLE_ROW, "query.tables", query_table_row);
ROW_SCHEMA(query_column, COLUMN_ROW, "query.columns", query_column_row);
