/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of a flamegraph. A frame is never wider than its parent, so the widest frames always
 * form a tree, whatever their number.
 */
#include "sinks/flamegraph_tree.h"
#include <stdlib.h>
#include "sinks/stack_walk.h"

#define FLAMEGRAPH_FRAMES_MAX (1u << 20)
#define FLAMEGRAPH_DATA_MAX   (3u << 20) /* maximum bytes of frames in the file */
#define FLAMEGRAPH_BOXES_MAX  8000	 /* boxes drawn for viewers without scripts */

#define SMALL_DATA_MAX	(100u << 10)
#define SMALL_BOXES_MAX 200

#define FRAME_BYTES	     24 /* approximate bytes of a frame's numbers in the file */
#define COMPARED_BYTES	     40
#define NAME_BYTES	     4		  /* bytes around a name */
#define FLAMEGRAPH_BYTES_MAX (256u << 20) /* size of names as received, and of names as shown */
#define LEAST_SHARE	     (1 / 2400.0) /* least share in the static picture: half a pixel */

/* --- taking rows --- */

void flamegraph_tree_init(struct flamegraph_tree *t, bool is_small)
{
	t->is_small = is_small;
	names_init(&t->names, FLAMEGRAPH_FRAMES_MAX, FLAMEGRAPH_BYTES_MAX);
	names_init(&t->plain, FLAMEGRAPH_FRAMES_MAX, FLAMEGRAPH_BYTES_MAX);
}

void flamegraph_tree_fini(struct flamegraph_tree *t)
{
	names_fini(&t->names);
	names_fini(&t->plain);
	buffer_fini(&t->shown);
	buffer_fini(&t->scratch);
	buffer_fini(&t->frames);
}

size_t flamegraph_tree_count(const struct flamegraph_tree *t)
{
	return t->frames.size / sizeof(struct flamegraph_frame);
}

struct flamegraph_frame *flamegraph_tree_frame(const struct flamegraph_tree *t, size_t number)
{
	return &((struct flamegraph_frame *)(void *)t->frames.data)[number];
}

/* Returns the number of a name in `plain`. Names repeat, so each is converted only once. */
static uint32_t number_name(struct flamegraph_tree *t, const struct sooth_value *v)
{
	struct span name = span_of("?", 1);
	uint32_t number, plain;
	bool is_new;

	if (v->state <= SOOTH_STATE_TRUNCATED && v->text.size)
		name = span_of(v->text.data, v->text.size);
	number = names_put(&t->names, name, &is_new);
	if (number == NAMES_NONE)
		return number;
	if (!is_new)
		return ((const uint32_t *)(const void *)t->shown.data)[number];
	buffer_reset(&t->scratch);
	svg_plain(&t->scratch, name.data, name.size);
	plain = names_put(&t->plain, span_of((const char *)t->scratch.data, t->scratch.size), NULL);
	buffer_append(&t->shown, &plain, sizeof(plain));
	return buffer_failed(&t->shown) || buffer_failed(&t->scratch) ? NAMES_NONE : plain;
}

static void add_to_total(struct flamegraph_tree *t, const struct flamegraph_frame *frame)
{
	t->total += frame->value;
	t->total_before += frame->before;
	t->total_after += frame->after;
	t->differs |= frame->differs;
}

void flamegraph_tree_add(struct flamegraph_tree *t, const struct flamegraph_fields *fields,
	const struct sooth_record *row)
{
	struct sooth_value name = sooth_field_get(fields->name, row);
	uint64_t depth = graph_number(fields->depth, row);
	struct flamegraph_frame frame = { .value = graph_number(fields->weight, row),
		.before = graph_number(fields->before, row),
		.after = graph_number(fields->after, row),
		.differs = graph_number(fields->differs, row) != 0,
		.kind = (uint8_t)graph_number(fields->kind, row),
		.is_own = graph_number(fields->own, row) };

	frame.name = number_name(t, &name);
	depth = depth < t->depth ? depth : t->depth;
	frame.depth = (uint16_t)depth;
	frame.parent = depth ? t->above[depth - 1] : FLAMEGRAPH_NONE;
	if (!depth)
		add_to_total(t, &frame);
	if (depth >= FLAMEGRAPH_DEPTH_MAX || flamegraph_tree_count(t) >= FLAMEGRAPH_FRAMES_MAX ||
		frame.name == NAMES_NONE) {
		t->refused++;
		return;
	}
	t->above[depth] = (uint32_t)flamegraph_tree_count(t);
	t->depth = depth + 1;
	buffer_append(&t->frames, &frame, sizeof(frame));
}

