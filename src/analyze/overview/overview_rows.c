/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "overview". */
#include "analyze/overview/overview_rows.h"

#include "analyze/overview/call_operations.h"
#include "analyze/diagnosis/finding_rows.h"
#include "explain/finding.h"
#include "model/schema.h"

ROW_FIELDS(overview_issue_fields, OVERVIEW_ISSUE_ROW, overview_issue_row);
static ROW_SCHEMA(overview_issue, "overview.issue", overview_issue_row);

ROW_FIELDS(overview_type_fields, OVERVIEW_TYPE_ROW, overview_count_row);
static ROW_SCHEMA(overview_type, "overview.type", overview_count_row);

ROW_FIELDS(overview_connection_fields, OVERVIEW_CONNECTION_ROW, overview_connection_row);
static ROW_SCHEMA(overview_connection, "overview.connection", overview_connection_row);

ROW_FIELDS(overview_descriptors_fields, OVERVIEW_DESCRIPTORS_ROW, overview_descriptors_row);
static ROW_SCHEMA(overview_descriptors, "overview.descriptors", overview_descriptors_row);

ROW_FIELDS(overview_call_fields, OVERVIEW_CALL_ROW, overview_call_row);
static ROW_SCHEMA(overview_call, "overview.call", overview_call_row);

ROW_FIELDS(overview_category_fields, OVERVIEW_CATEGORY_ROW, overview_call_row);
static ROW_SCHEMA(overview_category, "overview.category", overview_call_row);

ROW_FIELDS(overview_calls_fields, OVERVIEW_CALLS_ROW, overview_calls_row);
static ROW_SCHEMA(overview_calls, "overview.calls", overview_calls_row);

ROW_FIELDS(overview_function_fields, OVERVIEW_FUNCTION_ROW, overview_count_row);
static ROW_SCHEMA(overview_function, "overview.function", overview_count_row);

ROW_FIELDS(overview_sample_fields, OVERVIEW_SAMPLE_ROW, overview_sample_row);
static ROW_SCHEMA(overview_sample, "overview.sample", overview_sample_row);

ROW_FIELDS(overview_process_fields, OVERVIEW_PROCESS_ROW, overview_process_row);
ROW_SCHEMA(overview_process, "overview.process", overview_process_row);

ROW_FIELDS(overview_head_fields, OVERVIEW_HEAD_ROW, overview_head_row);
ROW_SCHEMA(overview_head, "overview.head", overview_head_row);

ROW_FIELDS(overview_memory_fields, OVERVIEW_MEMORY_ROW, overview_memory_row);
static ROW_SCHEMA(overview_memory, "overview.memory", overview_memory_row);

ROW_FIELDS(overview_system_fields, OVERVIEW_SYSTEM_ROW, overview_system_row);
ROW_SCHEMA(overview_system, "overview.system", overview_system_row);

ROW_FIELDS(overview_summary_fields, OVERVIEW_SUMMARY_ROW, overview_summary_row);
ROW_SCHEMA(overview_summary, "overview.summary", overview_summary_row);
