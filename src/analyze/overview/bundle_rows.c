/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "bundle". */
#include "analyze/overview/bundle_rows.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/maps/map_classes.h"
#include "analyze/threads/thread_roles.h"
#include "model/schema.h"

static const struct sooth_field bundle_head_fields[] = {
	FIELD_STRING(bundle_head_row, timestamp, "time, RFC 3339 UTC"),
	FIELD_STRING(bundle_head_row, sooth_version, "version of sooth that recorded it"),
	FIELD_STRING(bundle_head_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(bundle_head_row, os, "operating system"),
	FIELD_STRING(bundle_head_row, os_version, "kernel release"),
	FIELD_STRING(bundle_head_row, architecture, "machine type"),
	FIELD_NUMBER(bundle_head_row, cpus, "processors"),
	FIELD_BYTES(bundle_head_row, memory_bytes, "memory of the host"),
};
ROW_SCHEMA(bundle_head, "bundle.head", bundle_head_row);

static const struct sooth_field bundle_installed_fields[] = {
	FIELD_STRING(bundle_installed_row, agent, "id of an installed agent"),
	FIELD_STRING(bundle_installed_row, version, "its version"),
	FIELD_STRING(bundle_installed_row, path, "path"),
};
ROW_SCHEMA(bundle_installed, "bundle.installed", bundle_installed_row);

static const struct sooth_field bundle_threads_fields[] = {
	{ .name = "role",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(bundle_threads_row, role),
		.names = &thread_role_names,
		.help = "role of the threads, from their names" },
	FIELD_NUMBER(bundle_threads_row, count, "how many there are"),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(bundle_threads_row, cpu_percent),
		FIELD_STATE_AT(bundle_threads_row, cpu_state),
		.help = "of one CPU, sum of these threads" },
	{ .name = "names",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(bundle_threads_row, names),
		.help = "names of some of them" },
};
static ROW_SCHEMA(bundle_threads, "bundle.threads", bundle_threads_row);

static const struct sooth_field bundle_count_fields[] = {
	FIELD_STRING(bundle_count_row, what, "what is counted"),
	FIELD_NUMBER(bundle_count_row, count, "how many there are"),
};
static ROW_SCHEMA(bundle_count, "bundle.count", bundle_count_row);

static const struct sooth_field bundle_sockets_fields[] = {
	FIELD_STRING(bundle_sockets_row, protocol, "tcp, tcp6, unix stream, ..."),
	FIELD_STRING(bundle_sockets_row, state, "ESTABLISHED, LISTEN, ...; empty: not known"),
	FIELD_NUMBER(bundle_sockets_row, count, "how many there are"),
};
static ROW_SCHEMA(bundle_sockets, "bundle.sockets", bundle_sockets_row);

static const struct sooth_field bundle_memory_fields[] = {
	{ .name = "class",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(bundle_memory_row, class_),
		.names = &map_class_names,
		.help = "memory class" },
	FIELD_NUMBER(bundle_memory_row, mappings, "mappings"),
	FIELD_BYTES(bundle_memory_row, size_bytes, "address space"),
	FIELD_BYTES(bundle_memory_row, rss_bytes, "resident",
		FIELD_STATE_AT(bundle_memory_row, figures_state)),
	FIELD_BYTES(bundle_memory_row, dirty_bytes, "changed pages",
		FIELD_STATE_AT(bundle_memory_row, figures_state)),
	FIELD_BYTES(bundle_memory_row, reserved_bytes, "address space without pages",
		FIELD_STATE_AT(bundle_memory_row, figures_state)),
};
static ROW_SCHEMA(bundle_memory, "bundle.memory", bundle_memory_row);

