/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-lines". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct heap_lines_options {
	/* As in memtrack's artifact: omit calls that returned no memory; a realloc to size 0 is a
	 * Free. */
	bool only_memory;
	bool has_rss;  /* also lines Rss, Fork, Exec and Exit */
	bool has_rmap; /* with them, also Rmap */
	/* NULL, or where to count lost changes of resident memory, and starts and ends. */
	uint64_t *lost;
};
