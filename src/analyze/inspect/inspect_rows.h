/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "inspect": one screen about one process. */
#ifndef SOOTH_ANALYZE_INSPECT_ROWS_H
#define SOOTH_ANALYZE_INSPECT_ROWS_H

#include "model/field.h"

struct inspect_process_row {
	struct sooth_record record;
	uint64_t elapsed_s;
	uint32_t ppid, uid;
	char state;
	uint8_t is_deleted;
	uint8_t agent_state, title_state, deleted_state, frozen_state;
	uint8_t executable_state, command_state, directory_state, control_group_state;
	struct sooth_text name, agent, agent_title, executable, command, directory, control_group;
	struct sooth_text deleted; /* "deleted or replaced" */
	struct sooth_text frozen;
};

struct inspect_cpu_row {
	struct sooth_record record;
	double cpu_percent;
	uint64_t cpu_ns;
	uint64_t interval_ns;
	uint32_t threads;
	uint8_t cpu_state, interval_state, threads_state, states_state;
	struct sooth_text states; /* "13 S, 1 R" */
};

struct inspect_waits_row {
	struct sooth_record record;
	uint32_t confidence;
	uint8_t text_state, reason_state;
	uint8_t unused[2];
	struct sooth_text state, text, reason;
	struct sooth_text chain;    /* struct why_link_row */
	struct sooth_text remedies; /* struct why_remedy_row */
};

struct inspect_memory_row {
	struct sooth_record record;
	uint64_t rss_bytes, rss_peak_bytes;
	uint64_t rss_anonymous_bytes, rss_file_bytes, rss_shared_bytes;
	uint64_t swap_bytes, vsz_bytes, reserved_bytes;
	uint32_t mappings;
	uint8_t status_state, swap_state, reserved_state, mappings_state;
};

struct inspect_descriptors_row {
	struct sooth_record record;
	double percent;
	uint64_t soft_limit;
	uint32_t count;
	uint32_t watches, instances;
	uint32_t watches_max, instances_max;
	uint8_t count_state, limit_state, percent_state, watches_state;
	uint8_t inotify_state, types_state;
	uint8_t unused[6];
	struct sooth_text types; /* "40 file, 12 pipe" */
};

struct inspect_sockets_row {
	struct sooth_record record;
	uint64_t count, established, listening;
	uint64_t retransmits, waiting_bytes;
	uint64_t silent_ns;
	uint32_t silent_fd;
	uint8_t count_state, silent_state, retransmits_state, waiting_state;
	struct sooth_text kinds; /* "3 tcp ESTABLISHED, 1 unix-stream" */
	struct sooth_text silent_peer;
};

struct inspect_signals_row {
	struct sooth_record record;
	uint32_t caught, ignored, pending;
	uint8_t masks_state;
	uint8_t unused[3];
	struct sooth_text pending_names;
};

struct inspect_danger_row {
	struct sooth_record record;
	int64_t oom_score, oom_score_adjustment;
	uint64_t memory_available_bytes, memory_bytes;
	uint64_t control_group_used_bytes, control_group_limit_bytes;
	uint8_t oom_state, memory_state, group_state;
	uint8_t unused[5];
	struct sooth_text group;
};

struct inspect_thread_row {
	struct sooth_record record;
	double cpu_percent;
	char state;
	uint8_t cpu_state;
	uint8_t unused[6];
	struct sooth_text name;
};

struct inspect_class_row {
	struct sooth_record record;
	uint64_t rss_bytes, pss_bytes, dirty_bytes, swap_bytes, reserved_bytes, size_bytes;
	uint64_t mappings;
	uint32_t class_;
	uint8_t figures_state;
	uint8_t unused[3];
};

/* A thing and its count: peers, watched directories, limits that are nearly exhausted. */
struct inspect_count_row {
	struct sooth_record record;
	uint64_t count;
	uint8_t what_state;
	uint8_t unused[7];
	struct sooth_text what;
};

struct inspect_limit_row {
	struct sooth_record record;
	double percent;
	uint64_t used, limit;
	struct sooth_text name, unit;
};

extern const struct sooth_schema inspect_process_schema, inspect_waits_schema, inspect_cpu_schema,
	inspect_memory_schema, inspect_descriptors_schema, inspect_sockets_schema,
	inspect_signals_schema, inspect_danger_schema, inspect_thread_schema, inspect_class_schema,
	inspect_peer_schema, inspect_directory_schema, inspect_limit_schema;

#endif