static const struct sooth_field bundle_process_fields[] = {
	FIELD_PID(bundle_process_row),
	FIELD_NUMBER(bundle_process_row, ppid, "process id of the parent"),
	FIELD_STRING(bundle_process_row, name, "name of the program"),
	FIELD_STRING(bundle_process_row, agent, "id of the agent it is or belongs to",
		FIELD_STATE_AT(bundle_process_row, agent_state)),
	FIELD_STRING(bundle_process_row, version, "of the agent",
		FIELD_STATE_AT(bundle_process_row, version_state)),
	FIELD_STRING(bundle_process_row, rule, "rule that recognized it",
		FIELD_STATE_AT(bundle_process_row, rule_state)),
	FIELD_STRING(bundle_process_row, role, "role in its session",
		FIELD_STATE_AT(bundle_process_row, role_state)),
	FIELD_STRING(bundle_process_row, user, "user name", .placeholder = "user",
		FIELD_STATE_AT(bundle_process_row, user_state)),
	FIELD_STRING(bundle_process_row, project, "project", .placeholder = "project",
		FIELD_STATE_AT(bundle_process_row, project_state)),
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(bundle_process_row, state),
		.help = "R running, S sleeping, D uninterruptible, T stopped, Z zombie, I idle" },
	FIELD_NUMBER(
		bundle_process_row, elapsed_s, "seconds since it started", .unit = SOOTH_UNIT_S),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(bundle_process_row, cpu_percent),
		FIELD_STATE_AT(bundle_process_row, cpu_state),
		.help = "of one CPU, over the interval" },
	FIELD_BYTES(bundle_process_row, rss_bytes, "resident memory"),
	FIELD_BYTES(bundle_process_row, vsz_bytes, "address space"),
	FIELD_STRING(bundle_process_row, executable, "path of the executable",
		FIELD_STATE_AT(bundle_process_row, executable_state)),
	FIELD_TRUTH(bundle_process_row, is_deleted, "the executable was removed or replaced"),
	FIELD_STRING_AS(bundle_process_row, directory, cwd, "working directory",
		FIELD_STATE_AT(bundle_process_row, directory_state)),
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(bundle_process_row, command),
		FIELD_STATE_AT(bundle_process_row, command_state),
		.help = "command line, secrets masked" },
	FIELD_NUMBER_AS(bundle_process_row, thread_count, threads, "threads"),
	FIELD_ROWS_AS(bundle_process_row, threads, threads_by_role, bundle_threads_schema,
		"threads by role", FIELD_STATE_AT(bundle_process_row, threads_state)),
	FIELD_NUMBER_AS(bundle_process_row, descriptor_count, open_files, "open file descriptors",
		FIELD_STATE_AT(bundle_process_row, descriptors_state)),
	FIELD_NUMBER(bundle_process_row, soft_limit, "soft limit of open files; null: none",
		FIELD_STATE_AT(bundle_process_row, limit_state)),
	FIELD_ROWS_AS(bundle_process_row, descriptors, descriptors_by_type, bundle_count_schema,
		"how many of which type", .is_keyed = true,
		FIELD_STATE_AT(bundle_process_row, descriptors_state)),
	FIELD_NUMBER(bundle_process_row, watches, "inotify watches",
		FIELD_STATE_AT(bundle_process_row, descriptors_state)),
	FIELD_ROWS_AS(bundle_process_row, sockets, sockets_by_state, bundle_sockets_schema,
		"sockets by protocol and state", FIELD_STATE_AT(bundle_process_row, sockets_state)),
	FIELD_ROWS_AS(bundle_process_row, peers, connections_by_peer, bundle_count_schema,
		"established connections by service of the peer", .is_keyed = true,
		FIELD_STATE_AT(bundle_process_row, sockets_state)),
	FIELD_ROWS_AS(bundle_process_row, memory, memory_by_class, bundle_memory_schema,
		"memory by class", FIELD_STATE_AT(bundle_process_row, maps_state)),
	FIELD_ROWS(bundle_process_row, findings, finding_schema, "findings, worst first"),
	FIELD_ROWS(bundle_process_row, fine, finding_fine_schema, "checks that found nothing"),
	FIELD_ROWS(
		bundle_process_row, unseen, finding_blind_schema, "checks that could not be made"),
};
ROW_SCHEMA(bundle_process, "bundle.process", bundle_process_row);
