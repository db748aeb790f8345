/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/stack_walk.h"

#include "base/escape.h"

bool stack_walk_begin(struct stack_walk *w, const struct section *section)
{
	w->count = 0;
	buffer_reset(&w->names);
	w->numbers[0] = w->numbers[1] = NULL;
	if (!section->graph)
		return false;
	w->name = graph_field(section, section->tree);
	w->depth = graph_field(section, section->depth);
	w->place = graph_field(section, "frame_place");
	return w->name && w->depth;
}

static void deliver_stack(struct stack_walk *w)
{
	const struct stack_frame *frame = &w->frames[w->count - 1];
	uint64_t own[STACK_NUMBERS] = { 0 };
	bool is_any = false;

	for (size_t i = 0; i < STACK_NUMBERS; i++) {
		if (frame->total[i] > frame->below[i])
			own[i] = frame->total[i] - frame->below[i];
		is_any |= own[i] != 0;
	}
	if (is_any)
		w->take(w->user, w, own);
}

/* Passes on the frames from `depth` down, which are complete. */
static void close_frames(struct stack_walk *w, size_t depth)
{
	while (w->count > depth) {
		struct stack_frame *frame = &w->frames[w->count - 1];

		deliver_stack(w);
		w->count--;
		for (size_t i = 0; i < STACK_NUMBERS && w->count; i++)
			frame[-1].below[i] += frame->total[i];
		w->names.size = frame->at;
	}
}

void stack_walk_row(struct stack_walk *w, const struct sooth_record *row)
{
	struct sooth_value name = sooth_field_get(w->name, row);
	uint64_t depth = graph_number(w->depth, row);
	bool is_named = name.state <= SOOTH_STATE_TRUNCATED;
	struct stack_frame *frame;
	struct sooth_value place;

	if (depth >= STACK_DEPTH_MAX) {
		w->too_deep++;
		return;
	}
	close_frames(w, depth < w->count ? depth : w->count);
	frame = &w->frames[w->count++];
	*frame = (struct stack_frame){ .at = w->names.size, .size = is_named ? name.text.size : 0 };
	if (is_named)
		buffer_append(&w->names, name.text.data, name.text.size);
	if (w->place) {
		place = sooth_field_get(w->place, row);
		frame->place = place.text.size;
		buffer_append(&w->names, place.text.data, place.text.size);
	}
	for (size_t i = 0; i < STACK_NUMBERS; i++)
		frame->total[i] = graph_number(w->numbers[i], row);
}

void stack_walk_end(struct stack_walk *w)
{
	close_frames(w, 0);
}

void stack_walk_fini(struct stack_walk *w)
{
	buffer_fini(&w->names);
}

void stack_name_put(struct buffer *out, struct span name)
{
	if (name.size)
		escape_terminal(out, name.data, name.size);
	else
		buffer_char(out, '?');
}
