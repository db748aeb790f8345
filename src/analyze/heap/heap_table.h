/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-table". */
#ifndef SOOTH_ANALYZE_HEAP_TABLE_H
#define SOOTH_ANALYZE_HEAP_TABLE_H

#include <stdbool.h>

struct heap_totals_row;

struct heap_table_options {
	bool is_alone;		      /* sections are "totals", "processes"; else "heap_totals" */
	bool sites;		      /* where each function was probed, too */
	struct heap_totals_row *told; /* the totals once more, for who makes a sentence of them */
};

#endif
