/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-table". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_totals_row;

/* One question instead of all tables. */
enum heap_answer {
	HEAP_NO_ANSWER,
	HEAP_LEAKS, /* code that keeps more and more memory */
	HEAP_CHURN, /* code that allocates what it frees at once */
	HEAP_SIZES, /* live blocks by size */
	HEAP_PEAK,  /* code that held most memory at the peak */
	HEAP_KEPT,  /* what was not freed, and then all tables */
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

/* Returns the name of a way to group: "stack", ...; NULL behind the last. */
const char *heap_by_name(size_t index);

struct heap_table_options {
	bool sites;	    /* the table lists where each function was probed too */
	bool stacks;	    /* stacks were requested: note if there are none */
	bool every_section; /* also those that depend on the records: for the JSON schema */
	enum heap_answer answer;
	enum heap_by by;
	uint64_t min_age_ns; /* least age of blocks that count as live; 0: any */
	size_t rows_most;    /* most rows of a bounded table in text; 0: the default */
	struct heap_totals_row
		*reported; /* a copy of the totals, for callers that need one sentence */
	char *inexact; /* reason why the totals are not exact, with `reported`; empty: they are */
	size_t inexact_bytes;
	bool *is_explained; /* set to whether malloc explains what is kept, with HEAP_KEPT */
};
