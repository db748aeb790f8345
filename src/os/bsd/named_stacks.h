/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes stacks whose frames another program has named, for the probes profile and stacks. Each
 * frame and each stack is defined once, before its first use. The number of stacks is limited;
 * further stacks get the number 0, which has no frames.
 */
#pragma once

#include "base/cursor.h"
#include "base/map.h"
#include "collect/backend.h"
#include "probes/profile.h"

#define NAMED_FRAMES_MAX 512 /* number of frames of one stack */

struct named_frame {
	struct span function; /* empty: unknown */
	struct span file;     /* empty: none is known */
	struct span build_id;
	uint64_t offset; /* offset in the file; without a file: the address */
	uint64_t begin;	 /* start of the function, like `offset` */
	uint8_t kind;	 /* enum profile_frame_kind */
};

struct named_stacks {
	uint16_t stack_kind, frame_kind; /* kinds of the records */
	struct map frames, stacks;
	uint64_t refused; /* stacks that found no room */
};

void named_stacks_init(struct named_stacks *s, uint16_t stack_kind, uint16_t frame_kind);
void named_stacks_fini(struct named_stacks *s);
/* Returns the number of a stack, and defines it if it is new. Innermost frame first. */
uint32_t named_stacks_put(struct named_stacks *s, struct backend_run *run,
	const struct named_frame *frames, size_t count, enum profile_end end);
