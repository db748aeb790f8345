/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the activity of a main process. */
#include "analyze/activity/activity_rows.h"

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/schema.h"

ROW_FIELDS(activity_row_fields, ACTIVITY_ROW, activity_row);

ROW_SCHEMA(activity_row, "activity", activity_row, .line = "{text}");

static struct activity_row row_of(const struct process_id *id, const struct activity *a)
{
	bool is_known = a->state != ACTIVITY_UNKNOWN;

	return (struct activity_row){ .record = row_head(id),
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
}

struct row_texts {
	char detail[ACTIVITY_DETAIL_SIZE];
	struct buffer text;
	struct record_tail tail[2];
};

static void put_texts(struct row_texts *t, struct activity_row *row, const struct activity *a)
{
	activity_write(&t->text, a, ACTIVITY_TEXT_WHOLE);
	activity_detail(a, t->detail);
	row->detail_state = *t->detail ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	t->tail[0] = tail_string(&row->detail, t->detail);
	t->tail[1] = tail_buffer(&row->text, &t->text);
}

void activity_append_row(struct buffer *rows, const struct process_id *id, const struct activity *a)
{
	struct activity_row row = row_of(id, a);
	struct row_texts texts = { 0 };

	put_texts(&texts, &row, a);
	RECORD_APPEND(rows, &row, texts.tail, ARRAY_SIZE(texts.tail));
	buffer_fini(&texts.text);
}

int activity_emit_row(struct output *o, const struct process_id *id, const struct activity *a,
	struct sooth_error *err)
{
	struct activity_row row = row_of(id, a);
	struct row_texts texts = { 0 };
	int status;

	put_texts(&texts, &row, a);
	status = OUTPUT_ROW(o, &row, texts.tail, ARRAY_SIZE(texts.tail), err);
	buffer_fini(&texts.text);
	return status;
}
