/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form that flamegraph tools read: of each row its first text and its first number, a blank
 * between. Rows that are frames below each other become the lines of their stacks. Without
 * notes: readers of it take nothing else. Rows of a section that has not both are left out.
 */
#include <errno.h>
#include <stdio.h>

#include "base/escape.h"
#include "core/sink.h"
#include "sinks/folded_stacks.h"

struct folded_sink {
	FILE *stream;
	struct buffer bytes;
	const struct sooth_field *text, *number; /* of the open section; NULL: it has none */
	struct folded_stacks stacks;
	bool has_stacks; /* the open section */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct folded_sink *s = state;

	(void)err;
	s->stream = options->stream;
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
	s->has_stacks = folded_stacks_begin(&s->stacks, section);
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
	escape_terminal(&s->bytes, text.text.data, text.text.size);
	buffer_char(&s->bytes, ' ');
	buffer_u64(&s->bytes, number.u);
	buffer_char(&s->bytes, '\n');
}

static int write_out(struct folded_sink *s, struct sooth_error *err)
{
	if (buffer_failed(&s->bytes))
		return error_no_memory(err);
	if (s->bytes.size && fwrite(s->bytes.data, 1, s->bytes.size, s->stream) != s->bytes.size)
		return error_errno(err, -errno, "write stacks");
	buffer_reset(&s->bytes);
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct folded_sink *s = state;

	if (section->is_last || !s->text || !s->number)
		return 0;
	batch_for_each (r, batch) {
		if (s->has_stacks)
			folded_stacks_row(&s->stacks, r, &s->bytes);
		else
			write_row(s, r);
	}
	return write_out(s, err);
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct folded_sink *s = state;

	(void)section;
	if (!s->has_stacks)
		return 0;
	folded_stacks_end(&s->stacks, &s->bytes);
	return write_out(s, err);
}

static int end(void *state, struct sooth_error *err)
{
	struct folded_sink *s = state;

	return fflush(s->stream) ? error_errno(err, -errno, "write stacks") : 0;
}

static void close_sink(void *state)
{
	struct folded_sink *s = state;

	folded_stacks_fini(&s->stacks);
	buffer_fini(&s->bytes);
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
