/* SPDX-License-Identifier: BSD-2-Clause */
/* Repeated diagnosis: emits a row when a finding is raised or gets worse, and one when it is
 * cleared. The raised row is kept until then, because a cleared finding may have no process left to
 * read. */
#include <assert.h>
#include <string.h>

#include "analyze/answer/answer_name.h"
#include "analyze/answer/causes.h"
#include "analyze/answer/findings_emit.h"
#include "analyze/diagnosis/diagnosis.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/answer_records.h"
#include "probes/proc.h"

#define SHOWN_MAX   16384
#define INTERVAL_NS (10 * NS_PER_S)
#define LONG_NS	    (600 * NS_PER_S)

/* --- answers as records, for a history --- */

static struct span subject_name_of(const struct process_table *t, const struct process_entry *p)
{
	struct span server = p ? process_table_text(t, &p->role_name) : span_of("", 0);

	return server.size || !p ? server
				 : process_table_field(&p->process->record, &p->process->name);
}

/* Appends the record of an answer, from when its finding was first seen or its wait began. */
static void append_answer(const struct cause *c, const struct diagnosis *s, struct buffer *out)
{
	const struct process_table *t = &s->input.host.process_table;
	const struct finding_row *f = c->finding;
	const struct process_entry *p = c->of->process, *of = p && p->main ? p->main : p;
	const struct agent *agent = answer_agent(c->of);
	struct answer_span span = { .record = row_head(of ? &of->id : &c->of->id),
		.begin_ns = f->first_seen_ns,
		.begin_utc_ns = f->first_utc_ns,
		.end_utc_ns = f->last_utc_ns,
		.subject_pid = c->of->id.pid,
		.subject_start_ticks = c->of->id.start_ticks };
	uint64_t age_ns = cause_age_ns(c, s), seen_ns = f->last_seen_ns - f->first_seen_ns;
	struct buffer words = { 0 };

	if (age_ns > seen_ns) { /* a wait began before it was seen */
		span.begin_ns = f->last_seen_ns - age_ns;
		span.begin_utc_ns = f->last_utc_ns - age_ns;
	}
	span.record.kind = ANSWER_SPAN;
	span.record.cpu = SOOTH_CPU_NONE;
	span.record.time_ns = f->last_seen_ns;
	cause_put(c, s, &words);
	struct record_tail tail[] = {
		tail_text(&span.id, &f->record, &f->id),
		tail_buffer(&span.words, &words),
		tail_string(&span.severity, finding_severity_names.names[f->severity]),
		tail_string(&span.confidence, finding_confidence_names.names[f->confidence]),
		tail_text(&span.remedy, &f->record, &f->remedy),
		tail_string(&span.agent, agent ? agent->name : ""),
		tail_span(
			&span.session, p ? process_table_text(t, &p->session_id) : span_of("", 0)),
		tail_span(&span.project, p ? process_table_text(t, &p->project) : span_of("", 0)),
		tail_text(&span.key, &f->record, &f->key),
		tail_span(&span.subject_name, subject_name_of(t, p)),
	};
	RECORD_APPEND(out, &span, tail, ARRAY_SIZE(tail));
	buffer_fini(&words);
}

static struct answer_span *span_in(const struct buffer *kept)
{
	assert(kept->size >= sizeof(struct answer_span));
	return (void *)kept->data;
}

/* --- changes --- */

struct change_key {
	char text[FINDING_KEY_SIZE];
};

struct finding_changes {
	struct output *output;
	struct diagnosis diagnosis;
	struct causes causes; /* causes of this diagnosis */
	struct findings_watch watch;
	/* change_key -> struct buffer: the row that raised it; the record of an answer */
	struct map raised, answers;
	uint64_t interval_ns;
	uint64_t due_ns; /* time of the next diagnosis; 0: the first interval has not begun */
	bool is_due, has_section;
};

/* --- raised --- */

static struct span name_of(const struct diagnosis_input *input, const struct diagnosed *j)
{
	if (j->is_host)
		return span_of("the host", 8);
	if (!j->process)
		return ending_name(&input->endings, &j->id);
	return record_text(&j->process->process->record, &j->process->process->name);
}

static struct span agent_of(const struct diagnosed *j)
{
	const struct agent *agent = answer_agent(j);

	return agent ? span_of_string(agent->name) : span_of("", 0);
}

/* Returns the cause that the findings of the process belong to; NULL: none. */
static const struct cause *cause_of(const struct causes *all, const struct diagnosed *j)
{
	for (size_t i = 0; i < all->sick; i++) {
		const struct cause *c = &all->all[i];

		if (c->of == j)
			return c;
		for (size_t k = 0; k < c->victim_count; k++) {
			if (c->victims[k] == j)
				return c;
		}
	}
	return NULL;
}

