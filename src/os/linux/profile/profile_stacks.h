/* SPDX-License-Identifier: BSD-2-Clause */
/* The dictionaries of a profile: frames by file and offset, stacks by their frames. Each entry is
 * written once. The dictionaries are bounded; a stack without room has number 0, which has no
 * frames. */
#pragma once

#include "os/linux/profile/generated.h"
#include "os/linux/profile/profile_files.h"
#include "os/linux/runtimes/runtime_set.h"

#define PROFILE_STACK_NONE 0

/* How to find the start of the function at an offset of a file by its unwind information; false:
 * unknown. */
struct profile_entries {
	const void *user;
	bool (*find)(const void *user, uint64_t file, uint64_t offset, uint64_t *entry);
};

struct profile_stacks {
	uint16_t stack_kind, frame_kind; /* kinds of the records */
	struct map frames;		 /* file and offset -> uint32_t, from 1 on */
	struct map stacks;		 /* two hashes -> uint32_t, from 1 on */
	uint64_t refused;		 /* samples for whose stack there was no room */
	bool has_lines;			 /* resolves source lines */
	struct generated generated;
	struct runtime_set runtimes;
};

void profile_stacks_init(struct profile_stacks *s, uint16_t stack_kind, uint16_t frame_kind);
/* Prepares the names of frames as the options request them. */
int profile_stacks_open(struct profile_stacks *s, struct profile_files *files,
	const struct probe_options *options, struct sooth_error *err);
void profile_stacks_fini(struct profile_stacks *s);
/* Returns the number of a sample's stack. A new stack is written to `out`. */
uint32_t profile_stacks_put(
	struct profile_stacks *s, const struct profile_raw *raw, struct buffer *out);
/* Names all frames and writes them. */
int profile_stacks_name(struct profile_stacks *s, struct profile_files *files,
	const struct profile_entries *entries, struct buffer *out, bool *is_kernel_hidden);
