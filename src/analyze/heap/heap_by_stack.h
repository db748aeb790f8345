/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which code allocates: the stacks of allocations, those that keep most memory first; or one answer
 * (enum heap_answer) as a sentence and a table.
 */
#pragma once

#include "analyze/heap/heap_emit.h"
#include "analyze/heap/heap_table.h"
#include "analyze/profile/profile_sums.h"

/* Prepares sums with the dictionaries of heap.stack and heap.frame. */
void heap_by_stack_init(struct profile_sums *sums);
/* Emits the sections by stack. Without recorded stacks it emits nothing, or a note if stacks were
 * requested. */
int heap_by_stack_emit(struct heap_scope *scope, const struct heap_live *live,
	struct profile_sums *sums, const struct heap_table_options *options,
	struct sooth_error *err);
