/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of what processes wait for. */
#pragma once

#include "model/row_list.h"
#include "probes/waits.h"

/* A link of the chain. */
#define WHY_LINK_ROW(F, S)                                                                         \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the process (comm)")                                     \
	F(S, RECORD, U64, tid, tid, MAYBE(tid_state), "thread that waits")                         \
	F(S, TEXT, thread, MAYBE(thread_state), "name of the thread")                              \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"thread state: R running, S sleeping, D uninterruptible, T stopped, t traced, Z "  \
		"zombie, I idle")                                                                  \
	F(S, TEXT, call, MAYBE(call_state), "system call that the thread is executing")            \
	F(S, ENUM32, what, ALWAYS, "what it waits for", .names = &(wait_what_names))               \
	F(S, TEXT, object, MAYBE(object_state), "file, address or terminal that it waits for",     \
		.may_shrink = true)                                                                \
	F(S, REAL, since_s, MAYBE(since_state), "seconds since the thread last ran",               \
		.unit = SOOTH_UNIT_S, .decimals = 1)                                               \
	F(S, U32, party_pid, MAYBE(party_state), "process that could end the wait")                \
	F(S, TEXT, party, MAYBE(party_name_state), "name of that process")                         \
	F(S, TEXT, relation, WITH(party_state),                                                    \
		"what that process is: child, lock holder, reader, writer, peer, ...")             \
	F(S, ENUM8, source, MAYBE(source_state), "where the other process is from",                \
		.names = &(waits_source_names))                                                    \
	F(S, ENUM8, confidence, ALWAYS, "confidence in the link: high, medium, low",               \
		.names = &(waits_confidence_names))                                                \
	F(S, BOOL, is_idle, ALWAYS, "it waits for work, as a healthy server does")                 \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of the process over the interval, in percent of one CPU",                 \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, TEXT, text, ALWAYS, "the link as a sentence")

ROW_STRUCT(why_link_row, WHY_LINK_ROW, char state;);

/* A thread, as evidence. */
#define WHY_THREAD_ROW(F, S)                                                                       \
	F(S, PID)                                                                                  \
	F(S, RECORD, U64, tid, tid, ALWAYS, "thread id in the pid namespace of sooth")             \
	F(S, TEXT, name, ALWAYS, "name of the thread")                                             \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"thread state: R running, S sleeping, D uninterruptible, T stopped, t traced, Z "  \
		"zombie, I idle")                                                                  \
	F(S, TEXT, call, MAYBE(call_state), "system call that the thread is executing")            \
	F(S, TEXT, wait_channel, MAYBE(channel_state), "kernel function that the thread waits in") \
	F(S, ENUM32, what, ALWAYS, "what it waits for", .names = &(wait_what_names))               \
	F(S, TEXT, object, MAYBE(object_state), "file, address or terminal that it waits for")     \
	F(S, REAL, since_s, MAYBE(since_state), "seconds since the thread last ran",               \
		.unit = SOOTH_UNIT_S, .decimals = 1)                                               \
	F(S, REAL, timeout_s, MAYBE(timeout_state), "timeout of the call in seconds",              \
		.unit = SOOTH_UNIT_S, .decimals = 1)                                               \
	F(S, TEXT, text, ALWAYS, "what the thread does, as a sentence")

ROW_STRUCT(why_thread_row, WHY_THREAD_ROW, char state;);

#define WHY_REMEDY_ROW(F, S) F(S, TEXT, text, ALWAYS, "what to do about the wait")

ROW_STRUCT(why_remedy_row, WHY_REMEDY_ROW);

#define WHY_VALUES(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the process (comm)")                                     \
	F(S, TEXT, state, ALWAYS, "waits, runs, idle, stopped, deadlock, ended, unknown")          \
	F(S, TEXT, finding, MAYBE(finding_state),                                                  \
		"the first finding of a diagnosis about it, or about what holds it up")            \
	F(S, TEXT, text, ALWAYS, "what the process waits for, in one paragraph")                   \
	F(S, ENUM8, confidence, ALWAYS, "confidence of the weakest link: high, medium, low",       \
		.names = &waits_confidence_names)                                                  \
	F(S, TEXT, reason, MAYBE(reason_state), "why something is not known")                      \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent, if the process is its main one")   \
	F(S, ROWS, activity, WITH(agent_state), "what the main process of an agent is doing",      \
		.rows = &activity_row_schema, .is_single = true, .is_hidden = true)                \
	F(S, ROWS, waits, ALWAYS, "chain of waits: the process, then what it waits for",           \
		.rows = &why_link_schema, .is_hidden = true)                                       \
	F(S, ROWS, remedies, ALWAYS, "what to do about the wait", .rows = &why_remedy_schema)
#define WHY_THREADS_HELP "threads of the process and what each waits for"

/* Two schemas: text output has the threads only on request. */
#define WHY_ROW(F, S)                                                                              \
	WHY_VALUES(F, S)                                                                           \
	F(S, ROWS, evidence, ALWAYS, WHY_THREADS_HELP, .rows = &why_thread_schema,                 \
		.is_hidden = true)
#define WHY_EVIDENCE_ROW(F, S)                                                                     \
	WHY_VALUES(F, S) F(S, ROWS, evidence, ALWAYS, WHY_THREADS_HELP, .rows = &why_thread_schema)

ROW_STRUCT(why_row, WHY_ROW);

extern const struct sooth_schema why_schema, why_evidence_schema, why_link_schema,
	why_remedy_schema, why_line_schema;
