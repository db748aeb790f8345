/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the rows of the view "bundle". */
#include "analyze/overview/bundle_rows.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/maps/map_classes.h"
#include "analyze/threads/thread_roles.h"
#include "model/schema.h"

static const struct sooth_field bundle_head_fields[] = {
	FIELD_STRING(bundle_head_row, timestamp, "time of the report, RFC 3339 UTC"),
	FIELD_STRING(bundle_head_row, sooth_version, "version of sooth that recorded the data"),
	FIELD_STRING(bundle_head_row, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(bundle_head_row, os, "operating system of the host"),
	FIELD_STRING(bundle_head_row, os_version, "kernel release of the host"),
	FIELD_STRING(bundle_head_row, architecture, "machine type of the host, for example x86_64"),
	FIELD_NUMBER(bundle_head_row, cpus, "number of online CPUs of the host"),
	FIELD_BYTES(bundle_head_row, memory_bytes, "total memory of the host"),
};
ROW_SCHEMA(bundle_head, "bundle.head", bundle_head_row);

static const struct sooth_field bundle_installed_fields[] = {
	FIELD_STRING(bundle_installed_row, agent, "id of an installed agent"),
	FIELD_STRING(bundle_installed_row, version, "installed version of the agent"),
	FIELD_STRING(bundle_installed_row, path, "path of the installed agent"),
};
ROW_SCHEMA(bundle_installed, "bundle.installed", bundle_installed_row);

static const struct sooth_field bundle_threads_fields[] = {
	{ .name = "role",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(bundle_threads_row, role),
		.names = &thread_role_names,
		.help = "role of the threads, recognized by their names" },
	FIELD_NUMBER(bundle_threads_row, count, "number of threads with this role"),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(bundle_threads_row, cpu_percent),
		FIELD_STATE_AT(bundle_threads_row, cpu_state),
		.help = "CPU use of all these threads, in percent of one CPU" },
	{ .name = "names",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(bundle_threads_row, names),
		.help = "names of some of the threads" },
};
static ROW_SCHEMA(bundle_threads, "bundle.threads", bundle_threads_row);

static const struct sooth_field bundle_count_fields[] = {
	FIELD_STRING(
		bundle_count_row, what, "type of the counted file descriptors or name of the peer"),
	FIELD_NUMBER(bundle_count_row, count, "number of file descriptors or connections"),
};
static ROW_SCHEMA(bundle_count, "bundle.count", bundle_count_row);

static const struct sooth_field bundle_sockets_fields[] = {
	FIELD_STRING(bundle_sockets_row, protocol,
		"protocol of the sockets: tcp, tcp6, unix stream, ..."),
	FIELD_STRING(bundle_sockets_row, state,
		"state of the sockets: ESTABLISHED, LISTEN, ...; empty: unknown"),
	FIELD_NUMBER(bundle_sockets_row, count, "number of sockets"),
};
static ROW_SCHEMA(bundle_sockets, "bundle.sockets", bundle_sockets_row);

static const struct sooth_field bundle_memory_fields[] = {
	{ .name = "class",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(bundle_memory_row, class_),
		.names = &map_class_names,
		.help = "use of the memory: glibc-heap, thread-stack, file, v8, ..." },
	FIELD_NUMBER(bundle_memory_row, mappings, "number of memory mappings"),
	FIELD_BYTES(bundle_memory_row, size_bytes, "size of the address space (virtual memory)"),
	FIELD_BYTES(bundle_memory_row, rss_bytes, "resident memory of this use",
		FIELD_STATE_AT(bundle_memory_row, figures_state)),
	FIELD_BYTES(bundle_memory_row, dirty_bytes, "memory in changed (dirty) pages",
		FIELD_STATE_AT(bundle_memory_row, figures_state)),
	FIELD_BYTES(bundle_memory_row, reserved_bytes,
		"address space reserved without memory behind it",
		FIELD_STATE_AT(bundle_memory_row, figures_state)),
};
static ROW_SCHEMA(bundle_memory, "bundle.memory", bundle_memory_row);

