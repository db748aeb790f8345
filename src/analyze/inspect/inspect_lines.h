/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "inspect": one screen about one process. */
#pragma once

#include "recognize/agent_set.h"
#include "analyze/maps/map_classes.h"
#include "analyze/process_table/host_state.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/threads/thread_times.h"
#include "explain/output.h"
#include "model/row_list.h"
#include "probes/proc.h"

struct inspect_snapshots {
	struct output *output;
	struct host_state host; /* state of the host, for the activity of main processes */
	struct map processes;	/* process_id -> struct buffer: its last proc.process */
	struct snapshots_room room;
	struct snapshots fds, sockets, maps, signals, limits;
	struct snapshots waits, first_waits; /* last; first, to see whether it ran in between */
	struct thread_times threads;
	struct peer_labels labels;
	struct agent_set *agents; /* NULL: the built-in ones */
	uint32_t ticks_per_s;
	int64_t boottime_offset_ns;
	/* sums of the shown process, for lines and tables; empty without its snapshots */
	struct map_total map_totals[MAP_CLASSES];
	struct socket_sums socket_sums;
	struct buffer thread_list; /* struct thread_time, busiest first */
	struct thread_sums thread_sums;
};

/* Emits the lines about the process `id`. Missing snapshots are printed as not measured. */
int inspect_emit_lines(struct inspect_snapshots *s, const struct process_id *id,
	const struct sooth_record *process, struct sooth_error *err);

/* Appends an entry to a list such as "3 tcp ESTABLISHED, 1 udp". */
static inline void inspect_add_count(struct buffer *list, uint64_t count, const char *what)
{
	if (count)
		buffer_format(
			list, "%s%llu %s", list->size ? ", " : "", (unsigned long long)count, what);
}

#define INSPECT_PROCESS_ROW(F, S)                                                                  \
	F(S, PID)                                                                                  \
	F(S, RECORD, U64, start_ticks, start_ticks, ALWAYS,                                        \
		"start of the process, in clock ticks after boot; unique together with the pid")   \
	F(S, TEXT, name, ALWAYS, "name of the main thread of the process (comm)")                  \
	F(S, TEXT, agent, MAYBE(agent_state),                                                      \
		"id of the agent that the process was recognized as")                              \
	F(S, TEXT, agent_title, MAYBE(title_state),                                                \
		"display name of the agent, or \"a kernel thread\"")                               \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"process state: R running, S sleeping, D uninterruptible, T stopped, Z zombie, I " \
		"idle")                                                                            \
	F(S, TEXT, frozen, MAYBE(frozen_state),                                                    \
		"how the process was frozen: signal or control group")                             \
	F(S, U64, elapsed_s, ALWAYS, "seconds since the process started", .unit = SOOTH_UNIT_S)    \
	F(S, U32, ppid, ALWAYS, "process id of the parent")                                        \
	F(S, U32, uid, ALWAYS, "effective user id of the process")                                 \
	F(S, TEXT, executable, MAYBE(executable_state), "path of the executable of the process")   \
	F(S, BOOL, is_deleted, ALWAYS, "the executable of the process was removed or replaced")    \
	F(S, NAMED, TEXT, deleted, deleted_text, MAYBE(deleted_state),                             \
		"whether the executable of the process was removed or replaced, as text",          \
		.is_hidden = true)                                                                 \
	F(S, ARGS, command, MAYBE(command_state), "command line of the process, secrets masked")   \
	F(S, NAMED, TEXT, directory, cwd, MAYBE(directory_state),                                  \
		"working directory of the process")                                                \
	F(S, TEXT, control_group, MAYBE(control_group_state), "control group of the process")

ROW_STRUCT(inspect_process_row, INSPECT_PROCESS_ROW, char state;);

#define INSPECT_CPU_ROW(F, S)                                                                      \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use in percent of one CPU, without threads that started or ended meanwhile",  \
		.decimals = 1, .unit = SOOTH_UNIT_PERCENT)                                         \
	F(S, U64, interval_ns, MAYBE(interval_state),                                              \
		"time between the two samples of the measurement", .unit = SOOTH_UNIT_NS)          \
	F(S, U64, cpu_ns, ALWAYS, "CPU time of the process since its start",                       \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, threads, MAYBE(threads_state), "number of threads of the process")               \
	F(S, TEXT, states, MAYBE(states_state), "number of threads in each state")

