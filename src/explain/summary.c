/* SPDX-License-Identifier: BSD-2-Clause */
/* The notes at the end of every report; see summary.h. */
#include "explain/summary.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/row_list.h"
#include "model/schema.h"

/* --- rows --- */

#define OBSERVATION_ROW(F, S)                                                                      \
	F(S, U64, interval_ns, MAYBE(interval_state), "length of the recording",                   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, ENUM32, ended, end_reason, MAYBE(ended_state),                                 \
		"reason why the recording ended", .names = &ended_values)

ROW_STRUCT(observation_row, OBSERVATION_ROW);

#define ENDED_PART   (STREAM_END_STOPPED + 1) /* it went on beyond the range */
#define ENDED_UNREAD (STREAM_END_STOPPED + 2)

static const char *const ended_names[] = {
	[0] = "cut",
	[STREAM_END_DURATION] = "duration",
	[STREAM_END_TARGET] = "target ended",
	[STREAM_END_STOPPED] = "stopped",
	[ENDED_PART] = "end of the time range",
	[ENDED_UNREAD] = "not read to the end",
};
static const struct sooth_names ended_values = { ARRAY_SIZE(ended_names), ended_names };

static ROW_SCHEMA(observation, OBSERVATION_ROW, "run", observation_row,
	.line = "[observed for {interval_ns}, until: {end_reason}]");

/* Sources with one method that are not the best, for text that does not show the sources. */
#define FALLBACK_ROW(F, S)                                                                         \
	F(S, TEXT, probes, ALWAYS, "probes that do not use their best source")                     \
	F(S, TEXT, method, ALWAYS, "source used instead")                                          \
	F(S, TEXT, reason, ALWAYS, "reason why the best source was not used")

ROW_TABLE(fallback, FALLBACK_ROW, "fallback", fallback_row,
	.line = "fallback: {probes} by {method}: {reason}");

#define MARK_ROW(F, S)                                                                             \
	F(S, U64, at_ns, ALWAYS, "time of the mark, since the start of the recording",             \
		.label = "AT", .unit = SOOTH_UNIT_NS)                                              \
	F(S, TEXT, mark, ALWAYS, "phase, or pause and resume of the recording, or snapshot")       \
	F(S, TEXT, name, MAYBE(name_state), "name of the phase that begins")

ROW_TABLE(mark, MARK_ROW, "marks", mark_row, .line = "{mark} at {at_ns}[: {name}]");

static const struct sooth_schema *stream_schema_of(uint16_t kind)
{
	size_t i = 0;

	while (stream_schemas[i]->kind != kind)
		i++;
	return stream_schemas[i];
}

/* --- taking --- */

static bool is_same_note(const struct sooth_record *a, const struct sooth_record *b)
{
	/* A note consists of its texts, which begin at the same place. */
	size_t from =
		a->kind == STREAM_LOSS ? sizeof(struct stream_loss) : sizeof(struct stream_limit);

	return a->words == b->words && a->fixed_words == b->fixed_words && a->kind == b->kind &&
	       !memcmp((const char *)a + from, (const char *)b + from, record_bytes(a) - from);
}

static struct sooth_record *find_note(
	struct buffer *notes, const struct sooth_record *r, size_t *count)
{
	struct batch all = { notes->data, notes->size };

	*count = 0;
	batch_for_each (known, &all) {
		if (is_same_note(known, r))
			return (struct sooth_record *)known;
		++*count;
	}
	return NULL;
}

static void store_note(struct summary *s, struct buffer *notes, const struct sooth_record *r)
{
	size_t count;
	struct sooth_record *known = find_note(notes, r, &count);

	if (known && r->kind == STREAM_LOSS) {
		((struct stream_loss *)known)->records += ((const struct stream_loss *)r)->records;
		((struct stream_loss *)known)->bytes += ((const struct stream_loss *)r)->bytes;
	} else if (!known && count < SUMMARY_NOTES_MAX) {
		buffer_append(notes, r, record_bytes(r));
	} else if (!known) {
		s->notes_refused++;
	}
}

static void store_source(struct summary *s, const struct sooth_record *r)
{
	struct batch all = { s->sources.data, s->sources.size };
	size_t count = 0;

	batch_for_each (known, &all) {
		/* A definition repeated at the head of a segment; only its time may differ. */
		if (known->words == r->words &&
			!memcmp(known + 1, r + 1, record_bytes(r) - sizeof(*r)))
			return;
		count++;
	}
	if (count < SUMMARY_NOTES_MAX)
		buffer_append(&s->sources, r, record_bytes(r));
	else
		s->notes_refused++;
}

