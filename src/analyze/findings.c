/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Diagnosing: every detector judges every process that is meant, and the host. The worst
 * comes first. Whom it judges: those that the stream says are meant; of a whole host those
 * that belong to agents.
 */
#include "analyze/findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/finding_book.h"
#include "analyze/finding_gone.h"
#include "analyze/finding_words.h"
#include "analyze/judged.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "core/output.h"
#include "core/registry.h"
#include "core/stage.h"

#define ROWS_BYTES_MAX 400000 /* of one process: they have to fit one record */

struct findings_state {
	struct output *output;
	struct findings_options options;
	struct exam_settings settings;
	struct readings readings;
	struct finding_book book;
	struct exam exam;
	struct judged *all; /* the host first */
	size_t count;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct findings_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct findings_options *)options;
	exam_settings_init(&s->settings);
	if (s->options.settings)
		s->settings = *s->options.settings;
	readings_init(&s->readings);
	finding_book_init(&s->book);
	return peer_labels_load(&s->readings.labels, s->options.labels, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct findings_state *s = state;

	(void)err;
	readings_take(&s->readings, batch);
	return 0;
}

/* --- who is judged --- */

static bool is_of_agent(const struct findings_state *s, const struct census_process *p)
{
	const char *agent = s->options.agent;

	return !agent || (p->agent && !strcmp(p->agent->name, agent));
}

static bool is_asked(const struct host_state *h, uint64_t pid)
{
	const uint32_t *asked = (const void *)h->asked.data;
	size_t count = h->asked.size / sizeof(*asked);

	for (size_t i = 0; i < count; i++) {
		if (asked[i] == pid)
			return true;
	}
	return false;
}

static bool is_chosen(const struct findings_state *s, uint64_t pid)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->all[i].id.pid == pid)
			return true;
	}
	return false;
}

/* Those that ended before a reading of them was made; of the asked ones also long before. */
static void choose_gone(struct findings_state *s)
{
	const struct host_state *h = &s->readings.host;
	const uint32_t *asked = (const void *)h->asked.data;
	const struct ending *ending;
	size_t position = 0;

	while ((ending = endings_next(&s->readings.endings, &position))) {
		if ((h->is_named || is_asked(h, ending->id.pid)) && !is_chosen(s, ending->id.pid))
			s->all[s->count++] = (struct judged){ .id = ending->id };
	}
	for (size_t i = 0; i < h->asked.size / sizeof(*asked); i++) {
		if (!is_chosen(s, asked[i]) && endings_log(&s->readings.endings, asked[i], 0))
			s->all[s->count++] = (struct judged){ .id = { .pid = asked[i] } };
	}
}

/* Who is gone is judged too where it was named: why it ended is a question. */
static int choose(struct findings_state *s)
{
	const struct census *c = &s->readings.host.census;
	size_t position = 0;
	void *value;

	s->all = calloc(c->processes.count + s->readings.endings.processes.count +
				s->readings.host.asked.size / sizeof(uint32_t) + 1,
		sizeof(*s->all));
	if (!s->all)
		return -ENOMEM;
	s->all[0].is_host = true;
	s->count = 1;
	while (map_next(&c->processes, &position, NULL, &value)) {
		const struct census_process *p = *(struct census_process **)value;

		if (is_of_agent(s, p) && readings_mean(&s->readings, p))
			s->all[s->count++] = (struct judged){ .id = p->id, .process = p };
	}
	choose_gone(s);
	return 0;
}

/* --- judging --- */

static void judge_one(struct findings_state *s, struct judged *j)
{
	enum finding_scope scope = j->is_host ? FINDING_OF_HOST : FINDING_OF_PROCESS;
	bool is_gone = !j->is_host && !j->process;
	struct exam *e = &s->exam;

	e->findings = &j->findings;
	e->fine = &j->fine;
	e->blind = &j->blind;
	for (size_t i = 0; registry_findings[i].type; i++) {
		enum finding_scope of = registry_findings[i].type->scope;

		if ((of != scope && of != FINDING_OF_BOTH) ||
			(is_gone && !registry_findings[i].type->judges_gone))
			continue;
		exam_run(e, &registry_findings[i], &s->settings.all[i], &s->readings,
			j->is_host ? NULL : &j->id);
		j->count += e->found;
	}
}

