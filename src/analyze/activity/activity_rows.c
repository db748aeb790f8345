/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the activity of a main process. */
#include "analyze/activity/activity_rows.h"

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/schema.h"

static const struct sooth_field activity_row_fields[] = {
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(activity_row, state),
		FIELD_STATE_AT(activity_row, state_state),
		.names = &activity_state_names,
		.help = "what the agent is doing: waits_for_user, waits_for_model, asks_again, "
			"runs_tool, talks_to_mcp, computes, starts, stopped, idle" },
	{ .name = "since_s",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_S,
		FIELD_AT(activity_row, since_s),
		FIELD_STATE_AT(activity_row, since_state),
		.help = "seconds in that state" },
	FIELD_STRING(activity_row, detail,
		"tool and its command, MCP server, or what the user has to answer",
		FIELD_STATE_AT(activity_row, detail_state)),
	FIELD_NUMBER(activity_row, pid, "process id of the command that the tool runs",
		FIELD_STATE_AT(activity_row, pid_state)),
	FIELD_NUMBER(activity_row, attempts, "attempts of the request to the model so far",
		FIELD_STATE_AT(activity_row, attempts_state)),
	FIELD_NUMBER(activity_row, error_status,
		"HTTP status of the attempt before, where the agent writes it",
		FIELD_STATE_AT(activity_row, error_state)),
	{ .name = "silence_s",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_S,
		FIELD_AT(activity_row, silence_s),
		FIELD_STATE_AT(activity_row, silence_state),
		.help = "seconds since the model last sent data" },
	FIELD_NUMBER(activity_row, deadline_s,
		"seconds without data after which this version of the agent asks the model again",
		.unit = SOOTH_UNIT_S, FIELD_STATE_AT(activity_row, deadline_state)),
	{ .name = "output_silence_s",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_S,
		FIELD_AT(activity_row, output_silence_s),
		FIELD_STATE_AT(activity_row, output_state),
		.help = "seconds for which the tool wrote nothing, at least" },
	{ .name = "source",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(activity_row, source),
		FIELD_STATE_AT(activity_row, source_state),
		.names = &activity_source_names,
		.help = "what the state rests on: session file, log, connection, processes, "
			"arguments, cpu" },
	{ .name = "confidence",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(activity_row, confidence),
		FIELD_STATE_AT(activity_row, source_state),
		.names = &activity_confidence_names,
		.help = "confidence in the state: high, medium, low" },
	FIELD_STRING(activity_row, text, "the activity as a sentence"),
};

ROW_SCHEMA(activity_row, "activity", activity_row, .line = "{text}");

void activity_append_row(struct buffer *rows, const struct process_id *id, const struct activity *a)
{
	bool is_known = a->state != ACTIVITY_UNKNOWN;
	char detail[ACTIVITY_DETAIL_SIZE];
	struct buffer text = { 0 };
	struct activity_row row = { .record = row_head(id),
		.since_s = (double)a->since_ns / (double)NS_PER_S,
		.silence_s = (double)a->silence_ns / (double)NS_PER_S,
		.error_status = (uint16_t)a->error_status,
		.error_state = a->error_status ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.output_silence_s = (double)a->output_ns / (double)NS_PER_S,
		.output_state = a->has_output ? a->output_state : SOOTH_STATE_ABSENT,
		.deadline_s = a->deadline_s,
		.deadline_state = a->deadline_s ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.silence_state = a->has_silence ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.pid = a->pid,
		.attempts = a->attempts,
		.state = (uint8_t)a->state,
		.source = (uint8_t)a->source,
		.confidence = (uint8_t)a->confidence,
		.state_state = is_known ? SOOTH_STATE_VALUE : a->unknown_state,
		.since_state = a->has_since ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.source_state = is_known ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.pid_state = a->pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.attempts_state = a->attempts ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

	activity_write(&text, a, ACTIVITY_TEXT_WHOLE);
	activity_detail(a, detail);
	row.detail_state = *detail ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	struct record_tail tail[] = {
		tail_string(&row.detail, detail),
		tail_buffer(&row.text, &text),
	};
	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&text);
}
