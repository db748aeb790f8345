/* SPDX-License-Identifier: BSD-2-Clause */
/* See finding_gone.h. */
#include "analyze/finding_gone.h"

#include "analyze/finding_rows.h"
#include "base/cleanup.h"

static uint8_t present(bool is_there)
{
	return is_there ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

int finding_gone_tell(struct output *output, const struct finding_gone *gone,
	const struct buffer *fine, const struct buffer *blind, struct sooth_error *err)
{
	struct finding_process_row row = { .record = row_head(&gone->id),
		.cpu_state = SOOTH_STATE_ABSENT,
		.rss_state = SOOTH_STATE_ABSENT,
		.elapsed_state = SOOTH_STATE_ABSENT,
		.finding_count = gone->count,
		.severity = (uint8_t)gone->worst,
		.severity_state = present(gone->count),
		.agent_state = SOOTH_STATE_ABSENT,
		.version_state = SOOTH_STATE_ABSENT,
		.role_state = SOOTH_STATE_ABSENT,
		.project_state = SOOTH_STATE_ABSENT,
		.session_state = SOOTH_STATE_ABSENT,
		.fine_text_state = present(fine->size),
		.blind_text_state = present(blind->size) };
	struct record_tail tail[] = {
		tail_buffer(&row.findings, gone->findings),
		tail_buffer(&row.fine, gone->fine),
		tail_buffer(&row.blind, gone->blind),
		tail_span(&row.name, gone->name),
		tail_buffer(&row.fine_text, fine),
		tail_buffer(&row.blind_text, blind),
	};

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}