static void add_limit(struct summary *s, const char *what, const char *reason, const char *remedy)
{
	struct stream_limit limit = { .record = { .kind = STREAM_LIMIT } };
	struct record_tail tail[] = {
		{ &limit.what, what, strlen(what) },
		{ &limit.reason, reason, strlen(reason) },
		{ &limit.remedy, remedy, strlen(remedy) },
	};
	struct buffer one = { 0 };

	RECORD_APPEND(&one, &limit, tail, ARRAY_SIZE(tail));
	if (!one.failed)
		store_note(s, &s->limits, (const void *)one.data);
	buffer_fini(&one);
}

/* Stores the text of an agent. Refuses only a text that no collector writes: of a later format, or
 * damaged. */
static void store_agent(struct summary *s, const struct sooth_record *r)
{
	struct sooth_error err = { 0 };
	char what[sizeof(err.tried) + 32];

	if (!agent_set_add_record(&s->agents, r, &err))
		return;
	snprintf(what, sizeof(what), "an agent (%s)", err.tried);
	add_limit(s, what, err.why, err.remedy);
}

void summary_add_record(struct summary *s, const struct sooth_record *r)
{
	assert(s);
	assert(r);
	if (r->time_ns > s->last_ns)
		s->last_ns = r->time_ns;
	switch (r->kind) {
	case STREAM_SEGMENT:
		s->has_segment = true;
		if (record_holds(r, sizeof(struct stream_segment)) &&
			((const struct stream_segment *)r)->format > CAPTURE_FORMAT)
			s->is_newer = true;
		break;
	case STREAM_TARGET:
		buffer_reset(&s->target);
		buffer_append(&s->target, r, record_bytes(r));
		break;
	case STREAM_BEGIN:
		s->begin_ns = r->time_ns;
		break;
	case STREAM_SOURCE:
		if (record_holds(r, sizeof(struct stream_source)))
			store_source(s, r);
		break;
	case STREAM_AGENT:
		store_agent(s, r);
		break;
	case STREAM_LOSS:
		if (record_holds(r, sizeof(struct stream_loss)))
			store_note(s, &s->losses, r);
		break;
	case STREAM_LIMIT:
		if (record_holds(r, sizeof(struct stream_limit)))
			store_note(s, &s->limits, r);
		break;
	case STREAM_MARK:
		if (!record_holds(r, sizeof(struct stream_mark)))
			break;
		if (s->mark_count++ < SUMMARY_NOTES_MAX)
			buffer_append(&s->marks, r, record_bytes(r));
		else
			s->notes_refused++;
		break;
	case STREAM_END:
		if (!record_holds(r, sizeof(struct stream_end)))
			break;
		s->has_end = true;
		s->end_ns = r->time_ns;
		s->end_reason = ((const struct stream_end *)r)->reason;
		s->child_status = ((const struct stream_end *)r)->child_status;
		break;
	case STREAM_SELF:
		if (!record_holds(r, sizeof(struct stream_self)))
			break;
		memcpy(&s->self, r, sizeof(s->self));
		s->self.record.words = s->self.record.fixed_words =
			sizeof(s->self) / SOOTH_RECORD_WORD;
		s->has_self = true;
		break;
	}
}

static void add_loss(
	struct summary *s, const char *source, uint64_t records, uint64_t bytes, const char *reason)
{
	struct stream_loss loss = {
		.record = { .kind = STREAM_LOSS }, .records = records, .bytes = bytes
	};
	struct record_tail tail[] = {
		{ &loss.source, source, strlen(source) },
		{ &loss.reason, reason, strlen(reason) },
	};
	struct buffer one = { 0 };

	if (!records && !bytes)
		return;
	RECORD_APPEND(&one, &loss, tail, ARRAY_SIZE(tail));
	if (!one.failed)
		store_note(s, &s->losses, (const void *)one.data);
	buffer_fini(&one);
}

void summary_end_time_range(struct summary *s)
{
	const struct time_range *part = s->part;

	if (!part || !part->is_known)
		return;
	/* The interval ends with the time range, even if the capture was cut. */
	s->last_ns = part->to_ns < part->end_ns ? part->to_ns : part->end_ns;
	if (part->to_ns < part->end_ns)
		s->end_reason = ENDED_PART;
}

bool summary_is_cut(const struct summary *s)
{
	return s->has_segment && !s->has_end && s->end_reason != ENDED_PART && !s->is_unread;
}

