/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-table". */
#ifndef SOOTH_ANALYZE_HEAP_TABLE_H
#define SOOTH_ANALYZE_HEAP_TABLE_H

#include <stdbool.h>

struct heap_totals_row;

struct heap_table_options {
	bool sites;  /* also list where each function was probed */
	bool stacks; /* they were requested: say so where there are none */
	bool leaks;  /* instead of all: the stacks that keep more and more */
	struct heap_totals_row
		*reported; /* a copy of the totals, for callers that need one sentence */
};

#endif
