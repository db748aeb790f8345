/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of a graph's rows, and stacks from rows that are nested frames. A frame is passed on
 * after all frames below it, because only then its own values are known.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "explain/sink.h"

/* Returns a field by its name; NULL: `name` is NULL, or the section has no such field. */
static inline const struct sooth_field *graph_field(const struct section *section, const char *name)
{
	return name ? sooth_schema_field(section->schema, name) : NULL;
}

/* Returns 0 without a field, or without a value. */
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
	size_t at, size;	       /* position of the name in stack_walk.names; size 0: none */
	size_t place;		       /* size of the place of the frame, which follows its name */
	uint64_t total[STACK_NUMBERS]; /* values of the frame and all frames below */
	uint64_t below[STACK_NUMBERS]; /* part of `total` that frames below it have */
};

struct stack_walk {
	const struct sooth_field *name, *depth, *place;
	/* Set by the caller after stack_walk_begin(); NULL: none. */
	const struct sooth_field *numbers[STACK_NUMBERS];
	struct buffer names;
	struct stack_frame frames[STACK_DEPTH_MAX];
	size_t count;	   /* frames of the stack; in `take` the last one is the current frame */
	uint64_t too_deep; /* rows left out; the frame above has their values */
	/* Handles the current frame's own numbers, at least one of which is not 0. */
	void (*take)(void *user, const struct stack_walk *w, const uint64_t own[STACK_NUMBERS]);
	void *user;
};

/* Begins a section. Returns false if its rows are no frames. */
bool stack_walk_begin(struct stack_walk *w, const struct section *section);
void stack_walk_row(struct stack_walk *w, const struct sooth_record *row);
void stack_walk_end(struct stack_walk *w);
void stack_walk_fini(struct stack_walk *w);

/* Appends the name as text for people; "?" for a frame without a name. */
void stack_name_put(struct buffer *out, struct span name);

static inline struct span stack_walk_name(const struct stack_walk *w, size_t frame)
{
	const struct stack_frame *f = &w->frames[frame];

	return span_of(buffer_at(&w->names, f->at), f->size);
}

/* Returns the texts of a frame's place, each with a NUL behind it; empty: none is known. */
static inline struct span stack_walk_place(const struct stack_walk *w, size_t frame)
{
	const struct stack_frame *f = &w->frames[frame];

	return span_of(buffer_at(&w->names, f->at + f->size), f->place);
}
