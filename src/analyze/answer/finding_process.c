/* SPDX-License-Identifier: BSD-2-Clause */
/* The row of a diagnosed process that was sampled. */
#include "analyze/answer/answer_name.h"
#include "analyze/answer/answer_parts.h"
#include "analyze/answer/answer_waits.h"
#include "analyze/diagnosis/finding_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"

#define WORDS_ONE 120 /* longer reasons are left out of the line */

void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out)
{
	rows_for_each (struct finding_fine_row, row, rows) {
		struct span id = record_text(&row->record, &row->id),
			    words = record_text(&row->record, &row->words);

		buffer_format(out, "%s%.*s", out->size ? ", " : "", SPAN_ARGS(id));
		if (has_words && words.size && words.size < WORDS_ONE)
			buffer_format(out, " (%.*s)", SPAN_ARGS(words));
	}
}

/* Returns whether no earlier row has the same reason. */
static bool is_first_with(const struct buffer *rows, const struct finding_blind_row *row)
{
	struct span reason = record_text(&row->record, &row->reason);

	rows_for_each (struct finding_blind_row, other, rows) {
		if (other == row)
			return true;
		if (!span_compare(record_text(&other->record, &other->reason), reason))
			return false;
	}
	return true;
}

void finding_text_blind(const struct buffer *rows, struct buffer *out)
{
	rows_for_each (struct finding_blind_row, row, rows) {
		struct span reason = record_text(&row->record, &row->reason);
		struct span remedy = record_text(&row->record, &row->remedy);
		bool is_second = false;

		if (!is_first_with(rows, row))
			continue;
		buffer_string(out, out->size ? "; " : "");
		rows_for_each (struct finding_blind_row, other, rows) {
			struct span id = record_text(&other->record, &other->id);

			if (span_compare(record_text(&other->record, &other->reason), reason))
				continue;
			buffer_format(out, "%s%.*s", is_second ? ", " : "", SPAN_ARGS(id));
			is_second = true;
		}
		buffer_format(out, ": %.*s", SPAN_ARGS(reason));
		if (remedy.size)
			buffer_format(out, " (%.*s)", SPAN_ARGS(remedy));
	}
}

static void fill_row(
	const struct diagnosis *s, const struct diagnosed *j, struct finding_process_row *row)
{
	const struct process_entry *p = j->process;
	const struct agent *agent = answer_agent(j);

	*row = (struct finding_process_row){
		.record = row_head(&j->id),
		.cpu_percent = process_table_cpu_percent(p),
		.rss_bytes = p->process->rss_bytes,
		.elapsed_s = host_state_elapsed(&s->input.host, p),
		.finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = state_if(j->count),
		.agent_state = state_if(agent != NULL),
		.version_state = state_if(p->agent && p->match.version.size),
		.role_state = state_if(p->has_role),
		.project_state = p->project.size ? p->project_state : SOOTH_STATE_ABSENT,
		.session_state = p->session_id.size ? p->session_state : SOOTH_STATE_ABSENT,
	};
	row->cpu_state = row->cpu_percent >= 0 ? SOOTH_STATE_VALUE
					       : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
}

/* Builds the row of a process that was sampled. */
static void build_row(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	const struct process_table *c = &s->input.host.process_table;
	const struct process_entry *p = j->process;
	const struct agent *agent = answer_agent(j);
	_cleanup_(buffer_fini) struct buffer fine = { 0 }, blind = { 0 }, waits = { 0 },
					     log = { 0 };
	struct finding_process_row row;

	fill_row(s, j, &row);
	row.record.kind = finding_process_schema.kind;
	finding_text_fine(&j->fine, s->count == 2, &fine);
	finding_text_blind(&j->blind, &blind);
	row.fine_text_state = state_if(fine.size);
	row.blind_text_state = state_if(blind.size);
	row.waits_state = answer_waits(s, j, &waits);
	answer_log(s, j, "", &log);
	row.log_text_state = state_if(log.size);
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.name, record_text(&p->process->record, &p->process->name)),
		tail_string(&row.agent, agent ? agent->name : ""),
		tail_string(&row.agent_title, agent ? agent->title : ""),
		tail_span(&row.version, p->match.version),
		tail_string(&row.role, p->has_role ? agent_role_name(p->role) : ""),
		tail_span(&row.project, process_table_text(c, &p->project)),
		tail_span(&row.session_id, process_table_text(c, &p->session_id)),
		tail_buffer(&row.fine_text, &fine),
		tail_buffer(&row.blind_text, &blind),
		tail_buffer(&row.waits_text, &waits),
		tail_buffer(&row.log_text, &log),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

int finding_process_emit(struct output *output, const struct diagnosis *s,
	const struct diagnosed *j, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer row = { 0 };

	build_row(s, j, &row);
	return buffer_failed(&row) ? error_no_memory(err)
				   : output_record(output, (const void *)row.data, err);
}

bool finding_process_is_shown(
	const struct output *output, const struct diagnosis *s, const struct diagnosed *j)
{
	_cleanup_(buffer_fini) struct buffer row = { 0 };
	bool is_shown = true;

	if (!j->process || !output_filters(output, &finding_process_schema))
		return true;
	build_row(s, j, &row);
	if (!buffer_failed(&row))
		is_shown = output_holds(output, &finding_process_schema, (const void *)row.data);
	return is_shown;
}
