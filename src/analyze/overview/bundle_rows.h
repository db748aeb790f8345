/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "bundle": the host, versions, and each process in detail. */
#ifndef SOOTH_ANALYZE_BUNDLE_ROWS_H
#define SOOTH_ANALYZE_BUNDLE_ROWS_H

#include "analyze/fds/fd_sums.h"
#include "analyze/process_table/host_state.h"
#include "explain/output.h"
#include "model/row_list.h"

#define BUNDLE_HEAD_ROW(F, S)                                                                      \
	F(S, TEXT, timestamp, ALWAYS, "time of the report, RFC 3339 UTC")                          \
	F(S, TEXT, sooth_version, ALWAYS, "version of sooth that recorded the data")               \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .placeholder = "host")                    \
	F(S, TEXT, os, ALWAYS, "operating system of the host")                                     \
	F(S, TEXT, os_version, ALWAYS, "kernel release of the host")                               \
	F(S, TEXT, architecture, ALWAYS, "machine type of the host, for example x86_64")           \
	F(S, U32, cpus, ALWAYS, "number of online CPUs of the host")                               \
	F(S, U64, memory_bytes, ALWAYS, "total memory of the host", .unit = SOOTH_UNIT_BYTES)

ROW_STRUCT(bundle_head_row, BUNDLE_HEAD_ROW, uint32_t process_count;);

#define BUNDLE_INSTALLED_ROW(F, S)                                                                 \
	F(S, TEXT, agent, ALWAYS, "id of an installed agent")                                      \
	F(S, TEXT, version, ALWAYS, "installed version of the agent")                              \
	F(S, TEXT, path, ALWAYS, "path of the installed agent")

ROW_STRUCT(bundle_installed_row, BUNDLE_INSTALLED_ROW);

#define BUNDLE_THREADS_ROW(F, S)                                                                   \
	F(S, ENUM32, role, ALWAYS, "role of the threads, recognized by their names",               \
		.names = &thread_role_names)                                                       \
	F(S, U32, count, ALWAYS, "number of threads with this role")                               \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of all these threads, in percent of one CPU", .decimals = 1,              \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, TEXTS, names, ALWAYS, "names of some of the threads")

ROW_STRUCT(bundle_threads_row, BUNDLE_THREADS_ROW);

#define BUNDLE_COUNT_ROW(F, S)                                                                     \
	F(S, TEXT, what, ALWAYS, "type of the counted file descriptors or name of the peer")       \
	F(S, U64, count, ALWAYS, "number of file descriptors or connections")

ROW_STRUCT(bundle_count_row, BUNDLE_COUNT_ROW);

#define BUNDLE_SOCKETS_ROW(F, S)                                                                   \
	F(S, TEXT, protocol, ALWAYS, "protocol of the sockets: tcp, tcp6, unix stream, ...")       \
	F(S, TEXT, state, ALWAYS,                                                                  \
		"state of the sockets: ESTABLISHED, LISTEN, ...; empty: unknown")                  \
	F(S, U64, count, ALWAYS, "number of sockets")

ROW_STRUCT(bundle_sockets_row, BUNDLE_SOCKETS_ROW);

