/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames as lines of stacks; see folded_stacks.h. A frame's line comes when all below it has
 * been seen, because only then is known what it held alone. Times are written in microseconds,
 * as those who read this form expect.
 */
#include "sinks/folded_stacks.h"

#include "base/escape.h"
#include "base/units.h"
#include "sinks/graph_fields.h"

bool folded_stacks_begin(struct folded_stacks *f, const struct section *section)
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

void folded_stacks_row(struct folded_stacks *f, const struct sooth_record *row, struct buffer *out)
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

void folded_stacks_end(struct folded_stacks *f, struct buffer *out)
{
	close_frames(f, 0, out);
	if (buffer_failed(&f->path))
		out->failed = true;
}

void folded_stacks_fini(struct folded_stacks *f)
{
	buffer_fini(&f->path);
}
