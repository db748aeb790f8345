/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects the records of a time range of a capture. */
#include "explain/time_range.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "model/probe.h"
#include "model/row_list.h"
#include "model/schema.h"

/* --- asking --- */

int time_range_ask(struct time_range *p, int64_t from_ns, int64_t to_ns, struct sooth_error *err)
{
	/* Their order is known now, unless only one of them counts from the end. */
	if ((from_ns < 0) == (to_ns < 0) && from_ns >= to_ns) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "select a time range");
		error_why(err, "the range ends before it starts");
		return error_remedy(err, "give a --from earlier than --to");
	}
	p->is_requested = true;
	p->requested_from_ns = from_ns;
	p->requested_to_ns = to_ns;
	return 0;
}

bool time_range_needs_end(const struct time_range *p)
{
	return p->is_requested && (p->requested_from_ns < 0 || p->requested_to_ns < 0);
}

/* Returns the time of an edge. If it would be before the begin, the edge is the begin. */
static uint64_t border_ns(const struct time_range *p, int64_t asked_ns)
{
	uint64_t before;

	if (asked_ns >= 0)
		return (uint64_t)asked_ns > UINT64_MAX - p->begin_ns
			       ? UINT64_MAX
			       : p->begin_ns + (uint64_t)asked_ns;
	before = (uint64_t)-asked_ns;
	return before < p->end_ns - p->begin_ns ? p->end_ns - before : p->begin_ns;
}

static void resolve_range(struct time_range *p)
{
	if (p->is_known || !p->begin_ns || (time_range_needs_end(p) && p->end_ns < p->begin_ns))
		return;
	p->is_known = true;
	/* A range from the begin on also has the records of the preparation. */
	p->from_ns = p->requested_from_ns ? border_ns(p, p->requested_from_ns) : 0;
	p->to_ns = p->requested_to_ns == TIME_RANGE_OPEN ? UINT64_MAX
							 : border_ns(p, p->requested_to_ns);
}

void time_range_learn(struct time_range *p, const struct survey *s)
{
	if (!s->begin_ns)
		return;
	p->begin_ns = s->begin_ns;
	p->end_ns = s->end_ns ? s->end_ns : s->last_ns;
	p->has_end = s->end_ns != 0;
	p->is_resolved = true;
	resolve_range(p);
}

void part_end(struct time_range *p)
{
	p->is_resolved = true;
}

/* --- records --- */

static enum sooth_time_span time_span_of(uint16_t kind)
{
	const struct sooth_schema *schema = registry_schema(kind);

	if (kind & KIND_DEFINITION)
		return SOOTH_TIME_SPAN_RUN;
	return schema ? schema->time_span : SOOTH_TIME_SPAN_MOMENT;
}

/* Returns the begin of a record's time span; all kinds with one have it in the same place. */
static uint64_t since_of(const struct sooth_record *r)
{
	uint64_t since_ns;

	if (!record_holds(r, sizeof(*r) + sizeof(since_ns)))
		return r->time_ns;
	memcpy(&since_ns, r + 1, sizeof(since_ns));
	return since_ns < r->time_ns ? since_ns : r->time_ns;
}

bool time_range_classify(const struct sooth_record *r, uint64_t *since_ns)
{
	assert(r);
	switch (time_span_of(r->kind)) {
	case SOOTH_TIME_SPAN_RUN:
		return true;
	case SOOTH_TIME_SPAN_WINDOW:
	case SOOTH_TIME_SPAN_REACH:
		*since_ns = since_of(r);
		return false;
	default:
		return false;
	}
}

bool time_range_wants(void *user, const struct index_entry *e)
{
	const struct time_range *p = user;

	return e->flags & (INDEX_LASTS | INDEX_NOTES) ||
	       (e->last_ns >= p->from_ns && e->since_ns < p->to_ns);
}

/* Returns where the kind of a record lies to the range. Records of one kind come in runs, so the
 * last result is kept. */
static enum sooth_time_span classify_record(struct time_range *p, const struct sooth_record *r)
{
	if (r->kind != p->kind) {
		p->kind = r->kind;
		p->time_span = time_span_of(r->kind);
	}
	return p->time_span;
}

static bool keeps_window(struct time_range *p, const struct sooth_record *r)
{
	uint64_t since_ns = since_of(r);
	bool is_inside = since_ns >= p->from_ns && r->time_ns < p->to_ns;

	p->left_out += !is_inside && r->time_ns >= p->from_ns && since_ns < p->to_ns;
	return is_inside;
}

static bool keeps_record(struct time_range *p, const struct sooth_record *r)
{
	enum sooth_time_span time_span = classify_record(p, r);

	/* Before the begin is known, no record of the range can have come. */
	if (!p->is_known)
		return time_span == SOOTH_TIME_SPAN_RUN || !p->requested_from_ns;
	if (r->kind & KIND_DEFINITION)
		return r->time_ns < p->to_ns;
	switch (time_span) {
	case SOOTH_TIME_SPAN_RUN:
		return true;
	case SOOTH_TIME_SPAN_WINDOW:
		return keeps_window(p, r);
	case SOOTH_TIME_SPAN_REACH:
		return r->time_ns >= p->from_ns && since_of(r) < p->to_ns;
	default:
		return r->time_ns >= p->from_ns && r->time_ns < p->to_ns;
	}
}

