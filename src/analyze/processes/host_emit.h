/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections before and after the rows of processes. */
#pragma once

#include "analyze/processes/process_list.h"
#include "explain/output.h"
#include "model/row_list.h"

/* The report's own members in the scan contract. */
#define HOST_ROW(F, S)                                                                             \
	F(S, TEXT, timestamp, ALWAYS, "time of the report, RFC 3339 UTC")                          \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .placeholder = "host")                    \
	F(S, TEXT, os, ALWAYS, "operating system of the host")                                     \
	F(S, TEXT, os_version, ALWAYS, "kernel release of the host")                               \
	F(S, TEXT, latest_local_version, MAYBE(latest_state),                                      \
		"newest Claude Code version installed on the host")                                \
	F(S, U32, process_count, ALWAYS, "number of processes listed")                             \
	F(S, U32, orphaned_count, MAYBE(orphaned_state),                                           \
		"listed processes known to be orphaned (left behind by their agent)")              \
	F(S, U32, outdated_count, MAYBE(outdated_state),                                           \
		"listed processes that run an outdated version")                                   \
	F(S, U32, abandoned_count, MAYBE(abandoned_state),                                         \
		"listed MCP servers known to have no client")

ROW_STRUCT(host_row, HOST_ROW);

/* An agent's session: its main process and all processes that belong to it. */
#define SESSION_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, TEXT, agent, ALWAYS, "id of the agent")                                               \
	F(S, TEXT, project, MAYBE(project_state), "project directory the agent works in",          \
		.may_shrink = true, .placeholder = "project")                                      \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the session", .label = "SESSION",      \
		.may_shrink = true, .placeholder = "session")                                      \
	F(S, U32, processes, ALWAYS, "number of processes in the session", .label = "PROCS")       \
	F(S, U32, tools, MAYBE(roles_state), "number of running tool calls in the session")        \
	F(S, U32, mcp_servers, WITH(roles_state), "number of MCP servers in the session",          \
		.label = "MCP")                                                                    \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of all these processes, in percent of one CPU", .label = "CPU%",          \
		.decimals = 1, .unit = SOOTH_UNIT_PERCENT)                                         \
	F(S, U64, rss_bytes, ALWAYS,                                                               \
		"resident memory of all these processes; shared pages count in each",              \
		.label = "RSS", .unit = SOOTH_UNIT_BYTES)                                          \
	F(S, U64, oldest_s, ALWAYS, "age of the session's oldest process, in seconds",             \
		.label = "OLDEST", .unit = SOOTH_UNIT_S)                                           \
	F(S, NAMED, U64, fleeting, short_lived, MAYBE(fleeting_state),                             \
		"number of processes that started and ended between two samples",                  \
		.is_hidden = true)                                                                 \
	F(S, TEXT, status, MAYBE(status_state),                                                    \
		"status that the agent reports about itself: busy, idle, ...")                     \
	F(S, TEXT, flags, MAYBE(flags_state),                                                      \
		"flags set for processes of the session, for example ORPHANED")

ROW_STRUCT(session_row, SESSION_ROW);

/* A verdict about a process, with the reason. */
#define REASON_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the main thread of the process")                         \
	F(S, TEXT, verdict, ALWAYS, "verdict about the process, for example ORPHANED")             \
	F(S, NAMED, TEXT, why, reason, MAYBE(why_state),                                           \
		"reason why the process counts as orphaned or abandoned, or why that is unknown")

ROW_STRUCT(reason_row, REASON_ROW);

#define INSTALLED_ROW(F, S)                                                                        \
	F(S, TEXT, agent, ALWAYS, "id of the agent")                                               \
	F(S, TEXT, version, ALWAYS, "installed version of the agent")                              \
	F(S, BOOL, is_newest, ALWAYS, "this is the newest installed version of the agent",         \
		.label = "NEWEST")                                                                 \
	F(S, U32, uid, MAYBE(uid_state),                                                           \
		"user id of the home directory the agent is installed in; null: system-wide")      \
	F(S, TEXT, path, ALWAYS, "path of the installed agent", .may_shrink = true)

ROW_STRUCT(installed_row, INSTALLED_ROW);

#define TOTALS_ROW(F, S)                                                                           \
	F(S, U32, processes, ALWAYS, "number of processes listed")                                 \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of all these processes, in percent of one CPU", .decimals = 1)            \
	F(S, REAL, mem_percent, MAYBE(mem_state),                                                  \
		"resident memory of all these processes, in percent of the host's memory",         \
		.decimals = 1)                                                                     \
	F(S, U64, rss_kb, ALWAYS, "resident memory of all these processes, in KiB")                \
	F(S, TEXT, rss_human, ALWAYS, "resident memory of all these processes, with its unit")     \
	F(S, NAMED, U32, over, over_threshold, MAYBE(over_state),                                  \
		"number of processes over the CPU (-k) or memory (-m) threshold")

ROW_STRUCT(totals_row, TOTALS_ROW);
extern const struct sooth_schema session_row_schema;
extern const struct sooth_schema reason_row_schema;
extern const struct sooth_schema installed_row_schema;

struct host_emit {
	struct output *output;
	const struct host_state *host;
	const struct process_list *list;
	const struct processes_options *options;
};

/*
 * Emits limits if some processes are unreadable or invisible, so that the list of agents may be
 * incomplete. False: there are none.
 */
bool host_emit_limits(const struct host_emit *t);
/* Emits the row of the host. Returns 0 or a negative errno with err filled. */
int host_emit_host(const struct host_emit *t, struct sooth_error *err);
int host_emit_reasons(const struct host_emit *t, struct sooth_error *err);
/* Emits the sessions of the listed main processes. */
int host_emit_sessions(const struct host_emit *t, struct sooth_error *err);
/* Emits installed versions for JSON; host_emit_versions() prints them for users, on request. */
int host_emit_installed(const struct host_emit *t, struct sooth_error *err);
int host_emit_versions(const struct host_emit *t, struct sooth_error *err);
/* Processes that samples missed, if exits were watched. */
extern const struct sooth_schema short_lived_row_schema;
int host_emit_totals(const struct host_emit *t, struct sooth_error *err);