/* --- choosing --- */

struct choice {
	uint64_t value;
	uint32_t number;
};

static int widest_first(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Sets *out to the bytes that each name takes in the file. */
static bool name_sizes(const struct flamegraph_tree *t, uint16_t **out)
{
	size_t count = names_count(&t->plain);
	uint16_t *sizes = calloc(count ? count : 1, sizeof(*sizes));

	for (uint32_t i = 0; sizes && i < count; i++)
		sizes[i] = (uint16_t)(names_get(&t->plain, i).size + NAME_BYTES);
	*out = sizes;
	return sizes != NULL;
}

/* Keeps as many frames as there is room for; each name costs only once. */
static void keep_widest(struct flamegraph_tree *t, const struct choice *choices, size_t count,
	uint16_t *sizes, double least_share)
{
	size_t each = t->total_before || t->total_after ? COMPARED_BYTES : FRAME_BYTES;
	uint64_t left = t->is_small ? SMALL_DATA_MAX : FLAMEGRAPH_DATA_MAX;
	uint64_t boxes = t->is_small ? SMALL_BOXES_MAX : FLAMEGRAPH_BOXES_MAX;

	for (size_t i = 0; i < count; i++) {
		struct flamegraph_frame *frame = flamegraph_tree_frame(t, choices[i].number);
		double share = (double)frame->value / (double)t->total;
		size_t cost = each + sizes[frame->name];

		if (!frame->value || share < least_share || cost > left)
			break;
		left -= cost;
		sizes[frame->name] = 0;
		frame->is_kept = true;
		frame->is_boxed = share >= LEAST_SHARE && boxes;
		boxes -= frame->is_boxed;
		t->kept++;
	}
}

static bool choose_frames(struct flamegraph_tree *t, double least_share)
{
	size_t count = flamegraph_tree_count(t);
	struct choice *choices = malloc((count ? count : 1) * sizeof(*choices));
	uint16_t *sizes = NULL;
	bool is_done = choices && name_sizes(t, &sizes);

	if (is_done) {
		for (size_t i = 0; i < count; i++)
			choices[i] =
				(struct choice){ flamegraph_tree_frame(t, i)->value, (uint32_t)i };
		qsort(choices, count, sizeof(*choices), widest_first);
		keep_widest(t, choices, count, sizes, least_share);
	}
	free(choices);
	free(sizes);
	return is_done;
}

static void leave_out(struct flamegraph_tree *t, const struct flamegraph_frame *frame)
{
	bool is_topmost = frame->parent == FLAMEGRAPH_NONE ||
			  flamegraph_tree_frame(t, frame->parent)->is_kept;

	if (!frame->value)
		return; /* a frame of width 0 is not drawn */
	t->left_out++;
	if (is_topmost)
		t->left_out_value += frame->value;
	if (frame->value > t->left_out_widest)
		t->left_out_widest = frame->value;
}

/* Sets the start of each frame: the end of the previous frame with the same parent. */
static bool place_frames(struct flamegraph_tree *t)
{
	size_t count = flamegraph_tree_count(t);
	uint64_t *ends = calloc(count + 1, sizeof(*ends)); /* by parent; last: without a parent */

	for (size_t i = 0; ends && i < count; i++) {
		struct flamegraph_frame *frame = flamegraph_tree_frame(t, i);
		size_t parent = frame->parent == FLAMEGRAPH_NONE ? count : frame->parent;

		if (!frame->is_kept) {
			leave_out(t, frame);
			continue;
		}
		frame->from = ends[parent];
		ends[parent] += frame->value;
		ends[i] = frame->from;
		if (frame->depth >= t->levels)
			t->levels = frame->depth + 1u;
	}
	free(ends);
	return ends != NULL;
}

bool flamegraph_tree_lay_out(struct flamegraph_tree *t, double least_share)
{
	if (buffer_failed(&t->frames) || !choose_frames(t, least_share))
		return false;
	return place_frames(t);
}