static const struct sooth_field bundle_process_fields[] = {
	FIELD_PID(bundle_process_row),
	FIELD_NUMBER(bundle_process_row, ppid, "process id of the parent"),
	FIELD_STRING(bundle_process_row, name, "name of the program of the process"),
	FIELD_STRING(bundle_process_row, agent, "id of the agent that the process is or belongs to",
		FIELD_STATE_AT(bundle_process_row, agent_state)),
	FIELD_STRING(bundle_process_row, version, "version of the agent",
		FIELD_STATE_AT(bundle_process_row, version_state)),
	FIELD_STRING(bundle_process_row, rule, "rule that recognized the agent",
		FIELD_STATE_AT(bundle_process_row, rule_state)),
	FIELD_STRING(bundle_process_row, role,
		"role of the process in its session: main, helper, tool call, ...",
		FIELD_STATE_AT(bundle_process_row, role_state)),
	FIELD_STRING(bundle_process_row, user, "name of the owner of the process",
		.placeholder = "user", FIELD_STATE_AT(bundle_process_row, user_state)),
	FIELD_STRING(bundle_process_row, project, "project directory the agent works in",
		.placeholder = "project", FIELD_STATE_AT(bundle_process_row, project_state)),
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(bundle_process_row, state),
		.help = "process state: R running, S sleeping, D uninterruptible, T stopped, Z "
			"zombie, I idle" },
	FIELD_NUMBER(bundle_process_row, elapsed_s, "seconds since the process started",
		.unit = SOOTH_UNIT_S),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(bundle_process_row, cpu_percent),
		FIELD_STATE_AT(bundle_process_row, cpu_state),
		.help = "CPU use over the interval, in percent of one CPU" },
	FIELD_BYTES(bundle_process_row, rss_bytes, "resident memory of the process"),
	FIELD_BYTES(bundle_process_row, vsz_bytes, "size of the address space (virtual memory)"),
	FIELD_STRING(bundle_process_row, executable, "path of the executable of the process",
		FIELD_STATE_AT(bundle_process_row, executable_state)),
	FIELD_TRUTH(bundle_process_row, is_deleted,
		"the executable of the process was removed or replaced"),
	FIELD_STRING_AS(bundle_process_row, directory, cwd, "working directory of the process",
		FIELD_STATE_AT(bundle_process_row, directory_state)),
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(bundle_process_row, command),
		FIELD_STATE_AT(bundle_process_row, command_state),
		.help = "command line of the process, secrets masked" },
	FIELD_NUMBER_AS(
		bundle_process_row, thread_count, threads, "number of threads of the process"),
	FIELD_ROWS_AS(bundle_process_row, threads, threads_by_role, bundle_threads_schema,
		"number of threads of each role",
		FIELD_STATE_AT(bundle_process_row, threads_state)),
	FIELD_NUMBER_AS(bundle_process_row, descriptor_count, open_files,
		"number of open file descriptors of the process",
		FIELD_STATE_AT(bundle_process_row, descriptors_state)),
	FIELD_NUMBER(bundle_process_row, soft_limit, "soft limit of open files; null: none",
		FIELD_STATE_AT(bundle_process_row, limit_state)),
	FIELD_ROWS_AS(bundle_process_row, descriptors, descriptors_by_type, bundle_count_schema,
		"number of file descriptors of each type", .is_keyed = true,
		FIELD_STATE_AT(bundle_process_row, descriptors_state)),
	FIELD_NUMBER(bundle_process_row, watches, "number of inotify watches of the process",
		FIELD_STATE_AT(bundle_process_row, descriptors_state)),
	FIELD_ROWS_AS(bundle_process_row, sockets, sockets_by_state, bundle_sockets_schema,
		"number of sockets of each protocol and state",
		FIELD_STATE_AT(bundle_process_row, sockets_state)),
	FIELD_ROWS_AS(bundle_process_row, peers, connections_by_peer, bundle_count_schema,
		"number of established connections to each service", .is_keyed = true,
		FIELD_STATE_AT(bundle_process_row, sockets_state)),
	FIELD_ROWS_AS(bundle_process_row, memory, memory_by_class, bundle_memory_schema,
		"memory of the process by purpose (heap, stack, code, files)",
		FIELD_STATE_AT(bundle_process_row, maps_state)),
	FIELD_ROWS(bundle_process_row, findings, finding_schema, "list of findings, worst first"),
	FIELD_ROWS(bundle_process_row, fine, finding_fine_schema, "checks that found no problem"),
	FIELD_ROWS(bundle_process_row, unseen, finding_blind_schema,
		"checks that could not be done, with the reason"),
};
ROW_SCHEMA(bundle_process, "bundle.process", bundle_process_row);
