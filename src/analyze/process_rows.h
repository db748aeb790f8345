/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "processes": the scan contract's members and some more. */
#ifndef SOOTH_ANALYZE_PROCESS_ROWS_H
#define SOOTH_ANALYZE_PROCESS_ROWS_H

#include "model/field.h"

struct process_row {
	struct sooth_record record;
	double cpu_percent;
	double mem_percent;
	uint64_t rss_bytes;
	uint64_t rss_kb;
	uint64_t vsz_kb;
	uint64_t elapsed_s;
	uint32_t ppid;
	uint32_t uid;
	uint32_t threads;
	uint32_t open_files;
	char state;
	uint8_t is_deleted;
	uint8_t is_orphaned, is_outdated;
	uint8_t cpu_state, mem_state, open_files_state, cwd_state;
	uint8_t agent_state, version_state, project_state, session_state;
	uint8_t command_state, executable_state, orphaned_state, outdated_state;
	struct sooth_text elapsed_time;
	struct sooth_text name;
	struct sooth_text command;
	struct sooth_text executable;
	struct sooth_text cwd;
	struct sooth_text agent;
	struct sooth_text rule;
	struct sooth_text version;
	struct sooth_text project;
	struct sooth_text session_id;
};

struct host_row {
	struct sooth_record record;
	uint32_t process_count;
	uint32_t orphaned_count, outdated_count;
	uint8_t orphaned_state, outdated_state, latest_state, unused;
	struct sooth_text timestamp;
	struct sooth_text hostname;
	struct sooth_text os;
	struct sooth_text os_version;
	struct sooth_text latest_local_version;
};

struct totals_row {
	struct sooth_record record;
	double cpu_percent;
	double mem_percent;
	uint64_t rss_kb;
	uint32_t processes;
	uint8_t cpu_state;
	uint8_t unused[3];
	struct sooth_text rss_human;
};

extern const struct sooth_schema process_row_schema;
extern const struct sooth_schema host_row_schema;
extern const struct sooth_schema totals_row_schema;

#endif
