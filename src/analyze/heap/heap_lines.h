/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-lines". */
#ifndef SOOTH_ANALYZE_HEAP_LINES_H
#define SOOTH_ANALYZE_HEAP_LINES_H

#include <stdbool.h>

struct heap_lines_options {
	/* As in memtrack's artifact: omit calls that returned no memory; a realloc to size 0 is a
	 * Free. */
	bool only_memory;
};

#endif
