/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "fleet". */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/api/api_rows.h"
#include "analyze/fleet/fleet_sums.h"
#include "explain/finding.h"
#include "model/row_list.h"

/* Values of some processes at the last sample. */
#define FLEET_NOW(F, S)                                                                            \
	F(S, U32, processes, MAYBE(now_state), "number of processes")                              \
	F(S, U32, threads, WITH(now_state), "number of threads")                                   \
	F(S, U64, rss_bytes, WITH(now_state),                                                      \
		"resident memory; shared pages count once for each process",                       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, anonymous_bytes, MAYBE(memory_state),                                            \
		"resident memory that belongs to no file: heaps and stacks",                       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, file_bytes, WITH(memory_state), "resident memory of files: programs, libraries", \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, shared_bytes, WITH(memory_state), "resident shared memory and tmpfs",            \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, swap_bytes, WITH(memory_state), "memory in swap", .unit = SOOTH_UNIT_BYTES)      \
	F(S, U64, descriptors, MAYBE(descriptors_state), "number of open descriptors")             \
	F(S, U32, watches, MAYBE(watches_state), "number of inotify watches")

/* The processes of one agent that have one role. */
#define FLEET_AGENT_ROW(F, S)                                                                      \
	F(S, TEXT, agent, ALWAYS, "id of the agent")                                               \
	F(S, TEXT, role, ALWAYS, "role of the processes; short_lived: they ended before a sample") \
	F(S, U64, cpu_ns, ALWAYS, "CPU time since sooth started", .label = "CPU",                  \
		.unit = SOOTH_UNIT_NS)                                                             \
	FLEET_NOW(F, S)

ROW_STRUCT(fleet_agent_row, FLEET_AGENT_ROW);

/* The names of a session; "other": several that have no row of their own. */
#define FLEET_NAMES(F, S)                                                                          \
	F(S, TEXT, agent, ALWAYS, "id of the agent; other: sessions that share a row")             \
	F(S, TEXT, project, MAYBE(project_state), "project of the session", .may_shrink = true,    \
		.placeholder = "project")                                                          \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the session")                          \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state), "process id of its main process")

#define FLEET_SESSION_ROW(F, S)                                                                    \
	FLEET_NAMES(F, S)                                                                          \
	F(S, U64, cpu_ns, ALWAYS, "CPU time of all its processes since sooth started",             \
		.label = "CPU", .unit = SOOTH_UNIT_NS)                                             \
	F(S, U64, read_bytes, MAYBE(io_state), "bytes read, from anything",                        \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, written_bytes, MAYBE(written_state), "bytes written, to anything",               \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, turns, MAYBE(tokens_state), "answers of the model, by the agent's log")          \
	F(S, U64, input_tokens, WITH(tokens_state), "input tokens, by the agent's log")            \
	F(S, U64, output_tokens, WITH(tokens_state), "output tokens, by the agent's log")          \
	F(S, U64, context_tokens, MAYBE(context_state),                                            \
		"tokens of context in use, by the agent's log")                                    \
	F(S, TEXT, model, MAYBE(model_state), "model, by the agent's log")                         \
	FLEET_NOW(F, S)

ROW_STRUCT(fleet_session_row, FLEET_SESSION_ROW);

#define FLEET_ACTIVITY_ROW(F, S)                                                                   \
	FLEET_NAMES(F, S)                                                                          \
	F(S, TEXT, state, ALWAYS,                                                                  \
		"what the session does: waits_for_user, waits_for_model, asks_again, runs_tool, "  \
		"talks_to_mcp, computes, starts, stopped, idle, unknown")                          \
	F(S, U64, total_ns, ALWAYS, "time in this state", .label = "TIME", .unit = SOOTH_UNIT_NS)  \
	F(S, U8, is_now, MAYBE(now_state), "1: the state at the last sample; else 0")

ROW_STRUCT(fleet_activity_row, FLEET_ACTIVITY_ROW);

