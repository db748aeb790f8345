/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_history.h"

#include <stdio.h>
#include <string.h>

#include "analyze/records.h"
#include "base/hash.h"
#include "base/units.h"
#include "base/utf8.h"
#include "model/stream_records.h"

#define AGENTS_MAX   65536
#define LABELS_MAX   65536
#define PIECES_BYTES (64u << 20)
#define LEAST_ID     4 /* least characters of a session id */

struct agent_key {
	struct process_id id;
	uint64_t boot;
};

void phase_history_init(struct phase_history *h, const struct phase_selection *selection)
{
	*h = (struct phase_history){ .pieces = { .limit = PIECES_BYTES } };
	if (selection)
		h->selection = *selection;
	phase_answers_init(&h->answers);
	map_init(&h->agents, sizeof(struct agent_key), sizeof(struct phase_agent), AGENTS_MAX);
	map_init(&h->labels, sizeof(uint64_t), sizeof(struct phase_label), LABELS_MAX);
}

void phase_history_fini(struct phase_history *h)
{
	map_fini(&h->agents);
	map_fini(&h->labels);
	buffer_fini(&h->pieces);
	phase_answers_fini(&h->answers);
}

static void copy_text(
	char *out, size_t room, const struct sooth_record *r, const struct sooth_text *t)
{
	struct span text = record_text(r, t);

	snprintf(out, room, "%.*s", (int)utf8_cut(text.data, text.size, room - 1), text.data);
}

static void copy_known_text(char *to, const struct sooth_record *r, const struct sooth_text *t)
{
	if (record_text(r, t).size)
		copy_text(to, PHASE_TEXT, r, t);
}

static void set_end(struct phase_agent *a, const struct phase_span *p)
{
	a->end_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (!record_holds(&p->record, PHASE_SPAN_END))
		return; /* a record of an older monitor */
	a->end_state = p->end_state;
	copy_text(a->end, sizeof(a->end), &p->record, &p->end);
}

static struct phase_agent *agent_of(struct phase_history *h, const struct phase_span *p)
{
	struct agent_key key = { process_id_of(&p->record), h->boot };
	bool is_new;
	struct phase_agent *a = map_put(&h->agents, &key, &is_new);

	if (!a)
		return NULL;
	if (is_new) {
		a->number = (uint32_t)h->agents.count;
		a->pid = p->record.pid;
		a->start_ticks = p->record.start_ticks;
		a->end_state = SOOTH_STATE_ABSENT;
	}
	copy_known_text(a->agent, &p->record, &p->agent);
	copy_known_text(a->session, &p->record, &p->session);
	copy_known_text(a->project, &p->record, &p->project);
	copy_known_text(a->model, &p->record, &p->model);
	if (p->flags & PHASE_IS_LAST)
		set_end(a, p);
	return a;
}

static uint32_t label_of(struct phase_history *h, const struct phase_span *p)
{
	struct span name = record_text(&p->record, &p->name);
	struct span command = record_text(&p->record, &p->command);
	uint64_t hash = hash_bytes(
		hash_bytes(HASH_BEGIN, name.data, name.size), command.data, command.size);
	struct phase_label *l;
	bool is_new;

	if (!name.size && !command.size)
		return 0;
	l = map_put(&h->labels, &hash, &is_new);
	if (l && is_new) {
		l->number = (uint32_t)h->labels.count;
		copy_text(l->name, sizeof(l->name), &p->record, &p->name);
		copy_text(l->command, sizeof(l->command), &p->record, &p->command);
	}
	return l ? l->number : 0;
}

static uint8_t value_of_name(const struct sooth_names *names, struct span text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->names[i] && span_equal(text, names->names[i]))
			return (uint8_t)i;
	}
	return (uint8_t)names->count;
}

static bool is_selected(const struct phase_selection *s, const struct phase_agent *a)
{
	const char *which = s->which;
	uint64_t pid;

	if (!which)
		return true;
	if (parse_u64(which, &pid) && pid == a->pid)
		return true;
	return !strcmp(which, a->agent) || (a->project[0] && !strcmp(which, a->project)) ||
	       (strlen(which) >= LEAST_ID && !strncmp(which, a->session, strlen(which)));
}

static uint64_t part_of(uint64_t amount, double part)
{
	return part < 1 ? rounded_u64((double)amount * part) : amount;
}

/* Cuts a phase to the selected time; its use is assumed to be evenly spread. */
static bool clip_phase(struct phase_piece *p, const struct phase_selection *s)
{
	uint64_t whole = p->end_utc_ns - p->begin_utc_ns;
	double part;

	if (s->from_utc_ns > p->begin_utc_ns) {
		p->begin_utc_ns = s->from_utc_ns;
		p->flags |= PHASE_BEGINS;
	}
	if (s->to_utc_ns && s->to_utc_ns < p->end_utc_ns)
		p->end_utc_ns = s->to_utc_ns;
	if (p->end_utc_ns <= p->begin_utc_ns)
		return false;
	part = (double)(p->end_utc_ns - p->begin_utc_ns) / (double)whole;
	p->cpu_ns = part_of(p->cpu_ns, part);
	p->own_cpu_ns = part_of(p->own_cpu_ns, part);
	p->written_bytes = part_of(p->written_bytes, part);
	p->read_bytes = part_of(p->read_bytes, part);
	p->io_calls = part_of(p->io_calls, part);
	return true;
}