/* --- order --- */

static int by_severity(const void *a, const void *b)
{
	const struct finding_row *x = *(const struct finding_row *const *)a;
	const struct finding_row *y = *(const struct finding_row *const *)b;

	if (x->severity != y->severity)
		return y->severity - x->severity;
	return y->confidence - x->confidence;
}

static int sort_findings(struct judged *j)
{
	const struct finding_row **rows = calloc(j->count + 1, sizeof(*rows));
	struct batch all = { j->findings.data, j->findings.size };
	struct buffer sorted = { 0 };
	size_t n = 0;

	if (!rows)
		return -ENOMEM;
	batch_for_each (r, &all)
		rows[n++] = (const void *)r;
	qsort(rows, n, sizeof(*rows), by_severity);
	for (size_t i = 0; i < n && sorted.size < ROWS_BYTES_MAX; i++)
		buffer_append(&sorted, rows[i], record_bytes(&rows[i]->record));
	if (n)
		j->worst = rows[0]->severity;
	free(rows);
	buffer_fini(&j->findings);
	j->findings = sorted;
	return buffer_failed(&sorted) ? -ENOMEM : 0;
}

static double cpu_of(const struct judged *j)
{
	return j->process ? census_cpu_percent(j->process) : 0;
}

static int by_worst(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;
	double p, q;

	if (!x->count != !y->count)
		return x->count ? -1 : 1;
	if (x->worst != y->worst)
		return (int)y->worst - (int)x->worst;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	p = cpu_of(x);
	q = cpu_of(y);
	return (q > p) - (q < p);
}

static int judge_all(struct findings_state *s, struct sooth_error *err)
{
	int status = readings_settle(&s->readings, err);

	if (!status && choose(s))
		status = error_no_memory(err);
	if (status)
		return status;
	finding_book_begin(&s->book, s->readings.end_ns, host_state_utc(&s->readings.host));
	s->exam.book = &s->book;
	s->exam.is_one_look = s->options.is_one_look;
	for (size_t i = 0; i < s->count; i++) {
		judge_one(s, &s->all[i]);
		if (sort_findings(&s->all[i]) || buffer_failed(&s->all[i].fine) ||
			buffer_failed(&s->all[i].blind))
			return error_no_memory(err);
	}
	qsort(s->all + 1, s->count - 1, sizeof(*s->all), by_worst);
	return 0;
}

/* --- telling --- */

static uint8_t present(bool is_there)
{
	return is_there ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

static int tell_host(struct findings_state *s, const struct judged *j, struct sooth_error *err)
{
	static const struct section section = {
		.name = "host", .schema = &finding_host_schema, .shape = SECTION_OBJECT
	};
	const struct stream_segment *segment = s->readings.host.segment;
	struct buffer fine = { 0 }, blind = { 0 };
	struct finding_host_row row = { .finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = present(j->count) };
	int status;

	finding_words_fine(&j->fine, true, &fine);
	finding_words_blind(&j->blind, &blind);
	row.fine_text_state = present(fine.size);
	row.blind_text_state = present(blind.size);
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.hostname,
			segment ? host_state_text(&s->readings.host, &segment->hostname)
				: span_of("", 0)),
		tail_span(&row.os_version,
			segment ? host_state_text(&s->readings.host, &segment->os_version)
				: span_of("", 0)),
		tail_buffer(&row.fine_text, &fine),
		tail_buffer(&row.blind_text, &blind),
	};
	status = output_section(s->output, &section, err);
	if (!status)
		status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&fine);
	buffer_fini(&blind);
	return status;
}

