/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_span.h"

#include <assert.h>

#include "analyze/answer/answer_name.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/answer_records.h"

#define LONG_NS (600 * NS_PER_S)

static struct span subject_name_of(const struct process_table *t, const struct process_entry *p)
{
	struct span server = p ? process_table_text(t, &p->role_name) : span_of("", 0);

	return server.size || !p ? server
				 : process_table_field(&p->process->record, &p->process->name);
}

void answer_span_append(const struct cause *c, const struct diagnosis *s, struct buffer *out)
{
	assert(c);
	assert(c->finding);

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
	assert(kept);
	assert(kept->size >= sizeof(struct answer_span));
	return (void *)kept->data;
}

void answer_span_extend(struct buffer *kept, const struct finding_row *last)
{
	struct answer_span *span = span_in(kept);

	span->record.time_ns = last->last_seen_ns;
	span->end_utc_ns = last->last_utc_ns;
}

bool answer_span_is_over(struct buffer *kept, uint64_t now_ns, uint64_t silent_ns)
{
	struct answer_span *span = span_in(kept);

	span->is_cleared = span->record.time_ns + silent_ns <= now_ns;
	return span->is_cleared;
}

bool answer_span_is_long(const struct buffer *kept)
{
	const struct answer_span *span = span_in(kept);

	return span->record.time_ns - span->begin_ns >= LONG_NS;
}

void answer_span_begin_again(struct buffer *kept)
{
	struct answer_span *span = span_in(kept);

	span->begin_ns = span->record.time_ns;
	span->begin_utc_ns = span->end_utc_ns;
}
