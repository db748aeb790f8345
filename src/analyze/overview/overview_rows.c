/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "overview". */
#include "analyze/overview/overview_rows.h"

#include "analyze/overview/call_operations.h"
#include "analyze/diagnosis/finding_rows.h"
#include "core/finding.h"
#include "model/schema.h"

#define FIELD_VALUE(type_, member_, decimals_, help_, ...)                                         \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_REAL, .decimals = decimals_,                 \
		FIELD_AT(type_, member_), .help = help_, __VA_ARGS__                               \
	}
#define FIELD_LIST_OF_TEXTS(type_, member_, help_, ...)                                            \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_TEXTS, FIELD_AT(type_, member_),             \
		.help = help_, __VA_ARGS__                                                         \
	}

static const struct sooth_field overview_issue_fields[] = {
	FIELD_STRING(overview_issue_row, issue, "the finding; `sooth diagnose --list-findings`"),
	{ .name = "severity",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(overview_issue_row, severity),
		.names = &finding_severity_names,
		.help = "severity" },
	FIELD_STRING(overview_issue_row, description, "what was found, with its measurements"),
	FIELD_STRING(overview_issue_row, remedy, "what to do; empty: nothing is known to help"),
	{ .name = "pid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(overview_issue_row, record.pid),
		FIELD_STATE_AT(overview_issue_row, pid_state),
		.help = "the process; absent: it is of the host" },
};
static ROW_SCHEMA(overview_issue, "overview.issue", overview_issue_row);

static const struct sooth_field overview_type_fields[] = {
	FIELD_STRING(overview_count_row, name, "type of descriptors"),
	FIELD_NUMBER(overview_count_row, count, "how many are open"),
};
static ROW_SCHEMA(overview_type, "overview.type", overview_count_row);

static const struct sooth_field overview_connection_fields[] = {
	FIELD_STRING(overview_connection_row, conn_type, "protocol: tcp, tcp6, udp"),
	FIELD_STRING(overview_connection_row, connection, "its two ends, and its state"),
	FIELD_STRING(overview_connection_row, label, "service the peer is known as",
		FIELD_STATE_AT(overview_connection_row, label_state)),
};
static ROW_SCHEMA(overview_connection, "overview.connection", overview_connection_row);

static const struct sooth_field overview_descriptors_fields[] = {
	FIELD_PID(overview_descriptors_row),
	FIELD_NUMBER(overview_descriptors_row, total_fds, "open file descriptors",
		FIELD_STATE_AT(overview_descriptors_row, total_state)),
	FIELD_ROWS(overview_descriptors_row, by_type, overview_type_schema,
		"how many of which type", .is_keyed = true),
	FIELD_LIST_OF_TEXTS(
		overview_descriptors_row, watched_paths, "paths watched by inotify, at most 1000"),
	FIELD_NUMBER(overview_descriptors_row, watches, "inotify watches, with or without a path",
		FIELD_STATE_AT(overview_descriptors_row, watches_state)),
	FIELD_ROWS(overview_descriptors_row, network_connections, overview_connection_schema,
		"internet sockets, the first thousand",
		FIELD_STATE_AT(overview_descriptors_row, sockets_state)),
	FIELD_ROWS(overview_descriptors_row, issues, overview_issue_schema,
		"findings about descriptors and connections"),
	FIELD_STRING(overview_descriptors_row, error, "why descriptors could not be read",
		FIELD_STATE_AT(overview_descriptors_row, error_state)),
};
static ROW_SCHEMA(overview_descriptors, "overview.descriptors", overview_descriptors_row);

#define CALL_FIELDS                                                                                \
	FIELD_NUMBER(overview_call_row, count, "how often"),                                       \
		FIELD_VALUE(overview_call_row, total_time_us, 1, "time in those that were timed",  \
			FIELD_STATE_AT(overview_call_row, times_state)),                           \
		FIELD_VALUE(overview_call_row, avg_time_us, 3, "of one that was timed",            \
			FIELD_STATE_AT(overview_call_row, times_state)),                           \
		FIELD_NUMBER(overview_call_row, errors, "failed calls")

static const struct sooth_field overview_call_fields[] = {
	FIELD_STRING(overview_call_row, name, "name of the call"),
	CALL_FIELDS,
};
static ROW_SCHEMA(overview_call, "overview.call", overview_call_row);

static const struct sooth_field overview_category_fields[] = {
	{ .name = "category",
		.type = SOOTH_FIELD_TEXT,
		FIELD_AT(overview_call_row, name),
		.help = "category" },
	CALL_FIELDS,
};
static ROW_SCHEMA(overview_category, "overview.category", overview_call_row);

