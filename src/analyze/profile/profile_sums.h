/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples by stack, thread and process, with the dictionaries they need. Definitions may come after
 * the samples that use them, so stacks are resolved at the end.
 */
#pragma once

#include "analyze/threads/thread_roles.h"
#include "base/demangle.h"
#include "base/names.h"
#include "model/batch.h"
#include "model/process_id.h"
#include "probes/profile.h"

#define PROFILE_STACK_FRAMES_MAX 512

/* a frame in a report; frames with the same name and file are merged */
struct profile_function {
	uint32_t name;	 /* name in sums->names: the symbol, or file+0x12 */
	uint32_t file;	 /* the last part of its path, or "hot.c:17"; empty: none */
	uint32_t object; /* the last part of the path of the program or library; empty: none */
	uint8_t kind;	 /* enum profile_frame_kind */
	uint8_t is_named;
	uint8_t is_of_runtime; /* a script that comes with its interpreter */
	uint8_t is_of_package; /* a script in a folder of installed packages */
	uint8_t lines_state;   /* state of the source line; absent: not requested */
	uint8_t has_line;      /* `file` is a source file with a line */
	uint32_t build_id;     /* build id of the file, in hexadecimal; empty: unknown */
	uint64_t offset;       /* offset of the frame in its file; address if there is no file */
};

/* How frames are named. */
struct frame_naming {
	enum demangle_style style;
	/* Show source lines instead of files, and inlined functions as frames, if the capture has
	 * these. */
	bool has_lines;
};

enum profile_of {
	PROFILE_OF_SAMPLES,
	PROFILE_OF_WAITS,
	PROFILE_OF_WALL, /* both */
};

struct profile_count {
	uint64_t samples;
	uint64_t cpu_ns;
};

struct profile_sums {
	struct map frames;     /* uint32_t -> struct profile_function and its inlined functions */
	struct buffer inlined; /* struct profile_function */
	struct map stacks;     /* uint32_t -> place and length in stack_frames, end */
	struct buffer stack_frames;
	struct map counts; /* stack, thread and process -> struct profile_count */
	struct names names;
	/* Set by the caller, before the first record. */
	struct frame_naming naming;
	uint16_t stack_kind, frame_kind; /* kinds of definitions; default: of probe profile */
	enum profile_of of;		 /* what is added up; cpu_ns is CPU time or waiting time */
	/* Waits with different results are separate sums; NULL: all are alike. */
	uint32_t (*reason_of)(const struct profile_wait *w);
	struct profile_count total;
	uint64_t period_ns; /* CPU time between samples, by the last sample */
	uint64_t refused;   /* samples that found no room */
};

/* One combination of stack, thread and process. */
struct profile_stacked {
	struct profile_count count;
	struct process_id id;
	struct span process, role;
	uint32_t reason; /* by sums->reason_of */
	enum profile_end end;
	size_t depth;
	const struct profile_function *frames[PROFILE_STACK_FRAMES_MAX]; /* innermost first */
};

void profile_sums_init(struct profile_sums *s);
void profile_sums_fini(struct profile_sums *s);
void profile_sums_add_batch(struct profile_sums *s, const struct batch *batch);
/* Forgets the samples; definitions stay. */
void profile_sums_next_interval(struct profile_sums *s);
/* Walks through all sums: *position starts at 0; false at the end. Texts are borrowed. */
bool profile_sums_next(const struct profile_sums *s, size_t *position, struct profile_stacked *out);
/* Returns why a report about a role (NULL: all roles) has no rows; `selected`: number of its
 * samples. If the reason names the sampled roles, it is written to `text`. */
const char *profile_sums_if_empty(
	const struct profile_sums *s, const char *role, uint64_t selected, struct buffer *text);
/* Sets `out` to the frames of a stack and how its walk ended; false: the stack is not defined. */
bool profile_sums_stack(const struct profile_sums *s, uint32_t stack, struct profile_stacked *out);
/* Returns whether a function of the stack starts a thread (pthread_create). */
bool profile_sums_starts_thread(const struct profile_sums *s, uint32_t stack);
/* Converts a wait to a sample of the same process, thread and stack. */
struct profile_sample profile_sample_of_wait(const struct profile_wait *w);
/* Returns the role of a sample's thread, or the name of the thread if it has no role. */
struct span profile_role_of(const struct profile_sample *r);
/* Returns in words how a stack ends: "whole", "too-deep", ... */
const char *profile_end_text(enum profile_end end);
