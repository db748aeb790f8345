/* SPDX-License-Identifier: BSD-2-Clause */
/* The member "activity" of rows about a main process. */
#pragma once

#include "analyze/activity/activity.h"
#include "explain/output.h"
#include "model/row_list.h"

#define ACTIVITY_ROW(F, S)                                                                         \
	F(S, ENUM8, state, MAYBE(state_state),                                                     \
		"what the agent is doing: waits_for_user, waits_for_model, asks_again, "           \
		"runs_tool, talks_to_mcp, computes, starts, stopped, idle",                        \
		.names = &activity_state_names)                                                    \
	F(S, REAL, since_s, MAYBE(since_state), "seconds in that state", .decimals = 1,            \
		.unit = SOOTH_UNIT_S)                                                              \
	F(S, TEXT, detail, MAYBE(detail_state),                                                    \
		"tool and its command, MCP server, or what the user has to answer")                \
	F(S, U32, pid, MAYBE(pid_state), "process id of the command that the tool runs")           \
	F(S, U32, attempts, MAYBE(attempts_state), "attempts of the request to the model so far")  \
	F(S, U16, error_status, MAYBE(error_state),                                                \
		"HTTP status of the attempt before, where the agent writes it")                    \
	F(S, ENUM8, answer, MAYBE(answer_state),                                                   \
		"answer of the model: awaited, arrives, silent (no data for 10 s)",                \
		.names = &activity_answer_names)                                                   \
	F(S, REAL, silence_s, MAYBE(silence_state),                                                \
		"seconds since the model last sent data, or since the request", .decimals = 1,     \
		.unit = SOOTH_UNIT_S)                                                              \
	F(S, U32, deadline_s, MAYBE(deadline_state),                                               \
		"seconds without data after which this version of the agent ends the request",     \
		.unit = SOOTH_UNIT_S)                                                              \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of the tool's processes, or of the agent while the model is silent, of "  \
		"one CPU",                                                                         \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, REAL, output_silence_s, MAYBE(output_state),                                          \
		"seconds for which the tool wrote nothing, at least", .decimals = 1,               \
		.unit = SOOTH_UNIT_S)                                                              \
	F(S, ENUM8, source, MAYBE(source_state),                                                   \
		"what the state rests on: session file, log, connection, processes, arguments, "   \
		"cpu",                                                                             \
		.names = &activity_source_names)                                                   \
	F(S, ENUM8, confidence, WITH(source_state), "confidence in the state: high, medium, low",  \
		.names = &activity_confidence_names)                                               \
	F(S, TEXT, listed, MAYBE(listed_state),                                                    \
		"state by the agent's own list or session file, if it differs")                    \
	F(S, TEXT, text, ALWAYS, "the activity as a sentence")

ROW_STRUCT(activity_row, ACTIVITY_ROW);

extern const struct sooth_schema activity_row_schema;

/* Appends the activity as a row, for a field with `is_single`. */
void activity_append_row(
	struct buffer *rows, const struct process_id *id, const struct activity *a);
/* Emits the activity of a process as a row of the open section. */
int activity_emit_row(struct output *o, const struct process_id *id, const struct activity *a,
	struct sooth_error *err);