static const struct sooth_field overview_calls_fields[] = {
	FIELD_PID(overview_calls_row),
	FIELD_VALUE(overview_calls_row, duration_secs, 3, "how long calls were counted",
		FIELD_STATE_AT(overview_calls_row, duration_state)),
	FIELD_TRUTH(overview_calls_row, success, "calls could be traced"),
	FIELD_STRING(overview_calls_row, method, "tracing method",
		FIELD_STATE_AT(overview_calls_row, method_state)),
	FIELD_ROWS(
		overview_calls_row, syscall_summary, overview_category_schema, "calls by category"),
	FIELD_ROWS(overview_calls_row, top_syscalls, overview_call_schema,
		"calls, longest total time first"),
	FIELD_ROWS(overview_calls_row, io_operations, io_operation_schema,
		"the slowest calls for files", FIELD_STATE_AT(overview_calls_row, io_state)),
	FIELD_ROWS(overview_calls_row, network_operations, network_operation_schema,
		"the slowest calls for sockets", FIELD_STATE_AT(overview_calls_row, network_state)),
	FIELD_LIST_OF_TEXTS(
		overview_calls_row, stack_samples, "always empty until `sooth profile`"),
	FIELD_STRING(overview_calls_row, flamegraph_path, "path of the flame graph",
		FIELD_STATE_AT(overview_calls_row, flamegraph_state)),
	FIELD_ROWS(overview_calls_row, issues, overview_issue_schema, "findings about calls"),
	FIELD_STRING(overview_calls_row, error, "why calls could not be traced",
		FIELD_STATE_AT(overview_calls_row, error_state)),
	FIELD_STRING(overview_calls_row, fallback_reason, "why no better method was used",
		FIELD_STATE_AT(overview_calls_row, fallback_state)),
};
static ROW_SCHEMA(overview_calls, "overview.calls", overview_calls_row);

static const struct sooth_field overview_process_fields[] = {
	FIELD_PID(overview_process_row),
	FIELD_VALUE(overview_process_row, cpu, 1, "percent of one processor, over the interval",
		FIELD_STATE_AT(overview_process_row, cpu_state)),
	FIELD_VALUE(overview_process_row, mem, 1, "percent of the host's memory",
		FIELD_STATE_AT(overview_process_row, mem_state)),
	FIELD_VALUE(overview_process_row, rss_mb, 1, "resident memory, MiB"),
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(overview_process_row, command),
		FIELD_STATE_AT(overview_process_row, command_state),
		.help = "command line, secrets masked" },
	FIELD_ROWS(overview_process_row, file_descriptors, overview_descriptors_schema,
		"descriptors and connections", .is_single = true,
		FIELD_STATE_AT(overview_process_row, descriptors_state)),
	FIELD_ROWS(overview_process_row, dtrace, overview_calls_schema, "system calls",
		.is_single = true, FIELD_STATE_AT(overview_process_row, calls_state)),
	FIELD_ROWS(overview_process_row, issues, overview_issue_schema, "all findings"),
	FIELD_ROWS(overview_process_row, unseen, finding_blind_schema,
		"checks that could not be made"),
};
ROW_SCHEMA(overview_process, "overview.process", overview_process_row);

static const struct sooth_field overview_head_fields[] = {
	FIELD_STRING(overview_head_row, timestamp, "time, RFC 3339 UTC"),
	FIELD_STRING(overview_head_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(overview_head_row, os_version, "kernel release"),
	FIELD_NUMBER(overview_head_row, process_count, "processes below"),
};
ROW_SCHEMA(overview_head, "overview.head", overview_head_row);

static const struct sooth_field overview_memory_fields[] = {
	FIELD_STRING(overview_memory_row, pressure_level,
		"memory pressure over 10 s: critical: all tasks waited 10 % of the time; warning: "
		"some did; else normal",
		FIELD_STATE_AT(overview_memory_row, pressure_state)),
	FIELD_VALUE(overview_memory_row, free_memory_mb, 1,
		"memory available without swapping, MiB",
		FIELD_STATE_AT(overview_memory_row, free_state)),
};
static ROW_SCHEMA(overview_memory, "overview.memory", overview_memory_row);

static const struct sooth_field overview_system_fields[] = {
	FIELD_ROWS(overview_system_row, memory, overview_memory_schema, "memory of the host",
		.is_single = true),
};
ROW_SCHEMA(overview_system, "overview.system", overview_system_row);

static const struct sooth_field overview_summary_fields[] = {
	FIELD_VALUE(overview_summary_row, total_cpu, 1, "percent of one processor, of all",
		FIELD_STATE_AT(overview_summary_row, cpu_state)),
	FIELD_VALUE(overview_summary_row, total_mem, 1, "percent of the host's memory, of all",
		FIELD_STATE_AT(overview_summary_row, mem_state)),
	FIELD_VALUE(overview_summary_row, total_rss_mb, 1, "resident memory of all, MiB"),
	FIELD_ROWS(overview_summary_row, critical_issues, overview_issue_schema,
		"findings of critical and high severity, also of the host"),
	FIELD_ROWS(overview_summary_row, warnings, overview_issue_schema,
		"those of medium and low severity"),
	FIELD_LIST_OF_TEXTS(overview_summary_row, needs_interval,
		"findings that need an interval (-d), not checked"),
};
ROW_SCHEMA(overview_summary, "overview.summary", overview_summary_row);