ROW_STRUCT(inspect_cpu_row, INSPECT_CPU_ROW);

#define INSPECT_WAITS_ROW(F, S)                                                                    \
	F(S, TEXT, text, MAYBE(text_state),                                                        \
		"what the process waits for, as sooth why says it; null: not measured")            \
	F(S, TEXT, state, WITH(text_state),                                                        \
		"waits, runs, idle, stopped, deadlock, ended, unknown")                            \
	F(S, ENUM32, confidence, WITH(text_state),                                                 \
		"confidence of the weakest link: high, medium, low",                               \
		.names = &waits_confidence_names)                                                  \
	F(S, TEXT, reason, MAYBE(reason_state), "why something is not known")                      \
	F(S, ROWS, chain, ALWAYS, "chain of waits: the process, then what it waits for",           \
		.rows = &why_link_schema, .is_hidden = true)                                       \
	F(S, ROWS, remedies, ALWAYS, "what to do about the wait", .rows = &why_remedy_schema,      \
		.is_hidden = true)

ROW_STRUCT(inspect_waits_row, INSPECT_WAITS_ROW);

#define INSPECT_MEMORY_ROW(F, S)                                                                   \
	F(S, U64, rss_bytes, MAYBE(rss_state), "resident memory of the process",                   \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_anonymous_bytes, MAYBE(status_state),                                        \
		"resident anonymous memory of the process (heap, stacks)",                         \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_file_bytes, WITH(status_state), "resident pages of mapped files",            \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_shared_bytes, WITH(status_state), "resident shared memory of the process",   \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_peak_bytes, WITH(status_state),                                              \
		"highest resident memory of the process so far", .unit = SOOTH_UNIT_BYTES)         \
	F(S, U64, swap_bytes, MAYBE(swap_state),                                                   \
		"memory of the process that is swapped out; null: none", .unit = SOOTH_UNIT_BYTES) \
	F(S, U64, vsz_bytes, MAYBE(vsz_state), "size of the address space (virtual memory)",       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, reserved_bytes, MAYBE(reserved_state),                                           \
		"address space reserved without memory behind it (costs nothing)",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U32, mappings, MAYBE(mappings_state), "number of memory mappings")

ROW_STRUCT(inspect_memory_row, INSPECT_MEMORY_ROW);

#define INSPECT_DESCRIPTORS_ROW(F, S)                                                              \
	F(S, NAMED, U32, count, open_files, MAYBE(count_state),                                    \
		"number of open file descriptors of the process")                                  \
	F(S, U64, soft_limit, MAYBE(limit_state), "soft limit of open files; null: none")          \
	F(S, REAL, percent, MAYBE(percent_state), "use in percent of the limit", .decimals = 1,    \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, TEXT, types, MAYBE(types_state), "number of file descriptors of each type")           \
	F(S, U32, watches, MAYBE(watches_state),                                                   \
		"inotify watches of the process; null: no inotify instance")                       \
	F(S, U32, instances, WITH(watches_state), "inotify instances of the process; null: none")  \
	F(S, U32, watches_max, MAYBE(inotify_state), "maximum inotify watches per user")           \
	F(S, U32, instances_max, WITH(inotify_state), "maximum inotify instances per user")

ROW_STRUCT(inspect_descriptors_row, INSPECT_DESCRIPTORS_ROW);

#define INSPECT_SOCKETS_ROW(F, S)                                                                  \
	F(S, U64, count, MAYBE(count_state), "number of sockets of the process")                   \
	F(S, U64, established, WITH(count_state), "number of established TCP connections",         \
		.is_hidden = true)                                                                 \
	F(S, U64, listening, WITH(count_state), "number of listening sockets", .is_hidden = true)  \
	F(S, TEXT, kinds, WITH(count_state), "number of sockets of each protocol and state")       \
	F(S, U64, retransmits, MAYBE(retransmits_state),                                           \
		"TCP segments retransmitted on all connections; null: no connection")              \
	F(S, NAMED, U64, waiting_bytes, unread_bytes, MAYBE(waiting_state),                        \
		"bytes received that the process has not read yet; null: no connection",           \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, silent_ns, MAYBE(silent_state),                                                  \
		"time since the last data on the connection that is silent longest",               \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, silent_fd, WITH(silent_state),                                                   \
		"file descriptor of the connection that is silent longest")                        \
	F(S, TEXT, silent_peer, WITH(silent_state), "peer of the connection that is silent longest")

