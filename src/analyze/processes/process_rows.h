/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of the view "processes": the members of the scan contract and some more. */
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
	uint64_t activity_ago_s, activity_utc_ns;
	uint64_t tool_ago_s, tool_utc_ns;
	uint64_t doing_s;
	uint64_t pid_namespace;
	uint32_t ppid;
	uint32_t uid;
	uint32_t threads;
	uint32_t open_files;
	uint32_t role_pid, session_pid;
	uint32_t generation, generations;
	uint32_t inner_pid;
	uint32_t depth; /* in the tree */
	char state;
	uint8_t tie; /* enum process_link */
	uint8_t is_orphaned, is_abandoned, is_superseded, is_zombie, is_daemon, is_frozen;
	uint8_t is_outdated, is_deleted, is_over;
	uint8_t cpu_state, mem_state, open_files_state, cwd_state, over_state;
	uint8_t agent_state, version_state, project_state, session_state;
	uint8_t command_state, executable_state, user_state, terminal_state;
	uint8_t role_state, role_name_state, session_agent_state, session_pid_state, tie_state;
	uint8_t orphaned_state, abandoned_state, superseded_state, zombie_state, daemon_state;
	uint8_t frozen_state, orphaned_reason_state, abandoned_reason_state, frozen_reason_state;
	uint8_t outdated_state, deleted_state, newest_state, flags_state;
	uint8_t generation_state, container_state, control_group_state, root_state;
	uint8_t activity_state, status_state, tool_state, namespace_state;
	uint8_t doing_state, doing_text_state, doing_s_state;
	struct sooth_text elapsed_time;
	struct sooth_text name;
	struct sooth_text command;
	struct sooth_text executable;
	struct sooth_text cwd;
	struct sooth_text root;
	struct sooth_text user, terminal;
	struct sooth_text agent, rule, version, newest_version;
	struct sooth_text role, role_name;
	struct sooth_text project;
	struct sooth_text session_agent, session_id;
	struct sooth_text orphaned_reason, abandoned_reason, frozen_reason;
	struct sooth_text container, control_group;
	struct sooth_text status, tool;
	struct sooth_text doing, doing_text;
	struct sooth_text flags;
};

extern const struct sooth_schema process_row_schema;

#endif