#define BUNDLE_MEMORY_ROW(F, S)                                                                    \
	F(S, NAMED, ENUM32, class_, class, ALWAYS,                                                 \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...",                      \
		.names = &map_class_names)                                                         \
	F(S, U64, mappings, ALWAYS, "number of memory mappings")                                   \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_bytes, MAYBE(figures_state), "resident memory of this use",                  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, dirty_bytes, WITH(figures_state), "memory in changed (dirty) pages",             \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, reserved_bytes, WITH(figures_state),                                             \
		"address space reserved without memory behind it", .unit = SOOTH_UNIT_BYTES)

ROW_STRUCT(bundle_memory_row, BUNDLE_MEMORY_ROW);

#define BUNDLE_PROCESS_ROW(F, S)                                                                   \
	F(S, PID)                                                                                  \
	F(S, U32, ppid, ALWAYS, "process id of the parent")                                        \
	F(S, TEXT, name, ALWAYS, "name of the program of the process")                             \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent that the process is or belongs to") \
	F(S, TEXT, version, MAYBE(version_state), "version of the agent")                          \
	F(S, TEXT, rule, MAYBE(rule_state), "rule that recognized the agent")                      \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process in its session: main, helper, tool call, ...")                \
	F(S, TEXT, user, MAYBE(user_state), "name of the owner of the process",                    \
		.placeholder = "user")                                                             \
	F(S, TEXT, project, MAYBE(project_state), "project directory the agent works in",          \
		.placeholder = "project")                                                          \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"process state: R running, S sleeping, D uninterruptible, T stopped, Z zombie, I " \
		"idle")                                                                            \
	F(S, U64, elapsed_s, ALWAYS, "seconds since the process started", .unit = SOOTH_UNIT_S)    \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use over the interval, in percent of one CPU", .decimals = 1,                 \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, U64, rss_bytes, ALWAYS, "resident memory of the process", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, vsz_bytes, ALWAYS, "size of the address space (virtual memory)",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, TEXT, executable, MAYBE(executable_state), "path of the executable of the process")   \
	F(S, BOOL, is_deleted, ALWAYS, "the executable of the process was removed or replaced")    \
	F(S, NAMED, TEXT, directory, cwd, MAYBE(directory_state),                                  \
		"working directory of the process")                                                \
	F(S, ARGS, command, MAYBE(command_state), "command line of the process, secrets masked")   \
	F(S, NAMED, U32, thread_count, threads, ALWAYS, "number of threads of the process")        \
	F(S, NAMED, ROWS, threads, threads_by_role, MAYBE(threads_state),                          \
		"number of threads of each role", .rows = &bundle_threads_schema)                  \
	F(S, NAMED, U32, descriptor_count, open_files, MAYBE(descriptors_state),                   \
		"number of open file descriptors of the process")                                  \
	F(S, U64, soft_limit, MAYBE(limit_state), "soft limit of open files; null: none")          \
	F(S, NAMED, ROWS, descriptors, descriptors_by_type, WITH(descriptors_state),               \
		"number of file descriptors of each type", .rows = &bundle_count_schema,           \
		.is_keyed = true)                                                                  \
	F(S, U32, watches, WITH(descriptors_state), "number of inotify watches of the process")    \
	F(S, NAMED, ROWS, sockets, sockets_by_state, MAYBE(sockets_state),                         \
		"number of sockets of each protocol and state", .rows = &bundle_sockets_schema)    \
	F(S, NAMED, ROWS, peers, connections_by_peer, WITH(sockets_state),                         \
		"number of established connections to each service", .rows = &bundle_count_schema, \
		.is_keyed = true)                                                                  \
	F(S, NAMED, ROWS, memory, memory_by_class, MAYBE(maps_state),                              \
		"memory of the process by purpose (heap, stack, code, files)",                     \
		.rows = &bundle_memory_schema)                                                     \
	F(S, ROWS, findings, ALWAYS, "list of findings, worst first", .rows = &finding_schema)     \
	F(S, ROWS, fine, ALWAYS, "checks that found no problem", .rows = &finding_fine_schema)     \
	F(S, ROWS, unseen, ALWAYS, "checks that could not be done, with the reason",               \
		.rows = &finding_blind_schema)

ROW_STRUCT(bundle_process_row, BUNDLE_PROCESS_ROW, char state;);

/* Append to lists of a row: a count by name (bundle_count_schema), unless it is 0; all types of
 * descriptors; a text (TEXTS), unless it is there or there are `most`. */
void bundle_count(struct span what, uint64_t count, struct buffer *out);
void bundle_count_types(const struct fd_sums *sums, struct buffer *out);
void bundle_text(struct buffer *texts, struct span text, size_t most);

/* A row of struct bundle_head_row in that section. */
int bundle_emit_head(struct output *output, const struct section *section,
	const struct host_state *h, uint32_t processes, struct sooth_error *err);

extern const struct sooth_schema bundle_count_schema, bundle_head_schema, bundle_installed_schema,
	bundle_process_schema;

#endif
