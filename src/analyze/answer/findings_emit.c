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

#define WORDS_ONE 120 /* longer reasons are left out of the line */

/* Appends "fd-leak (41 descriptors), cpu-spin"; reasons only with `has_words`. */
static void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out)
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

/* Appends "fd-leak, watch-flood: permission denied (run as root); ...". */
static void finding_text_blind(const struct buffer *rows, struct buffer *out)
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

static int finding_process_emit(struct output *output, const struct diagnosis *s,
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

/* Emits a row of finding_process_schema in the current section. */
static int finding_gone_emit(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer fine = { 0 }, blind = { 0 };

	finding_text_fine(&j->fine, true, &fine);
	finding_text_blind(&j->blind, &blind);
	return emit_row(output, input, j, &fine, &blind, err);
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
	int status;

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
	status = output_section(output, &section, err);
	if (!status)
		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	return status;
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
	status = output_section(output, &section, err);
	if (!status)
		status = OUTPUT_ROW(output, row, tail, ARRAY_SIZE(tail), err);
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
