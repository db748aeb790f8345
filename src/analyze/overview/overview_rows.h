/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every member of the JSON of claude-diagnose: its name, type, unit and help. Only overview.c,
 * which fills them, includes it.
 */
#pragma once

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/overview/bundle.h"
#include "analyze/overview/slow_calls.h"
#include "explain/finding.h"
#include "model/schema.h"

/* Every diagnosis and issue: a finding in four members. */
#define OVERVIEW_ISSUE_ROW(F, S)                                                                   \
	F(S, TEXT, issue, ALWAYS, "id of the finding; `sooth diagnose --list-findings` lists all") \
	F(S, ENUM8, severity, ALWAYS,                                                              \
		"severity of the finding: critical, high, medium, low, info",                      \
		.names = &finding_severity_names)                                                  \
	F(S, TEXT, description, ALWAYS, "description of the finding, with measurements")           \
	F(S, TEXT, remedy, ALWAYS, "what to do about the finding; empty: no known remedy")         \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state),                                              \
		"process id; absent: the finding is about the host")

ROW_TABLE(overview_issue, OVERVIEW_ISSUE_ROW, "overview.issue", overview_issue_row);

#define OVERVIEW_CONNECTION_ROW(F, S)                                                              \
	F(S, TEXT, conn_type, ALWAYS, "protocol of the connection: tcp, tcp6, udp")                \
	F(S, TEXT, connection, ALWAYS, "local address, peer address and state of the connection")  \
	F(S, TEXT, label, MAYBE(label_state), "known name of the service at the peer address")

ROW_TABLE(overview_connection, OVERVIEW_CONNECTION_ROW, "overview.connection",
	overview_connection_row);

#define OVERVIEW_DESCRIPTORS_ROW(F, S)                                                             \
	F(S, PID)                                                                                  \
	F(S, U32, total_fds, MAYBE(total_state), "number of open file descriptors of the process") \
	F(S, ROWS, by_type, ALWAYS, "number of file descriptors of each type",                     \
		.rows = &bundle_count_schema, .is_keyed = true)                                    \
	F(S, TEXTS, watched_paths, ALWAYS, "paths watched by inotify, at most 1000")               \
	F(S, U32, watches, WITH(total_state),                                                      \
		"number of inotify watches, with or without a known path")                         \
	F(S, ROWS, network_connections, MAYBE(sockets_state),                                      \
		"internet sockets of the process, at most 1000",                                   \
		.rows = &overview_connection_schema)                                               \
	F(S, ROWS, issues, ALWAYS, "findings about file descriptors and connections",              \
		.rows = &overview_issue_schema)                                                    \
	F(S, TEXT, error, MAYBE(error_state), "reason why file descriptors could not be read")

ROW_TABLE(overview_descriptors, OVERVIEW_DESCRIPTORS_ROW, "overview.descriptors",
	overview_descriptors_row);

#define OVERVIEW_FUNCTION_ROW(F, S)                                                                \
	F(S, NAMED, TEXT, what, function, ALWAYS, "name of the function")                          \
	F(S, NAMED, U64, count, samples, ALWAYS, "samples in which it was on top")

static ROW_SCHEMA(overview_function, OVERVIEW_FUNCTION_ROW, "overview.function", bundle_count_row);

#define OVERVIEW_SAMPLE_ROW(F, S)                                                                  \
	F(S, PID)                                                                                  \
	F(S, BOOL, success, ALWAYS, "call stacks were sampled")                                    \
	F(S, U32, thread_count, ALWAYS, "number of threads of the process")                        \
	F(S, ROWS, hot_functions, ALWAYS, "functions by samples, the most first",                  \
		.rows = &overview_function_schema)                                                 \
	F(S, ROWS, diagnosis, ALWAYS, "what the samples show; empty: nothing known",               \
		.rows = &overview_issue_schema)                                                    \
	F(S, TEXT, error, MAYBE(error_state), "reason why call stacks were not sampled")

ROW_TABLE(overview_sample, OVERVIEW_SAMPLE_ROW, "overview.sample", overview_sample_row);

#define OVERVIEW_CALL_VALUES(F, S)                                                                 \
	F(S, U64, count, ALWAYS, "number of calls")                                                \
	F(S, REAL, total_time_us, MAYBE(times_state),                                              \
		"total time of all timed calls, microseconds", .decimals = 1)                      \
	F(S, REAL, avg_time_us, WITH(times_state), "mean time of a timed call, microseconds",      \
		.decimals = 3)                                                                     \
	F(S, U64, errors, ALWAYS, "number of failed system calls")
#define OVERVIEW_CALL_ROW(F, S)                                                                    \
	F(S, TEXT, name, ALWAYS, "name of the system call") OVERVIEW_CALL_VALUES(F, S)
#define OVERVIEW_CATEGORY_ROW(F, S)                                                                \
	F(S, NAMED, TEXT, name, category, ALWAYS,                                                  \
		"category of the system calls: file, network, memory, ...")                        \
	OVERVIEW_CALL_VALUES(F, S)

/* One struct for calls and categories. */
ROW_STRUCT(overview_call_row, OVERVIEW_CALL_ROW, uint64_t total_ns, timed;);
static ROW_SCHEMA(overview_call, OVERVIEW_CALL_ROW, "overview.call", overview_call_row);
static ROW_SCHEMA(overview_category, OVERVIEW_CATEGORY_ROW, "overview.category", overview_call_row);