static struct span string_span(const char *text)
{
	return span_of(text, strlen(text));
}

/* Of one that was gone before, a name is all there is, if that. */
static int tell_gone(struct findings_state *s, const struct judged *j, struct sooth_error *err)
{
	struct finding_gone gone = { .id = j->id,
		.name = ending_name(&s->readings.endings, &j->id),
		.findings = &j->findings,
		.fine = &j->fine,
		.blind = &j->blind,
		.count = j->count,
		.worst = j->worst };
	struct buffer fine = { 0 }, blind = { 0 };
	int status;

	finding_words_fine(&j->fine, true, &fine);
	finding_words_blind(&j->blind, &blind);
	status = finding_gone_tell(s->output, &gone, &fine, &blind, err);
	buffer_fini(&fine);
	buffer_fini(&blind);
	return status;
}

static void fill_row(
	const struct findings_state *s, const struct judged *j, struct finding_process_row *row)
{
	const struct census_process *p = j->process;
	const struct agent *agent = p->agent ? p->agent : p->owner_agent;

	*row = (struct finding_process_row){
		.record = row_head(&j->id),
		.cpu_percent = census_cpu_percent(p),
		.rss_bytes = p->process->rss_bytes,
		.elapsed_s = host_state_elapsed(&s->readings.host, p),
		.finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = present(j->count),
		.agent_state = present(agent != NULL),
		.version_state = present(p->agent && p->match.version.size),
		.role_state = present(p->has_role),
		.project_state = p->project.size ? p->project_state : SOOTH_STATE_ABSENT,
		.session_state = p->session_id.size ? p->session_state : SOOTH_STATE_ABSENT,
	};
	row->cpu_state = row->cpu_percent >= 0 ? SOOTH_STATE_VALUE
					       : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
}

static int tell_process(struct findings_state *s, const struct judged *j, struct sooth_error *err)
{
	const struct census *c = &s->readings.host.census;
	const struct census_process *p = j->process;
	const struct agent *agent = p->agent ? p->agent : p->owner_agent;
	struct buffer fine = { 0 }, blind = { 0 };
	struct finding_process_row row;
	int status;

	fill_row(s, j, &row);
	finding_words_fine(&j->fine, s->count == 2, &fine);
	finding_words_blind(&j->blind, &blind);
	row.fine_text_state = present(fine.size);
	row.blind_text_state = present(blind.size);
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.name, record_text(&p->process->record, &p->process->name)),
		tail_span(&row.agent, agent ? string_span(agent->title) : span_of("", 0)),
		tail_span(&row.version, p->match.version),
		tail_string(&row.role, p->has_role ? agent_role_name(p->role) : ""),
		tail_span(&row.project, census_text(c, &p->project)),
		tail_span(&row.session_id, census_text(c, &p->session_id)),
		tail_buffer(&row.fine_text, &fine),
		tail_buffer(&row.blind_text, &blind),
	};
	status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&fine);
	buffer_fini(&blind);
	return status;
}

static int tell_processes(struct findings_state *s, struct sooth_error *err)
{
	static const struct section section = { .name = "processes",
		.schema = &finding_process_schema,
		.shape = SECTION_TABLE,
		.if_empty = "no agents are running here; name a process: sooth diagnose PID" };
	int status = output_section(s->output, &section, err);

	for (size_t i = 1; i < s->count && !status; i++)
		status = s->all[i].process ? tell_process(s, &s->all[i], err)
					   : tell_gone(s, &s->all[i], err);
	return status;
}

/* --- the summary --- */

static void count_severities(const struct judged *j, struct finding_summary_row *row)
{
	uint32_t *const counts[FINDING_SEVERITIES] = { &row->info, &row->low, &row->medium,
		&row->high, &row->critical };
	struct batch all = { j->findings.data, j->findings.size };

	batch_for_each (r, &all) {
		const struct finding_row *finding = (const void *)r;

		if (finding->severity < FINDING_SEVERITIES)
			++*counts[finding->severity];
	}
}

