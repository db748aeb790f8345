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
	FIELD_STRING(overview_issue_row, issue,
		"id of the finding; `sooth diagnose --list-findings` lists all"),
	{ .name = "severity",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(overview_issue_row, severity),
		.names = &finding_severity_names,
		.help = "severity of the finding: critical, high, medium, low, info" },
	FIELD_STRING(
		overview_issue_row, description, "description of the finding, with measurements"),
	FIELD_STRING(
		overview_issue_row, remedy, "what to do about the finding; empty: no known remedy"),
	{ .name = "pid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(overview_issue_row, record.pid),
		FIELD_STATE_AT(overview_issue_row, pid_state),
		.help = "process id; absent: the finding is about the host" },
};
static ROW_SCHEMA(overview_issue, "overview.issue", overview_issue_row);

static const struct sooth_field overview_type_fields[] = {
	FIELD_STRING(overview_count_row, name, "type of the file descriptors"),
	FIELD_NUMBER(overview_count_row, count, "number of open file descriptors of this type"),
};
static ROW_SCHEMA(overview_type, "overview.type", overview_count_row);

static const struct sooth_field overview_connection_fields[] = {
	FIELD_STRING(
		overview_connection_row, conn_type, "protocol of the connection: tcp, tcp6, udp"),
	FIELD_STRING(overview_connection_row, connection,
		"local address, peer address and state of the connection"),
	FIELD_STRING(overview_connection_row, label,
		"known name of the service at the peer address",
		FIELD_STATE_AT(overview_connection_row, label_state)),
};
static ROW_SCHEMA(overview_connection, "overview.connection", overview_connection_row);

static const struct sooth_field overview_descriptors_fields[] = {
	FIELD_PID(overview_descriptors_row),
	FIELD_NUMBER(overview_descriptors_row, total_fds,
		"number of open file descriptors of the process",
		FIELD_STATE_AT(overview_descriptors_row, total_state)),
	FIELD_ROWS(overview_descriptors_row, by_type, overview_type_schema,
		"number of file descriptors of each type", .is_keyed = true),
	FIELD_LIST_OF_TEXTS(
		overview_descriptors_row, watched_paths, "paths watched by inotify, at most 1000"),
	FIELD_NUMBER(overview_descriptors_row, watches,
		"number of inotify watches, with or without a known path",
		FIELD_STATE_AT(overview_descriptors_row, watches_state)),
	FIELD_ROWS(overview_descriptors_row, network_connections, overview_connection_schema,
		"internet sockets of the process, at most 1000",
		FIELD_STATE_AT(overview_descriptors_row, sockets_state)),
	FIELD_ROWS(overview_descriptors_row, issues, overview_issue_schema,
		"findings about file descriptors and connections"),
	FIELD_STRING(overview_descriptors_row, error,
		"reason why file descriptors could not be read",
		FIELD_STATE_AT(overview_descriptors_row, error_state)),
};
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
	{ .name = "category",
		.type = SOOTH_FIELD_TEXT,
		FIELD_AT(overview_call_row, name),
		.help = "category of the system calls: file, network, memory, ..." },
	CALL_FIELDS,
};
static ROW_SCHEMA(overview_category, "overview.category", overview_call_row);

static const struct sooth_field overview_calls_fields[] = {
	FIELD_PID(overview_calls_row),
	FIELD_VALUE(overview_calls_row, duration_secs, 3,
		"time over which system calls were counted, seconds",
		FIELD_STATE_AT(overview_calls_row, duration_state)),
	FIELD_TRUTH(overview_calls_row, success, "system calls could be traced"),
	FIELD_STRING(overview_calls_row, method, "method used to trace system calls",
		FIELD_STATE_AT(overview_calls_row, method_state)),
	FIELD_ROWS(overview_calls_row, syscall_summary, overview_category_schema,
		"system calls by category"),
	FIELD_ROWS(overview_calls_row, top_syscalls, overview_call_schema,
		"system calls, longest total time first"),
	FIELD_ROWS(overview_calls_row, io_operations, io_operation_schema,
		"slowest system calls on files", FIELD_STATE_AT(overview_calls_row, io_state)),
	FIELD_ROWS(overview_calls_row, network_operations, network_operation_schema,
		"slowest system calls on sockets",
		FIELD_STATE_AT(overview_calls_row, network_state)),
	FIELD_LIST_OF_TEXTS(overview_calls_row, stack_samples,
		"call stack samples; always empty in this version"),
	FIELD_STRING(overview_calls_row, flamegraph_path, "path of the flame graph file",
		FIELD_STATE_AT(overview_calls_row, flamegraph_state)),
	FIELD_ROWS(
		overview_calls_row, issues, overview_issue_schema, "findings about system calls"),
	FIELD_STRING(overview_calls_row, error, "reason why system calls could not be traced",
		FIELD_STATE_AT(overview_calls_row, error_state)),
	FIELD_STRING(overview_calls_row, fallback_reason,
		"reason why no better tracing method was used",
		FIELD_STATE_AT(overview_calls_row, fallback_state)),
};
static ROW_SCHEMA(overview_calls, "overview.calls", overview_calls_row);

