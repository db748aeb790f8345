/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-table". */
#ifndef SOOTH_ANALYZE_HEAP_TABLE_H
#define SOOTH_ANALYZE_HEAP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_totals_row;

/* One question instead of all tables. */
enum heap_answer {
	HEAP_NO_ANSWER,
	HEAP_LEAKS, /* which code keeps more and more */
	HEAP_CHURN, /* which code allocates what it frees at once */
	HEAP_SIZES, /* live blocks by size */
	HEAP_PEAK,  /* which code held most at the peak */
	HEAP_ANSWERS,
};

/* the key by which allocating code is listed */
enum heap_by {
	HEAP_BY_STACK,
	HEAP_BY_FUNCTION,
	HEAP_BY_LIBRARY,
	HEAP_BY_THREAD,
	HEAP_BY_SIZE,  /* exact */
	HEAP_BY_CLASS, /* size class: four between two powers of two */
	HEAP_BYS,
};

/* "stack", ...; NULL behind the last. */
const char *heap_by_name(size_t index);

struct heap_table_options {
	bool sites;  /* also list where each function was probed */
	bool stacks; /* stacks were requested: note if there are none */
	enum heap_answer answer;
	enum heap_by by;
	uint64_t min_age_ns; /* of blocks that count as live; 0: all */
	size_t rows_most;    /* most rows of a bounded table in text; 0: the default */
	struct heap_totals_row
		*reported; /* a copy of the totals, for callers that need one sentence */
	char *inexact;	   /* with `reported`: why the totals are not exact; empty: they are */
	size_t inexact_bytes;
};

#endif
