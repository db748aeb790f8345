/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of what processes wait for. */
#include "analyze/waits/why_rows.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/waits/wait_chain.h"
#include "model/schema.h"

#define FIELD_NAMED(type_, member_, names_, help_, ...)                                            \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, member_),              \
		.names = &(names_), .help = help_, __VA_ARGS__                                     \
	}

ROW_FIELDS(why_link_fields, WHY_LINK_ROW, why_link_row);
ROW_SCHEMA(why_link, "why.link", why_link_row);

ROW_FIELDS(why_thread_fields, WHY_THREAD_ROW, why_thread_row);
static ROW_SCHEMA(why_thread, "why.thread", why_thread_row,
	.line = "thread {name} ({pid}/{tid}) {text}[; in {call}][, {wait_channel}]");

ROW_FIELDS(why_remedy_fields, WHY_REMEDY_ROW, why_remedy_row);
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
