/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of allocations as rows, and the answers that are made of them. */
#ifndef SOOTH_ANALYZE_HEAP_STACKS_H
#define SOOTH_ANALYZE_HEAP_STACKS_H

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
/* Emits a row of heap_stack_row_schema. */
int heap_stack_emit(struct output *output, const struct heap_stack *stack,
	const struct profile_sums *sums, struct sooth_error *err);

/* Emits what is kept: the code that keeps more and more memory, then all that was not freed. */
int heap_kept_emit(struct heap_scope *scope, const struct heap_live *live,
	struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err);
/* Emits how much was not freed, of calls without stacks. */
int heap_unfreed_emit(
	struct heap_scope *scope, const struct heap_live *live, struct sooth_error *err);
/* Emits the code that keeps more and more memory. */
int heap_leaks_emit(struct heap_scope *scope, const struct heap_live *live,
	struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err);
/* Emits the code whose memory is freed at once, by bytes. */
int heap_churn_emit(struct heap_scope *scope, const struct heap_live *live,
	struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err);
/* Emits the code that held most memory when most was live. */
int heap_at_peak_emit(struct heap_scope *scope, const struct heap_live *live,
	struct heap_stacks_merged *stacks, const struct profile_sums *sums,
	struct sooth_error *err);
/* Emits the live blocks by size class, each with the code that holds most of the class.
 * `has_answer`: a sentence comes first. */
int heap_sizes_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, bool has_answer, struct sooth_error *err);

#endif
