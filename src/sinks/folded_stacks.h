/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that are frames below each other, as lines: the frames of a stack and what it held alone. */
#ifndef SOOTH_SINKS_FOLDED_STACKS_H
#define SOOTH_SINKS_FOLDED_STACKS_H

#include "core/sink.h"

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

/* False: the section has no such rows. */
bool folded_stacks_begin(struct folded_stacks *f, const struct section *section);
void folded_stacks_row(struct folded_stacks *f, const struct sooth_record *row, struct buffer *out);
void folded_stacks_end(struct folded_stacks *f, struct buffer *out);
void folded_stacks_fini(struct folded_stacks *f);

#endif