ROW_STRUCT(inspect_sockets_row, INSPECT_SOCKETS_ROW);

#define INSPECT_SIGNALS_ROW(F, S)                                                                  \
	F(S, U32, caught, MAYBE(masks_state), "number of signals with a handler")                  \
	F(S, U32, ignored, WITH(masks_state), "number of ignored signals")                         \
	F(S, U32, pending, MAYBE(pending_state),                                                   \
		"number of pending signals of the process and its threads")                        \
	F(S, TEXT, pending_names, WITH(pending_state), "names of the pending signals")

ROW_STRUCT(inspect_signals_row, INSPECT_SIGNALS_ROW);

#define INSPECT_DANGER_ROW(F, S)                                                                   \
	F(S, I64, oom_score, MAYBE(oom_state),                                                     \
		"OOM score; a process with a higher score is killed earlier when memory runs out") \
	F(S, I64, oom_score_adjustment, WITH(oom_state),                                           \
		"adjustment of the OOM score; -1000: the OOM killer never chooses the process")    \
	F(S, U64, memory_available_bytes, MAYBE(memory_state),                                     \
		"memory of the host that is available without swapping", .unit = SOOTH_UNIT_BYTES) \
	F(S, U64, memory_bytes, WITH(memory_state), "total memory of the host",                    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, control_group_used_bytes, MAYBE(group_state),                                    \
		"memory used by the control group closest to its limit", .unit = SOOTH_UNIT_BYTES) \
	F(S, U64, control_group_limit_bytes, WITH(group_state),                                    \
		"memory limit of the control group closest to its limit; null: none",              \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, NAMED, TEXT, group, control_group, WITH(group_state),                                 \
		"control group closest to its memory limit")

ROW_STRUCT(inspect_danger_row, INSPECT_DANGER_ROW);

#define INSPECT_THREAD_ROW(F, S)                                                                   \
	F(S, RECORD, U64, tid, tid, ALWAYS, "thread id in the pid namespace of sooth",              \
		.is_key = true)                                                                    \
	F(S, TEXT, name, ALWAYS, "name of the thread (comm)")                                      \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use over the interval, in percent of one CPU", .decimals = 1,                 \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"thread state: R running, S sleeping, D uninterruptible, T stopped")

ROW_STRUCT(inspect_thread_row, INSPECT_THREAD_ROW, char state;);