static void summary_words(const struct finding_summary_row *row, struct buffer *out)
{
	const uint32_t counts[FINDING_SEVERITIES] = { row->info, row->low, row->medium, row->high,
		row->critical };
	uint32_t all = row->info + row->low + row->medium + row->high + row->critical;
	char time[UNITS_SIZE];
	bool is_second = false;

	if (!all)
		buffer_string(out, "nothing is wrong");
	else
		buffer_format(out, "%u finding%s: ", all, all == 1 ? "" : "s");
	for (unsigned i = FINDING_SEVERITIES; i-- > 0;) {
		if (!counts[i])
			continue;
		buffer_format(out, "%s%u %s", is_second ? ", " : "", counts[i],
			finding_severity_names.names[i]);
		is_second = true;
	}
	buffer_format(out, "%s with %u of %u process%s", all ? ";" : "", row->with_findings,
		row->processes, row->processes == 1 ? "" : "es");
	if (row->interval_state == SOOTH_STATE_VALUE)
		buffer_format(out, ", observed for %s", format_ns(time, row->interval_ns));
	if (row->muted)
		buffer_format(out, "; %u muted", row->muted);
}

static int tell_summary(struct findings_state *s, struct sooth_error *err)
{
	static const struct section section = {
		.name = "summary", .schema = &finding_summary_schema, .shape = SECTION_OBJECT
	};
	uint64_t interval_ns = s->readings.end_ns - s->readings.begin_ns;
	struct finding_summary_row row = { .processes = (uint32_t)s->count - 1,
		.muted = s->exam.muted_all,
		.interval_ns = interval_ns,
		.interval_state = present(s->readings.begin_ns != 0) };
	struct buffer words = { 0 };
	int status;

	for (size_t i = 0; i < s->count; i++) {
		count_severities(&s->all[i], &row);
		row.with_findings += i && s->all[i].count;
	}
	summary_words(&row, &words);
	struct record_tail tail[] = { tail_buffer(&row.words, &words) };
	status = output_section(s->output, &section, err);
	if (!status)
		status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&words);
	return status;
}

static void note_worst(struct findings_state *s)
{
	struct findings_told *told = s->options.told;

	for (size_t i = 0; told && i < s->count; i++) {
		if (!s->all[i].count)
			continue;
		if (!told->has_any || s->all[i].worst > told->worst)
			told->worst = s->all[i].worst;
		told->has_any = true;
	}
}

static void forget(struct findings_state *s)
{
	for (size_t i = 0; i < s->count; i++) {
		buffer_fini(&s->all[i].findings);
		buffer_fini(&s->all[i].fine);
		buffer_fini(&s->all[i].blind);
	}
	free(s->all);
	s->all = NULL;
	s->count = 0;
}

static int tell_all(struct findings_state *s, struct sooth_error *err)
{
	int status;

	if (s->options.tell)
		return s->options.tell(
			s->options.tell_user, s->output, &s->readings, s->all, s->count, err);
	status = tell_processes(s, err);
	if (!status)
		status = tell_host(s, &s->all[0], err);
	return status ? status : tell_summary(s, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct findings_state *s = state;
	struct buffer cleared = { 0 };
	int status = judge_all(s, err);

	if (!status)
		status = tell_all(s, err);
	note_worst(s);
	finding_book_end(&s->book, &cleared);
	buffer_fini(&cleared);
	if (!status && s->options.is_repeated) {
		forget(s);
		readings_next_interval(&s->readings);
	}
	return status;
}

static void fini(void *state)
{
	struct findings_state *s = state;

	forget(s);
	exam_fini(&s->exam);
	finding_book_fini(&s->book);
	readings_fini(&s->readings);
}

const struct stage_type stage_findings = {
	.name = "findings",
	.help = "what is wrong with processes, with evidence",
	.shows = "proc",
	.state_size = sizeof(struct findings_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
