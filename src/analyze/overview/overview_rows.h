/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "overview", in the contract of claude-diagnose. */
#ifndef SOOTH_ANALYZE_OVERVIEW_ROWS_H
#define SOOTH_ANALYZE_OVERVIEW_ROWS_H

#include "model/field.h"

/* Every diagnosis and issue: a finding in four members. */
struct overview_issue_row {
	struct sooth_record record;
	uint8_t severity;
	uint8_t pid_state; /* absent: of the host */
	uint8_t unused[6];
	struct sooth_text issue, description, remedy;
};

struct overview_count_row {
	struct sooth_record record;
	uint64_t count;
	struct sooth_text name;
};

struct overview_connection_row {
	struct sooth_record record;
	uint8_t label_state;
	uint8_t unused[7];
	struct sooth_text conn_type, connection, label;
};

struct overview_descriptors_row {
	struct sooth_record record;
	uint32_t total_fds, watches;
	uint8_t total_state, error_state, sockets_state, watches_state;
	uint8_t unused[4];
	struct sooth_text by_type, network_connections, issues; /* rows */
	struct sooth_text watched_paths;			/* texts */
	struct sooth_text error;
};

struct overview_call_row {
	struct sooth_record record;
	uint64_t count, errors;
	double total_time_us, avg_time_us;
	uint8_t times_state;
	uint8_t unused[7];
	struct sooth_text name;
};

struct overview_calls_row {
	struct sooth_record record;
	double duration_secs;
	uint8_t success;
	uint8_t duration_state, error_state, fallback_state, io_state, network_state;
	uint8_t method_state, flamegraph_state;
	struct sooth_text syscall_summary, top_syscalls, io_operations, network_operations;
	struct sooth_text issues, stack_samples;
	struct sooth_text method, error, fallback_reason, flamegraph_path;
};

struct overview_sample_row {
	struct sooth_record record;
	uint32_t thread_count;
	uint8_t success;
	uint8_t unused[3];
	struct sooth_text hot_functions, diagnosis; /* rows */
	struct sooth_text error;
};

struct overview_process_row {
	struct sooth_record record;
	double cpu, mem, rss_mb;
	uint8_t cpu_state, mem_state, command_state;
	uint8_t descriptors_state, calls_state, sample_state;
	uint8_t unused[2];
	struct sooth_text file_descriptors, dtrace, sample; /* a row each, or none */
	struct sooth_text issues, unseen;	    /* rows */
	struct sooth_text command;
};

struct overview_head_row {
	struct sooth_record record;
	uint32_t process_count;
	uint32_t unused;
	struct sooth_text timestamp, hostname, os_version;
};

struct overview_memory_row {
	struct sooth_record record;
	double free_memory_mb;
	uint8_t free_state, pressure_state;
	uint8_t unused[6];
	struct sooth_text pressure_level;
};

struct overview_system_row {
	struct sooth_record record;
	struct sooth_text memory; /* one row */
};

struct overview_summary_row {
	struct sooth_record record;
	double total_cpu, total_mem, total_rss_mb;
	uint8_t cpu_state, mem_state;
	uint8_t unused[6];
	struct sooth_text critical_issues, warnings; /* rows */
	struct sooth_text needs_interval;	     /* texts */
};

extern const struct sooth_schema overview_head_schema, overview_process_schema,
	overview_system_schema, overview_summary_schema;

#endif
