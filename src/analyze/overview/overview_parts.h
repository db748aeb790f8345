/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a process in the view "overview": rows in the contract of claude-diagnose. */
#ifndef SOOTH_ANALYZE_OVERVIEW_PARTS_H
#define SOOTH_ANALYZE_OVERVIEW_PARTS_H

#include "analyze/diagnosis/diagnosis.h"
#include "model/row_list.h"

#define OVERVIEW_CALL_VALUES(F, S)                                                                 \
	F(S, U64, count, ALWAYS, "number of calls")                                                \
	F(S, REAL, total_time_us, MAYBE(times_state),                                              \
		"total time of all timed calls, microseconds", .decimals = 1)                      \
	F(S, REAL, avg_time_us, WITH(times_state), "mean time of a timed call, microseconds",      \
		.decimals = 3)                                                                     \
	F(S, U64, errors, ALWAYS, "number of failed system calls")
#define OVERVIEW_CALL_ROW(F, S)                                                                    \
	F(S, TEXT, name, ALWAYS, "name of the system call") OVERVIEW_CALL_VALUES(F, S)

ROW_STRUCT(overview_call_row, OVERVIEW_CALL_ROW);

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

ROW_STRUCT(overview_calls_row, OVERVIEW_CALLS_ROW);

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

ROW_STRUCT(overview_process_row, OVERVIEW_PROCESS_ROW);

#define OVERVIEW_HEAD_ROW(F, S)                                                                    \
	F(S, TEXT, timestamp, ALWAYS, "time of the report, RFC 3339 UTC")                          \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .placeholder = "host")                    \
	F(S, TEXT, os_version, ALWAYS, "kernel release of the host")                               \
	F(S, U32, process_count, ALWAYS, "number of processes in the report")

ROW_STRUCT(overview_head_row, OVERVIEW_HEAD_ROW);

#define OVERVIEW_MEMORY_ROW(F, S)                                                                  \
	F(S, TEXT, pressure_level, MAYBE(pressure_state),                                          \
		"memory pressure over 10 s: critical (all tasks waited 10 % of the time), "        \
		"warning (some tasks did), normal")                                                \
	F(S, REAL, free_memory_mb, MAYBE(free_state),                                              \
		"memory of the host that is available without swapping, in MiB", .decimals = 1)

ROW_STRUCT(overview_memory_row, OVERVIEW_MEMORY_ROW);

#define OVERVIEW_SYSTEM_ROW(F, S)                                                                  \
	F(S, ROWS, memory, ALWAYS, "total memory of the host", .rows = &overview_memory_schema,    \
		.is_single = true)

ROW_STRUCT(overview_system_row, OVERVIEW_SYSTEM_ROW);

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

ROW_STRUCT(overview_summary_row, OVERVIEW_SUMMARY_ROW);

extern const struct sooth_schema overview_head_schema, overview_process_schema,
	overview_system_schema, overview_summary_schema;

/* Selects findings for a list. */
typedef bool (*overview_chooser)(const struct finding_row *finding);

bool overview_is_of_calls(const struct finding_row *finding);

/* Each appends whole rows. */
void overview_add_issues(const struct diagnosed *j, overview_chooser chooser, struct buffer *out);
void overview_add_descriptors(
	const struct diagnosis_input *input, const struct diagnosed *j, struct buffer *out);
/* refused: why stacks were not sampled; NULL: they were. */
void overview_add_sample(const char *refused, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out);

#endif
