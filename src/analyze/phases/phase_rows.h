/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the view "phases". */
#pragma once

#include "analyze/activity/activity.h"
#include "model/row_list.h"

#define PHASE_SHARES(F, S)                                                                         \
	F(S, NAMED, REAL, model_percent, waits_for_model_percent, MAYBE(shares_state),             \
		"percent of the observed time: waited for the model", .label = "MODEL%",           \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, NAMED, REAL, again_percent, asks_again_percent, WITH(shares_state),                   \
		"percent of the observed time: repeated a request that failed", .label = "AGAIN%", \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, NAMED, REAL, tool_percent, runs_tool_percent, WITH(shares_state),                     \
		"percent of the observed time: ran a tool", .label = "TOOLS%",                     \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, NAMED, REAL, mcp_percent, talks_to_mcp_percent, WITH(shares_state),                   \
		"percent of the observed time: waited for an MCP server", .label = "MCP%",         \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, NAMED, REAL, own_percent, computes_percent, WITH(shares_state),                       \
		"percent of the observed time: computed or started", .label = "COMPUTES%",         \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, NAMED, REAL, user_percent, waits_for_user_percent, WITH(shares_state),                \
		"percent of the observed time: waited for an answer of the user",                  \
		.label = "USER%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                       \
	F(S, REAL, stopped_percent, WITH(shares_state),                                            \
		"percent of the observed time: stopped by a signal or frozen",                     \
		.label = "STOPPED%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                    \
	F(S, REAL, idle_percent, WITH(shares_state),                                               \
		"percent of the observed time: waited for a prompt", .label = "IDLE%",             \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, REAL, unknown_percent, WITH(shares_state), "percent of the observed time: not known", \
		.label = "UNKNOWN%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)

/* The answer (where the time went), and the time axis of the tracks. */
#define PHASE_ANSWER_ROW(F, S)                                                                     \
	F(S, U64, start_utc_ns, ALWAYS, "start of the time shown, ns since 1970",                  \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, U64, interval_ns, ALWAYS, "length of the time shown", .unit = SOOTH_UNIT_NS)          \
	F(S, U64, bucket_ns, ALWAYS, "length of one time bucket of the tracks",                    \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U32, buckets, ALWAYS, "number of time buckets of each track")                         \
	F(S, U32, session_count, ALWAYS, "number of sessions")                                     \
	F(S, U64, observed_ns, ALWAYS, "observed time of all sessions together",                   \
		.unit = SOOTH_UNIT_NS)                                                             \
	PHASE_SHARES(F, S)                                                                         \
	F(S, TEXT, text, ALWAYS, "where the time went, as a sentence")

ROW_STRUCT(phase_answer_row, PHASE_ANSWER_ROW);

#define PHASE_USE(F, S)                                                                            \
	F(S, U64, cpu_ns, MAYBE(cpu_state),                                                        \
		"CPU time of all processes of the session; truncated: at least", .label = "CPU",   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, rss_bytes, max_rss_bytes, ALWAYS,                                         \
		"highest resident memory of all processes of the session together",                \
		.label = "RSS", .unit = SOOTH_UNIT_BYTES)                                          \
	F(S, U64, written_bytes, MAYBE(written_state),                                             \
		"bytes written by the session, to files, pipes and terminals", .label = "WRITTEN", \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, read_bytes, MAYBE(io_state),                                                     \
		"bytes read by the session, of files, pipes and terminals", .label = "READ",       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, io_calls, WITH(io_state), "calls that read or wrote", .label = "IO_CALLS")
#define PHASE_TOKENS(F, S)                                                                         \
	F(S, U32, turns, MAYBE(tokens_state),                                                      \
		"answers of the model, as the agent itself writes them", .label = "TURNS")         \
	F(S, U64, input_tokens, WITH(tokens_state),                                                \
		"tokens sent to the model, with cached ones, as the agent itself writes them",     \
		.label = "INPUT")                                                                  \
	F(S, U64, output_tokens, WITH(tokens_state),                                               \
		"tokens that the model answered, as the agent itself writes them",                 \
		.label = "OUTPUT")

#define PHASE_SESSION_ROW(F, S)                                                                    \
	F(S, PID)                                                                                  \
	F(S, TEXT, agent, ALWAYS, "id of the agent")                                               \
	F(S, TEXT, project, MAYBE(project_state), "project of the session", .may_shrink = true)    \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the session", .is_hidden = true)       \
	F(S, U64, start_utc_ns, ALWAYS, "first time the session was observed, ns since 1970",      \
		.unit = SOOTH_UNIT_UTC_NS, .is_hidden = true)                                      \
	F(S, U64, end_utc_ns, ALWAYS, "last time the session was observed, ns since 1970",         \
		.unit = SOOTH_UNIT_UTC_NS, .is_hidden = true)                                      \
	F(S, BOOL, has_ended, ALWAYS, "its main process ended", .is_hidden = true)                 \
	F(S, TEXT, end, MAYBE(end_state), "how its main process ended", .label = "ENDED",          \
		.may_shrink = true)                                                                \
	F(S, U64, observed_ns, ALWAYS, "time for which the session was observed",                  \
		.label = "OBSERVED", .unit = SOOTH_UNIT_NS)                                        \
	PHASE_SHARES(F, S)                                                                         \
	PHASE_USE(F, S)                                                                            \
	PHASE_TOKENS(F, S)                                                                         \
	F(S, U64, context_tokens, MAYBE(context_state),                                            \
		"tokens of context in use at the end, as the agent itself writes them",            \
		.label = "CONTEXT")                                                                \
	F(S, TEXT, model, MAYBE(model_state), "model, as the agent itself writes it",              \
		.may_shrink = true)

ROW_STRUCT(phase_session_row, PHASE_SESSION_ROW);

/* All phases of one state of a session. */
#define PHASE_STATE_ROW(F, S)                                                                      \
	F(S, PID)                                                                                  \
	F(S, TEXT, agent, ALWAYS, "id of the agent")                                               \
	F(S, TEXT, project, MAYBE(project_state), "project of the session", .may_shrink = true)    \
	F(S, ENUM8, state, MAYBE(state_state),                                                     \
		"what the session was doing: waits_for_user, waits_for_model, asks_again, "        \
		"runs_tool, talks_to_mcp, computes, starts, stopped, idle",                        \
		.names = &activity_state_names)                                                    \
	F(S, U32, count, ALWAYS, "number of such phases")                                          \
	F(S, U64, total_ns, ALWAYS, "time in them", .label = "TIME", .unit = SOOTH_UNIT_NS)        \
	F(S, NAMED, U64, longest_ns, max_ns, ALWAYS, "the longest", .label = "LONGEST",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, own_cpu_ns, ALWAYS, "CPU time of the main process", .label = "OWN_CPU",          \
		.unit = SOOTH_UNIT_NS)                                                             \
	PHASE_USE(F, S)                                                                            \
	PHASE_TOKENS(F, S)

ROW_STRUCT(phase_state_row, PHASE_STATE_ROW);

/* All calls of one tool, MCP server, or question. */
#define PHASE_TOOL_ROW(F, S)                                                                       \
	F(S, ENUM8, state, ALWAYS, "runs_tool, talks_to_mcp or waits_for_user",                    \
		.names = &activity_state_names)                                                    \
	F(S, TEXT, name, MAYBE(name_state), "name of the tool, MCP server, or question")           \
	F(S, NAMED, TEXT, command, tool_command, MAYBE(command_state),                             \
		"command that the tool ran", .label = "COMMAND", .may_shrink = true)               \
	F(S, U32, count, ALWAYS, "number of calls")                                                \
	F(S, U64, total_ns, ALWAYS, "time of all of them", .label = "TIME", .unit = SOOTH_UNIT_NS) \
	F(S, NAMED, U64, longest_ns, max_ns, ALWAYS, "the longest", .label = "LONGEST",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	PHASE_USE(F, S)

ROW_STRUCT(phase_tool_row, PHASE_TOOL_ROW);

/* One phase. */
#define PHASE_ROW(F, S)                                                                            \
	F(S, PID)                                                                                  \
	F(S, U64, start_utc_ns, ALWAYS, "start of the phase, ns since 1970", .label = "START",     \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, U64, total_ns, ALWAYS, "its length", .label = "TIME", .unit = SOOTH_UNIT_NS)          \
	F(S, ENUM8, state, MAYBE(state_state), "what the session was doing",                       \
		.names = &activity_state_names)                                                    \
	F(S, TEXT, name, MAYBE(name_state), "name of the tool, MCP server, or question")           \
	F(S, NAMED, TEXT, command, tool_command, MAYBE(command_state),                             \
		"command that the tool ran", .label = "COMMAND", .may_shrink = true)               \
	F(S, U64, own_cpu_ns, ALWAYS, "CPU time of the main process", .label = "OWN_CPU",          \
		.unit = SOOTH_UNIT_NS)                                                             \
	PHASE_USE(F, S)                                                                            \
	PHASE_TOKENS(F, S)                                                                         \
	F(S, ENUM8, source, MAYBE(source_state), "what the state rests on",                        \
		.names = &activity_source_names)                                                   \
	F(S, ENUM8, confidence, WITH(source_state), "confidence in the state",                     \
		.names = &activity_confidence_names)

ROW_STRUCT(phase_row, PHASE_ROW);

/* Problems that repeated diagnoses found. */
#define PHASE_FOUND_ROW(F, S)                                                                      \
	F(S, U64, start_utc_ns, ALWAYS, "first time the problem was seen, ns since 1970",          \
		.label = "START", .unit = SOOTH_UNIT_UTC_NS)                                       \
	F(S, U64, total_ns, ALWAYS, "how long it lasted", .label = "TIME", .unit = SOOTH_UNIT_NS)  \
	F(S, U64, end_utc_ns, ALWAYS, "last time the problem was seen, ns since 1970",             \
		.unit = SOOTH_UNIT_UTC_NS, .is_hidden = true)                                      \
	F(S, BOOL, is_cleared, ALWAYS, "it was over before the monitor ended", .is_hidden = true)  \
	F(S, TEXT, severity, ALWAYS, "severity: critical, high, medium, low, info")                \
	F(S, TEXT, confidence, ALWAYS, "confidence: high, medium, low", .is_hidden = true)         \
	F(S, TEXT, id, ALWAYS, "id of the finding", .is_hidden = true)                             \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state), "process with the problem; null: the host")  \
	F(S, U32, session_pid, MAYBE(session_pid_state), "main process of its session",            \
		.is_hidden = true)                                                                 \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent", .is_hidden = true)                \
	F(S, TEXT, project, MAYBE(project_state), "project of the session", .may_shrink = true,    \
		.is_hidden = true)                                                                 \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the session", .is_hidden = true)       \
	F(S, NAMED, TEXT, words, text, ALWAYS, "the problem, as the first line of a diagnosis",    \
		.label = "PROBLEM", .may_shrink = true)                                            \
	F(S, TEXT, remedy, MAYBE(remedy_state), "what to do about it", .is_hidden = true)

