/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the goroutines of a Go program, beside the stacks of its threads. */
#pragma once

#include "analyze/waits/wait_graph.h"
#include "base/buffer.h"
#include "model/row_list.h"
#include "probes/waits.h"

#define STACK_GOROUTINES_ROW(F, S)                                                                 \
	F(S, U64, count, MAYBE(count_state), "number of goroutines that are alike")                \
	F(S, ENUM8, state, ALWAYS, "waits; runs, or could; in a system call",                      \
		.names = &waits_goroutine_state_names)                                             \
	F(S, BOOL, is_main, ALWAYS, "it is the goroutine that runs main.main")                     \
	F(S, TEXT, reason, MAYBE(reason_state), "what they wait for, as Go's runtime says")        \
	F(S, U64, longest_ns, MAYBE(longest_state),                                                \
		"longest wait, of those that waited at the last garbage collection",               \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, TEXT, by, MAYBE(at_state), "function that waits, of one of them")                     \
	F(S, TEXT, at, WITH(at_state), "function of the program that called it, of one of them")   \
	F(S, TEXT, start, ALWAYS, "function that they began with")                                 \
	F(S, TEXT, text, ALWAYS, "the goroutines as a sentence", .is_hidden = true)

ROW_STRUCT(stack_goroutines_row, STACK_GOROUTINES_ROW);

extern const struct sooth_schema stack_goroutines_schema;

/* Appends rows of the goroutines of the process: the main one first, then the largest groups.
 * `is_short`: as default text shows them. Returns the number of goroutines. */
uint64_t stack_goroutine_rows(
	struct buffer *rows, const struct wait_graph *g, uint32_t pid, bool is_short);
