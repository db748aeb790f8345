/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of what processes wait for. */
#include "analyze/waits/why_rows.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/waits/wait_chain.h"
#include "model/schema.h"

#define FIELD_SECONDS(type_, member_, help_, ...)                                                  \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_REAL, .unit = SOOTH_UNIT_S, .decimals = 1,   \
		FIELD_AT(type_, member_), .help = help_, __VA_ARGS__                               \
	}
#define FIELD_LETTER(type_)                                                                        \
	{                                                                                          \
		.name = "state", .type = SOOTH_FIELD_CHARS, FIELD_AT(type_, state),                \
		.help = "thread state: R running, S sleeping, D uninterruptible, T stopped, t "    \
			"traced, Z zombie, I idle"                                                 \
	}
#define FIELD_NAMED(type_, member_, names_, help_, ...)                                            \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, member_),              \
		.names = &(names_), .help = help_, __VA_ARGS__                                     \
	}

static const struct sooth_field why_link_fields[] = {
	FIELD_PID(why_link_row),
	FIELD_STRING(why_link_row, name, "name of the process (comm)"),
	{ .name = "tid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(why_link_row, record.tid),
		FIELD_STATE_AT(why_link_row, tid_state),
		.help = "thread that waits" },
	FIELD_STRING(why_link_row, thread, "name of the thread",
		FIELD_STATE_AT(why_link_row, thread_state)),
	FIELD_LETTER(why_link_row),
	FIELD_STRING(why_link_row, call, "system call that the thread is executing",
		FIELD_STATE_AT(why_link_row, call_state)),
	FIELD_NAMED(why_link_row, what, wait_what_names, "what it waits for"),
	FIELD_STRING(why_link_row, object, "file, address or terminal that it waits for",
		.may_shrink = true, FIELD_STATE_AT(why_link_row, object_state)),
	FIELD_SECONDS(why_link_row, since_s, "seconds since the thread last ran",
		FIELD_STATE_AT(why_link_row, since_state)),
	FIELD_NUMBER(why_link_row, party_pid, "process that could end the wait",
		FIELD_STATE_AT(why_link_row, party_state)),
	FIELD_STRING(why_link_row, party, "name of that process",
		FIELD_STATE_AT(why_link_row, party_name_state)),
	FIELD_STRING(why_link_row, relation,
		"what that process is: child, lock holder, reader, writer, peer, ...",
		FIELD_STATE_AT(why_link_row, party_state)),
	FIELD_NAMED(why_link_row, source, waits_source_names, "where the other process is from",
		FIELD_STATE_AT(why_link_row, source_state)),
	FIELD_NAMED(why_link_row, confidence, waits_confidence_names,
		"confidence in the link: high, medium, low"),
	FIELD_TRUTH(why_link_row, is_idle, "it waits for work, as a healthy server does"),
	{ .name = "cpu_percent",
		.type = SOOTH_FIELD_REAL,
		.unit = SOOTH_UNIT_PERCENT,
		.decimals = 1,
		FIELD_AT(why_link_row, cpu_percent),
		FIELD_STATE_AT(why_link_row, cpu_state),
		.help = "CPU use of the process over the interval, in percent of one CPU" },
	FIELD_STRING(why_link_row, text, "the link as a sentence"),
};
ROW_SCHEMA(why_link, "why.link", why_link_row);

static const struct sooth_field why_thread_fields[] = {
	FIELD_PID(why_thread_row),
	{ .name = "tid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(why_thread_row, record.tid),
		.help = "thread id in the initial pid namespace" },
	FIELD_STRING(why_thread_row, name, "name of the thread"),
	FIELD_LETTER(why_thread_row),
	FIELD_STRING(why_thread_row, call, "system call that the thread is executing",
		FIELD_STATE_AT(why_thread_row, call_state)),
	FIELD_STRING(why_thread_row, wait_channel, "kernel function that the thread waits in",
		FIELD_STATE_AT(why_thread_row, channel_state)),
	FIELD_NAMED(why_thread_row, what, wait_what_names, "what it waits for"),
	FIELD_STRING(why_thread_row, object, "file, address or terminal that it waits for",
		FIELD_STATE_AT(why_thread_row, object_state)),
	FIELD_SECONDS(why_thread_row, since_s, "seconds since the thread last ran",
		FIELD_STATE_AT(why_thread_row, since_state)),
	FIELD_SECONDS(why_thread_row, timeout_s, "timeout of the call in seconds",
		FIELD_STATE_AT(why_thread_row, timeout_state)),
	FIELD_STRING(why_thread_row, text, "what the thread does, as a sentence"),
};
static ROW_SCHEMA(why_thread, "why.thread", why_thread_row,
	.line = "thread {name} ({pid}/{tid}) {text}[; in {call}][, {wait_channel}]");

static const struct sooth_field why_remedy_fields[] = {
	FIELD_STRING(why_remedy_row, text, "what to do about the wait"),
};
ROW_SCHEMA(why_remedy, "why.remedy", why_remedy_row, .line = "try: {text}");

/* With and without the threads in text; the rest is the same. */
#define FIELDS(hides_threads_)                                                                     \
	FIELD_PID(why_row), FIELD_STRING(why_row, name, "name of the process (comm)"),             \
		FIELD_STRING(                                                                      \
			why_row, state, "waits, runs, idle, stopped, deadlock, ended, unknown"),   \
		FIELD_STRING(why_row, text, "what the process waits for, in one paragraph"),       \
		FIELD_NAMED(why_row, confidence, waits_confidence_names,                           \
			"confidence of the weakest link: high, medium, low"),                      \
		FIELD_STRING(why_row, reason, "why something is not known",                        \
			FIELD_STATE_AT(why_row, reason_state)),                                    \
		FIELD_STRING(why_row, agent, "id of the agent whose main process it is",           \
			FIELD_STATE_AT(why_row, agent_state)),                                     \
		FIELD_ROWS(why_row, activity, activity_row_schema,                                 \
			"what the main process of an agent is doing", .is_single = true,           \
			.is_hidden = true, FIELD_STATE_AT(why_row, agent_state)),                  \
		FIELD_ROWS(why_row, waits, why_link_schema,                                        \
			"chain of waits: the process, then what it waits for", .is_hidden = true), \
		FIELD_ROWS(why_row, remedies, why_remedy_schema, "what to do about the wait"),     \
		FIELD_ROWS(why_row, evidence, why_thread_schema,                                   \
			"threads of the process and what each waits for",                          \
			.is_hidden = hides_threads_)

static const struct sooth_field why_fields[] = { FIELDS(true) };
static const struct sooth_field why_evidence_fields[] = { FIELDS(false) };
#define LINE "{text}[\n  not known: {reason}]"
ROW_SCHEMA(why, "why", why_row, .line = LINE);
ROW_SCHEMA(why_evidence, "why", why_row, .line = LINE);
