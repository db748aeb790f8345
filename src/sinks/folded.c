/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form that flamegraph tools read: of each row its first text and its first number, a blank
 * between. Rows that are frames below each other become the lines of their stacks. Without
 * notes: readers of it take nothing else. Rows of a section that has not both are left out.
 *
 * A frame's line comes when all below it has been seen, because only then is known what it held
 * alone. Times are in microseconds, as flamegraph tools expect.
 */
#include "base/escape.h"
#include "base/units.h"
#include "explain/sink.h"
#include "sinks/graph_fields.h"
#include "sinks/tabular.h"

#define FOLDED_DEPTH_MAX 1024
#define FOLDED_NUMBERS	 2 /* a comparison has two */

struct folded_frame {
	size_t end;			/* of its name in the path */
	uint64_t total[FOLDED_NUMBERS]; /* with what is below it */
	uint64_t told[FOLDED_NUMBERS];	/* of that, what its lower frames had */
};

struct folded_stacks {
	const struct sooth_field *name, *depth,
		*numbers[FOLDED_NUMBERS]; /* the second may be NULL */
	struct buffer path;
	struct folded_frame frames[FOLDED_DEPTH_MAX];
	size_t count;
	uint64_t too_deep;
};

struct folded_sink {
	struct tabular lines;
	const struct sooth_field *text, *number; /* of the open section; NULL: it has none */
	struct folded_stacks stacks;
	bool has_stacks; /* the open section */
};

/* --- stacks --- */

/* False: the section has no such rows. */
static bool stacks_begin(struct folded_stacks *f, const struct section *section)
{
	const struct section_graph *graph = section->graph;

	f->count = 0;
	buffer_reset(&f->path);
	if (!graph)
		return false;
	f->name = graph_field(section, section->tree);
	f->depth = graph_field(section, section->depth);
	f->numbers[0] = graph_field(section, graph->before ? graph->before : graph->weight);
	f->numbers[1] = graph->before ? graph_field(section, graph->after) : NULL;
	return f->name && f->depth && f->numbers[0];
}

/* Frames are divided by ";". */
static void put_name(struct buffer *path, const struct sooth_value *name)
{
	size_t at;

	if (path->size)
		buffer_char(path, ';');
	at = path->size;
	if (name->state > SOOTH_STATE_TRUNCATED || !name->text.size)
		buffer_char(path, '?');
	else
		escape_terminal(path, name->text.data, name->text.size);
	for (; !buffer_failed(path) && at < path->size; at++) {
		if (path->data[at] == ';')
			path->data[at] = ':';
	}
}

static uint64_t written(const struct sooth_field *field, uint64_t number)
{
	return field->unit == SOOTH_UNIT_NS ? (number + NS_PER_US / 2) / NS_PER_US : number;
}

static void put_line(struct folded_stacks *f, const struct folded_frame *frame, struct buffer *out)
{
	uint64_t alone[FOLDED_NUMBERS] = { 0 };
	bool is_any = false;

	for (size_t i = 0; i < FOLDED_NUMBERS && f->numbers[i]; i++) {
		if (frame->total[i] > frame->told[i])
			alone[i] = written(f->numbers[i], frame->total[i] - frame->told[i]);
		is_any |= alone[i] != 0;
	}
	if (!is_any)
		return;
	buffer_append(out, f->path.data, frame->end);
	for (size_t i = 0; i < FOLDED_NUMBERS && f->numbers[i]; i++) {
		buffer_char(out, ' ');
		buffer_u64(out, alone[i]);
	}
	buffer_char(out, '\n');
}

/* Frames down to that depth are done. */
static void close_frames(struct folded_stacks *f, size_t depth, struct buffer *out)
{
	while (f->count > depth) {
		struct folded_frame *frame = &f->frames[--f->count];

		put_line(f, frame, out);
		for (size_t i = 0; i < FOLDED_NUMBERS && f->count; i++)
			frame[-1].told[i] += frame->total[i];
		f->path.size = f->count ? frame[-1].end : 0;
	}
}

static void stacks_row(struct folded_stacks *f, const struct sooth_record *row, struct buffer *out)
{
	struct sooth_value name = sooth_field_get(f->name, row);
	uint64_t depth = graph_number(f->depth, row);
	struct folded_frame *frame;

	if (depth >= FOLDED_DEPTH_MAX) {
		f->too_deep++;
		return; /* what it holds stands with the frame above it */
	}
	close_frames(f, depth < f->count ? depth : f->count, out);
	put_name(&f->path, &name);
	frame = &f->frames[f->count++];
	*frame = (struct folded_frame){ .end = f->path.size };
	for (size_t i = 0; i < FOLDED_NUMBERS; i++)
		frame->total[i] = graph_number(f->numbers[i], row);
}

static void stacks_end(struct folded_stacks *f, struct buffer *out)
{
	close_frames(f, 0, out);
	if (buffer_failed(&f->path))
		out->failed = true;
}

static void stacks_fini(struct folded_stacks *f)
{
	buffer_fini(&f->path);
}

/* --- the sink --- */

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct folded_sink *s = state;

	(void)err;
	tabular_open(&s->lines, options->stream, "write stacks");
	return 0;
}

static const struct sooth_field *first_of(
	const struct sooth_schema *schema, enum sooth_field_type type)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].type == type)
			return &schema->fields[i];
	}
	return NULL;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct folded_sink *s = state;

	(void)err;
	s->has_stacks = stacks_begin(&s->stacks, section);
	s->text = first_of(section->schema, SOOTH_FIELD_TEXT);
	s->number = first_of(section->schema, SOOTH_FIELD_UNSIGNED);
	return 0;
}

static void write_row(struct folded_sink *s, const struct sooth_record *r)
{
	struct sooth_value text = sooth_field_get(s->text, r);
	struct sooth_value number = sooth_field_get(s->number, r);

	if (text.state > SOOTH_STATE_TRUNCATED || number.state != SOOTH_STATE_VALUE)
		return;
	escape_terminal(&s->lines.bytes, text.text.data, text.text.size);
	buffer_char(&s->lines.bytes, ' ');
	buffer_u64(&s->lines.bytes, number.u);
	buffer_char(&s->lines.bytes, '\n');
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct folded_sink *s = state;

	if (section->is_last || !s->text || !s->number)
		return 0;
	batch_for_each (r, batch) {
		if (s->has_stacks)
			stacks_row(&s->stacks, r, &s->lines.bytes);
		else
			write_row(s, r);
	}
	return tabular_write(&s->lines, err);
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct folded_sink *s = state;

	(void)section;
	if (!s->has_stacks)
		return 0;
	stacks_end(&s->stacks, &s->lines.bytes);
	return tabular_write(&s->lines, err);
}

static int end(void *state, struct sooth_error *err)
{
	struct folded_sink *s = state;

	return tabular_flush(&s->lines, err);
}

static void close_sink(void *state)
{
	struct folded_sink *s = state;

	stacks_fini(&s->stacks);
	tabular_fini(&s->lines);
}

const struct sink_type sink_folded = {
	.name = "folded",
	.help = "folded stacks for flamegraph tools: stack and weight per line",
	.is_of_stacks = true,
	.state_size = sizeof(struct folded_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};
