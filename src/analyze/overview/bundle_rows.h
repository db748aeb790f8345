/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "bundle": the host, versions, and each process in detail. */
#ifndef SOOTH_ANALYZE_BUNDLE_ROWS_H
#define SOOTH_ANALYZE_BUNDLE_ROWS_H

#include "model/field.h"

struct bundle_head_row {
	struct sooth_record record;
	uint64_t memory_bytes;
	uint32_t cpus;
	uint32_t unused;
	struct sooth_text timestamp, hostname, sooth_version, os, os_version, architecture;
};

struct bundle_installed_row {
	struct sooth_record record;
	struct sooth_text agent, version, path;
};

struct bundle_threads_row {
	struct sooth_record record;
	double cpu_percent; /* of all of them */
	uint32_t count, role;
	uint8_t cpu_state;
	uint8_t unused[7];
	struct sooth_text names; /* distinct texts */
};

struct bundle_count_row {
	struct sooth_record record;
	uint64_t count;
	struct sooth_text what;
};

struct bundle_sockets_row {
	struct sooth_record record;
	uint64_t count;
	struct sooth_text protocol, state;
};

struct bundle_memory_row {
	struct sooth_record record;
	uint64_t mappings, rss_bytes, size_bytes, reserved_bytes, dirty_bytes;
	uint32_t class_;
	uint8_t figures_state;
	uint8_t unused[3];
};

struct bundle_process_row {
	struct sooth_record record;
	double cpu_percent;
	uint64_t rss_bytes, vsz_bytes, elapsed_s, soft_limit;
	uint32_t ppid, thread_count, descriptor_count, watches;
	char state;
	uint8_t is_deleted;
	uint8_t cpu_state, agent_state, version_state, rule_state, role_state, user_state,
		project_state;
	uint8_t executable_state, directory_state, command_state, threads_state;
	uint8_t descriptors_state, limit_state, sockets_state, maps_state;
	uint8_t unused[7];
	struct sooth_text threads, descriptors, sockets, peers, memory; /* rows */
	struct sooth_text findings, fine, unseen;			/* rows */
	struct sooth_text name, agent, version, rule, role, user, project;
	struct sooth_text executable, directory, command;
};

extern const struct sooth_schema bundle_head_schema, bundle_installed_schema, bundle_process_schema;

#endif