#define INSPECT_CLASS_ROW(F, S)                                                                    \
	F(S, NAMED, ENUM32, class_, class, ALWAYS,                                                 \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...", .label = "MEMORY",   \
		.names = &map_class_names, .is_key = true)                                         \
	F(S, U64, rss_bytes, MAYBE(figures_state), "resident memory of this use",                  \
		.unit = SOOTH_UNIT_BYTES, .label = "RSS")                                          \
	F(S, U64, pss_bytes, WITH(figures_state),                                                  \
		"proportional resident memory (PSS): a shared page counts in parts",               \
		.unit = SOOTH_UNIT_BYTES, .label = "PSS")                                          \
	F(S, U64, dirty_bytes, WITH(figures_state), "memory in changed (dirty) pages",             \
		.unit = SOOTH_UNIT_BYTES, .label = "DIRTY")                                        \
	F(S, U64, swap_bytes, WITH(figures_state), "memory that is swapped out",                   \
		.unit = SOOTH_UNIT_BYTES, .label = "SWAP")                                         \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.unit = SOOTH_UNIT_BYTES, .label = "SIZE")                                         \
	F(S, U64, reserved_bytes, WITH(figures_state),                                             \
		"address space reserved without memory behind it", .unit = SOOTH_UNIT_BYTES,       \
		.label = "RESERVED")                                                               \
	F(S, U64, mappings, ALWAYS, "number of memory mappings")

ROW_STRUCT(inspect_class_row, INSPECT_CLASS_ROW);

/* A thing and its count: peers, watched directories. */
#define INSPECT_COUNT_ROW(F, S, what_name, what_, count_name, count_, help_)                       \
	F(S, NAMED, TEXT, what, what_name, MAYBE(what_state), help_, .label = what_,               \
		.is_key = true, .may_shrink = true)                                                \
	F(S, NAMED, U64, count, count_name, ALWAYS, "number of items in this group",               \
		.label = count_)
/* By the log of a main process. */
#define INSPECT_SESSION_ROW(F, S)                                                                  \
	F(S, U64, tokens_a_minute, MAYBE(rate_state),                                              \
		"tokens in and out a minute, of the last five minutes")                            \
	F(S, REAL, context_percent, MAYBE(window_state),                                           \
		"context in use, in percent of the model's window", .decimals = 0,                 \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, REAL, quota_percent, MAYBE(quota_state), "used share of the account's nearest limit", \
		.decimals = 0, .unit = SOOTH_UNIT_PERCENT)                                         \
	F(S, TEXT, mcp_server, MAYBE(mcp_state),                                                   \
		"MCP server with an open call, or with the most errors or the slowest answers",    \
		.placeholder = "server")                                                           \
	F(S, U32, mcp_calls, WITH(mcp_state), "calls that it answered")                            \
	F(S, U32, mcp_errors, WITH(mcp_state), "calls that it answered with an error")             \
	F(S, U64, mcp_mean_ns, WITH(mcp_state), "mean time from a call to its answer",             \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, mcp_longest_ns, WITH(mcp_state), "longest time from a call to its answer",       \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, mcp_log, MAYBE(mcp_log_state), "MCP server by the agent's log of it",           \
		.placeholder = "server")                                                           \
	F(S, U64, mcp_tried_ns, MAYBE(mcp_tried_state),                                            \
		"time since the agent began to connect to it, in vain", .unit = SOOTH_UNIT_NS)     \
	F(S, U32, mcp_word_lines, MAYBE(mcp_words_state),                                          \
		"lines that it printed beside its messages")

ROW_STRUCT(inspect_session_row, INSPECT_SESSION_ROW);

#define INSPECT_PEER_ROW(F, S)                                                                     \
	INSPECT_COUNT_ROW(F, S, label, "PEER", connections, "CONNECTIONS",                         \
		"known name of the service at the peer, or the peer address")
#define INSPECT_DIRECTORY_ROW(F, S)                                                                \
	INSPECT_COUNT_ROW(F, S, path, "WATCHED DIRECTORY", watches, "WATCHES",                     \
		"directory watched by inotify")

ROW_STRUCT(inspect_count_row, INSPECT_PEER_ROW);

#define INSPECT_LIMIT_ROW(F, S)                                                                    \
	F(S, TEXT, name, ALWAYS, "name of the resource limit", .label = "NEAR ITS LIMIT",          \
		.is_key = true)                                                                    \
	F(S, U64, used, ALWAYS, "amount of the limited resource in use")                           \
	F(S, U64, limit, ALWAYS, "limit of the resource")                                          \
	F(S, TEXT, unit, ALWAYS, "unit of the used amount and of the limit")                       \
	F(S, REAL, percent, ALWAYS, "use in percent of the limit", .decimals = 1,                  \
		.unit = SOOTH_UNIT_PERCENT)

ROW_STRUCT(inspect_limit_row, INSPECT_LIMIT_ROW);

extern const struct sooth_schema inspect_process_schema, inspect_waits_schema, inspect_cpu_schema,
	inspect_memory_schema, inspect_descriptors_schema, inspect_sockets_schema,
	inspect_signals_schema, inspect_danger_schema, inspect_thread_schema, inspect_class_schema,
	inspect_peer_schema, inspect_directory_schema, inspect_limit_schema,
	inspect_activity_schema, /* rows: struct activity_row */
	inspect_session_schema;