#define FLEET_FINDING_ROW(F, S)                                                                    \
	FLEET_NAMES(F, S)                                                                          \
	F(S, TEXT, id, ALWAYS, "id of the finding")                                                \
	F(S, ENUM8, severity, ALWAYS, "severity: critical, high, medium, low, info",               \
		.names = &finding_severity_names)                                                  \
	F(S, U32, count, ALWAYS, "number of such findings now")

ROW_STRUCT(fleet_finding_row, FLEET_FINDING_ROW);

#define FLEET_RAISED_ROW(F, S)                                                                     \
	F(S, TEXT, agent, ALWAYS, "id of the agent; empty: none")                                  \
	F(S, TEXT, id, ALWAYS, "id of the finding")                                                \
	F(S, U64, times, ALWAYS, "how often it was raised since sooth started")

ROW_STRUCT(fleet_raised_row, FLEET_RAISED_ROW);

/* Requests to the model: waits by samples, from the prompt or the result of a tool to the answer;
 * and API calls of main processes by probes. */
#define FLEET_API_ROW(F, S)                                                                        \
	F(S, TEXT, agent, ALWAYS, "id of the agent")                                               \
	F(S, TEXT, model, ALWAYS, "model, by the agent's log; empty: unknown; other: several")     \
	F(S, TEXT, host, ALWAYS, "server of calls: its name or address; other: several",           \
		.placeholder = "server")                                                           \
	F(S, TEXT, provider, ALWAYS, "known name of the service at the address; empty: unknown")   \
	F(S, ENUM8, outcome, MAYBE(call_state), "what became of the calls",                        \
		.names = &api_outcome_names)                                                       \
	F(S, TEXT, source, ALWAYS, "source of the times: samples, probes")                         \
	F(S, ALSO, HISTOGRAM, slots, wait_ns, MAYBE(wait_state),                                   \
		"number of waits for the model by length", .unit = SOOTH_UNIT_NS)                  \
	F(S, ALSO, HISTOGRAM, slots, call_ns, WITH(call_state), "number of API calls by length",   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, total_ns, ALWAYS, "time of all of them", .label = "TIME", .unit = SOOTH_UNIT_NS)

ROW_STRUCT(fleet_api_row, FLEET_API_ROW, uint32_t slots[FLEET_SLOTS];);

#define FLEET_SELF_ROW(F, S)                                                                       \
	F(S, TEXT, host_name, ALWAYS, "name of the host", .placeholder = "host")                   \
	F(S, TEXT, version, ALWAYS, "version of sooth")                                            \
	F(S, U64, cpu_ns, MAYBE(self_state), "CPU time of sooth", .unit = SOOTH_UNIT_NS)           \
	F(S, U64, self_bytes, WITH(self_state), "resident memory of sooth",                        \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, samples, ALWAYS, "number of samples")                                            \
	F(S, U64, sample_utc_ns, ALWAYS, "time of the last sample, ns since 1970",                 \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, U8, probes_calls, MAYBE(probes_state), "1: probes measure API calls now; else 0")     \
	F(S, U64, lost_records, ALWAYS, "records lost on their way to sooth")                      \
	F(S, U64, answers, WITH(self_state), "answers to readers of these values")                 \
	F(S, U64, refused, WITH(self_state), "readers that were refused")                          \
	F(S, U32, sessions, ALWAYS, "number of sessions that run")                                 \
	F(S, U32, sessions_most, ALWAYS, "maximum number of sessions with rows of their own")      \
	F(S, U32, folded, ALWAYS, "sessions without a row of their own: agent \"other\"")          \
	F(S, U64, refused_rows, ALWAYS,                                                            \
		"processes, roles, models and findings for which there was no room")

ROW_STRUCT(fleet_self_row, FLEET_SELF_ROW);

extern const struct sooth_schema fleet_agent_schema, fleet_session_schema, fleet_activity_schema,
	fleet_finding_schema, fleet_raised_schema, fleet_api_schema, fleet_self_schema;
