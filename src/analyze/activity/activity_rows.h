/* SPDX-License-Identifier: BSD-2-Clause */
/* The member "activity" of rows about a main process. */
#ifndef SOOTH_ANALYZE_ACTIVITY_ROWS_H
#define SOOTH_ANALYZE_ACTIVITY_ROWS_H

#include "analyze/activity/activity.h"
#include "model/field.h"

struct activity_row {
	struct sooth_record record;
	double since_s, silence_s, output_silence_s;
	uint32_t pid;
	uint32_t attempts;
	uint32_t deadline_s;
	uint16_t error_status;
	uint8_t state, source, confidence;
	uint8_t state_state, since_state, detail_state;
	uint8_t source_state; /* of source and confidence */
	uint8_t pid_state, attempts_state, error_state, silence_state;
	uint8_t output_state, deadline_state;
	uint8_t unused[5];
	struct sooth_text detail, text;
};

extern const struct sooth_schema activity_row_schema;

/* Appends the row; of a field with `is_single`. */
void activity_append_row(
	struct buffer *rows, const struct process_id *id, const struct activity *a);

#endif