#define OVERVIEW_CALLS_ROW(F, S)                                                                   \
	F(S, PID)                                                                                  \
	F(S, REAL, duration_secs, MAYBE(duration_state),                                           \
		"time over which system calls were counted, seconds", .decimals = 3)               \
	F(S, BOOL, success, ALWAYS, "system calls could be traced")                                \
	F(S, TEXT, method, MAYBE(method_state), "method used to trace system calls")               \
	F(S, ROWS, syscall_summary, ALWAYS, "system calls by category",                            \
		.rows = &overview_category_schema)                                                 \
	F(S, ROWS, top_syscalls, ALWAYS, "system calls, longest total time first",                 \
		.rows = &overview_call_schema)                                                     \
	F(S, ROWS, io_operations, MAYBE(io_state), "slowest system calls on files",                \
		.rows = &io_operation_schema)                                                      \
	F(S, ROWS, network_operations, MAYBE(network_state), "slowest system calls on sockets",    \
		.rows = &network_operation_schema)                                                 \
	F(S, TEXTS, stack_samples, ALWAYS, "call stack samples; always empty in this version")     \
	F(S, TEXT, flamegraph_path, MAYBE(flamegraph_state), "path of the flame graph file")       \
	F(S, ROWS, issues, ALWAYS, "findings about system calls", .rows = &overview_issue_schema)  \
	F(S, TEXT, error, MAYBE(error_state), "reason why system calls could not be traced")       \
	F(S, TEXT, fallback_reason, MAYBE(fallback_state),                                         \
		"reason why no better tracing method was used")

ROW_TABLE(overview_calls, OVERVIEW_CALLS_ROW, "overview.calls", overview_calls_row);

#define OVERVIEW_HEAD_ROW(F, S)                                                                    \
	F(S, TEXT, timestamp, ALWAYS, "time of the report, RFC 3339 UTC")                          \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .placeholder = "host")                    \
	F(S, TEXT, os_version, ALWAYS, "kernel release of the host")                               \
	F(S, U32, process_count, ALWAYS, "number of processes in the report")

static ROW_SCHEMA(overview_head, OVERVIEW_HEAD_ROW, "overview.head", bundle_head_row);

#define OVERVIEW_PROCESS_ROW(F, S)                                                                 \
	F(S, PID)                                                                                  \
	F(S, REAL, cpu, MAYBE(cpu_state), "CPU use over the interval, in percent of one CPU",      \
		.decimals = 1)                                                                     \
	F(S, REAL, mem, MAYBE(mem_state),                                                          \
		"resident memory of the process, in percent of the host's memory", .decimals = 1)  \
	F(S, REAL, rss_mb, ALWAYS, "resident memory of the process, in MiB", .decimals = 1)        \
	F(S, ARGS, command, MAYBE(command_state), "command line of the process, secrets masked")   \
	F(S, ROWS, file_descriptors, MAYBE(descriptors_state),                                     \
		"file descriptors and connections of the process",                                 \
		.rows = &overview_descriptors_schema, .is_single = true)                           \
	F(S, ROWS, sample, MAYBE(sample_state), "call stacks of the process",                      \
		.rows = &overview_sample_schema, .is_single = true)                                \
	F(S, ROWS, dtrace, MAYBE(calls_state), "system calls of the process",                      \
		.rows = &overview_calls_schema, .is_single = true)                                 \
	F(S, ROWS, issues, ALWAYS, "all findings about the process",                               \
		.rows = &overview_issue_schema)                                                    \
	F(S, ROWS, unseen, ALWAYS, "checks that could not be done, with the reason",               \
		.rows = &finding_blind_schema)

ROW_TABLE(overview_process, OVERVIEW_PROCESS_ROW, "overview.process", overview_process_row);

#define OVERVIEW_MEMORY_ROW(F, S)                                                                  \
	F(S, TEXT, pressure_level, MAYBE(pressure_state),                                          \
		"memory pressure over 10 s: critical (all tasks waited 10 % of the time), "        \
		"warning (some tasks did), normal")                                                \
	F(S, REAL, free_memory_mb, MAYBE(free_state),                                              \
		"memory of the host that is available without swapping, in MiB", .decimals = 1)

ROW_TABLE(overview_memory, OVERVIEW_MEMORY_ROW, "overview.memory", overview_memory_row);

#define OVERVIEW_SYSTEM_ROW(F, S)                                                                  \
	F(S, ROWS, memory, ALWAYS, "total memory of the host", .rows = &overview_memory_schema,    \
		.is_single = true)

ROW_TABLE(overview_system, OVERVIEW_SYSTEM_ROW, "overview.system", overview_system_row);

#define OVERVIEW_SUMMARY_ROW(F, S)                                                                 \
	F(S, REAL, total_cpu, MAYBE(cpu_state), "CPU use of all processes, in percent of one CPU", \
		.decimals = 1)                                                                     \
	F(S, REAL, total_mem, MAYBE(mem_state),                                                    \
		"resident memory of all processes, in percent of the host's memory",               \
		.decimals = 1)                                                                     \
	F(S, REAL, total_rss_mb, ALWAYS, "resident memory of all processes, in MiB",               \
		.decimals = 1)                                                                     \
	F(S, ROWS, critical_issues, ALWAYS,                                                        \
		"findings of critical and high severity, including those about the host",          \
		.rows = &overview_issue_schema)                                                    \
	F(S, ROWS, warnings, ALWAYS, "findings of medium and low severity",                        \
		.rows = &overview_issue_schema)                                                    \
	F(S, TEXTS, needs_interval, ALWAYS,                                                        \
		"findings not checked because they need an interval (-d)")

ROW_TABLE(overview_summary, OVERVIEW_SUMMARY_ROW, "overview.summary", overview_summary_row);
