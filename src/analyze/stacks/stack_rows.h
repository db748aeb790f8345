/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of stacks. */
#pragma once

#include "analyze/profile/profile_sums.h"
#include "analyze/stacks/stack_goroutines.h"
#include "analyze/stacks/stacks.h"
#include "base/buffer.h"
#include "model/batch.h"
#include "model/row_list.h"
#include "probes/stacks.h"

#define STACK_FRAME_ROW(F, S)                                                                      \
	F(S, TEXT, function, ALWAYS,                                                               \
		"function as its source names it, or its symbol; file+0x12: no symbol")            \
	F(S, TEXT, file, MAYBE(file_state), "file with the code of the frame, without folders")    \
	F(S, U64, offset, ALWAYS, "place of the frame in its file; an address where it has none",  \
		.unit = SOOTH_UNIT_HEX)                                                            \
	F(S, ENUM8, kind, ALWAYS,                                                                  \
		"user: code of a file; kernel; generated: code made at run time; script: a "       \
		"function that an interpreter runs",                                               \
		.names = &profile_frame_kind_names)                                                \
	F(S, TEXT, text, ALWAYS, "the frame as text: function and place", .is_hidden = true)

ROW_STRUCT(stack_frame_row, STACK_FRAME_ROW);

#define STACK_THREAD_ROW(F, S)                                                                     \
	F(S, RECORD, U64, tid, tid, ALWAYS, "thread id in the pid namespace of sooth",             \
		.is_key = true)                                                                    \
	F(S, TEXT, name, ALWAYS, "name of the thread (comm)")                                      \
	F(S, U64, cpu_ns, MAYBE(cpu_state), "CPU time of the thread since its start",              \
		.label = "CPU", .unit = SOOTH_UNIT_NS)

ROW_STRUCT(stack_thread_row, STACK_THREAD_ROW);

#define STACK_GROUP_ROW(F, S)                                                                      \
	F(S, U32, threads, ALWAYS, "number of threads with this stack")                            \
	F(S, BOOL, has_main, ALWAYS, "the main thread is one of them")                             \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"thread state: R running, S sleeping, D uninterruptible, T stopped, t traced, Z "  \
		"zombie, I idle")                                                                  \
	F(S, BOOL, is_on_cpu, ALWAYS, "the thread was executing on a CPU when its stack was read") \
	F(S, BOOL, has_moved, ALWAYS,                                                              \
		"the thread ran while its stack was read: frames may be of two moments")           \
	F(S, TEXT, call, MAYBE(call_state), "system call that the threads are executing")          \
	F(S, TEXT, wait_channel, MAYBE(channel_state),                                             \
		"kernel function in which the threads wait")                                       \
	F(S, TEXT, end, MAYBE(end_state),                                                          \
		"whole: up to the entry of the thread; else why frames are missing")               \
	F(S, TEXT, text, ALWAYS, "threads and what they do, as a sentence", .is_hidden = true)     \
	F(S, NAMED, ROWS, frames, stack_frames, MAYBE(frames_state),                               \
		"frames of the stack, innermost first", .rows = &stack_frame_schema)               \
	F(S, ROWS, members, ALWAYS, "the threads", .rows = &stack_thread_schema)

ROW_STRUCT(stack_group_row, STACK_GROUP_ROW, char state;);

#define STACK_PROCESS_ROW(F, S)                                                                    \
	F(S, PID)                                                                                  \
	F(S, TEXT, process, ALWAYS, "name of the process (comm)", .label = "NAME")                 \
	F(S, U32, threads, MAYBE(threads_state), "number of threads that were read")               \
	F(S, TEXT, text, ALWAYS, "the process as a sentence", .is_hidden = true)                   \
	F(S, ROWS, goroutines, MAYBE(goroutines_state),                                            \
		"goroutines of a Go program that are alike: the main one, then the largest group", \
		.rows = &stack_goroutines_schema)                                                  \
	F(S, ROWS, stacks, ALWAYS, "stacks, the one that matters first",                           \
		.rows = &stack_group_schema)

ROW_STRUCT(stack_process_row, STACK_PROCESS_ROW);

extern const struct sooth_schema stack_process_schema;

/* Appends rows of the groups of threads with the same stack. `is_short`: as default text shows
 * them. */
void stack_rows(struct buffer *rows, const struct profile_sums *sums, const struct batch *records,
	const struct stacks_options *options, bool is_short);
