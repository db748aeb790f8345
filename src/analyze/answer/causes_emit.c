/* SPDX-License-Identifier: BSD-2-Clause */
/* The causes as rows, for programs. */
#include "analyze/answer/causes.h"

#include <assert.h>
#include <string.h>

#include "analyze/answer/answer_parts.h"
#include "analyze/answer/answer_name.h"
#include "analyze/answer/answer_waits.h"
#include "analyze/records.h"
#include "base/cleanup.h"

#define BETWEEN_MOST  16     /* most victims per cause that were not selected */
#define VICTIMS_BYTES 300000 /* the row has to fit into one record */

/* Returns the process behind the wait of the finding; NULL: the process itself, or unknown. The
 * claim has to name it, because another thread than that of the finding may wait for something
 * else. */
static const struct process_entry *culprit_of(const struct cause *c, const struct diagnosis *s)
{
	_cleanup_(buffer_fini) struct buffer claim = { 0 }, name = { 0 };
	const struct process_entry *p = NULL;
	struct answer_wait wait;

	if (!c->finding || c->is_root || !diagnosis_type_of(c->finding)->is_of_holder)
		return NULL;
	answer_wait_find(s, c->of, &wait);
	answer_claim(c->finding, &claim);
	for (unsigned i = wait.through_count; i-- > 0 && !p;) {
		buffer_reset(&name);
		buffer_format(&name, "(%u)", wait.through[i]);
		if (strstr(buffer_cstr(&claim), buffer_cstr(&name)))
			p = process_table_find(&s->input.host.process_table, wait.through[i]);
	}
	return p && p->is_there ? p : NULL;
}

