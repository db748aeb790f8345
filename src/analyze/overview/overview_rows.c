/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "overview". */
#include "analyze/overview/overview_rows.h"

#include "analyze/overview/call_operations.h"
#include "analyze/diagnosis/finding_rows.h"
#include "explain/finding.h"
#include "model/schema.h"

#define FIELD_VALUE(type_, member_, decimals_, help_, ...)                                         \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_REAL, .decimals = decimals_,                 \
		FIELD_AT(type_, member_), .help = help_, __VA_ARGS__                               \
	}

ROW_FIELDS(overview_issue_fields, OVERVIEW_ISSUE_ROW, overview_issue_row);
static ROW_SCHEMA(overview_issue, "overview.issue", overview_issue_row);

static const struct sooth_field overview_type_fields[] = {
	FIELD_STRING(overview_count_row, name, "type of the file descriptors"),
	FIELD_NUMBER(overview_count_row, count, "number of open file descriptors of this type"),
};
static ROW_SCHEMA(overview_type, "overview.type", overview_count_row);

ROW_FIELDS(overview_connection_fields, OVERVIEW_CONNECTION_ROW, overview_connection_row);
static ROW_SCHEMA(overview_connection, "overview.connection", overview_connection_row);

ROW_FIELDS(overview_descriptors_fields, OVERVIEW_DESCRIPTORS_ROW, overview_descriptors_row);
static ROW_SCHEMA(overview_descriptors, "overview.descriptors", overview_descriptors_row);

#define CALL_FIELDS                                                                                \
	FIELD_NUMBER(overview_call_row, count, "number of calls"),                                 \
		FIELD_VALUE(overview_call_row, total_time_us, 1,                                   \
			"total time of all timed calls, microseconds",                             \
			FIELD_STATE_AT(overview_call_row, times_state)),                           \
		FIELD_VALUE(overview_call_row, avg_time_us, 3,                                     \
			"mean time of a timed call, microseconds",                                 \
			FIELD_STATE_AT(overview_call_row, times_state)),                           \
		FIELD_NUMBER(overview_call_row, errors, "number of failed system calls")

static const struct sooth_field overview_call_fields[] = {
	FIELD_STRING(overview_call_row, name, "name of the system call"),
	CALL_FIELDS,
};
static ROW_SCHEMA(overview_call, "overview.call", overview_call_row);

static const struct sooth_field overview_category_fields[] = {
	FIELD_OF(TEXT, overview_call_row, name, category,
		"category of the system calls: file, network, memory, ..."),
	CALL_FIELDS,
};
static ROW_SCHEMA(overview_category, "overview.category", overview_call_row);

ROW_FIELDS(overview_calls_fields, OVERVIEW_CALLS_ROW, overview_calls_row);
static ROW_SCHEMA(overview_calls, "overview.calls", overview_calls_row);

static const struct sooth_field overview_function_fields[] = {
	FIELD_STRING_AS(overview_count_row, name, function, "name of the function"),
	FIELD_NUMBER_AS(overview_count_row, count, samples, "samples in which it was on top"),
};
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