/* Appends the row of a raised finding. */
static void write_raised(const struct finding_changes *c, const struct diagnosed *j,
	const struct finding_row *f, struct buffer *out)
{
	const struct diagnosis_input *input = &c->diagnosis.input;
	const struct cause *cause = cause_of(&c->causes, j);
	const struct finding_row *root = cause ? cause->finding : f;
	const struct sooth_record *r = &f->record;
	_cleanup_(buffer_fini) struct buffer answer = { 0 };
	struct span agent = agent_of(j), remedy = record_text(r, &f->remedy);
	struct finding_change_row row = { .record = row_head(&j->id),
		.utc_ns = f->last_utc_ns,
		.first_utc_ns = f->first_utc_ns,
		.severity = f->severity,
		.confidence = f->confidence,
		.state = FINDING_RAISED,
		.pid_state = state_if(!j->is_host),
		.agent_state = state_if(agent.size),
		.remedy_state = state_if(remedy.size),
		.lasted_state = SOOTH_STATE_ABSENT };

	if (cause)
		cause_put(cause, &c->diagnosis, &answer);
	struct record_tail tail[] = {
		tail_text(&row.subject, r, &f->subject), /* rows first: they have to be aligned */
		tail_text(&row.evidence, r, &f->evidence),
		tail_text(&row.id, r, &f->id),
		tail_span(&row.name, name_of(input, j)),
		tail_span(&row.agent, agent),
		tail_text(&row.claim, r, &f->claim),
		tail_span(&row.remedy, remedy),
		tail_text(&row.unseen, r, &f->unseen),
		tail_text(&row.key, r, &f->key),
		tail_text(&row.answer_key, &root->record, &root->key),
		tail_buffer(&row.answer, &answer),
	};

	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

static struct change_key key_of(const struct finding_row *f)
{
	struct span text = record_text(&f->record, &f->key);
	struct change_key key = { 0 };

	memcpy(key.text, text.data, text.size < sizeof(key) ? text.size : sizeof(key) - 1);
	return key;
}

static int emit_raised(struct finding_changes *c, const struct diagnosed *j,
	const struct finding_row *f, struct sooth_error *err)
{
	struct change_key key = key_of(f);
	struct buffer one = { 0 }, *kept = map_put(&c->raised, &key, NULL);
	int status;

	/* A finding beyond the map's bound is still reported as raised, not as cleared. */
	struct buffer *row = kept ? kept : &one;

	buffer_reset(row);
	write_raised(c, j, f, row);
	status = buffer_failed(row) ? error_no_memory(err)
				    : output_record(c->output, (const void *)row->data, err);
	c->watch.raised++;
	buffer_fini(&one);
	return status;
}

static int emit_of_one(
	struct finding_changes *c, const struct diagnosed *j, struct sooth_error *err)
{
	int status = 0;

	rows_for_each (struct finding_row, f, &j->findings) {
		if (!status && f->state == FINDING_RAISED)
			status = emit_raised(c, j, f, err);
	}
	return status;
}

/* --- cleared --- */

static int emit_cleared(
	struct finding_changes *c, const struct finding_cleared *over, struct sooth_error *err)
{
	struct buffer *kept = map_get(&c->raised, over->key);
	struct finding_change_row *row;
	int status;

	if (!kept)
		return 0;
	row = (void *)kept->data;
	row->state = FINDING_CLEARED;
	row->utc_ns = host_state_utc(&c->diagnosis.input.host);
	row->duration_ns = over->last_ns - over->first_ns;
	row->lasted_state =
		state_if(row->duration_ns); /* absent: the finding lasted only one diagnosis */
	row->remedy_state = SOOTH_STATE_ABSENT;
	row->evidence = row->unseen = (struct sooth_text){ 0 };
	c->watch.cleared++;
	status = output_record(c->output, &row->record, err);
	buffer_fini(kept);
	map_remove(&c->raised, over->key);
	return status;
}

static int emit_changes(
	struct finding_changes *c, const struct buffer *cleared, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("finding", finding_change_schema, STREAM);
	const struct finding_cleared *over = (const void *)cleared->data;
	int status = c->has_section ? 0 : output_section(c->output, &section, err);

	c->has_section = true;
	for (size_t i = 0; i < cleared->size / sizeof(*over) && !status; i++)
		status = emit_cleared(c, &over[i], err);
	for (size_t i = 0; i < c->diagnosis.count && !status; i++)
		status = emit_of_one(c, &c->diagnosis.all[i], err);
	return status ?: output_flush(c->output, err);
}

/* --- answers as records --- */

static bool takes_answers(const struct finding_changes *c)
{
	return c->diagnosis.options.take != NULL;
}

static bool has_rows(const struct finding_changes *c)
{
	return !takes_answers(c) || c->diagnosis.options.has_rows;
}

static int pass_answer(
	struct finding_changes *c, const struct buffer *kept, struct sooth_error *err)
{
	const struct findings_options *o = &c->diagnosis.options;

	return o->take(o->user, &(struct batch){ kept->data, kept->size }, err);
}

/* Begins an answer, or lets a begun one last until now. */
static void keep_answer(struct finding_changes *c, const struct cause *cause)
{
	struct change_key key = key_of(cause->finding);
	struct buffer *kept = map_put(&c->answers, &key, NULL);
	struct answer_span *span;

	if (!kept)
		return;
	if (!kept->size || cause->finding->state == FINDING_RAISED) {
		buffer_reset(kept);
		append_answer(cause, &c->diagnosis, kept);
	}
	span = span_in(kept);
	span->record.time_ns = cause->finding->last_seen_ns;
	span->end_utc_ns = cause->finding->last_utc_ns;
}

/* Passes on the answers that are over, or lasted long since they were passed on. */
static int pass_answers(struct finding_changes *c, bool is_end, struct sooth_error *err)
{
	uint64_t now_ns = c->diagnosis.tracker.round_ns;
	int status = 0;

	map_for_each (&c->answers, const void *, key, struct buffer *, kept) {
		struct answer_span *span = span_in(kept);
		bool is_over = span->record.time_ns + 2 * c->interval_ns <= now_ns;
		/* A monitor may be killed: a long answer is passed on before its end. */
		bool is_long = span->record.time_ns - span->begin_ns >= LONG_NS;

		span->is_cleared = is_over;
		if (status || !(is_over || is_end || is_long))
			continue;
		status = pass_answer(c, kept, err);
		if (is_over || is_end) {
			buffer_fini(kept);
			map_remove(&c->answers, key);
		} else {
			span->begin_ns = span->record.time_ns;
			span->begin_utc_ns = span->end_utc_ns;
		}
	}
	return status;
}

/* --- the stage --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct finding_changes *c = state;
	const struct findings_options *chosen = options;

	c->output = output;
	c->interval_ns = chosen && chosen->interval_ns ? chosen->interval_ns : INTERVAL_NS;
	map_init(&c->raised, sizeof(struct change_key), sizeof(struct buffer), SHOWN_MAX);
	map_init(&c->answers, sizeof(struct change_key), sizeof(struct buffer), SHOWN_MAX);
	return diagnosis_init(&c->diagnosis, options, err);
}

/* Returns whether the interval is over: at the sample after the one where it is due, because probes
 * that sample at the edges follow that sample. */
static bool is_over(struct finding_changes *c, const struct sooth_record *r)
{
	bool was_due = c->is_due;

	if (r->kind != PROC_SNAPSHOT)
		return false;
	if (!c->due_ns || was_due)
		c->due_ns = r->time_ns + c->interval_ns;
	c->is_due = r->time_ns >= c->due_ns;
	return was_due;
}

static int run_diagnosis(struct finding_changes *c, struct sooth_error *err)
{
	_cleanup_(buffer_fini) struct buffer cleared = { 0 };
	int status;

	if (!c->watch.begin_ns)
		c->watch.begin_ns = c->diagnosis.input.begin_ns;
	status = diagnosis_run(&c->diagnosis, err);
	finding_tracker_end(&c->diagnosis.tracker, &cleared);
	if (!status && causes_find(&c->causes, &c->diagnosis, NULL))
		status = error_no_memory(err);
	if (!status && takes_answers(c)) {
		for (size_t i = 0; i < c->causes.sick; i++)
			keep_answer(c, &c->causes.all[i]);
		status = pass_answers(c, false, err);
	}
	if (!status && has_rows(c))
		status = emit_changes(c, &cleared, err);
	causes_fini(&c->causes);
	return status;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	const unsigned char *taken = batch->data, *last = batch->data + batch->size;
	struct finding_changes *c = state;
	struct diagnosis_input *input = &c->diagnosis.input;
	int status = 0;

	batch_for_each (r, batch) {
		const unsigned char *end = (const unsigned char *)r + record_bytes(r);

		if (status || !is_over(c, r))
			continue;
		diagnosis_input_add_batch(input, &(struct batch){ taken, (size_t)(end - taken) });
		taken = end;
		status = run_diagnosis(c, err);
		diagnosis_forget(&c->diagnosis);
		diagnosis_input_next_interval(input);
	}
	if (taken < last)
		diagnosis_input_add_batch(input, &(struct batch){ taken, (size_t)(last - taken) });
	return status;
}

/* The rest of the last interval is diagnosed as well. */
static int finish(void *state, struct sooth_error *err)
{
	struct finding_changes *c = state;
	int status = run_diagnosis(c, err);

	if (!status && takes_answers(c))
		return pass_answers(c, true, err);
	return status ?: findings_emit_watch(c->output, &c->diagnosis, &c->watch, err);
}

static void fini(void *state)
{
	struct finding_changes *c = state;

	diagnosis_fini(&c->diagnosis);
	map_for_each_value (&c->raised, void *, row)
		buffer_fini(row);
	map_for_each_value (&c->answers, void *, record)
		buffer_fini(record);
	map_fini(&c->raised);
	map_fini(&c->answers);
}

static const struct sooth_schema *const tables[] = { &finding_change_schema, NULL };

const struct stage_type stage_finding_changes = {
	.name = "finding-changes",
	.help = "findings when they are raised and cleared",
	.shows = "proc",
	.tables = tables,
	STAGE_FUNCTIONS(struct finding_changes),
};