static void note_records_at_borders(struct time_range *p, const struct sooth_record *r)
{
	if (r->kind == STREAM_BEGIN && !p->begin_ns) {
		p->begin_ns = r->time_ns;
		resolve_range(p);
	} else if (r->kind == STREAM_END) {
		p->has_end = true;
		p->end_ns = r->time_ns;
	} else if (!p->has_end && r->time_ns > p->end_ns) {
		p->end_ns = r->time_ns;
	}
}

/* Moves start and end of the recording to the edges of the range, and records about the whole
 * recording into it, so that the latest record is still the end. */
static void move_inside(const struct time_range *p, struct sooth_record *r)
{
	if (!p->is_known || r->time_ns < p->begin_ns ||
		(r->kind & KIND_DEFINITION && r->kind != STREAM_BEGIN))
		return;
	if (r->time_ns < p->from_ns)
		r->time_ns = p->from_ns;
	if (r->time_ns > p->to_ns)
		r->time_ns = p->to_ns;
}

struct batch time_range_select(struct time_range *p, const struct batch *batch)
{
	if (!p->is_requested)
		return *batch;
	buffer_reset(&p->kept);
	batch_for_each (r, batch) {
		size_t at = p->kept.size;

		note_records_at_borders(p, r);
		if (!keeps_record(p, r))
			continue;
		buffer_append(&p->kept, r, record_bytes(r));
		if (!buffer_failed(&p->kept))
			move_inside(p, (void *)(p->kept.data + at));
	}
	return (struct batch){ p->kept.data, p->kept.size };
}

/* --- output --- */

#define PART_ROW(F, S)                                                                             \
	F(S, U64, from_ns, ALWAYS, "start of the selected range, from the start of the recording", \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, to_ns, ALWAYS, "end of the selected range, from the start of the recording",     \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, whole_ns, capture_ns, ALWAYS, "total length of the capture",              \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, left_out, MAYBE(left_out_state),                                                 \
		"number of records left out because their time window is only partly in the "      \
		"range")

ROW_STRUCT(part_row, PART_ROW);
ROW_SCHEMA(part, PART_ROW, "range", part_row,
	.line = "[time range: {from_ns} to {to_ns} of {capture_ns}][; left out: {left_out count} "
		"across its edges]");

static const struct section part_section =
	SECTION_OF("range", part_schema, OBJECT, .is_last = true);

int time_range_check(const struct time_range *p, struct sooth_error *err)
{
	char length[UNITS_SIZE];

	if (!p->is_requested || (p->is_known && p->from_ns < p->to_ns && p->from_ns <= p->end_ns))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "select this time range");
	if (!p->begin_ns)
		error_why(err, "the capture file ends before the first recorded data");
	else if (!p->is_known)
		error_why(err,
			"the input is a pipe: its end is unknown until sooth has read everything");
	else if (p->from_ns >= p->to_ns)
		error_why(err, "the range ends before it starts: the capture covers %s",
			format_ns(length, p->end_ns - p->begin_ns));
	else
		error_why(err, "the capture covers %s only",
			format_ns(length, p->end_ns - p->begin_ns));
	return error_remedy(err, "`sooth report --info FILE` prints its length");
}

static struct part_row row_of(const struct time_range *p)
{
	uint64_t end_ns = p->to_ns < p->end_ns ? p->to_ns : p->end_ns;

	return (struct part_row){
		.from_ns = p->from_ns > p->begin_ns ? p->from_ns - p->begin_ns : 0,
		.to_ns = end_ns - p->begin_ns,
		.whole_ns = p->end_ns - p->begin_ns,
		.left_out = p->left_out,
		.left_out_state = state_if(p->left_out),
	};
}

int time_range_emit(const struct time_range *p, struct output *output, struct sooth_error *err)
{
	struct part_row row = row_of(p);
	int status;

	if (!p->is_requested || !p->is_known || !p->is_resolved)
		return 0;
	status = OUTPUT_OBJECT(output, &part_section, &row, NULL, 0, err);
	return status ? status : output_close_section(output, err);
}

void time_range_loss_line(const struct time_range *p, struct buffer *lines)
{
	struct part_row row = row_of(p);
	struct buffer record = { 0 };
	struct line_plan plan;

	if (!p->is_requested || !p->is_known || !p->is_resolved || !p->left_out)
		return;
	RECORD_APPEND(&record, &row, NULL, 0);
	line_plan(&plan, &part_schema);
	line_format(lines, &plan, (const void *)record.data);
	buffer_char(lines, '\n');
	lines->failed |= buffer_failed(&record);
	buffer_fini(&record);
}

void time_range_fini(struct time_range *p)
{
	buffer_fini(&p->kept);
}
