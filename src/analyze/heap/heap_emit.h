/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "heap-table". */
#ifndef SOOTH_ANALYZE_HEAP_EMIT_H
#define SOOTH_ANALYZE_HEAP_EMIT_H

#include "analyze/heap/heap_live.h"
#include "analyze/heap/heap_sums.h"
#include "explain/output.h"

/* Where the sections go. */
struct heap_scope {
	struct output *output;
	struct section section; /* the open section */
};

/* Closes the section before it. */
int heap_section(struct heap_scope *scope, const struct section *section, struct sooth_error *err);
/* unfinished_state: of values that single calls do not give. */
/* is_blind: nothing was probed, so that no calls means nothing. */
int heap_emit_types(struct heap_scope *scope, const struct heap_sums *sums,
	uint8_t unfinished_state, bool is_blind, struct sooth_error *err);
int heap_emit_sizes(
	struct heap_scope *scope, const struct heap_sums *sums, struct sooth_error *err);
/*
 * by_calls: sums from single calls, not from aggregates. live_state: of values that only single
 * calls give.
 */
int heap_emit_processes(struct heap_scope *scope, const struct heap_live *live, bool by_calls,
	uint8_t live_state, struct sooth_error *err);
/* Number of processes in that table. */
uint64_t heap_emit_count(const struct heap_live *live);

#endif
