/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of a stream with the names of their frames, as structs of the public header. */
#ifndef SOOTH_LIBRARY_STACKS_H
#define SOOTH_LIBRARY_STACKS_H

#include <sooth/frame.h>

#include "analyze/profile/profile_sums.h"
#include "base/map.h"

struct stacks {
	struct profile_sums sums;
	struct map made; /* uint32_t -> struct made_stack */
};

/* The kinds of its definitions. */
void stacks_init(struct stacks *s, uint16_t stack_kind, uint16_t frame_kind, bool has_lines);
void stacks_fini(struct stacks *s);
void stacks_add_record(struct stacks *s, const struct sooth_record *record);
/*
 * The frames, innermost first, borrowed until stacks_fini(); 0: the stack is not known, or memory
 * ran out. They have names when the observation has stopped: not to be called before.
 */
size_t stacks_frames(struct stacks *s, uint32_t stack, const struct sooth_frame **frames);

#endif
