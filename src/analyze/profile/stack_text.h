/* SPDX-License-Identifier: BSD-2-Clause */
/* A stack as one line, the innermost function first: its columns, and the key by which stacks are
 * merged to rows.
 */
#pragma once

#include "analyze/profile/profile_sums.h"

#define STACK_TEXT_ROW(F, S)                                                                       \
	F(S, TEXT, stack, ALWAYS,                                                                  \
		"functions of the stack, innermost first: each was called by the next one",        \
		.is_key = true, .may_shrink = true)                                                \
	F(S, TEXT, end, ALWAYS,                                                                    \
		"whole: up to the entry of the thread; else why frames are missing",               \
		.is_hidden = true)                                                                 \
	F(S, TEXTS, functions, ALWAYS, "the functions of `stack`, innermost first, one by one",    \
		.is_hidden = true)

/* Columns of the lines of a stack. */
#define STACK_LINES_ROW(F, S)                                                                      \
	F(S, TEXT, line, MAYBE(line_state),                                                        \
		"source line of the innermost function that is neither a library's nor a "         \
		"language's own",                                                                  \
		.label = "LINE", .may_shrink = true)                                               \
	F(S, TEXTS, lines, ALWAYS,                                                                 \
		"the source line of each of `functions`, as file:line; empty: not known",          \
		.is_hidden = true)

/* Stacks that differ only in places within a line of their functions are the same. */
struct stack_text {
	uint32_t text;	/* text in sums.names: "malloc < read_all < main"; NAMES_NONE: no room */
	uint32_t lines; /* text in sums.names: the lines, each followed by a NUL */
	uint32_t end;	/* enum profile_end */
};

struct stack_text stack_text_of(struct profile_sums *sums, uint32_t stack);
int stack_text_compare(const struct stack_text *a, const struct stack_text *b);
/* Appends the code that called a probed function, for a sentence: "handle (a.py:4) < work < main".
 * It begins with the innermost caller that is not of the C library or a language's own
 * (wait_place_function()). For a script only its own functions are named. Only the first few
 * callers are appended. */
void stack_text_put_callers(struct buffer *out, const struct profile_sums *sums, uint32_t stack);
/* Returns the column `line`; empty: not known. Borrowed. */
struct span stack_text_line(const struct profile_sums *sums, uint32_t stack);
/* Appends the column `functions` of a stack: names, each followed by a NUL. */
void stack_text_functions(const struct profile_sums *sums, uint32_t stack, struct buffer *out);