void summary_losses(struct summary *s, const struct block_reader *reader, uint64_t late_records)
{
	if (reader) {
		add_loss(s, "capture", reader->damaged_records, 0, "damaged blocks were skipped");
		add_loss(s, "capture", 0, reader->damaged_bytes,
			"bytes that are not a block were skipped: how many records they "
			"held is not known");
		add_loss(s, "capture", 0, reader->cut_bytes,
			"the capture is cut off in the middle of a block");
	}
	if (s->is_snapshot && !s->has_end)
		add_limit(s, "what comes with the end of the recording",
			"the recording goes on: function names and the kernel's sums are written "
			"at its end",
			"");
	else if (s->has_segment && !s->has_end)
		add_limit(s, "the end of the recording",
			"the capture is cut off before the end of the recording",
			"the report covers the part before the cut");
	if (s->notes_refused)
		add_limit(s, "further notes",
			"sooth's table of notes is full: further notes are not kept", "");
	if (s->is_newer)
		add_limit(s, "members of a later format",
			"the capture was written by a newer version of sooth",
			"read the capture with a newer version of sooth");
	if (late_records)
		add_limit(s, "the exact order of some records", "some records arrived late", "");
	if (s->unknown_records)
		add_limit(s, "records of kinds unknown to this version of sooth",
			"a newer version wrote the capture",
			"read the capture with a newer version of sooth");
}

/* --- output --- */

static int emit_records(struct output *output, const struct section *section,
	struct buffer *records, struct sooth_error *err)
{
	struct batch all = { records->data, records->size };
	int status = output_section(output, section, err);

	batch_for_each (r, &all) {
		if (!status)
			status = output_record(output, r, err);
	}
	return status;
}

static int emit_observation(struct summary *s, struct output *output, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"run", observation_schema, INLINE, .audience = SECTION_DETAIL, .is_last = true);
	uint64_t end_ns = s->has_end ? s->end_ns : s->last_ns;
	struct observation_row row = {
		.interval_ns = s->begin_ns && end_ns > s->begin_ns ? end_ns - s->begin_ns : 0,
		.ended = s->end_reason,
		.interval_state = s->begin_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.ended_state = s->is_observation ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
	};
	int status = output_section(output, &section, err);

	if (s->is_unread && !s->has_end) {
		row.ended = ENDED_UNREAD;
		row.interval_state = SOOTH_STATE_ABSENT;
	}
	return status ? status : OUTPUT_ROW(output, &row, NULL, 0, err);
}

static int emit_self(struct summary *s, struct output *output, struct sooth_error *err)
{
	struct section section = { .name = "self",
		.schema = stream_schema_of(STREAM_SELF),
		.shape = SECTION_OBJECT,
		.audience = SECTION_DETAIL,
		.is_last = true,
		.if_empty = s->is_unread
				    ? "cost of sooth: unknown, the capture was not read to the end"
			    : s->is_snapshot ? "cost of sooth: known at the end of the recording"
			    : s->has_end     ? "cost of sooth: not recorded"
					 : "cost of sooth: not measured, the capture is cut off" };
	int status = output_section(output, &section, err);

	if (!status && s->has_self)
		status = output_record(output, &s->self.record, err);
	/* The section is on this stack, like those below, so it must end before the function
	 * returns. */
	return status ? status : output_close_section(output, err);
}

static struct span note_text(const struct sooth_record *r, const char *field)
{
	const struct sooth_schema *schema = stream_schema_of(r->kind);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, field), r);

	return v.state == SOOTH_STATE_VALUE ? span_of(v.text.data, v.text.size) : span_of("", 0);
}

static bool is_same_fallback(const struct sooth_record *a, const struct sooth_record *b)
{
	return !span_compare(note_text(a, "method"), note_text(b, "method")) &&
	       !span_compare(note_text(a, "fallback_reason"), note_text(b, "fallback_reason"));
}

/* Appends the probes of all sources with this fallback; none if an earlier source has the same. */
static void fallback_probes(
	const struct batch *all, const struct sooth_record *of, struct buffer *out)
{
	batch_for_each (r, all) {
		struct span probe = note_text(r, "probe");

		if (!is_same_fallback(r, of))
			continue;
		if (r < of)
			return;
		buffer_format(out, "%s%.*s", out->size ? ", " : "", SPAN_ARGS(probe));
	}
}

static int emit_fallbacks(struct summary *s, struct output *output, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("fallbacks", fallback_schema, TABLE,
		.audience = SECTION_BRIEF, .wraps = true, .is_last = true);
	struct batch all = { s->sources.data, s->sources.size };
	int status = output_section(output, &section, err);

	batch_for_each (r, &all) {
		struct span method = note_text(r, "method");
		struct span reason = note_text(r, "fallback_reason");
		struct fallback_row row = { 0 };
		struct buffer probes = { 0 };

		if (reason.size && !status)
			fallback_probes(&all, r, &probes);
		struct record_tail tail[] = {
			{ &row.probes, probes.data, probes.size },
			{ &row.method, method.data, method.size },
			{ &row.reason, reason.data, reason.size },
		};
		if (probes.size)
			status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
		buffer_fini(&probes);
	}
	return status ? status : output_close_section(output, err);
}