ROW_STRUCT(phase_found_row, PHASE_FOUND_ROW);

/* A session's values over time. */
#define PHASE_TRACK_ROW(F, S, TYPE, suffix, unit_, decimals_, what)                                \
	F(S, RECORD, U32, pid, pid, ALWAYS, "process id of the main process")                      \
	F(S, TEXT, session, ALWAYS, "agent and project", .may_shrink = true)                       \
	F(S, TEXT, track, ALWAYS, "state, or kind of value")                                       \
	F(S, NAMED, SERIES, values, values_##suffix, ALWAYS,                                       \
		what " in each bucket; null: not observed", .label = "OVER TIME", .unit = unit_,   \
		.decimals = decimals_)

#define PHASE_SHARE_TRACK(F, S)                                                                    \
	PHASE_TRACK_ROW(F, S, REAL, percent, SOOTH_UNIT_PERCENT, 1, "percent of the time")
#define PHASE_CPU_TRACK(F, S)                                                                      \
	PHASE_TRACK_ROW(F, S, REAL, percent, SOOTH_UNIT_PERCENT, 1, "percent of one CPU")
#define PHASE_MEMORY_TRACK(F, S)                                                                   \
	PHASE_TRACK_ROW(F, S, REAL, bytes, SOOTH_UNIT_BYTES, 0, "most bytes")

ROW_STRUCT(phase_track_row, PHASE_SHARE_TRACK);

extern const struct sooth_schema phase_answer_schema, phase_session_schema, phase_state_schema,
	phase_tool_schema, phase_schema, phase_share_track_schema, phase_cpu_track_schema,
	phase_memory_track_schema;