static const struct sooth_field overview_function_fields[] = {
	FIELD_STRING_AS(overview_count_row, name, function, "name of the function"),
	FIELD_NUMBER_AS(overview_count_row, count, samples, "samples in which it was on top"),
};
static ROW_SCHEMA(overview_function, "overview.function", overview_count_row);

static const struct sooth_field overview_sample_fields[] = {
	FIELD_PID(overview_sample_row),
	FIELD_TRUTH(overview_sample_row, success, "call stacks were sampled"),
	FIELD_NUMBER(overview_sample_row, thread_count, "number of threads of the process"),
	FIELD_ROWS(overview_sample_row, hot_functions, overview_function_schema,
		"functions by samples; always empty in this version"),
	FIELD_ROWS(overview_sample_row, diagnosis, overview_issue_schema,
		"what the samples show; always empty in this version"),
	FIELD_STRING(overview_sample_row, error, "reason why call stacks were not sampled"),
};
static ROW_SCHEMA(overview_sample, "overview.sample", overview_sample_row);

static const struct sooth_field overview_process_fields[] = {
	FIELD_PID(overview_process_row),
	FIELD_VALUE(overview_process_row, cpu, 1,
		"CPU use over the interval, in percent of one CPU",
		FIELD_STATE_AT(overview_process_row, cpu_state)),
	FIELD_VALUE(overview_process_row, mem, 1,
		"resident memory of the process, in percent of the host's memory",
		FIELD_STATE_AT(overview_process_row, mem_state)),
	FIELD_VALUE(overview_process_row, rss_mb, 1, "resident memory of the process, in MiB"),
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(overview_process_row, command),
		FIELD_STATE_AT(overview_process_row, command_state),
		.help = "command line of the process, secrets masked" },
	FIELD_ROWS(overview_process_row, file_descriptors, overview_descriptors_schema,
		"file descriptors and connections of the process", .is_single = true,
		FIELD_STATE_AT(overview_process_row, descriptors_state)),
	FIELD_ROWS(overview_process_row, sample, overview_sample_schema,
		"call stacks of the process", .is_single = true,
		FIELD_STATE_AT(overview_process_row, sample_state)),
	FIELD_ROWS(overview_process_row, dtrace, overview_calls_schema,
		"system calls of the process", .is_single = true,
		FIELD_STATE_AT(overview_process_row, calls_state)),
	FIELD_ROWS(overview_process_row, issues, overview_issue_schema,
		"all findings about the process"),
	FIELD_ROWS(overview_process_row, unseen, finding_blind_schema,
		"checks that could not be done, with the reason"),
};
ROW_SCHEMA(overview_process, "overview.process", overview_process_row);

static const struct sooth_field overview_head_fields[] = {
	FIELD_STRING(overview_head_row, timestamp, "time of the report, RFC 3339 UTC"),
	FIELD_STRING(overview_head_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(overview_head_row, os_version, "kernel release of the host"),
	FIELD_NUMBER(overview_head_row, process_count, "number of processes in the report"),
};
ROW_SCHEMA(overview_head, "overview.head", overview_head_row);

static const struct sooth_field overview_memory_fields[] = {
	FIELD_STRING(overview_memory_row, pressure_level,
		"memory pressure over 10 s: critical (all tasks waited 10 % of the time), warning "
		"(some tasks did), normal",
		FIELD_STATE_AT(overview_memory_row, pressure_state)),
	FIELD_VALUE(overview_memory_row, free_memory_mb, 1,
		"memory of the host that is available without swapping, in MiB",
		FIELD_STATE_AT(overview_memory_row, free_state)),
};
static ROW_SCHEMA(overview_memory, "overview.memory", overview_memory_row);

static const struct sooth_field overview_system_fields[] = {
	FIELD_ROWS(overview_system_row, memory, overview_memory_schema, "total memory of the host",
		.is_single = true),
};
ROW_SCHEMA(overview_system, "overview.system", overview_system_row);

static const struct sooth_field overview_summary_fields[] = {
	FIELD_VALUE(overview_summary_row, total_cpu, 1,
		"CPU use of all processes, in percent of one CPU",
		FIELD_STATE_AT(overview_summary_row, cpu_state)),
	FIELD_VALUE(overview_summary_row, total_mem, 1,
		"resident memory of all processes, in percent of the host's memory",
		FIELD_STATE_AT(overview_summary_row, mem_state)),
	FIELD_VALUE(
		overview_summary_row, total_rss_mb, 1, "resident memory of all processes, in MiB"),
	FIELD_ROWS(overview_summary_row, critical_issues, overview_issue_schema,
		"findings of critical and high severity, including those about the host"),
	FIELD_ROWS(overview_summary_row, warnings, overview_issue_schema,
		"findings of medium and low severity"),
	FIELD_LIST_OF_TEXTS(overview_summary_row, needs_interval,
		"findings not checked because they need an interval (-d)"),
};
ROW_SCHEMA(overview_summary, "overview.summary", overview_summary_row);
