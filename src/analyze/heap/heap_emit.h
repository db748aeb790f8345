/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the view "heap-table", from what it has collected. */
#ifndef SOOTH_ANALYZE_HEAP_EMIT_H
#define SOOTH_ANALYZE_HEAP_EMIT_H

#include "analyze/heap/heap_live.h"
#include "analyze/heap/heap_sums.h"
#include "core/output.h"

/* Where the sections go, and what they are called there. */
struct heap_scope {
	struct output *output;
	bool is_alone; /* no other view's sections beside them: their names need no prefix */
	struct section section; /* the open one */
	char name[64];
};

/* Ends the section before it. */
int heap_section(struct heap_scope *scope, const struct section *section, struct sooth_error *err);
/* unfinished_state: of what single calls do not tell. */
int heap_emit_types(struct heap_scope *scope, const struct heap_sums *sums,
	uint8_t unfinished_state, struct sooth_error *err);
int heap_emit_sizes(
	struct heap_scope *scope, const struct heap_sums *sums, struct sooth_error *err);
/* by_calls: their sums by single calls, not by tallies. live_state: of what only calls tell. */
int heap_emit_processes(struct heap_scope *scope, const struct heap_live *live, bool by_calls,
	uint8_t live_state, struct sooth_error *err);
/* How many processes that table has. */
uint64_t heap_emit_count(const struct heap_live *live);

#endif
