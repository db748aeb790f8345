/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a sampled stack as names with colors, the outermost first. */
#pragma once

#include "analyze/graphs/call_graph.h"
#include "analyze/profile/profile_sums.h"

enum stack_kind {
	STACK_THREAD,
	STACK_PROGRAM,
	STACK_LIBRARY,
	STACK_KERNEL,
	STACK_GENERATED,
	STACK_CUT,
	STACK_SCRIPT,
	STACK_KINDS,
};

extern const struct sooth_names stack_kind_names;

#define STACK_FRAMES_MAX (PROFILE_STACK_FRAMES_MAX + 1)

struct stack_frame_named {
	struct span name, file;			 /* file: the last part of its path; empty: none */
	uint8_t kind;				 /* enum stack_kind */
	const struct profile_function *function; /* NULL: frames are missing */
};

/* Missing frames are replaced by one frame with the reason. */
struct stack_frames {
	struct stack_frame_named items[STACK_FRAMES_MAX];
	size_t count;
	char cut[64];
};

/* Fills in the frames of a stack. Names are borrowed from the sums and from `out`. */
void stack_frames_of(const struct profile_sums *sums, const struct profile_stacked *stacked,
	struct stack_frames *out);
/* Adds the stack with that number to a graph. False: the stack is unknown. */
bool stack_frames_add(struct call_graph *graph, const struct profile_sums *sums, uint32_t stack,
	const struct call_graph_values *values);