static void add_io(struct phase_piece *piece, const struct phase_span *p)
{
	piece->io_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (!record_holds(&p->record, PHASE_SPAN_IO))
		return; /* a record of an older monitor */
	piece->io_state = p->io_state;
	piece->read_bytes = p->read_bytes;
	piece->io_calls = p->io_calls;
}

static void add_span(struct phase_history *h, const struct phase_span *p)
{
	uint64_t length = p->record.time_ns - p->begin_ns;
	struct span state = record_text(&p->record, &p->state);
	struct span source = record_text(&p->record, &p->source);
	struct phase_piece piece = { .end_utc_ns = p->end_utc_ns,
		.begin_utc_ns = p->end_utc_ns - length,
		.cpu_ns = p->cpu_ns,
		.own_cpu_ns = p->own_cpu_ns,
		.rss_bytes = p->rss_bytes,
		.written_bytes = p->written_bytes,
		.input_tokens = p->input_tokens,
		.output_tokens = p->output_tokens,
		.context_tokens = p->context_tokens,
		.turns = p->turns,
		.flags = p->flags,
		.cpu_state = p->cpu_state,
		.written_state = p->written_state,
		.tokens_state = p->tokens_state,
		.context_state = p->context_state };
	const struct phase_agent *a;

	add_io(&piece, p);
	if (p->record.time_ns <= p->begin_ns || length > p->end_utc_ns)
		return;
	if (!h->first_utc_ns || piece.begin_utc_ns < h->first_utc_ns)
		h->first_utc_ns = piece.begin_utc_ns;
	if (!clip_phase(&piece, &h->selection))
		return;
	a = agent_of(h, p);
	if (!a || !is_selected(&h->selection, a)) {
		h->refused += !a;
		return;
	}
	piece.agent = a->number;
	piece.label = label_of(h, p);
	piece.state = value_of_name(&activity_state_names, state);
	piece.state = piece.state < ACTIVITY_STATES ? piece.state : ACTIVITY_UNKNOWN;
	piece.source = value_of_name(&activity_source_names, source);
	piece.confidence =
		value_of_name(&activity_confidence_names, record_text(&p->record, &p->confidence));
	piece.source_state = source.size && piece.source < ACTIVITY_SOURCES &&
					     piece.confidence < ACTIVITY_CONFIDENCES
				     ? SOOTH_STATE_VALUE
				     : SOOTH_STATE_ABSENT;
	buffer_append(&h->pieces, &piece, sizeof(piece));
	if (!buffer_failed(&h->pieces))
		return;
	/* Full: drop the older half. */
	h->pieces.failed = false;
	h->refused += h->pieces.size / 2 / sizeof(piece);
	buffer_consume(&h->pieces, h->pieces.size / 2 / sizeof(piece) * sizeof(piece));
	buffer_append(&h->pieces, &piece, sizeof(piece));
}

static void add_answer(struct phase_history *h, const struct answer_span *span)
{
	const struct phase_selection *s = &h->selection;
	struct phase_agent a = { .pid = span->record.pid };

	copy_known_text(a.agent, &span->record, &span->agent);
	copy_known_text(a.session, &span->record, &span->session);
	copy_known_text(a.project, &span->record, &span->project);
	if (is_selected(s, &a) && span->end_utc_ns >= s->from_utc_ns &&
		(!s->to_utc_ns || span->begin_utc_ns <= s->to_utc_ns))
		phase_answers_add(&h->answers, span, h->boot);
}

void phase_history_add_record(struct phase_history *h, const struct sooth_record *r)
{
	const struct answer_span *answer = record_as(r, ANSWER_SPAN, ANSWER_SPAN_LEAST);
	const struct stream_segment *segment = record_as(r, STREAM_SEGMENT, sizeof(*segment));
	const struct phase_span *span = record_as(r, PHASE_SPAN, PHASE_SPAN_LEAST);

	if (segment) {
		struct span boot = record_text(r, &segment->boot_id);

		h->boot = hash_bytes(HASH_BEGIN, boot.data, boot.size);
	} else if (span) {
		add_span(h, span);
	} else if (answer) {
		add_answer(h, answer);
	}
}

const struct phase_label *phase_label_of(const struct phase_history *h, uint32_t number)
{
	static const struct phase_label none;
	size_t position = 0;
	void *value;

	/* Labels are never removed, so the number is the place. */
	if (!number || number > h->labels.count)
		return &none;
	position = number - 1;
	return map_next(&h->labels, &position, NULL, &value) ? value : &none;
}

const char *phase_label_text(const struct phase_label *l)
{
	return *l->command ? l->command : l->name;
}