static void add_process(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct finding_concerned_row row = { .record = row_head(&j->id),
		.pid_state = state_if(!j->is_host) };
	_cleanup_(buffer_fini) struct buffer name = { 0 };

	answer_name(s, j, &name);
	struct record_tail tail[] = { tail_buffer(&row.words, &name) };
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

static void add_entry(const struct diagnosis *s, const struct process_entry *p, struct buffer *out)
{
	struct diagnosed j = { .id = p->id, .process = p };

	add_process(s, &j, out);
}

struct between {
	uint32_t pids[BETWEEN_MOST];
	unsigned count;
};

static bool is_named(const struct between *b, const struct cause *c, uint32_t pid)
{
	bool result = c->of->id.pid == pid;

	for (unsigned i = 0; i < b->count && !result; i++)
		result = b->pids[i] == pid;
	for (size_t i = 0; i < c->victim_count && !result; i++)
		result = c->victims[i]->id.pid == pid;
	return result;
}

/* Appends the processes between a victim and the subject that were not selected. */
static void add_between(struct between *b, const struct cause *c, const struct diagnosis *s,
	const struct diagnosed *victim, uint32_t subject, struct buffer *out)
{
	const struct process_entry *p;
	struct answer_wait wait;
	unsigned end = 0;

	answer_wait_find(s, victim, &wait);
	while (end < wait.through_count && wait.through[end] != subject)
		end++;
	for (unsigned i = 0; i < end && end < wait.through_count && b->count < BETWEEN_MOST; i++) {
		if (is_named(b, c, wait.through[i]))
			continue;
		b->pids[b->count++] = wait.through[i];
		p = process_table_find(&s->input.host.process_table, wait.through[i]);
		if (p)
			add_entry(s, p, out);
	}
}

/* Appends the subject, and the processes that wait for it. */
static void add_concerned(const struct cause *c, const struct diagnosis *s, struct buffer *subject,
	struct buffer *victims)
{
	const struct process_entry *culprit = culprit_of(c, s);
	uint32_t pid = culprit ? culprit->id.pid : c->of->id.pid;
	struct between b = { 0 };

	if (culprit) {
		add_entry(s, culprit, subject);
		add_process(s, c->of, victims);
		add_between(&b, c, s, c->of, pid, victims);
	} else {
		add_process(s, c->of, subject);
	}
	for (size_t i = 0; i < c->victim_count && victims->size < VICTIMS_BYTES; i++) {
		if (c->victims[i]->id.pid != pid)
			add_process(s, c->victims[i], victims);
		add_between(&b, c, s, c->victims[i], pid, victims);
	}
}

/* Appends all findings but the worst: "fd-leak: leaks descriptors: 41 more". */
static void add_effects(const struct cause *c, struct buffer *out)
{
	rows_for_each (struct finding_row, f, &c->of->findings) {
		struct span id = record_text(&f->record, &f->id);

		if (!c->finding || f == c->finding)
			continue;
		buffer_format(out, "%.*s: ", SPAN_ARGS(id));
		answer_claim(f, out);
		buffer_char(out, '\0');
	}
}

struct row_parts {
	struct buffer words, subject, victims, effects, remedy;
};

static void row_parts_find(struct row_parts *p, const struct cause *c, const struct diagnosis *s)
{
	struct span remedy =
		c->finding ? record_text(&c->finding->record, &c->finding->remedy) : span_of("", 0);

	cause_put(c, s, &p->words);
	add_concerned(c, s, &p->subject, &p->victims);
	add_effects(c, &p->effects);
	buffer_append(&p->remedy, remedy.data, remedy.size);
	if (!c->finding)
		answer_way_out(s, c->of, &p->remedy);
}

static void row_parts_fini(struct row_parts *p)
{
	buffer_fini(&p->words);
	buffer_fini(&p->subject);
	buffer_fini(&p->victims);
	buffer_fini(&p->effects);
	buffer_fini(&p->remedy);
}

static enum finding_confidence confidence_of(const struct answer_wait *wait)
{
	return wait->confidence == WAITS_HIGH	  ? FINDING_CONFIDENCE_HIGH
	       : wait->confidence == WAITS_MEDIUM ? FINDING_CONFIDENCE_MEDIUM
						  : FINDING_CONFIDENCE_LOW;
}

static const char *id_of_wait(const struct diagnosis *s, const struct diagnosed *j)
{
	return answer_needs_user(s, j)	     ? "needs-user"
	       : answer_tells_activity(s, j) ? "activity"
					     : "wait";
}

/* Returns what the wait ends at: that of a session by its activity, or by its tool's wait. */
static enum answer_root root_of(
	const struct diagnosis *s, const struct cause *c, enum answer_root of_chain)
{
	const struct finding_type *type = c->finding ? diagnosis_type_of(c->finding) : NULL;
	uint32_t tool = c->finding ? 0 : answer_tool(s, c->of);
	struct answer_wait wait = { 0 };

	if (type && type->tells_answer)
		return ROOT_PEER;
	if (c->finding)
		return answer_is_about_wait(c->finding) ? of_chain : ROOT_NONE;
	if (answer_awaits_model(s, c->of))
		return ROOT_PEER;
	if (answer_needs_user(s, c->of))
		return ROOT_USER;
	for (size_t i = 1; i < s->count && tool; i++) {
		if (s->all[i].id.pid == tool)
			answer_wait_find(s, &s->all[i], &wait);
	}
	return answer_tells_activity(s, c->of) ? wait.kind : of_chain;
}

static uint64_t age_of(const struct cause *c, const struct diagnosis *s, uint64_t waited_ns)
{
	return !c->finding			  ? answer_activity_since(s, c->of, waited_ns)
	       : answer_is_about_wait(c->finding) ? waited_ns
						  : 0;
}

uint64_t cause_age_ns(const struct cause *c, const struct diagnosis *s)
{
	struct answer_wait wait;

	answer_wait_find(s, c->of, &wait);
	return age_of(c, s, wait.since_ns);
}

/* Rates a cause. A wait that may still end is information, with its confidence. */
static void rate_cause(
	struct finding_cause_row *row, const struct diagnosis *s, const struct cause *c)
{
	const struct finding_row *f = c->finding;
	uint64_t now = host_state_utc(&s->input.host), since;
	struct answer_wait wait;

	answer_wait_find(s, c->of, &wait);
	since = age_of(c, s, wait.since_ns);
	row->severity = f ? f->severity : FINDING_INFO;
	row->confidence = f ? f->confidence : (uint8_t)confidence_of(&wait);
	row->since_utc_ns = now > since ? now - since : 0;
	row->since_state = state_if(since && now);
	row->root = (uint8_t)root_of(s, c, wait.kind);
	row->root_state = state_if(row->root);
}

static int emit_cause(struct output *output, const struct diagnosis *s, const struct cause *c,
	struct sooth_error *err)
{
	const struct finding_row *f = c->finding;
	struct finding_cause_row row = { .record = row_head(&c->of->id) };
	struct row_parts p = { 0 };
	int status;

	rate_cause(&row, s, c);
	row_parts_find(&p, c, s);
	row.remedy_state = state_if(p.remedy.size);
	struct record_tail tail[] = {
		tail_buffer(&row.subject, &p.subject),
		tail_buffer(&row.victims, &p.victims),
		tail_span(
			&row.evidence, f ? record_text(&f->record, &f->evidence) : span_of("", 0)),
		f ? tail_span(&row.id, record_text(&f->record, &f->id))
		  : tail_string(&row.id, id_of_wait(s, c->of)),
		tail_buffer(&row.words, &p.words),
		tail_buffer(&row.remedy, &p.remedy),
		tail_buffer(&row.effects, &p.effects),
	};
	status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	row_parts_fini(&p);
	return status;
}

int causes_emit(struct output *output, const struct diagnosis *s, const struct causes *c,
	struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("answers", finding_cause_schema, TABLE, .audience = SECTION_DETAIL);
	int status = output_section(output, &section, err);

	assert(c);
	for (size_t i = 0; i < c->count && !status; i++)
		status = emit_cause(output, s, &c->all[i], err);
	return status;
}