static const char *mark_text(const struct sooth_record *r)
{
	const struct sooth_field *field = sooth_schema_field(stream_schema_of(STREAM_MARK), "mark");
	uint32_t what = ((const struct stream_mark *)r)->what;

	return what < field->names->count && field->names->names[what] ? field->names->names[what]
								       : "unknown";
}

/* Emits the marks, in a section only if there are some. */
static int emit_marks(struct summary *s, struct output *output, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("marks", mark_schema, TABLE, .is_last = true);
	struct batch all = { s->marks.data, s->marks.size };
	int status = s->marks.size ? output_section(output, &section, err) : 0;

	batch_for_each (r, &all) {
		struct span mark = span_of_string(mark_text(r)), name = note_text(r, "name");
		struct mark_row row = { .name_state = name.size ? SOOTH_STATE_VALUE
								: SOOTH_STATE_ABSENT };
		struct record_tail tail[] = { { &row.mark, mark.data, mark.size },
			{ &row.name, name.data, name.size } };

		row.at_ns = r->time_ns > s->begin_ns ? r->time_ns - s->begin_ns : 0;
		if (!status)
			status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status || !s->marks.size ? status : output_close_section(output, err);
}

bool summary_has_probe(const struct summary *s, const char *probe)
{
	const struct sooth_schema *schema = stream_schema_of(STREAM_SOURCE);
	struct batch all = { s->sources.data, s->sources.size };

	batch_for_each (r, &all) {
		struct sooth_value v = sooth_field_get(sooth_schema_field(schema, "probe"), r);

		if (v.state == SOOTH_STATE_VALUE && v.text.size == strlen(probe) &&
			!memcmp(v.text.data, probe, v.text.size))
			return true;
	}
	return false;
}

/* Emits the limits. If a view's rows say what could not be observed, people see only limits that
 * they can do something about. */
static int emit_limits(struct summary *s, struct output *output, struct sooth_error *err)
{
	const struct section all = { .name = "limits",
		.schema = stream_schema_of(STREAM_LIMIT),
		.shape = SECTION_TABLE,
		.audience = s->are_gaps_reported ? SECTION_DETAIL : SECTION_FOR_ALL,
		.is_last = true };
	struct section brief = all;
	struct batch limits = { s->limits.data, s->limits.size };
	struct buffer useful = { 0 };
	int status = emit_records(output, &all, &s->limits, err);

	if (!status)
		status = output_close_section(output, err);
	if (status || !s->are_gaps_reported)
		return status;
	batch_for_each (r, &limits) {
		struct span remedy = note_text(r, "remedy");

		if (remedy.size && !(output_says_privilege(output, false) &&
					   memmem(remedy.data, remedy.size, "root", 4)))
			buffer_append(&useful, r, record_bytes(r));
	}
	brief.audience = SECTION_BRIEF;
	status = buffer_failed(&useful) ? error_no_memory(err)
					: emit_records(output, &brief, &useful, err);
	if (!status)
		status = output_close_section(output, err);
	buffer_fini(&useful);
	return status;
}

int summary_emit(struct summary *s, struct output *output, struct sooth_error *err)
{
	assert(s);

	const struct section sections[] = {
		{ .name = "target",
			.schema = stream_schema_of(STREAM_TARGET),
			.shape = SECTION_OBJECT,
			.audience = SECTION_DETAIL,
			.is_last = true },
		{ .name = "sources",
			.schema = stream_schema_of(STREAM_SOURCE),
			.shape = SECTION_TABLE,
			.audience = SECTION_DETAIL,
			.is_last = true },
		{ .name = "loss",
			.schema = stream_schema_of(STREAM_LOSS),
			.shape = SECTION_TABLE,
			.is_last = true,
			.if_empty = s->begin_ns && !s->is_unread ? "lost nothing" : NULL,
			.is_empty_detail = true },
	};
	struct buffer *records[] = { &s->target, &s->sources, &s->losses };
	struct batch noted = output_limits(output);
	int status;

	batch_for_each (r, &noted)
		store_note(s, &s->limits, r);
	status = emit_observation(s, output, err);
	if (!status && s->part)
		status = time_range_emit(s->part, output, err);
	if (!status)
		status = emit_marks(s, output, err);
	if (!status && !s->hides_fallbacks && !output_says_privilege(output, false))
		status = emit_fallbacks(s, output, err);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && !status; i++) {
		status = emit_records(output, &sections[i], records[i], err);
		if (!status)
			status = output_close_section(output, err);
	}
	if (!status)
		status = emit_limits(s, output, err);
	return status ? status : emit_self(s, output, err);
}

void summary_fini(struct summary *s)
{
	assert(s);
	buffer_fini(&s->target);
	buffer_fini(&s->sources);
	buffer_fini(&s->losses);
	buffer_fini(&s->limits);
	buffer_fini(&s->marks);
	agent_set_unref(s->agents);
}
