/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of a stream with the names of their frames, as structs of <sooth/frame.h>. */
#pragma once

#include <sooth/frame.h>

#include "analyze/profile/profile_sums.h"
#include "base/map.h"

struct stacks {
	struct profile_sums sums;
	struct map made; /* uint32_t -> struct made_stack */
};

/* Initializes the stacks. `stack_kind` and `frame_kind` are the kinds of the records that define
 * stacks and frames. */
void stacks_init(struct stacks *s, uint16_t stack_kind, uint16_t frame_kind);
void stacks_fini(struct stacks *s);
void stacks_add_record(struct stacks *s, const struct sooth_record *record);
/*
 * Sets *frames to the frames of a stack, innermost first, borrowed until stacks_fini(). Returns
 * their number; 0: the stack is unknown, or memory ran out. Call it after the observation: frames
 * have no names before.
 */
size_t stacks_frames(struct stacks *s, uint32_t stack, const struct sooth_frame **frames);
