/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/query_tables.h"

#include "model/schema.h"

ROW_FIELDS(query_table_fields, TABLE_ROW, query_table_row);

ROW_SCHEMA(query_table, "query.tables", query_table_row);

ROW_FIELDS(query_column_fields, COLUMN_ROW, query_column_row);

ROW_SCHEMA(query_column, "query.columns", query_column_row);
