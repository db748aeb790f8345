/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of a graph's rows, and stacks out of rows that are frames below each other. A frame is
 * handed over when all below it has been seen, because only then is known what it held alone.
 */
#ifndef SOOTH_SINKS_STACK_WALK_H
#define SOOTH_SINKS_STACK_WALK_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "explain/sink.h"

/* NULL: the section names none, or has no such field. */
static inline const struct sooth_field *graph_field(const struct section *section, const char *name)
{
	return name ? sooth_schema_field(section->schema, name) : NULL;
}

/* 0 without a field, or without a value. */
static inline uint64_t graph_number(const struct sooth_field *field, const struct sooth_record *row)
{
	struct sooth_value v;

	if (!field)
		return 0;
	v = sooth_field_get(field, row);
	return v.state == SOOTH_STATE_VALUE ? v.u : 0;
}

#define STACK_DEPTH_MAX 1024
#define STACK_NUMBERS	2

struct stack_frame {
	size_t at, size;	       /* of its name; size 0: it has none */
	uint64_t total[STACK_NUMBERS]; /* with what is below it */
	uint64_t below[STACK_NUMBERS]; /* of that, what its lower frames had */
};

struct stack_walk {
	const struct sooth_field *name, *depth;
	/* Given by the caller after stack_walk_begin(); NULL: none. */
	const struct sooth_field *numbers[STACK_NUMBERS];
	struct buffer names;
	struct stack_frame frames[STACK_DEPTH_MAX];
	size_t count;	   /* frames of the stack; in `take` the last one is the frame at hand */
	uint64_t too_deep; /* rows left out; what they hold stands with the frame above them */
	/* Takes the numbers that only the frame at hand holds; at least one is not 0. */
	void (*take)(void *user, const struct stack_walk *w, const uint64_t own[STACK_NUMBERS]);
	void *user;
};

/* False: the rows of the section are no frames. */
bool stack_walk_begin(struct stack_walk *w, const struct section *section);
void stack_walk_row(struct stack_walk *w, const struct sooth_record *row);
void stack_walk_end(struct stack_walk *w);
void stack_walk_fini(struct stack_walk *w);

/* For readers; of a frame without a name "?". */
void stack_name_put(struct buffer *out, struct span name);

static inline struct span stack_walk_name(const struct stack_walk *w, size_t frame)
{
	const struct stack_frame *f = &w->frames[frame];

	return span_of(buffer_at(&w->names, f->at), f->size);
}

#endif
