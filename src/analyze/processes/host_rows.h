/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections around the rows of processes: host, sessions, reasons, versions, totals. */
#ifndef SOOTH_ANALYZE_HOST_ROWS_H
#define SOOTH_ANALYZE_HOST_ROWS_H

#include "model/field.h"

/* The report's own members in the scan contract. */
struct host_row {
	struct sooth_record record;
	uint32_t process_count;
	uint32_t orphaned_count, outdated_count, abandoned_count;
	uint8_t orphaned_state, outdated_state, abandoned_state, latest_state;
	uint8_t unused[4];
	struct sooth_text timestamp;
	struct sooth_text hostname;
	struct sooth_text os;
	struct sooth_text os_version;
	struct sooth_text latest_local_version;
};

/* An agent's session: its main process and all processes that belong to it. */
struct session_row {
	struct sooth_record record;
	double cpu_percent;
	uint64_t rss_bytes;
	uint64_t oldest_s;
	uint64_t fleeting;
	uint32_t processes, tools, mcp_servers;
	uint8_t cpu_state, project_state, session_state, status_state;
	uint8_t flags_state, fleeting_state;
	uint8_t roles_state; /* of tools and mcp_servers */
	uint8_t unused[5];
	struct sooth_text agent, project, session_id, status, flags;
};

/* A verdict about a process, with the reason. */
struct reason_row {
	struct sooth_record record;
	uint8_t why_state;
	uint8_t unused[7];
	struct sooth_text verdict;
	struct sooth_text name;
	struct sooth_text why;
};

struct installed_row {
	struct sooth_record record;
	uint32_t uid;
	uint8_t is_newest;
	uint8_t uid_state; /* absent: for all users */
	uint8_t unused[2];
	struct sooth_text agent, version, path;
};

struct totals_row {
	struct sooth_record record;
	double cpu_percent;
	double mem_percent;
	uint64_t rss_kb;
	uint32_t processes;
	uint32_t over;
	uint8_t cpu_state;
	uint8_t over_state; /* absent: no threshold given */
	uint8_t mem_state;
	uint8_t unused[5];
	struct sooth_text rss_human;
};

extern const struct sooth_schema host_row_schema;
extern const struct sooth_schema session_row_schema;
extern const struct sooth_schema reason_row_schema;
extern const struct sooth_schema installed_row_schema;
extern const struct sooth_schema totals_row_schema;

#endif
