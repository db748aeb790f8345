/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folded format that flamegraph tools read. Each row becomes a line: its first text, a blank,
 * its first number. Rows that are nested frames become a line for each stack. The format has no
 * place for notes. A section that lacks a text or a number is left out.
 *
 * Times are in microseconds, as flamegraph tools expect.
 */
#include "base/escape.h"
#include "base/units.h"
#include "explain/sink.h"
#include "sinks/stack_walk.h"
#include "sinks/tabular.h"

struct folded_sink {
	struct tabular lines;
	const struct sooth_field *text, *number; /* fields of the open section; NULL: none */
	struct stack_walk walk;
	bool has_stacks; /* the open section */
};

/* --- stacks --- */

/* Writes a name without ";", which separates frames. */
static void put_name(struct buffer *out, struct span name)
{
	size_t at = out->size;

	stack_name_put(out, name);
	for (; !buffer_failed(out) && at < out->size; at++) {
		if (out->data[at] == ';')
			out->data[at] = ':';
	}
}

static uint64_t written_number(const struct sooth_field *field, uint64_t number)
{
	return field->unit == SOOTH_UNIT_NS ? (number + NS_PER_US / 2) / NS_PER_US : number;
}

static void put_stack(void *user, const struct stack_walk *w, const uint64_t own[STACK_NUMBERS])
{
	struct buffer *out = &((struct folded_sink *)user)->lines.bytes;
	uint64_t shown[STACK_NUMBERS] = { 0 };

	for (size_t i = 0; i < STACK_NUMBERS && w->numbers[i]; i++)
		shown[i] = written_number(w->numbers[i], own[i]);
	if (!shown[0] && !shown[1])
		return;
	for (size_t i = 0; i < w->count; i++) {
		if (i)
			buffer_char(out, ';');
		put_name(out, stack_walk_name(w, i));
	}
	for (size_t i = 0; i < STACK_NUMBERS && w->numbers[i]; i++) {
		buffer_char(out, ' ');
		buffer_u64(out, shown[i]);
	}
	buffer_char(out, '\n');
}

/* Begins a section of frames; a comparison has two numbers. False: its rows are no frames. */
static bool begin_stacks(struct folded_sink *s, const struct section *section)
{
	const struct section_graph *graph = section->graph;

	s->walk.take = put_stack;
	s->walk.user = s;
	if (!stack_walk_begin(&s->walk, section))
		return false;
	s->walk.numbers[0] = graph_field(section, graph->before ? graph->before : graph->weight);
	s->walk.numbers[1] = graph->before ? graph_field(section, graph->after) : NULL;
	return s->walk.numbers[0] != NULL;
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
	s->has_stacks = begin_stacks(s, section);
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

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct folded_sink *s = state;

	if (section->is_last || !s->text || !s->number)
		return 0;
	batch_for_each (r, batch) {
		if (s->has_stacks)
			stack_walk_row(&s->walk, r);
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
	stack_walk_end(&s->walk);
	if (buffer_failed(&s->walk.names))
		return error_no_memory(err);
	return tabular_write(&s->lines, err);
}

static void close_sink(void *state)
{
	struct folded_sink *s = state;

	stack_walk_fini(&s->walk);
	tabular_fini(&s->lines);
}

const struct sink_type sink_folded = {
	.name = "folded",
	.help = "folded stacks for flamegraph tools: stack and weight per line",
	.is_of_stacks = true,
	.state_size = sizeof(struct folded_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = write_rows,
	.section_end = section_end,
	.end = tabular_sink_end,
	.close = close_sink,
};
