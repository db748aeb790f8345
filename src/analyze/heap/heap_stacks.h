/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of allocations as rows, and the answers that are made of them. */
#pragma once

#include "analyze/heap/heap_emit.h"
#include "analyze/profile/profile_sums.h"
#include "analyze/profile/stack_text.h"

#define HEAP_STACKS_SHOWN 20 /* -j prints all */

extern const struct sooth_schema heap_stack_row_schema, heap_class_row_schema,
	heap_function_row_schema, heap_library_row_schema, heap_thread_row_schema,
	heap_exact_size_row_schema;

/* Stacks with the same functions, merged. */
struct heap_stack {
	struct stack_text key;
	struct heap_stack_sum sum;
	struct heap_growth growth;
	uint32_t stack; /* number of one of these stacks */
	uint32_t unused;
};

struct heap_stacks_merged {
	struct heap_stack *all; /* the caller frees it */
	size_t count;
};

int heap_stacks_merge(struct heap_stacks_merged *out, const struct heap_live *live,
	struct profile_sums *sums, struct output *output, struct sooth_error *err);
int heap_stacks_by_live(
	const void *left, const void *right); /* Compares two heap_stacks for qsort(). */
/* Appends how far an estimate may be wrong, divided by `seconds` if it is a rate; nothing for an
 * exact value. */
void heap_put_error(struct buffer *out, double variance, double seconds);
/* An answer by stacks: a sentence, then a table of the stacks in an order of its own. */
struct heap_answer_type {
	int (*compare)(const void *left, const void *right);
	/* NULL: only the table. The stacks are in their order. */
	int (*emit_sentence)(struct heap_scope *scope, const struct heap_live *live,
		const struct heap_stacks_merged *stacks, const struct profile_sums *sums,
		struct sooth_error *err);
	const struct section *section;
	bool only_growing; /* the table has only the stacks that keep more and more */
	bool omits_empty;  /* a table without rows is left out */
};

/* These answers are: the code that keeps more and more memory, then all that was not freed; only
 * the code that keeps more and more; the code whose memory is freed at once, by bytes; the code
 * that held most memory when most was live. */
extern const struct heap_answer_type heap_answer_kept, heap_answer_leaks, heap_answer_churn,
	heap_answer_peak;

int heap_answer_emit(const struct heap_answer_type *type, struct heap_scope *scope,
	const struct heap_live *live, struct heap_stacks_merged *stacks,
	const struct profile_sums *sums, struct sooth_error *err);
/* Emits the row of an answer, with its sentence, in its section, and frees the sentence. */
#define HEAP_SENTENCE(scope, section, row, sentence, err)                                          \
	heap_sentence_emit(scope, section, &(row)->record, sizeof(*(row)),                         \
		tail_buffer(&(row)->text, sentence), sentence, err)
int heap_sentence_emit(struct heap_scope *scope, const struct section *section,
	struct sooth_record *row, size_t fixed, struct record_tail tail, struct buffer *sentence,
	struct sooth_error *err);

/* Emits how much was not freed, of calls without stacks. */
int heap_unfreed_emit(
	struct heap_scope *scope, const struct heap_live *live, struct sooth_error *err);
/* Emits the live blocks by size class, each with the code that holds most of the class.
 * `has_answer`: a sentence comes first. */
int heap_sizes_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, bool has_answer, struct sooth_error *err);
