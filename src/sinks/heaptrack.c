/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of heaptrack's own file (version 3), which heaptrack_print and heaptrack_gui read: a
 * letter, then hexadecimal numbers; a text is its length and its bytes. A row has the letter, a
 * list of up to five numbers, and a text.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "explain/sink.h"
#include "sinks/packer.h"

#define WRITE_BYTES (64u << 10)

struct heaptrack_sink {
	struct packer packer;
	struct buffer lines;
	const struct sooth_field *letter, *numbers,
		*text; /* fields of the open section; NULL: its rows are others */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct heaptrack_sink *s = state;

	return packer_open(
		&s->packer, options->packing, options->stream, "write heaptrack's file", err);
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct heaptrack_sink *s = state;

	(void)err;
	s->letter = sooth_schema_field(section->schema, "heaptrack_letter");
	s->numbers = sooth_schema_field(section->schema, "numbers");
	s->text = sooth_schema_field(section->schema, "text");
	return 0;
}

/* Writes a name. Its length is already written, so each byte that may not reach a terminal is
 * replaced by one plain byte. */
static void put_text(struct buffer *out, const struct sooth_value *v)
{
	size_t before = out->size;
	bool is_plain;

	escape_terminal(out, v->text.data, v->text.size);
	is_plain = out->size - before == v->text.size;
	if (is_plain || buffer_failed(out))
		return;
	out->size = before;
	for (size_t i = 0; i < v->text.size; i++) {
		unsigned char c = (unsigned char)v->text.data[i];

		buffer_char(out, c < ' ' ? ' ' : c < 0x7f ? (char)c : '?');
	}
}

static void write_row(struct heaptrack_sink *s, const struct sooth_record *r)
{
	struct sooth_value letter = sooth_field_get(s->letter, r);
	struct sooth_value numbers = sooth_field_get(s->numbers, r);
	struct sooth_value text = sooth_field_get(s->text, r);
	struct buffer *out = &s->lines;
	uint64_t number;

	buffer_char(out, (char)letter.u);
	for (size_t i = 0; i < numbers.text.size / sizeof(number); i++) {
		memcpy(&number, numbers.text.data + i * sizeof(number), sizeof(number));
		buffer_format(out, " %" PRIx64, number);
	}
	if (value_is_there(&text)) {
		buffer_char(out, ' ');
		put_text(out, &text);
	}
	buffer_char(out, '\n');
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct heaptrack_sink *s = state;
	int status = 0;

	if (section->is_last || !s->letter || !s->numbers || !s->text)
		return 0;
	batch_for_each (r, batch) {
		write_row(s, r);
		if (!status && s->lines.size >= WRITE_BYTES)
			status = packer_write(&s->packer, &s->lines, false, err);
	}
	return status;
}

static int end(void *state, struct sooth_error *err)
{
	struct heaptrack_sink *s = state;

	return packer_write(&s->packer, &s->lines, true, err);
}

static void close_sink(void *state)
{
	struct heaptrack_sink *s = state;

	packer_fini(&s->packer);
	buffer_fini(&s->lines);
}

const struct sink_type sink_heaptrack = {
	.name = "heaptrack",
	.help = "heaptrack's own file",
	.is_unlisted = true,
	.state_size = sizeof(struct heaptrack_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = write_rows,
	.end = end,
	.close = close_sink,
};
