/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/finding_gone.h"

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/diagnosis/finding_text.h"
#include "analyze/records.h"
#include "base/cleanup.h"

static int emit_row(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, const struct buffer *fine, const struct buffer *blind,
	struct sooth_error *err)
{
	struct finding_process_row row = { .record = row_head(&j->id),
		.cpu_state = SOOTH_STATE_ABSENT,
		.rss_state = SOOTH_STATE_ABSENT,
		.elapsed_state = SOOTH_STATE_ABSENT,
		.finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = state_if(j->count),
		.agent_state = SOOTH_STATE_ABSENT,
		.version_state = SOOTH_STATE_ABSENT,
		.role_state = SOOTH_STATE_ABSENT,
		.project_state = SOOTH_STATE_ABSENT,
		.session_state = SOOTH_STATE_ABSENT,
		.waits_state = SOOTH_STATE_ABSENT,
		.fine_text_state = state_if(fine->size),
		.blind_text_state = state_if(blind->size) };
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.name, ending_name(&input->endings, &j->id)),
		tail_buffer(&row.fine_text, fine),
		tail_buffer(&row.blind_text, blind),
	};

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

int finding_gone_emit(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	struct buffer fine = { 0 }, blind = { 0 };
	int status;

	finding_text_fine(&j->fine, true, &fine);
	finding_text_blind(&j->blind, &blind);
	status = emit_row(output, input, j, &fine, &blind, err);
	buffer_fini(&fine);
	buffer_fini(&blind);
	return status;
}

int finding_gone_emit_all(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *all, size_t count, struct sooth_error *err)
{
	static const struct section section = {
		.name = "ended_processes", .schema = &finding_process_schema, .shape = SECTION_TABLE
	};
	bool has_section = false;
	int status = 0;

	for (size_t i = 1; i < count && !status; i++) {
		if (all[i].process)
			continue;
		if (!has_section)
			status = output_section(output, &section, err);
		has_section = true;
		if (!status)
			status = finding_gone_emit(output, input, &all[i], err);
	}
	return status;
}
