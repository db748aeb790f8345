/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/findings_emit.h"

#include "analyze/answer/answer.h"
#include "analyze/answer/answer_parts.h"
#include "analyze/answer/answer_name.h"
#include "analyze/answer/answer_waits.h"
#include "analyze/diagnosis/finding_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

/* Emits the row of a process that was not sampled, in the current section. */
static int finding_gone_emit(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer fine = { 0 }, blind = { 0 };
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
		.waits_state = SOOTH_STATE_ABSENT };

	finding_text_fine(&j->fine, true, &fine);
	finding_text_blind(&j->blind, &blind);
	row.fine_text_state = state_if(fine.size);
	row.blind_text_state = state_if(blind.size);
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.name, ending_name(&input->endings, &j->id)),
		tail_buffer(&row.fine_text, &fine),
		tail_buffer(&row.blind_text, &blind),
	};
	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

int finding_gone_emit_all(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *all, size_t count, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("ended_processes", finding_process_schema, TABLE);
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

int findings_emit_host(struct output *output, const struct diagnosis *s, struct sooth_error *err)
{
	const struct diagnosed *j = &s->all[0];
	static const struct section section =
		SECTION_OF("host", finding_host_schema, OBJECT, .audience = SECTION_DETAIL);
	const struct stream_segment *segment = s->input.host.segment;
	_cleanup_(buffer_fini) struct buffer fine = { 0 }, blind = { 0 };
	struct finding_host_row row = { .finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = state_if(j->count) };

	finding_text_fine(&j->fine, true, &fine);
	finding_text_blind(&j->blind, &blind);
	row.fine_text_state = state_if(fine.size);
	row.blind_text_state = state_if(blind.size);
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(
			&row.hostname, segment ? host_state_text(&s->input.host, &segment->hostname)
					       : span_of("", 0)),
		tail_span(&row.os_version,
			segment ? host_state_text(&s->input.host, &segment->os_version)
				: span_of("", 0)),
		tail_buffer(&row.fine_text, &fine),
		tail_buffer(&row.blind_text, &blind),
	};
	return OUTPUT_OBJECT(output, &section, &row, tail, ARRAY_SIZE(tail), err);
}

int findings_emit_processes(
	struct output *output, const struct diagnosis *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("processes", finding_process_schema, TABLE,
		.title = "findings by process", .audience = SECTION_DETAIL);
	int status = output_section(output, &section, err);

	for (size_t i = 1; i < s->count && !status; i++)
		status = s->all[i].process ? finding_process_emit(output, s, &s->all[i], err)
					   : finding_gone_emit(output, &s->input, &s->all[i], err);
	return status;
}

/* --- the summary --- */

static void count_severities(const struct diagnosed *j, struct finding_summary_row *row)
{
	uint32_t *const counts[FINDING_SEVERITIES] = { &row->info, &row->low, &row->medium,
		&row->high, &row->critical };

	rows_for_each (struct finding_row, finding, &j->findings) {
		if (finding->severity < FINDING_SEVERITIES)
			++*counts[finding->severity];
	}
}

static void summary_text(const struct finding_summary_row *row, struct buffer *out)
{
	const uint32_t counts[FINDING_SEVERITIES] = { row->info, row->low, row->medium, row->high,
		row->critical };
	uint32_t all = row->info + row->low + row->medium + row->high + row->critical;
	bool is_second = false;

	if (!all)
		buffer_format(out, "no problems found%s",
			row->unchecked ? " in what could be checked," : "");
	else
		buffer_format(out, "%u finding%s (", all, all == 1 ? "" : "s");
	for (unsigned i = FINDING_SEVERITIES; i-- > 0;) {
		if (!counts[i])
			continue;
		buffer_format(out, "%s%u %s", is_second ? ", " : "", counts[i],
			finding_severity_names.names[i]);
		is_second = true;
	}
	if (all)
		buffer_format(out, ") in %u of", row->with_findings);
	else
		buffer_string(out, " in");
	buffer_format(out, " %u process%s", row->processes, row->processes == 1 ? "" : "es");
	if (row->muted)
		buffer_format(out, "; %u muted", row->muted);
}

static int put_summary(struct output *output, struct finding_summary_row *row,
	const struct buffer *text, const struct buffer *headline, struct sooth_error *err)
{
	/* A diagnosis begins with its headline; a watch has none. */
	struct section section = { .name = "summary",
		.schema = &finding_summary_schema,
		.shape = SECTION_OBJECT,
		.audience = headline->size ? SECTION_DETAIL : SECTION_FOR_ALL };
	struct record_tail tail[] = { tail_buffer(&row->words, text),
		tail_buffer(&row->headline, headline) };
	int status;

	row->headline_state = state_if(headline->size);
	status = OUTPUT_OBJECT(output, &section, row, tail, ARRAY_SIZE(tail), err);
	return status ?: output_close_section(output, err);
}

static struct finding_summary_row sum_up(const struct diagnosis *s, uint64_t begin_ns)
{
	struct finding_summary_row row = { .processes = (uint32_t)s->count - 1,
		.muted = s->result.muted_all,
		.unchecked = answer_unseen_count(s),
		.interval_ns = s->input.end_ns - begin_ns,
		.interval_state = state_if(begin_ns != 0) };

	for (size_t i = 0; i < s->count; i++) {
		count_severities(&s->all[i], &row);
		row.with_findings += i && s->all[i].count;
	}
	return row;
}

int findings_emit_summary(struct output *output, const struct diagnosis *s,
	const struct causes *shown, struct sooth_error *err)
{
	struct finding_summary_row row = sum_up(s, s->input.begin_ns);
	_cleanup_(buffer_fini) struct buffer text = { 0 }, headline = { 0 };

	summary_text(&row, &text);
	answer_headline(s, shown, &headline);
	return put_summary(output, &row, &text, &headline, err);
}

int findings_emit_watch(struct output *output, const struct diagnosis *s,
	const struct findings_watch *watch, struct sooth_error *err)
{
	struct finding_summary_row row = sum_up(s, watch->begin_ns);
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	struct buffer none = { 0 };

	buffer_format(&text, "watched for %s: %llu raised, %llu cleared, %zu still open",
		SENTENCE_DURATION(row.interval_ns), (unsigned long long)watch->raised,
		(unsigned long long)watch->cleared, s->tracker.raised.count);
	return put_summary(output, &row, &text, &none, err);
}
