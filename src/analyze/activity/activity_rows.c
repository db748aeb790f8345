/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the activity of a main process. */
#include "analyze/activity/activity_rows.h"

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/schema.h"

ROW_FIELDS(activity_row_fields, ACTIVITY_ROW, activity_row);

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
